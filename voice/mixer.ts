/**
 * Sums speakers for a sink that takes samples at its own pace. Pure: the sink's pulls are the clock.
 *
 * Each speaker has a short queue. A talkspurt waits until a little is there, so that an uneven network is not heard; a queue
 * that runs over drops its oldest sound, so that delay never builds up.
 */

import { type Samples, samplesOfMs } from './units.js';

export interface MixerOptions {
  /** Sound that a talkspurt waits for before it is heard, in ms, 0 to 500. Default 40. */
  readonly playoutDelayMs?: number;
  /** The most sound that waits for one speaker, in ms, above `playoutDelayMs` and up to 5000. Default 200. */
  readonly maxQueuedMs?: number;
}

interface Queue {
  readonly pcm: Int16Array;
  start: number;
  samples: number;
  /** How long a queue has been filling with something in it, in samples of the sink. */
  waited: Samples;
  state: 'filling' | 'playing';
}

/** Real-time: allocates a queue when a speaker is first heard, nothing else. */
export class Mixer {
  readonly #playoutDelay: Samples;
  readonly #capacity: Samples;
  readonly #queues = new Map<number, Queue>();
  #sums = new Int32Array(0);
  /** Samples dropped from queues that ran over. */
  droppedSamples = 0;

  constructor(options: MixerOptions = {}) {
    const { playoutDelayMs = 40, maxQueuedMs = 200 } = options;
    if (!(playoutDelayMs >= 0 && playoutDelayMs <= 500)) {
      throw new RangeError(`Cannot mix: playoutDelayMs is ${playoutDelayMs}, wants 0 to 500`);
    }
    if (!(maxQueuedMs > playoutDelayMs && maxQueuedMs <= 5000)) {
      throw new RangeError(
        `Cannot mix: maxQueuedMs is ${maxQueuedMs}, wants above ${playoutDelayMs} up to 5000`,
      );
    }
    this.#playoutDelay = samplesOfMs(playoutDelayMs);
    this.#capacity = samplesOfMs(maxQueuedMs);
  }

  /** Queues sound of the speaker in `slot`; copied. The last of a talkspurt is played without waiting for more. */
  push(slot: number, pcm: Int16Array, position: 'within' | 'last'): void {
    const queue = this.#queue(slot);
    const kept = pcm.length > this.#capacity ? pcm.subarray(pcm.length - this.#capacity) : pcm;
    const excess = Math.max(0, queue.samples + kept.length - this.#capacity);
    queue.start = (queue.start + excess) % this.#capacity;
    queue.samples -= excess;
    this.droppedSamples += excess + pcm.length - kept.length;

    const end = (queue.start + queue.samples) % this.#capacity;
    const first = kept.subarray(0, this.#capacity - end);
    queue.pcm.set(first, end);
    queue.pcm.set(kept.subarray(first.length), 0);
    queue.samples += kept.length;
    if (queue.samples > 0 && (position === 'last' || queue.samples >= this.#playoutDelay)) this.#play(queue);
  }

  /** Fills `out` with the sum of all speakers, saturated, silence where there is none. */
  pull(out: Int16Array): void {
    if (this.#sums.length < out.length) this.#sums = new Int32Array(out.length);
    const sums = this.#sums.fill(0, 0, out.length);
    for (const queue of this.#queues.values()) {
      if (queue.state === 'filling') {
        // What is too short to fill up and says no end, as when the terminator was lost, is played all the same.
        if (queue.samples > 0) queue.waited += out.length;
        if (queue.waited >= Math.max(1, this.#playoutDelay)) this.#play(queue);
        continue;
      }
      const samples = Math.min(queue.samples, out.length);
      for (let i = 0; i < samples; i++) sums[i]! += queue.pcm[(queue.start + i) % this.#capacity]!;
      queue.start = (queue.start + samples) % this.#capacity;
      queue.samples -= samples;
      if (queue.samples === 0) queue.state = 'filling';
    }
    for (let i = 0; i < out.length; i++) out[i] = Math.max(-32_768, Math.min(32_767, sums[i]!));
  }

  /** Forgets a speaker. */
  forget(slot: number): void {
    this.#queues.delete(slot);
  }

  #play(queue: Queue): void {
    queue.state = 'playing';
    queue.waited = 0;
  }

  #queue(slot: number): Queue {
    let queue = this.#queues.get(slot);
    if (!queue) {
      queue = { pcm: new Int16Array(this.#capacity), start: 0, samples: 0, waited: 0, state: 'filling' };
      this.#queues.set(slot, queue);
    }
    return queue;
  }
}
