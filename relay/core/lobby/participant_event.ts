/** What is logged, and sent to backends, when a participant joins, goes away, resumes or leaves. */

import type { Departure, RelayOutput } from '../io.js';
import type { Member } from './member.js';

export function participantEvent(
  kind: 'joined' | 'away' | 'resumed',
  { lobby, slot, steamId, profile }: Member,
): RelayOutput {
  return { kind: 'event', event: { kind, lobby: lobby.name, slot, steamId, name: profile.name } };
}

export function leftEvent({ lobby, slot, steamId, profile }: Member, why: Departure): RelayOutput {
  return {
    kind: 'event',
    event: { kind: 'left', lobby: lobby.name, slot, steamId, name: profile.name, why },
  };
}
