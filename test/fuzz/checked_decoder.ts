/**
 * A VoiceDecoder that is watched: each packet's answer is compared with the model's, and the memory around the samples with
 * what was there before. Whatever does not hold is thrown as a Finding.
 */

import { isDeepStrictEqual } from 'node:util';
import { crc32 } from '../../voice/crc32.js';
import { readPacket, relayFault } from '../../voice/packet.js';
import { OPUS_RATES_HZ } from '../../wasm/codec.js';
import { VoiceDecoder } from '../../wasm/decompress.js';
import { hexOfBytes } from '../kit/hex.js';
import { Answer, type Expectation, type Expected, expectationOf, samplesAt } from './packet_model.js';

/** Something that had to hold and did not. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/** What is in memory where nothing was written. */
const CANARY = 0x5a5a;
const GUARD = 256;
const LONGEST = 3 * 48_000;
/** More than this for one packet is a finding: a decoder takes 20 ms for the longest one, a busy machine ten times that. */
const LIMIT_MS = 10_000;

const out = new Int16Array(GUARD + LONGEST + 2 * GUARD).fill(CANARY);
const twinOut = new Int16Array(LONGEST);

/** What became of a packet. */
export interface Checked {
  readonly want: Expectation;
  readonly milliseconds: number;
}

/** How much room a packet gets: `scant` is first too little, then just enough; `ample` is more than enough. */
export type Room = { readonly kind: 'ample' | 'exact' } | { readonly kind: 'scant'; readonly share: number };

export class CheckedDecoder {
  readonly sampleRateHz: number;
  readonly #decoder: VoiceDecoder;
  /** Gets the packets that are OK and never sees the others. */
  readonly #twin: VoiceDecoder | null;
  readonly #isNative: boolean;
  #expected: Expected = null;

  constructor(sampleRateHz: number, twin: 'alone' | 'with-twin' = 'alone') {
    this.sampleRateHz = sampleRateHz;
    this.#decoder = new VoiceDecoder(sampleRateHz);
    this.#twin = twin === 'alone' ? null : new VoiceDecoder(this.#decoder.sampleRateHz);
    this.#isNative = (OPUS_RATES_HZ as readonly number[]).includes(sampleRateHz);
  }

  /** The sequence that the model waits for. */
  get expected(): Expected {
    return this.#expected;
  }

  /** Decodes `packet`; from `offset`, 0 to 255, in the output. */
  check(packet: Uint8Array, offset: number, room: Room): Checked {
    const want = expectationOf(packet, this.#expected);
    try {
      return this.#check(packet, want, offset, room);
    } catch (error) {
      const cause =
        error instanceof Finding ? error.message : `threw ${String((error as Error)?.stack ?? error)}`;
      const stream = `${this.sampleRateHz} Hz, waiting for ${this.#expected}, offset ${offset}, room ${JSON.stringify(room)}`;
      throw new Finding(`${cause}\n  ${stream}\n  packet ${hexOfBytes(packet)}`);
    }
  }

  /** Does all of `out` still hold what it held? For now and then, for it is long. */
  static checkAllMemory(): void {
    hold(
      out.every((sample) => sample === CANARY),
      'memory far from the samples was written',
    );
  }

  /** A decoder takes memory when it first decodes, or when it is asked for its delay. */
  takeMemory(): void {
    for (const decoder of [this.#decoder, this.#twin]) void decoder?.delaySamples;
  }

  /** Has the decoder forget its stream: any sequence may come. */
  reset(): void {
    this.#decoder.reset();
    this.#twin?.reset();
    this.#expected = null;
  }

  free(): void {
    this.#decoder.free();
    this.#twin?.free();
  }

  #check(packet: Uint8Array, want: Expectation, offset: number, room: Room): Checked {
    const read = readPacket(packet);
    hold((read.kind === 'packet') === want.isWhole, `the reader says ${read.kind}`);
    if (read.kind === 'packet') relayFault(read, packet.length, 8192);

    const samples = samplesAt(want.samples24k, this.sampleRateHz);
    const before = crc32(packet);
    if (want.answer === Answer.ok && room.kind === 'scant' && samples > 0) {
      const small = out.subarray(0, offset + Math.floor(room.share * samples));
      const answer = this.#decoder.decompress(packet, small, offset);
      hold(
        answer.result === Answer.tooSmall,
        `result ${answer.result} where ${samples} samples have no room`,
      );
      hold(answer.samples === samples, `says ${answer.samples} samples have no room, model says ${samples}`);
      hold(this.#isUntouched(offset, offset + samples), 'wrote although there was no room');
    }
    const view = room.kind === 'ample' ? out : out.subarray(0, offset + samples);
    const started = performance.now();
    const answer = this.#decoder.decompress(packet, view, offset);
    const milliseconds = performance.now() - started;
    hold(milliseconds < LIMIT_MS, `took ${milliseconds} ms`);
    hold(answer.result === want.answer, `result ${answer.result}, model says ${want.answer}`);
    hold(crc32(packet) === before, 'the packet was changed');
    hold(answer.samples === samples, `${answer.samples} samples, model says ${samples}`);
    hold(
      answer.decodedFrames === want.decodedFrames,
      `${answer.decodedFrames} frames, model says ${want.decodedFrames}`,
    );
    hold(
      answer.concealedFrames === want.concealedFrames,
      `${answer.concealedFrames} concealed, model says ${want.concealedFrames}`,
    );
    hold(answer.leadingConcealedFrames <= answer.concealedFrames, `${answer.leadingConcealedFrames} leading`);
    const end = offset + samples;
    hold(this.#isUntouched(Math.max(0, offset - GUARD), offset), 'wrote before the offset');
    hold(this.#isUntouched(end, end + GUARD), 'wrote behind the samples');
    if (want.answer === Answer.ok) this.#checkSamples(packet, want, offset, end);
    out.fill(CANARY, offset, end);
    this.#expected = want.expected;
    return { want, milliseconds };
  }

  #checkSamples(packet: Uint8Array, want: Expectation, start: number, end: number): void {
    let unwritten = 0;
    for (let at = start; at < end; at += 1) if (out[at] === CANARY) unwritten += 1;
    hold(
      unwritten <= 16 + (end - start) / 64,
      `${unwritten} of ${end - start} samples seem not to be written`,
    );
    if (this.#isNative) {
      // Resampled silence rings for a while, so only what Opus decodes by itself is looked at.
      for (let pair = 0; pair < want.silences.length; pair += 2) {
        const from = start + samplesAt(want.silences[pair]!, this.sampleRateHz);
        const to = start + samplesAt(want.silences[pair + 1]!, this.sampleRateHz);
        for (let at = from; at < to; at += 1)
          hold(out[at] === 0, `silence holds ${out[at]} at ${at - start}`);
      }
    }
    if (this.#twin === null) return;
    const twin = this.#twin.decompress(packet, twinOut);
    hold(twin.samples === end - start, `the twin answers ${JSON.stringify(twin)}`);
    hold(
      isDeepStrictEqual(out.subarray(start, end), twinOut.subarray(0, twin.samples)),
      'a decoder that never saw the refused packets decodes other samples',
    );
  }

  #isUntouched(from: number, to: number): boolean {
    for (let at = from; at < to; at += 1) if (out[at] !== CANARY) return false;
    return true;
  }
}

function hold(condition: boolean, message: string): void {
  if (!condition) throw new Finding(message);
}
