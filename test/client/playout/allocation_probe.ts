/**
 * Measures, in a process of its own, how many bytes of V8's new space a pull of a lobby takes after warm-up, and prints them as JSON: one number per
 * round. `test/voice/mixing/allocation_probe.ts` does the same for the mixer alone, and says why this works.
 *
 *     node --min-semi-space-size=64 --max-semi-space-size=64 dist/test/client/playout/allocation_probe.js <control: bytes|nothing>
 *
 * Packets are pushed before each round, because reading one allocates: what is measured is the thread that plays.
 */

import { LobbyPlayout } from '../../../client/playout/lobby_playout.js';
import { loadCodec } from '../../../wasm/load.js';
import { bytesPerCall } from '../../kit/allocation.js';
import { overNetwork, talk } from '../../kit/playout/run.js';
import { SeededRandom } from '../../kit/random.js';
import { tonePcm } from '../../kit/tone.js';

const control = process.argv[2];
const SPEAKERS = 8;
const ROUNDS = 24;
const WARM_UP = 12;
const ROUND_MS = 2000;

loadCodec();
const random = new SeededRandom(7);
// Jitter, so that sound is stretched and shortened, and losses, so that it is concealed.
const sent = talk(tonePcm((ROUNDS * ROUND_MS) / 1000), { dtx: false });
const speakers = Array.from({ length: SPEAKERS }, () => ({
  arrivals: overNetwork(sent, () => (random.below(100) < 3 ? null : 30 + random.below(40)), 'datagrams'),
  next: 0,
}));
const playout = new LobbyPlayout({ channels: 2 });
for (let slot = 0; slot < SPEAKERS; slot++) playout.set(slot, { pan: slot / SPEAKERS, levelling: 'on' });
const out = new Int16Array(2 * 240);
let made: { readonly at: number } | null = null;

const bytesPerPull: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const untilMs = (round + 1) * ROUND_MS;
  for (const [slot, speaker] of speakers.entries()) {
    const { arrivals } = speaker;
    for (; speaker.next < arrivals.length && arrivals[speaker.next]!.at < untilMs; speaker.next++) {
      const { header, packet, at } = arrivals[speaker.next]!;
      playout.push({ ...header, slot }, packet, at);
    }
  }
  const bytes = bytesPerCall(() => {
    let pulls = 0;
    for (let now = round * ROUND_MS; now < untilMs; now += 10, pulls++) {
      playout.pull(out, now);
      if (control === 'bytes') made = { at: now };
    }
    return pulls;
  });
  if (round >= WARM_UP) bytesPerPull.push(bytes);
}
const { concealedSamples, shortenedSamples, decodedFrames } = playout.counts(0)!;
console.log(
  JSON.stringify({
    bytesPerPull,
    concealedSamples,
    shortenedSamples,
    decodedFrames,
    made: made === null ? 'nothing' : 'bytes',
  }),
);
