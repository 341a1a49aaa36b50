/**
 * The embedded Steam's voice: recording and decoding without a Steam client, with our own codec.
 *
 * It records from a VoiceInput instead of a microphone, at the pace of the given clock. A recording ends like a real one: a hangover
 * after key-up, silence until the encoder sends DTX frames, the end-of-recording marker, a silence packet.
 */

import { FRAME_SAMPLES, type Milliseconds, samplesOfMs, VOICE_RATE_HZ } from '../../voice/units.js';
import { VoiceResult } from '../../voice/voice_result.js';
import { VoiceEncoder } from '../../wasm/compress.js';
import { loadCodec } from '../../wasm/load.js';
import type { DecompressedVoice } from '../../wasm/voice_decompressor.js';
import { DECOMPRESS_BUFFER_BYTES, VoiceDecompressor } from '../../wasm/voice_decompressor.js';
import type { AvailableVoice, CapturedVoice } from '../voice_source.js';
import type { Clock, EmbeddedSteamOptions } from './options.js';
import { openVoiceInput, type VoiceInput } from './voice_input.js';

/** How many DTX frames close a recording, and after how much silence it closes without them. */
const CLOSING_DTX_FRAMES = 5;
const MAX_CLOSING_SAMPLES = 2 * VOICE_RATE_HZ;

/**
 * The most that one call of getVoice records, times the speed. Anything due beyond it is left out: a machine that slept must not send
 * the time of its sleep. A file continues where it was, a live input drops what it had buffered.
 */
const MAX_POLL_SAMPLES = VOICE_RATE_HZ;

/** How far an input that comes in bursts may fall behind the clock and still catch up: 200 ms. */
const MAX_BEHIND_SAMPLES = VOICE_RATE_HZ / 5;

/**
 * idle → recording ⇄ hangover → closing → draining → idle. Key-down in hangover or closing goes on recording; in draining it
 * waits for idle.
 */
type RecordingState = 'idle' | 'recording' | 'hangover' | 'closing' | 'draining';

/** Turns the input into packets, and packets into sound. Holds an encoder and decoders in the codec's memory until `close()`. */
export class EmbeddedVoice {
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #hangoverSamples: number;
  readonly #input: VoiceInput;
  readonly #encoder: VoiceEncoder;
  readonly #decompressor: VoiceDecompressor;
  readonly #pcm = new Int16Array(FRAME_SAMPLES);

  #state: RecordingState = 'idle';
  #startAgain = false;
  /** The instant from which the sound that is due is counted. */
  #pacedFrom: Milliseconds = 0;
  #pacedSamples = 0;
  #skippedSamples = 0;
  /** Samples recorded in the current state, for the states that end after a number of them. */
  #stateSamples = 0;

  /**
   * @param input Used instead of the one in `options`; closed together with this.
   * @throws HotmicError ERR_HOTMIC_INPUT or ERR_HOTMIC_WAV for the input; RangeError for options out of range.
   */
  constructor(steamId: bigint, options: EmbeddedSteamOptions, clock: Clock, input?: VoiceInput) {
    const { speed, hangoverMs } = checkedPace(options);
    loadCodec();
    this.#clock = clock;
    this.#speed = speed;
    this.#hangoverSamples = samplesOfMs(hangoverMs);
    this.#decompressor = new VoiceDecompressor({ clock });
    this.#encoder = new VoiceEncoder(steamId, options.encoder);
    try {
      this.#input = input ?? openVoiceInput(options.input ?? { kind: 'silence' });
    } catch (thrown) {
      this.#encoder.free();
      this.#decompressor.free();
      throw thrown;
    }
  }

  startVoiceRecording(): void {
    switch (this.#state) {
      case 'idle':
        this.#pacedFrom = this.#clock();
        this.#pacedSamples = 0;
        this.#input.begin();
        this.#enter('recording');
        break;
      case 'closing':
        // What the input said since then was not recorded.
        this.#input.begin();
        this.#enter('recording');
        break;
      case 'hangover':
        this.#enter('recording');
        break;
      case 'draining':
        this.#startAgain = true;
        break;
      case 'recording':
    }
  }

  stopVoiceRecording(): void {
    this.#startAgain = false;
    if (this.#state === 'recording') this.#enter('hangover');
  }

  getAvailableVoice(): AvailableVoice {
    this.#record();
    const bytes = this.#encoder.available();
    if (bytes > 0) return { result: VoiceResult.VOICE_RESULT_OK, buffer: bytes };
    return { result: this.#emptyResult(), buffer: 0 };
  }

  getVoice(buffer_size_override = 0): CapturedVoice {
    const { result, buffer: bytes } = this.getAvailableVoice();
    if (result !== VoiceResult.VOICE_RESULT_OK) return { result, written: 0, buffer: new Uint8Array(0) };
    if (buffer_size_override > 0 && buffer_size_override < bytes) {
      return { result: VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL, written: bytes, buffer: new Uint8Array(0) };
    }
    const buffer = new Uint8Array(bytes);
    return { result, written: this.#encoder.read(buffer), buffer };
  }

  getVoiceInto(target: Uint8Array): number {
    this.#record();
    const bytes = this.#encoder.available();
    if (bytes === 0) return -this.#emptyResult();
    if (bytes > target.length) return -VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL;
    return this.#encoder.read(target);
  }

  decompressVoice(
    voice: Uint8Array,
    sample_rate: number,
    buffer_size_override = DECOMPRESS_BUFFER_BYTES,
  ): DecompressedVoice {
    return this.#decompressor.decompressVoice(voice, sample_rate, buffer_size_override);
  }

  /** Sound left out because getVoice was not called for over a second, in ms. */
  get skippedMs(): Milliseconds {
    return (this.#skippedSamples * 1000) / VOICE_RATE_HZ;
  }

  get inputEnded(): boolean {
    return this.#input.ended;
  }

  close(): void {
    this.#input.close();
    this.#encoder.free();
    this.#decompressor.free();
  }

  /** Records what is due by the clock, and advances the end of a recording. */
  #record(): void {
    if (this.#state === 'idle') return;
    if (this.#isDraining) {
      if (this.#encoder.available() === 0) this.#drained();
      return;
    }
    const elapsedMs = this.#clock() - this.#pacedFrom;
    let left = Math.floor((elapsedMs * this.#speed * VOICE_RATE_HZ) / 1000) - this.#pacedSamples;
    const excess = left - Math.ceil(MAX_POLL_SAMPLES * Math.max(1, this.#speed));
    if (excess > 0) {
      this.#skippedSamples += excess;
      this.#pacedSamples += excess;
      left -= excess;
      // What a live input said while this thread was stopped is old.
      this.#input.begin();
    }
    let room = MAX_POLL_SAMPLES;
    while (left > 0 && room > 0 && !this.#isDraining) {
      const wanted = this.#pcm.subarray(0, Math.min(left, room, FRAME_SAMPLES));
      let heard = this.#state === 'closing' ? 0 : this.#input.read(wanted);
      if (heard === 0) {
        // An input without samples delays a recording but not its end. What it is late with beyond the bound is skipped.
        if (this.#state === 'recording') {
          this.#pacedSamples += Math.max(0, left - MAX_BEHIND_SAMPLES);
          break;
        }
        heard = wanted.fill(0).length;
      }
      this.#encoder.write(wanted.subarray(0, heard));
      this.#pacedSamples += heard;
      this.#stateSamples += heard;
      left -= heard;
      room -= heard;
      this.#advance();
    }
  }

  /** Moves to the next state when the current one has lasted long enough. */
  #advance(): void {
    if (this.#state === 'hangover' && this.#stateSamples >= this.#hangoverSamples) this.#enter('closing');
    if (this.#state !== 'closing') return;
    if (this.#encoder.dtxRun >= CLOSING_DTX_FRAMES || this.#stateSamples >= MAX_CLOSING_SAMPLES) {
      this.#encoder.end();
      this.#enter('draining');
    }
  }

  #drained(): void {
    this.#enter('idle');
    if (this.#startAgain) {
      this.#startAgain = false;
      this.startVoiceRecording();
    }
  }

  get #isDraining(): boolean {
    return this.#state === 'draining';
  }

  #enter(state: RecordingState): void {
    this.#state = state;
    this.#stateSamples = 0;
  }

  #emptyResult(): VoiceResult {
    return this.#state === 'idle' ? VoiceResult.VOICE_RESULT_NOT_RECORDING : VoiceResult.VOICE_RESULT_NO_DATA;
  }
}

/** The pace with its defaults. @throws RangeError for a value out of range. */
export function checkedPace({ speed = 1, hangoverMs = 200 }: EmbeddedSteamOptions): {
  readonly speed: number;
  readonly hangoverMs: Milliseconds;
} {
  if (!(speed >= 0.1 && speed <= 1000))
    throw new RangeError(`Cannot record: speed is ${speed}, expected 0.1 to 1000`);
  if (!(hangoverMs >= 0 && hangoverMs <= 2000)) {
    throw new RangeError(`Cannot record: hangoverMs is ${hangoverMs}, expected 0 to 2000`);
  }
  return { speed, hangoverMs };
}
