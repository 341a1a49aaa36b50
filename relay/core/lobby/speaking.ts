/** Who speaks, and the messages about it, which go to the members whom the frames reach, deafened or not. */

import type { Milliseconds } from '../../../voice/units.js';
import { Target } from '../../../voice/wire.js';
import type { ConnectionId } from '../io.js';
import type { Turn } from '../turn.js';
import type { Channel, Member, Speech } from './member.js';
import { isWithin } from './presence.js';
import type { Roster } from './roster.js';

/** They speak to this target now, or to nobody. */
export function setSpeaking(roster: Roster, member: Member, target: number | null, turn: Turn): void {
  const speech: Speech = member.speech;
  if (speech.target === target) return;
  const { slot } = member;
  if (speech.target !== null) {
    turn.tell(audienceOf(roster, member), { type: 'speaking', slot, speaking: false });
  }
  speech.target = target;
  if (target !== null) turn.tell(audienceOf(roster, member), { type: 'speaking', slot, speaking: true });
}

/** They speak to nobody now; tells nobody. */
export function silence(member: Member): void {
  const speech: Speech = member.speech;
  speech.target = null;
}

/** A voice frame of theirs was forwarded. Real-time: no allocation. */
export function noteHeard(member: Member, now: Milliseconds): void {
  const speech: Speech = member.speech;
  speech.heardAt = now;
}

/**
 * Whether to tell the others that they begin to speak. Limited by a rate: each frame may be a talkspurt, which costs everyone two
 * messages. Real-time: no allocation.
 */
export function noteTalkspurt({ speech }: Member, now: Milliseconds): 'to-tell' | 'too-many' {
  if (!speech.announcements.has(1, now)) return 'too-many';
  speech.announcements.take(1);
  return 'to-tell';
}

/** Whether `listener` hears about it when `speaker` speaks. */
export function speaksTo(speaker: Member, listener: Member): boolean {
  const { speech, whisper } = speaker;
  if (!isWithin(listener, speaker)) return false;
  switch (speech.target) {
    case null:
      return false;
    case Target.lobby:
      return true;
    case Target.whisper:
      return whisper.to.includes(listener);
    default:
      return listener.channels.some(({ number }) => number === speech.target);
  }
}

/** Tells a member who begins to hear channels, or ceases to, of those who speak there. */
export function tellOfSpeakers(
  listener: Member,
  channels: readonly Channel[],
  what: 'speaking' | 'silent',
  turn: Turn,
): void {
  const { presence } = listener;
  if (presence.kind !== 'here') return;
  for (const channel of channels) {
    for (const member of channel.members) {
      const { slot, speech } = member;
      if (member === listener || speech.target !== channel.number || !isWithin(listener, member)) continue;
      turn.tell([presence.connection], { type: 'speaking', slot, speaking: what === 'speaking' });
    }
  }
}

function audienceOf(roster: Roster, speaker: Member): readonly ConnectionId[] {
  const connections: ConnectionId[] = [];
  for (const other of roster.all) {
    if (other === speaker || other.presence.kind !== 'here') continue;
    if (speaksTo(speaker, other)) connections.push(other.presence.connection);
  }
  return connections;
}
