/**
 * How far a relay is, from its start to its end: starting, listening, draining, closing. `drain` leads to `close`, and each runs once, however
 * often it is called.
 */

import type { Milliseconds } from '../voice/units.js';
import type { RelayState } from './port/counts.js';

/** What a relay does on its way to the end. */
export interface ShutdownSteps {
  /** Tells everybody that the relay ends within this time, and refuses new connections from now on. */
  announceDrain(withinMs: Milliseconds, goTo: string | null): void;
  /** Connections that are open now. */
  connections(): number;
  /** Closes everything. */
  shutDown(): Promise<void>;
}

const MAX_DRAIN_MS: Milliseconds = 86_400_000;

export class Lifecycle {
  /** Resolves when everything is closed, whoever closed it. */
  readonly ended: Promise<void>;
  readonly #steps: ShutdownSteps;
  #state: RelayState = 'starting';
  #tellEnded: () => void = () => undefined;
  #drained: Promise<void> | null = null;
  #closed: Promise<void> | null = null;
  /** Ends the wait of a drain; null while nothing waits. */
  #endWait: (() => void) | null = null;

  constructor(steps: ShutdownSteps) {
    this.#steps = steps;
    this.ended = new Promise((resolve) => {
      this.#tellEnded = resolve;
    });
  }

  get state(): RelayState {
    return this.#state;
  }

  /** The relay accepts connections, unless somebody began to end it before it was there. */
  listening(): void {
    if (this.#state === 'starting') this.#state = 'listening';
  }

  /** The last connection is gone. */
  lastConnectionGone(): void {
    this.#endWait?.();
  }

  /** As `RunningRelay.drain`. */
  drain(withinMs: Milliseconds, goTo: string | null): Promise<void> {
    if (!(withinMs >= 0 && withinMs <= MAX_DRAIN_MS)) {
      throw new RangeError(`Cannot drain the relay: withinMs is ${withinMs}, expected 0 to ${MAX_DRAIN_MS}`);
    }
    this.#drained ??= this.#drain(withinMs, goTo);
    return this.#drained;
  }

  /** As `RunningRelay.close`. */
  close(): Promise<void> {
    this.#closed ??= this.#close().finally(this.#tellEnded);
    return this.#closed;
  }

  async #drain(withinMs: Milliseconds, goTo: string | null): Promise<void> {
    if (this.#closed) return this.#closed;
    this.#state = 'draining';
    this.#steps.announceDrain(withinMs, goTo);
    if (this.#steps.connections() > 0) await this.#wait(withinMs);
    return this.close();
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    this.#endWait?.();
    await this.#steps.shutDown();
  }

  #wait(withinMs: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
