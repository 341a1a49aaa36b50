/**
 * The connection as a session sees it: one attempt after another, each with a limit of time. Attempts beside it are in race.ts. Pure.
 *
 * Attempts are numbered. What an earlier connection still delivers, or an earlier question for a credential is answered, is ignored.
 */

import type { Milliseconds } from '../../../voice/units.js';
import type { SessionOutput } from '../session_io.js';
import type { ShownCredential } from '../shown_credential.js';
import type { Won } from './race.js';

/** The longest that joining takes, from the first connection to the relay's welcome. */
const WELCOME_TIMEOUT_MS: Milliseconds = 10_000;

/** The longest that one attempt to reconnect takes. A place is kept for 30 s, so one attempt that hangs must not use all of it. */
const RECONNECT_TIMEOUT_MS: Milliseconds = 5000;

/** The longest to wait for a connection to close: first for the relay to do it, then for our own close. */
const CLOSE_TIMEOUT_MS: Milliseconds = 2000;

/** If nothing arrives for this long, the relay is pinged, unless the transport watches the connection itself. */
const QUIET_MS: Milliseconds = 10_000;

/** The longest that the relay may take to answer with anything. Together half of the time for which it keeps a place. */
const ANSWER_MS: Milliseconds = 5000;

/** Each state but `none` and `open` ends at `until`, if nothing ends it before. */
type LineState =
  | { readonly kind: 'none' }
  /** Another attempt follows. */
  | { readonly kind: 'pausing'; readonly until: Milliseconds }
  /** Waiting for the application's credential. */
  | { readonly kind: 'asking'; readonly until: Milliseconds }
  /** `credential`: for a hello. Null: it resumes. */
  | { readonly kind: 'opening'; readonly until: Milliseconds; readonly credential: ShownCredential | null }
  /** Waiting for the welcome. */
  | { readonly kind: 'entering'; readonly until: Milliseconds }
  /** `until`: when to look whether something arrived; left out where nobody has to. `pinged`: the relay has to answer by then. */
  | { readonly kind: 'open'; readonly until?: Milliseconds; readonly pinged?: true }
  /** Waiting for the connection to close; `by` says who is to close it. */
  | { readonly kind: 'closing'; readonly until: Milliseconds; readonly by: 'relay' | 'us' };

const NONE: LineState = { kind: 'none' };

export class Line {
  #state: LineState = NONE;
  /** The number of the current attempt, or of the last one. */
  #attempt = 0;
  /** The highest number of an attempt, this line's or one beside it. */
  #highest = 0;
  #timeoutMs: Milliseconds = WELCOME_TIMEOUT_MS;
  #watched = false;
  /** When something last arrived. */
  #heardAt: Milliseconds = 0;
  #openingSince: Milliseconds = 0;
  #openingMs: Milliseconds = 0;

  get kind(): LineState['kind'] {
    return this.#state.kind;
  }

  get attempt(): number {
    return this.#attempt;
  }

  /** How long an attempt may take. */
  get timeoutMs(): Milliseconds {
    return this.#timeoutMs;
  }

  get heardAt(): Milliseconds {
    return this.#heardAt;
  }

  /** How long the last connection took to open. */
  get openingMs(): Milliseconds {
    return this.#openingMs;
  }

  /** Whether something that arrives belongs to the current attempt. If so, it is a sign of life. */
  hears(attempt: number, now: Milliseconds): boolean {
    if (attempt !== this.#attempt || this.kind === 'none' || this.kind === 'pausing') return false;
    this.#heardAt = now;
    return true;
  }

  /** Whether there is a connection, open or opening. */
  get isConnected(): boolean {
    return this.kind !== 'none' && this.kind !== 'pausing' && this.kind !== 'asking';
  }

  /** When the state ends; null if nothing but an input ends it. */
  get deadline(): Milliseconds | null {
    return 'until' in this.#state ? (this.#state.until ?? null) : null;
  }

  /** What is over at this instant, if anything. */
  expired(now: Milliseconds): 'pause' | 'attempt' | 'quiet' | 'dead' | 'close-of-relay' | 'close' | null {
    const state = this.#state;
    if (!('until' in state) || state.until === undefined || now < state.until) return null;
    switch (state.kind) {
      case 'open':
        return this.#expiredOpen(state, now);
      case 'pausing':
        return 'pause';
      case 'closing':
        return state.by === 'relay' ? 'close-of-relay' : 'close';
      default:
        return 'attempt';
    }
  }

  /** Begins an attempt. A hello needs a credential first. */
  connect(opening: 'hello' | 'resume', url: URL, now: Milliseconds): SessionOutput {
    this.#attempt = this.fork();
    this.#state = { kind: 'asking', until: now + this.#timeoutMs };
    return opening === 'resume'
      ? this.open(null, url, now)!
      : { kind: 'ask-credential', attempt: this.#attempt };
  }

  /** The credential is here. Null if nobody asked for it. */
  open(credential: ShownCredential | null, url: URL, now: Milliseconds): SessionOutput | null {
    if (this.#state.kind !== 'asking') return null;
    this.#openingSince = now;
    this.#state = { kind: 'opening', until: this.#state.until, credential };
    return { kind: 'open', attempt: this.#attempt, url };
  }

  /** The connection is open. Returns what the first message needs; null if nobody opened it. */
  opened(watched: boolean, now: Milliseconds): { readonly credential: ShownCredential | null } | null {
    if (this.#state.kind !== 'opening') return null;
    this.#watched = watched;
    this.#openingMs = now - this.#openingSince;
    const { credential, until } = this.#state;
    this.#state = { kind: 'entering', until };
    return { credential };
  }

  /** Returns the number of an attempt beside the current one. */
  fork(): number {
    this.#highest += 1;
    return this.#highest;
  }

  /** An attempt beside the current one takes its place. */
  adopt({ attempt, watched, openingMs }: Won, now: Milliseconds): void {
    this.#attempt = attempt;
    this.#watched = watched;
    this.#openingMs = openingMs;
    this.#heardAt = now;
    this.#state = { kind: 'entering', until: now + this.#timeoutMs };
  }

  /** The welcome came. Later attempts have less time. @param pings Whether the relay answers pings by messages. */
  welcomed(pings: boolean, now: Milliseconds): void {
    this.#state = pings && !this.#watched ? { kind: 'open', until: now + QUIET_MS } : { kind: 'open' };
    this.#timeoutMs = RECONNECT_TIMEOUT_MS;
  }

  /** No connection is left, and the next attempt begins at `until`. */
  pause(until: Milliseconds): void {
    this.#state = { kind: 'pausing', until };
  }

  /** Waits for the connection to close. */
  closing(by: 'relay' | 'us', now: Milliseconds): void {
    this.#state = { kind: 'closing', until: now + CLOSE_TIMEOUT_MS, by };
  }

  /** No connection is left. */
  drop(): void {
    this.#state = NONE;
  }

  #expiredOpen(state: Extract<LineState, { kind: 'open' }>, now: Milliseconds): 'quiet' | 'dead' | null {
    const quietAt = this.#heardAt + QUIET_MS;
    if (now < quietAt) {
      this.#state = { kind: 'open', until: quietAt };
      return null;
    }
    if (state.pinged) return 'dead';
    this.#state = { kind: 'open', until: now + ANSWER_MS, pinged: true };
    return 'quiet';
  }
}
