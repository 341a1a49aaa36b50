import t from 'tap';
import { Bench, helloOf, tellsOf } from '../../kit.js';

const enter = (bench: Bench, account: number) => {
  bench.connect(account);
  bench.text(account, { ...helloOf(account, `lobby ${account % 500}`), capabilities: ['heartbeat'] });
};

t.test('every client that takes heartbeats gets one each 500 ms, with the relay time', async (t) => {
  const bench = new Bench();
  enter(bench, 1);
  bench.join(2, 'lobby 1');
  const got: unknown[] = [];
  for (let at = 1000; at <= 3000; at += 100) got.push(...tellsOf(bench.tickAt(at)));
  t.same(
    got,
    [0, 500, 1000, 1500, 2000].map((relayTimeMs) => [[1], { type: 'heartbeat', relayTimeMs }]),
  );
});

t.test('thousands get theirs in parts, each of them once per round', async (t) => {
  const bench = new Bench({ connections: 10_000 });
  for (let account = 1; account <= 2000; account++) enter(bench, account);
  const parts: number[] = [];
  const got = new Map<number, number>();
  for (let at = 1000; at < 1500; at += 25) {
    for (const [to] of tellsOf(bench.tickAt(at))) {
      parts.push(to.length);
      for (const connection of to) got.set(connection, (got.get(connection) ?? 0) + 1);
    }
  }
  t.same(parts, new Array(8).fill(250));
  t.equal(got.size, 2000);
  t.same([...new Set(got.values())], [1]);
});

t.test('after a pause of the relay everyone gets theirs at once', async (t) => {
  const bench = new Bench({ connections: 10_000 });
  for (let account = 1; account <= 2000; account++) enter(bench, account);
  for (let at = 1000; at < 1100; at += 25) bench.tickAt(at);
  const overdue = tellsOf(bench.tickAt(3000)).flatMap(([to, { type }]) => (type === 'heartbeat' ? to : []));
  t.equal(overdue.length, 2000);
  t.equal(new Set(overdue).size, 2000);
  const next = tellsOf(bench.tickAt(3500)).flatMap(([to, { type }]) => (type === 'heartbeat' ? to : []));
  t.equal(next.length, 250, 'then in parts again');
});

t.test('who has left gets none', async (t) => {
  const bench = new Bench();
  for (let account = 1; account <= 300; account++) enter(bench, account);
  const first = tellsOf(bench.tickAt(1000)).flatMap(([to]) => to);
  const left = Array.from({ length: 300 }, (_, at) => at + 1).filter((account) => !first.includes(account));
  t.equal(left.length, 50);
  bench.close(left[0]!);
  const second = tellsOf(bench.tickAt(1025)).flatMap(([to, { type }]) => (type === 'heartbeat' ? to : []));
  t.same(
    [...second].sort((a, b) => a - b),
    left.slice(1),
  );
});
