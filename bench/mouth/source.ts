/** A Steam for the capture worker: its microphone hears chirps, and it notes when its recording began. */

import { EmbeddedSteam } from '../../native/embedded/steam.js';
import type { VoiceInput } from '../../native/embedded/voice_input.js';
import type { VoiceSource } from '../../native/voice_source.js';
import type { Milliseconds, Samples } from '../../voice/units.js';
import { CHIRP } from './chirp.js';

/** Options of `openVoiceSource`. */
export interface ChirpSourceOptions {
  readonly steamId: bigint;
  /** Between the beginnings of two chirps; the first one comes after as much. */
  readonly everySamples: Samples;
  readonly chirps: number;
  /** One float: when the first sample of the recording was due, on CLOCK_MONOTONIC. */
  readonly beganAt: SharedArrayBuffer;
}

/** Sample `n` of the input is due `n / 24` ms after the recording began: the embedded Steam keeps to that. */
class Chirps implements VoiceInput {
  readonly #options: ChirpSourceOptions;
  readonly #clock: () => Milliseconds;
  #at: Samples = 0;
  #noise = 1;

  constructor(options: ChirpSourceOptions, clock: () => Milliseconds) {
    this.#options = options;
    this.#clock = clock;
  }

  begin(): void {
    new Float64Array(this.#options.beganAt)[0] = this.#clock();
  }

  read(target: Int16Array): number {
    const { everySamples, chirps } = this.#options;
    for (let i = 0; i < target.length; i++, this.#at++) {
      const number = Math.floor(this.#at / everySamples);
      // A room is never silent: noise of about −60 dBFS, by a fixed generator.
      this.#noise = (this.#noise * 16_807) % 2_147_483_647;
      const noise = (this.#noise / 2_147_483_647 - 0.5) * 64;
      const chirp = number >= 1 && number <= chirps ? (CHIRP[this.#at % everySamples] ?? 0) : 0;
      target[i] = Math.round(chirp + noise);
    }
    return target.length;
  }

  get ended(): boolean {
    return this.#at > (this.#options.chirps + 2) * this.#options.everySamples;
  }

  close(): void {}
}

export function openVoiceSource(options: ChirpSourceOptions, clock: () => Milliseconds): VoiceSource {
  const { steamId } = options;
  return new EmbeddedSteam(
    { steamId, encoder: { dtx: false } },
    { clock, input: new Chirps(options, clock) },
  );
}
