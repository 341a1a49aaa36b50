/** The count of frames that the relay published to us and that never arrived. */

import t from 'tap';
import { MissedFrames, type StreamMark } from '../../../client/session/missed_frames.js';
import { Target } from '../../../voice/wire.js';
import { SEED, SeededRandom } from '../../kit/random.js';

t.test('a gap is counted, separately for each speaker and target, also where the numbers wrap', async (t) => {
  const missed = new MissedFrames();
  missed.next([5, 0, 65_533]);
  for (const sequence of [65_533, 65_534, 0, 1]) missed.received(5, 0, sequence);
  t.equal(missed.count, 1, '65535 did not come');
  for (const sequence of [0, 3]) missed.received(5, 3, sequence);
  t.equal(missed.count, 3);
  for (const sequence of [0, 1]) missed.received(6, 0, sequence);
  missed.received(5, 0, 2);
  t.equal(missed.count, 3);
});

t.test('a stream begins with 0, unless the relay says otherwise', async (t) => {
  const missed = new MissedFrames();
  missed.received(1, 0, 2);
  t.equal(missed.count, 2);
  missed.next([2, 0, 40]);
  missed.received(2, 0, 41);
  t.equal(missed.count, 3);
});

t.test(
  'what was lost before we ceased to hear a stream is counted, and what came after it is not',
  async (t) => {
    const missed = new MissedFrames();
    missed.received(1, Target.whisper, 0);
    missed.until([1, Target.whisper, 3]);
    t.equal(missed.count, 2);
    missed.received(1, Target.whisper, 0);
    t.equal(missed.count, 2, 'another whisper list counts from 0');
    missed.until([7, 0, 4]);
    t.equal(missed.count, 6, 'nothing of it had arrived');
  },
);

t.test('after a welcome, or in a slot of somebody who has left, everything begins with 0', async (t) => {
  const missed = new MissedFrames();
  missed.received(1, 0, 0);
  missed.received(2, 0, 0);
  missed.left(1);
  missed.received(1, 0, 0);
  missed.restart();
  missed.received(2, 0, 0);
  t.equal(missed.count, 0);
});

t.test(
  'in any order of losses, and of streams that we begin and cease to hear, the count is exact',
  async (t) => {
    for (let round = 0; round < 200; round += 1) {
      const random = new SeededRandom(SEED + round);
      const missed = new MissedFrames();
      /** Whether we hear each of four streams, and how many of its frames were published. */
      const streams = [
        { slot: 0, target: 0 },
        { slot: 0, target: 3 },
        { slot: 9, target: 0 },
        { slot: 9, target: 255 },
      ].map((it) => ({ ...it, isHeard: true, frames: 0 }));
      let lost = 0;
      for (let step = 0; step < 2000; step += 1) {
        const stream = streams[random.below(streams.length)]!;
        const mark = (): StreamMark => [stream.slot, stream.target, stream.frames & 0xffff];
        if (random.below(20) === 0) {
          stream.isHeard = !stream.isHeard;
          if (stream.isHeard) missed.next(mark());
          else missed.until(mark());
          // Nobody hears of these.
          if (!stream.isHeard) stream.frames += random.below(60_000);
          continue;
        }
        if (stream.isHeard && random.below(4) > 0) missed.received(...mark());
        else if (stream.isHeard) lost += 1;
        stream.frames += 1;
      }
      for (const { slot, target, isHeard, frames } of streams)
        if (isHeard) missed.until([slot, target, frames & 0xffff]);
      t.equal(missed.count, lost, `seed ${SEED + round}`);
    }
  },
);
