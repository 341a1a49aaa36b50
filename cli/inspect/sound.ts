/** `hotmic inspect --wav`: decodes packets in order, as one speaker's, into a growing WAV. */

import { WavWriter } from '../../record/wav_writer.js';
import { HotmicError } from '../../voice/error.js';
import { printable } from '../../voice/printable.js';
import { msOfSamples, VOICE_RATE_HZ } from '../../voice/units.js';
import { VoiceResult } from '../../voice/voice_result.js';
import { MAX_DECODED_SAMPLES, VoiceDecoder } from '../../wasm/decompress.js';
import { loadCodec } from '../../wasm/load.js';
import { counted } from '../greeting.js';

/** The longest sound that is decoded: an hour. */
const MAX_WAV_SAMPLES = 3600 * VOICE_RATE_HZ;

/** Samples that are written at once. */
const FLUSH_SAMPLES = 10 * VOICE_RATE_HZ;

export class InspectedSound {
  readonly #path: string;
  readonly #decoder: VoiceDecoder;
  readonly #scratch = new Int16Array(MAX_DECODED_SAMPLES);
  /** Created with the first sound: packets without sound leave no file. */
  #writer: WavWriter | null = null;
  #packets = 0;
  #samples = 0;
  #unwritten = 0;

  constructor(path: string) {
    loadCodec();
    this.#path = path;
    this.#decoder = new VoiceDecoder(VOICE_RATE_HZ);
  }

  /** Adds a packet. One that does not decode is reported on standard error. */
  async take(file: string, packet: Uint8Array): Promise<void> {
    this.#packets += 1;
    const { result, samples } = this.#decoder.decompress(packet, this.#scratch);
    if (result !== VoiceResult.VOICE_RESULT_OK)
      console.error(`${printable(file)}: not decoded, VoiceResult ${result}`);
    if (samples === 0) return;
    if (this.#samples + samples > MAX_WAV_SAMPLES) {
      throw new HotmicError('ERR_HOTMIC_WAV_FULL', `Cannot decode ${file}: the WAV has an hour already`);
    }
    this.#writer ??= await WavWriter.create(this.#path, { sampleRateHz: VOICE_RATE_HZ });
    this.#writer.writeAt(this.#samples, this.#scratch.subarray(0, samples));
    this.#samples += samples;
    this.#unwritten += samples;
    if (this.#unwritten < FLUSH_SAMPLES) return;
    this.#unwritten = 0;
    await this.#writer.flush();
  }

  /** Closes the WAV. */
  async close(): Promise<void> {
    await this.#writer?.close();
  }

  /** Prints how long the WAV is. @throws HotmicError ERR_HOTMIC_INPUT when nothing was decoded. */
  report(): void {
    if (this.#writer === null) {
      const what = `${counted(this.#packets, 'packet')}, and no sound in them`;
      throw new HotmicError(
        'ERR_HOTMIC_INPUT',
        `Cannot write ${this.#path}: ${what}, expected some that decode`,
      );
    }
    console.error(`${this.#path}: ${(msOfSamples(this.#samples) / 1000).toFixed(2)} s`);
  }
}
