/** A lobby as it is heard: many speakers, their settings, and the bounds. */

import t from 'tap';
import { LobbyPlayout, type LobbyPlayoutOptions } from '../../../client/playout/lobby_playout.js';
import { VOICE_RATE_HZ } from '../../../voice/units.js';
import { loadCodec } from '../../../wasm/load.js';
import { codecLiveBytes } from '../../../wasm/module.js';
import { type Arrival, overNetwork, talk } from '../../kit/playout/run.js';
import { compareSpeech, pcmOfWav } from '../../kit/speech.js';

loadCodec();

/** Quiet enough that two of them are below the limiter's threshold. */
const clip = (name: string) =>
  pcmOfWav(`examples/speech/${name}.wav`)
    .subarray(0, 4 * VOICE_RATE_HZ)
    .map((sample) => sample / 3);
const ADA = clip('ada');
const BEN = clip('ben');
/** With a delay that needs no change, speech is not stretched or shortened. */
const UNSTRETCHED = { minDelayMs: 60 };
const arrivalsOf = (pcm: Int16Array) => overNetwork(talk(pcm, { dtx: false }), () => 30);
const ADA_ARRIVES = arrivalsOf(ADA);
const BEN_ARRIVES = arrivalsOf(BEN);

/** Plays what arrives by slot for 5 s, in pulls of 5 ms, and returns the mix. */
function play(
  speakers: Readonly<Record<number, readonly Arrival[]>>,
  options: LobbyPlayoutOptions = {},
  onPull: (playout: LobbyPlayout, now: number) => void = () => undefined,
): { readonly pcm: Int16Array; readonly playout: LobbyPlayout } {
  const playout = new LobbyPlayout(options);
  const out = new Int16Array(120 * playout.channels);
  const pcm = new Int16Array(1000 * out.length);
  const waiting = Object.entries(speakers).map(([slot, arrivals]) => ({
    slot: Number(slot),
    arrivals,
    next: 0,
  }));
  for (let pull = 0; pull < 1000; pull++) {
    const now = pull * 5;
    for (const one of waiting) {
      for (; one.next < one.arrivals.length && one.arrivals[one.next]!.at <= now; one.next++) {
        const { header, packet, at } = one.arrivals[one.next]!;
        playout.push({ ...header, slot: one.slot }, packet, at);
      }
    }
    onPull(playout, now);
    playout.pull(out, now);
    pcm.set(out, pull * out.length);
  }
  return { pcm, playout };
}

const energy = (pcm: Int16Array) => pcm.reduce((sum, sample) => sum + sample * sample, 0);
const channel = (pcm: Int16Array, which: 0 | 1) => pcm.filter((_, at) => at % 2 === which);

t.test('one speaker is heard as they spoke', async (t) => {
  const { pcm, playout } = play({ 3: BEN_ARRIVES }, UNSTRETCHED);
  t.equal(compareSpeech(BEN, pcm).verdict, 'same');
  t.match(playout.counts(3), { lostSamples: 0, concealedSamples: 0, decodedFrames: 200 });
  t.equal(playout.counts(4), null, 'nobody else was heard');
  playout.close();
});

t.test('two speakers at once are their sum', async (t) => {
  const alone = [play({ 1: ADA_ARRIVES }), play({ 2: BEN_ARRIVES })];
  const both = play({ 1: ADA_ARRIVES, 2: BEN_ARRIVES });
  const apart = both.pcm.findIndex((sample, at) => sample !== alone[0]!.pcm[at]! + alone[1]!.pcm[at]!);
  t.equal(apart, -1, 'sample by sample: they are not loud enough for the limiter');
  for (const { playout } of [...alone, both]) playout.close();
});

t.test('a speaker on the left is not heard on the right', async (t) => {
  const { pcm, playout } = play({ 1: ADA_ARRIVES }, { channels: 2 }, (playout) =>
    playout.set(1, { pan: -1 }),
  );
  t.ok(energy(channel(pcm, 0)) > 0);
  t.equal(energy(channel(pcm, 1)), 0);
  playout.close();
});

t.test('a muted speaker is not heard, costs no decoding, and is heard again when wanted', async (t) => {
  const { pcm, playout } = play({ 1: ADA_ARRIVES }, {}, (playout, now) => {
    if (now === 0) playout.set(1, { muted: 'muted' });
    if (now === 2000) playout.set(1, { muted: 'heard' });
  });
  t.equal(energy(pcm.subarray(0, 2000 * 24)), 0);
  t.ok(energy(pcm.subarray(2200 * 24)) > 0);
  const { decodedFrames, passedPackets, lostSamples } = playout.counts(1)!;
  t.equal(lostSamples, 0);
  t.ok(passedPackets >= 96 && decodedFrames <= 104, `${passedPackets} passed, ${decodedFrames} decoded`);
  playout.close();
});

t.test('a speaker beyond the maximum distance costs no decoding, and counts as no loss', async (t) => {
  const { pcm, playout } = play({ 1: ADA_ARRIVES, 2: BEN_ARRIVES }, UNSTRETCHED, (playout, now) => {
    if (now === 0)
      playout.setListener({
        position: { x: 5, y: 0, z: 0 },
        forward: { x: 0, y: 0, z: -1 },
        up: { x: 0, y: 1, z: 0 },
      });
    if (now === 0) playout.setPosition(1, { x: 0, y: 0, z: -1e6 });
    if (now === 0) playout.setPosition(2, { x: 5, y: 0, z: -1 });
  });
  t.match(playout.counts(1), { decodedFrames: 0, lostSamples: 0, concealedSamples: 0 });
  t.equal(compareSpeech(BEN, pcm).verdict, 'same');
  playout.close();
});

t.test('a priority speaker lowers the others', async (t) => {
  const usual = play({ 1: ADA_ARRIVES });
  const lowered = play({ 1: ADA_ARRIVES, 2: BEN_ARRIVES }, {}, (playout, now) => {
    if (now === 0) playout.set(2, { priority: 'priority', volumeDb: -60 });
  });
  const ratio = energy(lowered.pcm) / energy(usual.pcm);
  t.ok(ratio > 0.01 && ratio < 0.2, `${(10 * Math.log10(ratio)).toFixed(1)} dB`);
  for (const { playout } of [usual, lowered]) playout.close();
});

t.test('a speaker who leaves in the middle of a word fades out within 10 ms', async (t) => {
  const steepest = (pcm: Int16Array) =>
    pcm.reduce((most, sample, at) => Math.max(most, Math.abs(sample - (pcm[at - 1] ?? sample))), 0);
  const whole = play({ 1: ADA_ARRIVES }, UNSTRETCHED);
  for (const leavesAt of [1000, 1500, 2005, 2510]) {
    const { pcm, playout } = play({ 1: ADA_ARRIVES }, UNSTRETCHED, (playout, now) => {
      if (now === leavesAt) playout.retire(1);
      if (now > leavesAt) playout.set(1, { muted: 'muted' });
    });
    const end = (leavesAt / 1000) * VOICE_RATE_HZ;
    t.same(pcm.subarray(0, end), whole.pcm.subarray(0, end), `heard until ${leavesAt} ms`);
    t.ok(energy(pcm.subarray(end - 240, end)) > 0, 'it was in a word');
    const fade = steepest(pcm.subarray(end - 1, end + 240));
    t.ok(fade <= steepest(whole.pcm), `${fade} is no step`);
    t.equal(energy(pcm.subarray(end + 240)), 0);
    playout.close();
  }
  whole.playout.close();
});

t.test('no decoder is kept for a speaker who left, or after the end', async (t) => {
  const before = codecLiveBytes();
  const { playout } = play({ 1: ADA_ARRIVES, 2: BEN_ARRIVES });
  playout.retire(1);
  t.match(
    playout.counts(1),
    { decodedFrames: 200 },
    'the counters are kept until someone else gets the slot',
  );
  playout.forget(1);
  t.equal(playout.counts(1), null);
  playout.close();
  playout.close();
  t.equal(codecLiveBytes(), before);
  t.match(playout.counts(2), { decodedFrames: 200 });
  playout.push(ADA_ARRIVES[0]!.header, ADA_ARRIVES[0]!.packet, 6000);
  t.equal(codecLiveBytes(), before, 'what arrives afterwards is dropped');
  const out = new Int16Array(120).fill(7);
  playout.pull(out, 6000);
  t.equal(energy(out), 0);
});

t.test('beyond the limit, the speaker heard longest ago is replaced', async (t) => {
  const before = codecLiveBytes();
  const playout = new LobbyPlayout({ maxSpeakers: 2 });
  const { header, packet } = ADA_ARRIVES[0]!;
  for (const slot of [1, 2, 1, 3]) playout.push({ ...header, slot }, packet, 0);
  t.same(playout.slots, [1, 3]);
  t.equal(playout.evictedSpeakers, 1);
  for (let slot = 0; slot < 1000; slot++) playout.push({ ...header, slot }, packet, 0);
  t.equal(playout.slots.length, 2);
  playout.close();
  t.equal(codecLiveBytes(), before);
});

t.test('a packet with another SteamID in the same slot is from another speaker', async (t) => {
  const playout = new LobbyPlayout();
  const { header, packet } = ADA_ARRIVES[0]!;
  const theirs = packet.slice();
  theirs[0]! ^= 0x55;
  playout.push(header, packet, 0);
  playout.push(header, theirs, 0);
  t.match(playout.counts(header.slot), { packets: 1 });
  playout.close();
});

t.test('options out of range are refused at once', async (t) => {
  for (const options of [{ minDelayMs: -1 }, { maxDelayMs: 5000 }, { duckDb: 61 }, { maxSpeakers: 0 }])
    t.throws(() => new LobbyPlayout(options), RangeError, JSON.stringify(options));
  const stereo = new LobbyPlayout({ channels: 2 });
  t.throws(() => stereo.pull(new Int16Array(121), 0), RangeError);
  stereo.close();
});

t.test('sixty-four speakers at once never wrap around', async (t) => {
  const speakers = Object.fromEntries(Array.from({ length: 64 }, (_, slot) => [slot, ADA_ARRIVES]));
  const { pcm, playout } = play(speakers);
  const one = play({ 1: ADA_ARRIVES });
  let opposite = 0;
  pcm.forEach((sample, at) => {
    if (Math.abs(one.pcm[at]!) > 1000 && sample * one.pcm[at]! < 0) opposite += 1;
  });
  t.equal(opposite, 0, 'the sum has the sign of what all say');
  t.ok(
    pcm.some((sample) => Math.abs(sample) > 20_000),
    'and is loud',
  );
  t.equal(playout.slots.length, 64);
  playout.close();
  one.playout.close();
});

t.test('a large lobby keeps the settings and positions of everybody, whoever speaks', async (t) => {
  const playout = new LobbyPlayout({ maxSpeakers: 2 });
  for (let slot = 0; slot < 500; slot++) playout.set(slot, { volumeDb: -6 });
  const { header, packet } = ADA_ARRIVES[0]!;
  for (let slot = 500; slot < 1000; slot++) playout.push({ ...header, slot }, packet, 0);
  playout.pull(new Int16Array(120), 0);
  t.equal(playout.settings(0).volumeDb, -6);
  t.equal(playout.settings(499).volumeDb, -6);
  playout.close();
});
