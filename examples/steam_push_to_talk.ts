/** Push-to-talk with Steam's microphone, or the embedded Steam without Steam: node dist/examples/steam_push_to_talk.js ws://127.0.0.1:7800 480 */

import { hearLobby, Publisher } from 'hotmic/client';
import { openSteam, startCapture } from 'hotmic/steam';

const [url = 'ws://127.0.0.1:7800', appId = '480'] = process.argv.slice(2);

const embeddedOptions = { input: { kind: 'tone' } } as const; // used without Steam
const steam = openSteam({ appId: Number(appId), embedded: 'fallback', embeddedOptions });
console.log(`this is ${steam.report.why}`);

const steamId = steam.user.getSteamID();
// To hear the others, give `hearing.pull` to your sound output: push_to_talk.ts does.
const hearing = await hearLobby({ url, lobby: 'den', steamId, name: 'Ada' });
const capture = await startCapture({ steam: steam.capture });
const publisher = new Publisher({ capture, publish: hearing.lobby.publish });

publisher.press(); // the key goes down …
await new Promise((resolve) => setTimeout(resolve, 1000));
await publisher.release(); // … and up: resolves when the tail was sent

console.log(`sent ${publisher.counts().packets} packets`);
await capture.close();
await hearing.lobby.leave();
steam.close();
