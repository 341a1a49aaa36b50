/** The budget of requests: its rate, its burst, its day, and that nobody waits longer than they would. */

import t from 'tap';
import { BURST_S, RequestBudget } from '../../../../relay/admission/steam_web/request_budget.js';

const HOUR_MS = 3_600_000;

t.test(
  'a burst is granted at once, then each request waits for its turn, and is refused if it would wait too long',
  (t) => {
    const budget = new RequestBudget({ perSecond: 10, perDay: 1e6 });
    const waits = Array.from({ length: 10 * BURST_S + 3 }, () => budget.reserve(5000, 250));
    const granted = waits.map((answer) => (answer.kind === 'granted' ? answer.waitMs : answer.reason));
    t.same(
      granted.slice(0, 10 * BURST_S),
      Array.from({ length: 10 * BURST_S }, () => 0),
    );
    t.same(granted.slice(10 * BURST_S), [100, 200, 'rate-budget-spent']);
    t.same(budget.reserve(5200, 250), { kind: 'granted', waitMs: 100 }, 'what was refused cost nothing');
    t.end();
  },
);

t.test('no 24 hours have more than the daily budget, wherever they begin', (t) => {
  const perDay = 1000;
  const budget = new RequestBudget({ perSecond: 1, perDay });
  const sent: number[] = [];
  for (let now = 123_456; now < 80 * HOUR_MS; now += 20_000)
    if (budget.reserve(now, 0).kind === 'granted') sent.push(now);
  let most = 0;
  for (let end = 0, start = 0; end < sent.length; end++) {
    while (sent[end]! - sent[start]! >= 24 * HOUR_MS) start += 1;
    most = Math.max(most, end - start + 1);
  }
  t.equal(most, perDay);
  t.ok(sent.length >= 3 * perDay, `${sent.length} in 80 hours`);
  t.end();
});

t.test('a spent daily budget is reported as such, and is available again after 25 hours at most', (t) => {
  const budget = new RequestBudget({ perSecond: 1000, perDay: 2 });
  for (const answer of ['granted', 'granted', 'spent']) t.equal(budget.reserve(0, 0).kind, answer);
  t.same(budget.reserve(HOUR_MS, 0), { kind: 'spent', reason: 'daily-budget-spent' });
  t.equal(budget.lastDay(24 * HOUR_MS), 2);
  t.equal(budget.reserve(25 * HOUR_MS, 0).kind, 'granted');
  t.equal(budget.lastDay(25 * HOUR_MS), 1);
  t.end();
});
