/**
 * WAV files as bytes: reads what people have lying around, writes the header of what we record.
 *
 * Reading takes PCM of 8, 16, 24 and 32 bits and IEEE floats, of 1 to 8 channels, and gives mono, as floats or as 16 bit.
 * A file comes from anywhere, so nothing in one makes the reader throw: it returns what is wrong, in words. A file cut short,
 * or a stream whose header never learnt its length, is read as far as it goes.
 */

import { readU16, readU32, writeU16, writeU32 } from './bytes.js';
import { BYTES_PER_SAMPLE, type Samples } from './units.js';

/** Bytes before the samples in a WAV that `wavHeader` begins. */
export const WAV_HEADER_BYTES = 44;

/** The most bytes of samples that the 32-bit sizes of a WAV can tell, in whole 16-bit samples: 4 GiB less the header. */
export const MAX_WAV_DATA_BYTES = 0xffff_ffff - 37;

/** Sample rates that are read and written, in Hz. */
export const MIN_WAV_RATE_HZ = 4_000;
export const MAX_WAV_RATE_HZ = 192_000;

/** The most channels that are mixed down. */
export const MAX_WAV_CHANNELS = 8;

/** How one sample is stored. `pcm8` is unsigned, the other `pcm` are signed; all little-endian. */
export type WavEncoding = 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32' | 'float64';

/** What the header says, and where the samples lie. */
export interface WavFormat {
  readonly kind: 'format';
  readonly encoding: WavEncoding;
  /** 4000 to 192000. */
  readonly sampleRateHz: number;
  /** 1 to 8. */
  readonly channels: number;
  /** Where the first sample lies, in bytes from the start of the file. */
  readonly dataOffset: number;
  /** Samples of each channel that are really in the file: whole blocks only. */
  readonly samples: Samples;
}

/** Why a file is not read: `reason` in words, `offset` the byte where it shows. */
export interface MalformedWav {
  readonly kind: 'malformed';
  readonly reason: string;
  readonly offset: number;
}

/**
 * A WAV that was read. Refers to the caller's bytes, which must not change while it is used; the arrays it gives are new ones
 * on each call, and the caller's own.
 */
export class Wav {
  readonly kind = 'wav';
  readonly encoding: WavEncoding;
  /** 4000 to 192000. */
  readonly sampleRateHz: number;
  /** As stored, 1 to 8. What the methods give is mono. */
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

  /** Mono samples, −1 to 1; 16 bit is `v / 32768` exactly. Channels are averaged; what is not a number reads as 0. */
  samplesFloat(): Float32Array {
    const out = new Float32Array(this.samples);
    this.#eachSample((value, at) => {
      out[at] = value;
    });
    return out;
  }

  /** Mono samples in 16 bit. Bit-exact where the file is mono 16 bit; else rounded to the nearest, and saturated. */
  samplesInt16(): Int16Array {
    const out = new Int16Array(this.samples);
    if (this.encoding === 'pcm16' && this.channels === 1) {
      for (let at = 0; at < out.length; at++) out[at] = this.#view.getInt16(at * BYTES_PER_SAMPLE, true);
      return out;
    }
    this.#eachSample((value, at) => {
      out[at] = Math.min(32767, Math.round(value * 32768));
    });
    return out;
  }

  #eachSample(take: (value: number, at: number) => void): void {
    const { channels } = this;
    const bytes = sampleBytes(this.encoding);
    const read = sampleReader(this.#view, this.encoding);
    for (let at = 0, offset = 0; at < this.samples; at++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++, offset += bytes) sum += read(offset);
      take(sum / channels, at);
    }
  }
}

/** Reads a whole WAV file. Never throws on any bytes. The result refers to `bytes`. */
export function readWav(bytes: Uint8Array): Wav | MalformedWav {
  const format = readWavFormat(bytes);
  return format.kind === 'malformed' ? format : new Wav(bytes, format);
}

/**
 * Reads the header of a WAV of which only the start is in memory. Never throws on any bytes.
 *
 * @param head The first bytes of the file, enough of them to hold the `fmt ` chunk and the start of the `data` chunk.
 * @param fileBytes Length of the whole file; `head.length` where not given.
 * @throws RangeError where `fileBytes` is less than the bytes of `head`.
 */
export function readWavFormat(head: Uint8Array, fileBytes: number = head.length): WavFormat | MalformedWav {
  if (!(fileBytes >= head.length)) {
    throw new RangeError(
      `Cannot read WAV: a file of ${fileBytes} bytes, wants at least the ${head.length} given`,
    );
  }
  if (head.length < 12) return malformed(`${head.length} bytes, wants at least 12 for a RIFF header`, 0);
  if (textAt(head, 0) !== 'RIFF') return malformed(`not RIFF: it starts with '${textAt(head, 0)}'`, 0);
  if (textAt(head, 8) !== 'WAVE') return malformed(`not WAVE: a RIFF file of '${textAt(head, 8)}'`, 8);
  let fmt: Fmt | null = null;
  let data: { offset: number; bytes: number } | null = null;
  for (let at = 12; at + 8 <= head.length && !(fmt && data); ) {
    const name = textAt(head, at);
    const bytes = readU32(head, at + 4);
    const body = at + 8;
    if (name === 'fmt ' && !fmt) {
      const read = readFmt(head.subarray(body, body + bytes), body);
      if (read.kind === 'malformed') return read;
      fmt = read;
    } else if (name === 'data' && !data) {
      data = { offset: body, bytes: presentBytes(head, fileBytes, body, bytes) };
    }
    // A chunk of odd length is followed by one byte that its length does not count.
    at = body + bytes + (bytes & 1);
  }
  if (!fmt) return malformed('no fmt chunk', 12);
  if (!data) return malformed('no data chunk', 12);
  const { encoding, sampleRateHz, channels } = fmt;
  const samples = Math.floor(data.bytes / (channels * sampleBytes(encoding)));
  return { kind: 'format', encoding, sampleRateHz, channels, dataOffset: data.offset, samples };
}

/**
 * Makes the 44 bytes that begin a mono 16-bit WAV.
 *
 * @param sampleRateHz 4000 to 192000.
 * @param dataBytes Bytes of samples behind the header: even, 0 to `MAX_WAV_DATA_BYTES`.
 * @throws RangeError where a value is out of its range.
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
      `Cannot make WAV header: ${dataBytes} bytes of samples, wants an even number from 0 to ${MAX_WAV_DATA_BYTES}`,
    );
  }
  const header = new Uint8Array(WAV_HEADER_BYTES);
  putText(header, 0, 'RIFF');
  writeU32(header, 4, WAV_HEADER_BYTES - 8 + dataBytes);
  putText(header, 8, 'WAVEfmt ');
  writeU32(header, 16, 16);
  writeU16(header, 20, FORMAT_PCM);
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
    `Cannot write WAV at ${sampleRateHz} Hz: wants a whole number from ${MIN_WAV_RATE_HZ} to ${MAX_WAV_RATE_HZ}`,
  );
}

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;

/** Formats that people take for WAV, by their number in the fmt chunk. */
const FORMAT_NAMES: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  6: 'A-law',
  7: 'mu-law',
  17: 'IMA ADPCM',
  49: 'GSM 6.10',
  80: 'MPEG',
  85: 'MP3',
  255: 'AAC',
  353: 'Windows Media Audio',
};

/** What follows the format's number in the subformat of WAVE_FORMAT_EXTENSIBLE. */
const SUBFORMAT_TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

interface Fmt {
  readonly kind: 'fmt';
  readonly encoding: WavEncoding;
  readonly sampleRateHz: number;
  readonly channels: number;
}

function readFmt(body: Uint8Array, offset: number): Fmt | MalformedWav {
  if (body.length < 16) return malformed(`fmt chunk of ${body.length} bytes, wants at least 16`, offset);
  let format = readU16(body, 0);
  if (format === FORMAT_EXTENSIBLE) {
    if (body.length < 40) {
      return malformed(`extensible fmt chunk of ${body.length} bytes, wants at least 40`, offset);
    }
    if (SUBFORMAT_TAIL.some((byte, at) => body[26 + at] !== byte)) {
      return malformed('extensible subformat is not PCM', offset + 24);
    }
    format = readU16(body, 24);
  }
  if (format !== FORMAT_PCM && format !== FORMAT_FLOAT) {
    return malformed(`format ${format} (${FORMAT_NAMES[format] ?? 'unknown'}) is not PCM`, offset);
  }
  const channels = readU16(body, 2);
  if (channels < 1 || channels > MAX_WAV_CHANNELS) {
    return malformed(`${channels} channels, wants 1 to ${MAX_WAV_CHANNELS}`, offset + 2);
  }
  const sampleRateHz = readU32(body, 4);
  if (!rateIsKnown(sampleRateHz)) {
    return malformed(`${sampleRateHz} Hz, wants ${MIN_WAV_RATE_HZ} to ${MAX_WAV_RATE_HZ}`, offset + 4);
  }
  const bits = readU16(body, 14);
  const encoding = encodingOf(format, bits);
  if (encoding === null) {
    const wanted = format === FORMAT_FLOAT ? 'floats of 32 or 64' : 'PCM of 8, 16, 24 or 32';
    return malformed(`${bits} bits a sample, wants ${wanted}`, offset + 14);
  }
  const block = readU16(body, 12);
  if (block !== channels * sampleBytes(encoding)) {
    return malformed(`blocks of ${block} bytes, wants ${channels * sampleBytes(encoding)}`, offset + 12);
  }
  return { kind: 'fmt', encoding, sampleRateHz, channels };
}

function encodingOf(format: number, bits: number): WavEncoding | null {
  if (format === FORMAT_FLOAT) return bits === 32 ? 'float32' : bits === 64 ? 'float64' : null;
  return bits === 8 ? 'pcm8' : bits === 16 ? 'pcm16' : bits === 24 ? 'pcm24' : bits === 32 ? 'pcm32' : null;
}

/**
 * How much of the data chunk is there. A stream's header says 0, or more than there is. A 0 is believed only where the RIFF
 * size tells the file's true length: then somebody knew the length, and it is an empty sound.
 */
function presentBytes(head: Uint8Array, fileBytes: number, body: number, declaredBytes: number): number {
  const rest = Math.max(0, fileBytes - body);
  const lengthIsKnown = readU32(head, 4) + 8 === fileBytes;
  return declaredBytes === 0 && !lengthIsKnown ? rest : Math.min(declaredBytes, rest);
}

function sampleBytes(encoding: WavEncoding): number {
  switch (encoding) {
    case 'pcm8':
      return 1;
    case 'pcm16':
      return 2;
    case 'pcm24':
      return 3;
    case 'pcm32':
    case 'float32':
      return 4;
    case 'float64':
      return 8;
  }
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

function rateIsKnown(sampleRateHz: number): boolean {
  return sampleRateHz >= MIN_WAV_RATE_HZ && sampleRateHz <= MAX_WAV_RATE_HZ;
}

/** Four bytes as text, for a message too: what does not print shows as a dot. */
function textAt(bytes: Uint8Array, at: number): string {
  let text = '';
  for (const byte of bytes.subarray(at, at + 4)) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  return text;
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
}

function malformed(reason: string, offset: number): MalformedWav {
  return { kind: 'malformed', reason, offset };
}
