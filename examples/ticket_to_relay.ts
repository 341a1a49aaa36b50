/** Joins a lobby with a Steam ticket as proof of identity: node dist/examples/ticket_to_relay.js ws://127.0.0.1:7800 480 */

import { joinLobby } from 'hotmic/client';
import { openSteam } from 'hotmic/steam';

const [url = 'ws://127.0.0.1:7800', appId = '480'] = process.argv.slice(2);

const steam = openSteam({ appId: Number(appId), embedded: 'fallback' });
const ticket = await steam.getAuthTicketForWebApi('hotmic', { timeoutMs: 10_000 });
console.log(`${steam.kind} ticket of ${ticket.bytes.length} bytes`);

const lobby = await joinLobby({
  url,
  lobby: 'den',
  steamId: steam.user.getSteamID(),
  name: 'Ada',
  ticket: ticket.bytes,
});
console.log(`joined as ${steam.user.getSteamID()}`);

await lobby.leave();
ticket.cancel(); // only now: the relay checks it with Steam
steam.close();
