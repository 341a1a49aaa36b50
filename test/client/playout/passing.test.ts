/** A speaker who is not heard for a while: what that costs, and what is heard afterwards. */

import t from 'tap';
import { SpeakerPlayout } from '../../../client/playout/speaker_playout.js';
import { FRAME_SAMPLES, VOICE_RATE_HZ } from '../../../voice/units.js';
import { loadCodec } from '../../../wasm/load.js';
import { overNetwork, talk } from '../../kit/playout/run.js';
import { pcmOfWav } from '../../kit/speech.js';

loadCodec();

const ADA = pcmOfWav('examples/speech/ada.wav').subarray(0, 5 * VOICE_RATE_HZ);
const ARRIVALS = overNetwork(talk(ADA, { dtx: false }), () => 30);
const PULL = FRAME_SAMPLES;

/** Plays ADA, and passes what arrives from `fromMs` to `toMs`. */
function heardWithout(fromMs: number, toMs: number) {
  const playout = new SpeakerPlayout();
  const out = new Int16Array(PULL);
  const spoken: number[] = [];
  let next = 0;
  let firstAfter: { readonly timestamp: number; readonly at: number } | null = null;
  for (let now = 7; now < 6000; now += 20) {
    const isPassing = now >= fromMs && now < toMs;
    for (; next < ARRIVALS.length && ARRIVALS[next]!.at <= now; next++) {
      const { header, packet, at } = ARRIVALS[next]!;
      if (isPassing) playout.pass(header, packet, at);
      else playout.push(header, packet, at);
    }
    if (isPassing) continue;
    for (const { kind, timestamp, samples } of playout.pull(out, now)) {
      if (kind !== 'speech') continue;
      spoken.push(samples);
      if (now >= toMs) firstAfter ??= { timestamp: timestamp!, at: now };
    }
  }
  const counts = playout.counts();
  playout.close();
  return { counts, firstAfter, spokenSamples: spoken.reduce((sum, samples) => sum + samples, 0) };
}

t.test('what is passed is not decoded, and counts as neither lost nor concealed nor skipped', async (t) => {
  const { counts, spokenSamples } = heardWithout(1000, 3000);
  t.match(counts, { lostSamples: 0, concealedSamples: 0, skippedSamples: 0, underruns: 0, latePackets: 0 });
  t.ok(counts.passedPackets >= 99 && counts.passedPackets <= 101, `${counts.passedPackets} passed`);
  t.equal(counts.passedSamples, counts.passedPackets * FRAME_SAMPLES);
  t.ok(counts.decodedFrames <= 250 - counts.passedPackets, 'nothing of it was decoded');
  t.ok(spokenSamples > 2.8 * VOICE_RATE_HZ && spokenSamples < 3.1 * VOICE_RATE_HZ);
});

t.test('afterwards the speaker is heard live, not from where they were', async (t) => {
  const { firstAfter } = heardWithout(1000, 3000);
  const delayMs = firstAfter!.at - firstAfter!.timestamp / 24 - 20 - 30;
  t.ok(delayMs >= 0 && delayMs <= 60, `${delayMs.toFixed(1)} ms behind live`);
});

t.test('a talkspurt that is passed from its beginning to its end leaves nothing behind', async (t) => {
  const { counts, spokenSamples } = heardWithout(0, 6000);
  t.equal(spokenSamples, 0);
  t.match(counts, { decodedFrames: 0, lostSamples: 0, concealedSamples: 0, passedPackets: ARRIVALS.length });
});

t.test('what cannot be read is refused, as when it is pushed', async (t) => {
  const playout = new SpeakerPlayout();
  playout.pass(ARRIVALS[0]!.header, Uint8Array.of(1, 2, 3), 0);
  t.match(playout.counts(), { packets: 1, refusedPackets: 1, passedPackets: 0 });
  playout.close();
});
