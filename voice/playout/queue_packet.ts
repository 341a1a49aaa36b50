/** Takes a packet apart into what a `FrameQueue` holds, each part at its place on the media clock. */

import { type OpusFrame, type Packet, silenceSamples } from '../packet.js';
import { sequenceAfter, sequenceDelta } from '../sequence.js';
import { FRAME_SAMPLES, type Samples, VOICE_RATE_HZ } from '../units.js';
import type { SpeakerFields } from '../wire.js';
import { type FrameQueue, MAX_QUEUED, type QueuedEntry } from './frame_queue.js';

/** The most media time that a packet may take: 3 s, as in the decoder. */
export const MAX_PACKET_SAMPLES: Samples = 3 * VOICE_RATE_HZ;

/** What the media clock says of a packet, before it is queued. */
export interface PacketSpan {
  /** All of it, with the frames that were lost between its own, before it was sent. */
  samples: Samples;
  frames: number;
  /** Where the last frame begins, from the packet's start. */
  lastFrameAt: Samples;
}

/** Measures a packet into `span`. */
export function measurePacket(packet: Packet, span: PacketSpan): void {
  span.samples = 0;
  span.frames = 0;
  span.lastFrameAt = 0;
  let expected = -1;
  for (const op of packet.ops) {
    if (op.kind === 'silence') span.samples += silenceSamples(op.samples, op.sampleRateHz);
    if (op.kind !== 'opus') continue;
    for (const item of op.frames) {
      if (item.kind === 'end') {
        expected = 0;
        continue;
      }
      span.samples += lostBefore(expected, item);
      expected = sequenceAfter(item.sequence);
      span.frames += 1;
      span.lastFrameAt = span.samples;
      span.samples += item.samples;
    }
  }
}

/**
 * Queues the parts of a packet whose first sample is at `position`; a talkspurt's end comes as an entry without samples.
 *
 * @param bytes What `packet` was read from; the frames' bytes are copied.
 * @param full Called when the queue is full: must make room.
 */
export function queuePacket(
  queue: FrameQueue,
  header: SpeakerFields,
  packet: Packet,
  bytes: Uint8Array,
  position: Samples,
  full: () => void,
): void {
  let at = position;
  let starts: QueuedEntry['starts'] = header.marker ? 'talkspurt' : 'nothing';
  let follows: QueuedEntry['follows'] = 'frame';
  let expected = -1;
  const add = (kind: QueuedEntry['kind'], samples: Samples, frame: OpusFrame | null) => {
    if (queue.length >= MAX_QUEUED) full();
    const entry = queue.take(frame?.bytes ?? 0);
    entry.kind = kind;
    entry.position = at;
    entry.samples = samples;
    entry.sequence = header.sequence;
    entry.starts = starts;
    entry.bytes = frame?.bytes ?? 0;
    entry.opusSequence = frame?.sequence ?? 0;
    entry.follows = follows;
    if (frame) for (let i = 0; i < frame.bytes; i++) entry.data[i] = bytes[frame.start + i]!;
    queue.insert(entry);
    at += samples;
    starts = 'nothing';
    follows = 'frame';
  };
  for (const op of packet.ops) {
    if (op.kind === 'silence') {
      const samples = silenceSamples(op.samples, op.sampleRateHz);
      if (samples > 0) add('silence', samples, null);
    }
    if (op.kind !== 'opus') continue;
    for (const item of op.frames) {
      if (item.kind === 'end') {
        follows = 'recording-end';
        expected = 0;
        continue;
      }
      at += lostBefore(expected, item);
      expected = sequenceAfter(item.sequence);
      add('frame', item.samples, item);
    }
  }
  if (header.terminator) add('end', 0, null);
}

/** Media time of the frames that are missing before `frame`, within its packet: they never were in a packet. */
function lostBefore(expected: number, frame: OpusFrame): Samples {
  if (expected < 0) return 0;
  return Math.max(0, sequenceDelta(expected, frame.sequence)) * FRAME_SAMPLES;
}
