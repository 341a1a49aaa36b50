/** The count of frames that the relay published and that never arrived: never too high. */

import t from 'tap';
import { MissedFrames } from '../../../client/session/missed_frames.js';
import { Target } from '../../../voice/wire.js';
import { SEED, SeededRandom } from '../../kit/random.js';

t.test('a gap in the sequence of a target is counted, separately for each target', async (t) => {
  const missed = new MissedFrames();
  for (const sequence of [65_533, 65_534, 0, 1]) missed.received(0, sequence);
  t.equal(missed.count, 1, '65535 did not come');
  for (const sequence of [7, 10]) missed.received(3, sequence);
  t.equal(missed.count, 3);
  missed.received(0, 2);
  t.equal(missed.count, 3);
});

t.test('our own frames are not a gap, whenever the relay numbers them', async (t) => {
  const missed = new MissedFrames();
  missed.received(0, 10);
  missed.sent(0);
  missed.sent(0);
  missed.received(0, 11);
  t.equal(missed.count, 0, 'both are still on their way');
  missed.received(0, 14);
  t.equal(missed.count, 0, 'they were 12 and 13');
  missed.received(0, 16);
  t.equal(missed.count, 1);
});

t.test('frames to others, or sent while we could not hear, are not a gap', async (t) => {
  const missed = new MissedFrames();
  missed.received(Target.whisper, 3);
  missed.received(Target.whisper, 9);
  missed.received(0, 3);
  missed.received(4, 3);
  missed.restart([4]);
  missed.received(4, 30);
  t.equal(missed.count, 0);
  missed.restart();
  missed.received(0, 30);
  missed.received(4, 300);
  t.equal(missed.count, 0);
});

t.test(
  'in any order of our frames and theirs, the count never exceeds the losses, and is exact while we are silent',
  async (t) => {
    for (let round = 0; round < 200; round += 1) {
      const random = new SeededRandom(SEED + round);
      const talks = round % 2 === 0;
      const missed = new MissedFrames();
      let sequence = 65_000;
      let lost = 0;
      let underWay = 0;
      missed.received(0, sequence++);
      for (let frame = 0; frame < 2000; frame += 1) {
        const chance = random.next() / 2 ** 32;
        if (talks && chance < 0.3) {
          missed.sent(0);
          underWay += 1;
        } else if (underWay > 0 && chance < 0.6) {
          underWay -= 1;
          sequence += 1;
        } else if (chance > 0.98) {
          lost += 1;
          sequence += 1;
        } else {
          missed.received(0, sequence & 0xffff);
          sequence += 1;
        }
      }
      missed.received(0, sequence & 0xffff);
      if (talks) t.ok(missed.count <= lost, `seed ${SEED + round}: ${missed.count} of ${lost}`);
      else t.equal(missed.count, lost);
    }
  },
);
