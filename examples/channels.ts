/** Speaks to a team's channel, then to everyone, and reconnects if the connection breaks: node dist/examples/channels.js ws://127.0.0.1:7800 */

import { joinVoice } from 'hotmic/client';
import { embeddedSteam, startCapture } from 'hotmic/steam';

const [url = 'ws://127.0.0.1:7800'] = process.argv.slice(2);
const steamId = 76561197960265729n;

const microphone = await startCapture({ steam: embeddedSteam({ steamId, input: { kind: 'tone' } }) });
const voice = await joinVoice({ url, lobby: 'den', steamId, name: 'Ada', microphone });
voice.on('changed', ({ participant: { name, away, muted } }) =>
  console.log(`${name}: ${away ? 'away' : muted ? 'muted' : 'here'}`),
);
voice.on('reconnecting', ({ error }) => console.log(`${error.message}; reconnecting`)); // nothing is sent until `resumed`
voice.on('resumed', ({ how }) => console.log(how)); // events for what changed while we were away follow
voice.on('ended', ({ error }) => console.log(error ? error.message : 'left'));

voice.enter(['red']);
await new Promise<void>((resolve) => {
  voice.on('you-changed', ({ you }) => you.channels.includes('red') && resolve());
});
voice.speakTo({ channel: 'red' });
voice.press();
await new Promise((resolve) => setTimeout(resolve, 500));
voice.speakTo('lobby'); // the key stays down: this ends one talkspurt and begins another
await new Promise((resolve) => setTimeout(resolve, 500));
await voice.release();
console.log(`sent ${voice.statistics().microphone.talkspurts} talkspurts`);
await voice.leave();
await microphone.close();
