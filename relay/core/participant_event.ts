/** What is logged, and told to backends, when somebody joins, goes away, comes back or leaves. */

import type { Departure, RelayOutput } from './io.js';
import type { Participant } from './participant.js';

export function participantEvent(
  kind: 'joined' | 'away' | 'resumed',
  { lobby, slot, steamId, name }: Participant,
): RelayOutput {
  return { kind: 'event', event: { kind, lobby: lobby.name, slot, steamId, name } };
}

export function leftEvent({ lobby, slot, steamId, name }: Participant, why: Departure): RelayOutput {
  return { kind: 'event', event: { kind: 'left', lobby: lobby.name, slot, steamId, name, why } };
}
