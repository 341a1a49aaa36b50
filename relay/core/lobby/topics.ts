/** Where frames are published: one topic for everyone at a target, and one for each speaker's own listeners there. */

import { Target } from '../../../voice/wire.js';
import type { Flags } from '../staleness/flags.js';

/** Where frames are published. */
export interface Topic {
  /** Unique among all topics that a relay ever had, except those of slots and channels that have rested. */
  readonly name: string;
  /** How many connections are subscribed to it. Written by presence.ts. */
  readonly listeners: number;
  /** How many of those acknowledge what they have read. Written by presence.ts. */
  readonly acknowledging: number;
  /** Its frames that asked for acknowledgements; null before the first. Written by staleness.ts. */
  readonly flags: Flags | null;
}

/** One speaker's frames to one target. */
export interface Stream {
  readonly target: number;
  /** How many frames were published: the relay sequence of the next one, before it wraps. Written by streams.ts. */
  readonly frames: number;
  /** For the listeners of this speaker alone. */
  readonly topic: Topic;
}

export function newTopic(name: string): Topic {
  return { name, listeners: 0, acknowledging: 0, flags: null };
}

export function newStream(target: number, topic: string): Stream {
  return { target, frames: 0, topic: newTopic(topic) };
}

/** The streams of a new member. */
export function firstStreams(lobby: Topic, slot: number): ReadonlyMap<number, Stream> {
  return new Map([
    [Target.lobby, newStream(Target.lobby, `${lobby.name}/s${slot}`)],
    [Target.whisper, newStream(Target.whisper, `${lobby.name}/w${slot}`)],
  ]);
}
