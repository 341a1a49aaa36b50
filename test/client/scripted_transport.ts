/** A scripted transport without a relay: the test plays the relay's part and sees what was sent. */

import type { Member } from '../../client/session/lobby_state.js';
import type { OpenTransport, Transport, TransportEvents } from '../../client/transport/transport.js';
import { type RelayMessageToWrite, writeMessage } from '../../voice/control.js';
import { personSteamId } from '../../voice/steam_id.js';

/** A scripted transport, and what was sent over it. `say` belongs to the newest connection. */
export function scriptedTransport() {
  const sent: (string | Uint8Array)[] = [];
  const urls: string[] = [];
  let closes = 0;
  let events!: TransportEvents;
  const transport: Transport & { bufferedBytes: number } = {
    send: (data) => sent.push(data),
    bufferedBytes: 0,
    close: () => {
      closes += 1;
    },
  };
  const open: OpenTransport = (url, given) => {
    urls.push(url.href);
    events = given;
    return transport;
  };
  return { sent, urls, open, transport, closes: () => closes, say: () => events };
}

type Welcome = Extract<RelayMessageToWrite, { type: 'welcome' }>;

const KIM = { slot: 1, steamId: String(personSteamId(9)), name: 'Kim', speaking: false };

/** A welcome for Ada in slot 5 of the lobby den, with nobody else there. */
export function welcomeOf(changed: Partial<Welcome> = {}): Welcome {
  return {
    type: 'welcome',
    version: 1,
    slot: 5,
    lobby: 'den',
    relayTimeMs: 0,
    nonce: '0'.repeat(32),
    you: { slot: 5, steamId: String(personSteamId(7)), name: 'Ada' },
    participants: [],
    channels: [],
    ...changed,
  };
}

/** Its offer to resume. */
export const RESUME = { secret: 'ab'.repeat(16), withinMs: 30_000 };

/** A welcome for slot 5 of a lobby with Kim in slot 1, without an offer to resume. */
export const WELCOME = writeMessage(welcomeOf({ participants: [KIM] }));

/** A participant with these properties; the others have default values. */
export function memberOf(slot: number, account: number, name: string, changed: Partial<Member> = {}): Member {
  return {
    slot,
    steamId: personSteamId(account),
    name,
    channels: [],
    muted: false,
    deafened: false,
    away: false,
    priority: false,
    moderator: false,
    guest: false,
    spectator: false,
    unlisted: false,
    recordingSince: null,
    ...changed,
  };
}
