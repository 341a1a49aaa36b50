/**
 * What fuzzing found worth keeping, run over the wasm build: the corpora of the native targets, inputs that once broke
 * something, and a short run of the JavaScript fuzzer. No C compiler is needed. `make fuzz` goes on from here.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadCodec } from '../../wasm/load.js';
import { SEED } from '../kit/random.js';
import { opusStreams } from './opus_mutator.js';
import { playModule } from './play_module.js';
import { playDecode, playEncode } from './play_opus.js';
import { fuzzRound, newTally, ROUND_INPUTS } from './voice_fuzzer.js';

loadCodec();

/** 20,000 inputs: about three seconds. */
const ROUNDS = 2;

for (const [target, play] of [
  ['decode', playDecode],
  ['encode', playEncode],
  ['module', playModule],
] as const) {
  t.test(`every input kept for the target '${target}' keeps its promises in wasm`, async (t) => {
    const inputs = ['corpus', 'crashes'].map((kind) => join('test/fuzz', kind, target)).flatMap(filesIn);
    t.ok(inputs.length >= 20, `${inputs.length} inputs`);
    for (const file of inputs) {
      try {
        play(readFileSync(file));
      } catch (error) {
        t.fail(`${file}: ${String(error)}`);
      }
    }
  });
}

t.test(`decompressVoice answers ${ROUNDS * ROUND_INPUTS} hostile packets as the format says`, async (t) => {
  t.comment(`HOTMIC_SEED=${SEED}`);
  const tally = newTally();
  const streams = opusStreams();
  for (let round = 0; round < ROUNDS; round += 1) fuzzRound(SEED + round, streams, tally);
  t.equal(tally.inputs, ROUNDS * ROUND_INPUTS);
  // The packets must be neither all sound nor all broken, or nothing was tried.
  for (const kind of ['ok', 'corrupted', 'unsupported'] as const) {
    t.ok(tally[kind] > tally.inputs / 50, `${tally[kind]} ${kind}`);
  }
  t.ok(tally.concealedFrames > 0 && tally.decodedFrames > tally.inputs / 2);
});

function filesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
