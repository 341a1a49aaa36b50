/** Which frames of a speaker are too late to be published: docs/protocol.md, "Late speakers". */

import t from 'tap';
import { Lateness } from '../../../../relay/core/staleness/lateness.js';
import { samplesOfMs } from '../../../../voice/units.js';
import { fields } from '../../kit.js';

/** A speaker whose frames come after these ms; a frame was said `saidAt`, and comes at once unless told otherwise. */
class Speaker {
  readonly #lateness = new Lateness(150);

  says(saidAt: number, { comesAt = saidAt, marker = false } = {}): 'in-time' | 'stale' {
    const timestamp = samplesOfMs(saidAt) >>> 0;
    return this.#lateness.judge(fields({ timestamp, marker }), comesAt);
  }

  /** Frames of 20 ms, as they are said. */
  talks(from: number, to: number): string[] {
    const judged: string[] = [];
    for (let at = from; at < to; at += 20) judged.push(this.says(at));
    return judged;
  }
}

t.test('who speaks steadily loses nothing, also across the wrap of the timestamp', async (t) => {
  const speaker = new Speaker();
  const wrap = 2 ** 32 / 24;
  t.same([...new Set(speaker.talks(wrap - 60_000, wrap + 60_000))], ['in-time']);
});

t.test('pauses change nothing, however long', async (t) => {
  const speaker = new Speaker();
  for (const from of [0, 10_000, 3_600_000]) {
    t.same([...new Set(speaker.talks(from, from + 2000))], ['in-time']);
  }
});

t.test('what a stalled network brings at last is not published, what is said then is', async (t) => {
  const speaker = new Speaker();
  speaker.talks(0, 10_000);
  const judged: string[] = [];
  for (let at = 10_000; at < 30_000; at += 20) judged.push(speaker.says(at, { comesAt: 30_000 }));
  t.equal(judged.indexOf('in-time'), 993, 'only the last 150 ms');
  t.same([...new Set(judged.slice(993))], ['in-time']);
  t.same([...new Set(speaker.talks(30_000, 40_000))], ['in-time']);
});

t.test('voice activation may begin with 400 ms that were said before', async (t) => {
  const speaker = new Speaker();
  speaker.talks(0, 10_000);
  const preroll: string[] = [];
  for (let at = 19_600; at < 20_000; at += 20) {
    preroll.push(speaker.says(at, { comesAt: 20_000, marker: at === 19_600 }));
  }
  t.same([...new Set(preroll)], ['in-time']);
  t.equal(speaker.says(20_000, { comesAt: 20_300 }), 'stale', 'after it the budget counts again');
});
