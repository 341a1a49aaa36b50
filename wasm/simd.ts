/**
 * Which of the two builds fits this engine: the one with WebAssembly SIMD, or the scalar one, which is half as fast and bit-exact.
 *
 * The engine is probed, never judged by its name or version: browsers before 2021 to 2023, and x86 processors without SSE 4.1, have no
 * SIMD.
 */

import { HotmicError } from '../voice/error.js';

/** `auto`: the SIMD build if the engine supports it, else the scalar one. `off`: the scalar one. */
export type SimdUse = 'auto' | 'off';

/** Which of the two files in `pkg/`. */
export type CodecBuild = 'simd' | 'scalar';

/** The part of WebAssembly's interface used here, if the engine has it. Its types are in the DOM library. */
const engine = globalThis as { readonly WebAssembly?: { validate(bytes: Uint8Array): boolean } };

/**
 * The smallest module that needs SIMD: (func (result v128) (i8x16.popcnt (i8x16.splat (i32.const 0)))). popcnt was the last addition to
 * the standard, so engines that know only a draft of it fail here.
 */
const SIMD_MODULE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // "\0asm", version 1
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b], // types, 5 bytes: one function, no parameters, one result, a v128
  ...[0x03, 0x02, 0x01, 0x00], // functions, 2 bytes: one, of type 0
  ...[0x0a, 0x0a, 0x01, 0x08, 0x00], // code, 10 bytes: one body of 8 bytes, no locals
  ...[0x41, 0x00, 0xfd, 0x0f, 0xfd, 0x62, 0x0b], // i32.const 0, i8x16.splat, i8x16.popcnt, end
);

/** Whether this engine supports WebAssembly SIMD; false as well without WebAssembly. Validates 31 bytes. */
export function hasWasmSimd(): boolean {
  return engine.WebAssembly?.validate(SIMD_MODULE) ?? false;
}

/**
 * The build to load.
 *
 * @throws TypeError for an unknown option or value of `simd`; HotmicError ERR_HOTMIC_CODEC if the engine has no WebAssembly.
 */
export function chooseBuild(
  options: { readonly simd?: SimdUse | undefined },
  known: readonly string[],
): CodecBuild {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`Cannot load codec: unknown option "${name}", expected one of ${known.join(', ')}`);
    }
  }
  const { simd = 'auto' } = options;
  if (simd !== 'auto' && simd !== 'off') {
    throw new TypeError(`Cannot load codec: simd is ${JSON.stringify(simd)}, expected "auto" or "off"`);
  }
  if (engine.WebAssembly === undefined) {
    throw new HotmicError(
      'ERR_HOTMIC_CODEC',
      'Cannot load codec: this engine has no WebAssembly, or it is turned off',
    );
  }
  return simd === 'auto' && hasWasmSimd() ? 'simd' : 'scalar';
}
