/** How fast sound is stretched and shortened. */

import t from 'tap';
import { Pace } from '../../../voice/playout/pace.js';
import { HISTORY, LONGEST_PERIOD } from '../../../voice/playout/time_scale.js';
import { type Samples, samplesOfMs } from '../../../voice/units.js';

const BLOCK = 480;

/** A tone of 200 Hz: its period is 120 samples. */
function tone(): Int16Array {
  const pcm = new Int16Array(HISTORY + BLOCK + LONGEST_PERIOD);
  for (let i = 0; i < HISTORY + BLOCK; i++) pcm[i] = 8000 * Math.sin((2 * Math.PI * i) / 120);
  return pcm;
}

/** Noise, the same in each run. */
function noise(): Int16Array {
  let state = 7;
  return Int16Array.from({ length: HISTORY + BLOCK + LONGEST_PERIOD }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    return state >> 17;
  });
}

/** The share of 3 s of tone that is added or removed with a constant excess. */
function share(excess: Samples): number {
  const pace = new Pace();
  let change = 0;
  for (let block = 0; block < 150; block++) change += pace.adjust(tone(), HISTORY, BLOCK, excess);
  return change / (150 * BLOCK);
}

t.test('more excess is removed faster, and a shortfall is made up the same way', async (t) => {
  for (const [ms, rate] of [
    [20, 0.06],
    [80, 0.15],
    // One period per frame, 120 of 480, is the most; longer periods may reach 30 and 50 %.
    [150, 0.25],
    [300, 0.25],
  ] as const) {
    t.ok(Math.abs(share(samplesOfMs(ms)) + rate) < 0.005, `${ms} ms: ${share(samplesOfMs(ms))}`);
    t.ok(Math.abs(share(-samplesOfMs(ms)) - rate) < 0.005, `${-ms} ms: ${share(-samplesOfMs(ms))}`);
  }
});

t.test('without excess nothing is changed', async (t) => {
  const pcm = tone();
  t.equal(new Pace().adjust(pcm, HISTORY, BLOCK, 0), 0);
  t.strictSame(pcm, tone());
});

t.test('no more than the excess is removed at once', async (t) => {
  for (const excess of [60, 100, 130, 250]) {
    const change = new Pace().adjust(tone(), HISTORY, BLOCK, excess);
    t.ok(change <= 0 && -change <= excess, `${change} of ${excess}`);
  }
});

t.test('sound without a period is left alone at first, and is changed in the end', async (t) => {
  const pace = new Pace();
  let blocks = 0;
  while (pace.adjust(noise(), HISTORY, BLOCK, 1000) === 0) blocks += 1;
  t.ok(blocks > 5 && blocks < 50, `after ${blocks} blocks`);
});

t.test('what was added and removed is counted', async (t) => {
  const pace = new Pace();
  const removed = -pace.adjust(tone(), HISTORY, BLOCK, 1000);
  for (let block = 0; block < 3; block++) pace.adjust(tone(), HISTORY, BLOCK, -1000);
  t.ok(removed > 0);
  t.equal(pace.shortenedSamples, removed);
  t.ok(pace.stretchedSamples > 0);
});
