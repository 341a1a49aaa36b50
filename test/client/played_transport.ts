/** A connection without a relay: the test says what the relay would say, and sees what was sent to it. */

import type { OpenTransport, Transport, TransportEvents } from '../../client/transport.js';
import { personSteamId } from '../../voice/steam_id.js';

/** A transport that the test plays, and what was sent over it. */
export function playedTransport() {
  const sent: (string | Uint8Array)[] = [];
  let closes = 0;
  let events!: TransportEvents;
  const transport: Transport & { bufferedBytes: number } = {
    send: (data) => sent.push(data),
    bufferedBytes: 0,
    close: () => {
      closes += 1;
    },
  };
  const open: OpenTransport = (_url, given) => {
    events = given;
    return transport;
  };
  return { sent, open, transport, closes: () => closes, say: () => events };
}

/** The welcome of a relay, into slot 5 of a lobby with Kim in slot 1. */
export const WELCOME = JSON.stringify({
  type: 'welcome',
  version: 1,
  slot: 5,
  lobby: 'den',
  relayTimeMs: 0,
  participants: [{ slot: 1, steamId: String(personSteamId(9)), name: 'Kim', speaking: false }],
});
