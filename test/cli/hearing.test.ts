/** A lobby as a game hears it, over a real relay and over a scripted one. */

import t from 'tap';
import { hearLobby } from '../../cli/hearing.js';
import { monotonicMs } from '../../client/clock.js';
import { joinLobby } from '../../client/lobby/join.js';
import { startRelay } from '../../relay/index.js';
import { personSteamId } from '../../voice/steam_id.js';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes } from '../../wasm/module.js';
import { talk } from '../kit/playout/run.js';
import { tonePcm } from '../kit/tone.js';

t.setTimeout(600_000);
loadCodec();

/** The speaker of `talk`. */
const ADA = personSteamId(1);
const BEN = personSteamId(2);

const isSilent = (pcm: Int16Array) => pcm.every((sample) => sample === 0);
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

t.test('what somebody says in the lobby comes out of pull, and ends when they leave', async (t) => {
  const before = codecLiveBytes();
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  const place = { url: relay.url, lobby: 'den' };
  const left: number[] = [];
  const hearing = await hearLobby({
    ...place,
    name: 'Ben',
    steamId: BEN,
    playout: { channels: 2 },
    events: { onLeft: ({ slot }) => left.push(slot) },
  });
  const speaker = await joinLobby({ ...place, name: 'Ada', steamId: ADA });
  const out = new Int16Array(2 * 120);
  t.equal(hearing.pull(out), out);
  t.ok(isSilent(out), 'nobody speaks');

  for (const { header, packet, sentAt } of talk(tonePcm(0.5)))
    speaker.publish({ ...header, packet, capturedAt: sentAt });
  // Each pull is as long as the time since the last one: how fast this machine is does not matter.
  let pulledAt = monotonicMs();
  for (let isHeard = false; !isHeard; ) {
    await turn();
    const now = monotonicMs();
    const due = new Int16Array(2 * Math.floor((now - pulledAt) * 24));
    pulledAt = now;
    isHeard = !isSilent(hearing.pull(due));
  }
  t.match(hearing.playout.counts(speaker.slot), { refusedPackets: 0 });
  t.ok(hearing.playout.level(speaker.slot).peakDb > -90);

  await speaker.leave();
  while (left.length === 0) await turn();
  // In the first pull afterwards they may fade out.
  for (let pull = 0; pull < 2; pull += 1) hearing.pull(out);
  t.ok(isSilent(out), 'who left is not heard');
  await hearing.lobby.leave();
  t.equal(await hearing.ended, null);
  t.equal(codecLiveBytes(), before, 'all decoders are freed');
});

t.test(
  'a playout option out of its range is refused before joining, and a refused joining frees all',
  async (t) => {
    const before = codecLiveBytes();
    const place = { url: 'ws://127.0.0.1:9', lobby: 'den', name: 'Ben', steamId: BEN };
    await t.rejects(hearLobby({ ...place, playout: { maxDelayMs: 1 } }), RangeError);
    await t.rejects(hearLobby(place), { code: 'ERR_HOTMIC_CONNECT' });
    t.equal(codecLiveBytes(), before);
  },
);
