/** Authenticates a player by their ticket and asks whether they own a DLC: node dist/examples/licence_check.js 480 1234 [--dev] */

import { openSteam } from 'hotmic/steam';

const [appId = '480', dlc = '1234', dev] = process.argv.slice(2);

// Use the embedded Steam only for development: its tickets prove nothing.
using steam = openSteam({ appId: Number(appId), embedded: dev === '--dev' ? 'always' : 'never' });

// The player's side creates the ticket, and a game sends it over its own connection. Here both sides are in one process.
using ticket = await steam.getAuthSessionTicket();

// The side that authenticates the player.
using session = await steam.beginAuthSession(ticket.bytes, steam.user.getSteamID(), {
  onEnded: (response) => console.log(`the session ended: AuthSessionResponse ${response}`),
});
console.log(`${session.steamId} is authenticated; the game is owned by ${session.ownerId}`);
console.log(`DLC ${dlc}: ${session.hasLicense(Number(dlc)) ? 'owned' : 'not owned'}`);
