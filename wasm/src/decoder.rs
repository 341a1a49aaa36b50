//! Opus decoders: mono out (stereo packets are mixed down by libopus), at any of Opus' five rates. The packet
//! comes from the staging area, PCM goes to it. An instance holds about 18 kB.

use crate::opus::{self, State};
use crate::slots::Slots;
use crate::staging::{PACKET, PACKET_BYTES, PCM};
use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;

struct Decoder {
    state: State,
    /// 120 ms: no packet and no concealment is longer. At most the PCM area.
    max_samples: i32,
}

thread_local! {
    static DECODERS: RefCell<Slots<Decoder>> = const { RefCell::new(Slots::new()) };
}

fn with(handle: u32, action: impl FnOnce(&mut Decoder) -> i32) -> i32 {
    DECODERS.with(|all| all.borrow_mut().get(handle).map_or(opus::INVALID_STATE, action))
}

/// A new decoder's handle, or 0 if Opus does not know the rate.
#[wasm_bindgen]
pub fn decoder_new(rate: u32) -> u32 {
    if !opus::is_rate(rate) {
        return 0;
    }
    // SAFETY: the state has the size that libopus asks for.
    let state = unsafe {
        let mut state = State::new(opus::opus_decoder_get_size(1));
        if opus::opus_decoder_init(state.ptr(), rate as i32, 1) != 0 {
            return 0;
        }
        state
    };
    let max_samples = rate as i32 / 25 * 3;
    DECODERS.with(|all| all.borrow_mut().add(Decoder { state, max_samples }))
}

/// Decodes the packet of `bytes` bytes in the packet area to at most `room` samples in the PCM area. Returns
/// the samples, or an error; a packet longer than `room` is BUFFER_TOO_SMALL and leaves the decoder as it
/// was.
#[wasm_bindgen]
pub fn decoder_decode(handle: u32, bytes: u32, room: i32) -> i32 {
    // No bytes would mean "conceal" to libopus.
    if bytes == 0 || bytes as usize > PACKET_BYTES {
        return opus::INVALID_PACKET;
    }
    if room <= 0 {
        return opus::BAD_ARG;
    }
    PACKET.with_borrow(|packet| {
        PCM.with_borrow_mut(|pcm| {
            with(handle, |decoder| {
                let room = room.min(decoder.max_samples);
                // SAFETY: `bytes` lie in the packet area, `room` samples in the PCM area (both checked
                // above).
                unsafe {
                    let (data, out) = (packet.as_ptr(), pcm.as_mut_ptr());
                    opus::opus_decode(decoder.state.ptr(), data, bytes as i32, out, room, 0)
                }
            })
        })
    })
}

/// Makes up `samples` samples for a lost packet: a multiple of 2.5 ms, at most 120 ms. Returns them, or an
/// error.
#[wasm_bindgen]
pub fn decoder_conceal(handle: u32, samples: i32) -> i32 {
    PCM.with_borrow_mut(|pcm| {
        with(handle, |decoder| {
            if samples <= 0 || samples > decoder.max_samples {
                return opus::BAD_ARG;
            }
            // SAFETY: `samples` lie in the PCM area; null data asks for concealment.
            unsafe {
                opus::opus_decode(decoder.state.ptr(), std::ptr::null(), 0, pcm.as_mut_ptr(), samples, 0)
            }
        })
    })
}

/// The range coder's final state of the last packet, the same on both sides: a checksum of the coding.
#[wasm_bindgen]
pub fn decoder_final_range(handle: u32) -> u32 {
    let mut range = 0u32;
    // SAFETY: this request takes the address of a u32.
    with(handle, |decoder| unsafe {
        opus::opus_decoder_ctl(decoder.state.ptr(), opus::GET_FINAL_RANGE, &mut range as *mut u32)
    });
    range
}

/// Forgets the signal so far: the next packet is decoded as the first.
#[wasm_bindgen]
pub fn decoder_reset(handle: u32) -> i32 {
    // SAFETY: this request takes no argument.
    with(handle, |decoder| unsafe { opus::opus_decoder_ctl(decoder.state.ptr(), opus::RESET_STATE) })
}

#[wasm_bindgen]
pub fn decoder_free(handle: u32) {
    DECODERS.with(|all| all.borrow_mut().remove(handle));
}
