/**
 * How much one connection may send before it is closed. Every WebSocket message, ping and pong is charged here before it is read, so
 * nothing that a client sends is free.
 *
 * The rates of voice and of control messages take effect earlier, by dropping or refusing. This meter allows several times as much, plus
 * the backlog of a stalled network. A connection that exceeds it sends far more than any client does, and merely dropping its messages
 * would cost the relay more than sending them costs the sender.
 */

import { TokenBucket } from '../../../voice/token_bucket.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { RelayLimits } from '../limits.js';

/** How many times the allowed rates a connection may sustain. */
export const FLOOD_FACTOR = 4;
/** Seconds of messages at the allowed rates that may come at once. No stall is longer: a connection is closed after 32 s of silence. */
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
   * @param bytes Its length; 0 for messages with a separate rate, such as control messages.
   * @returns Which rate it exceeds, if any; then the connection is to be closed.
   */
  charge(bytes: number, now: Milliseconds): 'within' | 'rate-frames' | 'rate-bytes' {
    if (!this.#messages.has(1, now)) return 'rate-frames';
    if (!this.#bytes.has(bytes, now)) return 'rate-bytes';
    this.#messages.take(1);
    this.#bytes.take(bytes);
    return 'within';
  }
}

/** What a connection may send before it is closed, per second and at once. By default 440 messages (4620) and 262144 bytes (2752512). */
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
