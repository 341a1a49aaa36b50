/** Joins a lobby, plays a WAV by push-to-talk and hears the others: node dist/examples/push_to_talk.js ws://127.0.0.1:7800 hello.wav */

import { fileURLToPath } from 'node:url';
import { hearLobby, Publisher } from 'hotmic/client';
import { embeddedSteam, startCapture } from 'hotmic/steam';

const ada = fileURLToPath(new URL('../../examples/speech/ada.wav', import.meta.url));
const [url = 'ws://127.0.0.1:7800', path = ada] = process.argv.slice(2);
const steamId = 76561197960265729n;
const play = (_pcm: Int16Array) => undefined; // here goes your sound output: mono, 16 bit

const { lobby, pull } = await hearLobby({ url, lobby: 'den', steamId, name: 'Ada' });
const out = new Int16Array(120); // 5 ms of everybody at 24 kHz
const playing = setInterval(() => play(pull(out)), 5); // better: whenever your sound output asks

const capture = await startCapture({ steam: embeddedSteam({ steamId, input: { kind: 'wav', path } }) });
const publisher = new Publisher({ capture, publish: lobby.publish });

publisher.press(); // the key goes down …
await new Promise((resolve) => setTimeout(resolve, 2000));
await publisher.release(); // … and up: resolves when the tail was sent
clearInterval(playing);
await lobby.leave();
await capture.close();
console.log(`sent ${publisher.counts().packets} packets`);
