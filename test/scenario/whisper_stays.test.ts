/** A whisper over a real relay, from a microphone on its own thread, while the game's thread is blocked: nobody else hears its end. */

import t from 'tap';
import { decodeLobby } from '../../client/decode_lobby.js';
import { joinLobby } from '../../client/lobby/join.js';
import { Publisher } from '../../client/talking/publisher.js';
import { embeddedSteam, startCapture } from '../../native/capture/capture.js';
import { startRelay } from '../../relay/index.js';
import { personSteamId } from '../../voice/steam_id.js';

/** Holds this thread up. */
function holdFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

for (const heldMs of [0, 20, 100, 400]) {
  t.test(
    `blocked for ${heldMs} ms before the key-up, the whisper and its tail are heard by Ben alone`,
    async (t) => {
      const relay = await startRelay({ dev: true });
      const heard = { ben: { lobby: 0, whisper: 0 }, cleo: { lobby: 0, whisper: 0 } };
      const benHeard = waiter(() => heard.ben.whisper);
      const listen = (name: 'ben' | 'cleo', account: number) =>
        decodeLobby({
          url: relay.url,
          lobby: 'den',
          steamId: personSteamId(account),
          name,
          onDecoded: (_, { pcm }, target) => {
            if (typeof target === 'string') heard[name][target] += pcm.length / 24;
            benHeard.look();
          },
        });
      const ben = await listen('ben', 2);
      const cleo = await listen('cleo', 3);
      const steamId = personSteamId(1);
      const ada = await joinLobby({ url: relay.url, lobby: 'den', steamId, name: 'Ada' });
      const capture = await startCapture({ steam: embeddedSteam({ steamId, input: { kind: 'tone' } }) });
      ada.whisper([ben.lobby.slot]);
      const publisher = new Publisher({ capture, publish: ada.publish, target: 'whisper', maxAgeMs: 60_000 });
      publisher.press();
      await benHeard.until(300);
      holdFor(heldMs);
      const released = publisher.release();
      publisher.speakTo('lobby');
      await released;
      const { framesSent } = ada.counts();
      await capture.close();
      await ada.leave();
      // Leaving goes the way of the voice: who is gone has been heard.
      while (ben.lobby.participants.length + cleo.lobby.participants.length > 2) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      t.equal(heard.cleo.lobby + heard.cleo.whisper, 0, 'Cleo, to whom nobody spoke');
      t.equal(heard.ben.lobby, 0);
      t.ok(
        heard.ben.whisper > 300 + heldMs,
        `Ben heard ${heard.ben.whisper} ms of ${framesSent} voice frames`,
      );
      await Promise.all([ben, cleo].map(({ lobby }) => lobby.leave()));
      await relay.close();
    },
  );
}

/** Waits until a figure is large enough; `look` says that it may be. */
function waiter(figure: () => number) {
  let tell: () => void = () => undefined;
  return {
    look: () => tell(),
    until: (least: number) =>
      new Promise<void>((resolve) => {
        tell = () => figure() >= least && resolve();
        tell();
      }),
  };
}
