/**
 * Measures, in a process of its own, how many bytes of V8's new space a pull of the mixer takes after warm-up, and prints them as JSON: one number
 * per round. Every object and every boxed number begins in the new space, and without a collection its used size only grows, by the byte.
 *
 *     node --min-semi-space-size=16 --max-semi-space-size=16 dist/test/voice/mixing/allocation_probe.js <channels> <control: bytes|nothing>
 *
 * With the control 'bytes' each pull also makes one small object, which shows that the measure would find it.
 */

import { PlayoutMixer } from '../../../voice/mixing/mixer.js';
import { bytesPerCall } from '../../kit/allocation.js';

const channels = process.argv[2] === '2' ? 2 : 1;
const control = process.argv[3];

const SAMPLES = 480;
const SPEAKERS = 8;
const WARM_UP = 3000;
const ROUNDS = 8;
const PULLS_PER_ROUND = 320;

const mixer = new PlayoutMixer({ channels, spatial: { maxDistance: 50 } });
// Loud enough for the limiter, which then works in each pull.
const pcm = Int16Array.from({ length: SAMPLES }, (_, i) => Math.round(30_000 * Math.sin(i / 7)));
const out = new Int16Array(SAMPLES * channels);
let made: { readonly pull: number } | null = null;

for (let slot = 0; slot < SPEAKERS; slot++) {
  mixer.set(slot, { levelling: slot % 2 === 0 ? 'off' : 'on', volumeDb: slot, pan: slot / SPEAKERS });
  if (slot > 4) mixer.setPosition(slot, { x: slot, y: 0, z: 1 });
}
mixer.set(7, { priority: 'priority' });

/** Everybody speaks, one speaker less in each 32 pulls; every other 64 pulls the priority speaker lowers the others. */
function pull(number: number): void {
  mixer.begin(SAMPLES);
  for (let slot = 0; slot < SPEAKERS; slot++) {
    if ((number >> 5) % SPEAKERS === slot || mixer.audibility(slot) === 'inaudible') continue;
    mixer.add(slot, pcm, (number & 64) === 0 ? 'voice' : 'silence');
  }
  mixer.finish(out);
  if (control === 'bytes') made = { pull: number };
}

let number = 0;
for (; number < WARM_UP; number++) pull(number);
const bytesPerPull: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const bytes = bytesPerCall(() => {
    for (let i = 0; i < PULLS_PER_ROUND; i++, number++) pull(number);
    return PULLS_PER_ROUND;
  });
  bytesPerPull.push(bytes);
}
console.log(
  JSON.stringify({
    bytesPerPull,
    limitedSamples: mixer.limitedSamples,
    made: made === null ? 'nothing' : 'bytes',
  }),
);
