/** What the relay tells a member, beyond the messages that begin and end a connection, as outputs. Pure. */

import type { Milliseconds } from '../../voice/units.js';
import type { WayBack } from './connecting/way_back.js';
import { relayText } from './endings.js';
import type { Incoming } from './incoming.js';
import type { Place } from './place.js';
import type { SessionOutput } from './session_io.js';

/** The messages that begin or end something. */
type Turning = 'none' | 'challenge' | 'welcome' | 'refused';

/** Takes the message in, and returns what to tell the application, or the relay. */
export function newsOf(
  message: Exclude<Incoming, { type: Turning }>,
  place: Place,
  wayBack: WayBack,
  now: Milliseconds,
): SessionOutput[] {
  switch (message.type) {
    case 'failed': {
      const [request, code, text] = [message.request, message.code, message.message].map(relayText) as [
        string,
        string,
        string,
      ];
      return [{ kind: 'failed', request, code, message: text }];
    }
    case 'draining': {
      const { withinMs, goTo = null } = message;
      const why = wayBack.noteRedirect(goTo, place.mayMove, now);
      const refused: SessionOutput[] = goTo !== null && why ? [{ kind: 'redirect-refused', goTo, why }] : [];
      return [{ kind: 'draining', withinMs, goTo }, ...refused];
    }
    case 'heartbeat':
      place.heartbeat(message.relayTimeMs, now);
      return [];
    case 'parked':
      return place.parked(message.relayTimeMs, now);
    case 'live':
      return place.live();
    default:
      return place.apply(message);
  }
}
