/** Part of the crowd of the benchmark `pause`: members with our client, who count the connections that they open. A process of its own. */

import { joinLobby } from '../../client/lobby/join.js';
import type { OpenTransport } from '../../client/transport/transport.js';
import { openWsTransport } from '../../client/transport/ws.js';
import { mintToken } from '../../relay/admission/mint_token.js';
import type { TokenJwk } from '../../relay/admission/token_keys.js';
import { personSteamId } from '../../voice/steam_id.js';

export interface CrowdOrder {
  readonly url: string;
  readonly key: TokenJwk;
  readonly firstAccount: number;
  readonly members: number;
  readonly perLobby: number;
}

/** Since the last report. */
export interface CrowdReport {
  /** Connections that were opened. */
  readonly opened: number;
  /** Members who lost their connection, or left it for another. */
  readonly reconnecting: number;
  readonly ended: number;
}

/** Joins at the same time. */
const AT_ONCE = 25;

const order = JSON.parse(process.argv[2]!) as CrowdOrder;
let report = { opened: 0, reconnecting: 0, ended: 0 };
const transport: OpenTransport = (url, events) => {
  report.opened += 1;
  return openWsTransport(url, events);
};

async function join(account: number): Promise<void> {
  const lobby = `lobby ${Math.floor(account / order.perLobby)}`;
  const steamId = personSteamId(account);
  const now = Math.floor(Date.now() / 1000);
  const who = { lobby, steamId: steamId.toString(), audience: 'hotmic' };
  await joinLobby({
    ...{ url: order.url, lobby, steamId, name: `player ${account}`, transport },
    token: await mintToken({ key: order.key, ...who, now, expiresAt: now + 3600 }),
    events: {
      onReconnecting: () => {
        report.reconnecting += 1;
      },
      onEnded: () => {
        report.ended += 1;
      },
    },
  });
}

for (let at = 0; at < order.members; at += AT_ONCE) {
  const some = Array.from({ length: Math.min(AT_ONCE, order.members - at) }, (_, number) => number);
  await Promise.all(some.map((number) => join(order.firstAccount + at + number)));
}
process.on('message', () => {
  process.send?.(report satisfies CrowdReport);
  report = { opened: 0, reconnecting: 0, ended: 0 };
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
