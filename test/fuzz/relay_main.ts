/**
 * Runs the relay's fuzzer from the command line, from the repository's root:
 *
 *     node dist/test/fuzz/relay_main.js --inputs 10000000 --seed 1
 *
 * The last line is the tally as JSON. Ends with 1 on a finding, with the seed of the round that found it.
 */

import { parseArgs } from 'node:util';
import { loadCodec } from '../../wasm/load.js';
import { SeededRandom } from '../kit/random.js';
import { opusStreams } from './opus_mutator.js';
import { newRelayTally, RelayFuzzer } from './relay_fuzzer.js';

/** Of one relay; then another begins, so that a finding is near its round's beginning. */
const ROUND_INPUTS = 100_000;

const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const inputs = Number(values.inputs);
if (!(inputs >= 1 && inputs <= 1e9)) {
  console.error(`Cannot fuzz: INPUTS is ${values.inputs}, expected 1 to 1000000000`);
  process.exit(2);
}
loadCodec();
const streams = opusStreams();
const tally = newRelayTally();
const started = performance.now();
let seed = Number(values.seed);
try {
  for (; tally.inputs < inputs; seed += 1) {
    const fuzzer = new RelayFuzzer(new SeededRandom(seed), streams, tally);
    const end = Math.min(inputs, tally.inputs + ROUND_INPUTS);
    while (tally.inputs < end) fuzzer.step();
  }
} catch (error) {
  console.error(`FOUND something, seed ${seed}, input ${tally.inputs}: ${(error as Error).stack}`);
  process.exitCode = 1;
}
const seconds = Math.round((performance.now() - started) / 100) / 10;
console.log(JSON.stringify({ ...tally, seconds, firstSeed: Number(values.seed) }));
