/**
 * When the push-to-talk key went down and up, as far as captured sound is concerned. Pure; instants never go back.
 *
 * Two questions are answered here. When did the recording begin that is read from the ring: no sound in its packets is older. And when
 * was sound meant: with the key down as it was made; the tail, with the key up, when the key came up, for it belongs to what was said
 * before.
 */

import { nextRequest } from '../voice/talkspurt.js';
import type { Milliseconds } from '../voice/units.js';

/** Key-downs without an end, and key-ups, that are remembered. What is beyond them is taken for older than it is. */
const MAX_REMEMBERED = 64;

interface KeyDown {
  readonly request: number;
  readonly at: Milliseconds;
}

/** The key was up from `from` until it went down at `to`. */
interface KeyUp {
  readonly from: Milliseconds;
  to: Milliseconds;
}

export class KeyTimes {
  /** Those that no end was read for, oldest first. The first began the recording that is read. */
  #keyDowns: KeyDown[] = [];
  /** The number of the newest, remembered or not. */
  #newest = 0;
  /** Oldest first. */
  #keyUps: KeyUp[] = [];
  #forgottenUntil: Milliseconds = Number.NEGATIVE_INFINITY;
  /** Whether the key is down. */
  key: 'up' | 'down' = 'up';

  /** The key went down, with this number. */
  down(request: number, at: Milliseconds): void {
    this.#newest = request;
    if (this.#keyDowns.length < MAX_REMEMBERED) this.#keyDowns.push({ request, at });
    const last = this.#keyUps.at(-1);
    if (this.key === 'up' && last) last.to = at;
    this.key = 'down';
  }

  up(at: Milliseconds): void {
    if (this.key === 'up') return;
    this.key = 'up';
    this.#keyUps.push({ from: at, to: Number.POSITIVE_INFINITY });
    if (this.#keyUps.length > MAX_REMEMBERED) this.#forgottenUntil = this.#keyUps.shift()!.to;
  }

  /** The end entry of a recording was read, with the number of the newest key-down that it knows of. */
  ended(request: number): void {
    if (request === this.#newest) this.#keyDowns = [];
    const next = this.#keyDowns.findIndex((keyDown) => keyDown.request === nextRequest(request));
    if (next > 0) this.#keyDowns = this.#keyDowns.slice(next);
  }

  /** No sound that is read from now on was made before. */
  get recordingFrom(): Milliseconds {
    return this.#keyDowns[0]?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** When sound was meant that was made at `instant`. */
  meantAt(instant: Milliseconds): Milliseconds {
    if (instant < this.#forgottenUntil) return Number.NEGATIVE_INFINITY;
    const tail = this.#keyUps.findLast(({ from }) => from <= instant);
    return tail && instant < tail.to ? tail.from : instant;
  }
}
