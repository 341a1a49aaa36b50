/** A game's voice over a scripted transport, in simulated time: what it says, plays and keeps. */

import t, { type Test } from 'tap';
import type { Voice, VoiceEvent, VoiceOptions } from '../../../client/index.js';
import { joinVoice } from '../../../client/join_voice.js';
import { PcmMicrophone } from '../../../client/talking/pcm_microphone.js';
import { type RelayMessageToWrite, writeMessage } from '../../../voice/control.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { stampVoiceFrame, writeVoiceFrame } from '../../../voice/wire.js';
import { loadCodec } from '../../../wasm/load.js';
import { codecLiveBytes } from '../../../wasm/module.js';
import { type Sent, talk } from '../../kit/playout/run.js';
import { tonePcm } from '../../kit/tone.js';
import { RESUME, scriptedTransport, welcomeOf } from '../scripted_transport.js';
import { simulatedIo } from '../simulated_io.js';

loadCodec();

const KIM = personSteamId(9);
const kim = (slot: number) => ({ slot, steamId: String(KIM), name: 'Kim' });
const TONE = talk(tonePcm(2), { dtx: false });

/** Ada in a lobby with Kim in slot 1, and what the game was told. */
async function joined(t: Test, options: Partial<VoiceOptions> = {}) {
  const { io, tick } = simulatedIo();
  const { open, say, sent } = scriptedTransport();
  const told: VoiceEvent[] = [];
  const joining = joinVoice(
    {
      ...{ url: 'ws://relay', lobby: 'den', name: 'Ada', transport: open },
      onEvent: (event) => told.push(event),
      ...options,
    },
    io,
  );
  await new Promise((resolve) => setImmediate(resolve));
  say().onOpen();
  const message = (said: RelayMessageToWrite) => say().onText(writeMessage(said));
  message(welcomeOf({ participants: [{ ...kim(1), speaking: false }], resume: RESUME }));
  const voice = await joining;
  t.teardown(() => {
    void voice.leave();
    say().onClose(1000, '', null);
  });
  let relaySequence = 0;
  /** Kim's packets arrive, from `slot`. */
  const arrive = (packets: readonly Sent[], slot = 1) => {
    for (const { header, packet } of packets) {
      const frame = writeVoiceFrame({ ...header, target: 0 }, packet);
      stampVoiceFrame(frame, { slot, relaySequence, relayTimeMs: io.now(), acknowledge: false });
      relaySequence += 1;
      say().onBytes(frame);
    }
  };
  /** What is heard while Kim says these packets, 20 ms each, by `pull`. */
  const hear = (packets: readonly Sent[], pull: (voice: Voice) => number, slot = 1): number => {
    let loudest = 0;
    for (const packet of packets) {
      arrive([packet], slot);
      tick(20);
      loudest = Math.max(loudest, pull(voice));
    }
    return loudest;
  };
  return { voice, told, sent, say, message, hear, tick, kinds: () => told.map(({ kind }) => kind) };
}

const loudest = (pcm: Int16Array) => pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
const mono = (voice: Voice) => loudest(voice.pull(new Int16Array(960)));

t.test('the mix is heard at any rate, in mono and stereo', async (t) => {
  for (const [rateHz, channels] of [
    [48_000, 1],
    [44_100, 2],
    [24_000, 1],
    [16_000, 2],
  ] as const) {
    const { hear } = await joined(t, { output: { rateHz, channels } });
    const heard = hear(TONE.slice(0, 40), (voice) =>
      loudest(voice.pull(new Int16Array((channels * rateHz) / 50))),
    );
    t.ok(heard > 8000 && heard < 14_000, `${rateHz} Hz, ${channels}: ${heard}`);
  }
});

t.test('each speaker is heard by themselves, with their name', async (t) => {
  const { hear, voice } = await joined(t);
  const names = new Set<string>();
  const each = () => {
    let most = 0;
    voice.pullEach(960, ({ name }, pcm) => {
      names.add(name);
      most = Math.max(most, loudest(pcm));
    });
    return most;
  };
  t.ok(hear(TONE.slice(0, 40), each) > 8000);
  t.same([...names], ['Kim']);
  t.ok(voice.level(KIM).peakDb > -15);
  voice.set(KIM, { muted: 'muted' });
  hear(TONE.slice(40, 44), each);
  t.equal(hear(TONE.slice(44, 60), each), 0, 'who is muted is left out');
  voice.set(KIM, { muted: 'heard' });
  t.ok(hear(TONE.slice(60, 90), each) > 8000, 'and comes back');
});

t.test('a volume stays when somebody comes back in another slot', async (t) => {
  const { voice, message, hear } = await joined(t);
  voice.set(KIM, { volumeDb: -20 });
  message({ type: 'left', slot: 1 });
  message({ type: 'joined', participant: kim(3) });
  const heard = hear(TONE.slice(0, 40), mono, 3);
  t.ok(heard > 800 && heard < 1400, `${heard}, a tenth`);
  t.equal(voice.settings(KIM).volumeDb, -20);
});

t.test('who is blocked is never heard, and the game is given the list to keep', async (t) => {
  const { voice, told, message, hear } = await joined(t, { blocked: [personSteamId(77)] });
  t.ok(hear(TONE.slice(0, 30), mono) > 8000);
  voice.block(KIM);
  hear(TONE.slice(30, 34), mono);
  t.equal(hear(TONE.slice(34, 60), mono), 0);
  message({ type: 'speaking', slot: 1, speaking: true });
  t.equal(voice.participants[0]?.speaking, false);
  t.match(told, [
    { kind: 'changed', participant: { blocked: true }, before: { blocked: false } },
    { kind: 'blocked', steamIds: [personSteamId(77), KIM] },
  ]);
  t.equal(told.length, 2, 'nothing about speaking');
  voice.unblock(KIM);
  t.match(told.slice(2), [
    { kind: 'changed', participant: { blocked: false, speaking: true } },
    { kind: 'blocked', steamIds: [personSteamId(77)] },
  ]);
  t.ok(hear(TONE.slice(60, 95), mono) > 8000);
});

t.test('a large audience is a number', async (t) => {
  const { voice, told, message } = await joined(t);
  t.equal(voice.unlisted, 0);
  message({ type: 'unlisted', count: 4000 });
  t.equal(voice.unlisted, 4000);
  t.same(told, [{ kind: 'unlisted', unlisted: 4000 }]);
});

t.test('whom the game lets us hear is known', async (t) => {
  const { voice, message } = await joined(t);
  t.equal(voice.heard, null);
  message({ type: 'hears', only: true });
  t.same(voice.heard, []);
  message({ type: 'hears', more: [1] });
  t.match(voice.heard, [{ name: 'Kim', blocked: false }]);
  message({ type: 'hears', only: false });
  t.equal(voice.heard, null);
});

t.test('a whisper list follows people who come back, and a new place', async (t) => {
  const { voice, sent, message, tick } = await joined(t);
  const lists = () =>
    sent.flatMap((data) => {
      const said = typeof data === 'string' ? JSON.parse(data) : {};
      return said.type === 'whisper' ? [said.slots] : [];
    });
  t.equal(voice.whisper([KIM, personSteamId(50)]), true);
  message({ type: 'left', slot: 1 });
  message({ type: 'joined', participant: kim(3) });
  // Until then voice may come that was captured for the list before.
  tick(500);
  t.same(lists(), [[1], [3]]);
});

t.test('statistics are in ms, by SteamID', async (t) => {
  const { voice, hear } = await joined(t);
  hear([...TONE.slice(0, 20), ...TONE.slice(22, 50)], mono);
  const { speakers, reconnects, lobby, microphone, steamDecoder } = voice.statistics();
  t.match(speakers, [{ steamId: KIM, packets: 48, lostMs: 40 }]);
  const { jitterMs } = speakers[0]!;
  t.ok(jitterMs > 0 && jitterMs < 20, `${jitterMs} ms`);
  t.ok(speakers[0]!.concealedMs >= 40);
  t.ok(speakers[0]!.delayMs >= 20);
  t.match({ reconnects, steamDecoder }, { reconnects: 0, steamDecoder: null });
  t.equal(lobby.framesReceived, 48);
  t.equal(microphone.packets, 0);
});

t.test('after a reconnection the state is whole, and the events say so', async (t) => {
  const { voice, say, message, kinds, tick } = await joined(t);
  say().onClose(1006, '', null);
  t.equal(voice.state, 'reconnecting');
  tick(10_000);
  await new Promise((resolve) => setImmediate(resolve));
  say().onOpen();
  message(welcomeOf({ participants: [{ ...kim(1), speaking: true }], resume: RESUME }));
  t.same(kinds(), ['reconnecting', 'resumed', 'speaking']);
  t.equal(voice.statistics().reconnects, 1);
  t.equal(voice.participants[0]?.speaking, true);
});

t.test(
  'leaving ends the talkspurt, closes the microphone that was made for us, and frees the codec',
  async (t) => {
    const before = codecLiveBytes();
    const made: PcmMicrophone[] = [];
    const { voice, say, kinds, sent, hear } = await joined(t, {
      microphone: (steamId) => {
        t.equal(steamId, personSteamId(7));
        made.push(new PcmMicrophone({ steamId, sampleRateHz: 24_000 }));
        return made[0]!;
      },
    });
    hear(TONE.slice(0, 10), mono);
    voice.press();
    t.equal(voice.isLive, true);
    made[0]!.write(tonePcm(0.1));
    await new Promise((resolve) => setImmediate(resolve));
    const left = voice.leave();
    const frames = sent.filter((data) => typeof data !== 'string');
    t.equal((frames.at(-1) as Uint8Array)[0]! & 2, 2, 'the terminator');
    say().onClose(1000, '', null);
    await left;
    t.equal(await voice.ended, null);
    t.equal(voice.isLive, false);
    t.same(kinds(), ['live', 'live', 'ended']);
    t.equal(made[0]!.ring.closed, true);
    t.equal(loudest(voice.pull(new Int16Array(960))), 0);
    t.equal(voice.state, 'over');
    t.equal(codecLiveBytes(), before);
  },
);

t.test('a microphone that cannot be made is an error of joining, and we leave again', async (t) => {
  const { open, say, sent } = scriptedTransport();
  const before = codecLiveBytes();
  const joining = joinVoice({
    ...{ url: 'ws://relay', lobby: 'den', name: 'Ada', transport: open },
    microphone: () => Promise.reject(new Error('no microphone')),
  });
  const refused = t.rejects(joining, { message: 'no microphone' });
  await new Promise((resolve) => setImmediate(resolve));
  say().onOpen();
  say().onText(writeMessage(welcomeOf()));
  await new Promise((resolve) => setImmediate(resolve));
  t.match(sent.at(-1), /"leave"/);
  say().onClose(1000, '', null);
  await refused;
  t.equal(codecLiveBytes(), before);
});

t.test('options out of their range are refused before anything is opened', async (t) => {
  const { open, urls } = scriptedTransport();
  const place = { url: 'ws://relay', lobby: 'den', name: 'Ada', transport: open };
  for (const options of [
    { output: { rateHz: 7999 } },
    { output: { maxDelayMs: 1 } },
    { talkMode: 'always' as never },
    { blocked: [0n] },
    { name: '' },
  ])
    await t.rejects(joinVoice({ ...place, ...options }), RangeError);
  t.same(urls, []);
});
