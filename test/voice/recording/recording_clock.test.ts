/** The relay's clock is believed as far as real time allows. */

import t from 'tap';
import { furthestMs, RecordingClock } from '../../../voice/recording/recording_clock.js';

const ORIGIN = 0xfffff000;
const at = (ms: number) => (ORIGIN + ms) >>> 0;
const DAY_MS = 86_400_000;

t.test('a relay time a day ahead is taken for now, and one that is late is believed', async (t) => {
  const clock = new RecordingClock(ORIGIN, 500);
  t.equal(clock.believed(at(1000), 1500), at(1000));
  t.equal(clock.believed(at(11_000), 1500), at(11_000), '10 s ahead');
  t.equal(clock.believed(at(11_100), 1500), at(1000), 'more');
  t.equal(clock.believed(at(DAY_MS), 2500), at(2000));
  t.equal(clock.believed(at(0), 60_500), at(0));
  t.equal(clock.believed(at(-DAY_MS), 60_500), at(-DAY_MS));
  t.equal(clock.disbelieved, 2);
});

t.test('a relay clock that drifts by 500 ppm is believed all day', async (t) => {
  const clock = new RecordingClock(ORIGIN, 0);
  for (let now = 0; now <= DAY_MS; now += 60_000) clock.believed(at(Math.round(now * 1.0005)), now);
  t.equal(clock.disbelieved, 0);
  t.equal(Math.round(furthestMs(DAY_MS)), DAY_MS + 86_400 + 10_000);
});

t.test('a clock of ours that steps back lets nothing lie before the start', async (t) => {
  const clock = new RecordingClock(ORIGIN, 1000);
  t.equal(clock.elapsedMs(0), 0);
  t.equal(clock.believed(at(DAY_MS), 0), at(0));
});
