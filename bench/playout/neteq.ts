/**
 * The crate neteq as a player: a program that gets the packets with their arrival times in a file and gives its sound back in another. It
 * gets the Opus frames of 20 ms out of Steam's packets; what holds none (the ends of recordings) does not exist for it.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { PlayedSegment } from '../../client/playout/speaker_playout.js';
import { opusFrames, readPacket } from '../../voice/packet.js';
import { type Milliseconds, samplesOfMs } from '../../voice/units.js';
import type { Arrival, Player } from './player.js';
import type { Transmission } from './simulate.js';

const MANIFEST = 'bench/playout/neteq/Cargo.toml';
const FOLDER = resolve('out/bench/neteq');
const BUILD_TIMEOUT_MS = 30 * 60_000;
/** Its frames, and the head of one segment in its file: kind, samples, timestamp, samples of media. */
const FRAME_MS: Milliseconds = 10;
const SEGMENT_BYTES = 13;
const PACKET_HEAD_BYTES = 16;

export type Neteq =
  | {
      readonly kind: 'built';
      readonly version: string;
      /** `name` is the name of the files. */
      readonly player: (sent: Transmission, name: string) => Player;
    }
  | { readonly kind: 'missing'; readonly reason: string };

/** Builds the program with cargo, unless it is up to date. */
export function neteq(): Neteq {
  mkdirSync(FOLDER, { recursive: true });
  console.log('building the crate neteq');
  const target = join(FOLDER, 'target');
  const args = [
    'build',
    '--release',
    '--locked',
    '--quiet',
    '--manifest-path',
    MANIFEST,
    '--target-dir',
    target,
  ];
  const built = spawnSync('cargo', args, { encoding: 'utf8', timeout: BUILD_TIMEOUT_MS });
  if (built.error) return { kind: 'missing', reason: `cargo cannot be run: ${built.error.message}` };
  if (built.status !== 0)
    return { kind: 'missing', reason: `cargo cannot build it: ${built.stderr.trim().split('\n').at(-1)}` };
  const version = /^neteq = \{ version = "=([^"]+)"/m.exec(readFileSync(MANIFEST, 'utf8'))?.[1] ?? 'unknown';
  const program = join(target, 'release/bench-neteq');
  return { kind: 'built', version, player: (sent, name) => new NeteqPlayer(heard(program, sent, name)) };
}

/** Runs the program; returns what it heard. */
function heard(program: string, { arrivals, endMs }: Transmission, name: string): Uint8Array {
  const packets = join(FOLDER, `${name}.packets`);
  const sound = join(FOLDER, `${name}.sound`);
  writeFileSync(packets, packetsFile(arrivals));
  const ran = spawnSync(program, [packets, sound, String(Math.ceil(endMs / FRAME_MS) * FRAME_MS)], {
    encoding: 'utf8',
  });
  if (ran.status !== 0) throw new Error(`Cannot run neteq: ${ran.error?.message ?? ran.stderr.trim()}`);
  const bytes = readFileSync(sound);
  rmSync(packets);
  rmSync(sound);
  return bytes;
}

/** As bench/playout/neteq/src/main.rs reads it. The frames are numbered by their place on the media clock, as RTP would number them. */
function packetsFile(arrivals: readonly Arrival[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { sent, arrivedAtMs } of arrivals) {
    const read = readPacket(sent.packet);
    if (read.kind === 'malformed') throw new Error(`Cannot write a packet for neteq: ${read.detail}`);
    let timestamp = sent.header.timestamp;
    for (const { start, bytes, samples } of opusFrames(read)) {
      const part = new Uint8Array(PACKET_HEAD_BYTES + bytes);
      const view = new DataView(part.buffer);
      view.setBigUint64(0, BigInt(Math.round(arrivedAtMs * 1000)), true);
      view.setUint32(8, timestamp, true);
      view.setUint16(12, Math.round(timestamp / samples) & 0xffff, true);
      view.setUint16(14, bytes, true);
      part.set(sent.packet.subarray(start, start + bytes), PACKET_HEAD_BYTES);
      parts.push(part);
      timestamp += samples;
    }
  }
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Plays the program's file. */
class NeteqPlayer implements Player {
  readonly #view: DataView;
  #at = 0;
  /** The rest of the current frame: where its sound is in the file, and its segments. */
  #soundAt = 0;
  #segments: PlayedSegment[] = [];

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  push(): void {}

  pull(out: Int16Array): readonly PlayedSegment[] {
    const segments: PlayedSegment[] = [];
    for (let at = 0; at < out.length; ) {
      if (this.#segments.length === 0) this.#nextFrame();
      const first = this.#segments.shift()!;
      const samples = Math.min(first.samples, out.length - at);
      const media = Math.round((first.mediaSamples * samples) / first.samples);
      const { kind, timestamp } = first;
      segments.push({ kind, samples, timestamp, mediaSamples: media });
      if (samples < first.samples) {
        this.#segments.unshift({
          kind,
          samples: first.samples - samples,
          timestamp: timestamp === null ? null : timestamp + media,
          mediaSamples: first.mediaSamples - media,
        });
      }
      for (let i = 0; i < samples; i++, this.#soundAt += 2)
        out[at + i] = this.#view.getInt16(this.#soundAt, true);
      at += samples;
    }
    return segments;
  }

  close(): void {}

  #nextFrame(): void {
    const frameSamples = samplesOfMs(FRAME_MS);
    if (this.#at >= this.#view.byteLength) throw new Error('Cannot play neteq: its sound has ended');
    const count = this.#view.getUint8(this.#at);
    this.#at += 1;
    for (let segment = 0; segment < count; segment++, this.#at += SEGMENT_BYTES) {
      const isSpeech = this.#view.getUint8(this.#at) === 0;
      this.#segments.push({
        kind: isSpeech ? 'speech' : 'concealed',
        samples: this.#view.getUint16(this.#at + 1, true),
        timestamp: isSpeech ? Number(this.#view.getBigInt64(this.#at + 3, true)) : null,
        mediaSamples: this.#view.getUint16(this.#at + 11, true),
      });
    }
    this.#soundAt = this.#at;
    this.#at += 2 * frameSamples;
  }
}
