/* tslint:disable */
/* eslint-disable */

/**
 * Makes up `samples` samples for a lost packet: a multiple of 2.5 ms, at most 120 ms. Returns them, or an
 * error.
 */
export function decoder_conceal(handle: number, samples: number): number;

/**
 * Decodes the packet of `bytes` bytes in the packet area to at most `room` samples in the PCM area. Returns
 * the samples, or an error; a packet longer than `room` is BUFFER_TOO_SMALL and leaves the decoder as it
 * was.
 */
export function decoder_decode(handle: number, bytes: number, room: number): number;

/**
 * The 20 ms before the packet of `bytes` bytes in the packet area, from its in-band FEC, or made up. Returns
 * the samples, or an error.
 */
export function decoder_fec(handle: number, bytes: number): number;

/**
 * The range coder's final state of the last packet, the same on both sides: a checksum of the coding.
 */
export function decoder_final_range(handle: number): number;

export function decoder_free(handle: number): void;

/**
 * A new decoder's handle, or 0 if Opus does not know the rate.
 */
export function decoder_new(rate: number): number;

/**
 * Forgets the signal so far: the next packet is decoded as the first.
 */
export function decoder_reset(handle: number): number;

/**
 * Does the steps in the first `bytes` bytes of the packet area (steps.rs), to at most `room` samples in the PCM
 * area. Returns the samples, or an error, which leaves the decoder as it was: BAD_ARG where the steps do not
 * come out even, INVALID_PACKET for what is no Opus packet, BUFFER_TOO_SMALL. A packet on which libopus fails
 * all the same is as many zeros as it says it holds, and the decoder is reset.
 */
export function decoder_run(handle: number, bytes: number, room: number): number;

/**
 * Encodes one 20 ms frame from the PCM area. Returns the packet's bytes, or an error.
 */
export function encoder_encode(handle: number): number;

/**
 * The range coder's final state of the last packet, the same on both sides: a checksum of the coding.
 */
export function encoder_final_range(handle: number): number;

export function encoder_free(handle: number): void;

/**
 * 1 when the encoder has heard no voice for 200 ms, so that DTX is on; else 0, or an error. Wants the DTX option.
 */
export function encoder_in_dtx(handle: number): number;

/**
 * Samples by which the decoded signal lags behind the encoded one, or an error.
 */
export function encoder_lookahead(handle: number): number;

/**
 * A new encoder's handle, or 0 if libopus refuses an argument.
 */
export function encoder_new(rate: number, bitrate: number, complexity: number, dtx: number, expected_loss_percent: number, inband_fec: number): number;

/**
 * Forgets the signal so far, keeps the options.
 */
export function encoder_reset(handle: number): number;

/**
 * Encodes `frames` frames of 20 ms from the PCM area, each packet after its length in 16 bits (little-endian,
 * as in steps.rs). Returns the bytes of all, or an error: BAD_ARG for more frames than the areas hold whatever
 * the sound.
 */
export function encoder_run(handle: number, frames: number): number;

export function in_ptr(): number;

/**
 * Bytes that were asked of the allocator and not given back.
 */
export function live_bytes(): number;

export function out_ptr(): number;

export function packet_ptr(): number;

export function pcm_ptr(): number;

export function resampled_ptr(): number;

/**
 * The constant delay, in input samples.
 */
export function resampler_delay(handle: number): number;

export function resampler_free(handle: number): void;

/**
 * Samples that one `resampler_process` may take: its outputs then fit in the OUT area.
 */
export function resampler_max_input(handle: number): number;

/**
 * Samples that one `resampler_stream` may take: its outputs then fit in the RESAMPLED area.
 */
export function resampler_max_stream(handle: number): number;

/**
 * A new resampler's handle, or 0 if a rate is out of range or too many filters are in use.
 */
export function resampler_new(from: number, to: number): number;

/**
 * Resamples `samples` samples of the IN area to the OUT area, floats of any scale. Returns the samples there,
 * or an error.
 */
export function resampler_process(handle: number, samples: number): number;

/**
 * Forgets the sound: the next call is as the first.
 */
export function resampler_reset(handle: number): number;

/**
 * Resamples `samples` samples of the PCM area to the RESAMPLED area, at the exact ratio, going on where the
 * last call ended. Returns the samples there, or an error.
 */
export function resampler_stream(handle: number, samples: number): number;

/**
 * Resamples `samples_in` samples of the PCM area to exactly `samples_out` in the RESAMPLED area, spaced
 * evenly: output k stands at input k * in / out of this call, less the delay. What was heard before goes on,
 * so nothing clicks. `samples_out` is at most one sample off the exact ratio. Returns it, or an error.
 */
export function resampler_stretch(handle: number, samples_in: number, samples_out: number): number;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly decoder_conceal: (a: number, b: number) => number;
    readonly decoder_decode: (a: number, b: number, c: number) => number;
    readonly decoder_fec: (a: number, b: number) => number;
    readonly decoder_final_range: (a: number) => number;
    readonly decoder_free: (a: number) => void;
    readonly decoder_new: (a: number) => number;
    readonly decoder_reset: (a: number) => number;
    readonly decoder_run: (a: number, b: number, c: number) => number;
    readonly encoder_encode: (a: number) => number;
    readonly encoder_final_range: (a: number) => number;
    readonly encoder_free: (a: number) => void;
    readonly encoder_in_dtx: (a: number) => number;
    readonly encoder_lookahead: (a: number) => number;
    readonly encoder_new: (a: number, b: number, c: number, d: number, e: number, f: number) => number;
    readonly encoder_reset: (a: number) => number;
    readonly encoder_run: (a: number, b: number) => number;
    readonly in_ptr: () => number;
    readonly live_bytes: () => number;
    readonly out_ptr: () => number;
    readonly packet_ptr: () => number;
    readonly pcm_ptr: () => number;
    readonly resampled_ptr: () => number;
    readonly resampler_delay: (a: number) => number;
    readonly resampler_free: (a: number) => void;
    readonly resampler_max_input: (a: number) => number;
    readonly resampler_max_stream: (a: number) => number;
    readonly resampler_new: (a: number, b: number) => number;
    readonly resampler_process: (a: number, b: number) => number;
    readonly resampler_reset: (a: number) => number;
    readonly resampler_stream: (a: number, b: number) => number;
    readonly resampler_stretch: (a: number, b: number, c: number) => number;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
