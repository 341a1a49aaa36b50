/**
 * Races new connections against one that has gone silent: one attempt after another beside it, until one is open or the silent one is heard
 * again (docs/protocol.md, "Dead connections"). Pure: instants and randomness are arguments.
 *
 * A cut network answers nothing, and TCP tries again after longer and longer waits. A fresh attempt finds out within a quarter of a second.
 */

import type { Milliseconds } from '../../../voice/units.js';
import type { SessionOutput } from '../session_io.js';

/** A relay that sends heartbeats twice per second is silent if nothing came for this long. */
const SILENT_MS: Milliseconds = 1000;

/** The time for one attempt, if neither the relay nor the network needs more; up to a fifth more or less at random. */
const EVERY_MS: Milliseconds = 250;
const SPREAD = 0.2;

/** How much longer than the last connection took to open an attempt may take. */
const OPENING_ALLOWANCE = 1.5;

/** An attempt that has reached the relay's machine may wait this long for the relay, which is busy. */
const CONNECTED_MS: Milliseconds = 3000;

/** If an attempt took longer than it should, the relay may have paused: then the silent connection gets this long to speak first. */
const AFTER_YOU_MS: Milliseconds = 250;

/**
 * Where nobody says that an attempt has reached the relay's machine, in browsers, some attempts get more time than the others: the network
 * may be slower than it was.
 */
const UNSEEN_PATIENCE = [1, 1, 1, 2, 1, 1, 1, 4];

/** After so long a race slows down: the time for an attempt grows with its age, up to the most. */
const BRISK_MS: Milliseconds = 30_000;
const MOST_MS: Milliseconds = 4000;

type RaceState =
  | { readonly kind: 'off' }
  /** Something has to come by then, or the race begins. */
  | { readonly kind: 'watching'; readonly until: Milliseconds }
  /** The next attempt begins then. */
  | { readonly kind: 'waiting'; readonly until: Milliseconds }
  /** Another attempt takes the place of this one then. */
  | {
      readonly kind: 'opening';
      readonly until: Milliseconds;
      readonly attempt: number;
      readonly since: Milliseconds;
    }
  /** It is open, and wins then. */
  | { readonly kind: 'open'; readonly until: Milliseconds; readonly attempt: number; readonly won: Won };

const OFF: RaceState = { kind: 'off' };

/** The connection that takes the place of the silent one. */
export interface Won {
  readonly attempt: number;
  /** Whether its transport notices by itself when it dies silently. */
  readonly watched: boolean;
  /** How long it took to open. */
  readonly openingMs: Milliseconds;
}

/** What a race has to know about the connection that it runs against. */
export interface Raced {
  /** When something last arrived. */
  readonly heardAt: Milliseconds;
  /** Returns the number of an attempt beside it. */
  fork(): number;
}

export class Race {
  readonly #random: () => number;
  #state: RaceState = OFF;
  #everyMs: Milliseconds = EVERY_MS;
  /** How long the last connection took to open. */
  #openingMs: Milliseconds = 0;
  /** Whether the transport says that it has reached the relay's machine. */
  #sees: 'connects' | 'nothing' = 'nothing';
  #beganAt: Milliseconds = 0;
  #attempts = 0;

  /** @param random Returns numbers from 0 up to 1, as Math.random does. */
  constructor(random: () => number) {
    this.#random = random;
  }

  get isRunning(): boolean {
    return this.#state.kind !== 'off' && this.#state.kind !== 'watching';
  }

  /** The attempt beside the silent connection. */
  get attempt(): number | null {
    return 'attempt' in this.#state ? this.#state.attempt : null;
  }

  /** When `time` is due; null if never. */
  get deadline(): Milliseconds | null {
    return this.#state.kind === 'off' ? null : this.#state.until;
  }

  /**
   * There is a connection over which heartbeats come.
   *
   * @param openingMs How long it took to open.
   * @param askedMs The relay asks for this time for an attempt, because it has many connections.
   */
  watch(openingMs: Milliseconds, askedMs: Milliseconds, now: Milliseconds): void {
    this.#openingMs = openingMs;
    this.#everyMs = Math.max(EVERY_MS, askedMs);
    this.#state = { kind: 'watching', until: now + SILENT_MS };
  }

  /** Something came over the connection: there is nothing to race for. */
  heard(now: Milliseconds): SessionOutput[] {
    if (!this.isRunning) return [];
    const outputs = this.stop();
    this.#state = { kind: 'watching', until: now + SILENT_MS };
    return outputs;
  }

  /** No more attempts. */
  stop(): SessionOutput[] {
    const outputs = this.#abandoned();
    this.#state = OFF;
    return outputs;
  }

  /** Carries out what is due. */
  time(now: Milliseconds, raced: Raced, url: URL): SessionOutput[] {
    const state = this.#state;
    if (state.kind === 'off' || state.kind === 'open' || now < state.until) return [];
    if (state.kind === 'watching') {
      this.#watched(raced.heardAt, now);
      return [];
    }
    const abandoned = this.#abandoned();
    const attempt = raced.fork();
    this.#state = { kind: 'opening', until: now + this.#patienceMs(now), attempt, since: now };
    this.#attempts += 1;
    return [...abandoned, { kind: 'open', attempt, url, beside: true }];
  }

  /** An attempt, perhaps the one of a race, has reached the relay's machine. */
  connected(now: Milliseconds): void {
    this.#sees = 'connects';
    const state = this.#state;
    if (state.kind === 'opening')
      this.#state = { ...state, until: Math.max(state.until, now + CONNECTED_MS) };
  }

  /** The attempt could not open, and nobody answered: the next one begins when its time is over. */
  failed(): void {
    if ('attempt' in this.#state) this.#state = { kind: 'waiting', until: this.#state.until };
  }

  /** The relay answered the attempt with a refusal, and asks for at least this wait. */
  refused(askedMs: Milliseconds, now: Milliseconds): void {
    this.#state = { kind: 'waiting', until: now + Math.max(MOST_MS, askedMs) * this.#spread() };
  }

  /** The attempt is open, and wins at `deadline`: now, or a little later. */
  opened(watched: boolean, now: Milliseconds): void {
    const state = this.#state;
    if (state.kind !== 'opening') return;
    const { attempt, since } = state;
    const won = { attempt, watched, openingMs: now - since };
    const isPrompt = won.openingMs <= Math.max(EVERY_MS, this.#openingMs * OPENING_ALLOWANCE);
    this.#state = { kind: 'open', until: isPrompt ? now : now + AFTER_YOU_MS, attempt, won };
  }

  /** The attempt that has won. The race is then over. */
  won(now: Milliseconds): Won | null {
    const state = this.#state;
    if (state.kind !== 'open' || now < state.until) return null;
    this.#state = OFF;
    return state.won;
  }

  #watched(heardAt: Milliseconds, now: Milliseconds): void {
    const silentAt = heardAt + SILENT_MS;
    if (now < silentAt) {
      this.#state = { kind: 'watching', until: silentAt };
      return;
    }
    this.#beganAt = now;
    this.#attempts = 0;
    // Not at once: what came while this process stood still is read first. And thousands of clients of a relay that pauses do not begin together.
    this.#state = { kind: 'waiting', until: now + this.#everyMs * (SPREAD + (1 - SPREAD) * this.#random()) };
  }

  #abandoned(): SessionOutput[] {
    return this.attempt === null ? [] : [{ kind: 'abandon', attempt: this.attempt }];
  }

  #patienceMs(now: Milliseconds): Milliseconds {
    const least = Math.max(this.#everyMs, this.#openingMs * OPENING_ALLOWANCE);
    const unseen = this.#sees === 'connects' ? 1 : UNSEEN_PATIENCE[this.#attempts % UNSEEN_PATIENCE.length]!;
    const slower = Math.max(1, (now - this.#beganAt) / BRISK_MS);
    return Math.min(Math.max(MOST_MS, this.#everyMs), least * unseen * slower) * this.#spread();
  }

  #spread(): number {
    return 1 - SPREAD + 2 * SPREAD * this.#random();
  }
}
