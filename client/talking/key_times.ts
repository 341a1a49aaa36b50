/**
 * When the push-to-talk key went down and up, as far as captured sound is concerned. Pure; instants never go back.
 *
 * This answers two questions. When did the recording begin that is now read from the ring? No sound in its packets is older. And at which
 * instant was sound meant? While the key is down, when it was made. In the tail after key-up, when the key came up, because the tail
 * belongs to what was said before.
 */

import { nextRequest } from '../../voice/capture_tag.js';
import type { Milliseconds } from '../../voice/units.js';

/** The most key-downs without an end, and the most key-ups, that are kept. Sound from before them is treated as older than it is. */
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
  /** Key-downs whose end was not read yet, oldest first. The first one began the recording that is now read. */
  #keyDowns: KeyDown[] = [];
  /** The number of the newest key-down, kept or not. */
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

  /** The end entry of a recording was read. `request` is the newest key-down that it covers. */
  ended(request: number): void {
    if (request === this.#newest) this.#keyDowns = [];
    const next = this.#keyDowns.findIndex((keyDown) => keyDown.request === nextRequest(request));
    if (next > 0) this.#keyDowns = this.#keyDowns.slice(next);
  }

  /** No sound that is read from now on was made before this instant. */
  get recordingFrom(): Milliseconds {
    return this.#keyDowns[0]?.at ?? Number.NEGATIVE_INFINITY;
  }

  /** The instant at which sound made at `instant` was meant. */
  meantAt(instant: Milliseconds): Milliseconds {
    if (instant < this.#forgottenUntil) return Number.NEGATIVE_INFINITY;
    const tail = this.#keyUps.findLast(({ from }) => from <= instant);
    return tail && instant < tail.to ? tail.from : instant;
  }
}
