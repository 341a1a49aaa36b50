/* @ts-self-types="./hotmic_wasm.d.ts" */

/**
 * Makes up `samples` samples for a lost packet: a multiple of 2.5 ms, at most 120 ms. Returns them, or an
 * error.
 * @param {number} handle
 * @param {number} samples
 * @returns {number}
 */
export function decoder_conceal(handle, samples) {
    const ret = wasm.decoder_conceal(handle, samples);
    return ret;
}

/**
 * Decodes the packet of `bytes` bytes in the packet area to at most `room` samples in the PCM area. Returns
 * the samples, or an error; a packet longer than `room` is BUFFER_TOO_SMALL and leaves the decoder as it
 * was.
 * @param {number} handle
 * @param {number} bytes
 * @param {number} room
 * @returns {number}
 */
export function decoder_decode(handle, bytes, room) {
    const ret = wasm.decoder_decode(handle, bytes, room);
    return ret;
}

/**
 * The 20 ms before the packet of `bytes` bytes in the packet area, from its in-band FEC, or made up. Returns
 * the samples, or an error.
 * @param {number} handle
 * @param {number} bytes
 * @returns {number}
 */
export function decoder_fec(handle, bytes) {
    const ret = wasm.decoder_fec(handle, bytes);
    return ret;
}

/**
 * The range coder's final state of the last packet, the same on both sides: a checksum of the coding.
 * @param {number} handle
 * @returns {number}
 */
export function decoder_final_range(handle) {
    const ret = wasm.decoder_final_range(handle);
    return ret >>> 0;
}

/**
 * @param {number} handle
 */
export function decoder_free(handle) {
    wasm.decoder_free(handle);
}

/**
 * A new decoder's handle, or 0 if Opus does not know the rate.
 * @param {number} rate
 * @returns {number}
 */
export function decoder_new(rate) {
    const ret = wasm.decoder_new(rate);
    return ret >>> 0;
}

/**
 * Forgets the signal so far: the next packet is decoded as the first.
 * @param {number} handle
 * @returns {number}
 */
export function decoder_reset(handle) {
    const ret = wasm.decoder_reset(handle);
    return ret;
}

/**
 * Does the steps in the first `bytes` bytes of the packet area (steps.rs), to at most `room` samples in the PCM
 * area. Returns the samples, or an error, which leaves the decoder as it was: BAD_ARG where the steps do not
 * come out even, INVALID_PACKET for what is no Opus packet, BUFFER_TOO_SMALL. A packet on which libopus fails
 * all the same is as many zeros as it says it holds, and the decoder is reset.
 * @param {number} handle
 * @param {number} bytes
 * @param {number} room
 * @returns {number}
 */
export function decoder_run(handle, bytes, room) {
    const ret = wasm.decoder_run(handle, bytes, room);
    return ret;
}

/**
 * Encodes one 20 ms frame from the PCM area. Returns the packet's bytes, or an error.
 * @param {number} handle
 * @returns {number}
 */
export function encoder_encode(handle) {
    const ret = wasm.encoder_encode(handle);
    return ret;
}

/**
 * The range coder's final state of the last packet, the same on both sides: a checksum of the coding.
 * @param {number} handle
 * @returns {number}
 */
export function encoder_final_range(handle) {
    const ret = wasm.encoder_final_range(handle);
    return ret >>> 0;
}

/**
 * @param {number} handle
 */
export function encoder_free(handle) {
    wasm.encoder_free(handle);
}

/**
 * 1 when the encoder has heard no voice for 200 ms, so that DTX is on; else 0, or an error. Wants the DTX option.
 * @param {number} handle
 * @returns {number}
 */
export function encoder_in_dtx(handle) {
    const ret = wasm.encoder_in_dtx(handle);
    return ret;
}

/**
 * Samples by which the decoded signal lags behind the encoded one, or an error.
 * @param {number} handle
 * @returns {number}
 */
export function encoder_lookahead(handle) {
    const ret = wasm.encoder_lookahead(handle);
    return ret;
}

/**
 * A new encoder's handle, or 0 if libopus refuses an argument.
 * @param {number} rate
 * @param {number} bitrate
 * @param {number} complexity
 * @param {number} dtx
 * @param {number} expected_loss_percent
 * @param {number} inband_fec
 * @returns {number}
 */
export function encoder_new(rate, bitrate, complexity, dtx, expected_loss_percent, inband_fec) {
    const ret = wasm.encoder_new(rate, bitrate, complexity, dtx, expected_loss_percent, inband_fec);
    return ret >>> 0;
}

/**
 * Forgets the signal so far, keeps the options.
 * @param {number} handle
 * @returns {number}
 */
export function encoder_reset(handle) {
    const ret = wasm.encoder_reset(handle);
    return ret;
}

/**
 * Encodes `frames` frames of 20 ms from the PCM area, each packet after its length in 16 bits (little-endian,
 * as in steps.rs). Returns the bytes of all, or an error: BAD_ARG for more frames than the areas hold whatever
 * the sound.
 * @param {number} handle
 * @param {number} frames
 * @returns {number}
 */
export function encoder_run(handle, frames) {
    const ret = wasm.encoder_run(handle, frames);
    return ret;
}

/**
 * @returns {number}
 */
export function in_ptr() {
    const ret = wasm.in_ptr();
    return ret >>> 0;
}

/**
 * Bytes that were asked of the allocator and not given back.
 * @returns {number}
 */
export function live_bytes() {
    const ret = wasm.live_bytes();
    return ret >>> 0;
}

/**
 * @returns {number}
 */
export function out_ptr() {
    const ret = wasm.out_ptr();
    return ret >>> 0;
}

/**
 * @returns {number}
 */
export function packet_ptr() {
    const ret = wasm.packet_ptr();
    return ret >>> 0;
}

/**
 * @returns {number}
 */
export function pcm_ptr() {
    const ret = wasm.pcm_ptr();
    return ret >>> 0;
}

/**
 * @returns {number}
 */
export function resampled_ptr() {
    const ret = wasm.resampled_ptr();
    return ret >>> 0;
}

/**
 * The constant delay, in input samples.
 * @param {number} handle
 * @returns {number}
 */
export function resampler_delay(handle) {
    const ret = wasm.resampler_delay(handle);
    return ret;
}

/**
 * @param {number} handle
 */
export function resampler_free(handle) {
    wasm.resampler_free(handle);
}

/**
 * Samples that one `resampler_process` may take: its outputs then fit in the OUT area.
 * @param {number} handle
 * @returns {number}
 */
export function resampler_max_input(handle) {
    const ret = wasm.resampler_max_input(handle);
    return ret;
}

/**
 * Samples that one `resampler_stream` may take: its outputs then fit in the RESAMPLED area.
 * @param {number} handle
 * @returns {number}
 */
export function resampler_max_stream(handle) {
    const ret = wasm.resampler_max_stream(handle);
    return ret;
}

/**
 * A new resampler's handle, or 0 if a rate is out of range or too many filters are in use.
 * @param {number} from
 * @param {number} to
 * @returns {number}
 */
export function resampler_new(from, to) {
    const ret = wasm.resampler_new(from, to);
    return ret >>> 0;
}

/**
 * Resamples `samples` samples of the IN area to the OUT area, floats of any scale. Returns the samples there,
 * or an error.
 * @param {number} handle
 * @param {number} samples
 * @returns {number}
 */
export function resampler_process(handle, samples) {
    const ret = wasm.resampler_process(handle, samples);
    return ret;
}

/**
 * Forgets the sound: the next call is as the first.
 * @param {number} handle
 * @returns {number}
 */
export function resampler_reset(handle) {
    const ret = wasm.resampler_reset(handle);
    return ret;
}

/**
 * Resamples `samples` samples of the PCM area to the RESAMPLED area, at the exact ratio, going on where the
 * last call ended. Returns the samples there, or an error.
 * @param {number} handle
 * @param {number} samples
 * @returns {number}
 */
export function resampler_stream(handle, samples) {
    const ret = wasm.resampler_stream(handle, samples);
    return ret;
}

/**
 * Resamples `samples_in` samples of the PCM area to exactly `samples_out` in the RESAMPLED area, spaced
 * evenly: output k stands at input k * in / out of this call, less the delay. What was heard before goes on,
 * so nothing clicks. `samples_out` is at most one sample off the exact ratio. Returns it, or an error.
 * @param {number} handle
 * @param {number} samples_in
 * @param {number} samples_out
 * @returns {number}
 */
export function resampler_stretch(handle, samples_in, samples_out) {
    const ret = wasm.resampler_stretch(handle, samples_in, samples_out);
    return ret;
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbindgen_init_externref_table: function() {
            const table = wasm.__wbindgen_externrefs;
            table.set(0, undefined);
            table.set(1024, undefined);
            table.set(1025, null);
            table.set(1026, true);
            table.set(1027, false);
        },
    };
    return {
        __proto__: null,
        "./hotmic_wasm_bg.js": import0,
    };
}

let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {
    wasmInstance = instance;
    wasm = instance.exports;
    wasmModule = module;
    wasm.__wbindgen_start();
    return wasm;
}

async function __wbg_load(module, imports) {
    if (typeof Response === 'function' && module instanceof Response) {
        if (!module.ok) {
            throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
        }

        if (typeof WebAssembly.instantiateStreaming === 'function') {
            try {
                return await WebAssembly.instantiateStreaming(module, imports);
            } catch (e) {
                const validResponse = expectedResponseType(module.type);

                if (validResponse && module.headers.get('Content-Type') !== 'application/wasm') {
                    console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);

                } else { throw e; }
            }
        }

        const bytes = await module.arrayBuffer();
        return await WebAssembly.instantiate(bytes, imports);
    } else {
        const instance = await WebAssembly.instantiate(module, imports);

        if (instance instanceof WebAssembly.Instance) {
            return { instance, module };
        } else {
            return instance;
        }
    }

    function expectedResponseType(type) {
        switch (type) {
            case 'basic': case 'cors': case 'default': return true;
        }
        return false;
    }
}

function initSync(module) {
    if (wasm !== undefined) return wasm;


    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }

    const imports = __wbg_get_imports();
    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);
}

let __wbg_init_promise;
async function __wbg_init(module_or_path) {
    if (wasm !== undefined) return wasm;
    if (__wbg_init_promise === undefined) {
        __wbg_init_promise = __wbg_init_once(module_or_path);
        __wbg_init_promise.catch(() => { __wbg_init_promise = undefined; });
    }
    return __wbg_init_promise;
}

async function __wbg_init_once(module_or_path) {

    if (module_or_path !== undefined) {
        if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
            ({module_or_path} = module_or_path)
        } else {
            console.warn('using deprecated parameters for the initialization function; pass a single object instead')
        }
    }

    if (module_or_path === undefined) {
        module_or_path = new URL('hotmic_wasm_bg.wasm', import.meta.url);
    }
    const imports = __wbg_get_imports();

    if (typeof module_or_path === 'string' || (typeof Request === 'function' && module_or_path instanceof Request) || (typeof URL === 'function' && module_or_path instanceof URL)) {
        module_or_path = fetch(module_or_path);
    }

    const { instance, module } = await __wbg_load(await module_or_path, imports);

    return __wbg_finalize_init(instance, module);
}

export { initSync, __wbg_init as default };
