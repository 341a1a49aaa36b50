/**
 * Runs the JavaScript fuzzer from the command line, from the repository's root:
 *
 *     node dist/test/fuzz/voice_main.js --seconds 60 --seed 1    rounds from seed 1 on, until the time is over
 *     node dist/test/fuzz/voice_main.js --round 17               that one round again
 *
 * `--build scalar` takes the build without SIMD. The last line is the tally as JSON; an interrupt (SIGINT) ends it after the round. Ends with 1 on a finding, which is printed and written to out/fuzz/findings/.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadCodec } from '../../wasm/load.js';
import { opusStreams } from './opus_mutator.js';
import { fuzzRound, newTally } from './voice_fuzzer.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    round: { type: 'string' },
    build: { type: 'string', default: 'simd' },
  },
});

loadCodec({ simd: values.build === 'scalar' ? 'off' : 'auto' });
const streams = opusStreams();
const tally = newTally();
const first = Number(values.round ?? values.seed);
const started = performance.now();
const isOver = () =>
  values.round === undefined ? performance.now() - started > Number(values.seconds) * 1000 : tally.inputs > 0;
let isInterrupted = false;
process.once('SIGINT', () => {
  isInterrupted = true;
});
try {
  for (let round = 0; !isOver() && !isInterrupted; round += 1) {
    // So that the interrupt is heard.
    await new Promise(setImmediate);
    fuzzRound(first + round, streams, tally);
  }
} catch (error) {
  const { stack, cause } = error as Error;
  const text = `${stack}\ncaused by ${(cause as Error | undefined)?.stack ?? String(cause)}`;
  mkdirSync('out/fuzz/findings', { recursive: true });
  writeFileSync(`out/fuzz/findings/voice-${process.pid}.txt`, `${text}\n`);
  console.error(text);
  process.exitCode = 1;
}
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ ...tally, seconds: Math.round(seconds * 10) / 10, firstSeed: first }));
