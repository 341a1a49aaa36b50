
// What the trial of deep PLC adds to src/decoder.rs: the two settings of a decoder that turn it on, and the
// allocator that libopus needs for a moment when it reads a file of weights.

const SET_DNN_BLOB: i32 = 4052;

/// Sets the complexity, 0 to 10. From 5, a lost frame is concealed by deep PLC.
#[wasm_bindgen]
pub fn decoder_complexity(handle: u32, complexity: i32) -> i32 {
    // SAFETY: this request takes an i32.
    with(handle, |decoder| unsafe {
        opus::opus_decoder_ctl(decoder.state.ptr(), opus::SET_COMPLEXITY, complexity)
    })
}

/// Memory for weights, aligned as their arrays are. It stays allocated: decoders point into it.
#[wasm_bindgen]
pub fn weights_new(bytes: usize) -> *mut u8 {
    // SAFETY: no layout of at least a byte is refused.
    unsafe { std::alloc::alloc(std::alloc::Layout::from_size_align(bytes.max(1), 64).unwrap()) }
}

/// Loads weights from memory of `weights_new`.
#[wasm_bindgen]
pub fn decoder_weights(handle: u32, weights: *const u8, bytes: i32) -> i32 {
    // SAFETY: this request takes an address and an i32; the trial passes what weights_new returned.
    with(handle, |decoder| unsafe {
        opus::opus_decoder_ctl(decoder.state.ptr(), SET_DNN_BLOB, weights, bytes)
    })
}

/// The bytes of a decoder's state.
#[wasm_bindgen]
pub fn decoder_bytes() -> i32 {
    // SAFETY: a number in, a number out.
    unsafe { opus::opus_decoder_get_size(1) }
}

/// Before each block of C memory: its size.
const HEAD: usize = 16;

fn layout(bytes: usize) -> std::alloc::Layout {
    std::alloc::Layout::from_size_align(bytes + HEAD, HEAD).unwrap()
}

#[no_mangle]
extern "C" fn malloc(bytes: usize) -> *mut u8 {
    // SAFETY: the block has a head.
    unsafe {
        let block = std::alloc::alloc(layout(bytes));
        block.cast::<usize>().write(bytes);
        block.add(HEAD)
    }
}

#[no_mangle]
unsafe extern "C" fn realloc(memory: *mut u8, bytes: usize) -> *mut u8 {
    let grown = malloc(bytes);
    if !memory.is_null() {
        let old = memory.sub(HEAD).cast::<usize>().read();
        std::ptr::copy_nonoverlapping(memory, grown, old.min(bytes));
        free(memory);
    }
    grown
}

#[no_mangle]
unsafe extern "C" fn free(memory: *mut u8) {
    if memory.is_null() {
        return;
    }
    let block = memory.sub(HEAD);
    std::alloc::dealloc(block, layout(block.cast::<usize>().read()));
}
