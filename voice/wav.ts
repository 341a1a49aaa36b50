/**
 * WAV files as bytes: reads the files that people have, writes the header of those that we record.
 *
 * Reads PCM of 8, 16, 24 and 32 bits and IEEE floats, with 1 to 8 channels, as mono floats or mono 16 bit: one of the channels, or all
 * that have sound. A file may come from anywhere, so nothing in it makes the reader throw: it returns what is wrong, in words. A
 * truncated file, or a stream whose header does not know its length, is read as far as it goes.
 */

import { writeU16, writeU32 } from './bytes.js';
import { BYTES_PER_SAMPLE, type Samples } from './units.js';
import {
  MAX_WAV_RATE_HZ,
  type MalformedWav,
  MIN_WAV_RATE_HZ,
  rateIsKnown,
  readWavFormat,
  sampleBytes,
  type WavEncoding,
  type WavFormat,
} from './wav/header.js';

export {
  MAX_WAV_CHANNELS,
  MAX_WAV_RATE_HZ,
  type MalformedWav,
  MIN_WAV_RATE_HZ,
  readWavFormat,
  scanWavHeader,
  type WavEncoding,
  type WavFormat,
  type WavRange,
} from './wav/header.js';

/** Bytes before the samples in a WAV that `wavHeader` begins. */
export const WAV_HEADER_BYTES = 44;

/** The most bytes of samples that the 32-bit sizes of a WAV can express, in whole 16-bit samples: 4 GiB minus the header. */
export const MAX_WAV_DATA_BYTES = 0xffff_ffff - 37;

/**
 * How to make it mono: the first channel, the second, or the average of all that have sound. A channel counts as silent when its peak
 * is 60 dB below the loudest one's, so a microphone on one side keeps its level. If the channels cancel each other out, having
 * opposite phases, only the loudest is used.
 */
export type WavChannel = 'left' | 'right' | 'mix';

/** A peak below this share of the loudest channel's is silence: −60 dB. */
const SILENT_SHARE = 0.001;

/** Channels whose average has less than this share of the loudest one's energy cancel each other out: −40 dB. */
const CANCELLED_SHARE = 0.0001;

/**
 * A WAV that was read. Refers to the caller's bytes, which must not change while it is in use. It returns new arrays on each call,
 * which the caller owns.
 */
export class Wav {
  readonly kind = 'wav';
  readonly encoding: WavEncoding;
  /** 4000 to 192000. */
  readonly sampleRateHz: number;
  /** As stored, 1 to 8. The methods return mono. */
  readonly channels: number;
  /** Length of the mono sound. */
  readonly samples: Samples;
  readonly #view: DataView;

  /** Use `readWav`. */
  constructor(bytes: Uint8Array, format: WavFormat) {
    this.encoding = format.encoding;
    this.sampleRateHz = format.sampleRateHz;
    this.channels = format.channels;
    this.samples = format.samples;
    const dataBytes = format.samples * format.channels * sampleBytes(format.encoding);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + format.dataOffset, dataBytes);
  }

  /** Mono samples, −1 to 1; 16 bit is `v / 32768` exactly. NaN reads as 0. @throws RangeError as `samplesInt16`. */
  samplesFloat(channel: WavChannel = 'mix'): Float32Array {
    const out = new Float32Array(this.samples);
    this.#eachSample(this.#chosen(channel), (value, at) => {
      out[at] = value;
    });
    return out;
  }

  /**
   * Mono samples in 16 bit. Bit-exact if the file is mono 16 bit; otherwise rounded to the nearest value and saturated.
   *
   * @throws RangeError for `right` of a mono file.
   */
  samplesInt16(channel: WavChannel = 'mix'): Int16Array {
    const out = new Int16Array(this.samples);
    const chosen = this.#chosen(channel);
    if (this.encoding === 'pcm16' && this.channels === 1) {
      for (let at = 0; at < out.length; at++) out[at] = this.#view.getInt16(at * BYTES_PER_SAMPLE, true);
      return out;
    }
    this.#eachSample(chosen, (value, at) => {
      out[at] = Math.min(32767, Math.round(value * 32768));
    });
    return out;
  }

  /** The channels to average, by their number. */
  #chosen(channel: WavChannel): readonly number[] {
    switch (channel) {
      case 'left':
        return [0];
      case 'right':
        if (this.channels > 1) return [1];
        throw new RangeError('Cannot take the right channel: the WAV has 1 channel, expected 2 or more');
      case 'mix':
        return this.channels === 1 ? [0] : this.#audible();
    }
  }

  /** The channels that have sound, or only the loudest if their average would be silence. */
  #audible(): readonly number[] {
    const loudness = Array.from({ length: this.channels }, (_, channel) => {
      let [peak, energy] = [0, 0];
      this.#eachSample([channel], (value) => {
        peak = Math.max(peak, Math.abs(value));
        energy += value * value;
      });
      return { channel, peak, energy };
    });
    const loudest = loudness.reduce((a, b) => (b.energy > a.energy ? b : a));
    const highest = Math.max(...loudness.map(({ peak }) => peak));
    const audible = loudness
      .filter(({ peak }) => peak >= highest * SILENT_SHARE)
      .map(({ channel }) => channel);
    let energy = 0;
    this.#eachSample(audible, (value) => {
      energy += value * value;
    });
    return energy < loudest.energy * CANCELLED_SHARE ? [loudest.channel] : audible;
  }

  #eachSample(channels: readonly number[], take: (value: number, at: number) => void): void {
    const bytes = sampleBytes(this.encoding);
    const block = bytes * this.channels;
    const read = sampleReader(this.#view, this.encoding);
    for (let at = 0, offset = 0; at < this.samples; at++, offset += block) {
      let sum = 0;
      for (const channel of channels) sum += read(offset + channel * bytes);
      take(sum / channels.length, at);
    }
  }
}

/** Reads a whole WAV file. Never throws on any bytes. The result refers to `bytes`. */
export function readWav(bytes: Uint8Array): Wav | MalformedWav {
  const format = readWavFormat(bytes);
  return format.kind === 'malformed' ? format : new Wav(bytes, format);
}

/**
 * Makes the 44 bytes that begin a mono 16-bit WAV.
 *
 * @param sampleRateHz 4000 to 192000.
 * @param dataBytes Bytes of samples behind the header: even, 0 to `MAX_WAV_DATA_BYTES`.
 * @throws RangeError for a value out of range.
 */
export function wavHeader(sampleRateHz: number, dataBytes: number): Uint8Array {
  checkWavRate(sampleRateHz);
  if (
    !Number.isInteger(dataBytes) ||
    dataBytes % 2 !== 0 ||
    dataBytes < 0 ||
    dataBytes > MAX_WAV_DATA_BYTES
  ) {
    throw new RangeError(
      `Cannot make WAV header: ${dataBytes} bytes of samples, expected an even number from 0 to ${MAX_WAV_DATA_BYTES}`,
    );
  }
  const header = new Uint8Array(WAV_HEADER_BYTES);
  putText(header, 0, 'RIFF');
  writeU32(header, 4, WAV_HEADER_BYTES - 8 + dataBytes);
  putText(header, 8, 'WAVEfmt ');
  writeU32(header, 16, 16);
  writeU16(header, 20, 1);
  writeU16(header, 22, 1);
  writeU32(header, 24, sampleRateHz);
  writeU32(header, 28, sampleRateHz * BYTES_PER_SAMPLE);
  writeU16(header, 32, BYTES_PER_SAMPLE);
  writeU16(header, 34, 8 * BYTES_PER_SAMPLE);
  putText(header, 36, 'data');
  writeU32(header, 40, dataBytes);
  return header;
}

/** @throws RangeError unless `sampleRateHz` is a whole number from 4000 to 192000. */
export function checkWavRate(sampleRateHz: number): void {
  if (Number.isInteger(sampleRateHz) && rateIsKnown(sampleRateHz)) return;
  throw new RangeError(
    `Cannot write WAV at ${sampleRateHz} Hz: expected a whole number from ${MIN_WAV_RATE_HZ} to ${MAX_WAV_RATE_HZ}`,
  );
}

/** Reads the sample at a byte offset as −1 to 1. */
function sampleReader(view: DataView, encoding: WavEncoding): (offset: number) => number {
  switch (encoding) {
    case 'pcm8':
      return (offset) => (view.getUint8(offset) - 128) / 128;
    case 'pcm16':
      return (offset) => view.getInt16(offset, true) / 0x8000;
    case 'pcm24':
      return (offset) => ((view.getInt8(offset + 2) << 16) | view.getUint16(offset, true)) / 0x80_0000;
    case 'pcm32':
      return (offset) => view.getInt32(offset, true) / 0x8000_0000;
    case 'float32':
      return (offset) => inRange(view.getFloat32(offset, true));
    case 'float64':
      return (offset) => inRange(view.getFloat64(offset, true));
  }
}

function inRange(value: number): number {
  return Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value));
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
}
