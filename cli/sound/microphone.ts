/**
 * A microphone by a tool of this machine: its PCM goes to `onSound` as it comes. A device that is unplugged is waited for.
 *
 * Bounds: sound that is older than 200 ms when it comes, because this process or the tool was stopped, is dropped and counted.
 */

import { monotonicMs } from '../../client/clock.js';
import { LevelMeter } from '../../voice/mixing/level_meter.js';
import { TokenBucket } from '../../voice/token_bucket.js';
import { type Milliseconds, type Samples, samplesOfMs } from '../../voice/units.js';
import { type ChosenSound, RATE_HZ, soundError } from './choose.js';
import { PcmBytes } from './pcm_bytes.js';
import { ToolProcess } from './tool_process.js';

export interface SoundNotices {
  /** The device is gone, or has not come yet; it is tried again. */
  onLost(reason: string): void;
  onBack(): void;
}

export interface MicrophoneOptions extends SoundNotices {
  /** 24 kHz, mono; valid during the call. */
  readonly onSound: (pcm: Int16Array) => void;
}

/** More than real time is accepted in so much at once. */
const MAX_LATE: Samples = samplesOfMs(200);

/** A tool that is silent for so long is stuck: a microphone always gives sound, if only noise. */
const STUCK_MS: Milliseconds = 5000;

/** How long the first sound may take. */
const OPEN_MS: Milliseconds = 15_000;

export class DeviceMicrophone {
  readonly #tool: ToolProcess;
  readonly #meter = new LevelMeter();
  #watch: NodeJS.Timeout | undefined;
  /** Samples that came too late. */
  lateSamples: Samples = 0;

  private constructor(
    chosen: ChosenSound,
    options: MicrophoneOptions,
    opened: (error: string | null) => void,
  ) {
    const bytes = new PcmBytes();
    // The clocks of devices differ by less than 1 %.
    const budget = new TokenBucket(1.01 * RATE_HZ, MAX_LATE, monotonicMs());
    let isOpen = false;
    let lastAt = monotonicMs();
    this.#tool = new ToolProcess(chosen.invocation, 'stdout', {
      onStart: (child) => {
        lastAt = monotonicMs();
        bytes.reset();
        child.stdout?.on('data', (chunk: Buffer) => {
          lastAt = monotonicMs();
          if (!isOpen) opened(null);
          isOpen = true;
          this.#tool.works();
          const pcm = bytes.samples(chunk);
          if (!budget.has(pcm.length, lastAt)) {
            this.lateSamples += pcm.length;
            return;
          }
          budget.take(pcm.length);
          this.#meter.update(pcm);
          options.onSound(pcm);
        });
      },
      onLost: (reason) => {
        this.#meter.reset();
        if (isOpen) options.onLost(reason);
        else opened(reason);
      },
      onBack: options.onBack,
    });
    this.#watch = setInterval(() => {
      if (this.#tool.state === 'open' && isOpen && monotonicMs() - lastAt > STUCK_MS)
        this.#tool.restart(`no sound for ${STUCK_MS / 1000} s`);
    }, 1000).unref();
  }

  /** Opens it, and waits for its first sound. @throws HotmicError ERR_HOTMIC_SOUND when there is no sound. */
  static async open(chosen: ChosenSound, options: MicrophoneOptions): Promise<DeviceMicrophone> {
    let late: NodeJS.Timeout | undefined;
    let microphone: DeviceMicrophone | null = null;
    const failed = await new Promise<string | null>((resolve) => {
      late = setTimeout(() => resolve(`no sound within ${OPEN_MS / 1000} s`), OPEN_MS);
      microphone = new DeviceMicrophone(chosen, options, resolve);
    });
    clearTimeout(late);
    if (failed === null) return microphone!;
    microphone!.close();
    throw soundError('capture', `${chosen.label}: ${failed}`);
  }

  /** How loud it is now, whether or not it is sent. */
  get rmsDb(): number {
    return this.#meter.level().rmsDb;
  }

  close(): void {
    clearInterval(this.#watch);
    this.#tool.close();
  }
}
