/** The thread of scalar.ts: sends its output, then measures on request. */

import { parentPort, workerData } from 'node:worker_threads';
import { loadCodec } from '../../wasm/load.js';
import { repeat } from './rounds.js';
import type { ScalarInput } from './scalar.js';
import { ownDecodings, ownEncodings, SETTINGS } from './subject.js';

loadCodec({ simd: 'off' });
const { pcm, packets, done, speed } = workerData as ScalarInput;
const [encode, decode] = [ownEncodings(pcm)[0]!, ownDecodings(packets)[0]!];
parentPort!.on('message', (work: 'encode' | 'decode') => {
  speed[0] = repeat(pcm.length / SETTINGS.rateHz, work === 'encode' ? encode.pass : decode.pass);
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});
parentPort!.postMessage({ packets: encode.packets(), pcm: decode.pcm() });
