/** The memory of mutes, deafenings and bans: by whom, where and until when, within its bound, and kept. */

import t from 'tap';
import {
  BY_ADMIN,
  isAnything,
  type Sanction,
  type SanctionKind,
  Sanctions,
  type SetSanction,
  type Until,
} from '../../../relay/core/sanctions.js';
import { Bench, frameOf, refusalOf, steamIdOf } from '../kit.js';

const record = (steamId: string, changed: Partial<Sanction> = {}): Sanction => ({
  lobby: 'den',
  steamId,
  muted: 'not',
  deafened: 'not',
  banned: 'not',
  by: BY_ADMIN,
  ...changed,
});

const FORGOTTEN = { by: null };
const DAY_MS = 86_400_000;

/** What is to be kept of it; throws when it is not done. */
function kept(set: SetSanction): readonly Sanction[] {
  if (set.kind === 'full') throw new Error(set.detail);
  return set.keep;
}

/** An administrator sets it. */
function setBy(
  sanctions: Sanctions,
  lobby: string | null,
  steamId: string,
  kind: SanctionKind,
  until: Until,
  by = BY_ADMIN,
): readonly Sanction[] | 'full' {
  const set = sanctions.set(lobby, steamId, kind, until, by);
  return set.kind === 'full' ? 'full' : kept(set);
}

t.test('the sanctions of a lobby are those set there or everywhere', async (t) => {
  const sanctions = new Sanctions(10);
  setBy(sanctions, 'den', '1', 'muted', 'always');
  setBy(sanctions, null, '1', 'deafened', 100);
  t.same(sanctions.of('den', '1', 99), { muted: true, deafened: true, banned: false });
  t.same(sanctions.of('attic', '1', 99), { muted: false, deafened: true, banned: false });
  t.same(sanctions.of('den', '1', 100), { muted: true, deafened: false, banned: false }, 'until then');
  t.same(sanctions.of('den', '2', 99), { muted: false, deafened: false, banned: false });
});

t.test('no name of a lobby can match the sanctions of another, or of everywhere', async (t) => {
  const sanctions = new Sanctions(10);
  for (const lobby of ['', ' ', '1', '2 1', ' den', 'den ']) setBy(sanctions, lobby, '1', 'muted', 'always');
  t.notOk(sanctions.of('den', '1', 0).muted);
  t.notOk(sanctions.of('x', '2', 0).muted);
  t.equal(sanctions.size, 6);
});

t.test('each kind is set separately, and an empty record is forgotten', async (t) => {
  const sanctions = new Sanctions(10);
  setBy(sanctions, 'den', '1', 'muted', 50);
  t.same(setBy(sanctions, 'den', '1', 'banned', 'always'), [record('1', { muted: 50, banned: 'always' })]);
  t.same(setBy(sanctions, 'den', '1', 'muted', 'not'), [record('1', { banned: 'always' })]);
  const last = setBy(sanctions, 'den', '1', 'banned', 'not');
  t.same(last, [record('1')]);
  t.notOk(last !== 'full' && last.some(isAnything));
  t.equal(sanctions.size, 0);
});

t.test('an ended kind no longer applies, is reported once, and leaves the others', async (t) => {
  const sanctions = new Sanctions(10);
  setBy(sanctions, 'den', '1', 'muted', 50);
  setBy(sanctions, 'den', '1', 'deafened', 80);
  setBy(sanctions, 'den', '2', 'banned', 60);
  setBy(sanctions, 'den', '3', 'banned', 'always');
  const changed = (unixSeconds: number) => {
    const { changed, keep } = sanctions.expire(unixSeconds, 0);
    t.same(keep, [], 'nothing is forgotten yet');
    return [...changed];
  };
  t.same(changed(49), []);
  t.same(changed(60), ['1', '2']);
  t.same(changed(60), []);
  t.same(sanctions.list(), [record('1', { deafened: 80 }), record('3', { banned: 'always' })]);
  t.same(changed(1e9), ['1']);
  t.same(sanctions.list(), [record('3', { banned: 'always' })]);
  t.equal(sanctions.size, 1);
});

t.test('an ended sanction is forgotten after a day of running, whatever the clock says', async (t) => {
  const sanctions = new Sanctions(10);
  setBy(sanctions, 'den', '1', 'muted', 50);
  sanctions.expire(1e9, 0);
  t.same(sanctions.expire(2e9, DAY_MS - 1).keep, []);
  t.same(sanctions.expire(2e9, DAY_MS).keep, [record('1', FORGOTTEN)]);
  t.same(sanctions.expire(2e9, 2 * DAY_MS).keep, []);
});

t.test('a sanction that a wrong clock ended applies again when the clock is right', async (t) => {
  const sanctions = new Sanctions(10);
  setBy(sanctions, 'den', '1', 'muted', 50);
  setBy(sanctions, 'den', '2', 'banned', 'always');
  sanctions.expire(10, 0);
  t.same([...sanctions.expire(1e9, 1).changed], ['1']);
  t.equal(sanctions.size, 1);
  t.equal(sanctions.expire(11, 2).changed, 'everybody');
  t.ok(sanctions.of('den', '1', 11).muted);
  t.equal(sanctions.size, 2);
  t.same([...sanctions.expire(50, 3).changed], ['1'], 'and ends in time');
});

t.test('ended sanctions are dropped first, and are changed as if they did not exist', async (t) => {
  const sanctions = new Sanctions(2);
  setBy(sanctions, 'den', '1', 'muted', 50);
  setBy(sanctions, 'den', '2', 'muted', 50);
  sanctions.expire(60, 0);
  t.equal(sanctions.size, 0);
  t.same(setBy(sanctions, 'den', '3', 'banned', 'always'), [
    record('1', FORGOTTEN),
    record('3', { banned: 'always' }),
  ]);
  t.same(setBy(sanctions, 'den', '2', 'banned', 90), [record('2', { muted: 50, banned: 90 })]);
  t.equal(setBy(sanctions, 'den', '4', 'banned', 90), 'full');
  setBy(sanctions, 'den', '2', 'banned', 'not');
  t.equal(sanctions.size, 1, 'of which only what has ended is left');
});

t.test(
  'one moderator, one lobby and all moderators have their shares, and administrators the rest',
  async (t) => {
    const sanctions = new Sanctions(1000);
    const set = (lobby: string, account: number, by: string) =>
      sanctions.set(lobby, String(account), 'banned', 'always', by);
    const done = (count: number, one: (n: number) => SetSanction) =>
      Array.from({ length: count }, (_, n) => one(n)).filter(({ kind }) => kind === 'set').length;
    t.equal(
      done(200, (n) => set(`lobby ${n}`, n, 'ann')),
      100,
      'one moderator, in however many lobbies',
    );
    t.match(set('attic', 5000, 'ann'), {
      detail: 'you have 100 people under sanctions, expected at most 100',
    });
    t.equal(
      done(200, (n) => set('den', 1000 + n, `mod ${n}`)),
      100,
      'one lobby, by however many moderators',
    );
    t.match(set('den', 5000, 'bob'), { detail: /^the lobby has 100 people/ });
    t.equal(
      done(1000, (n) => set(`hall ${n >> 3}`, 2000 + n, `chair ${n >> 3}`)),
      700,
      'nine tenths in all',
    );
    t.match(set('cellar', 5000, 'cyd'), { detail: /^moderators have 900 people/ });
    t.match(sanctions.counts(), {
      sanctions: 900,
      sanctionsByModerators: 900,
      sanctionsByModeratorsMost: 900,
    });
    t.equal(
      done(200, (n) => set('den', 6000 + n, BY_ADMIN)),
      100,
    );
    t.match(set('den', 7000, BY_ADMIN), { detail: /^the relay has 1000 people/ });
  },
);

t.test(
  'a changed sanction counts for the administrator who changed it, but not for another moderator',
  async (t) => {
    const sanctions = new Sanctions(100);
    const set = (account: number, by: string, until: Until = 'always') =>
      kept(sanctions.set('den', String(account), 'banned', until, by))[0]?.by;
    t.equal(set(1, 'ann'), 'ann');
    t.equal(set(1, 'bob'), 'ann');
    t.equal(set(1, BY_ADMIN), BY_ADMIN);
    t.equal(set(1, 'ann'), BY_ADMIN);
    t.equal(sanctions.counts().sanctionsByModerators, 0);
    for (let account = 2; account <= 11; account += 1) set(account, 'ann');
    t.equal(sanctions.set('attic', '99', 'banned', 'always', 'ann').kind, 'full');
    set(2, 'bob', 'not');
    t.equal(
      sanctions.set('attic', '99', 'banned', 'always', 'ann').kind,
      'set',
      'what is lifted is free again',
    );
  },
);

t.test('a record of an older relay counts for its lobby, or for administrators', async (t) => {
  const sanctions = new Sanctions(100, [
    record('1', { muted: 'always', by: null }),
    record('2', { lobby: null, muted: 'always', by: null }),
  ]);
  t.match(sanctions.counts(), { sanctions: 2, sanctionsByModerators: 1 });
});

t.test('when it is full nobody is added, but existing records can be changed and lifted', async (t) => {
  const sanctions = new Sanctions(1);
  setBy(sanctions, 'den', '1', 'muted', 'always');
  t.equal(setBy(sanctions, 'den', '2', 'muted', 'always'), 'full');
  t.equal(setBy(sanctions, null, '1', 'muted', 'always'), 'full');
  t.not(setBy(sanctions, 'den', '1', 'banned', 'always'), 'full');
  t.not(setBy(sanctions, 'den', '2', 'muted', 'not'), 'full', 'a record of nothing needs no room');
  for (const kind of ['muted', 'banned'] as const) setBy(sanctions, 'den', '1', kind, 'not');
  t.not(setBy(sanctions, 'den', '2', 'muted', 'always'), 'full');
});

t.test('restored records make the same state; beyond the bound the first are forgotten', async (t) => {
  const records = [record('1', { muted: 'always' }), record('2', { banned: 70 }), record('3')];
  t.same(new Sanctions(10, records).list(), records.slice(0, 2));
  t.same(new Sanctions(1, records).list(), records.slice(1, 2));
  t.same([...new Sanctions(10, records).expire(70, 0).changed], ['2'], 'and end in time');
  const twice = [record('1', { muted: 'always' }), record('1', { banned: 'always' })];
  t.same(new Sanctions(10, twice).list(), twice.slice(1), 'the last counts');
});

t.test('a relay restarted with its records lifts no sanction', async (t) => {
  const before = new Bench();
  before.moderate('den', { steamId: steamIdOf(1), action: 'mute' });
  before.moderate(null, { steamId: steamIdOf(2), action: 'ban' });
  const after = new Bench({}, {}, before.relay.sanctions());
  after.join(1);
  t.match(after.voice(1, frameOf(1)), { reason: 'muted' });
  t.equal(refusalOf(after.join(2)), 'banned');
  t.equal(after.relay.counts().sanctions, 2);
});
