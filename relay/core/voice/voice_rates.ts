/** How much voice one participant may send: frames, bytes and sound, each with a rate and a burst. */

import { TokenBucket } from '../../../voice/token_bucket.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { RelayLimits } from '../limits.js';

/** Real-time: no allocation. */
export class VoiceRates {
  readonly #frames: TokenBucket;
  readonly #bytes: TokenBucket;
  readonly #soundMs: TokenBucket;

  constructor(limits: RelayLimits, now: Milliseconds) {
    this.#frames = new TokenBucket(limits.framesPerSecond, limits.frameBurst, now);
    this.#bytes = new TokenBucket(limits.bytesPerSecond, limits.byteBurst, now);
    this.#soundMs = new TokenBucket(limits.soundMsPerSecond, limits.soundBurstMs, now);
  }

  /** Charges a frame of this length. A frame that exceeds the rate of bytes is still charged as a frame. */
  chargeFrame(bytes: number, now: Milliseconds): 'within' | 'rate-frames' | 'rate-bytes' {
    if (!this.#frames.has(1, now)) return 'rate-frames';
    this.#frames.take(1);
    if (!this.#bytes.has(bytes, now)) return 'rate-bytes';
    this.#bytes.take(bytes);
    return 'within';
  }

  chargeSound(soundMs: Milliseconds, now: Milliseconds): 'within' | 'rate-sound' {
    if (!this.#soundMs.has(soundMs, now)) return 'rate-sound';
    this.#soundMs.take(soundMs);
    return 'within';
  }
}
