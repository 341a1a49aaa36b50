/**
 * Where a packet belongs on its speaker's media clock: unwraps timestamps, knows duplicates, and notices when the clock has jumped, as when a
 * speaker joins again.
 */

import { sequenceDelta, timestampDelta } from '../sequence.js';
import { type Milliseconds, type Samples, samplesOfMs } from '../units.js';
import type { SpeakerFields } from '../wire.js';

/** Packets that are remembered, for duplicates: 5 s of them. A power of two. */
const REMEMBERED = 256;

/** How far a timestamp has to be from where it should be, to show that the media clock has jumped. */
const JUMP_MS: Milliseconds = 2000;

/** Without a marker, so many packets in a row have to show that it went back. */
const BEHIND_PACKETS = 10;

export class MediaOrder {
  /** Position of the newest packet, its timestamp unwrapped, and its sequence. Null before the first. */
  #newest: Samples | null = null;
  #newestSequence = 0;
  readonly #seenSequences = new Int32Array(REMEMBERED).fill(-1);
  readonly #seenTimestamps = new Uint32Array(REMEMBERED);
  #behind = 0;
  /** Of the packet that was placed last: its timestamp, unwrapped. `timestampOf` gives that again. */
  position: Samples = 0;
  /** How often the media clock jumped. */
  jumps = 0;

  /**
   * Finds the position of a packet.
   *
   * @param relativeMs How late a packet at a position would be against the fastest; null when no recent one is known.
   * @param over Everything before is played or given up.
   * @returns `jumped` when positions start again: nothing that was queued can be compared with this one.
   */
  place(
    header: SpeakerFields,
    relativeMs: (position: Samples) => Milliseconds | null,
    over: Samples,
  ): 'placed' | 'duplicate' | 'jumped' {
    const seen = this.#seen(header);
    if (seen === 'same') return 'duplicate';
    const position =
      this.#newest === null
        ? header.timestamp
        : this.#newest + timestampDelta(timestampOf(this.#newest), header.timestamp);
    const jumped = this.#hasJumped(header, seen, position, relativeMs(position), over);
    if (jumped) {
      this.#seenSequences.fill(-1);
      this.#behind = 0;
      this.jumps += 1;
    }
    this.#seenSequences[header.sequence & (REMEMBERED - 1)] = header.sequence;
    this.#seenTimestamps[header.sequence & (REMEMBERED - 1)] = header.timestamp;
    this.position = jumped ? header.timestamp : position;
    if (jumped || this.#newest === null || position > this.#newest) {
      this.#newest = this.position;
      this.#newestSequence = header.sequence;
    }
    return jumped ? 'jumped' : 'placed';
  }

  /** Whether a packet with this sequence is remembered, and whether it is this one. */
  #seen({ sequence, timestamp }: SpeakerFields): 'same' | 'other' | 'no' {
    const place = sequence & (REMEMBERED - 1);
    if (this.#seenSequences[place] !== sequence) return 'no';
    return this.#seenTimestamps[place] === timestamp ? 'same' : 'other';
  }

  #hasJumped(
    header: SpeakerFields,
    seen: 'other' | 'no',
    position: Samples,
    relativeMs: Milliseconds | null,
    over: Samples,
  ): boolean {
    if (this.#newest === null) return false;
    const jump = samplesOfMs(JUMP_MS);
    if (relativeMs !== null && relativeMs < -JUMP_MS && position > this.#newest + jump) return true;
    if (position >= Math.min(this.#newest, over) - jump) {
      this.#behind = 0;
      return false;
    }
    // One with a sequence just before the newest is only late, unless that sequence was another packet's.
    const ahead = sequenceDelta(this.#newestSequence, header.sequence);
    if (seen === 'no' && ahead > -REMEMBERED && ahead < 0) return false;
    this.#behind += 1;
    return header.marker || this.#behind >= BEHIND_PACKETS;
  }
}

/** The timestamp at a position. */
export function timestampOf(position: Samples): number {
  return position >>> 0;
}
