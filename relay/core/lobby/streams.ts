/**
 * The frames of each speaker to each target, counted: the count is the relay sequence of the next frame. A listener who knows where the
 * count of a stream stood when they began to hear it, and where when they ceased to, knows exactly which frames did not reach them.
 *
 * Bounded: a speaker has a stream to the lobby, one for whispers, and one for each number of a channel that they have been in.
 */

import { sequenceAfter } from '../../../voice/sequence.js';
import type { Member } from './member.js';
import { newStream, type Stream } from './topics.js';

/** Where a stream stands, as messages have it: the slot, the target, and the relay sequence of the next frame. */
export type StreamMark = [slot: number, target: number, sequence: number];

/** They are in this channel: makes the stream to it when it is missing. */
export function openStream(member: Member, channel: number): void {
  const own: { streams: ReadonlyMap<number, Stream> } = member;
  const { streams, slot, lobby } = member;
  if (streams.has(channel)) return;
  const stream = newStream(channel, `${lobby.topic.name}/s${slot}/c${channel}`);
  own.streams = new Map([...streams, [channel, stream]]);
}

/** The relay sequence of one more frame. Real-time: no allocation. */
export function nextSequence(stream: Stream): number {
  const own: { frames: number } = stream;
  const sequence = sequenceAfter(0, own.frames);
  own.frames += 1;
  return sequence;
}

/** The stream counts from 0 again: none of its listeners hears on. */
export function restart(stream: Stream): void {
  const own: { frames: number } = stream;
  own.frames = 0;
}

/** Where a stream stands now. */
export function markOf({ slot }: Member, { target, frames }: Stream): StreamMark {
  return [slot, target, sequenceAfter(0, frames)];
}
