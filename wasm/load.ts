/**
 * Starts the codec in Node, from the module that lies in `pkg/` beside this file, in the sources and in `dist/` alike.
 * Apart from codec.ts, because it reads a file.
 */

import { readFileSync } from 'node:fs';
import { HotmicError } from '../voice/error.js';
import { initCodec, isCodecReady } from './module.js';

/**
 * Reads and starts the codec in this thread, synchronously, in about 20 ms. A second call does nothing.
 *
 * @throws HotmicError ERR_HOTMIC_CODEC when the module is not there or does not load.
 */
export function loadCodec(): void {
  if (isCodecReady()) return;
  const url = new URL('./pkg/hotmic_wasm_bg.wasm', import.meta.url);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(url);
  } catch (cause) {
    throw new HotmicError(
      'ERR_HOTMIC_CODEC',
      `Cannot load codec: cannot read ${url.pathname}, wants the built module`,
      {
        cause,
      },
    );
  }
  initCodec(bytes);
}
