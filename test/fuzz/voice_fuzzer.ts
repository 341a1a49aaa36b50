/**
 * The JavaScript fuzzer: hostile packets into decoders that live on, over the wasm build, each answer compared with a model.
 *
 * It works in rounds of 10,000 inputs. A round has a seed of its own and decoders of its own, so `fuzzRound(seed)` alone shows
 * again what it found.
 */

import { codecLiveBytes, codecMemoryBytes } from '../../wasm/module.js';
import { SeededRandom } from '../kit/random.js';
import { CheckedDecoder, Finding, type Room } from './checked_decoder.js';
import { CheckedDecompressor } from './checked_decompressor.js';
import { Answer } from './packet_model.js';
import { PacketMutator } from './packet_mutator.js';

/** Inputs of one round. */
export const ROUND_INPUTS = 10_000;

/** Rates at which Opus decodes by itself, the extremes, the usual ones, and some that nobody uses. */
const RATES_HZ = [
  11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 11_026, 23_999, 37_123, 47_999,
];
/** Of these, how many live in one round. */
const SPEAKERS = 4;

/** A packet is preceded by fewer than this many broken forms of itself. */
const MISFRAMED = 5;
/** One in so many inputs goes to a VoiceDecompressor. */
const POOL_EVERY = 10;
/** One in so many inputs comes to a stream that has had none. */
const RESET_EVERY = 100;

/** What a run did. */
export interface Tally {
  inputs: number;
  ok: number;
  corrupted: number;
  unsupported: number;
  decodedFrames: number;
  concealedFrames: number;
  /** The longest that one packet took. */
  slowestMs: number;
  /** Bytes of the codec's memory in the end. */
  memoryBytes: number;
}

export function newTally(): Tally {
  return {
    inputs: 0,
    ok: 0,
    corrupted: 0,
    unsupported: 0,
    decodedFrames: 0,
    concealedFrames: 0,
    slowestMs: 0,
    memoryBytes: 0,
  };
}

/** Bytes of the codec's memory once it has held more than any round needs; 0 before that. */
let mostBytes = 0;

/** Memory grows to what lives at once at the most, and no further. So once that much lived, it must stay as it is. */
function warmUp(): void {
  if (mostBytes > 0) return;
  const all = [...RATES_HZ, ...RATES_HZ].map((rate) => new CheckedDecoder(rate));
  for (const decoder of all) decoder.takeMemory();
  for (const decoder of all) decoder.free();
  mostBytes = codecMemoryBytes();
}

/**
 * One round, or its first `inputs` inputs, counted in `tally`.
 *
 * @throws Finding naming the seed and the input's number.
 */
export function fuzzRound(
  seed: number,
  streams: readonly (readonly Uint8Array[])[],
  tally: Tally,
  inputs = ROUND_INPUTS,
): void {
  const random = new SeededRandom(seed);
  const mutator = new PacketMutator(random, streams);
  warmUp();
  const live = codecLiveBytes();
  // One of them with a twin, which decodes what is OK once more.
  const speakers = Array.from(
    { length: SPEAKERS },
    (_, n) => new CheckedDecoder(RATES_HZ[random.below(RATES_HZ.length)]!, n === 0 ? 'with-twin' : 'alone'),
  );
  const pool = new CheckedDecompressor(random, mutator);
  const check = (speaker: CheckedDecoder, packet: Uint8Array) => {
    const { want, milliseconds } = speaker.check(packet, random.below(256), roomOf(random));
    tally.inputs += 1;
    if (want.answer === Answer.ok) tally.ok += 1;
    else if (want.answer === Answer.unsupported) tally.unsupported += 1;
    else tally.corrupted += 1;
    tally.decodedFrames += want.decodedFrames;
    tally.concealedFrames += want.concealedFrames;
    tally.slowestMs = Math.max(tally.slowestMs, milliseconds);
  };
  let input = 0;
  try {
    for (; input < inputs; input += 1) {
      const speaker = speakers[random.below(SPEAKERS)]!;
      if (random.below(POOL_EVERY) === 0) {
        pool.step();
        tally.inputs += 1;
        continue;
      }
      if (random.below(RESET_EVERY) === 0) speaker.reset();
      const packet = mutator.next(speaker.expected ?? random.below(65_536));
      // First the same packet, broken where the reader looks: cheap, and the stream goes on as if it had not come.
      for (let broken = random.below(MISFRAMED); broken > 0 && input + 1 < inputs; broken -= 1, input += 1) {
        check(speaker, mutator.misframed(packet));
      }
      check(speaker, packet);
    }
    CheckedDecoder.checkAllMemory();
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Finding(`seed ${seed}, input ${input}: ${cause}`, { cause: error });
  }
  for (const speaker of speakers) speaker.free();
  pool.free();
  if (codecLiveBytes() !== live)
    throw new Finding(`seed ${seed}: ${codecLiveBytes() - live} bytes are still live after free()`);
  tally.memoryBytes = codecMemoryBytes();
  if (tally.memoryBytes > mostBytes)
    throw new Finding(`seed ${seed}: memory grew from ${mostBytes} to ${tally.memoryBytes} bytes`);
}

function roomOf(random: SeededRandom): Room {
  const kind = random.below(8);
  if (kind === 0) return { kind: 'scant', share: random.below(1000) / 1000 };
  return { kind: kind < 3 ? 'exact' : 'ample' };
}
