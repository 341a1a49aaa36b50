//! Opus encoders: mono, application VOIP, VBR, 20 ms frames. PCM comes from the staging area, the packet goes
//! to it. An instance holds about 32 kB.

use crate::opus::{self, State};
use crate::slots::Slots;
use crate::staging::{PACKET, PACKET_BYTES, PCM, PCM_SAMPLES};
use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;

/// The largest packet of one frame: a table-of-contents byte and 1275 bytes of frame.
const MAX_PACKET_BYTES: usize = 1276;

struct Encoder {
    state: State,
    frame_samples: i32,
}

impl Encoder {
    /// Encodes `frame` to the front of `packet`, which has room for MAX_PACKET_BYTES. Returns the bytes, or an
    /// error.
    fn encode(&mut self, frame: &[i16], packet: &mut [u8]) -> i32 {
        assert!(frame.len() == self.frame_samples as usize && packet.len() >= MAX_PACKET_BYTES);
        // SAFETY: both slices have the lengths that are given (checked above).
        unsafe {
            opus::opus_encode(
                self.state.ptr(),
                frame.as_ptr(),
                self.frame_samples,
                packet.as_mut_ptr(),
                MAX_PACKET_BYTES as i32,
            )
        }
    }
}

thread_local! {
    static ENCODERS: RefCell<Slots<Encoder>> = const { RefCell::new(Slots::new()) };
}

fn with(handle: u32, action: impl FnOnce(&mut Encoder) -> i32) -> i32 {
    ENCODERS.with(|all| all.borrow_mut().get(handle).map_or(opus::INVALID_STATE, action))
}

/// A new encoder's handle, or 0 if libopus refuses an argument.
#[wasm_bindgen]
pub fn encoder_new(
    rate: u32,
    bitrate: i32,
    complexity: i32,
    dtx: i32,
    expected_loss_percent: i32,
    inband_fec: i32,
) -> u32 {
    if !opus::is_rate(rate) {
        return 0;
    }
    // SAFETY: the state has the size that libopus asks for, and each request takes one int.
    let state = unsafe {
        let mut state = State::new(opus::opus_encoder_get_size(1));
        let st = state.ptr();
        let mut result = opus::opus_encoder_init(st, rate as i32, 1, opus::APPLICATION_VOIP);
        for (request, value) in [
            (opus::SET_VBR, 1),
            (opus::SET_BITRATE, bitrate),
            (opus::SET_COMPLEXITY, complexity),
            (opus::SET_DTX, dtx),
            (opus::SET_PACKET_LOSS_PERC, expected_loss_percent),
            (opus::SET_INBAND_FEC, inband_fec),
        ] {
            if result == 0 {
                result = opus::opus_encoder_ctl(st, request, value);
            }
        }
        if result != 0 {
            return 0;
        }
        state
    };
    let frame_samples = rate as i32 / 50;
    ENCODERS.with(|all| all.borrow_mut().add(Encoder { state, frame_samples }))
}

/// Encodes one 20 ms frame from the PCM area. Returns the packet's bytes, or an error.
#[wasm_bindgen]
pub fn encoder_encode(handle: u32) -> i32 {
    PCM.with_borrow(|pcm| {
        PACKET.with_borrow_mut(|packet| {
            with(handle, |encoder| {
                let frame = encoder.frame_samples as usize;
                encoder.encode(&pcm[..frame], packet)
            })
        })
    })
}

/// Encodes `frames` frames of 20 ms from the PCM area, each packet after its length in 16 bits (little-endian,
/// as in steps.rs). Returns the bytes of all, or an error: BAD_ARG for more frames than the areas hold whatever
/// the sound.
#[wasm_bindgen]
pub fn encoder_run(handle: u32, frames: u32) -> i32 {
    let frames = frames as usize;
    PCM.with_borrow(|pcm| {
        PACKET.with_borrow_mut(|packet| {
            with(handle, |encoder| {
                let samples = encoder.frame_samples as usize;
                let most = (PCM_SAMPLES / samples).min(PACKET_BYTES / (2 + MAX_PACKET_BYTES));
                if frames > most {
                    return opus::BAD_ARG;
                }
                let mut at = 0;
                for frame in pcm.chunks_exact(samples).take(frames) {
                    let bytes = encoder.encode(frame, &mut packet[at + 2..]);
                    if bytes < 1 {
                        return bytes;
                    }
                    packet[at..at + 2].copy_from_slice(&(bytes as u16).to_le_bytes());
                    at += 2 + bytes as usize;
                }
                at as i32
            })
        })
    })
}

/// 1 when the encoder has heard no voice for 200 ms, so that DTX is on; else 0, or an error. Wants the DTX option.
#[wasm_bindgen]
pub fn encoder_in_dtx(handle: u32) -> i32 {
    get(handle, opus::GET_IN_DTX)
}

/// The range coder's final state of the last packet, the same on both sides: a checksum of the coding.
#[wasm_bindgen]
pub fn encoder_final_range(handle: u32) -> u32 {
    let mut range = 0u32;
    // SAFETY: this request takes the address of a u32.
    with(handle, |encoder| unsafe {
        opus::opus_encoder_ctl(encoder.state.ptr(), opus::GET_FINAL_RANGE, &mut range as *mut u32)
    });
    range
}

/// Samples by which the decoded signal lags behind the encoded one, or an error.
#[wasm_bindgen]
pub fn encoder_lookahead(handle: u32) -> i32 {
    get(handle, opus::GET_LOOKAHEAD)
}

/// The answer to a request that takes the address of an i32, or an error.
fn get(handle: u32, request: i32) -> i32 {
    let mut value = 0i32;
    // SAFETY: the callers' requests take the address of an i32.
    let result = with(handle, |encoder| unsafe {
        opus::opus_encoder_ctl(encoder.state.ptr(), request, &mut value as *mut i32)
    });
    if result < 0 {
        result
    } else {
        value
    }
}

/// Forgets the signal so far, keeps the options.
#[wasm_bindgen]
pub fn encoder_reset(handle: u32) -> i32 {
    // SAFETY: this request takes no argument.
    with(handle, |encoder| unsafe { opus::opus_encoder_ctl(encoder.state.ptr(), opus::RESET_STATE) })
}

#[wasm_bindgen]
pub fn encoder_free(handle: u32) {
    ENCODERS.with(|all| all.borrow_mut().remove(handle));
}
