/** Frames as RFC 6455 has them, byte for byte; and that ws reads what is written. */

import t from 'tap';
import { frameOf } from '../../../../../relay/port/sockets/ws/frame.js';

t.test('a frame is final, not masked, and has the opcode of its kind', async (t) => {
  for (const [kind, first] of [
    ['text', 0x81],
    ['binary', 0x82],
    ['ping', 0x89],
    ['pong', 0x8a],
  ] as const) {
    t.same([...frameOf(Uint8Array.of(7, 8), kind)], [first, 2, 7, 8], kind);
    t.same([...frameOf(new Uint8Array(0), kind)], [first, 0], `${kind} of no bytes`);
  }
});

t.test('the length is in the shortest form', async (t) => {
  for (const [length, head] of [
    [125, [0x82, 125]],
    [126, [0x82, 126, 0, 126]],
    [256, [0x82, 126, 1, 0]],
    [8208, [0x82, 126, 0x20, 0x10]],
    [0xffff, [0x82, 126, 0xff, 0xff]],
    [0x10000, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [0x12345, [0x82, 127, 0, 0, 0, 0, 0, 1, 0x23, 0x45]],
  ] as const) {
    const payload = new Uint8Array(length).fill(5);
    const frame = frameOf(payload, 'binary');
    t.same([...frame.subarray(0, head.length)], head, `${length} bytes`);
    t.same(frame.subarray(head.length), Buffer.from(payload));
  }
});

t.test('the payload is copied', async (t) => {
  const payload = Uint8Array.of(1, 2, 3);
  const frame = frameOf(payload, 'binary');
  payload.fill(0);
  t.same([...frame.subarray(2)], [1, 2, 3]);
});
