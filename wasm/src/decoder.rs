//! Opus decoders: mono out (stereo packets are mixed down by libopus), at any of Opus' five rates. The packet
//! comes from the staging area, PCM goes to it. An instance holds about 18 kB.

use crate::opus::{self, State};
use crate::slots::Slots;
use crate::staging::{PACKET, PACKET_BYTES, PCM, PCM_SAMPLES};
use crate::steps::{Step, Steps};
use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;

struct Decoder {
    state: State,
    rate: i32,
}

impl Decoder {
    /// 20 ms, the frame of Steam Voice.
    fn frame(&self) -> usize {
        self.rate as usize / 50
    }

    /// 120 ms: no packet and no concealment is longer.
    fn longest(&self) -> usize {
        self.frame() * 6
    }

    /// Decodes `packet`, or makes up sound where it is empty, to at most `out`. Returns the samples, or an error.
    fn decode(&mut self, packet: &[u8], out: &mut [i16], fec: i32) -> i32 {
        let data = if packet.is_empty() { std::ptr::null() } else { packet.as_ptr() };
        let room = out.len().min(self.longest()) as i32;
        // SAFETY: pointers and lengths are those of two slices; null data asks for concealment.
        unsafe {
            opus::opus_decode(self.state.ptr(), data, packet.len() as i32, out.as_mut_ptr(), room, fec)
        }
    }

    fn conceal(&mut self, out: &mut [i16]) -> i32 {
        self.decode(&[], out, 0)
    }

    /// The frame before `packet`, from its in-band FEC. Where it holds none, it is concealed, for libopus' FEC
    /// call is not the same as its concealment then.
    fn repair(&mut self, packet: &[u8], out: &mut [i16]) -> i32 {
        // SAFETY: a slice's pointer and length.
        let has_fec = unsafe { opus::opus_packet_has_lbrr(packet.as_ptr(), packet.len() as i32) } > 0;
        if has_fec {
            self.decode(packet, out, 1)
        } else {
            self.conceal(out)
        }
    }

    fn reset(&mut self) -> i32 {
        // SAFETY: this request takes no argument.
        unsafe { opus::opus_decoder_ctl(self.state.ptr(), opus::RESET_STATE) }
    }

    /// The samples that a step makes, or an error: nothing is decoded.
    fn size(&self, step: Result<Step, ()>) -> Result<usize, i32> {
        match step {
            Ok(Step::Reset) => Ok(0),
            Ok(Step::Nothing | Step::Conceal | Step::Fec(_)) => Ok(self.frame()),
            Ok(Step::Silence(samples)) => Ok(samples),
            Ok(Step::Packet(packet)) => {
                // SAFETY: a slice's pointer and length.
                let samples = unsafe {
                    opus::opus_packet_get_nb_samples(packet.as_ptr(), packet.len() as i32, self.rate)
                };
                if samples > 0 { Ok(samples as usize) } else { Err(opus::INVALID_PACKET) }
            }
            Err(()) => Err(opus::BAD_ARG),
        }
    }

    /// Does a step; `out` has just the room for it.
    fn run(&mut self, step: Step, out: &mut [i16]) {
        let made = match step {
            Step::Reset => {
                self.reset();
                return;
            }
            Step::Silence(_) | Step::Nothing => return out.fill(0),
            Step::Conceal => self.conceal(out),
            Step::Fec(packet) => self.repair(packet, out),
            Step::Packet(packet) => self.decode(packet, out, 0),
        };
        if made != out.len() as i32 {
            self.reset();
            out.fill(0);
        }
    }
}

thread_local! {
    static DECODERS: RefCell<Slots<Decoder>> = const { RefCell::new(Slots::new()) };
}

fn with(handle: u32, action: impl FnOnce(&mut Decoder) -> i32) -> i32 {
    DECODERS.with(|all| all.borrow_mut().get(handle).map_or(opus::INVALID_STATE, action))
}

/// `with`, and the first `bytes` bytes of the packet area, and the PCM area.
fn with_areas(handle: u32, bytes: u32, action: impl FnOnce(&mut Decoder, &[u8], &mut [i16]) -> i32) -> i32 {
    if bytes as usize > PACKET_BYTES {
        return opus::BAD_ARG;
    }
    PACKET.with_borrow(|packet| {
        PCM.with_borrow_mut(|pcm| {
            with(handle, |decoder| action(decoder, &packet[..bytes as usize], pcm.as_mut_slice()))
        })
    })
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
    DECODERS.with(|all| all.borrow_mut().add(Decoder { state, rate: rate as i32 }))
}

/// Decodes the packet of `bytes` bytes in the packet area to at most `room` samples in the PCM area. Returns
/// the samples, or an error; a packet longer than `room` is BUFFER_TOO_SMALL and leaves the decoder as it
/// was.
#[wasm_bindgen]
pub fn decoder_decode(handle: u32, bytes: u32, room: u32) -> i32 {
    // No bytes would mean "conceal" to libopus.
    if bytes == 0 {
        return opus::INVALID_PACKET;
    }
    with_areas(handle, bytes, |decoder, packet, pcm| {
        let room = (room as usize).min(PCM_SAMPLES);
        decoder.decode(packet, &mut pcm[..room], 0)
    })
}

/// Makes up `samples` samples for a lost packet: a multiple of 2.5 ms, at most 120 ms. Returns them, or an
/// error.
#[wasm_bindgen]
pub fn decoder_conceal(handle: u32, samples: u32) -> i32 {
    with_areas(handle, 0, |decoder, _, pcm| {
        if samples == 0 || samples as usize > decoder.longest() {
            return opus::BAD_ARG;
        }
        decoder.conceal(&mut pcm[..samples as usize])
    })
}

/// The 20 ms before the packet of `bytes` bytes in the packet area, from its in-band FEC, or made up. Returns
/// the samples, or an error.
#[wasm_bindgen]
pub fn decoder_fec(handle: u32, bytes: u32) -> i32 {
    if bytes == 0 {
        return opus::INVALID_PACKET;
    }
    with_areas(handle, bytes, |decoder, packet, pcm| {
        let frame = decoder.frame();
        // libopus would answer "no FEC" to what is no packet.
        match decoder.size(Ok(Step::Packet(packet))) {
            Ok(_) => decoder.repair(packet, &mut pcm[..frame]),
            Err(error) => error,
        }
    })
}

/// Does the steps in the first `bytes` bytes of the packet area (steps.rs), to at most `room` samples in the PCM
/// area. Returns the samples, or an error, which leaves the decoder as it was: BAD_ARG where the steps do not
/// come out even, INVALID_PACKET for what is no Opus packet, BUFFER_TOO_SMALL. A packet on which libopus fails
/// all the same is as many zeros as it says it holds, and the decoder is reset.
#[wasm_bindgen]
pub fn decoder_run(handle: u32, bytes: u32, room: u32) -> i32 {
    with_areas(handle, bytes, |decoder, bytes, pcm| {
        let mut total = 0usize;
        for step in Steps(bytes) {
            match decoder.size(step) {
                Ok(samples) => total = total.saturating_add(samples),
                Err(error) => return error,
            }
        }
        if total > (room as usize).min(PCM_SAMPLES) {
            return opus::BUFFER_TOO_SMALL;
        }
        let mut at = 0;
        for step in Steps(bytes) {
            let samples = decoder.size(step).unwrap_or(0);
            if let Ok(step) = step {
                decoder.run(step, &mut pcm[at..at + samples]);
            }
            at += samples;
        }
        at as i32
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
    with(handle, Decoder::reset)
}

#[wasm_bindgen]
pub fn decoder_free(handle: u32) {
    DECODERS.with(|all| all.borrow_mut().remove(handle));
}
