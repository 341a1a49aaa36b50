/** Joins a lobby, plays a WAV by push-to-talk and hears the others: node dist/examples/push_to_talk.js ws://127.0.0.1:7800 hello.wav */

import { fileURLToPath } from 'node:url';
import { joinVoice } from 'hotmic/client';
import { embeddedSteam, startCapture } from 'hotmic/steam';

const ada = fileURLToPath(new URL('../../examples/speech/ada.wav', import.meta.url));
const [url = 'ws://127.0.0.1:7800', path = ada] = process.argv.slice(2);
const steamId = 76561197960265729n;
const play = (_pcm: Int16Array) => undefined; // here goes your sound output: mono, 16 bit

const microphone = await startCapture({ steam: embeddedSteam({ steamId, input: { kind: 'wav', path } }) });
const voice = await joinVoice({ url, lobby: 'den', steamId, name: 'Ada', microphone });
voice.on('speaking', ({ participant }) => console.log(participant.name, participant.speaking));

const out = new Int16Array(480); // 10 ms of everybody at 48 kHz
const playing = setInterval(() => play(voice.pull(out)), 10); // better: whenever your sound output asks

voice.press(); // the key goes down …
await new Promise((resolve) => setTimeout(resolve, 2000));
await voice.release(); // … and up: resolves when the tail was sent
clearInterval(playing);
await voice.leave();
await microphone.close();
console.log(`sent ${voice.statistics().microphone.packets} packets`);
