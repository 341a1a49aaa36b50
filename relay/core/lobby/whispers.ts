/** Who whispers to whom in a lobby. */

import { Target } from '../../../voice/wire.js';
import type { ConnectionId } from '../io.js';
import type { Failure } from '../refusal.js';
import type { Turn } from '../turn.js';
import type { Member, Whisper } from './member.js';
import { isWithin, mayHear, refreshTopicsOf } from './presence.js';
import type { Roster } from './roster.js';
import { setSpeaking } from './speaking.js';
import { markOf, restart } from './streams.js';

const NOBODY: readonly Member[] = [];

/**
 * Their frames with the whisper target go to these slots from now on, without their own. When one of the slots is free, they go to
 * nobody: what is said after this was not meant for the members named before.
 */
export function whisper(
  roster: Roster,
  member: Member,
  slots: readonly number[],
  turn: Turn,
): Failure | null {
  const others: Member[] = [];
  for (const slot of new Set(slots)) {
    const other = roster.withSlot(slot);
    if (!other || other.listing === 'unlisted') {
      whisperToOthers(roster, member, NOBODY, turn);
      return { code: 'participant-unknown', detail: `nobody has slot ${slot}, expected one of the lobby's` };
    }
    if (other !== member) others.push(other);
  }
  whisperToOthers(roster, member, others, turn);
  return null;
}

/** They have left the lobby: they whisper to nobody, and nobody to them. */
export function endWhispers(roster: Roster, member: Member, turn: Turn): void {
  whisperTo(roster, member, NOBODY, turn);
  const own: Whisper = member.whisper;
  const whisperers = own.by;
  own.by = NOBODY;
  for (const other of whisperers) {
    const left = other.whisper.to.filter((it) => it !== member);
    whisperTo(roster, other, left, turn);
  }
}

/**
 * Another list. What is said to it counts from 0, and a message tells those on the list before how much was said to that one: so both
 * know what they missed, and nobody learns that they are on a list before something is said.
 */
function whisperToOthers(roster: Roster, member: Member, others: readonly Member[], turn: Turn): void {
  const stream = member.streams.get(Target.whisper)!;
  if (stream.frames > 0) {
    const told: ConnectionId[] = [];
    for (const other of member.whisper.to) {
      if (mayHear(other) && isWithin(other, member) && other.presence.kind === 'here')
        told.push(other.presence.connection);
    }
    turn.tell(told, { type: 'hears', until: [markOf(member, stream)] });
    restart(stream);
  }
  whisperTo(roster, member, others, turn);
}

function whisperTo(roster: Roster, member: Member, others: readonly Member[], turn: Turn): void {
  const before = member.whisper.to;
  if (member.speech.target === Target.whisper) setSpeaking(roster, member, null, turn);
  setTo(member, others);
  // Only the members for whom it changes: when everyone whispers to the same ones, refreshing all of them would be too many.
  for (const other of before) {
    if (others.includes(other)) continue;
    const by = other.whisper.by.filter((it) => it !== member);
    setBy(other, by, member, turn);
  }
  for (const other of others) {
    if (before.includes(other)) continue;
    setBy(other, [...other.whisper.by, member], member, turn);
  }
}

function setTo(member: Member, others: readonly Member[]): void {
  const own: Whisper = member.whisper;
  own.to = others;
}

function setBy(member: Member, whisperers: readonly Member[], changed: Member, turn: Turn): void {
  const own: Whisper = member.whisper;
  own.by = whisperers;
  refreshTopicsOf(member, changed, turn);
}
