/**
 * What one connection may send before it is closed: every WebSocket message, ping and pong is charged here before anybody reads it, so
 * that nothing that a client sends is free.
 *
 * The rates of voice and of control messages decide earlier what is dropped or refused. This meter allows several times as much, and the
 * backlog of a network that stalled: whoever exceeds it sends far more than any client does, and dropping alone would still cost the relay
 * more than sending costs them.
 */

import { TokenBucket } from '../../../voice/token_bucket.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { RelayLimits } from '../limits.js';

/** How many times the allowed rates a connection may reach for long. */
export const FLOOD_FACTOR = 4;
/** Seconds of messages at the allowed rates that may come at once. A connection without a sign of life for 32 s is cut, so no stall is longer. */
export const STALL_S = 40;

export type MeteredLimits = Pick<
  RelayLimits,
  'framesPerSecond' | 'frameBurst' | 'bytesPerSecond' | 'byteBurst' | 'controlPerSecond' | 'controlBurst'
>;

export class MessageMeter {
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;

  constructor(limits: MeteredLimits, now: Milliseconds) {
    const { messagesPerSecond, messageBurst, bytesPerSecond, byteBurst } = floodLimits(limits);
    this.#messages = new TokenBucket(messagesPerSecond, messageBurst, now);
    this.#bytes = new TokenBucket(bytesPerSecond, byteBurst, now);
  }

  /**
   * Charges one message. Real-time: no allocation.
   *
   * @param bytes Its length; 0 for what has a rate of its own, as control messages do.
   * @returns Which rate it exceeds; then the connection is to be closed.
   */
  charge(bytes: number, now: Milliseconds): 'within' | 'rate-frames' | 'rate-bytes' {
    if (!this.#messages.has(1, now)) return 'rate-frames';
    if (!this.#bytes.has(bytes, now)) return 'rate-bytes';
    this.#messages.take(1);
    this.#bytes.take(bytes);
    return 'within';
  }
}

/** What a connection may send, a second and at once, before it is closed. By default 440 messages (4620) and 262144 bytes (2752512). */
export function floodLimits(limits: MeteredLimits) {
  const { framesPerSecond, frameBurst, bytesPerSecond, byteBurst, controlPerSecond, controlBurst } = limits;
  const perSecond = framesPerSecond + controlPerSecond;
  return {
    messagesPerSecond: FLOOD_FACTOR * perSecond,
    messageBurst: frameBurst + controlBurst + STALL_S * perSecond,
    bytesPerSecond: FLOOD_FACTOR * bytesPerSecond,
    byteBurst: byteBurst + STALL_S * bytesPerSecond,
  };
}
