//! Stands in for the crate `wasm-bindgen` when the codec crate is compiled for this machine: the attribute makes each
//! export a plain C function.

pub mod prelude {
    pub use wasm_bindgen_attribute::wasm_bindgen;
}
