/** Order and loss of voice frames as they arrive. */

import t from 'tap';
import { FrameOrder } from '../../../voice/recording/frame_order.js';

/** What becomes of these sequences; a marker is written as `M`. */
function taken(...frames: readonly (number | `M${number}`)[]) {
  const order = new FrameOrder();
  const answers = frames.map((frame) =>
    typeof frame === 'number'
      ? order.take({ sequence: frame, marker: false })
      : order.take({ sequence: Number(frame.slice(1)), marker: true }),
  );
  return { answers: answers.join(' '), lost: order.lost, late: order.late };
}

t.test('frames in order are next, also where the sequence wraps', async (t) => {
  t.same(taken('M65534', 65_535, 0, 1), { answers: 'next next next next', lost: 0, late: 0 });
});

t.test('a gap within a talkspurt is a loss of its length', async (t) => {
  t.same(taken('M0', 1, 5, 6), { answers: 'next next next next', lost: 3, late: 0 });
});

t.test('a gap before a marker is not a loss: they spoke to others', async (t) => {
  t.same(taken('M0', 1, 'M5', 6), { answers: 'next next restart next', lost: 0, late: 0 });
});

t.test('a frame that comes twice, or after its successor, is late', async (t) => {
  t.same(taken('M0', 1, 1, 3, 2), { answers: 'next next late next late', lost: 1, late: 2 });
});

t.test('a marker that goes back is a speaker who joined again', async (t) => {
  t.same(taken('M500', 501, 'M0', 1, 501), { answers: 'next next restart next next', lost: 499, late: 0 });
});
