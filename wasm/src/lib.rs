//! The codec as WebAssembly: an Opus encoder and decoder (C libopus) and a resampler, all mono.
//!
//! Every export takes and returns numbers only, so the JavaScript glue is a plain call: no exception, no
//! string, no allocation. An instance is a small handle, from 1; 0 means "no such thing". Samples and packets
//! pass through staging areas at fixed addresses (staging.rs). A negative result is libopus' own error code.
//! `wasm/codec.ts` and `wasm/resampler.ts` call them, and check arguments first; what is checked here again keeps
//! a mistake there from corrupting memory.

mod decoder;
mod encoder;
mod memory;
mod opus;
mod resampler;
mod slots;
mod staging;
mod steps;
