/**
 * Sums speakers for a sink that takes samples at its own pace. Pure: the sink's pulls are the clock.
 *
 * Each speaker has a short queue. A talkspurt waits for a little sound first, so that an uneven network is not audible; a queue that
 * overflows drops its oldest sound, so that delay never builds up. While a priority speaker is heard, the others are lowered.
 *
 * Bounds: one queue of `maxQueuedMs` per speaker, and `maxSpeakers` queues (614 KB in total by default), whatever slots are named.
 */

import { type Samples, samplesOfMs } from './units.js';

export interface MixerOptions {
  /** How much sound a talkspurt waits for before it is played, in ms, 0 to 500. Default 40. */
  readonly playoutDelayMs?: number;
  /** The most sound that is queued per speaker, in ms, above `playoutDelayMs` and up to 5000. Default 200. */
  readonly maxQueuedMs?: number;
  /** By how much the others are lowered while a priority speaker is heard, in dB, 0 (not at all) to 60. Default 12. */
  readonly duckDb?: number;
  /** Speakers with a queue, 1 to 1000. Default 64. When one more speaks, the one who was silent for longest loses theirs. */
  readonly maxSpeakers?: number;
}

/** How long it takes to lower the others, and to raise them again: 10 ms, so that it does not click. */
const DUCK_RAMP: Samples = samplesOfMs(10);

/** How long a priority speaker may pause, or their network stall, before the others are raised: 250 ms, so that it does not pump. */
const DUCK_HOLD: Samples = samplesOfMs(250);

interface Queue {
  readonly pcm: Int16Array;
  start: number;
  samples: number;
  /** How long a queue has been filling with something in it, in samples of the sink. */
  waited: Samples;
  state: 'filling' | 'playing';
  /** The number of the last push. */
  pushed: number;
}

/** Whether a speaker has priority. */
export type MixerPriority = 'priority' | 'none';

/** Real-time: allocates a queue when a speaker is first heard, up to `maxSpeakers` of them, and nothing else. */
export class Mixer {
  readonly #playoutDelay: Samples;
  readonly #capacity: Samples;
  readonly #queues = new Map<number, Queue>();
  readonly #maxSpeakers: number;
  /** Slots with priority: at most `maxSpeakers`, the newest. */
  readonly #priority = new Set<number>();
  /** The factor for the others while a priority speaker is heard. */
  readonly #duckedGain: number;
  #gain = 1;
  /** How long the others stay lowered. */
  #duckFor: Samples = 0;
  #sums = new Int32Array(0);
  #prioritySums = new Int32Array(0);
  #pushes = 0;
  /** Samples dropped from queues that overflowed, and with the queues of evicted speakers. */
  droppedSamples = 0;
  /** How often a speaker lost their queue to another. */
  evictedSpeakers = 0;

  constructor(options: MixerOptions = {}) {
    const { playoutDelayMs = 40, maxQueuedMs = 200, duckDb = 12, maxSpeakers = 64 } = options;
    if (!(playoutDelayMs >= 0 && playoutDelayMs <= 500)) {
      throw new RangeError(`Cannot mix: playoutDelayMs is ${playoutDelayMs}, expected 0 to 500`);
    }
    if (!(maxQueuedMs > playoutDelayMs && maxQueuedMs <= 5000)) {
      throw new RangeError(
        `Cannot mix: maxQueuedMs is ${maxQueuedMs}, expected above ${playoutDelayMs} up to 5000`,
      );
    }
    if (!(duckDb >= 0 && duckDb <= 60)) {
      throw new RangeError(`Cannot mix: duckDb is ${duckDb}, expected 0 to 60`);
    }
    if (!(Number.isInteger(maxSpeakers) && maxSpeakers >= 1 && maxSpeakers <= 1000)) {
      throw new RangeError(`Cannot mix: maxSpeakers is ${maxSpeakers}, expected 1 to 1000`);
    }
    this.#maxSpeakers = maxSpeakers;
    this.#duckedGain = 10 ** (-duckDb / 20);
    this.#playoutDelay = samplesOfMs(playoutDelayMs);
    this.#capacity = samplesOfMs(maxQueuedMs);
  }

  /** Queues sound of the speaker in `slot`, which is copied. The end of a talkspurt is played without waiting for more. */
  push(slot: number, pcm: Int16Array, position: 'within' | 'last'): void {
    const queue = this.#queue(slot);
    this.#pushes += 1;
    queue.pushed = this.#pushes;
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

  /** Fills `out` with the sum of all speakers, saturated; where nobody speaks, with silence. */
  pull(out: Int16Array): void {
    if (this.#sums.length < out.length) {
      this.#sums = new Int32Array(out.length);
      this.#prioritySums = new Int32Array(out.length);
    }
    this.#sums.fill(0, 0, out.length);
    this.#prioritySums.fill(0, 0, out.length);
    this.#duckFor = Math.max(0, this.#duckFor - out.length);
    for (const [slot, queue] of this.#queues) {
      if (queue.state === 'filling') {
        // Sound that is too short to fill the delay is played even without an end, as when the terminator was lost.
        if (queue.samples > 0) queue.waited += out.length;
        if (queue.waited >= Math.max(1, this.#playoutDelay)) this.#play(queue);
        continue;
      }
      const hasPriority = this.#priority.has(slot);
      if (hasPriority) this.#duckFor = DUCK_HOLD;
      const sums = hasPriority ? this.#prioritySums : this.#sums;
      const samples = Math.min(queue.samples, out.length);
      for (let i = 0; i < samples; i++) sums[i]! += queue.pcm[(queue.start + i) % this.#capacity]!;
      queue.start = (queue.start + samples) % this.#capacity;
      queue.samples -= samples;
      if (queue.samples === 0) queue.state = 'filling';
    }
    this.#duck(out.length);
    for (let i = 0; i < out.length; i++) {
      out[i] = Math.max(-32_768, Math.min(32_767, this.#sums[i]! + this.#prioritySums[i]!));
    }
  }

  /** Gives or removes priority; at first nobody has it. While a priority speaker is heard, the others are lowered. */
  setPriority(slot: number, priority: MixerPriority): void {
    this.#priority.delete(slot);
    if (priority === 'none') return;
    if (this.#priority.size >= this.#maxSpeakers)
      this.#priority.delete(this.#priority.values().next().value!);
    this.#priority.add(slot);
  }

  /** Forgets a speaker, and their priority. */
  forget(slot: number): void {
    this.#queues.delete(slot);
    this.#priority.delete(slot);
  }

  /** Lowers or raises the others by one step per sample. */
  #duck(length: Samples): void {
    const wanted = this.#duckFor > 0 ? this.#duckedGain : 1;
    if (wanted === 1 && this.#gain === 1) return;
    const step = (1 - this.#duckedGain) / DUCK_RAMP;
    const sums = this.#sums;
    for (let i = 0; i < length; i++) {
      this.#gain =
        this.#gain > wanted ? Math.max(wanted, this.#gain - step) : Math.min(wanted, this.#gain + step);
      sums[i] = Math.round(sums[i]! * this.#gain);
    }
  }

  #play(queue: Queue): void {
    queue.state = 'playing';
    queue.waited = 0;
  }

  #queue(slot: number): Queue {
    let queue = this.#queues.get(slot);
    if (!queue) {
      const pcm = this.#queues.size < this.#maxSpeakers ? new Int16Array(this.#capacity) : this.#evict();
      queue = { pcm, start: 0, samples: 0, waited: 0, state: 'filling', pushed: 0 };
      this.#queues.set(slot, queue);
    }
    return queue;
  }

  /** Takes the queue of the speaker who was silent for longest; its memory is reused. */
  #evict(): Int16Array {
    let oldestSlot = -1;
    let oldest: Queue | null = null;
    for (const [slot, queue] of this.#queues) {
      if (oldest && queue.pushed > oldest.pushed) continue;
      oldestSlot = slot;
      oldest = queue;
    }
    this.#queues.delete(oldestSlot);
    this.droppedSamples += oldest!.samples;
    this.evictedSpeakers += 1;
    return oldest!.pcm;
  }
}
