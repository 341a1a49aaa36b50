/**
 * The listener that is stopped and goes on: a process of its own. It notes when each frame reaches it, and how old the frame is: for our relay what
 * our client passes on to be played, for the others what comes out of the socket.
 */

import { monotonicMs } from '../../client/clock.js';
import { joinLobby } from '../../client/lobby/join.js';
import { personSteamId } from '../../voice/steam_id.js';
import type { Milliseconds } from '../../voice/units.js';
import { openLine, type Protocol } from './lines.js';
import { ageOf, ageOfTimestamp, LISTENER } from './wire.js';

export interface ListenerOrder {
  /** `client`: our client, otherwise a line without one. */
  readonly kind: 'client' | Protocol;
  readonly url: string;
  readonly token: string | null;
}

/** A frame that reached the listener. */
export type Heard = readonly [at: Milliseconds, age: Milliseconds];

export interface ListenerReport {
  readonly heard: readonly Heard[];
  /** Frames that our client read and dropped because of their age, and those that the relay did not send. */
  readonly stale: number;
  readonly skipped: number;
}

const order = JSON.parse(process.argv[2]!) as ListenerOrder;
const heard: Heard[] = [];
let counts = () => ({ stale: 0, skipped: 0 });

if (order.kind === 'client') {
  const lobby = await joinLobby({
    url: order.url,
    lobby: 'den',
    name: 'listener',
    steamId: personSteamId(LISTENER),
    ...(order.token !== null && { token: order.token }),
    events: {
      onVoice: (_, { timestamp }) => {
        const now = monotonicMs();
        heard.push([now, ageOfTimestamp(timestamp, now)]);
      },
    },
  });
  counts = () => {
    const { dropped, framesSkipped } = lobby.counts();
    return { stale: dropped.stale, skipped: framesSkipped };
  };
} else {
  await openLine(order.kind, order.url, LISTENER, order.token, (frame) => {
    const now = monotonicMs();
    heard.push([now, ageOf(frame, now)]);
  });
}
process.on('message', () => {
  process.send?.({ heard, ...counts() } satisfies ListenerReport);
  heard.length = 0;
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
