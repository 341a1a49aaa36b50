/** The mixer: when a talkspurt is heard, what a queue that runs over loses, and what a sum of speakers is. */

import t from 'tap';
import { Mixer, type MixerOptions } from '../../voice/mixer.js';
import { samplesOfMs } from '../../voice/units.js';
import { SEED, SeededRandom } from '../kit/random.js';

/** 20 ms. */
const FRAME = 480;

/** `length` samples that count up from `first`, so that it shows which came out. */
const ramp = (first: number, length = FRAME) => Int16Array.from({ length }, (_, at) => first + at);
const level = (value: number, length = FRAME) => new Int16Array(length).fill(value);
const silence = (length = FRAME) => new Int16Array(length);

function pull(mixer: Mixer, length = FRAME): Int16Array {
  // What is in the memory before must not matter.
  const out = new Int16Array(length).fill(0x5a5a);
  mixer.pull(out);
  return out;
}

t.test('with nobody there a pull is silence', async (t) => {
  const mixer = new Mixer();
  t.strictSame(pull(mixer), silence());
  t.strictSame(pull(mixer, 0), silence(0));
  t.equal(mixer.droppedSamples, 0);
});

t.test('a talkspurt is heard when its playout delay is there, from its first sample', async (t) => {
  const mixer = new Mixer();
  mixer.push(1, ramp(1), 'within');
  t.strictSame(pull(mixer), silence(), '20 of 40 ms');
  mixer.push(1, ramp(481, 479), 'within');
  t.strictSame(pull(mixer), silence(), 'one sample is missing');
  mixer.push(1, ramp(960, 1), 'within');
  t.strictSame(pull(mixer), ramp(1));
  t.strictSame(pull(mixer), ramp(481));
});

t.test('without a playout delay a talkspurt is heard at once', async (t) => {
  const mixer = new Mixer({ playoutDelayMs: 0 });
  mixer.push(1, ramp(1, 3), 'within');
  t.strictSame(pull(mixer, 5), Int16Array.of(1, 2, 3, 0, 0));
});

t.test('what is behind the playout delay follows without another wait', async (t) => {
  const mixer = new Mixer();
  mixer.push(1, ramp(1, 960), 'within');
  t.strictSame(pull(mixer), ramp(1));
  mixer.push(1, ramp(961, 10), 'within');
  t.strictSame(pull(mixer), ramp(481));
  t.strictSame(pull(mixer, 10), ramp(961, 10));
});

t.test('the last of a talkspurt is heard without waiting for more', async (t) => {
  const mixer = new Mixer();
  mixer.push(1, ramp(1, 7), 'last');
  t.strictSame(pull(mixer, 10), Int16Array.of(1, 2, 3, 4, 5, 6, 7, 0, 0, 0));
});

t.test('the last one plays what waited before it too', async (t) => {
  const mixer = new Mixer();
  mixer.push(1, ramp(1, 3), 'within');
  t.strictSame(pull(mixer, 3), silence(3));
  mixer.push(1, silence(0), 'last');
  t.strictSame(pull(mixer, 4), Int16Array.of(1, 2, 3, 0));
});

t.test('the end of a talkspurt whose terminator was lost is heard after the playout delay', async (t) => {
  const mixer = new Mixer();
  mixer.push(1, ramp(1), 'within');
  t.strictSame([pull(mixer), pull(mixer)], [silence(), silence()]);
  t.strictSame(pull(mixer), ramp(1));
  mixer.push(1, ramp(7), 'within');
  t.strictSame(pull(mixer), silence(), 'and the next one waits as the first did');
});

t.test('a queue that ran empty fills again before it is heard', async (t) => {
  const mixer = new Mixer();
  mixer.push(1, ramp(1, 960), 'within');
  t.strictSame(pull(mixer, 1000), Int16Array.from([...ramp(1, 960), ...silence(40)]));
  mixer.push(1, ramp(1), 'within');
  t.strictSame(pull(mixer), silence());
  mixer.push(1, ramp(481), 'within');
  t.strictSame(pull(mixer, 960), ramp(1, 960));
});

t.test('after its last sample a talkspurt waits again', async (t) => {
  const mixer = new Mixer();
  mixer.push(1, ramp(1), 'last');
  pull(mixer);
  mixer.push(1, ramp(1), 'within');
  t.strictSame(pull(mixer), silence());
});

t.test('a queue that runs over drops its oldest samples and counts them', async (t) => {
  const mixer = new Mixer({ playoutDelayMs: 0, maxQueuedMs: 20 });
  mixer.push(1, ramp(1), 'within');
  t.equal(mixer.droppedSamples, 0, 'full is not over');
  mixer.push(1, ramp(481, 100), 'within');
  t.equal(mixer.droppedSamples, 100);
  t.strictSame(pull(mixer), ramp(101));
  t.strictSame(pull(mixer), silence(), 'and no more than the queue holds');
});

t.test('of more sound than a queue holds, the newest is kept', async (t) => {
  const mixer = new Mixer({ playoutDelayMs: 0, maxQueuedMs: 20 });
  mixer.push(1, ramp(1, 10), 'within');
  mixer.push(1, ramp(11, 1000), 'within');
  t.equal(mixer.droppedSamples, 10 + 520);
  t.strictSame(pull(mixer), ramp(531));
});

t.test('each speaker has a queue and a delay of its own', async (t) => {
  const mixer = new Mixer();
  mixer.push(1, level(100, 960), 'within');
  mixer.push(2, level(1000), 'within');
  t.strictSame(pull(mixer), level(100), 'speaker 2 waits');
  mixer.push(2, level(1000), 'within');
  t.strictSame(pull(mixer), level(1100));
  t.strictSame(pull(mixer), level(1000), 'speaker 1 has nothing more');
});

t.test('a sum saturates at both ends', async (t) => {
  const mixer = new Mixer();
  for (let slot = 0; slot < 64; slot += 1) mixer.push(slot, Int16Array.of(32_767, -32_768, 1), 'last');
  t.strictSame(pull(mixer, 3), Int16Array.of(32_767, -32_768, 64));
});

t.test('a sum saturates once, not speaker by speaker', async (t) => {
  const mixer = new Mixer();
  for (const [slot, value] of [30_000, 30_000, -30_000].entries()) mixer.push(slot, level(value, 1), 'last');
  t.strictSame(pull(mixer, 1), Int16Array.of(30_000));
});

t.test('a forgotten speaker is no longer heard, and starts again', async (t) => {
  const mixer = new Mixer();
  mixer.push(1, level(5, 960), 'within');
  mixer.push(2, level(7), 'last');
  mixer.forget(1);
  mixer.forget(99);
  t.strictSame(pull(mixer), level(7));
  mixer.push(1, level(5), 'within');
  t.strictSame(pull(mixer), silence(), 'it waits again');
});

t.test('what is pushed is copied', async (t) => {
  const mixer = new Mixer();
  const memory = ramp(1, 5);
  mixer.push(1, memory, 'last');
  memory.fill(99);
  t.strictSame(pull(mixer, 5), ramp(1, 5));
});

t.test('options out of range are refused by name', async (t) => {
  const table: [options: MixerOptions, named: RegExp][] = [
    [{ playoutDelayMs: -1 }, /playoutDelayMs is -1/],
    [{ playoutDelayMs: 501, maxQueuedMs: 1000 }, /playoutDelayMs is 501/],
    [{ playoutDelayMs: Number.NaN }, /playoutDelayMs is NaN/],
    [{ playoutDelayMs: 200 }, /maxQueuedMs is 200/],
    [{ maxQueuedMs: 40 }, /maxQueuedMs is 40, expected above 40/],
    [{ maxQueuedMs: 5001 }, /maxQueuedMs is 5001/],
    [{ maxQueuedMs: Number.NaN }, /maxQueuedMs is NaN/],
  ];
  for (const [options, named] of table) {
    t.throws(() => new Mixer(options), { name: 'RangeError', message: named });
  }
});

t.test('over any history the queues do what plain lists do, wrap-around included', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  for (let history = 0; history < 60; history += 1) {
    const playoutDelayMs = random.below(4);
    const maxQueuedMs = playoutDelayMs + 1 + random.below(4);
    const mixer = new Mixer({ playoutDelayMs, maxQueuedMs });
    const model = new NaiveMixer(samplesOfMs(playoutDelayMs), samplesOfMs(maxQueuedMs));
    for (let step = 0; step < 200; step += 1) {
      const slot = random.below(3);
      const action = random.below(20);
      if (action === 0) {
        mixer.forget(slot);
        model.forget(slot);
      } else if (action < 11) {
        const pcm = Int16Array.from({ length: random.below(120) }, () => random.below(65_536) - 32_768);
        const position = random.below(5) === 0 ? 'last' : 'within';
        mixer.push(slot, pcm, position);
        model.push(slot, pcm, position);
      } else {
        const length = random.below(150);
        const heard = pull(mixer, length);
        const wanted = model.pull(length);
        if (heard.some((sample, at) => sample !== wanted[at])) t.fail(`history ${history}, step ${step}`);
      }
    }
    t.equal(mixer.droppedSamples, model.droppedSamples, `history ${history}`);
  }
});

/** A mixer in which slot 1 has priority and slot 2 has not; both are heard at once. */
function ducking(options: MixerOptions = {}): Mixer {
  const mixer = new Mixer({ playoutDelayMs: 0, maxQueuedMs: 2000, ...options });
  mixer.setPriority(1, 'priority');
  return mixer;
}

t.test(
  'while a priority speaker is heard the others are lowered by 12 dB, over 10 ms and without a step',
  async (t) => {
    const mixer = ducking();
    mixer.push(2, level(10_000, 4 * FRAME), 'within');
    t.strictSame(pull(mixer), level(10_000), 'untouched until then');
    mixer.push(1, level(0, FRAME), 'within');
    const lowered = pull(mixer);
    t.ok(lowered[0]! < 10_000 && lowered[0]! > 9960, `${lowered[0]} is the first`);
    for (let at = 1; at < FRAME; at += 1) {
      const step = lowered[at - 1]! - lowered[at]!;
      if (step < 0 || step > 40) t.fail(`a step of ${step} at ${at}`);
    }
    t.ok(lowered[238]! > 2512, 'it takes 10 ms');
    t.equal(lowered[240], 2512, '10 ms later it is 12 dB lower');
    t.equal(lowered[FRAME - 1], 2512);
  },
);

t.test('the others are raised again when nobody with priority was heard for 250 ms', async (t) => {
  const mixer = ducking();
  mixer.push(2, level(10_000, samplesOfMs(1000)), 'within');
  mixer.push(1, level(5, FRAME), 'last');
  pull(mixer);
  const behind = Array.from({ length: 14 }, () => pull(mixer));
  t.ok(
    behind.slice(0, 12).every((pcm) => pcm.every((sample) => sample === 2512)),
    '240 ms',
  );
  const raised = behind[12]!;
  for (let at = 1; at < FRAME; at += 1) {
    const step = raised[at]! - raised[at - 1]!;
    if (step < 0 || step > 40) t.fail(`a step of ${step} at ${at}`);
  }
  t.equal(raised[FRAME - 1], 10_000);
  t.strictSame(behind[13], level(10_000), 'as it was, to the bit');
});

t.test('a priority speaker is not lowered, not even by another one', async (t) => {
  const mixer = ducking();
  mixer.setPriority(3, 'priority');
  for (const [slot, value] of [
    [1, 1000],
    [2, 10_000],
    [3, 200],
  ] as const) {
    mixer.push(slot, level(value, 2 * FRAME), 'within');
  }
  pull(mixer);
  t.strictSame(pull(mixer), level(1000 + 2512 + 200));
});

t.test('a speaker who loses priority, or is forgotten, lowers nobody any more', async (t) => {
  for (const end of [(mixer: Mixer) => mixer.setPriority(1, 'none'), (mixer: Mixer) => mixer.forget(1)]) {
    const mixer = ducking();
    end(mixer);
    mixer.push(1, level(100), 'within');
    mixer.push(2, level(10_000), 'within');
    t.strictSame(pull(mixer), level(10_100));
  }
});

t.test('by how much is chosen: 0 dB changes nothing, 20 dB leaves a tenth', async (t) => {
  for (const [duckDb, value] of [
    [0, 10_000],
    [20, 1000],
  ] as const) {
    const mixer = ducking({ duckDb });
    mixer.push(1, level(0, 2 * FRAME), 'within');
    mixer.push(2, level(10_000, 2 * FRAME), 'within');
    pull(mixer);
    t.strictSame(pull(mixer), level(value));
  }
  for (const duckDb of [-1, 61, Number.NaN]) {
    t.throws(() => new Mixer({ duckDb }), {
      name: 'RangeError',
      message: `Cannot mix: duckDb is ${duckDb}, expected 0 to 60`,
    });
  }
});

/** The mixer, a list a speaker and a sample at a time. */
class NaiveMixer {
  readonly #queues = new Map<number, { samples: number[]; waited: number; isHeard: boolean }>();
  droppedSamples = 0;

  constructor(
    readonly playoutDelay: number,
    readonly capacity: number,
  ) {}

  push(slot: number, pcm: Int16Array, position: 'within' | 'last'): void {
    const queue = this.#queues.get(slot) ?? { samples: [], waited: 0, isHeard: false };
    this.#queues.set(slot, queue);
    queue.samples.push(...pcm);
    while (queue.samples.length > this.capacity) {
      queue.samples.shift();
      this.droppedSamples += 1;
    }
    if (queue.samples.length === 0) return;
    if (position === 'within' && queue.samples.length < this.playoutDelay) return;
    queue.isHeard = true;
    queue.waited = 0;
  }

  pull(length: number): number[] {
    const sums = new Array<number>(length).fill(0);
    for (const queue of this.#queues.values()) {
      if (!queue.isHeard) {
        if (queue.samples.length > 0) queue.waited += length;
        queue.isHeard = queue.waited >= Math.max(1, this.playoutDelay);
        if (queue.isHeard) queue.waited = 0;
        continue;
      }
      for (let at = 0; at < length && queue.samples.length > 0; at += 1) sums[at]! += queue.samples.shift()!;
      if (queue.samples.length === 0) queue.isHeard = false;
    }
    return sums.map((sum) => Math.max(-32_768, Math.min(32_767, sum)));
  }

  forget(slot: number): void {
    this.#queues.delete(slot);
  }
}

t.test(
  'one speaker too many gets the queue of the one who was silent for longest, which is counted',
  async (t) => {
    const mixer = new Mixer({ maxSpeakers: 2 });
    mixer.push(1, level(100), 'last');
    mixer.push(2, level(10), 'last');
    mixer.push(1, level(100), 'last');
    mixer.push(3, level(1), 'last');
    t.strictSame(pull(mixer), level(101), 'the second is not heard, and nothing of theirs in the third');
    t.match(mixer, { evictedSpeakers: 1, droppedSamples: FRAME });
  },
);

t.test('whoever names 65,536 slots gets no more than 64 queues', async (t) => {
  const mixer = new Mixer();
  const before = process.memoryUsage().arrayBuffers;
  for (let slot = 0; slot < 65_536; slot++) {
    mixer.setPriority(slot, 'priority');
    mixer.push(slot, level(1), 'last');
  }
  t.equal(mixer.evictedSpeakers, 65_536 - 64);
  t.strictSame(pull(mixer), level(64));
  const grown = process.memoryUsage().arrayBuffers - before;
  t.ok(grown < 64 * 2 ** 20, `${grown} bytes; without a bound it would be 629 MB`);
  for (const maxSpeakers of [0, 1001, 1.5])
    t.throws(() => new Mixer({ maxSpeakers }), { name: 'RangeError' });
});
