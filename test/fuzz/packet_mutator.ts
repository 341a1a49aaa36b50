/**
 * Packets to fuzz with: valid ones, as a speaker would send them, and from there astray. A packet is first a list of parts,
 * which is bent part by part, then bytes, which now and then are bent as well; the CRC is right most of the time.
 */

import { goldenPackets } from '../kit/golden_packets.js';
import type { SeededRandom } from '../kit/random.js';
import { ACCOUNT_1 } from '../kit/raw_packet.js';
import { bendOpus } from './opus_mutator.js';
import { headPlaces, type Item, type Part, seal, writeParts } from './packet_parts.js';

const RATES = [8000, 12_000, 16_000, 24_000, 48_000];
const ODD_NUMBERS = [
  0, 1, 2, 3, 4, 9, 10, 11, 255, 256, 480, 1275, 1276, 1277, 8191, 32_766, 32_767, 32_768, 32_769,
];
const EDGES = [...ODD_NUMBERS, 36_000, 65_531, 65_532, 65_533, 65_534, 65_535];
const FOREIGN_OPS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x0a];

/** The largest packet made, but for the few that are larger on purpose. */
const USUAL_BYTES = 8192;

/** Makes one packet after the other, each in step with a speaker's stream unless it was bent. */
export class PacketMutator {
  readonly #random: SeededRandom;
  readonly #streams: readonly (readonly Uint8Array[])[];
  #stream = 0;
  #at = 0;

  constructor(random: SeededRandom, streams: readonly (readonly Uint8Array[])[]) {
    this.#random = random;
    this.#streams = streams;
  }

  /** A packet for a stream that waits for `sequence`. */
  next(sequence: number): Uint8Array {
    const random = this.#random;
    if (random.below(64) === 0) return this.#raw();
    if (random.below(64) === 0) {
      const all = Object.values(goldenPackets);
      return this.#bendBytes(all[random.below(all.length)]!.slice());
    }
    const parts = this.#speech(sequence);
    // A third stay as they are: a stream that is never in step would not get deep.
    if (random.below(3) > 0) for (let n = 1 + random.below(3); n > 0; n -= 1) this.#bend(parts);
    const packet = writeParts(random.below(16) > 0 ? ACCOUNT_1 : random.bytes(8), parts);
    if (random.below(40) === 0) packet.set(random.bytes(4), packet.length - 4);
    return random.below(24) === 0 ? this.#bendBytes(packet) : packet;
  }

  /** `packet` with one to three bytes of its ops, lengths, rates and sequences changed: what the reader goes by. */
  misframed(packet: Uint8Array): Uint8Array {
    const random = this.#random;
    const bent = packet.slice();
    const places = headPlaces(packet);
    for (let n = 1 + random.below(3); n > 0 && places.length > 0; n -= 1) {
      const at = places[random.below(places.length)]!;
      bent[at] = random.below(3) ? bent[at]! + random.below(5) - 2 : random.next();
    }
    if (random.below(8) > 0) seal(bent);
    return bent;
  }

  /** As a speaker sends it: one to three groups of one to four frames. */
  #speech(sequence: number): Part[] {
    const random = this.#random;
    const parts: Part[] = [];
    let next = sequence;
    for (let groups = 1 + (random.below(4) === 0 ? random.below(3) : 0); groups > 0; groups -= 1) {
      parts.push({ kind: 'rate', rateHz: 24_000 });
      const items: Item[] = [];
      for (let count = 1 + (random.below(2) === 0 ? random.below(4) : 0); count > 0; count -= 1) {
        items.push({ kind: 'frame', sequence: next, opus: this.#opus() });
        next = (next + 1) & 0xffff;
      }
      parts.push({ kind: 'frames', items });
    }
    return parts;
  }

  /** The next packet of the stream at hand; now and then another stream is taken, or the same from elsewhere. */
  #opus(): Uint8Array {
    const random = this.#random;
    if (random.below(24) === 0) this.#stream = random.below(this.#streams.length);
    const stream = this.#streams[this.#stream]!;
    this.#at = random.below(24) === 0 ? random.below(stream.length) : (this.#at + 1) % stream.length;
    return stream[this.#at]!;
  }

  #bend(parts: Part[]): void {
    const random = this.#random;
    const at = random.below(parts.length);
    const part = parts[at];
    if (part?.kind === 'frames' && random.below(3) > 0) {
      this.#bendFrames(part);
      return;
    }
    switch (random.below(10)) {
      case 0:
        parts.splice(at, 0, {
          kind: 'rate',
          rateHz: random.below(4) ? this.#pick(RATES) : random.below(65536),
        });
        return;
      case 1:
      case 2: {
        const samples = random.below(2) ? random.below(3000) : this.#number();
        parts.splice(at, 0, { kind: 'silence', samples });
        return;
      }
      case 3: {
        const op = this.#pick(FOREIGN_OPS);
        const data = random.bytes(op === 0x0a ? 2 : random.below(20));
        const foreign: Part = { kind: 'foreign', op, data };
        if (random.below(3) === 0) foreign.saysBytes = this.#number();
        parts.splice(random.below(parts.length + 1), 0, foreign);
        return;
      }
      case 4:
        if (part) parts.splice(random.below(parts.length + 1), 0, structuredClone(part));
        return;
      case 5:
        parts.splice(at, 1);
        return;
      case 6:
        if (part) parts.splice(random.below(parts.length), 0, ...parts.splice(at, 1));
        return;
      case 7:
        parts.splice(at, 0, { kind: 'raw', data: random.bytes(1 + random.below(6)) });
        return;
      case 8:
        if (part?.kind === 'rate') part.rateHz = random.below(3) ? this.#pick(RATES) : this.#number();
        else if (part?.kind === 'silence') part.samples = this.#number();
        else if (part && part.kind !== 'raw') part.saysBytes = this.#number();
        return;
      case 9:
        parts.splice(at, 0, { kind: 'frames', items: random.below(2) ? [{ kind: 'end' }] : [] });
    }
  }

  #bendFrames(part: { items: Item[]; saysBytes?: number }): void {
    const random = this.#random;
    const { items } = part;
    const at = random.below(items.length);
    const item = items[at];
    switch (random.below(12)) {
      case 0:
        items.splice(random.below(items.length + 1), 0, { kind: 'end' });
        return;
      case 1:
        items.splice(at, 1);
        return;
      case 2:
        if (item) items.splice(random.below(items.length + 1), 0, { ...item });
        return;
      case 3: {
        // All that follow go along, so that it is one gap and not two.
        const jump = random.below(2) ? random.below(16) - 4 : this.#number();
        for (const later of items.slice(at)) {
          if (later.kind === 'frame') later.sequence = (later.sequence + jump) & 0xffff;
        }
        return;
      }
      case 4:
        if (item?.kind === 'frame') item.sequence = this.#number();
        return;
      case 5:
        if (item?.kind === 'frame' && random.below(2)) item.saysBytes = this.#number();
        else part.saysBytes = this.#number();
        return;
      case 6:
        if (item?.kind === 'frame' && random.below(4) === 0) item.opus = item.opus.subarray(0, 0);
        else if (item?.kind === 'frame') item.opus = item.opus.subarray(0, 1);
        return;
      default:
        if (item?.kind === 'frame') item.opus = bendOpus(random, item.opus);
    }
  }

  /** A few bytes other, more or fewer; the CRC is made right again most of the time. */
  #bendBytes(packet: Uint8Array): Uint8Array {
    const random = this.#random;
    let bent = packet;
    if (bent.length > 0 && random.below(3) === 0) bent = bent.slice(0, random.below(bent.length + 1));
    for (let n = random.below(6); n > 0 && bent.length > 0; n -= 1)
      bent[random.below(bent.length)] = random.next();
    if (random.below(4) > 0) seal(bent);
    return bent;
  }

  /** Bytes that were never a packet; with a SteamID and a CRC now and then. */
  #raw(): Uint8Array {
    const random = this.#random;
    const packet = random.bytes(random.below(random.below(4) ? 60 : USUAL_BYTES));
    if (random.below(2)) for (let at = 8; at < packet.length; at += 1) packet[at]! &= 0x0f;
    if (random.below(4) > 0) seal(packet);
    return packet;
  }

  #number(): number {
    return this.#random.below(3) === 0 ? this.#random.below(65536) : this.#pick(EDGES);
  }

  #pick(numbers: readonly number[]): number {
    return numbers[this.#random.below(numbers.length)]!;
  }
}
