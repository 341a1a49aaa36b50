/**
 * What WebRTC does to a microphone: echo cancellation, noise suppression and gain control, by the Rust port sonora. A WebAssembly module of
 * its own, `pkg/hotmic_processing.wasm`, which only who uses it loads. Runs where the codec runs.
 *
 * Not for Steam's microphone: Steam processes it before we get it. Browsers do it too, by the constraints of getUserMedia.
 */

import { HotmicError, messageOf } from '../voice/error.js';
import type { Milliseconds, Samples } from '../voice/units.js';

/** The rates of `MicrophoneProcessor`, in Hz. */
export const PROCESSING_RATES_HZ = [16_000, 24_000, 32_000, 48_000] as const;

/** What a processor does. Low rumble, below about 100 Hz, is always removed. */
export interface MicrophoneProcessing {
  /**
   * Removes what the loudspeaker plays, as far as `notePlayed` names it. Costs 8 ms of delay, and more than half of the time that all three
   * take. Default false.
   */
  readonly echoCancellation?: boolean;
  /** Removes steady noise, by about 12 dB. Costs 6 ms of delay. Default false. */
  readonly noiseSuppression?: boolean;
  /** Brings a voice slowly to the usual loudness, and limits it. Default false. */
  readonly gainControl?: boolean;
}

export interface MicrophoneProcessorOptions extends MicrophoneProcessing {
  /** One of `PROCESSING_RATES_HZ`. */
  readonly sampleRateHz: number;
}

/** Bits of the module's `processor_new`. */
const ECHO = 1;
const NOISE = 2;
const GAIN = 4;

/** Delays, in ms: measured, and checked by test/wasm/processing.test.ts. */
const ECHO_DELAY_MS = 8;
const NOISE_DELAY_MS = 6;

/** Delay of what is always done, in samples, by rate. At 24 kHz the module works at 32 kHz. */
const LEAST_DELAY: Readonly<Record<number, Samples>> = { 16000: 0, 24000: 31, 32000: 3, 48000: 46 };

/** The module's functions (wasm/processing/src/lib.rs). */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  processor_new(rateHz: number, what: number): number;
  processor_captured(processor: number): number;
  processor_played(processor: number): number;
  processor_note_played(processor: number): number;
  processor_process(processor: number, delayMs: number): number;
}

/** The part of WebAssembly's interface used here. Its types are in the DOM library, which not every part uses. */
declare const WebAssembly: {
  readonly Module: new (bytes: ArrayBuffer | ArrayBufferView) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** One microphone, mono. Holds about 2 MB, which is freed with it. */
export class MicrophoneProcessor {
  readonly sampleRateHz: number;
  /** The length of each call: 10 ms. */
  readonly frameSamples: Samples;
  /** By how much what comes out is later than what went in; with echo cancellation before the first `notePlayed`, 4 ms less. */
  readonly delaySamples: Samples;
  readonly #exports: Exports;
  readonly #processor: number;

  /**
   * Takes some ms: do not make it on a real-time thread.
   *
   * @param module What `compileProcessing` gives, or the bytes of `pkg/hotmic_processing.wasm`.
   * @throws RangeError for another rate; HotmicError ERR_HOTMIC_CODEC when `module` is another module, or the engine refuses it.
   */
  constructor(module: object, options: MicrophoneProcessorOptions) {
    const { sampleRateHz, echoCancellation, noiseSuppression, gainControl } = options;
    const least = LEAST_DELAY[sampleRateHz];
    if (least === undefined) {
      const wanted = `expected one of ${PROCESSING_RATES_HZ.join(', ')}`;
      throw new RangeError(`Cannot process a microphone: sampleRateHz is ${sampleRateHz}, ${wanted}`);
    }
    const ms = (echoCancellation ? ECHO_DELAY_MS : 0) + (noiseSuppression ? NOISE_DELAY_MS : 0);
    this.sampleRateHz = sampleRateHz;
    this.frameSamples = sampleRateHz / 100;
    this.delaySamples = least + (ms * sampleRateHz) / 1000;
    this.#exports = start(module);
    const what = (echoCancellation ? ECHO : 0) | (noiseSuppression ? NOISE : 0) | (gainControl ? GAIN : 0);
    this.#processor = this.#exports.processor_new(sampleRateHz, what);
    // The first frames make what is made once.
    for (let frame = 0; frame < 2; frame++) this.process(new Float32Array(this.frameSamples));
  }

  /**
   * Names the 10 ms that the loudspeaker plays next: what `pull` gave. Call it in step with `process`. Without `echoCancellation` it is of no
   * use.
   *
   * @param pcm `frameSamples` floats, of which 1 is full scale; only read.
   * @throws RangeError for another length.
   */
  notePlayed(pcm: Float32Array): void {
    this.#room(pcm, this.#exports.processor_played(this.#processor)).set(pcm);
    this.#exports.processor_note_played(this.#processor);
  }

  /**
   * Processes the next 10 ms of the microphone, in place. Real-time, allocates only a view: docs/codec.md has what it costs.
   *
   * @param pcm `frameSamples` floats, of which 1 is full scale.
   * @param echoDelayMs How long after `notePlayed` its echo is in `pcm`, about: the buffers of loudspeaker and microphone. 0 to 500. It is
   *   only the start of a search.
   * @throws RangeError for another length.
   */
  process(pcm: Float32Array, echoDelayMs: Milliseconds = 50): void {
    this.#room(pcm, this.#exports.processor_captured(this.#processor)).set(pcm);
    this.#exports.processor_process(this.#processor, echoDelayMs);
    // The call may have moved the module's memory.
    pcm.set(this.#room(pcm, this.#exports.processor_captured(this.#processor)));
  }

  #room(pcm: Float32Array, place: number): Float32Array {
    if (pcm.length !== this.frameSamples)
      throw new RangeError(
        `Cannot process a microphone: ${pcm.length} samples, expected ${this.frameSamples} (10 ms)`,
      );
    return new Float32Array(this.#exports.memory.buffer, place, this.frameSamples);
  }
}

function start(module: object): Exports {
  try {
    const isBytes = module instanceof ArrayBuffer || ArrayBuffer.isView(module);
    const compiled = isBytes ? new WebAssembly.Module(module) : module;
    const exports = new WebAssembly.Instance(compiled, {}).exports as Exports;
    if (typeof exports.processor_new !== 'function') throw new TypeError('it exports no processor_new');
    return exports;
  } catch (cause) {
    const what = `Cannot process a microphone: ${messageOf(cause)}, expected hotmic_processing.wasm`;
    throw new HotmicError('ERR_HOTMIC_CODEC', what, { cause });
  }
}
