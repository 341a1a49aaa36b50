/**
 * The header of a WAV file: how its samples are stored, and where. RIFF, and RF64 for more than 4 GiB.
 *
 * Sans-IO: `scanWavHeader` says which bytes it needs next, so that a header of any length is read by the same code from memory and from
 * disk. Nothing in a file makes it throw; it returns what is wrong, in words.
 */

import { readU16, readU32 } from '../bytes.js';
import type { Samples } from '../units.js';

/** Sample rates that are read and written, in Hz. */
export const MIN_WAV_RATE_HZ = 4_000;
/** The highest rate of a WAV that is read, in Hz. */
export const MAX_WAV_RATE_HZ = 192_000;

/** The most channels that are mixed down. */
export const MAX_WAV_CHANNELS = 8;

/** The most chunks that are skipped: no real WAV has more. */
const MAX_CHUNKS = 1000;

/** The most bytes of a fmt chunk that have a meaning. */
const MAX_FMT_BYTES = 40;

/** How one sample is stored. `pcm8` is unsigned, the other `pcm` are signed; all little-endian. */
export type WavEncoding = 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32' | 'float64';

/** What the header says, and where the samples are. */
export interface WavFormat {
  readonly kind: 'format';
  readonly encoding: WavEncoding;
  /** 4000 to 192000. */
  readonly sampleRateHz: number;
  /** 1 to 8. */
  readonly channels: number;
  /** Position of the first sample, in bytes from the start of the file. */
  readonly dataOffset: number;
  /** Samples per channel that are really in the file: whole blocks only. */
  readonly samples: Samples;
}

/** Why a file cannot be read: `reason` in words, `offset` the byte where it shows. */
export interface MalformedWav {
  readonly kind: 'malformed';
  readonly reason: string;
  readonly offset: number;
}

/** Bytes of the file that the scan asks for. */
export interface WavRange {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Reads the header of a WAV when only its start is in memory. Never throws on any bytes.
 *
 * @param head The first bytes of the file, enough of them to hold the `fmt ` chunk and the start of the `data` chunk.
 * @param fileBytes Length of the whole file. Default `head.length`.
 * @throws RangeError if `fileBytes` is less than the bytes of `head`.
 */
export function readWavFormat(head: Uint8Array, fileBytes: number = head.length): WavFormat | MalformedWav {
  if (!(fileBytes >= head.length)) {
    throw new RangeError(
      `Cannot read WAV: a file of ${fileBytes} bytes, expected at least the ${head.length} given`,
    );
  }
  const scan = scanWavHeader(fileBytes);
  for (let step = scan.next(); ; ) {
    if (step.done) return step.value;
    const { offset, bytes } = step.value;
    if (offset + bytes > head.length && head.length < fileBytes) {
      return malformed(`the header is longer than the ${head.length} bytes given`, head.length);
    }
    step = scan.next(head.subarray(offset, offset + bytes));
  }
}

/**
 * Reads a header piece by piece: yields the range that it needs, is given its bytes (fewer at the file's end), returns the format. At
 * most 2000 pieces of at most 40 bytes.
 *
 * @param fileBytes Length of the whole file.
 */
export function* scanWavHeader(fileBytes: number): Generator<WavRange, WavFormat | MalformedWav, Uint8Array> {
  const riff = yield { offset: 0, bytes: 12 };
  const other = otherFormat(riff);
  if (other !== null) return malformed(`it is ${other}, expected a WAV; convert it first`, 0);
  if (riff.length < 12) return malformed(`${riff.length} bytes, expected at least 12 for a RIFF header`, 0);
  const magic = textAt(riff, 0);
  const isLong = magic === 'RF64' || magic === 'BW64';
  if (magic !== 'RIFF' && !isLong) return malformed(`not RIFF: it starts with '${magic}'`, 0);
  if (textAt(riff, 8) !== 'WAVE') return malformed(`not WAVE: a RIFF file of '${textAt(riff, 8)}'`, 8);
  let riffBytes = readU32(riff, 4);
  let fmt: Fmt | null = null;
  let data: { offset: number; bytes: number } | null = null;
  /** RF64's length of the data chunk, which does not fit into the chunk's own 32 bits. */
  let longDataBytes: number | null = null;
  let at = 12;
  for (let chunks = 0; at + 8 <= fileBytes && !(fmt && data); chunks++) {
    if (chunks === MAX_CHUNKS) return malformed(`more than ${MAX_CHUNKS} chunks before the sound`, at);
    const header = yield { offset: at, bytes: 8 };
    if (header.length < 8) break;
    const name = textAt(header, 0);
    let bytes = readU32(header, 4);
    const body = at + 8;
    if (name === 'ds64' && isLong && longDataBytes === null) {
      const sizes = yield { offset: body, bytes: Math.min(bytes, 24) };
      if (sizes.length < 16)
        return malformed(`ds64 chunk of ${sizes.length} bytes, expected at least 24`, body);
      riffBytes = readU64(sizes, 0);
      longDataBytes = readU64(sizes, 8);
    } else if (name === 'fmt ' && !fmt) {
      const read = readFmt(yield { offset: body, bytes: Math.min(bytes, MAX_FMT_BYTES) }, body);
      if (read.kind === 'malformed') return read;
      fmt = read;
    } else if (name === 'data' && !data) {
      if (bytes === 0xffff_ffff && longDataBytes !== null) bytes = longDataBytes;
      data = { offset: body, bytes: presentBytes(riffBytes, fileBytes, body, bytes) };
    }
    // A chunk of odd length is followed by one byte that is not included in its length.
    at = body + bytes + (bytes % 2);
  }
  if (!fmt) return malformed('no fmt chunk', 12);
  if (!data) return malformed('no data chunk', 12);
  const { encoding, sampleRateHz, channels } = fmt;
  const samples = Math.floor(data.bytes / (channels * sampleBytes(encoding)));
  return { kind: 'format', encoding, sampleRateHz, channels, dataOffset: data.offset, samples };
}

/** Sound files that people mistake for WAV, by their first bytes. */
const OTHER_FORMATS: readonly (readonly [magic: string, name: string])[] = [
  ['.snd', 'an AU file, whose sound is often mu-law'],
  ['OggS', 'an Ogg file'],
  ['fLaC', 'a FLAC file'],
  ['ID3', 'an MP3 file'],
  ['caff', 'a CAF file'],
  ['RIFX', 'a big-endian WAV (RIFX)'],
];

function otherFormat(head: Uint8Array): string | null {
  const text = textAt(head, 0);
  if (text === 'FORM') {
    const type = textAt(head, 8);
    if (type === 'AIFF') return 'an AIFF file';
    if (type === 'AIFC') return 'a compressed AIFF file (AIFC)';
  }
  return OTHER_FORMATS.find(([magic]) => text.startsWith(magic))?.[1] ?? null;
}

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;

/** Formats other than PCM, by their number in the fmt chunk. */
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
  if (body.length < 16) return malformed(`fmt chunk of ${body.length} bytes, expected at least 16`, offset);
  let format = readU16(body, 0);
  if (format === FORMAT_EXTENSIBLE) {
    if (body.length < 40) {
      return malformed(`extensible fmt chunk of ${body.length} bytes, expected at least 40`, offset);
    }
    if (SUBFORMAT_TAIL.some((byte, at) => body[26 + at] !== byte)) {
      return malformed('extensible subformat is not PCM', offset + 24);
    }
    format = readU16(body, 24);
  }
  if (format !== FORMAT_PCM && format !== FORMAT_FLOAT) {
    return malformed(
      `format ${format} (${FORMAT_NAMES[format] ?? 'unknown'}) is not PCM; convert it to 16-bit PCM first`,
      offset,
    );
  }
  const channels = readU16(body, 2);
  if (channels < 1 || channels > MAX_WAV_CHANNELS) {
    return malformed(`${channels} channels, expected 1 to ${MAX_WAV_CHANNELS}`, offset + 2);
  }
  const sampleRateHz = readU32(body, 4);
  if (!rateIsKnown(sampleRateHz)) {
    return malformed(`${sampleRateHz} Hz, expected ${MIN_WAV_RATE_HZ} to ${MAX_WAV_RATE_HZ}`, offset + 4);
  }
  const bits = readU16(body, 14);
  const encoding = encodingOf(format, bits);
  if (encoding === null) {
    const wanted = format === FORMAT_FLOAT ? 'floats of 32 or 64' : 'PCM of 8, 16, 24 or 32';
    return malformed(`${bits} bits per sample, expected ${wanted}`, offset + 14);
  }
  const block = readU16(body, 12);
  // Some writers leave it 0: its value follows from the rest.
  if (block !== 0 && block !== channels * sampleBytes(encoding)) {
    return malformed(`blocks of ${block} bytes, expected ${channels * sampleBytes(encoding)}`, offset + 12);
  }
  return { kind: 'fmt', encoding, sampleRateHz, channels };
}

function encodingOf(format: number, bits: number): WavEncoding | null {
  if (format === FORMAT_FLOAT) return bits === 32 ? 'float32' : bits === 64 ? 'float64' : null;
  return bits === 8 ? 'pcm8' : bits === 16 ? 'pcm16' : bits === 24 ? 'pcm24' : bits === 32 ? 'pcm32' : null;
}

/**
 * How much of the data chunk there is. The header of a stream says 0, or more than there is. A 0 is believed only if the RIFF size
 * matches the file's length: then the writer knew the length, and the sound is empty.
 */
function presentBytes(riffBytes: number, fileBytes: number, body: number, declaredBytes: number): number {
  const rest = Math.max(0, fileBytes - body);
  const lengthIsKnown = riffBytes + 8 === fileBytes;
  return declaredBytes === 0 && !lengthIsKnown ? rest : Math.min(declaredBytes, rest);
}

export function sampleBytes(encoding: WavEncoding): number {
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

export function rateIsKnown(sampleRateHz: number): boolean {
  return sampleRateHz >= MIN_WAV_RATE_HZ && sampleRateHz <= MAX_WAV_RATE_HZ;
}

/** Four bytes as text that is safe in a message: a character that does not print becomes a dot. */
function textAt(bytes: Uint8Array, at: number): string {
  let text = '';
  for (const byte of bytes.subarray(at, at + 4)) {
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  return text;
}

/** Exact up to 2^53: no disk has more. */
function readU64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) + readU32(bytes, at + 4) * 2 ** 32;
}

function malformed(reason: string, offset: number): MalformedWav {
  return { kind: 'malformed', reason, offset };
}
