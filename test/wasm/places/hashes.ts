/** The golden file's hashes, and those that a place in Node returned, by stream and rate. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Answer, type GoldenStreams, type Job, jobsOf } from './jobs.js';

export const golden = JSON.parse(readFileSync('test/wasm/golden/golden.json', 'utf8')) as GoldenStreams;

export const jobs: readonly Job[] = jobsOf(golden);

/** SHA-256 by the job's name, as recorded: native libopus made them. */
export const wantedHashes: Readonly<Record<string, string>> = Object.fromEntries(
  golden.streams.flatMap(({ name, outputs }) =>
    Object.entries(outputs).map(([rate, { sha256 }]) => [`${name} at ${rate} Hz`, sha256]),
  ),
);

export function hashesOf(answer: Answer): Record<string, string> {
  return Object.fromEntries(jobs.map(({ name }, at) => [name, sha256(answer.pcm[at]!)]));
}

/** Of PCM as signed 16 bit little-endian, in hex. */
export function sha256(pcm: Int16Array): string {
  return createHash('sha256')
    .update(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength))
    .digest('hex');
}
