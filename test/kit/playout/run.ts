/**
 * A speaker and a listener in simulated time: packets of real speech, when each arrives, and what `SpeakerPlayout` makes of them.
 *
 * Delay here is against the moment at which a packet was complete at the speaker, on the listener's clock.
 */

import {
  type PlayedSegment,
  type PlayoutCounts,
  SpeakerPlayout,
} from '../../../client/playout/speaker_playout.js';
import { PacketWriter } from '../../../voice/packet_writer.js';
import type { DelayBounds } from '../../../voice/playout/playout_delay.js';
import { sequenceAfter, timestampAfter } from '../../../voice/sequence.js';
import {
  FRAME_SAMPLES,
  MAX_PACKET_BYTES,
  type Milliseconds,
  msOfSamples,
  type Samples,
} from '../../../voice/units.js';
import type { VoiceHeader } from '../../../voice/wire.js';
import { OPUS_MAX_PACKET_BYTES, OpusEncoder, type OpusEncoderOptions } from '../../../wasm/codec.js';
import { headerOf } from './voice_header.js';

/** A packet, and when it was complete. */
export interface Sent {
  readonly header: VoiceHeader;
  readonly packet: Uint8Array;
  readonly sentAt: Milliseconds;
}

/** A packet, and when it came. */
export interface Arrival {
  readonly header: VoiceHeader;
  readonly packet: Uint8Array;
  readonly at: Milliseconds;
}

export interface TalkOptions extends OpusEncoderOptions {
  /** Frames in each packet. Default 1. */
  readonly framesPerPacket?: number;
  /** When the first sample is said, in ms. Default 0. */
  readonly atMs?: Milliseconds;
  /** Of the first sample. Default: `atMs` on a clock that began at 0. */
  readonly timestamp?: number;
  /** Of the first packet. Default 0. */
  readonly sequence?: number;
}

/** One talkspurt, with a terminator that has no sound. */
export function talk(pcm: Int16Array, options: TalkOptions = {}): Sent[] {
  const {
    framesPerPacket = 1,
    atMs = 0,
    timestamp = Math.round(atMs * 24) >>> 0,
    sequence = 0,
    ...opus
  } = options;
  const encoder = new OpusEncoder(opus);
  const frames = Math.floor(pcm.length / FRAME_SAMPLES);
  const bytes = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  const writer = new PacketWriter();
  const sent: Sent[] = [];
  const add = (first: number, marker: boolean, terminator: boolean, packet: Uint8Array, end: number) => {
    const header = headerOf(
      sequenceAfter(sequence, sent.length),
      timestampAfter(timestamp, first * FRAME_SAMPLES),
      {
        marker,
        terminator,
      },
    );
    sent.push({ header, packet: new Uint8Array(packet), sentAt: atMs + end * 20 });
  };
  for (let first = 0; first < frames; first += framesPerPacket) {
    const end = Math.min(frames, first + framesPerPacket);
    writer.begin(new Uint8Array(MAX_PACKET_BYTES), 1, 0x01100001);
    writer.sampleRate(24_000);
    writer.beginFrames();
    for (let frame = first; frame < end; frame++) {
      const length = encoder.encode(pcm, frame * FRAME_SAMPLES, bytes, 0);
      writer.frame(frame & 0xffff, bytes, 0, length);
    }
    if (end === frames) writer.endMarker();
    writer.endFrames();
    add(first, first === 0, false, writer.finish(), end);
  }
  writer.begin(new Uint8Array(MAX_PACKET_BYTES), 1, 0x01100001);
  writer.sampleRate(24_000);
  writer.silence(0);
  add(frames, false, true, writer.finish(), frames);
  encoder.free();
  return sent;
}

/** The packets after a network: `delayMs` says how long each takes, or null for lost ones. A stream keeps the order: later ones wait. */
export function overNetwork(
  sent: readonly Sent[],
  delayMs: (index: number, sentAt: Milliseconds) => Milliseconds | null,
  order: 'stream' | 'datagrams' = 'stream',
): Arrival[] {
  const arrivals: Arrival[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  for (const [index, { header, packet, sentAt }] of sent.entries()) {
    const delay = delayMs(index, sentAt);
    if (delay === null) continue;
    const at = order === 'stream' ? Math.max(latest, sentAt + delay) : sentAt + delay;
    latest = at;
    arrivals.push({ header, packet, at });
  }
  return arrivals.sort((left, right) => left.at - right.at);
}

export interface HeardSegment extends PlayedSegment {
  /** When its first sample was played. */
  readonly at: Milliseconds;
  /** Its place in the sound. */
  readonly position: Samples;
}

export interface Heard {
  readonly pcm: Int16Array;
  readonly segments: readonly HeardSegment[];
  readonly counts: PlayoutCounts;
}

export interface ListenOptions extends DelayBounds {
  readonly untilMs: Milliseconds;
  /** What the output asks for at once. Default 480: 20 ms. */
  readonly pullSamples?: Samples;
  /** When it first asks. Default 7 ms. */
  readonly phaseMs?: Milliseconds;
  /** How much slower the output's clock is than that of `at`, in parts per million. Default 0. */
  readonly slowPpm?: number;
  /** Called after each pull. */
  readonly onPull?: (playout: SpeakerPlayout, now: Milliseconds) => void;
  /** Whether sound and segments are kept. Default `keep`. */
  readonly keep?: 'keep' | 'nothing';
}

/** Plays `arrivals` to `untilMs`. */
export function listen(arrivals: readonly Arrival[], options: ListenOptions): Heard {
  const {
    untilMs,
    pullSamples = FRAME_SAMPLES,
    phaseMs = 7,
    slowPpm = 0,
    onPull,
    keep = 'keep',
    ...bounds
  } = options;
  const playout = new SpeakerPlayout(bounds);
  const intervalMs = msOfSamples(pullSamples) * (1 + slowPpm / 1e6);
  const pulls = Math.floor((untilMs - phaseMs) / intervalMs);
  const pcm = new Int16Array(keep === 'keep' ? pulls * pullSamples : 0);
  const out = new Int16Array(pullSamples);
  const segments: HeardSegment[] = [];
  let next = 0;
  for (let pull = 0; pull < pulls; pull++) {
    const now = phaseMs + pull * intervalMs;
    for (; next < arrivals.length && arrivals[next]!.at <= now; next++) {
      const { header, packet, at } = arrivals[next]!;
      playout.push(header, packet, at);
    }
    const played = playout.pull(out, now);
    if (keep === 'keep') {
      let position = pull * pullSamples;
      for (const segment of played) {
        segments.push({ ...segment, position, at: now + msOfSamples(position - pull * pullSamples) });
        position += segment.samples;
      }
      pcm.set(out, pull * pullSamples);
    }
    onPull?.(playout, now);
  }
  const counts = playout.counts();
  playout.close();
  return { pcm, segments, counts };
}

/**
 * Delays of what was heard as speech, in ms, sorted: against a packet of `framesPerPacket` that takes no time.
 *
 * @param originMs When timestamp 0 was said.
 */
export function delaysOf(segments: readonly HeardSegment[], framesPerPacket = 1, originMs = 0): number[] {
  return segments
    .filter(({ kind, timestamp }) => kind === 'speech' && timestamp !== null)
    .map(({ at, timestamp }) => at - originMs - msOfSamples(timestamp!) - framesPerPacket * 20)
    .sort((left, right) => left - right);
}

/** Of a sorted list. */
export function quantileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
