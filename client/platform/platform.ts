/**
 * What a client needs from the place that it runs in. package.json's `#platform` is node.ts, or browser.ts where a bundler or a browser
 * asks for the condition `browser`; everything else of the client is the same in both.
 */

import type { Milliseconds } from '../../voice/units.js';
import type { OpenTransport } from '../transport/transport.js';

/** Clock, timer and randomness. Tests pass their own. */
export interface LobbyIo {
  /** Never goes back. In Node it is CLOCK_MONOTONIC, the same in every thread and process of a machine. */
  now(): Milliseconds;
  /** Calls `callback` once, after `ms`. The function that it returns cancels the call. */
  after(ms: Milliseconds, callback: () => void): () => void;
  /** From 0 up to, but not including, 1. */
  random(): number;
}

export interface Platform extends LobbyIo {
  /** The transport, which is loaded when it is first used. */
  transport(): Promise<OpenTransport>;
  /** Starts the codec, unless it is started. @throws HotmicError ERR_HOTMIC_CODEC. */
  startCodec(): void | Promise<void>;
}
