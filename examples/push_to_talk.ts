/** Joins a lobby, plays a WAV by push-to-talk and hears the others: node dist/examples/push_to_talk.js ws://127.0.0.1:7800 hello.wav */

import { fileURLToPath } from 'node:url';
import { joinVoice, Publisher } from 'hotmic/client';
import { embeddedSteam, startCapture } from 'hotmic/steam';

const ada = fileURLToPath(new URL('../../examples/speech/ada.wav', import.meta.url));
const [url = 'ws://127.0.0.1:7800', path = ada] = process.argv.slice(2);
const steamId = 76561197960265729n;
const play = (name: string, pcm: Int16Array) => console.log(`${name}: ${pcm.length} samples at 24 kHz`);

const onDecoded = ({ name }: { name: string }, { pcm }: { pcm: Int16Array }) => play(name, pcm);
const { lobby } = await joinVoice({ url, lobby: 'den', steamId, name: 'Ada', onDecoded });

const capture = await startCapture({ steam: embeddedSteam({ steamId, input: { kind: 'wav', path } }) });
const publisher = new Publisher({ capture, publish: lobby.publish });

publisher.press(); // the key goes down …
await new Promise((resolve) => setTimeout(resolve, 2000));
await publisher.release(); // … and up: resolves when the tail was sent
await lobby.leave();
await capture.close();
console.log(`sent ${publisher.counts().packets} packets`);
