/**
 * Whether a member has a connection, and what it is subscribed to: the topics of what they may hear, and nothing else.
 *
 * After every change the topics are worked out again from the member's state, and only the difference is output. So no change can
 * forget a subscription.
 */

import type { Milliseconds } from '../../../voice/units.js';
import type { ConnectionId } from '../io.js';
import type { Turn } from '../turn.js';
import type { Member, Presence } from './member.js';

const NO_TOPICS: readonly string[] = [];

/** They have a connection, the first or another one: it is subscribed to what they may hear. */
export function arrive(member: Member, connection: ConnectionId, turn: Turn): void {
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
  // As sets: everyone in a lobby may whisper to the same member.
  const [was, is] = [new Set(topics), new Set(after)];
  for (const topic of was) if (!is.has(topic)) turn.push({ kind: 'unsubscribe', connection, topic });
  for (const topic of is) if (!was.has(topic)) turn.push({ kind: 'subscribe', connection, topic });
}

/** Their connection, which is still there, is no longer theirs. */
export function detach(member: Member, until: Milliseconds, turn: Turn): void {
  const { presence } = member;
  if (presence.kind === 'here') {
    const { connection, topics } = presence;
    for (const topic of topics) turn.push({ kind: 'unsubscribe', connection, topic });
  }
  set(member, { kind: 'away', until });
}

/** Their connection is gone, and its subscriptions with it. */
export function lose(member: Member, until: Milliseconds): void {
  set(member, { kind: 'away', until });
}

function topicsOf({ rights, sanctioned, lobby, channels, whisper }: Member): readonly string[] {
  if (!rights.mayListen || sanctioned.deafened) return NO_TOPICS;
  const topics = [lobby.topic];
  for (const { topic } of channels) topics.push(topic);
  for (const whisperer of whisper.by) topics.push(whisperer.whisper.topic);
  return topics;
}

function set(member: Member, presence: Presence): void {
  const own: { presence: Presence } = member;
  own.presence = presence;
}
