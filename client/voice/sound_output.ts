/** The sound of a lobby at the rate of a sound output: the mix, or each speaker by themselves. */

import type { Milliseconds, Samples } from '../../voice/units.js';
import type { LobbyPlayout } from '../playout/lobby_playout.js';
import { OutputRate, RateConverter } from '../playout/output_rate.js';

export class SoundOutput {
  readonly #playout: LobbyPlayout;
  readonly #rate: OutputRate;
  /** Of the mix, one per channel; made at the first pull. */
  #mixed: RateConverter[] = [];
  /** Of each speaker, by slot. */
  readonly #each = new Map<number, { readonly converter: RateConverter; pulledIn: number }>();
  #pulls = 0;
  /** Sound at 24 kHz: interleaved, and one channel of it. */
  #pcm = new Int16Array(0);
  #channel = new Int16Array(0);
  #out = new Int16Array(0);
  #state: 'open' | 'closed' = 'open';

  /** @throws RangeError for a rate out of its range. */
  constructor(playout: LobbyPlayout, rateHz: number) {
    this.#playout = playout;
    this.#rate = new OutputRate(rateHz);
  }

  pull(out: Int16Array, now: Milliseconds): Int16Array {
    const { channels } = this.#playout;
    const samples = out.length / channels;
    if (!Number.isInteger(samples)) {
      throw new RangeError(
        `Cannot play: out has ${out.length} samples, expected an even number for 2 channels`,
      );
    }
    if (this.#state === 'closed') return out.fill(0);
    const input = this.#rate.inputFor(samples);
    if (this.#mixed.length === 0)
      this.#mixed = Array.from({ length: channels }, () => new RateConverter(this.#rate));
    if (this.#pcm.length !== input * channels) {
      this.#pcm = new Int16Array(input * channels);
      this.#channel = new Int16Array(input);
    }
    this.#playout.pull(this.#pcm, now);
    for (const [index, converter] of this.#mixed.entries()) {
      for (let at = 0; at < input; at++) this.#channel[at] = this.#pcm[at * channels + index]!;
      converter.convert(this.#channel, out, samples, index, channels);
    }
    this.#rate.made(samples);
    return out;
  }

  pullEach(samples: Samples, now: Milliseconds, take: (slot: number, pcm: Int16Array) => void): void {
    if (this.#state === 'closed') return;
    if (this.#out.length !== samples) this.#out = new Int16Array(samples);
    this.#pulls += 1;
    this.#playout.pullEach(this.#rate.inputFor(samples), now, (slot, pcm) => {
      let own = this.#each.get(slot);
      if (!own) {
        own = { converter: new RateConverter(this.#rate), pulledIn: 0 };
        this.#each.set(slot, own);
      }
      own.pulledIn = this.#pulls;
      own.converter.convert(pcm, this.#out, samples);
      take(slot, this.#out);
    });
    this.#rate.made(samples);
    // Who left this pull out is no longer in step.
    for (const [slot, { pulledIn }] of this.#each) if (pulledIn !== this.#pulls) this.forget(slot);
  }

  /** Somebody else has this slot now. */
  forget(slot: number): void {
    this.#each.get(slot)?.converter.free();
    this.#each.delete(slot);
  }

  close(): void {
    this.#state = 'closed';
    for (const converter of this.#mixed) converter.free();
    for (const slot of [...this.#each.keys()]) this.forget(slot);
  }
}
