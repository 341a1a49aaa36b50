/** A player gets as much sound as it plays, in even blocks, and nothing piles up. */

import t from 'tap';
import { BLOCK, LEAD_MS, PlayPacer } from '../../../cli/sound/play_pacer.js';
import { Restarts } from '../../../cli/sound/restarts.js';

/** Gives what is due; the instants of its blocks. */
function give(pacer: PlayPacer, now: number): number[] {
  const instants: number[] = [];
  for (let at = pacer.next(now); at !== null; at = pacer.next(now)) instants.push(at);
  return instants;
}

t.test('by the clock: a lead at once, then real time', async (t) => {
  const pacer = new PlayPacer(1000, 'clock');
  t.equal(give(pacer, 1000).length, LEAD_MS / 5);
  t.strictSame(give(pacer, 1004), []);
  t.equal(give(pacer, 1005).length, 1);
  t.equal(give(pacer, 1030).length, 5);
  t.equal(pacer.leftOut, 0);
});

t.test('a late timer gives the blocks that are due, each at the instant when it was due', async (t) => {
  const pacer = new PlayPacer(0, 'clock');
  give(pacer, 0);
  t.strictSame(give(pacer, 5), [5]);
  t.strictSame(give(pacer, 42), [10, 15, 20, 25, 30, 35, 40]);
  t.strictSame(give(pacer, 45), [45]);
});

t.test('what is more than 100 ms late is left out and counted', async (t) => {
  const pacer = new PlayPacer(0, 'clock');
  give(pacer, 0);
  t.equal(give(pacer, 20_000).length, 20);
  t.equal(pacer.leftOut, (20_000 / 5 - 20) * BLOCK);
});

t.test('by reports: the pace is that of the player, however its clock differs', async (t) => {
  const pacer = new PlayPacer(0, 'reports');
  const speed = 0.999;
  let given = 0;
  for (let now = 0; now <= 600_000; now += 5) {
    // It begins after 200 ms, and reports every 50 ms, some ms off.
    const played = Math.max(0, (now - 200) * speed);
    if (now % 50 === 0) pacer.reported(played === 0 ? 0 : played + ((now / 50) % 3), now);
    given += give(pacer, now).length;
    const aheadMs = given * 5 - played;
    if (now > 1000 && (aheadMs < LEAD_MS - 12 || aheadMs > LEAD_MS + 12)) {
      t.fail(`${aheadMs} ms ahead at ${now}`);
      return;
    }
  }
  // By the clock it would have been 600 ms ahead by now.
  t.equal(pacer.leftOut, 0);
});

t.test('a player that has not begun, or stopped, is given no more than its lead', async (t) => {
  const pacer = new PlayPacer(0, 'reports');
  let given = 0;
  for (let now = 0; now < 60_000; now += 5) given += give(pacer, now).length;
  t.equal(given * 5, LEAD_MS);
  pacer.reported(40, 60_000);
  given += give(pacer, 60_000).length;
  for (let now = 60_005; now < 120_000; now += 5) given += give(pacer, now).length;
  t.ok(given * 5 <= LEAD_MS + 40 + 500, `${given * 5} ms were given`);
});

t.test('instants never go back when the pace is corrected', async (t) => {
  const pacer = new PlayPacer(0, 'reports');
  let last = Number.NEGATIVE_INFINITY;
  for (let now = 0; now < 5000; now += 5) {
    if (now % 50 === 0) pacer.reported(Math.max(0, now - 100 + (now > 2000 ? 200 : 0)), now);
    for (const at of give(pacer, now)) {
      if (at < last || at > now) t.fail(`${at} after ${last}, at ${now}`);
      last = at;
    }
  }
});

t.test(
  'a tool is started again at once, then after growing waits, and again at once after it worked',
  async (t) => {
    const restarts = new Restarts();
    t.strictSame(
      [0, 0, 0, 0, 0, 0, 0].map((workedMs) => restarts.ended(workedMs)),
      [250, 500, 1000, 2000, 4000, 5000, 5000],
    );
    t.equal(restarts.ended(1000), 5000);
    t.equal(restarts.ended(6000), 250);
  },
);
