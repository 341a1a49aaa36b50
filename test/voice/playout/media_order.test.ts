/** Where packets belong on the media clock. */

import t from 'tap';
import { MediaOrder, timestampOf } from '../../../voice/playout/media_order.js';
import { headerOf } from '../../kit/playout/voice_header.js';

const unknown = () => null;

t.test('positions go on where timestamps wrap, and have the timestamps', async (t) => {
  const order = new MediaOrder();
  const first = 2 ** 32 - 480;
  for (const [index, timestamp] of [first, 0, 480].entries()) {
    t.equal(order.place(headerOf(65_535 + index, timestamp), unknown, 0), 'placed');
    t.equal(order.position, first + index * 480);
    t.equal(timestampOf(order.position), timestamp);
  }
});

t.test('a packet that comes after its successor is placed before it', async (t) => {
  const order = new MediaOrder();
  order.place(headerOf(5, 1000), unknown, 0);
  order.place(headerOf(7, 1960), unknown, 0);
  t.equal(order.place(headerOf(6, 1480), unknown, 0), 'placed');
  t.equal(order.position, 1480);
});

t.test('a sequence that was seen among the last 256 is a duplicate, across the wrap too', async (t) => {
  const order = new MediaOrder();
  for (let index = 0; index < 300; index++)
    t.equal(order.place(headerOf((65_400 + index) & 0xffff, index * 480), unknown, 0), 'placed');
  for (let index = 50; index < 300; index++)
    t.equal(order.place(headerOf((65_400 + index) & 0xffff, index * 480), unknown, 0), 'duplicate');
});

t.test('a marker that goes back more than 2 s is a speaker who joined again', async (t) => {
  const order = new MediaOrder();
  order.place(headerOf(900, 500_000, { marker: true }), unknown, 0);
  t.equal(order.place(headerOf(0, 96, { marker: true }), unknown, 500_480), 'jumped');
  t.equal(order.position, 96);
  t.equal(order.place(headerOf(900, 576), unknown, 0), 'placed', 'sequences are forgotten');
  t.equal(order.jumps, 1);
});

t.test('it is known even if their sequences are those of before', async (t) => {
  const order = new MediaOrder();
  for (let index = 0; index < 20; index++) order.place(headerOf(index, 500_000 + index * 480), unknown, 0);
  t.equal(order.place(headerOf(0, 96, { marker: true }), unknown, 509_600), 'jumped');
});

t.test('a marker that goes back less, or whose sequence was missing, is only late', async (t) => {
  const order = new MediaOrder();
  order.place(headerOf(900, 500_000), unknown, 0);
  t.equal(order.place(headerOf(40_000, 460_000, { marker: true }), unknown, 500_480), 'placed');
  t.equal(order.place(headerOf(850, 400_000, { marker: true }), unknown, 500_480), 'placed');
});

t.test('without a marker ten packets in a row that are far behind show it', async (t) => {
  const order = new MediaOrder();
  order.place(headerOf(900, 500_000), unknown, 0);
  for (let index = 0; index < 9; index++)
    t.equal(order.place(headerOf(index, index * 480), unknown, 500_480), 'placed');
  t.equal(order.place(headerOf(9, 4320), unknown, 500_480), 'jumped');
});

t.test('a timestamp that goes 2 s ahead of its time shows it, if the network is known', async (t) => {
  const order = new MediaOrder();
  order.place(headerOf(0, 0), unknown, 0);
  t.equal(
    order.place(headerOf(1, 480), () => -3000, 0),
    'placed',
    'the packet before it was late',
  );
  t.equal(order.place(headerOf(2, 96_000), unknown, 0), 'placed', 'after a long silence');
  t.equal(
    order.place(headerOf(3, 144_000), () => -1999, 0),
    'placed',
  );
  t.equal(
    order.place(headerOf(4, 900_000), () => -2001, 0),
    'jumped',
  );
});
