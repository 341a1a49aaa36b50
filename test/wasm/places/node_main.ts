/** The codec in a Node process of its own, on the main thread; prints as JSON what came out. */

import { hasWasmSimd, loadCodec } from '../../../wasm/index.js';
import { hashesOf, jobs, sha256 } from './hashes.js';
import { runAll } from './jobs.js';

loadCodec();
const answer = runAll(jobs);
console.log(
  JSON.stringify({
    hasWasmSimd: hasWasmSimd(),
    streams: hashesOf(answer),
    roundTrip: sha256(answer.roundTrip),
  }),
);
