/**
 * Whether a member has a connection, and what it is subscribed to: the topics of what they may hear, and nothing else.
 *
 * After every change the topics are worked out again from the member's state, and only the difference is output. So no change can
 * forget a subscription.
 */

import type { Milliseconds } from '../../../voice/units.js';
import { Target } from '../../../voice/wire.js';
import type { ConnectionId } from '../io.js';
import { Lateness } from '../staleness/lateness.js';
import { Reading } from '../staleness/reading.js';
import type { Turn } from '../turn.js';
import type { Member, Presence } from './member.js';
import type { Topic } from './topics.js';

type Here = Extract<Presence, { kind: 'here' }>;

/** A connection that is theirs from now on. */
export interface Arrival {
  readonly id: ConnectionId;
  /** Whether its client acknowledges what it has read. */
  readonly acknowledges: boolean;
}

/** They have a connection, the first or another one: it is subscribed to what they may hear. */
export function arrive(
  member: Member,
  { id, acknowledges }: Arrival,
  staleAfterMs: Milliseconds,
  turn: Turn,
): void {
  release(member);
  const reading = acknowledges ? new Reading(turn.now) : null;
  const lateness = acknowledges ? new Lateness(staleAfterMs) : null;
  set(member, { kind: 'here', connection: id, topics: new Map(), reading, lateness });
  refreshTopics(member, turn);
}

/** What they may hear has changed. */
export function refreshTopics(member: Member, turn: Turn): void {
  const { presence } = member;
  if (presence.kind !== 'here') return;
  const after = topicsOf(member);
  for (const topic of [...presence.topics.keys()])
    if (!after.has(topic)) unsubscribe(member, presence, topic, turn);
  for (const topic of after) if (!presence.topics.has(topic)) subscribe(presence, topic, turn);
}

/** What they may hear of this speaker has changed. Much cheaper than to work out everything. */
export function refreshTopicsOf(listener: Member, speaker: Member, turn: Turn): void {
  const { presence } = listener;
  if (presence.kind !== 'here') return;
  for (const { target, topic } of speaker.streams.values()) {
    const isHeard = hearsAtOwnTopic(listener, speaker, target);
    if (isHeard === presence.topics.has(topic)) continue;
    if (isHeard) subscribe(presence, topic, turn);
    else unsubscribe(listener, presence, topic, turn);
  }
}

/** Their connection, which is still there, is no longer theirs. */
export function detach(member: Member, until: Milliseconds, turn: Turn): void {
  const { presence } = member;
  if (presence.kind === 'here') {
    for (const topic of [...presence.topics.keys()]) unsubscribe(member, presence, topic, turn);
  }
  set(member, { kind: 'away', until });
}

/** Their connection is gone, and its subscriptions with it. */
export function lose(member: Member, until: Milliseconds): void {
  release(member);
  set(member, { kind: 'away', until });
}

/** Whether they are to get voice: the relay sends it, unless they are parked. */
export function mayHear({ presence, rights, sanctioned }: Member): boolean {
  return presence.kind === 'here' && rights.mayListen && !sanctioned.deafened;
}

function getsVoice(member: Member): boolean {
  const { presence } = member;
  return mayHear(member) && !(presence.kind === 'here' && presence.reading?.isParked);
}

/** Whether the hearing set of this listener, if there is one, has this speaker. */
export function isWithin({ heard }: Member, speaker: Member): boolean {
  return heard === null || heard.has(speaker);
}

function topicsOf(member: Member): Set<Topic> {
  const topics = new Set<Topic>();
  if (!getsVoice(member)) return topics;
  const { lobby, channels, whisper, heard } = member;
  if (!heard) {
    topics.add(lobby.topic);
    for (const { topic } of channels) topics.add(topic);
    for (const { streams } of whisper.by) topics.add(streams.get(Target.whisper)!.topic);
    return topics;
  }
  for (const speaker of heard) {
    for (const { target, topic } of speaker.streams.values()) {
      if (hearsAtOwnTopic(member, speaker, target)) topics.add(topic);
    }
  }
  return topics;
}

/** Whether this listener hears this speaker at a topic of the speaker's own: whispers always, everything else with a hearing set. */
function hearsAtOwnTopic(listener: Member, speaker: Member, target: number): boolean {
  if (!getsVoice(listener) || !isWithin(listener, speaker)) return false;
  if (target === Target.whisper) return speaker.whisper.to.includes(listener);
  if (!listener.heard) return false;
  return target === Target.lobby || (isIn(listener, target) && isIn(speaker, target));
}

function isIn({ channels }: Member, channel: number): boolean {
  return channels.some(({ number }) => number === channel);
}

function subscribe(here: Here, topic: Topic, turn: Turn): void {
  const { connection, topics } = here;
  count(topic, here, 1);
  topics.set(topic, topic.flags?.count ?? 0);
  turn.push({ kind: 'subscribe', connection, topic: topic.name });
}

/** What they have not acknowledged yet they still owe. */
function unsubscribe(listener: Member, here: Here, topic: Topic, turn: Turn): void {
  const { connection, topics, reading } = here;
  const { flags } = topic;
  if (reading && flags) {
    reading.owes(flags.oldestAfter(reading.settledUntil, topics.get(topic) ?? flags.count, listener));
  }
  count(topic, here, -1);
  topics.delete(topic);
  turn.push({ kind: 'unsubscribe', connection, topic: topic.name });
}

/** Their subscriptions are gone with their connection. */
function release({ presence }: Member): void {
  if (presence.kind === 'here') for (const topic of presence.topics.keys()) count(topic, presence, -1);
}

function count(topic: Topic, { reading }: Here, by: 1 | -1): void {
  const own: { listeners: number; acknowledging: number } = topic;
  own.listeners += by;
  if (reading) own.acknowledging += by;
}

function set(member: Member, presence: Presence): void {
  const own: { presence: Presence } = member;
  own.presence = presence;
}
