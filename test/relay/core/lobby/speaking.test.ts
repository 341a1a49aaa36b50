/** Who is shown as speaking: from the first frame of a talkspurt to its terminator, or to the end of the hangover. */

import t from 'tap';
import { Bench, frameOf, tellsOf } from '../../kit.js';

t.test('the first frame says that someone speaks, once', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  bench.join(3);
  t.same(bench.voice(2, frameOf(2)).outputs, [
    { kind: 'tell', connections: [1, 3], message: { type: 'speaking', slot: 1, speaking: true } },
  ]);
  t.same(bench.voice(2, frameOf(2)).outputs, []);
});

t.test('the terminator says at once that it is over', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  bench.voice(2, frameOf(2));
  t.same(tellsOf(bench.voice(2, frameOf(2, { terminator: true })).outputs), [
    [[1], { type: 'speaking', slot: 1, speaking: false }],
  ]);
  t.same(bench.tickAt(bench.now + 1000), []);
});

t.test('a talkspurt of one frame begins and ends', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  const only = bench.voice(2, frameOf(2, { marker: true, terminator: true }));
  t.match(tellsOf(only.outputs), [
    [[1], { speaking: true }],
    [[1], { speaking: false }],
  ]);
});

t.test('without frames a participant speaks until the hangover is over', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  bench.voice(2, frameOf(2));
  t.same(bench.tickAt(1200), []);
  bench.voice(2, frameOf(2));
  t.same(bench.tickAt(1599), [], '399 ms after the last frame');
  t.same(bench.tickAt(1600), [
    { kind: 'tell', connections: [1], message: { type: 'speaking', slot: 1, speaking: false } },
  ]);
  t.same(bench.tickAt(1700), [], 'once');
  t.match(tellsOf(bench.voice(2, frameOf(2)).outputs), [[[1], { speaking: true }]], 'and it begins again');
});

t.test('a dropped frame keeps nobody speaking', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  t.same(bench.voice(2, frameOf(1)).outputs, []);
  bench.voice(2, frameOf(2));
  bench.now += 399;
  bench.voice(2, frameOf(1));
  t.equal(tellsOf(bench.tickAt(1400)).length, 1);
});

t.test('leaving while speaking is announced as leaving, not as silence', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  bench.voice(2, frameOf(2));
  t.same(tellsOf(bench.text(2, { type: 'leave' })), [[[1], { type: 'left', slot: 1 }]]);
  t.same(bench.tickAt(5000), []);
});

t.test('ten talkspurts at once and five per second are announced, and all are heard', async (t) => {
  const bench = new Bench();
  for (const account of [1, 2]) bench.join(account);
  const toldOf = (frames: number): number => {
    let told = 0;
    for (let frame = 0; frame < frames; frame++) {
      const verdict = bench.voice(2, frameOf(2, { marker: true, terminator: true }));
      t.equal(verdict.kind, 'forward');
      told += tellsOf(verdict.outputs).length;
    }
    return told;
  };
  t.equal(toldOf(30), 20, 'that they began and ceased, ten times');
  bench.now += 199;
  t.equal(toldOf(10), 0);
  bench.now += 1;
  t.equal(toldOf(10), 2);
  bench.now += 60_000;
  t.equal(toldOf(30), 20, 'ten again and no more');
});

t.test('a talkspurt that is not announced still ends the previous one', async (t) => {
  const bench = new Bench();
  for (const account of [1, 2]) bench.join(account);
  bench.text(2, { type: 'channels', channels: ['red'] });
  for (let frame = 0; frame < 10; frame++) bench.voice(2, frameOf(2, { target: frame % 2 }));
  t.equal(bench.relay.lobby('den')?.members[1]?.speakingTo, 1);
  const last = bench.voice(2, frameOf(2));
  t.equal(last.kind, 'forward');
  t.equal(bench.relay.lobby('den')?.members[1]?.speakingTo, null);
  bench.now += 200;
  t.match(tellsOf(bench.voice(2, frameOf(2)).outputs), [[[1], { speaking: true }]], 'with the next');
});
