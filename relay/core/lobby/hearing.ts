/**
 * Whom a listener hears, where the game decides it: what changes with their set, in subscriptions and messages.
 *
 * Nothing from outside a set reaches its listener, whatever the target. Everything else that keeps somebody from being heard, or from
 * hearing, applies as without a set. People who may not speak are in a set without effect.
 */

import type { RelayMessageToWrite } from '../../../voice/control.js';
import type { ConnectionId } from '../io.js';
import type { Turn } from '../turn.js';
import type { Member } from './member.js';
import { mayHear, refreshTopics, refreshTopicsOf } from './presence.js';
import type { Roster } from './roster.js';
import { speaksTo } from './speaking.js';
import { marksFor, marksOf, tellMarks } from './stream_marks.js';
import type { StreamMark } from './streams.js';

/** SteamIDs in decimal. Null: everyone. */
export type People = ReadonlySet<string> | null;

type Hears = Extract<RelayMessageToWrite, { type: 'hears' }>;

const NOBODY: ReadonlySet<string> = new Set();

/** The most marks beside the other lists of a message. */
const MARKS_BESIDE = 500;

/** A listener is in the lobby, with this set; telling them is up to the caller. */
export function linkListener(roster: Roster, listener: Member, people: People): void {
  if (people) setHeard(listener, new Set(addedOf(roster, listener, NOBODY, people)));
}

/** A speaker is in the lobby, and everyone knows them: `setOf` says whom each listener hears. */
export function linkSpeaker(
  roster: Roster,
  speaker: Member,
  setOf: (listener: Member) => People,
  turn: Turn,
): void {
  if (!speaker.rights.maySpeak) return;
  const told: ConnectionId[] = [];
  for (const listener of roster.all) {
    if (listener === speaker || !listener.heard || !setOf(listener)?.has(speaker.steamId)) continue;
    link(listener, speaker);
    if (listener.presence.kind === 'here') told.push(listener.presence.connection);
  }
  turn.tell(told, { type: 'hears', more: [speaker.slot] });
  for (const listener of speaker.heardBy) refreshTopicsOf(listener, speaker, turn);
}

/** They have left the lobby. `left` has told everyone. */
export function unlink(member: Member, turn: Turn): void {
  for (const listener of [...member.heardBy]) {
    unlinkOne(listener, member);
    refreshTopicsOf(listener, member, turn);
  }
  setHeard(member, null);
}

/** Tells somebody who begins to hear, after their welcome or a deafening, whom they hear and where that stands. */
export function tellWelcomed(roster: Roster, listener: Member, turn: Turn): void {
  const next = marksFor(roster, listener);
  if (!listener.heard) tellMarks(listener, { next }, turn);
  else tell(listener, { only: true, ...moreOf(listener.heard) }, { next, until: [] }, turn);
}

/** Another set. Subscriptions and messages are those of the difference. */
export function changeHeard(
  roster: Roster,
  listener: Member,
  before: People,
  after: People,
  turn: Turn,
): void {
  if (before && after) {
    // Most people stay: only those who do not are looked up.
    const more = addedOf(roster, listener, before, after);
    const fewer = addedOf(roster, listener, after, before);
    if (more.length === 0 && fewer.length === 0) return;
    const until = marksWith(listener, fewer);
    for (const speaker of fewer) unlinkOne(listener, speaker);
    for (const speaker of more) link(listener, speaker);
    const lists = {
      ...moreOf(more),
      ...(fewer.length > 0 && { fewer: slotsOf(fewer) }),
      ...speakingAmong(more, listener),
    };
    tell(listener, lists, { next: marksWith(listener, more), until }, turn);
    for (const speaker of fewer) refreshTopicsOf(listener, speaker, turn);
    for (const speaker of more) refreshTopicsOf(listener, speaker, turn);
    return;
  }
  const heardBefore = listener.heard;
  const heardAfter = after && new Set(addedOf(roster, listener, NOBODY, after));
  const others = [...roster.shown].filter(
    (it) => it !== listener && !(heardBefore ?? heardAfter)?.has(it) && it.rights.maySpeak,
  );
  if (after) {
    const until = marksWith(listener, others);
    setHeard(listener, heardAfter);
    tell(listener, { only: true, ...moreOf(heardAfter ?? []) }, { next: [], until }, turn);
  } else if (before) {
    setHeard(listener, null);
    const next = marksWith(listener, others);
    tell(listener, { only: false, ...speakingAmong(others, listener) }, { next, until: [] }, turn);
  }
  refreshTopics(listener, turn);
}

function tell(
  listener: Member,
  lists: Omit<Hears, 'type' | 'next' | 'until'>,
  { next, until }: { readonly next: readonly StreamMark[]; readonly until: readonly StreamMark[] },
  turn: Turn,
): void {
  if (listener.presence.kind !== 'here') return;
  const [firstNext, firstUntil] = [next.slice(0, MARKS_BESIDE), until.slice(0, MARKS_BESIDE)];
  turn.tell([listener.presence.connection], {
    type: 'hears',
    ...lists,
    ...(firstNext.length > 0 && { next: firstNext }),
    ...(firstUntil.length > 0 && { until: firstUntil }),
  });
  tellMarks(listener, { next: next.slice(MARKS_BESIDE), until: until.slice(MARKS_BESIDE) }, turn);
}

/** The members of `after` who are not in `before`, as far as they are there and may speak, without the listener. */
function addedOf(
  roster: Roster,
  listener: Member,
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
): readonly Member[] {
  const added: Member[] = [];
  for (const steamId of after) {
    if (before.has(steamId)) continue;
    const member = roster.withSteamId(steamId);
    if (member && member !== listener && member.rights.maySpeak) added.push(member);
  }
  return added;
}

/** Where the streams of these speakers stand that are for this listener. */
function marksWith(listener: Member, speakers: readonly Member[]): readonly StreamMark[] {
  const marks: StreamMark[] = [];
  if (mayHear(listener)) for (const speaker of speakers) marksOf(listener, speaker, marks);
  return marks;
}

function speakingAmong(speakers: readonly Member[], listener: Member): Pick<Hears, 'speaking'> {
  const speaking: number[] = [];
  for (const it of speakers) if (it.speech.target !== null && speaksTo(it, listener)) speaking.push(it.slot);
  return speaking.length > 0 ? { speaking } : {};
}

function moreOf(speakers: Iterable<Member>): Pick<Hears, 'more'> {
  const more = slotsOf(speakers);
  return more.length > 0 ? { more } : {};
}

function slotsOf(members: Iterable<Member>): number[] {
  const slots: number[] = [];
  for (const { slot } of members) slots.push(slot);
  return slots;
}

/** Whom they hear from now on, of those who are there; null for everyone. */
function setHeard(listener: Member, heard: Set<Member> | null): void {
  const own: { heard: Set<Member> | null } = listener;
  for (const speaker of own.heard ?? []) speaker.heardBy.delete(listener);
  own.heard = heard;
  for (const speaker of heard ?? []) speaker.heardBy.add(listener);
}

function link(listener: Member, speaker: Member): void {
  listener.heard?.add(speaker);
  speaker.heardBy.add(listener);
}

function unlinkOne(listener: Member, speaker: Member): void {
  listener.heard?.delete(speaker);
  speaker.heardBy.delete(listener);
}
