//! Opus encoders: mono, application VOIP, VBR, 20 ms frames. PCM comes from the staging area, the packet goes
//! to it. An instance holds about 32 kB.

use crate::opus::{self, State};
use crate::slots::Slots;
use crate::staging::{PACKET, PCM};
use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;

/// The largest packet of one frame: a table-of-contents byte and 1275 bytes of frame.
const MAX_PACKET_BYTES: i32 = 1276;

struct Encoder {
    state: State,
    frame_samples: i32,
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
                // SAFETY: a frame fits in the PCM area (960 of 5760 samples), and 1276 bytes in the packet
                // area.
                unsafe {
                    opus::opus_encode(
                        encoder.state.ptr(),
                        pcm.as_ptr(),
                        encoder.frame_samples,
                        packet.as_mut_ptr(),
                        MAX_PACKET_BYTES,
                    )
                }
            })
        })
    })
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
    let mut samples = 0i32;
    // SAFETY: this request takes the address of an i32.
    let result = with(handle, |encoder| unsafe {
        opus::opus_encoder_ctl(encoder.state.ptr(), opus::GET_LOOKAHEAD, &mut samples as *mut i32)
    });
    if result < 0 {
        result
    } else {
        samples
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
