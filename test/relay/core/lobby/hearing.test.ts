/** Hearing sets: whom each listener hears, where the game decides it. */

import t from 'tap';
import type { HearingUpdate } from '../../../../voice/control.js';
import {
  Bench,
  deeds,
  failureOf,
  frameOf,
  refusalOf,
  resumeSecretOf,
  steamIdOf,
  tellsOf,
} from '../../kit.js';

function benchOf(accounts: readonly number[], limits: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  const bench = new Bench(limits);
  bench.admin({ kind: 'open-lobby', lobby: 'den' });
  for (const account of accounts) bench.join(account);
  return bench;
}

function hear(bench: Bench, ...sets: HearingUpdate[]) {
  return bench.admin({ kind: 'hear', lobby: 'den', sets });
}

t.test(
  'with a set, a listener gets the frames of those in it, at a topic of each, and no others',
  async (t) => {
    const bench = benchOf([1, 2, 3]);
    t.same(deeds(hear(bench, { listener: 2, hears: [0] }).outputs), [
      { kind: 'tell', connections: [3], message: { type: 'hears', only: true, more: [0] } },
      { kind: 'unsubscribe', connection: 3, topic: 'lobby/0' },
      { kind: 'subscribe', connection: 3, topic: 'lobby/0/s0' },
    ]);
    t.match(bench.voice(1, frameOf(1)), { topic: 'lobby/0', ownTopic: 'lobby/0/s0', relaySequence: 0 });
    t.match(bench.voice(2, frameOf(2)), { topic: 'lobby/0', ownTopic: null });
  },
);

t.test(
  'a listener learns where somebody stands whom they begin to hear, and where they stood when they cease to',
  async (t) => {
    const bench = benchOf([1, 2, 3]);
    hear(bench, { listener: 2, hears: [] });
    for (let count = 0; count < 3; count += 1) bench.voice(1, frameOf(1));
    t.same(tellsOf(hear(bench, { listener: 2, hears: [0, 1] }).outputs), [
      [[3], { type: 'hears', more: [0, 1], speaking: [0], next: [[0, 0, 3]] }],
    ]);
    bench.voice(1, frameOf(1));
    t.same(tellsOf(hear(bench, { listener: 2, hears: [1] }).outputs), [
      [[3], { type: 'hears', fewer: [0], until: [[0, 0, 4]] }],
    ]);
    bench.voice(1, frameOf(1));
    t.same(tellsOf(hear(bench, { listener: 2, hears: null }).outputs), [
      [[3], { type: 'hears', only: false, speaking: [0], next: [[0, 0, 5]] }],
    ]);
  },
);

t.test('only those who may hear somebody learn that they speak', async (t) => {
  const bench = benchOf([1, 2, 3]);
  hear(bench, { listener: 2, hears: [] });
  t.same(tellsOf(bench.voice(1, frameOf(1)).outputs), [[[2], { type: 'speaking', slot: 0, speaking: true }]]);
});

t.test('a set has the last word over whispers, too', async (t) => {
  const bench = benchOf([1, 2, 3]);
  hear(bench, { listener: 1, hears: [2] });
  bench.text(1, { type: 'whisper', slots: [1, 2] });
  const verdict = bench.voice(1, frameOf(1, { target: 255 }));
  t.match(tellsOf(verdict.outputs), [[[3], { type: 'speaking' }]]);
});

t.test('people are named by slot or SteamID, may be absent, and a set waits for its listener', async (t) => {
  const bench = benchOf([1]);
  hear(bench, { listener: steamIdOf(2), hears: [steamIdOf(3), 0, 77] });
  const joined = tellsOf(bench.join(2));
  t.match(joined[1], [[2], { type: 'hears', only: true, more: [0] }]);
  t.same(tellsOf(bench.join(3)).slice(-1), [[[2], { type: 'hears', more: [2] }]], 'behind the joined');
});

t.test('a set stays through an absence, a resume and a return, and ends with the lobby', async (t) => {
  const bench = benchOf([1, 3]);
  const secret = resumeSecretOf(bench.join(2));
  hear(bench, { listener: steamIdOf(2), hears: [0] });
  bench.close(2);
  const set = { type: 'hears', only: true, more: [0] };
  t.same(tellsOf(bench.resume(12, secret))[1], [[12], set]);
  bench.text(12, { type: 'leave' });
  t.same(tellsOf(bench.join(2))[1], [[2], set]);
  bench.admin({ kind: 'close-lobby', lobby: 'den' });
  bench.admin({ kind: 'open-lobby', lobby: 'den' });
  bench.join(1);
  t.equal(tellsOf(bench.join(2)).length, 2, 'the welcome and the joined of the others');
  t.match(bench.relay.counts(), { hearingSets: 0, hearingEntries: 0 });
});

t.test('what changes too often waits, the latest only, and comes with a tick', async (t) => {
  const bench = benchOf([1, 2], { hearingBurst: 1 });
  hear(bench, { listener: 1, hears: [] });
  t.same(hear(bench, { listener: 1, hears: [0] }).outputs, []);
  t.match(hear(bench, { listener: 1, hears: null }), { result: { kind: 'done' }, outputs: [] });
  t.same(tellsOf(bench.tickAt(bench.now + 50)), [], 'not before its time');
  t.same(tellsOf(bench.tickAt(bench.now + 50)), [[[2], { type: 'hears', only: false }]]);
  t.same(tellsOf(bench.tickAt(bench.now + 100)), []);
});

t.test('the same set again changes nothing', async (t) => {
  const bench = benchOf([1, 2]);
  hear(bench, { listener: 1, hears: [0] });
  t.same(hear(bench, { listener: 1, hears: [steamIdOf(1)] }).outputs, []);
});

t.test('all sets of a request are changed, or none, when there is no room', async (t) => {
  const bench = benchOf([1, 2], { hearingPerLobby: 4 });
  const sets = [
    { listener: 0, hears: [1] },
    { listener: 1, hears: [steamIdOf(7), steamIdOf(8)] },
  ];
  t.match(hear(bench, ...sets).result, { kind: 'failed', code: 'hearing-full' });
  t.match(bench.relay.counts(), { hearingSets: 0, hearingEntries: 0 });
  hear(bench, { listener: steamIdOf(5), hears: [0, 1] });
  t.match(
    hear(bench, { listener: 0, hears: [1] }).result,
    { kind: 'done' },
    'that of the absent is forgotten',
  );
  t.match(bench.relay.counts(), { hearingSets: 1, hearingEntries: 2 });
});

t.test('the relay bounds the sets of all lobbies together', async (t) => {
  const bench = benchOf([1], { hearing: 3 });
  bench.admin({ kind: 'open-lobby', lobby: 'attic' });
  hear(bench, { listener: 0, hears: [steamIdOf(2)] });
  const sets = [{ listener: steamIdOf(4), hears: [steamIdOf(2)] }];
  t.match(bench.admin({ kind: 'hear', lobby: 'attic', sets }).result, { code: 'hearing-full' });
});

t.test('the set of a guest ends when they leave', async (t) => {
  const bench = new Bench({}, { guests: 'listen' });
  bench.admin({ kind: 'open-lobby', lobby: 'den' });
  bench.connect(1);
  bench.text(1, { type: 'hello', versions: [1], lobby: 'den', name: 'guest' });
  hear(bench, { listener: 0, hears: [] });
  t.match(bench.relay.counts(), { hearingSets: 1 });
  bench.text(1, { type: 'leave' });
  t.match(bench.relay.counts(), { hearingSets: 0, hearingEntries: 0 });
});

t.test('a moderator may change sets, and nobody else', async (t) => {
  const bench = new Bench();
  bench.admit(1, { moderator: true });
  bench.admit(2);
  const sets = [{ listener: 1, hears: [] }];
  t.same(tellsOf(bench.text(1, { type: 'hearing', sets })), [[[2], { type: 'hears', only: true }]]);
  t.equal(failureOf(bench.text(2, { type: 'hearing', sets })), 'not-moderator');
  const many = [{ listener: 1, hears: Array.from({ length: 257 }, (_, at) => at) }];
  t.equal(refusalOf(bench.text(1, { type: 'hearing', sets: many })), 'message-malformed');
});

t.test('there are no sets in a lobby that does not exist', async (t) => {
  const bench = new Bench();
  t.match(hear(bench, { listener: 0, hears: [] }).result, { kind: 'failed', code: 'lobby-unknown' });
});
