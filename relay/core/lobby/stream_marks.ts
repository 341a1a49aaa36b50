/**
 * Tells listeners where the streams stand that they begin to hear, and those that they no longer hear. So each of them knows exactly how
 * many frames did not arrive.
 *
 * The message goes out before the subscriptions change: a socket layer may still have frames for this listener that it would drop with the
 * subscription, and sends them ahead of the message.
 */

import { MAX_MARKS } from '../../../voice/control.js';
import type { Milliseconds } from '../../../voice/units.js';
import { Target } from '../../../voice/wire.js';
import type { Turn } from '../turn.js';
import type { Channel, Member } from './member.js';
import { isWithin, mayHear } from './presence.js';
import type { Roster } from './roster.js';
import { markOf, type StreamMark } from './streams.js';

/** The streams that a listener hears from now on, and those that they no longer hear. */
export interface Marks {
  readonly next: readonly StreamMark[];
  readonly until: readonly StreamMark[];
}

/** The marks of everything that a listener hears now, or of what has spoken since an instant. Empty when they may not hear. */
export function marksFor(
  roster: Roster,
  listener: Member,
  since: Milliseconds = Number.NEGATIVE_INFINITY,
): readonly StreamMark[] {
  const marks: StreamMark[] = [];
  if (!mayHear(listener)) return marks;
  for (const speaker of listener.heard ?? roster.shown) {
    if (speaker.speech.heardAt >= since) marksOf(listener, speaker, marks);
  }
  return marks;
}

/** The same, of what is said to these channels, whether the listener is in them or not. */
export function channelMarks(
  roster: Roster,
  listener: Member,
  channels: readonly Channel[],
): readonly StreamMark[] {
  const marks: StreamMark[] = [];
  if (channels.length === 0 || !mayHear(listener)) return marks;
  for (const speaker of roster.shown) {
    if (speaker === listener || !isWithin(listener, speaker)) continue;
    for (const { number } of channels) {
      const stream = speaker.streams.get(number);
      if (stream && stream.frames > 0) marks.push(markOf(speaker, stream));
    }
  }
  return marks;
}

/** Tells a listener of streams that they hear from now on, and of those that they no longer hear; nothing for empty lists. */
export function tellMarks({ presence }: Member, { next = [], until = [] }: Partial<Marks>, turn: Turn): void {
  if (presence.kind !== 'here') return;
  for (let at = 0; at < Math.max(next.length, until.length); at += MAX_MARKS) {
    turn.tell([presence.connection], { type: 'hears', ...marksPart({ next, until }, at) });
  }
}

/** The marks of one message, from `at` on; without empty lists. */
function marksPart({ next, until }: Marks, at: number): { next?: StreamMark[]; until?: StreamMark[] } {
  const part = { next: next.slice(at, at + MAX_MARKS), until: until.slice(at, at + MAX_MARKS) };
  return {
    ...(part.next.length > 0 && { next: part.next }),
    ...(part.until.length > 0 && { until: part.until }),
  };
}

/**
 * Adds the marks of what this listener hears of this speaker, whatever their hearing set says. Streams without any frame are left out: a
 * listener expects them to begin with 0.
 */
export function marksOf(listener: Member, speaker: Member, marks: StreamMark[]): void {
  if (listener === speaker) return;
  for (const stream of speaker.streams.values()) {
    if (stream.frames > 0 && isFor(listener, speaker, stream.target)) marks.push(markOf(speaker, stream));
  }
}

/** Whether what this speaker says to this target is meant for this listener, who may be in a channel before the speaker is. */
function isFor(listener: Member, { whisper }: Member, target: number): boolean {
  if (target === Target.lobby) return true;
  if (target === Target.whisper) return whisper.to.includes(listener);
  return listener.channels.some(({ number }) => number === target);
}
