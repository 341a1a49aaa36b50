/** A listener's sound output: it asks for 5 ms every 5 ms, and keeps what it got and when. */

import { monotonicMs } from '../../client/clock.js';
import { type Milliseconds, msOfSamples, type Samples, samplesOfMs } from '../../voice/units.js';

const PULL: Samples = samplesOfMs(5);

/** Mono at 24 kHz. The instant of a sample is that of the pull that returned it, plus its place in the pull. */
export class Ear {
  readonly #pull: (out: Int16Array) => void;
  readonly #blocks: Int16Array[] = [];
  readonly #instants: Milliseconds[] = [];
  #nextAt = monotonicMs();
  #timer: NodeJS.Timeout;
  /** Pulls that came more than one pull late. */
  late = 0;

  constructor(pull: (out: Int16Array) => void) {
    this.#pull = pull;
    this.#timer = setTimeout(this.#turn, 0);
  }

  get pulls(): number {
    return this.#blocks.length;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  heard(): Int16Array {
    const pcm = new Int16Array(this.pulls * PULL);
    for (const [at, block] of this.#blocks.entries()) pcm.set(block, at * PULL);
    return pcm;
  }

  /** When a sample was given to the output. */
  instantOf(at: Samples): Milliseconds {
    return this.#instants[Math.floor(at / PULL)]! + msOfSamples(at % PULL);
  }

  readonly #turn = (): void => {
    const now = monotonicMs();
    if (now - this.#nextAt > msOfSamples(PULL)) {
      this.late += 1;
      this.#nextAt = now;
    }
    const block = new Int16Array(PULL);
    this.#pull(block);
    this.#blocks.push(block);
    this.#instants.push(now);
    this.#nextAt += msOfSamples(PULL);
    this.#timer = setTimeout(this.#turn, Math.max(0, this.#nextAt - monotonicMs()));
  };
}
