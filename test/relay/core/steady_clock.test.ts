/** The clock that sanctions end by, while the machine's jumps. */

import t from 'tap';
import { SteadyClock } from '../../../relay/core/steady_clock.js';
import { Bench, frameOf, refusalOf, steamIdOf } from '../kit.js';

const HOUR_MS = 3_600_000;
const YEAR_S = 31_557_600;

t.test('it follows the machine’s clock, and small steps ahead at once', async (t) => {
  const clock = new SteadyClock();
  t.equal(clock.read(0, 1000), 1000);
  t.equal(clock.read(500, 1001), 1001);
  t.equal(clock.read(1000, 1061), 1061);
});

t.test('it follows the machine’s clock back', async (t) => {
  const clock = new SteadyClock();
  clock.read(0, 5000);
  t.equal(clock.read(1000, 10), 10);
  t.equal(clock.read(2000, 11), 11);
});

t.test(
  'while the machine’s clock is ahead, time passes steadily, and after an hour it is believed',
  async (t) => {
    const clock = new SteadyClock();
    clock.read(0, 1000);
    t.equal(clock.read(1000, 1000 + YEAR_S), 1001);
    t.equal(clock.read(HOUR_MS, 5000 + YEAR_S), 4600);
    t.equal(clock.read(HOUR_MS + 1000, 5001 + YEAR_S), 5001 + YEAR_S);
  },
);

t.test('a jump that is undone starts the hour again', async (t) => {
  const clock = new SteadyClock();
  clock.read(0, 1000);
  clock.read(1000, 1000 + YEAR_S);
  clock.read(HOUR_MS, 4600);
  t.equal(clock.read(HOUR_MS + 1000, 5000 + YEAR_S), 4601);
});

t.test('a clock that jumps ahead for half an hour ends no sanction', async (t) => {
  const bench = new Bench();
  bench.moderate('den', { steamId: steamIdOf(1), action: 'ban', seconds: 86_400 });
  bench.moderate('den', { steamId: steamIdOf(2), action: 'mute' });
  bench.join(2);
  bench.unixSeconds += 10 * YEAR_S;
  bench.pass(1800);
  t.equal(refusalOf(bench.join(1)), 'banned');
  t.match(bench.voice(2, frameOf(2)), { reason: 'muted' });
  bench.unixSeconds -= 10 * YEAR_S;
  bench.pass(1);
  bench.close(1);
  t.equal(refusalOf(bench.join(1)), 'banned');
  t.match(bench.voice(2, frameOf(2)), { reason: 'muted' });
  t.equal(bench.relay.counts().sanctions, 2);
});

t.test('a sanction that a wrong clock did end applies again as soon as the clock is right', async (t) => {
  const bench = new Bench();
  bench.moderate('den', { steamId: steamIdOf(1), action: 'ban', seconds: 864_000 });
  bench.moderate('den', { steamId: steamIdOf(2), action: 'mute', seconds: 864_000 });
  bench.join(2);
  bench.unixSeconds += 10 * YEAR_S;
  bench.pass(1);
  bench.pass(3600);
  t.equal(refusalOf(bench.join(1)), null, 'after an hour it is believed');
  t.equal(bench.voice(2, frameOf(2)).kind, 'forward');
  bench.unixSeconds -= 10 * YEAR_S;
  t.equal(refusalOf(bench.pass(1)), 'banned', 'a player who joined in between is kicked');
  t.match(bench.voice(2, frameOf(2)), { reason: 'muted' });
  t.match(bench.relay.sanctions(), [{ banned: Number }, { muted: Number }]);
});

t.test('a relay that starts with its clock ahead deletes no records', async (t) => {
  const before = new Bench();
  before.moderate('den', { steamId: steamIdOf(1), action: 'ban', seconds: 864_000 });
  const after = new Bench({}, {}, before.relay.sanctions());
  after.unixSeconds += 10 * YEAR_S;
  const outputs = after.pass(1);
  t.notOk(outputs.some(({ kind }) => kind === 'keep'));
  t.equal(refusalOf(after.join(1)), null, 'it does not hold while the clock says so');
  after.unixSeconds -= 10 * YEAR_S;
  t.equal(refusalOf(after.pass(1)), 'banned');
});
