/**
 * PESQ and STOI of what is heard, per talkspurt, against the same packets decoded without a network. Both are PyPI's, and installed into
 * out/bench/quality with python3 and a C compiler.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { onListenersClock } from '../../test/kit/network.js';
import {
  FRAME_MS,
  FRAME_SAMPLES,
  type Milliseconds,
  msOfSamples,
  samplesOfMs,
  VOICE_RATE_HZ,
} from '../../voice/units.js';
import { VoiceDecoder } from '../../wasm/decompress.js';
import { Resampler } from '../../wasm/resampler.js';
import type { Transmission } from './simulate.js';

const FOLDER = resolve('out/bench/quality');
const PYTHON = join(FOLDER, 'venv/bin/python');
export const PACKAGES = ['pesq==0.0.4', 'pystoi==0.4.1'] as const;
const RATE_HZ = 16_000;
const TIMEOUT_MS = 30 * 60_000;
/** What is listened to before a talkspurt could be heard at the earliest, and after its end: less than the shortest pause. */
const BEFORE_MS: Milliseconds = 40;
const AFTER_MS: Milliseconds = 440;

/** Of one pair of sounds, or means over the talkspurts. */
export interface Quality {
  /** 1 (bad) to 4.64 (the same). */
  readonly pesq: number;
  /** 0 to 1 (the same). */
  readonly stoi: number;
}

/** Installs the packages unless they are there. Returns why it could not, or null. */
export function installQuality(): string | null {
  const done = join(FOLDER, PACKAGES.join('-'));
  if (existsSync(done)) return null;
  mkdirSync(FOLDER, { recursive: true });
  console.log(`installing ${PACKAGES.join(' and ')}`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', ...PACKAGES];
  for (const [program, args] of [
    ['python3', ['-m', 'venv', join(FOLDER, 'venv')]],
    [PYTHON, pip],
  ] as const) {
    const ran = spawnSync(program, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
    if (ran.error) return `cannot run python3: ${ran.error.message}`;
    if (ran.status !== 0)
      return `cannot install them: ${(ran.stderr || ran.stdout).trim().split('\n').at(-1)}`;
  }
  writeFileSync(done, '');
  return null;
}

/** Scores what was heard of a transmission, mono at 24 kHz from the beginning. */
export function qualityOf({ source, trace }: Transmission, heard: Int16Array): Quality {
  const clean = cleanTalkspurts(source);
  const pairs = source.talkspurts.map(({ from }, index): SoundPair => {
    const reference = clean[index]!;
    const liveMs = (samples: number) =>
      onListenersClock(trace, msOfSamples(samples)) + FRAME_MS + trace.delayMs;
    const begin = Math.max(0, samplesOfMs(liveMs(from) - BEFORE_MS));
    const end = samplesOfMs(liveMs(from + reference.length) + AFTER_MS);
    return [reference, heard.subarray(begin, end)];
  });
  const scores = scoresOf(pairs);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { pesq: mean(scores.map(({ pesq }) => pesq)), stoi: mean(scores.map(({ stoi }) => stoi)) };
}

/** What should be heard, and what was. Mono at 24 kHz. */
export type SoundPair = readonly [reference: Int16Array, heard: Int16Array];

/** Scores each pair by itself. */
export function scoresOf(pairs: readonly SoundPair[]): Quality[] {
  const paths = pairs.map(([reference, heard], index) => [
    write(`reference-${index}`, reference),
    write(`heard-${index}`, heard),
  ]);
  const list = join(FOLDER, 'pairs.json');
  writeFileSync(list, JSON.stringify(paths));
  const ran = spawnSync(PYTHON, ['bench/playout/quality.py', list], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (ran.status !== 0) throw new Error(`Cannot score: ${ran.error?.message ?? ran.stderr.trim()}`);
  for (const path of paths.flat()) rmSync(path);
  const scores = JSON.parse(ran.stdout) as [number | null, number][];
  // PESQ found nothing that sounds like speech: the worst score.
  return scores.map(([pesq, stoi]) => ({ pesq: pesq ?? 1, stoi }));
}

/** Each talkspurt as it is decoded when nothing is lost. */
function cleanTalkspurts({ packets, talkspurts }: Transmission['source']): Int16Array[] {
  const decoder = new VoiceDecoder(VOICE_RATE_HZ);
  const clean = talkspurts.map(({ audible }) => new Int16Array(audible.length * FRAME_SAMPLES));
  let index = -1;
  for (const { header, packet, frames } of packets) {
    if (header.marker) index += 1;
    const { pcm } = decoder.decompressPcm(packet);
    if (frames > 0) clean[index]!.set(pcm, header.timestamp - talkspurts[index]!.from);
  }
  decoder.free();
  return clean;
}

/** Writes a file of sound at RATE_HZ. */
function write(name: string, pcm: Int16Array): string {
  const path = join(FOLDER, `${name}.s16`);
  const resampler = new Resampler(VOICE_RATE_HZ, RATE_HZ);
  const out = new Int16Array(Math.ceil((pcm.length * RATE_HZ) / VOICE_RATE_HZ));
  const samples = resampler.streamPcm(pcm, out);
  resampler.free();
  writeFileSync(path, new Uint8Array(out.buffer, 0, samples * 2));
  return path;
}
