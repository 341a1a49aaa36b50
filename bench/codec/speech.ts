/**
 * Human speech for the codec benchmark: eight short announcements from Debian's package alsa-utils (one voice, 48 kHz, 11 s in total,
 * GPL-2), which the benchmark downloads. If it cannot, the demo's espeak-ng clips are used instead.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readWav, type Wav } from '../../voice/wav.js';
import { Resampler } from '../../wasm/resampler.js';

const PACKAGE = 'alsa-utils';
const FOLDER = 'out/bench/speech';
const CLIPS = ['Front', 'Rear', 'Side']
  .flatMap((place) => ['Center', 'Left', 'Right'].map((side) => `${place}_${side}`))
  .filter((name) => name !== 'Side_Center');

/** How often the clips are repeated: 23 s in total. */
const TIMES = 2;

const RATE_HZ = 24_000;

export interface Speech {
  /** Mono, 24 kHz, a whole number of frames of 20 ms. */
  readonly pcm: Int16Array;
  /** The source of the speech, with the hash of `pcm`. */
  readonly source: string;
  /** Why it is not human speech, or null. */
  readonly missing: string | null;
}

/** Reads the speech, downloading it if it is missing. The codec must be loaded. */
export function humanSpeech(): Speech {
  const missing = fetchClips();
  const clips = missing === null ? debianClips() : demoClips();
  const name = missing === null ? debianName() : "espeak-ng's clips of examples/speech";
  const once = clips.flatMap((wav) => [...toRate(wav)]);
  const whole = once.length - (once.length % (RATE_HZ / 50));
  const pcm = new Int16Array(whole * TIMES);
  for (let i = 0; i < TIMES; i++) pcm.set(once.slice(0, whole), i * whole);
  const hash = createHash('sha256').update(new Uint8Array(pcm.buffer)).digest('hex').slice(0, 12);
  const seconds = (pcm.length / RATE_HZ).toFixed(1);
  return { pcm, source: `${name}, ${seconds} s at 24 kHz, sha256 ${hash}`, missing };
}

function wavPath(clip: string): string {
  return join(FOLDER, 'usr/share/sounds/alsa', `${clip}.wav`);
}

/** Downloads the clips if needed. Returns why they are missing, or null. */
function fetchClips(): string | null {
  if (CLIPS.every((clip) => existsSync(wavPath(clip)))) return null;
  mkdirSync(FOLDER, { recursive: true });
  console.log(`downloading human speech: Debian's ${PACKAGE}`);
  if (!run('apt-get', ['download', PACKAGE])) {
    // The package lists may be missing or too old.
    console.log('updating the package lists: apt-get update');
    run('apt-get', ['update', '-qq']);
    if (!run('apt-get', ['download', PACKAGE])) return `apt-get cannot download ${PACKAGE}`;
  }
  const archive = debFile();
  if (archive === undefined || !run('dpkg-deb', ['-x', archive, '.']))
    return `dpkg-deb cannot unpack ${PACKAGE}`;
  return CLIPS.every((clip) => existsSync(wavPath(clip)))
    ? null
    : `${PACKAGE} does not contain the expected clips`;
}

function debFile(): string | undefined {
  return readdirSync(FOLDER).find((name) => name.startsWith(`${PACKAGE}_`) && name.endsWith('.deb'));
}

function debianName(): string {
  const version = debFile()?.split('_')[1] ?? 'unknown';
  return `${CLIPS.length} clips of Debian's ${PACKAGE} ${version} (GPL-2), ${TIMES} times`;
}

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { cwd: resolve(FOLDER), stdio: 'ignore', timeout: 60_000 }).status === 0;
}

function debianClips(): Wav[] {
  return CLIPS.map((clip) => read(wavPath(clip)));
}

function demoClips(): Wav[] {
  const folder = new URL('../../../examples/speech/', import.meta.url);
  return ['ada', 'ben', 'cleo'].map((name) => read(new URL(`${name}.wav`, folder)));
}

function read(path: string | URL): Wav {
  const wav = readWav(readFileSync(path));
  if (wav.kind === 'malformed') throw new Error(`Cannot read ${path}: ${wav.reason}`);
  return wav;
}

function toRate(wav: Wav): Int16Array {
  if (wav.sampleRateHz === RATE_HZ) return wav.samplesInt16();
  const resampler = new Resampler(wav.sampleRateHz, RATE_HZ);
  const pcm = Int16Array.from(resampler.process(wav.samplesFloat()), (sample) =>
    Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))),
  );
  resampler.free();
  return pcm;
}
