/** One speaker from packets to sound, in simulated time: what is heard, and how late. */

import t from 'tap';
import { SpeakerPlayout } from '../../../client/playout/speaker_playout.js';
import { FRAME_SAMPLES, VOICE_RATE_HZ } from '../../../voice/units.js';
import { loadCodec } from '../../../wasm/load.js';
import { codecLiveBytes } from '../../../wasm/module.js';
import { delaysOf, type Heard, listen, overNetwork, quantileOf, talk } from '../../kit/playout/run.js';
import { headerOf } from '../../kit/playout/voice_header.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { compareSpeech, pcmOfWav } from '../../kit/speech.js';

loadCodec();
t.comment(`HOTMIC_SEED=${SEED}`);

const ADA = pcmOfWav('examples/speech/ada.wav').subarray(0, 6 * VOICE_RATE_HZ);
/** The clip over and over, for `seconds`. */
const speech = (seconds: number) =>
  Int16Array.from({ length: seconds * VOICE_RATE_HZ }, (_, at) => ADA[at % ADA.length]!);
const NETWORK_MS = 30;
const SENT = talk(ADA);
const LONG = talk(speech(60), { dtx: false });

/** Added delay in ms: against a packet that the network carried at its best. */
const added = (heard: Heard) => delaysOf(heard.segments).map((delay) => delay - NETWORK_MS);

t.test('on a clean network speech is heard whole, with the delay that it begins with', async (t) => {
  for (const pullSamples of [120, 240, 480]) {
    const heard = listen(
      overNetwork(SENT, () => NETWORK_MS),
      { untilMs: 7000, pullSamples, minDelayMs: 60 },
    );
    const { concealedSamples, lostSamples, skippedSamples, underruns } = heard.counts;
    t.strictSame([concealedSamples, lostSamples, skippedSamples, underruns], [0, 0, 0, 0], `${pullSamples}`);
    t.equal(compareSpeech(ADA, heard.pcm).verdict, 'same');
    const delays = added(heard);
    t.ok(delays[0]! >= 59.9 && delays.at(-1)! <= 65, `${pullSamples}: ${delays[0]} to ${delays.at(-1)} ms`);
  }
});

t.test('as long as nothing is known, the delay is 40 ms, a pull and a period at most', async (t) => {
  for (const pullSamples of [120, 240, 441, 480, 960]) {
    const heard = listen(
      overNetwork(SENT, () => NETWORK_MS),
      { untilMs: 7000, pullSamples },
    );
    const delays = added(heard);
    t.ok(delays.at(-1)! <= 40 + pullSamples / 24 + 15.1, `${pullSamples}: up to ${delays.at(-1)} ms`);
    t.equal(heard.counts.concealedSamples, 0);
  }
});

t.test('the delay falls to that of one frame while speech goes on', async (t) => {
  const heard = listen(
    overNetwork(LONG, () => NETWORK_MS),
    { untilMs: 61_000 },
  );
  const late = heard.segments.filter(({ at }) => at > 30_000);
  const delays = delaysOf(late).map((delay) => delay - NETWORK_MS);
  t.ok(quantileOf(delays, 0) >= 19 && quantileOf(delays, 1) <= 26, `${delays[0]} to ${delays.at(-1)} ms`);
});

t.test(
  'the segments of a pull are as long as it, and those of the media clock follow one another',
  async (t) => {
    const random = new SeededRandom(SEED);
    const arrivals = overNetwork(
      SENT,
      () => (random.below(100) < 5 ? null : NETWORK_MS + random.below(30)),
      'datagrams',
    );
    const heard = listen(arrivals, { untilMs: 7000, pullSamples: 240 });
    t.equal(
      heard.segments.reduce((sum, { samples }) => sum + samples, 0),
      heard.pcm.length,
    );
    let end = 0;
    for (const { timestamp, mediaSamples, samples } of heard.segments) {
      if (samples < 1) t.fail(`${samples} samples`);
      if (timestamp === null) continue;
      if (timestamp < end) t.fail(`media goes back from ${end} to ${timestamp}`);
      end = timestamp + mediaSamples;
    }
  },
);

t.test('jitter within 20 ms costs a frame of delay at most, and nothing is concealed', async (t) => {
  const random = new SeededRandom(SEED);
  const heard = listen(
    overNetwork(LONG, () => NETWORK_MS + random.below(20_000) / 1000),
    { untilMs: 61_000 },
  );
  t.equal(heard.counts.concealedSamples, 0);
  t.ok(quantileOf(added(heard), 0.95) <= 60, `${quantileOf(added(heard), 0.95)} ms`);
});

t.test('of a lost frame exactly its length is concealed, once', async (t) => {
  for (const every of [10, 17, 40]) {
    const heard = listen(
      overNetwork(LONG, (index) => (index % every === 5 ? null : NETWORK_MS)),
      { untilMs: 61_000 },
    );
    const lost = LONG.filter((_, index) => index % every === 5).length * FRAME_SAMPLES;
    t.equal(heard.counts.lostSamples, lost, `every ${every}th`);
    t.equal(heard.counts.concealedSamples, lost);
  }
});

t.test('in-band FEC brings lost frames back better than concealment', async (t) => {
  const withFec = talk(ADA, { inbandFec: true, expectedLossPercent: 20, dtx: false });
  const whole = listen(
    overNetwork(withFec, () => NETWORK_MS),
    { untilMs: 7000, minDelayMs: 60 },
  );
  const errorOf = (sent: typeof withFec, lost: (index: number) => boolean) => {
    const heard = listen(
      overNetwork(sent, (index) => (lost(index) ? null : NETWORK_MS)),
      { untilMs: 7000, minDelayMs: 60 },
    );
    return heard.pcm.reduce((sum, sample, at) => sum + (sample - whole.pcm[at]!) ** 2, 0);
  };
  const single = errorOf(withFec, (index) => index % 10 === 5);
  const plain = errorOf(
    withFec.map((one, index) => (index % 10 === 6 ? { ...one, packet: withoutFec[index]!.packet } : one)),
    (index) => index % 10 === 5,
  );
  t.ok(single < plain, `${(single / plain).toFixed(2)} of the error`);
});
const withoutFec = talk(ADA, { dtx: false });

t.test(
  'bursts of late packets are learned: later ones conceal far less than a buffer of 60 ms would',
  async (t) => {
    const random = new SeededRandom(SEED);
    let until = 0;
    let next = 2000;
    const late = (_: number, at: number) => {
      if (at >= next) {
        until = at + 60 + random.below(100);
        next = at + 1000 + random.below(2000);
      }
      return NETWORK_MS + Math.max(0, until - at);
    };
    const arrivals = overNetwork(LONG, late);
    const heard = listen(arrivals, { untilMs: 61_000 });
    const after60 = arrivals.filter(({ at }, index) => at - LONG[index]!.sentAt - NETWORK_MS > 60).length;
    const concealed = heard.counts.concealedSamples / FRAME_SAMPLES;
    t.ok(after60 > 20, `${after60} frames are later than 60 ms`);
    t.ok(concealed < after60 / 2, `${concealed} concealed`);
    t.ok(quantileOf(added(heard), 0.95) <= 200, `${quantileOf(added(heard), 0.95)} ms`);
  },
);

t.test('after a stall of 2 s what is heard is live within 200 ms, from the first sound on', async (t) => {
  for (const pullSamples of [120, 480]) {
    const arrivals = overNetwork(
      LONG,
      (_, at) => NETWORK_MS + (at > 20_000 && at < 22_000 ? 22_000 - at : 0),
    );
    const heard = listen(arrivals, { untilMs: 61_000, pullSamples });
    const delays = delaysOf(heard.segments.filter(({ at }) => at >= 22_000)).map(
      (delay) => delay - NETWORK_MS,
    );
    t.ok(delays.at(-1)! <= 200, `up to ${delays.at(-1)} ms`);
    t.equal(heard.counts.lostSamples, 0);
  }
});

t.test('drift of 1000 ppm either way neither empties the buffer nor fills it', async (t) => {
  for (const slowPpm of [1000, -1000]) {
    const heard = listen(
      overNetwork(LONG, () => NETWORK_MS),
      { untilMs: 61_000, slowPpm },
    );
    const { stretchedSamples, shortenedSamples, concealedSamples } = heard.counts;
    t.equal(concealedSamples, 0, `${slowPpm} ppm`);
    // 60 ms have to go, or to come, and the first 20 ms of delay.
    t.ok(stretchedSamples + shortenedSamples < 24 * 120, `${stretchedSamples} and ${shortenedSamples}`);
    const delays = added(heard);
    t.ok(
      quantileOf(delays, 0.05) >= 5 && quantileOf(delays, 0.95) <= 42,
      `${delays[0]} to ${delays.at(-1)} ms`,
    );
  }
});

t.test('concealment fades to silence within 100 ms, and the next frame comes without a click', async (t) => {
  const heard = listen(
    overNetwork(LONG, (index) => (index >= 100 && index < 120 ? null : NETWORK_MS)),
    { untilMs: 4000 },
  );
  const concealed = heard.segments.filter(({ kind }) => kind === 'concealed');
  const from = concealed[0]!.position;
  t.ok(heard.pcm.subarray(from + 2400, concealed.at(-1)!.position).every((sample) => sample === 0));
  const length = concealed.reduce((sum, { samples }) => sum + samples, 0);
  t.equal(heard.counts.lostSamples, 20 * FRAME_SAMPLES);
  t.ok(length >= 15 * FRAME_SAMPLES && length <= heard.counts.lostSamples, 'less where it caught up');
  t.ok(largestStep(heard.pcm, from - 240, from + length + 480) <= largestStep(ADA, 1, ADA.length));
});

t.test('a packet of several frames is played frame by frame', async (t) => {
  const heard = listen(
    overNetwork(talk(ADA, { framesPerPacket: 4 }), () => NETWORK_MS),
    { untilMs: 7000, minDelayMs: 120 },
  );
  t.equal(compareSpeech(ADA, heard.pcm).verdict, 'same');
  t.equal(heard.counts.concealedSamples, 0);
});

t.test('what cannot be read or played is counted and makes no sound', async (t) => {
  const playout = new SpeakerPlayout();
  t.teardown(() => playout.close());
  playout.push(headerOf(0, 0), new Uint8Array(40), 0);
  playout.push(headerOf(1, 480), new Uint8Array(3), 0);
  t.equal(playout.counts().refusedPackets, 2);
  const out = new Int16Array(480).fill(1);
  t.strictSame(playout.pull(out, 100), [{ kind: 'silence', samples: 480, timestamp: null, mediaSamples: 0 }]);
  t.ok(out.every((sample) => sample === 0));
});

t.test('a closed playout holds none of the codec’s memory', async (t) => {
  const before = codecLiveBytes();
  const playout = new SpeakerPlayout();
  t.ok(codecLiveBytes() > before);
  playout.close();
  t.equal(codecLiveBytes(), before);
  playout.close();
});

t.test('a pull reuses what it returns', async (t) => {
  const playout = new SpeakerPlayout();
  t.teardown(() => playout.close());
  const out = new Int16Array(480);
  const first = playout.pull(out, 0);
  t.equal(playout.pull(out, 20), first);
  t.equal(playout.pull(out, 40)[0], first[0]);
});

function largestStep(pcm: Int16Array, from: number, to: number): number {
  let largest = 0;
  for (let at = from; at < to; at++) largest = Math.max(largest, Math.abs(pcm[at]! - pcm[at - 1]!));
  return largest;
}
