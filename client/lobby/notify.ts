/** Calls the application back about what happened in the lobby. */

import type { SessionOutput } from '../session/session_io.js';
import type { Lobby, LobbyEvents } from './lobby.js';

/** What is reported to the application. */
type Happening = Exclude<
  SessionOutput,
  {
    kind:
      | 'ask-credential'
      | 'ask-app-ticket'
      | 'open'
      | 'send'
      | 'close'
      | 'not-sent'
      | 'join-failed'
      | 'closed';
  }
>;

export function notify(events: LobbyEvents, happening: Happening, lobby: Lobby): void {
  switch (happening.kind) {
    case 'welcome':
      events.onWelcome?.(lobby);
      break;
    case 'away':
      events.onReconnecting?.(happening.error);
      break;
    case 'resumed':
      events.onResumed?.(happening.how);
      break;
    case 'joined':
      events.onJoined?.(happening.participant);
      break;
    case 'left':
      events.onLeft?.(happening.participant);
      break;
    case 'speaking':
      events.onSpeaking?.(happening.participant);
      break;
    case 'changed':
      events.onChanged?.(happening.participant, happening.before);
      break;
    case 'you-changed':
      events.onYouChanged?.(happening.you, happening.before);
      break;
    case 'unlisted':
      events.onUnlisted?.(happening.unlisted);
      break;
    case 'channels':
      events.onChannels?.(happening.channels);
      break;
    case 'voice':
      events.onVoice?.(happening.participant, happening.header, happening.packet, happening.target);
      break;
    case 'parked':
      events.onParked?.();
      break;
    case 'caught-up':
      events.onCaughtUp?.(happening.skippedFrames);
      break;
    case 'failed':
      events.onFailed?.(happening.code, happening.message, happening.request);
      break;
    case 'draining':
      events.onDraining?.(happening.withinMs, happening.goTo);
      break;
    case 'redirect-refused':
      events.onRedirectRefused?.(happening.goTo, happening.why);
      break;
    case 'ended':
      events.onEnded?.(happening.error);
  }
}
