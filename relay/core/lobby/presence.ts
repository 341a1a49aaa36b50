/**
 * Whether a member has a connection, and what it is subscribed to: the topics of what they may hear, and nothing else.
 *
 * After every change the topics are worked out again from the member's state, and only the difference is output. So no change can
 * forget a subscription.
 */

import type { Milliseconds } from '../../../voice/units.js';
import { Target } from '../../../voice/wire.js';
import type { ConnectionId } from '../io.js';
import type { Turn } from '../turn.js';
import type { Member, Presence, Topic } from './member.js';

const NO_TOPICS: ReadonlySet<Topic> = new Set();

/** They have a connection, the first or another one: it is subscribed to what they may hear. */
export function arrive(member: Member, connection: ConnectionId, turn: Turn): void {
  release(member);
  set(member, { kind: 'here', connection, topics: NO_TOPICS });
  refreshTopics(member, turn);
}

/** What they may hear has changed. */
export function refreshTopics(member: Member, turn: Turn): void {
  const { presence } = member;
  if (presence.kind !== 'here') return;
  const { connection, topics } = presence;
  const after = topicsOf(member);
  set(member, { kind: 'here', connection, topics: after });
  for (const topic of topics) if (!after.has(topic)) unsubscribe(connection, topic, turn);
  for (const topic of after) if (!topics.has(topic)) subscribe(connection, topic, turn);
}

/** Their connection, which is still there, is no longer theirs. */
export function detach(member: Member, until: Milliseconds, turn: Turn): void {
  const { presence } = member;
  if (presence.kind === 'here') {
    for (const topic of presence.topics) unsubscribe(presence.connection, topic, turn);
  }
  set(member, { kind: 'away', until });
}

/** Their connection is gone, and its subscriptions with it. */
export function lose(member: Member, until: Milliseconds): void {
  release(member);
  set(member, { kind: 'away', until });
}

/** Whether the relay sends them any voice. */
export function mayHear({ presence, rights, sanctioned }: Member): boolean {
  return presence.kind === 'here' && rights.mayListen && !sanctioned.deafened;
}

function topicsOf(member: Member): ReadonlySet<Topic> {
  if (!mayHear(member)) return NO_TOPICS;
  const { lobby, channels, whisper } = member;
  const topics = new Set([lobby.topic]);
  for (const { topic } of channels) topics.add(topic);
  for (const { streams } of whisper.by) topics.add(streams.get(Target.whisper)!.topic);
  return topics;
}

function subscribe(connection: ConnectionId, topic: Topic, turn: Turn): void {
  count(topic, 1);
  turn.push({ kind: 'subscribe', connection, topic: topic.name });
}

function unsubscribe(connection: ConnectionId, topic: Topic, turn: Turn): void {
  count(topic, -1);
  turn.push({ kind: 'unsubscribe', connection, topic: topic.name });
}

/** Their subscriptions are gone with their connection. */
function release({ presence }: Member): void {
  if (presence.kind === 'here') for (const topic of presence.topics) count(topic, -1);
}

function count(topic: Topic, by: 1 | -1): void {
  const own: { listeners: number } = topic;
  own.listeners += by;
}

function set(member: Member, presence: Presence): void {
  const own: { presence: Presence } = member;
  own.presence = presence;
}
