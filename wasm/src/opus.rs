//! The part of libopus' C interface that is used (opus.h, opus_defines.h), and the memory its states live in.

use std::os::raw::{c_int, c_void};

pub const BAD_ARG: i32 = -1;
pub const BUFFER_TOO_SMALL: i32 = -2;
pub const INVALID_PACKET: i32 = -4;
pub const INVALID_STATE: i32 = -6;

pub const APPLICATION_VOIP: c_int = 2048;
pub const SET_BITRATE: c_int = 4002;
pub const SET_VBR: c_int = 4006;
pub const SET_COMPLEXITY: c_int = 4010;
pub const SET_INBAND_FEC: c_int = 4012;
pub const SET_PACKET_LOSS_PERC: c_int = 4014;
pub const SET_DTX: c_int = 4016;
pub const GET_LOOKAHEAD: c_int = 4027;
pub const RESET_STATE: c_int = 4028;
pub const GET_FINAL_RANGE: c_int = 4031;
pub const GET_IN_DTX: c_int = 4049;

extern "C" {
    pub fn opus_encoder_get_size(channels: c_int) -> c_int;
    pub fn opus_encoder_init(st: *mut c_void, rate: i32, channels: c_int, application: c_int) -> c_int;
    pub fn opus_encode(
        st: *mut c_void,
        pcm: *const i16,
        samples: c_int,
        data: *mut u8,
        max_bytes: i32,
    ) -> i32;
    pub fn opus_encoder_ctl(st: *mut c_void, request: c_int, ...) -> c_int;

    pub fn opus_decoder_get_size(channels: c_int) -> c_int;
    pub fn opus_decoder_init(st: *mut c_void, rate: i32, channels: c_int) -> c_int;
    pub fn opus_decode(
        st: *mut c_void,
        data: *const u8,
        bytes: i32,
        pcm: *mut i16,
        samples: c_int,
        fec: c_int,
    ) -> c_int;
    pub fn opus_packet_get_nb_samples(data: *const u8, bytes: i32, rate: i32) -> c_int;
    pub fn opus_packet_has_lbrr(data: *const u8, bytes: i32) -> c_int;
    pub fn opus_decoder_ctl(st: *mut c_void, request: c_int, ...) -> c_int;
}

/// Is this a rate at which Opus codes and decodes by itself?
pub fn is_rate(rate: u32) -> bool {
    matches!(rate, 8000 | 12000 | 16000 | 24000 | 48000)
}

/// Memory for one codec state. Rust's allocator owns it, so libopus never calls malloc. Of u64, because that
/// is at least the alignment of everything in a state.
pub struct State(Box<[u64]>);

impl State {
    pub fn new(bytes: c_int) -> State {
        State(vec![0; (bytes as usize).div_ceil(8)].into_boxed_slice())
    }

    pub fn ptr(&mut self) -> *mut c_void {
        self.0.as_mut_ptr().cast()
    }
}
