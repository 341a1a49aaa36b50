/** Calls the application back when something changed in the lobby. */

import type { LobbyChange } from '../lobby_state.js';
import type { LobbyEvents } from './lobby.js';

export function notifyChange(events: LobbyEvents, change: LobbyChange): void {
  switch (change.kind) {
    case 'joined':
      events.onJoined?.(change.participant);
      break;
    case 'left':
      events.onLeft?.(change.participant);
      break;
    case 'speaking':
      events.onSpeaking?.(change.participant);
      break;
    case 'changed':
      events.onChanged?.(change.participant, change.before);
      break;
    case 'you-changed':
      events.onYouChanged?.(change.you, change.before);
      break;
    case 'channels':
      events.onChannels?.(change.channels);
  }
}
