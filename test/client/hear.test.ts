/** A lobby as a game hears it, over a real relay and over a scripted one. */

import t from 'tap';
import { monotonicMs } from '../../client/clock.js';
import { hearLobby } from '../../client/hear.js';
import { joinLobby } from '../../client/lobby/join.js';
import { startRelay } from '../../relay/index.js';
import { personSteamId } from '../../voice/steam_id.js';
import { VoiceEncoder } from '../../wasm/compress.js';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes } from '../../wasm/module.js';
import { tonePcm } from '../kit/tone.js';

t.setTimeout(600_000);
loadCodec();

const ADA = personSteamId(2);

/** Packets of a tone, one frame each. */
function tonePackets(frames: number): Uint8Array[] {
  const encoder = new VoiceEncoder(ADA);
  const pcm = tonePcm(frames / 50);
  const packets = Array.from({ length: frames }, (_, at) => {
    encoder.write(pcm.subarray(at * 480, (at + 1) * 480));
    const packet = new Uint8Array(encoder.available());
    encoder.read(packet);
    return packet;
  });
  encoder.free();
  return packets;
}

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
    steamId: personSteamId(1),
    playout: { channels: 2 },
    events: { onLeft: ({ slot }) => left.push(slot) },
  });
  const speaker = await joinLobby({ ...place, name: 'Ada', steamId: ADA });
  const out = new Int16Array(2 * 120);
  t.equal(hearing.pull(out), out);
  t.ok(isSilent(out), 'nobody speaks');

  for (const packet of tonePackets(25)) speaker.publish({ packet, ...numbered() });
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
  hearing.pull(out);
  t.ok(isSilent(out), 'who left is not heard');
  await hearing.lobby.leave();
  t.equal(await hearing.ended, null);
  t.equal(codecLiveBytes(), before, 'all decoders are freed');
});

let sequence = 0;
/** The fields of one packet after the other of a talkspurt. */
function numbered() {
  const at = sequence++;
  return { sequence: at, timestamp: at * 480, marker: at === 0, terminator: false, capturedAt: 0 };
}

t.test(
  'a playout option out of its range is refused before joining, and a refused joining frees all',
  async (t) => {
    const before = codecLiveBytes();
    const place = { url: 'ws://127.0.0.1:9', lobby: 'den', name: 'Ben', steamId: personSteamId(1) };
    await t.rejects(hearLobby({ ...place, playout: { maxDelayMs: 1 } }), RangeError);
    await t.rejects(hearLobby(place), { code: 'ERR_HOTMIC_CONNECT' });
    t.equal(codecLiveBytes(), before);
  },
);
