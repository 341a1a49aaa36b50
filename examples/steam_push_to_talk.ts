/** Push-to-talk with Steam's microphone, or the embedded Steam without Steam: node dist/examples/steam_push_to_talk.js ws://127.0.0.1:7800 480 */

import { joinVoice } from 'hotmic/client';
import { openSteam, startCapture } from 'hotmic/steam';

const [url = 'ws://127.0.0.1:7800', appId = '480'] = process.argv.slice(2);

const embeddedOptions = { input: { kind: 'tone' } } as const; // used without Steam
const steam = openSteam({ appId: Number(appId), embedded: 'fallback', embeddedOptions });
console.log(`this is ${steam.report.why}`);

const steamId = steam.user.getSteamID();
const microphone = await startCapture({ steam: steam.capture });
// To hear the others, give `voice.pull` to your sound output: push_to_talk.ts does. Here Steam decodes them.
const voice = await joinVoice({ url, lobby: 'den', steamId, name: 'Ada', microphone, decoder: steam.user });

voice.press(); // the key goes down …
await new Promise((resolve) => setTimeout(resolve, 1000));
await voice.release(); // … and up: resolves when the tail was sent

console.log(`sent ${voice.statistics().microphone.packets} packets`);
await voice.leave();
await microphone.close();
steam.close();
