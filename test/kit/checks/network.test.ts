/** The emulated network does what its traces say, and the same again for the same seed. */

import t from 'tap';
import { type NetworkTrace, onListenersClock, onSpeakersClock, TRACES, transmit } from '../network.js';
import { SEED } from '../random.js';

const PACKETS = 100_000;
const EVERY_MS = 20;
const sent = Array.from({ length: PACKETS }, (_, at) => at * EVERY_MS);
const plain: NetworkTrace = { name: 'plain', about: '', delayMs: 40 };

/** The added delay of each packet that arrived. */
function delaysOf(trace: NetworkTrace, seed = SEED): number[] {
  return transmit(trace, sent, seed).flatMap((at, i) => (at === null ? [] : [at - sent[i]!]));
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b));
const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b));

/** The lengths of the runs of packets for which `isIn` is true. */
function runs(values: readonly (number | null)[], isIn: (at: number) => boolean): number[] {
  const found: number[] = [];
  for (let at = 0; at < values.length; at++) {
    if (!isIn(at)) continue;
    if (at === 0 || !isIn(at - 1)) found.push(0);
    found[found.length - 1]! += 1;
  }
  return found;
}

t.comment(`seed ${SEED}`);

t.test('the same seed gives the same arrivals, another seed gives others', async (t) => {
  for (const trace of Object.values(TRACES) as NetworkTrace[]) {
    const arrivals = (seed: number) => JSON.stringify(transmit(trace, sent.slice(0, 5000), seed));
    const isRandom = Boolean(trace.jitterMs || trace.blocks || trace.loss);
    t.equal(arrivals(1), arrivals(1), trace.name);
    t.equal(arrivals(1) !== arrivals(2), isRandom, trace.name);
  }
});

t.test('the name of a trace is its key', async (t) => {
  for (const [key, { name }] of Object.entries(TRACES)) t.equal(name, key);
});

t.test('without disturbance every packet takes the least delay', async (t) => {
  t.ok(delaysOf(TRACES.clean).every((delay) => Math.abs(delay - 40) < 1e-6));
});

t.test('uniform jitter has the range, the mean and the spread of a uniform distribution', async (t) => {
  const delays = delaysOf(TRACES.uniform);
  t.ok(least(delays) >= 40 && least(delays) < 40.01);
  t.ok(most(delays) < 60 && most(delays) > 59.99);
  t.ok(Math.abs(mean(delays) - 50) < 0.1, `mean ${mean(delays)}`);
  for (let from = 40; from < 60; from += 2) {
    const count = delays.filter((delay) => delay >= from && delay < from + 2).length;
    t.ok(Math.abs(count - PACKETS / 10) < 500, `${count} of ${PACKETS} from ${from} to ${from + 2} ms`);
  }
});

t.test('independent loss: the share is right, and one loss does not make the next likelier', async (t) => {
  const arrivals = transmit(TRACES.loss, sent, SEED);
  const isLost = (at: number) => arrivals[at] === null;
  const lost = arrivals.filter((at) => at === null).length / PACKETS;
  t.ok(Math.abs(lost - 0.02) < 0.002, `${lost} lost`);
  const afterLoss =
    arrivals.filter((_, at) => at > 0 && isLost(at) && isLost(at - 1)).length / (lost * PACKETS);
  t.ok(Math.abs(afterLoss - 0.02) < 0.012, `${afterLoss} lost after a loss`);
});

t.test('Gilbert-Elliott loss: share and mean burst follow from the two probabilities', async (t) => {
  const { toBad, toGood } = TRACES['loss-bursts'].loss;
  const arrivals = transmit(TRACES['loss-bursts'], sent, SEED);
  const bursts = runs(arrivals, (at) => arrivals[at] === null);
  const lost = bursts.reduce((sum, length) => sum + length, 0) / PACKETS;
  t.ok(Math.abs(lost - toBad / (toBad + toGood)) < 0.003, `${lost} lost`);
  t.ok(Math.abs(mean(bursts) - 1 / toGood) < 0.3, `bursts of ${mean(bursts)} packets`);
  t.ok(most(bursts) > 8, 'their lengths vary');

  const half = {
    ...plain,
    loss: { kind: 'gilbert-elliott', toBad: 0.1, toGood: 0.1, lostWhenBad: 0.5 },
  } as const;
  const share = transmit(half, sent, SEED).filter((at) => at === null).length / PACKETS;
  t.ok(Math.abs(share - 0.25) < 0.01, `${share} lost when half of the time is bad and half of that is lost`);
});

t.test('a block holds what is sent into it, and releases it at once and in order', async (t) => {
  for (const trace of [TRACES.wifi, TRACES.tcp]) {
    const arrivals = transmit(trace, sent, SEED) as number[];
    const { fromMs, toMs, meanGapMs } = trace.blocks;
    const delays = arrivals.map((at, i) => at - sent[i]!);
    t.ok(least(delays) >= trace.delayMs);
    t.ok(most(delays) < trace.delayMs + trace.jitterMs + toMs, `${most(delays)} ms at most`);
    t.ok(
      arrivals.every((at, i) => i === 0 || at >= arrivals[i - 1]!),
      'in order',
    );
    // The packets of a block share one arrival time, to the bit.
    const released = new Map<number, number[]>();
    for (const [i, at] of arrivals.entries()) released.set(at, [...(released.get(at) ?? []), delays[i]!]);
    const blocks = [...released.values()].filter((held) => held.length > 1);
    const longest = blocks.map((held) => most(held) - trace.delayMs);
    t.ok(most(longest) <= toMs + trace.jitterMs && most(longest) > toMs - 10, `${most(longest)} ms`);
    // Of a block of 60 ms, the first packet may have been sent 20 ms after it began.
    t.ok(least(longest) >= fromMs - EVERY_MS - trace.jitterMs, `${least(longest)} ms`);
    const expected = (PACKETS * EVERY_MS) / (meanGapMs + (fromMs + toMs) / 2);
    t.ok(
      Math.abs(blocks.length / expected - 1) < 0.15,
      `${blocks.length} blocks, about ${expected} expected`,
    );
  }
});

t.test('the stall holds 2 s of packets, and they all arrive when it ends', async (t) => {
  const { atMs, everyMs, forMs } = TRACES.stall.stalls;
  const arrivals = transmit(TRACES.stall, sent, SEED) as number[];
  for (const from of [atMs, atMs + everyMs, atMs + 10 * everyMs]) {
    t.notOk(arrivals.some((at) => at >= from && at < from + forMs));
    const together = arrivals.filter((at) => Math.abs(at - from - forMs) < 1e-6).length;
    t.ok(Math.abs(together - forMs / EVERY_MS) <= 1, `${together} packets`);
  }
});

t.test('reordering delays its share of the packets behind their successors', async (t) => {
  const { share } = TRACES.reordered.reordered;
  const arrivals = transmit(TRACES.reordered, sent, SEED) as number[];
  const overtaken = arrivals.filter((at, i) => i + 1 < arrivals.length && arrivals[i + 1]! < at).length;
  t.ok(overtaken / PACKETS > 0.9 * share && overtaken / PACKETS < 1.1 * share, `${overtaken} overtaken`);
  const kept = transmit({ ...TRACES.reordered, order: 'kept' }, sent, SEED) as number[];
  t.ok(
    kept.every((at, i) => i === 0 || at >= kept[i - 1]!),
    'not if the order is kept',
  );
});

t.test('drift: after an hour the clocks are 720 ms apart, and the two conversions are inverse', async (t) => {
  const hour = 3_600_000;
  t.ok(Math.abs(onListenersClock(TRACES['drift-fast'], hour) - (hour - 720)) < 0.2);
  t.ok(Math.abs(onListenersClock(TRACES['drift-slow'], hour) - (hour + 720)) < 0.2);
  t.ok(
    Math.abs(onSpeakersClock(TRACES['drift-slow'], onListenersClock(TRACES['drift-slow'], hour)) - hour) <
      1e-6,
  );
  const arrivals = transmit(TRACES['drift-fast'], [0, hour], SEED) as number[];
  t.ok(Math.abs(arrivals[1]! - arrivals[0]! - (hour - 720)) < 0.2);
});

t.test('a change of one part leaves the random numbers of the others alone', async (t) => {
  const jittered = transmit(TRACES.wifi, sent, SEED);
  const lossy = transmit({ ...TRACES.wifi, loss: { kind: 'independent', share: 0.1 } }, sent, SEED);
  let same = 0;
  for (const [at, arrival] of lossy.entries()) {
    if (arrival === null) continue;
    if (arrival === jittered[at]) same += 1;
    else t.fail(`packet ${at} arrives at ${arrival} ms, without the loss at ${jittered[at]} ms`);
  }
  t.ok(same > 0.85 * PACKETS);
});

t.test('send times that go back are refused', async (t) => {
  t.throws(() => transmit(plain, [20, 0], SEED), /Cannot transmit: sent at 0 ms, after 20 ms/);
});
