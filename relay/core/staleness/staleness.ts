/**
 * No listener gets old voice: who does not acknowledge in time is parked, and gets voice again when they have read all that was sent to them.
 * docs/protocol.md, "Staleness".
 *
 * Nothing is done for each listener at a frame. A lobby is looked at when its oldest unsettled flagged frame may be too old, which is about once
 * per budget while people speak, and never in silence. Bounded by the lobbies, and by each topic's `Flags`.
 */

import type { Milliseconds } from '../../../voice/units.js';
import type { StalenessCounts } from '../io.js';
import type { Lobby, Participant } from '../lobby/lobby.js';
import type { Topic } from '../lobby/topics.js';
import { relayTimeMs } from '../relay_time.js';
import type { Turn } from '../turn.js';
import { Flags } from './flags.js';
import { MAX_DELAY_MS } from './reading.js';

/** Lobbies are looked at together, at multiples of this: parking is at most so late. */
const LOOK_EVERY_MS: Milliseconds = 25;

/** How often a topic asks for acknowledgements, by how busy the relay is. */
const FLAG_EVERY_MS = { idle: 60, usual: 100, busy: 200 } as const;
/** Shares of a core. */
const IDLE_LOAD = 0.2;
const BUSY_LOAD = 0.8;

export class Staleness {
  readonly #startedAt: Milliseconds;
  readonly #staleAfterMs: Milliseconds;
  /** Of each topic: all that were published within the longest time that a listener is given. */
  readonly #flagsKept: number;
  /** When each lobby that has flagged frames is looked at next. */
  readonly #lookAt = new Map<Lobby, Milliseconds>();
  #flagEveryMs: Milliseconds = FLAG_EVERY_MS.usual;
  #nextLook: Milliseconds = Number.POSITIVE_INFINITY;
  #acknowledgements = 0;
  #parks = 0;
  #unparks = 0;

  /** @param startedAt Where the relay time on the wire is 0. */
  constructor(startedAt: Milliseconds, staleAfterMs: Milliseconds) {
    this.#startedAt = startedAt;
    this.#staleAfterMs = staleAfterMs;
    this.#flagsKept = 2 + Math.ceil((staleAfterMs + MAX_DELAY_MS + LOOK_EVERY_MS) / FLAG_EVERY_MS.idle);
  }

  /** When `tick` next has something to do; Infinity in silence. */
  get deadline(): Milliseconds {
    return this.#nextLook;
  }

  /** A copy. */
  counts(): StalenessCounts {
    return { acknowledgements: this.#acknowledgements, parks: this.#parks, unparks: this.#unparks };
  }

  /** The share of a core that the relay uses: it decides how often acknowledgements are asked for. */
  setLoad(share: number): void {
    if (share < IDLE_LOAD) this.#flagEveryMs = FLAG_EVERY_MS.idle;
    else this.#flagEveryMs = share > BUSY_LOAD ? FLAG_EVERY_MS.busy : FLAG_EVERY_MS.usual;
  }

  /**
   * Whether the frame that a speaker publishes to these topics now asks for acknowledgements. Where nobody gives any, none does. Real-time.
   */
  flag(speaker: Participant, shared: Topic | null, own: Topic | null, now: Milliseconds): boolean {
    const ofAll = shared !== null && shared.acknowledging > 0 ? this.#flagsOf(shared) : null;
    const ofOwn = own !== null && own.acknowledging > 0 ? this.#flagsOf(own) : null;
    const isDue =
      ofAll?.isDue(speaker, now, this.#flagEveryMs) || ofOwn?.isDue(speaker, now, this.#flagEveryMs);
    if (!isDue) return false;
    ofAll?.add(speaker, now);
    ofOwn?.add(speaker, now);
    this.#look(speaker.lobby, rounded(now + this.#staleAfterMs));
    return true;
  }

  /**
   * A listener has read everything up to this relay time; one that is yet to come is ignored. Whether they have caught up and are to get voice
   * again. Real-time: no allocation.
   */
  acknowledge({ presence }: Participant, time: number, now: Milliseconds): 'caught-up' | 'as-before' {
    if (presence.kind !== 'here' || !presence.reading) return 'as-before';
    const { reading } = presence;
    const age = (relayTimeMs(this.#startedAt, now) - time) >>> 0;
    if (age >= 2 ** 31) return 'as-before';
    this.#acknowledgements += 1;
    const until = now - age;
    reading.acknowledged(until, now);
    const { parkedAt } = reading;
    // `until` is exact to a millisecond only.
    if (parkedAt === null || until < Math.floor(parkedAt - this.#startedAt) + this.#startedAt)
      return 'as-before';
    this.#unparks += 1;
    return 'caught-up';
  }

  /** Parks those who are behind. */
  tick(turn: Turn): void {
    if (turn.now < this.#nextLook) return;
    let next = Number.POSITIVE_INFINITY;
    for (const [lobby, at] of this.#lookAt) {
      const after = at <= turn.now ? this.#lookAtLobby(lobby, turn) : at;
      if (after === Number.POSITIVE_INFINITY) this.#lookAt.delete(lobby);
      else this.#lookAt.set(lobby, after);
      next = Math.min(next, after);
    }
    this.#nextLook = next;
  }

  /** Returns when it is to be looked at again; Infinity when nobody owes anything. */
  #lookAtLobby(lobby: Lobby, turn: Turn): Milliseconds {
    let next = Number.POSITIVE_INFINITY;
    for (const listener of lobby.participants) {
      const due = this.#dueAt(listener);
      if (due === Number.POSITIVE_INFINITY) continue;
      if (due >= turn.now) {
        next = Math.min(next, due);
        continue;
      }
      this.#parks += 1;
      lobby.park(listener, relayTimeMs(this.#startedAt, turn.now), turn);
    }
    return rounded(Math.max(next, turn.now + 1));
  }

  /** When the oldest frame that they owe an acknowledgement for will be too old; Infinity when they owe none. */
  #dueAt(listener: Participant): Milliseconds {
    const { presence } = listener;
    if (presence.kind !== 'here' || !presence.reading || presence.reading.isParked)
      return Number.POSITIVE_INFINITY;
    const { reading, topics } = presence;
    let oldest = reading.owedAt;
    const settled = reading.settledUntil;
    for (const [{ flags }, from] of topics) {
      if (flags && flags.lastAt > settled)
        oldest = Math.min(oldest, flags.oldestAfter(settled, from, listener));
    }
    return oldest + this.#staleAfterMs + reading.leastDelay();
  }

  #flagsOf(topic: Topic): Flags {
    const own: { flags: Flags | null } = topic;
    own.flags ??= new Flags(this.#flagsKept);
    return own.flags;
  }

  /** The lobby is to be looked at by then, if not earlier. */
  #look(lobby: Lobby, at: Milliseconds): void {
    if ((this.#lookAt.get(lobby) ?? Number.POSITIVE_INFINITY) <= at) return;
    this.#lookAt.set(lobby, at);
    this.#nextLook = Math.min(this.#nextLook, at);
  }
}

/** Looked at after this instant: together with other lobbies. */
function rounded(at: Milliseconds): Milliseconds {
  return Math.ceil(at / LOOK_EVERY_MS) * LOOK_EVERY_MS;
}
