//! One microphone's processing, behind plain functions: a handle, and two buffers of 10 ms in the module's memory.

use sonora::config::{AdaptiveDigital, EchoCanceller, GainController2, HighPassFilter, NoiseSuppression};
use sonora::{AudioProcessing, Config, StreamConfig};

/// What is done, as bits of `processor_new`.
const ECHO: u32 = 1;
const NOISE: u32 = 2;
const GAIN: u32 = 4;

/// The longest 10 ms: at 48 kHz.
const MOST_SAMPLES: usize = 480;

pub struct Processor {
    processing: AudioProcessing,
    samples: usize,
    /// What the microphone heard; after `processor_process`, what is left of it.
    captured: [f32; MOST_SAMPLES],
    /// What the loudspeaker plays.
    played: [f32; MOST_SAMPLES],
    scratch: [f32; MOST_SAMPLES],
}

/// A processor for mono at `rate_hz`, one of 16000, 24000, 32000 and 48000; null for another rate. Free it with `processor_free`.
#[no_mangle]
pub extern "C" fn processor_new(rate_hz: u32, what: u32) -> *mut Processor {
    if ![16_000, 24_000, 32_000, 48_000].contains(&rate_hz) {
        return std::ptr::null_mut();
    }
    let config = Config {
        high_pass_filter: Some(HighPassFilter::default()),
        echo_canceller: (what & ECHO != 0).then(EchoCanceller::default),
        noise_suppression: (what & NOISE != 0).then(NoiseSuppression::default),
        gain_controller2: (what & GAIN != 0).then(|| GainController2 {
            adaptive_digital: Some(AdaptiveDigital::default()),
            ..Default::default()
        }),
        ..Default::default()
    };
    let stream = StreamConfig::new(rate_hz, 1);
    let processing = AudioProcessing::builder()
        .config(config)
        .capture_config(stream)
        .render_config(stream)
        .build();
    Box::into_raw(Box::new(Processor {
        processing,
        samples: rate_hz as usize / 100,
        captured: [0.0; MOST_SAMPLES],
        played: [0.0; MOST_SAMPLES],
        scratch: [0.0; MOST_SAMPLES],
    }))
}

/// # Safety
/// `processor` is of `processor_new` and was not freed: so for all functions below.
#[no_mangle]
pub unsafe extern "C" fn processor_free(processor: *mut Processor) {
    drop(Box::from_raw(processor));
}

/// Where 10 ms of what the microphone heard go before `processor_process`.
///
/// # Safety
/// See `processor_free`.
#[no_mangle]
pub unsafe extern "C" fn processor_captured(processor: *mut Processor) -> *mut f32 {
    (*processor).captured.as_mut_ptr()
}

/// Where 10 ms of what the loudspeaker plays go before `processor_note_played`.
///
/// # Safety
/// See `processor_free`.
#[no_mangle]
pub unsafe extern "C" fn processor_played(processor: *mut Processor) -> *mut f32 {
    (*processor).played.as_mut_ptr()
}

/// Takes what is played now, so that its echo is known. 0, or 1 if it was refused.
///
/// # Safety
/// See `processor_free`.
#[no_mangle]
pub unsafe extern "C" fn processor_note_played(processor: *mut Processor) -> u32 {
    let Processor { processing, samples, played, scratch, .. } = &mut *processor;
    let done = processing.process_render_f32(&[&played[..*samples]], &mut [&mut scratch[..*samples]]);
    u32::from(done.is_err())
}

/// Processes what the microphone heard, in place. `delay_ms`: how long after `processor_note_played` its echo comes back, about.
///
/// # Safety
/// See `processor_free`.
#[no_mangle]
pub unsafe extern "C" fn processor_process(processor: *mut Processor, delay_ms: i32) -> u32 {
    let Processor { processing, samples, captured, scratch, .. } = &mut *processor;
    // A delay out of its range is brought into it, which is not an error here.
    let _ = processing.set_stream_delay_ms(delay_ms);
    let done = processing.process_capture_f32(&[&captured[..*samples]], &mut [&mut scratch[..*samples]]);
    captured[..*samples].copy_from_slice(&scratch[..*samples]);
    u32::from(done.is_err())
}
