/** Speaks to a team's channel, then to everyone, and reconnects if the connection breaks: node dist/examples/channels.js ws://127.0.0.1:7800 */

import { joinLobby, Publisher } from 'hotmic/client';
import { embeddedSteam, startCapture } from 'hotmic/steam';

const [url = 'ws://127.0.0.1:7800'] = process.argv.slice(2);
const steamId = 76561197960265729n;
let onEntered: () => void = () => undefined;
const entered = new Promise<void>((resolve) => {
  onEntered = resolve;
});

const lobby = await joinLobby({
  url,
  lobby: 'den',
  steamId,
  name: 'Ada',
  events: {
    onYouChanged: ({ channels }) => channels.includes('red') && onEntered(),
    onChanged: ({ name, away, muted }) => console.log(`${name}: ${away ? 'away' : muted ? 'muted' : 'here'}`),
    onReconnecting: ({ message }) => console.log(`${message}; reconnecting`), // publish returns false until onResumed
    onResumed: (how) => console.log(how), // events for what changed while we were away follow
    onEnded: (error) => console.log(error ? error.message : 'left'),
  },
});
lobby.enter(['red']);
await entered;

const capture = await startCapture({ steam: embeddedSteam({ steamId, input: { kind: 'tone' } }) });
const publisher = new Publisher({ capture, publish: lobby.publish, target: { channel: 'red' } });
publisher.press();
await new Promise((resolve) => setTimeout(resolve, 500));
publisher.speakTo('lobby'); // the key stays down: this ends one talkspurt and begins another
await new Promise((resolve) => setTimeout(resolve, 500));
await publisher.release();
console.log(`sent ${publisher.counts().talkspurts} talkspurts`);
await lobby.leave();
await capture.close();
