//! The resampler's filter: a polyphase windowed sinc, computed once for all resamplers that use it and freed
//! with the last of them.
//!
//! Row r holds the coefficients for an output that stands r / rows of an input sample behind an input:
//! h(d) = c sinc(c d) kaiser(d), where c is the cutoff as a part of the input's Nyquist frequency (polyphase
//! form: Crochiere and Rabiner, "Multirate Digital Signal Processing", 1983, chapter 3; Kaiser's window and
//! its formulas: Oppenheim and Schafer, "Discrete-Time Signal Processing", section 7.6).
//!
//! Bounded: MAX_FILTERS of at most 275 kB. A ratio up takes 64 taps, whatever it is: 24 to 44.1 kHz has 588
//! rows, 151 kB.

use super::lanes::Lanes;
use std::cell::RefCell;
use std::f64::consts::PI;
use std::rc::{Rc, Weak};

/// Taps at the lower of the two rates. With the attenuation it gives the transition band (Kaiser's estimate):
/// from 0.80 to 1.00 of the lower Nyquist frequency, so nothing folds back. 48 were a fifth faster and 0.3 dB
/// down at 0.8.
const BASE_TAPS: usize = 64;
/// The most taps: from 192 to 4 kHz.
pub const MAX_TAPS: usize = BASE_TAPS * 48;
/// Stop band, in dB.
const ATTENUATION: f64 = 98.0;
/// Taps come in multiples of this: a cache line of coefficients.
const UNIT: usize = 16;
/// Rows for one sample at the lower rate, at least: interpolating between them is then wrong by
/// (0.8 pi / 512)^2 / 8 at 0.8 of the Nyquist frequency, or -110 dB, and less below.
const MIN_ROWS: f64 = 512.0;
/// More coefficients than this, and the rows are no multiple of l (see `Filter::shared`).
const MAX_COEFFICIENTS: usize = 65_536;
/// Filters in use at once; ratios up with as many rows share one.
const MAX_FILTERS: usize = 64;

/// Coefficients, placed so that no SIMD load of them crosses a cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Unit([f32; UNIT]);

pub struct Filter {
    pub taps: usize,
    pub rows: u32,
    /// How many samples of the input one of the lower rate spans, in lowest terms.
    span: (u32, u32),
    /// Row by row, oldest input first; one row more than `rows`, for interpolating.
    coefficients: Vec<Unit>,
}

thread_local! {
    static FILTERS: RefCell<[Weak<Filter>; MAX_FILTERS]> =
        const { RefCell::new([const { Weak::new() }; MAX_FILTERS]) };
}

impl Filter {
    /// The filter for the ratio l / m, in lowest terms. Its rows are a multiple of l where the bound allows:
    /// then each output of a stream has a row of its own. None when MAX_FILTERS others are in use.
    pub fn shared(l: u32, m: u32) -> Option<Rc<Filter>> {
        let span = if m > l { (m, l) } else { (1, 1) };
        let width = f64::from(span.0) / f64::from(span.1);
        let taps = ((BASE_TAPS as f64 * width).ceil() as usize).next_multiple_of(UNIT);
        let wanted = (MIN_ROWS / width).ceil() as u32;
        let multiple = wanted.next_multiple_of(l);
        let rows = if multiple as usize * taps <= MAX_COEFFICIENTS { multiple } else { wanted };
        FILTERS.with_borrow_mut(|filters| {
            let same = |filter: &Rc<Filter>| filter.span == span && filter.rows == rows;
            if let Some(filter) = filters.iter().filter_map(Weak::upgrade).find(same) {
                return Some(filter);
            }
            let free = filters.iter_mut().find(|filter| filter.strong_count() == 0)?;
            let filter = Rc::new(Filter { taps, rows, span, coefficients: design(taps, rows, width) });
            *free = Rc::downgrade(&filter);
            Some(filter)
        })
    }

    /// Gives back what a filter without users still holds.
    pub fn forget_unused() {
        FILTERS.with_borrow_mut(|filters| {
            for filter in filters.iter_mut().filter(|filter| filter.strong_count() == 0) {
                *filter = Weak::new();
            }
        });
    }

    /// Four times a row and as many inputs, from an index each: their products' sums.
    #[inline(always)]
    pub fn products(&self, inputs: &[f32], at: [usize; 4], rows: [u32; 4]) -> [f32; 4] {
        let units = self.taps / UNIT;
        let inputs = at.map(|at| inputs[at..at + self.taps].as_chunks::<UNIT>().0);
        let rows = rows.map(|row| &self.coefficients[row as usize * units..][..units]);
        let mut sums = Sums { even: [Lanes::ZERO; 4], odd: [Lanes::ZERO; 4] };
        for unit in 0..units {
            sums.add(inputs, rows, unit);
        }
        let Sums { even: [a, b, c, d], odd: [e, f, g, h] } = sums;
        let mut four = [0.0; 4];
        Lanes::sums([a.plus(e), b.plus(f), c.plus(g), d.plus(h)]).store(&mut four);
        four
    }
}

/// Four sums under way, each in two parts, because an addition waits for the one before.
struct Sums {
    even: [Lanes; 4],
    odd: [Lanes; 4],
}

impl Sums {
    #[inline(always)]
    fn add(&mut self, inputs: [&[[f32; UNIT]]; 4], rows: [&[Unit]; 4], unit: usize) {
        for i in 0..4 {
            let (inputs, row) = (&inputs[i][unit], &rows[i][unit].0);
            self.even[i] = self.even[i].plus_product(inputs, row, 0);
            self.odd[i] = self.odd[i].plus_product(inputs, row, 4);
            self.even[i] = self.even[i].plus_product(inputs, row, 8);
            self.odd[i] = self.odd[i].plus_product(inputs, row, 12);
        }
    }
}

/// Each row sums to 1, so that no fraction changes the level. Row `rows - r` is row r the other way round.
fn design(taps: usize, rows: u32, width: f64) -> Vec<Unit> {
    // Kaiser's estimate, solved for the transition band (as a part of the lower Nyquist frequency).
    let transition = (ATTENUATION - 7.95) / (2.285 * PI * (taps as f64 / width - 1.0));
    let cutoff = (1.0 - transition / 2.0) / width;
    let beta = 0.1102 * (ATTENUATION - 8.7);
    let half = taps as f64 / 2.0;
    let mut coefficients = vec![Unit([0.0; UNIT]); (rows as usize + 1) * (taps / UNIT)];
    let mut row = vec![0.0; taps];
    for r in 0..=rows / 2 {
        for (j, h) in row.iter_mut().enumerate() {
            // From tap to output, in input samples: tap j is the input j - (taps - 1) before the newest.
            let distance = f64::from(r) / f64::from(rows) + half - 1.0 - j as f64;
            let x = distance / half;
            *h = sinc(cutoff * distance) * bessel_i0(beta * (1.0 - x * x).max(0.0).sqrt());
        }
        let sum: f64 = row.iter().sum();
        let mut put = |row_index: u32, tap: usize, value: f64| {
            let unit = row_index as usize * (taps / UNIT) + tap / UNIT;
            coefficients[unit].0[tap % UNIT] = value as f32;
        };
        for (j, h) in row.iter().enumerate() {
            put(r, j, h / sum);
            put(rows - r, taps - 1 - j, h / sum);
        }
    }
    coefficients
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// The modified Bessel function of the first kind, order 0, by its power series: sum of ((x / 2)^k / k!)^2.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        sum += term;
        k += 1.0;
    }
    sum
}
