/**
 * Sums the tracks of a session into one WAV, in constant memory however long they are.
 *
 * Tracks are summed at full level, as in the game. When many people shout at once, the sum exceeds 16 bit. It is then clipped and
 * counted, so that you know whether to turn something down.
 */

import { type FileHandle, open, rm } from 'node:fs/promises';
import { codeOf, HotmicError } from '../voice/error.js';
import { BYTES_PER_SAMPLE, type Samples } from '../voice/units.js';
import { type MalformedWav, scanWavHeader, type WavFormat } from '../voice/wav.js';
import { fileError } from './wav_file.js';
import { WavWriter, type WavWriterOptions } from './wav_writer.js';

/** The most tracks in a mix: each is an open file. */
export const MAX_MIX_TRACKS = 256;

/** Memory of a mix: one block of each kind, not per track. */
const BLOCK_SAMPLES: Samples = 32_768;

/** What became of a mix. */
export interface MixResult {
  readonly path: string;
  readonly sampleRateHz: number;
  /** Length of the mix: the longest track's. */
  readonly samples: Samples;
  /** Samples whose sum exceeded 16 bit and was clipped. */
  readonly clippedSamples: Samples;
}

/**
 * Mixes WAVs into a new WAV. Shorter tracks end in silence.
 *
 * @param inputs 1 to `MAX_MIX_TRACKS` paths of mono 16-bit WAVs of one rate.
 * @param output Path of the mix. If the mix fails, no file is left there.
 * @param existing What to do with an existing file. Default `refuse`.
 * @throws HotmicError ERR_HOTMIC_WAV if an input is not such a WAV, ERR_HOTMIC_SAMPLE_RATE if two rates differ, ERR_HOTMIC_FILE if a file
 * cannot be read or written, ERR_HOTMIC_DISK_FULL; RangeError for too few or too many inputs.
 */
export async function mixTracks(
  inputs: readonly string[],
  output: string,
  existing: 'refuse' | 'replace' = 'refuse',
): Promise<MixResult> {
  if (inputs.length < 1 || inputs.length > MAX_MIX_TRACKS) {
    throw new RangeError(`Cannot mix ${inputs.length} tracks: expected 1 to ${MAX_MIX_TRACKS}`);
  }
  const tracks: Track[] = [];
  try {
    for (const path of inputs) tracks.push(await openTrack(path));
    const sampleRateHz = commonRate(tracks);
    const writer = await createMix(output, { sampleRateHz, existing });
    try {
      return await mixInto(writer, tracks);
    } catch (thrown) {
      await writer.close().catch(() => {});
      await rm(output, { force: true }).catch(() => {});
      throw thrown;
    }
  } finally {
    await Promise.all(tracks.map((track) => track.file.close().catch(() => {})));
  }
}

/** Opens the mix. A full disk would leave a file without even a header, which is removed. */
async function createMix(output: string, options: WavWriterOptions): Promise<WavWriter> {
  try {
    return await WavWriter.create(output, options);
  } catch (thrown) {
    if (codeOf(thrown) === 'ERR_HOTMIC_DISK_FULL') await rm(output, { force: true }).catch(() => {});
    throw thrown;
  }
}

/** Adds the PCM of `bytes` (16 bit, little-endian) to `sums`, sample by sample from the start of both. Changes only `sums`. */
export function addPcm(sums: Int32Array, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = Math.min(sums.length, bytes.length >> 1);
  for (let at = 0; at < samples; at++) sums[at]! += view.getInt16(at * BYTES_PER_SAMPLE, true);
}

/**
 * Writes `sums` to the start of `pcm`, clipped to −32768 to 32767.
 *
 * @returns How many samples were clipped.
 */
export function saturate(sums: Int32Array, pcm: Int16Array): Samples {
  let clipped = 0;
  for (let at = 0; at < sums.length; at++) {
    const sum = sums[at]!;
    const held = Math.max(-32768, Math.min(32767, sum));
    if (held !== sum) clipped += 1;
    pcm[at] = held;
  }
  return clipped;
}

interface Track {
  readonly path: string;
  readonly file: FileHandle;
  readonly format: WavFormat;
}

async function openTrack(path: string): Promise<Track> {
  const file = await open(path, 'r').catch((thrown: unknown) => {
    throw fileError('read track', path, thrown);
  });
  try {
    const format = await readFormat(file, path);
    if (format.kind === 'malformed') {
      throw trackError(path, `${format.reason} (at byte ${format.offset})`);
    }
    if (format.encoding !== 'pcm16' || format.channels !== 1) {
      throw trackError(path, `${format.encoding} of ${format.channels} channels, expected pcm16 of 1`);
    }
    return { path, file, format };
  } catch (thrown) {
    await file.close().catch(() => {});
    throw thrown;
  }
}

/** Reads the header, wherever the sound begins: an editor may have put notes before it. */
async function readFormat(file: FileHandle, path: string): Promise<WavFormat | MalformedWav> {
  const scan = scanWavHeader((await file.stat()).size);
  for (let step = scan.next(); ; ) {
    if (step.done) return step.value;
    const piece = new Uint8Array(step.value.bytes);
    step = scan.next(piece.subarray(0, await readUpTo(file, path, piece, step.value.offset)));
  }
}

function trackError(path: string, why: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_WAV', `Cannot mix ${path}: ${why}`);
}

function commonRate(tracks: readonly Track[]): number {
  const [first] = tracks;
  const rateHz = first!.format.sampleRateHz;
  for (const { path, format } of tracks) {
    if (format.sampleRateHz === rateHz) continue;
    const found = `${format.sampleRateHz} Hz, expected ${rateHz} Hz like ${first!.path}`;
    throw new HotmicError('ERR_HOTMIC_SAMPLE_RATE', `Cannot mix ${path}: ${found}`);
  }
  return rateHz;
}

async function mixInto(writer: WavWriter, tracks: readonly Track[]): Promise<MixResult> {
  const samples = Math.max(...tracks.map((track) => track.format.samples));
  const bytes = new Uint8Array(BLOCK_SAMPLES * BYTES_PER_SAMPLE);
  const sums = new Int32Array(BLOCK_SAMPLES);
  const pcm = new Int16Array(BLOCK_SAMPLES);
  let clippedSamples = 0;
  for (let position = 0; position < samples; position += BLOCK_SAMPLES) {
    sums.fill(0);
    for (const { path, file, format } of tracks) {
      const wanted = Math.min(BLOCK_SAMPLES, format.samples - position) * BYTES_PER_SAMPLE;
      if (wanted <= 0) continue;
      const at = format.dataOffset + position * BYTES_PER_SAMPLE;
      addPcm(sums, bytes.subarray(0, await readUpTo(file, path, bytes.subarray(0, wanted), at)));
    }
    clippedSamples += saturate(sums, pcm);
    // Silence remains a hole in the file.
    if (pcm.every((sample) => sample === 0)) continue;
    writer.writeAt(position, pcm.subarray(0, Math.min(BLOCK_SAMPLES, samples - position)));
    await writer.flush();
  }
  await writer.close(samples);
  return { path: writer.path, sampleRateHz: writer.sampleRateHz, samples, clippedSamples };
}

/** Fills `into` from a position of the file up to the file's end; returns the number of bytes. */
async function readUpTo(file: FileHandle, path: string, into: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done).catch((thrown) => {
      throw fileError('read track', path, thrown);
    });
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}
