/** After warm-up the mixer allocates nothing: no garbage, so no pause for collecting it on the thread that plays. */

import t, { type Test } from 'tap';
import { runProbe } from '../../kit/allocation.js';

t.setTimeout(120_000);

/** Bytes per pull in each round, by `allocation_probe.ts`; only rounds in which nothing was collected. */
function measure(t: Test, channels: 1 | 2, control: 'bytes' | 'nothing'): number[] {
  const args = ['dist/test/voice/mixing/allocation_probe.js', String(channels), control];
  const { bytesPerPull, limitedSamples, made } = runProbe(16, args);
  t.ok(Number(limitedSamples) > 1_000_000, `${limitedSamples} limited samples: the limiter took part`);
  t.equal(made, control);
  const rounds = bytesPerPull.filter((bytes) => bytes >= 0);
  t.ok(rounds.length >= 4, `${rounds.length} rounds without a collection`);
  return rounds;
}

/** V8's smallest object: a header and one field, with compressed pointers. */
const SMALLEST_OBJECT = 8;

t.test(
  'a pull with eight speakers allocates nothing after warm-up, which the measure would find',
  async (t) => {
    const [mono, stereo, control] = [
      measure(t, 1, 'nothing'),
      measure(t, 2, 'nothing'),
      measure(t, 1, 'bytes'),
    ];
    // What every pull allocates is in every round. Code that is too rare to be compiled, as at the end of a talkspurt, may box a number.
    for (const rounds of [mono, stereo])
      t.ok(Math.min(...rounds) < SMALLEST_OBJECT / 2, `${rounds.join(', ')} bytes per pull`);
    const found = Math.min(...control) - Math.min(...mono);
    t.ok(found >= SMALLEST_OBJECT, `one small object per pull adds ${found} bytes`);
  },
);
