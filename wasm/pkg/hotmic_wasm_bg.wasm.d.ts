/* tslint:disable */
/* eslint-disable */
export const memory: WebAssembly.Memory;
export const decoder_conceal: (a: number, b: number) => number;
export const decoder_decode: (a: number, b: number, c: number) => number;
export const decoder_final_range: (a: number) => number;
export const decoder_free: (a: number) => void;
export const decoder_new: (a: number) => number;
export const decoder_reset: (a: number) => number;
export const encoder_encode: (a: number) => number;
export const encoder_final_range: (a: number) => number;
export const encoder_free: (a: number) => void;
export const encoder_lookahead: (a: number) => number;
export const encoder_new: (a: number, b: number, c: number, d: number, e: number, f: number) => number;
export const encoder_reset: (a: number) => number;
export const in_ptr: () => number;
export const out_ptr: () => number;
export const packet_ptr: () => number;
export const pcm_ptr: () => number;
export const resampler_delay: (a: number) => number;
export const resampler_free: (a: number) => void;
export const resampler_max_input: (a: number) => number;
export const resampler_new: (a: number, b: number) => number;
export const resampler_process: (a: number, b: number) => number;
export const __wbindgen_externrefs: WebAssembly.Table;
export const __wbindgen_start: () => void;
