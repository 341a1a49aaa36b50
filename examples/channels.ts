/** Speaks to a team's channel, then to all; a connection that breaks comes back by itself: node dist/examples/channels.js ws://127.0.0.1:7800 */

import { joinLobby, Publisher } from 'hotmic/client';
import { embeddedSteam, startCapture } from 'hotmic/steam';

const [url = 'ws://127.0.0.1:7800'] = process.argv.slice(2);
const steamId = 76561197960265729n;
let sayEntered: () => void = () => undefined;
const entered = new Promise<void>((resolve) => {
  sayEntered = resolve;
});

const lobby = await joinLobby({
  url,
  lobby: 'den',
  steamId,
  name: 'Ada',
  events: {
    onYouChanged: ({ channels }) => channels.includes('red') && sayEntered(),
    onChanged: ({ name, away, muted }) => console.log(`${name}: ${away ? 'away' : muted ? 'muted' : 'here'}`),
    onReconnecting: ({ message }) => console.log(`${message}; coming back`), // publish returns false meanwhile
    onResumed: (how) => console.log(how), // what changed meanwhile is told behind it
    onEnded: (error) => console.log(error ? error.message : 'left'),
  },
});
lobby.enter(['red']);
await entered;

const capture = await startCapture({ steam: embeddedSteam({ steamId, input: { kind: 'tone' } }) });
const publisher = new Publisher({ capture, publish: lobby.publish, target: { channel: 'red' } });
publisher.press();
await new Promise((resolve) => setTimeout(resolve, 500));
publisher.speakTo('lobby'); // the key stays down: one talkspurt ends here, another begins
await new Promise((resolve) => setTimeout(resolve, 500));
await publisher.release();
console.log(`said ${publisher.counts().talkspurts} talkspurts`);
await lobby.leave();
await capture.close();
