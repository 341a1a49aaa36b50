/** What holds of a speaker's playout whatever the network does: any delays, losses, duplicates, orders and pulls. */

import fc from 'fast-check';
import t from 'tap';
import { SpeakerPlayout } from '../../../client/playout/speaker_playout.js';
import { FRAME_SAMPLES, msOfSamples, type Samples, samplesOfMs } from '../../../voice/units.js';
import { loadCodec } from '../../../wasm/load.js';
import { type Arrival, talk } from '../../kit/playout/run.js';
import { headerOf } from '../../kit/playout/voice_header.js';
import { SEED } from '../../kit/random.js';
import { pcmOfWav } from '../../kit/speech.js';

loadCodec();
t.comment(`HOTMIC_SEED=${SEED}`);

const ADA = pcmOfWav('examples/speech/ada.wav').subarray(0, 120 * FRAME_SAMPLES);
/** Where the second talkspurt begins. */
const PAUSE_END: Samples = samplesOfMs(3400);
/** Two talkspurts of 2.4 s with a pause of 1 s, in packets of one to four frames. */
const SENT = [1, 2, 4].map((framesPerPacket) => {
  const first = talk(ADA, { framesPerPacket });
  return [...first, ...talk(ADA, { framesPerPacket, atMs: msOfSamples(PAUSE_END), sequence: first.length })];
});

/** For each packet: how long it takes in ms, or that it is lost, and after how long it comes again. */
const fate = fc.record({
  delayMs: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3000 })),
  lost: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  again: fc.option(fc.integer({ min: 0, max: 500 }), { freq: 9 }),
});
const network = fc.record({
  packets: fc.constantFrom(...SENT),
  fates: fc.array(fate, { minLength: 1, maxLength: 40 }),
  order: fc.constantFrom('stream', 'datagrams'),
  pulls: fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 5 }),
});
type Network = typeof network extends fc.Arbitrary<infer T> ? T : never;

function arrivalsOf({ packets, fates, order }: Network): Arrival[] {
  const arrivals: Arrival[] = [];
  let latest = 0;
  for (const [index, { header, packet, sentAt }] of packets.entries()) {
    const { delayMs, lost, again } = fates[index % fates.length]!;
    if (lost) continue;
    latest = order === 'stream' ? Math.max(latest, sentAt + delayMs) : sentAt + delayMs;
    arrivals.push({ header, packet, at: latest });
    if (again !== null) arrivals.push({ header, packet, at: latest + again });
  }
  return arrivals.sort((left, right) => left.at - right.at);
}

/** The slowest packet, its 80 ms of frames, the largest target with its slack, and a pull. */
const MAX_DELAY_MS = 3000 + 80 + 430 + 84;

/** Where terminator and marker were lost, nobody can tell the pause from loss. */
const TOTAL: Samples = PAUSE_END + ADA.length;

t.test('any network: never throws, as long as asked, nothing heard twice or too late', async (t) => {
  let speech = 0;
  const property = fc.property(network, (network) => {
    const arrivals = arrivalsOf(network);
    const playout = new SpeakerPlayout();
    try {
      let heard = 0;
      let heardTo = 0;
      let next = 0;
      let samples = 0;
      for (let pull = 0; samples < 8 * 24_000; pull++) {
        const now = samples / 24;
        for (; next < arrivals.length && arrivals[next]!.at <= now; next++)
          playout.push(arrivals[next]!.header, arrivals[next]!.packet, arrivals[next]!.at);
        const out = new Int16Array(network.pulls[pull % network.pulls.length]!);
        let length = 0;
        for (const segment of playout.pull(out, now)) {
          if (segment.samples < 1 || segment.mediaSamples < 0) return false;
          if (segment.kind === 'speech') {
            const { timestamp, mediaSamples } = segment;
            // Speech only goes forward, so no sample is heard twice.
            if (timestamp === null || timestamp < heardTo) return false;
            heardTo = timestamp + mediaSamples;
            heard += mediaSamples;
            if (now + length / 24 - timestamp / 24 > MAX_DELAY_MS) return false;
          }
          length += segment.samples;
        }
        if (length !== out.length) return false;
        samples += out.length;
      }
      speech += heard;
      // What is lost is concealed, and never heard; what is skipped neither. So each sample is one of them at most.
      const { lostSamples, skippedSamples } = playout.counts();
      return heard + lostSamples + skippedSamples <= TOTAL;
    } finally {
      playout.close();
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 150 });
  t.ok(speech > 150 * 24_000, `${speech} samples of speech`);
});

t.test('any bytes, headers and instants: never throws, as long as asked', async () => {
  const push = fc.record({
    sequence: fc.nat(0xffff),
    timestamp: fc.oneof(fc.nat(20_000), fc.nat(0xffff_ffff)),
    marker: fc.boolean(),
    terminator: fc.boolean(),
    packet: fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(SENT[1]!.length - 1).map((index) => SENT[1]![index]!.packet),
    ),
    waitMs: fc.oneof(fc.nat(40), fc.nat(20_000)),
  });
  const property = fc.property(fc.array(push, { maxLength: 60 }), (pushes) => {
    const playout = new SpeakerPlayout();
    try {
      let now = 0;
      for (const { packet, waitMs, ...fields } of pushes) {
        playout.push(headerOf(fields.sequence, fields.timestamp, fields), packet, now);
        now += waitMs;
        const out = new Int16Array(480);
        const length = playout.pull(out, now).reduce((sum, { samples }) => sum + samples, 0);
        if (length !== out.length) return false;
      }
      return Object.values(playout.counts()).every((count) => Number.isFinite(count));
    } finally {
      playout.close();
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 300 });
});
