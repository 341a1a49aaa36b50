/**
 * What waits between the worker and the sound output: as little as the worker's delays allow. It begins with 20 ms, grows by 10 ms with each
 * underrun, up to 120 ms, and shrinks again by 10 ms after ten seconds without one. Pure.
 */

const LEAST_MS = 20;
const MOST_MS = 120;
const STEP_MS = 10;
const CALM_MS = 10_000;
const MS_PER_S = 1000;

export class PlaybackBuffer {
  readonly #rateHz: number;
  readonly #samples: Int16Array;
  #read = 0;
  #written = 0;
  /** Asked for, and not here yet. */
  #coming = 0;
  #targetMs = LEAST_MS;
  #calm = 0;
  #state: 'filling' | 'playing' = 'filling';
  /** How often there was nothing to play. */
  underruns = 0;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
    this.#samples = new Int16Array(this.#samplesOf(2 * MOST_MS + STEP_MS));
  }

  /** How much waits on purpose, in ms. */
  get targetMs(): number {
    return this.#targetMs;
  }

  get waiting(): number {
    return this.#written - this.#read;
  }

  /** What does not fit is lost: it would be played late. */
  push(pcm: Int16Array): void {
    this.#coming = Math.max(0, this.#coming - pcm.length);
    const room = this.#samples.length - this.waiting;
    for (let at = 0; at < Math.min(room, pcm.length); at++) {
      this.#samples[this.#written % this.#samples.length] = pcm[at]!;
      this.#written += 1;
    }
  }

  /** Fills `out` with what is next, as floats. Silence where there is nothing. */
  pull(out: Float32Array): void {
    const target = this.#samplesOf(this.#targetMs);
    if (this.#state === 'filling' && this.waiting >= target) this.#state = 'playing';
    if (this.#state === 'filling') {
      out.fill(0);
      return;
    }
    const here = Math.min(out.length, this.waiting);
    for (let at = 0; at < here; at++) {
      out[at] = this.#samples[this.#read % this.#samples.length]! / 32_768;
      this.#read += 1;
    }
    out.fill(0, here);
    if (here < out.length) this.#underrun();
    else this.#played(out.length);
  }

  /** How many samples to ask for now: whole blocks of 10 ms, or 0. */
  wanted(): number {
    const block = this.#samplesOf(STEP_MS);
    const missing = this.#samplesOf(this.#targetMs) + block - this.waiting - this.#coming;
    if (missing < block) return 0;
    const wanted = Math.floor(missing / block) * block;
    this.#coming += wanted;
    return wanted;
  }

  /** What was asked for never came: the worker is another one, or stood still. */
  forget(): void {
    this.#coming = 0;
  }

  #underrun(): void {
    this.underruns += 1;
    this.#calm = 0;
    this.#targetMs = Math.min(MOST_MS, this.#targetMs + STEP_MS);
    this.#state = 'filling';
  }

  #played(samples: number): void {
    this.#calm += samples;
    if (this.#calm < this.#samplesOf(CALM_MS) || this.#targetMs === LEAST_MS) return;
    this.#calm = 0;
    this.#targetMs -= STEP_MS;
    // So the sound is that much earlier from now on.
    this.#read += Math.min(this.#samplesOf(STEP_MS), this.waiting);
  }

  #samplesOf(ms: number): number {
    return Math.round((this.#rateHz * ms) / MS_PER_S);
  }
}
