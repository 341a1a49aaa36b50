/** The age filter: what is old is dropped, whatever the path and the clocks do meanwhile. d of a clean path is 0 here. */

import t from 'tap';
import { AgeFilter } from '../../voice/age_filter.js';
import { SEED, SeededRandom } from '../kit/random.js';

const BUDGET_MS = 150;
const FRAME_MS = 20;

/** One sender's frames on a clock of our own; `ahead` says how far the sender's clock is from ours. */
class Stream {
  readonly filter: AgeFilter;
  now = 1_000_000;
  readonly #offsetMs: number;

  constructor(budgetMs: number, offsetMs: number) {
    this.filter = new AgeFilter(budgetMs);
    this.#offsetMs = offsetMs;
  }

  /** A frame every `everyMs` for `forMs`, each with this d above that of the clean path. Returns those that were in time. */
  run(
    forMs: number,
    delayOf: (atMs: number) => number,
    everyMs = FRAME_MS,
  ): { atMs: number; delay: number }[] {
    const inTime: { atMs: number; delay: number }[] = [];
    for (let atMs = 0; atMs < forMs; atMs += everyMs) {
      this.now += everyMs;
      const delay = delayOf(atMs);
      if (this.judge(delay) === 'in-time') inTime.push({ atMs, delay });
    }
    return inTime;
  }

  judge(delay: number, graceMs?: number): 'in-time' | 'stale' {
    return this.filter.judge(this.#offsetMs + delay, this.now, graceMs);
  }

  note(delay: number): void {
    this.filter.note(this.#offsetMs + delay, this.now);
  }

  /** The base as this stream's delays are counted. */
  get base(): number {
    return (this.filter.base ?? Number.NaN) - this.#offsetMs;
  }
}

/** A stream that has run for 10 s on a clean path. */
function settled({ budgetMs = BUDGET_MS, offsetMs = -4_000_000, jitter = (): number => 0 } = {}): Stream {
  const stream = new Stream(budgetMs, offsetMs);
  stream.run(10_000, jitter);
  return stream;
}

t.test('the first frame is in time, whatever the clocks show, and is the base', async (t) => {
  for (const offsetMs of [-4e9, -1, 0, 0.5, 4e9]) {
    const filter = new AgeFilter(BUDGET_MS);
    t.equal(filter.base, null);
    t.equal(filter.judge(offsetMs, 1), 'in-time');
    t.equal(filter.base, offsetMs);
  }
});

t.test('a budget is more than 0', async (t) => {
  for (const budgetMs of [0, -1, Number.NaN]) t.throws(() => new AgeFilter(budgetMs), RangeError);
});

t.test('a frame is stale when it is older than the budget', async (t) => {
  const stream = settled();
  t.equal(stream.judge(BUDGET_MS), 'in-time');
  t.equal(stream.judge(BUDGET_MS + 1), 'stale');
  t.equal(stream.base, 0);
});

t.test('grace lets a frame through and leaves the base', async (t) => {
  const stream = settled();
  t.equal(stream.judge(600, 500), 'in-time');
  t.equal(stream.judge(660, 500), 'stale');
  t.equal(stream.base, 0);
  for (let frame = 0; frame < 1000; frame += 1) {
    stream.now += FRAME_MS;
    t.equal(stream.judge(600, 500), 'in-time');
  }
  t.equal(stream.judge(600), 'stale');
  t.equal(stream.judge(0, 500), 'in-time');
});

t.test('20 s that are read at once are stale but for the last of them', async (t) => {
  const stream = settled();
  stream.now += 20_000;
  for (let delay = 20_000; delay >= 0; delay -= FRAME_MS) {
    t.equal(stream.judge(delay), delay <= BUDGET_MS + 4 ? 'in-time' : 'stale', `${delay} ms`);
  }
  t.ok(Math.abs(stream.base) < 4.1, 'the base is where it was, but for 4 ms of possible drift');
});

t.test('a draining backlog is not accepted before it is within the budget, whatever its rate', async (t) => {
  const random = new SeededRandom(SEED);
  t.comment(`seed ${SEED}`);
  // How fast d falls, in ms per s of our clock: 25 is a link that is 2.5 % faster than the voice, 10,000 one that is eleven times as fast.
  for (const rate of [25, 40, 60, 100, 250, 1000, 4000, 10_000]) {
    for (const depthMs of [300, 1000, 5000, 20_000]) {
      for (const jitterMs of rate < 100 ? [0, 3] : [0, 3, 20]) {
        const stream = settled();
        stream.now += depthMs;
        const speedUp = 1 + rate / 1000;
        const forMs = ((depthMs - BUDGET_MS) / rate) * 1000;
        const inTime = stream.run(
          forMs,
          (atMs) => depthMs - (atMs * rate) / 1000 + random.below(jitterMs + 1),
          FRAME_MS / speedUp,
        );
        const oldest = inTime.reduce((most, { delay }) => Math.max(most, delay), 0);
        const driftMs = 0.0002 * (depthMs + forMs) + 1;
        t.ok(
          oldest <= BUDGET_MS + driftMs,
          `${depthMs} ms at ${rate} ms/s, jitter ${jitterMs}: oldest ${oldest}`,
        );
        t.equal(stream.run(1000, () => 0).length, 50, 'and then all is in time');
      }
    }
  }
});

t.test('a large backlog that drains at 0.5 % over real time is not taken for another path', async (t) => {
  const stream = settled();
  stream.now += 20_000;
  t.equal(stream.run(60_000, (atMs) => 20_000 - atMs * 0.005).length, 0);
});

t.test('a queue that keeps growing is not followed', async (t) => {
  for (const rate of [60, 100, 400]) {
    const stream = settled();
    const oldest = stream.run(20_000, (atMs) => (atMs * rate) / 1000).at(-1)!;
    t.ok(oldest.delay <= BUDGET_MS + 60, `${rate} ms/s: ${oldest.delay}`);
  }
});

t.test('with more speakers a window of the base is no shorter', async (t) => {
  const stream = settled();
  // 8 speakers, and a queue that grows by 40 ms/s, within the budget.
  stream.run(3000, (atMs) => atMs * 0.04, 2.5);
  t.ok(stream.base < 1);
});

t.test('a path that changes is followed within about a second, up and down', async (t) => {
  const random = new SeededRandom(SEED);
  for (const jitterMs of [0, 20, 60, 100]) {
    for (const stepMs of [60, 100, 160, 300, 900, -60, -101, -300, -5000, -3_600_000]) {
      const jitter = () => random.below(jitterMs + 1);
      const stream = settled({ jitter });
      stream.run(3000, () => stepMs + jitter());
      const heard = stream.run(20_000, () => stepMs + jitter());
      t.equal(heard.length, 1000, `${stepMs} ms, jitter ${jitterMs}`);
      t.ok(stream.base < stepMs + jitterMs + 5, 'the base is no older than the path');
      t.ok(stream.base >= Math.min(0, stepMs) - 5);
    }
  }
});

t.test('without jitter the change costs a second', async (t) => {
  for (const stepMs of [200, 400, 1000]) {
    const stream = settled();
    const first = stream.run(3000, () => stepMs)[0]!;
    t.ok(first.atMs >= 980 && first.atMs <= 1040, `${stepMs} ms: ${first.atMs}`);
  }
});

t.test(
  'a clock that jumps by more than a second is followed in as much time as it jumped, at most 10 s',
  async (t) => {
    for (const stepMs of [2000, 8000, 3_600_000]) {
      const first = settled().run(20_000, () => stepMs)[0]!;
      const expected = Math.min(10_000, stepMs);
      t.ok(Math.abs(first.atMs - expected) <= 60, `${stepMs} ms: ${first.atMs}`);
    }
  },
);

t.test('in silence, heartbeats follow the path', async (t) => {
  for (const stepMs of [400, -400]) {
    const stream = settled();
    for (let beat = 0; beat < 5; beat += 1) {
      stream.now += 500;
      stream.note(stepMs);
    }
    t.equal(stream.base, stepMs);
    t.equal(stream.judge(stepMs), 'in-time');
  }
});

t.test('heartbeats of a backlog do not move the base', async (t) => {
  const stream = settled();
  stream.now += 600_000;
  for (let delay = 600_000; delay > 1000; delay -= 500) stream.note(delay);
  t.equal(stream.judge(1000), 'stale');
});

t.test(
  'drift of 200 ppm loses nothing: in speech, with heartbeats, and after an hour of silence',
  async (t) => {
    const random = new SeededRandom(SEED);
    for (const ppm of [200, -200]) {
      for (const budgetMs of [60, 150]) {
        const jitter = () => random.below(budgetMs / 2);
        const begin = 10_000;
        const drift = (stream: Stream) => ((stream.now - 1_000_000 - begin) * ppm) / 1e6;
        const start = () => settled({ budgetMs, jitter });

        const speech = start();
        t.equal(speech.run(1_800_000, () => drift(speech) + jitter()).length, 90_000, `${ppm} ppm, speech`);

        const beats = start();
        t.equal(beats.run(3_600_000, () => drift(beats) + jitter(), 500).length, 7200, 'heartbeats');

        const silence = start();
        silence.now += 3_600_000;
        t.equal(silence.run(60_000, () => drift(silence) + jitter()).length, 3000, 'silence');
      }
    }
  },
);

t.test('frames ahead of time do not cost those behind them', async (t) => {
  for (const budgetMs of [60, 150, 1000]) {
    for (const frames of [1, 5, 20]) {
      for (let earlyMs = 5; earlyMs < 3000; earlyMs += 35) {
        const stream = settled({ budgetMs });
        for (let frame = 0; frame < frames; frame += 1) t.equal(stream.judge(-earlyMs), 'in-time');
        t.equal(
          stream.run(10_000, () => 0).length,
          500,
          `${frames} frames, ${earlyMs} ms early, budget ${budgetMs}`,
        );
      }
    }
  }
});

t.test('jitter of 100 ms peak to peak loses nothing', async (t) => {
  const random = new SeededRandom(SEED);
  const shapes: Record<string, (atMs: number) => number> = {
    uniform: () => random.below(101),
    // Wi-Fi: nothing for 100 ms, then all of it at once.
    bursts: (atMs) => 100 - (atMs % 100),
    wave: (atMs) => 50 + 50 * Math.sin(atMs / 1500),
    rare: () => (random.below(200) === 0 ? 0 : 100),
    steps: (atMs) => (Math.floor(atMs / 7000) % 2) * 100,
  };
  for (const [name, delayOf] of Object.entries(shapes)) {
    for (const everyMs of [2.5, 20, 100]) {
      const stream = new Stream(BUDGET_MS, 7);
      t.equal(
        stream.run(600_000, delayOf, everyMs).length,
        600_000 / everyMs,
        `${name}, every ${everyMs} ms`,
      );
    }
  }
});

t.test('a base that began with a backlog comes down to the path', async (t) => {
  const stream = new Stream(BUDGET_MS, 0);
  for (let delay = 5000; delay > 0; delay -= FRAME_MS) stream.judge(delay);
  stream.run(2000, () => 0);
  t.equal(stream.base, 0);
  t.equal(stream.judge(200), 'stale');
});
