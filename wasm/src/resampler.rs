//! Streaming resampler: mono, any rational ratio of two rates from 4 to 192 kHz, a polyphase windowed-sinc
//! filter.
//!
//! Output sample n stands at input time n * from / to - delay. Its value is the sum over the `taps` newest
//! inputs of x[i] * h(time - i), where h(d) = c sinc(c d) kaiser(d), and c is the cutoff as a part of the
//! input's Nyquist frequency (polyphase form: Crochiere and Rabiner, "Multirate Digital Signal Processing",
//! 1983, chapter 3; Kaiser's window and its formulas: Oppenheim and Schafer, "Discrete-Time Signal
//! Processing", section 7.6). With to / from = l / m in lowest terms there are l different fractions of an
//! input sample, hence l rows of coefficients. When those are too many, rows at fewer fractions are
//! interpolated.
//!
//! Bounded: at most 512 kB of coefficients and 31 kB of history.

use crate::opus;
use crate::slots::Slots;
use crate::staging::{IN, IN_FLOATS, OUT, OUT_FLOATS};
use std::cell::RefCell;
use std::f64::consts::PI;
use wasm_bindgen::prelude::wasm_bindgen;

/// Stop band, in dB.
const ATTENUATION: f64 = 104.0;
/// Taps at the lower of the two rates. With the attenuation it gives the transition band (Kaiser's estimate):
/// from 0.81 to 1.00 of the lower Nyquist frequency, so nothing folds back.
const BASE_TAPS: u32 = 72;
/// More coefficients than this, and rows are interpolated.
const MAX_COEFFICIENTS: u64 = 131_072;
/// Rows a sample at the lower rate, when interpolated: an error of (pi / 1024)^2 / 8, or -118 dB.
const INTERPOLATED_ROWS: u32 = 1024;
/// Lanes of the dot product: two SIMD accumulators hide the latency of the addition.
const LANES: usize = 8;

struct Resampler {
    taps: usize,
    /// Row r holds the filter for a fraction of r / rows of an input sample; one row more, for interpolating.
    table: Vec<f32>,
    rows: u32,
    exact: bool,
    /// An output sample is this many inputs and this many l-ths after the one before.
    step: usize,
    step_fraction: u32,
    l: u32,
    /// The newest input that the next output needs, counted from the next input to come; and its fraction.
    next: usize,
    fraction: u32,
    /// The last taps - 1 inputs, then room for a call's inputs.
    buffer: Vec<f32>,
    max_input: usize,
}

impl Resampler {
    fn new(from: u32, to: u32) -> Resampler {
        let divisor = gcd(from, to);
        let (l, m) = (to / divisor, from / divisor);
        // How many samples of the input one of the lower rate spans.
        let span = f64::max(1.0, f64::from(m) / f64::from(l));
        let taps = ((f64::from(BASE_TAPS) * span).ceil() as usize).next_multiple_of(LANES);
        let exact = u64::from(l) * taps as u64 <= MAX_COEFFICIENTS;
        let rows = if exact { l } else { (f64::from(INTERPOLATED_ROWS) / span).ceil() as u32 };
        let outputs_fit = (OUT_FLOATS as u64 - 1) * u64::from(m) / u64::from(l);
        Resampler {
            taps,
            table: design(taps, rows, span),
            rows,
            exact,
            step: (m / l) as usize,
            step_fraction: m % l,
            l,
            next: 0,
            fraction: 0,
            buffer: vec![0.0; taps - 1 + IN_FLOATS],
            max_input: outputs_fit.min(IN_FLOATS as u64) as usize,
        }
    }

    /// Resamples; `output` has room for all that `max_input` inputs can give. Returns the outputs.
    fn process(&mut self, input: &[f32], output: &mut [f32]) -> usize {
        let history = self.taps - 1;
        self.buffer[history..history + input.len()].copy_from_slice(input);
        let mut count = 0;
        while self.next < input.len() {
            let window = &self.buffer[self.next..self.next + self.taps];
            output[count] = if self.exact {
                dot(window, self.row(self.fraction))
            } else {
                // At most 192,000 * 1,024: no overflow.
                let position = self.fraction * self.rows;
                let weight = (position % self.l) as f32 / self.l as f32;
                let low = dot(window, self.row(position / self.l));
                low + weight * (dot(window, self.row(position / self.l + 1)) - low)
            };
            count += 1;
            self.next += self.step;
            self.fraction += self.step_fraction;
            if self.fraction >= self.l {
                self.fraction -= self.l;
                self.next += 1;
            }
        }
        self.next -= input.len();
        self.buffer.copy_within(input.len()..input.len() + history, 0);
        count
    }

    fn row(&self, index: u32) -> &[f32] {
        let start = index as usize * self.taps;
        &self.table[start..start + self.taps]
    }
}

/// The coefficients, row by row, oldest input first, each row summing to 1 so that no fraction changes the
/// level.
fn design(taps: usize, rows: u32, span: f64) -> Vec<f32> {
    // Kaiser's estimate, solved for the width of the transition band (as a part of the lower Nyquist
    // frequency).
    let width = (ATTENUATION - 7.95) / (2.285 * PI * (taps as f64 / span - 1.0));
    let cutoff = (1.0 - width / 2.0) / span;
    let beta = 0.1102 * (ATTENUATION - 8.7);
    let half = taps as f64 / 2.0;
    let mut table = Vec::with_capacity((rows as usize + 1) * taps);
    let mut row = vec![0.0; taps];
    for r in 0..=rows {
        for (j, h) in row.iter_mut().enumerate() {
            // From tap to output, in input samples: tap j is the input j - (taps - 1) before the newest.
            let distance = f64::from(r) / f64::from(rows) + half - 1.0 - j as f64;
            let x = distance / half;
            let window = if x.abs() > 1.0 { 0.0 } else { bessel_i0(beta * (1.0 - x * x).sqrt()) };
            *h = sinc(cutoff * distance) * window;
        }
        let sum: f64 = row.iter().sum();
        table.extend(row.iter().map(|h| (h / sum) as f32));
    }
    table
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

/// Written in lanes, because the compiler may not reorder a sum of floats by itself.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        gcd(b, a % b)
    }
}

thread_local! {
    static RESAMPLERS: RefCell<Slots<Resampler>> = const { RefCell::new(Slots::new()) };
}

fn with(handle: u32, action: impl FnOnce(&mut Resampler) -> i32) -> i32 {
    RESAMPLERS.with(|all| all.borrow_mut().get(handle).map_or(opus::INVALID_STATE, action))
}

/// A new resampler's handle, or 0 if a rate is out of range.
#[wasm_bindgen]
pub fn resampler_new(from: u32, to: u32) -> u32 {
    let rates = 4000..=192_000;
    if !rates.contains(&from) || !rates.contains(&to) {
        return 0;
    }
    RESAMPLERS.with(|all| all.borrow_mut().add(Resampler::new(from, to)))
}

/// Samples that one call may take: its outputs then fit in the OUT area.
#[wasm_bindgen]
pub fn resampler_max_input(handle: u32) -> i32 {
    with(handle, |resampler| resampler.max_input as i32)
}

/// The constant delay, in input samples.
#[wasm_bindgen]
pub fn resampler_delay(handle: u32) -> i32 {
    with(handle, |resampler| (resampler.taps / 2) as i32)
}

/// Resamples `samples` samples of the IN area to the OUT area. Returns the samples there, or an error.
#[wasm_bindgen]
pub fn resampler_process(handle: u32, samples: u32) -> i32 {
    IN.with_borrow(|input| {
        OUT.with_borrow_mut(|output| {
            with(handle, |resampler| {
                let samples = samples as usize;
                if samples > resampler.max_input {
                    return opus::BAD_ARG;
                }
                resampler.process(&input[..samples], output) as i32
            })
        })
    })
}

#[wasm_bindgen]
pub fn resampler_free(handle: u32) {
    RESAMPLERS.with(|all| all.borrow_mut().remove(handle));
}
