/** The codec in a separate Node process, on the main thread; prints the results as JSON. */

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
