/** Joins a lobby with a Steam ticket as proof of identity: node dist/examples/ticket_to_relay.js ws://127.0.0.1:7800 480 */

import { joinVoice } from 'hotmic/client';
import { type HeldTicket, openSteam } from 'hotmic/steam';

const [url = 'ws://127.0.0.1:7800', appId = '480'] = process.argv.slice(2);

const steam = openSteam({ appId: Number(appId), embedded: 'fallback' });
const tickets: HeldTicket[] = [];

const voice = await joinVoice({
  url,
  lobby: 'den',
  steamId: steam.user.getSteamID(),
  name: 'Ada',
  // A function gets a new one for each place: the relay accepts each ticket once.
  ticket: async () => {
    const ticket = await steam.getAuthTicketForWebApi('hotmic', { timeoutMs: 10_000 });
    tickets.push(ticket);
    console.log(`${steam.kind} ticket of ${ticket.bytes.length} bytes`);
    return ticket.bytes;
  },
});
console.log(`joined as ${voice.you.steamId}`);

await voice.leave();
for (const ticket of tickets) ticket.cancel(); // only now: the relay checks it with Steam
steam.close();
