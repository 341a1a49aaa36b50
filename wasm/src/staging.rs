//! Where JavaScript puts what goes in and finds what comes out: areas at fixed addresses, shared by all
//! instances, for each call uses them from start to end. Their addresses never change; the memory's buffer
//! does when it grows, so JavaScript makes its views again then.

use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;

/// The most that one Steam Voice packet decodes to: 3 s at 48 kHz.
pub const PCM_SAMPLES: usize = 144_000;
/// More than the longest legal Opus packet: 48 frames of 1275 bytes and their lengths, 61,298.
pub const PACKET_BYTES: usize = 65536;
/// The resampler's areas, in floats: the longest input of one call, and the longest output.
pub const IN_FLOATS: usize = 4096;
pub const OUT_FLOATS: usize = 8192;

thread_local! {
    pub static PCM: RefCell<[i16; PCM_SAMPLES]> = const { RefCell::new([0; PCM_SAMPLES]) };
    pub static RESAMPLED: RefCell<[i16; PCM_SAMPLES]> = const { RefCell::new([0; PCM_SAMPLES]) };
    pub static PACKET: RefCell<[u8; PACKET_BYTES]> = const { RefCell::new([0; PACKET_BYTES]) };
    pub static IN: RefCell<[f32; IN_FLOATS]> = const { RefCell::new([0.0; IN_FLOATS]) };
    pub static OUT: RefCell<[f32; OUT_FLOATS]> = const { RefCell::new([0.0; OUT_FLOATS]) };
}

#[wasm_bindgen]
pub fn pcm_ptr() -> *const i16 {
    PCM.with(|area| area.as_ptr() as *const i16)
}

#[wasm_bindgen]
pub fn resampled_ptr() -> *const i16 {
    RESAMPLED.with(|area| area.as_ptr() as *const i16)
}

#[wasm_bindgen]
pub fn packet_ptr() -> *const u8 {
    PACKET.with(|area| area.as_ptr() as *const u8)
}

#[wasm_bindgen]
pub fn in_ptr() -> *const f32 {
    IN.with(|area| area.as_ptr() as *const f32)
}

#[wasm_bindgen]
pub fn out_ptr() -> *const f32 {
    OUT.with(|area| area.as_ptr() as *const f32)
}
