/**
 * A VoiceDecompressor that is watched: packets of several speakers at several rates, a clock that jumps, decoders that are
 * dropped for idleness or for want of room. A model knows which streams must still live, and so what each packet decodes to.
 */

import { crc32 } from '../../voice/crc32.js';
import { VoiceDecompressor } from '../../wasm/voice_decompressor.js';
import { hexOfBytes } from '../kit/hex.js';
import type { SeededRandom } from '../kit/random.js';
import { Finding } from './checked_decoder.js';
import { Answer, type Expectation, type Expected, expectationOf, samplesAt } from './packet_model.js';
import type { PacketMutator } from './packet_mutator.js';
import { seal } from './packet_parts.js';

const SPEAKERS = 5;
const RATES_HZ = [24_000, 48_000, 11_025];
const MAX_DECODERS = 4;
const IDLE_MS = 1000;

export class CheckedDecompressor {
  readonly #random: SeededRandom;
  readonly #mutator: PacketMutator;
  #now = 0;
  readonly #decompressor = new VoiceDecompressor({
    clock: () => this.#now,
    maxDecoders: MAX_DECODERS,
    idleMs: IDLE_MS,
  });
  /** What was decoded, the least recently used first; the last MAX_DECODERS of them have decoders, unless they are idle. */
  readonly #streams = new Map<string, { readonly expected: Expected; readonly usedAt: number }>();

  constructor(random: SeededRandom, mutator: PacketMutator) {
    this.#random = random;
    this.#mutator = mutator;
  }

  /** One packet of one speaker. */
  step(): void {
    const random = this.#random;
    // In halves, so that what is idle is so by far: with which packet its decoder goes is not promised.
    if (random.below(40) === 0) this.#now += (IDLE_MS / 2) * (1 + random.below(4));

    const speaker = random.below(SPEAKERS);
    const rate = RATES_HZ[random.below(RATES_HZ.length)]!;
    const key = (packet: Uint8Array) => `${hexOfBytes(packet.subarray(0, 8))} ${rate}`;
    const waiting = this.#streams.get(key(Uint8Array.of(speaker, 0, 0, 0, 1, 0, 16, 1)))?.expected;
    const packet = ofSpeaker(this.#mutator.next(waiting ?? random.below(65_536)), speaker);
    const stream = key(packet);
    const known = this.#streams.get(stream);
    const room = random.below(4) > 0 ? 20_480 : random.below(300_000);

    const { result, size, uncompressed } = this.#decompressor.decompressVoice(packet, rate, room);
    const isIdle = known !== undefined && this.#now - known.usedAt > IDLE_MS;
    // A stream that was idle for too long starts over, whether its decoder was dropped already or not.
    const model = wanted(packet, isIdle ? null : (known?.expected ?? null), rate, room);
    const { decoders } = this.#decompressor;
    if (
      result !== model.result ||
      size !== model.size ||
      uncompressed.byteLength !== (result === Answer.ok ? size : 0)
    ) {
      const got = JSON.stringify({ result, size, bytes: uncompressed.byteLength, decoders });
      throw new Finding(
        `pool answers ${got}, model says ${model.result} with ${model.size} bytes\n  ${stream} Hz, room ${room}\n  ${hexOfBytes(packet)}`,
      );
    }
    if (model.result === Answer.ok) {
      this.#streams.delete(stream);
      this.#streams.set(stream, { expected: model.want.expected, usedAt: this.#now });
      if (this.#streams.size > MAX_DECODERS) this.#streams.delete(this.#streams.keys().next().value!);
    }
    const live = [...this.#streams.values()].filter(({ usedAt }) => this.#now - usedAt <= IDLE_MS).length;
    if (decoders < live || decoders > MAX_DECODERS)
      throw new Finding(`pool holds ${decoders} decoders, expected ${live} to ${MAX_DECODERS}`);
  }

  free(): void {
    this.#decompressor.free();
  }
}

/** The class reference's answer to `packet`, in a stream that waits for `expected`. */
function wanted(
  packet: Uint8Array,
  expected: Expected,
  rate: number,
  room: number,
): { readonly result: number; readonly size: number; readonly want: Expectation } {
  const want = expectationOf(packet, expected);
  const size = 2 * samplesAt(want.samples24k, rate);
  const isTooSmall = want.answer === Answer.ok && size > room - (room % 2);
  return { result: isTooSmall ? Answer.tooSmall : want.answer, size, want };
}

/** `packet` with another speaker in it; its CRC stays right, or wrong. */
function ofSpeaker(packet: Uint8Array, speaker: number): Uint8Array {
  const at = packet.length - 4;
  if (at < 8) return packet;
  const isSealed =
    new DataView(packet.buffer, packet.byteOffset).getUint32(at, true) === crc32(packet, 0, at);
  packet[0] = speaker;
  if (isSealed) seal(packet);
  return packet;
}
