//! Streaming resampler: mono, any two rates from 4 to 192 kHz, floats or s16, continuous across calls.
//!
//! Output sample n stands at input time n * from / to - delay. Its value is the sum over the `taps` newest
//! inputs of x[i] * h(time - i), with h of resampler/filter.rs. With to / from = l / m in lowest terms there
//! are l different fractions of an input sample; each has a row of coefficients in the filter, or, where l is
//! too large, a place between two rows. `stretch` does the same for a ratio that is only near l / m: as many
//! outputs as are asked for, evenly spaced over the inputs of the call.
//!
//! Bounded: an instance holds its last taps - 1 inputs (188 bytes for a ratio up, 9 kB for 192 to 4 kHz) and
//! 48 bytes of position. The filter is shared (filter.rs), as is what a call works on. No float, NaN and
//! infinities included, and no handle or size traps.

mod filter;
mod lanes;

use crate::opus;
use crate::slots::Slots;
use crate::staging::{IN, IN_FLOATS, OUT, OUT_FLOATS, PCM, PCM_SAMPLES, RESAMPLED};
use filter::{Filter, MAX_TAPS};
use lanes::{to_s16, FULL_SCALE};
use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;

const RATES: RangeInclusive<u32> = 4000..=192_000;
/// Inputs that are resampled in one go, so that they and what comes of them stay in the cache.
const BLOCK: usize = 1024;
/// The longest input of a stretch: 3 s at 24 kHz.
const MAX_STRETCH: usize = 72_000;

/// Where outputs stand: the next one, and how far it is to the one after.
#[derive(Clone, Copy)]
struct Cursor {
    /// The newest input that the next output needs, counted from the next input to come.
    next: usize,
    /// Of an input sample, in `parts`.
    fraction: u32,
    step: usize,
    step_fraction: u32,
    parts: u32,
}

impl Cursor {
    /// `outputs` over `inputs`, evenly. In units of the filter's rows where they fit, so that a fraction is
    /// a row.
    fn new(outputs: u32, inputs: u32, rows: u32) -> Cursor {
        let divisor = gcd(outputs, inputs);
        let (l, m) = (outputs / divisor, inputs / divisor);
        let unit = if rows % l == 0 { rows / l } else { 1 };
        Cursor { next: 0, fraction: 0, step: (m / l) as usize, step_fraction: m % l * unit, parts: l * unit }
    }

    /// How many outputs stand before the end of so many inputs.
    fn outputs(&self, inputs: usize) -> usize {
        let parts = u64::from(self.parts);
        let step = self.step as u64 * parts + u64::from(self.step_fraction);
        let (end, start) = (inputs as u64 * parts, self.next as u64 * parts + u64::from(self.fraction));
        end.saturating_sub(start).div_ceil(step) as usize
    }

    /// How many inputs, at least 1, give no more than `outputs` outputs.
    fn inputs(&self, outputs: usize) -> usize {
        let parts = u64::from(self.parts);
        let step = self.step as u64 * parts + u64::from(self.step_fraction);
        (outputs as u64 * step / parts) as usize
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.next += self.step;
        self.fraction += self.step_fraction;
        if self.fraction >= self.parts {
            self.fraction -= self.parts;
            self.next += 1;
        }
    }
}

struct Resampler {
    from: u32,
    to: u32,
    filter: Rc<Filter>,
    cursor: Cursor,
    /// The last taps - 1 inputs.
    history: Box<[f32]>,
}

/// What a call works on.
struct Scratch {
    /// The history, then a block of inputs.
    inputs: [f32; MAX_TAPS - 1 + BLOCK],
    /// What comes of them.
    made: [f32; 2 * BLOCK],
}

thread_local! {
    static RESAMPLERS: RefCell<Slots<Resampler>> = const { RefCell::new(Slots::new()) };
    static SCRATCH: RefCell<Scratch> =
        const { RefCell::new(Scratch { inputs: [0.0; MAX_TAPS - 1 + BLOCK], made: [0.0; 2 * BLOCK] }) };
}

impl Resampler {
    fn new(from: u32, to: u32) -> Option<Resampler> {
        let divisor = gcd(from, to);
        let filter = Filter::shared(to / divisor, from / divisor)?;
        let cursor = Cursor::new(to, from, filter.rows);
        let history = vec![0.0; filter.taps - 1].into_boxed_slice();
        Some(Resampler { from, to, filter, cursor, history })
    }

    fn reset(&mut self) {
        self.cursor = Cursor::new(self.to, self.from, self.filter.rows);
        self.history.fill(0.0);
    }

    /// The longest input whose outputs are fewer than `room`, at most `most`.
    fn max_input(&self, room: usize, most: usize) -> usize {
        self.cursor.inputs(room - 1).min(most)
    }

    /// Resamples `samples` inputs, block by block. `fill` writes the inputs from an index on, `take` is given
    /// the outputs from an index on. Returns the outputs.
    fn run(
        &mut self,
        samples: usize,
        fill: impl Fn(usize, &mut [f32]),
        mut take: impl FnMut(usize, &[f32]),
    ) -> usize {
        let history = self.history.len();
        let mut total = 0;
        SCRATCH.with_borrow_mut(|Scratch { inputs, made }| {
            inputs[..history].copy_from_slice(&self.history);
            let block = self.max_input(made.len(), BLOCK);
            for start in (0..samples).step_by(block) {
                let count = block.min(samples - start);
                fill(start, &mut inputs[history..history + count]);
                let outputs = self.cursor.outputs(count);
                self.resample(&inputs[..history + count], made, outputs);
                self.cursor.next -= count;
                take(total, &made[..outputs]);
                total += outputs;
                inputs.copy_within(count..count + history, 0);
            }
            self.history.copy_from_slice(&inputs[..history]);
        });
        total
    }

    /// PCM[0..samples] to RESAMPLED, where the cursor stands. The outputs fit: the caller has seen to it.
    fn run_pcm(&mut self, samples: usize) -> i32 {
        PCM.with_borrow(|pcm| {
            RESAMPLED.with_borrow_mut(|resampled| {
                let fill = |start: usize, inputs: &mut [f32]| {
                    for (input, sample) in inputs.iter_mut().zip(&pcm[start..]) {
                        *input = f32::from(*sample) * (1.0 / FULL_SCALE);
                    }
                };
                self.run(samples, fill, |start, made| {
                    to_s16(made, &mut resampled[start..start + made.len()]);
                }) as i32
            })
        })
    }

    /// IN[0..samples] to OUT, likewise.
    fn run_floats(&mut self, samples: usize) -> i32 {
        IN.with_borrow(|input| {
            OUT.with_borrow_mut(|output| {
                let fill = |start: usize, inputs: &mut [f32]| {
                    inputs.copy_from_slice(&input[start..start + inputs.len()]);
                };
                self.run(samples, fill, |start, made| {
                    output[start..start + made.len()].copy_from_slice(made);
                }) as i32
            })
        })
    }

    /// See `resampler_stretch`, which has checked the arguments.
    fn stretch(&mut self, samples: u32, outputs: u32) -> i32 {
        self.cursor = if outputs > 0 {
            Cursor::new(outputs, samples, self.filter.rows)
        } else {
            // No output stands among the inputs: they are only remembered.
            Cursor { next: samples as usize, ..Cursor::new(self.to, self.from, self.filter.rows) }
        };
        let made = self.run_pcm(samples as usize);
        self.cursor = Cursor::new(self.to, self.from, self.filter.rows);
        made
    }

    /// Fills `made` with the next `outputs` outputs. `inputs` are the last taps - 1 and all that they need.
    fn resample(&mut self, inputs: &[f32], made: &mut [f32], outputs: usize) {
        let Resampler { filter, cursor, .. } = self;
        let exact = filter.rows == cursor.parts;
        // Four products at a time; where rows are interpolated, two outputs have two each.
        let outputs_at_once = if exact { 4 } else { 2 };
        for (start, made) in (0..outputs).step_by(outputs_at_once).zip(made.chunks_mut(outputs_at_once)) {
            let (mut at, mut rows, mut weights) = ([0; 4], [0; 4], [0.0; 2]);
            for i in 0..outputs_at_once {
                if exact {
                    (at[i], rows[i]) = (cursor.next, cursor.fraction);
                } else {
                    // Less than 192,000 * 1,025: no overflow.
                    let position = cursor.fraction * filter.rows;
                    let row = position / cursor.parts;
                    weights[i] = (position % cursor.parts) as f32 / cursor.parts as f32;
                    (at[2 * i], rows[2 * i]) = (cursor.next, row);
                    (at[2 * i + 1], rows[2 * i + 1]) = (cursor.next, row + 1);
                }
                // The last output may be computed more than once; it is advanced from below.
                if start + i + 1 < outputs && i + 1 < outputs_at_once {
                    cursor.advance();
                }
            }
            cursor.advance();
            let products = filter.products(inputs, at, rows);
            if exact {
                made.copy_from_slice(&products);
            } else {
                let [low, high, low_1, high_1] = products;
                made[0] = low + weights[0] * (high - low);
                made[1] = low_1 + weights[1] * (high_1 - low_1);
            }
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        gcd(b, a % b)
    }
}

fn with(handle: u32, action: impl FnOnce(&mut Resampler) -> i32) -> i32 {
    RESAMPLERS.with_borrow_mut(|all| all.get(handle).map_or(opus::INVALID_STATE, action))
}

/// A new resampler's handle, or 0 if a rate is out of range or too many filters are in use.
#[wasm_bindgen]
pub fn resampler_new(from: u32, to: u32) -> u32 {
    if !RATES.contains(&from) || !RATES.contains(&to) {
        return 0;
    }
    Resampler::new(from, to).map_or(0, |new| RESAMPLERS.with_borrow_mut(|all| all.add(new)))
}

/// The constant delay, in input samples.
#[wasm_bindgen]
pub fn resampler_delay(handle: u32) -> i32 {
    with(handle, |resampler| (resampler.filter.taps / 2) as i32)
}

/// Samples that one `resampler_process` may take: its outputs then fit in the OUT area.
#[wasm_bindgen]
pub fn resampler_max_input(handle: u32) -> i32 {
    with(handle, |resampler| resampler.max_input(OUT_FLOATS, IN_FLOATS) as i32)
}

/// Samples that one `resampler_stream` may take: its outputs then fit in the RESAMPLED area.
#[wasm_bindgen]
pub fn resampler_max_stream(handle: u32) -> i32 {
    with(handle, |resampler| resampler.max_input(PCM_SAMPLES, PCM_SAMPLES) as i32)
}

/// Resamples `samples` samples of the IN area to the OUT area, floats of any scale. Returns the samples there,
/// or an error.
#[wasm_bindgen]
pub fn resampler_process(handle: u32, samples: u32) -> i32 {
    with(handle, |resampler| {
        let samples = samples as usize;
        if samples > resampler.max_input(OUT_FLOATS, IN_FLOATS) {
            return opus::BAD_ARG;
        }
        resampler.run_floats(samples)
    })
}

/// Resamples `samples` samples of the PCM area to the RESAMPLED area, at the exact ratio, going on where the
/// last call ended. Returns the samples there, or an error.
#[wasm_bindgen]
pub fn resampler_stream(handle: u32, samples: u32) -> i32 {
    with(handle, |resampler| {
        let samples = samples as usize;
        if samples > resampler.max_input(PCM_SAMPLES, PCM_SAMPLES) {
            return opus::BAD_ARG;
        }
        resampler.run_pcm(samples)
    })
}

/// Resamples `samples_in` samples of the PCM area to exactly `samples_out` in the RESAMPLED area, spaced
/// evenly: output k stands at input k * in / out of this call, less the delay. What was heard before goes on,
/// so nothing clicks. `samples_out` is at most one sample off the exact ratio. Returns it, or an error.
#[wasm_bindgen]
pub fn resampler_stretch(handle: u32, samples_in: u32, samples_out: u32) -> i32 {
    with(handle, |resampler| {
        let (from, to) = (i64::from(resampler.from), i64::from(resampler.to));
        let off = i64::from(samples_out) * from - i64::from(samples_in) * to;
        let too_long = samples_in as usize > MAX_STRETCH || samples_out as usize > PCM_SAMPLES;
        if off.abs() > from || too_long || (samples_in == 0 && samples_out > 0) {
            return opus::BAD_ARG;
        }
        resampler.stretch(samples_in, samples_out)
    })
}

/// Forgets the sound: the next call is as the first.
#[wasm_bindgen]
pub fn resampler_reset(handle: u32) -> i32 {
    with(handle, |resampler| {
        resampler.reset();
        0
    })
}

#[wasm_bindgen]
pub fn resampler_free(handle: u32) {
    RESAMPLERS.with_borrow_mut(|all| all.remove(handle));
    Filter::forget_unused();
}
