/** Authenticates a player by their ticket and asks whether they own a DLC: node dist/examples/licence_check.js 480 1234 [--dev] */

import { openSteam } from 'hotmic/steam';

const [appId = '480', dlc = '1234', dev] = process.argv.slice(2);

// Whoever authenticates others must not take the embedded Steam's word: only for development.
using steam = openSteam({ appId: Number(appId), embedded: dev === '--dev' ? 'always' : 'never' });

// The player's side makes the ticket; a game sends it over its own connection. Here both are one process.
using ticket = await steam.getAuthSessionTicket();

// The side that wants to know.
using session = await steam.beginAuthSession(ticket.bytes, steam.user.getSteamID(), {
  onEnded: (response) => console.log(`the session ended: AuthSessionResponse ${response}`),
});
console.log(`${session.steamId} is who they say; the game is owned by ${session.ownerId}`);
console.log(`DLC ${dlc}: ${session.hasLicense(Number(dlc)) ? 'owned' : 'not owned'}`);
