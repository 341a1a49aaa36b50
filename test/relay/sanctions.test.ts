/** The memory of mutes, deafenings and bans: by whom, where and until when, within its bound, and kept. */

import t from 'tap';
import { isAnything, type Sanction, Sanctions } from '../../relay/sanctions.js';
import { Bench, frameOf, refusalOf, steamIdOf } from './kit.js';

const record = (steamId: string, changed: Partial<Sanction> = {}): Sanction => ({
  lobby: 'den',
  steamId,
  muted: 'not',
  deafened: 'not',
  banned: 'not',
  ...changed,
});

t.test('what holds in a lobby is what was set there or everywhere', async (t) => {
  const sanctions = new Sanctions(10);
  sanctions.set('den', '1', 'muted', 'always');
  sanctions.set(null, '1', 'deafened', 100);
  t.same(sanctions.of('den', '1', 99), { muted: true, deafened: true, banned: false });
  t.same(sanctions.of('attic', '1', 99), { muted: false, deafened: true, banned: false });
  t.same(sanctions.of('den', '1', 100), { muted: true, deafened: false, banned: false }, 'until then');
  t.same(sanctions.of('den', '2', 99), { muted: false, deafened: false, banned: false });
});

t.test('no name of a lobby makes the sanction of another, or of everywhere', async (t) => {
  const sanctions = new Sanctions(10);
  for (const lobby of ['', ' ', '1', '2 1', ' den', 'den ']) sanctions.set(lobby, '1', 'muted', 'always');
  t.notOk(sanctions.of('den', '1', 0).muted);
  t.notOk(sanctions.of('x', '2', 0).muted);
  t.equal(sanctions.size, 6);
});

t.test('one kind is set without the others, and a record of nothing is forgotten', async (t) => {
  const sanctions = new Sanctions(10);
  sanctions.set('den', '1', 'muted', 50);
  t.same(sanctions.set('den', '1', 'banned', 'always'), record('1', { muted: 50, banned: 'always' }));
  t.same(sanctions.set('den', '1', 'muted', 'not'), record('1', { banned: 'always' }));
  const last = sanctions.set('den', '1', 'banned', 'not');
  t.same(last, record('1'));
  t.notOk(last !== 'full' && isAnything(last));
  t.equal(sanctions.size, 0);
});

t.test('what has ended is taken out, once, and the rest of it stays', async (t) => {
  const sanctions = new Sanctions(10);
  sanctions.set('den', '1', 'muted', 50);
  sanctions.set('den', '1', 'deafened', 80);
  sanctions.set('den', '2', 'banned', 60);
  sanctions.set('den', '3', 'banned', 'always');
  t.same(sanctions.expire(49), []);
  t.same(sanctions.expire(60), [record('1', { deafened: 80 }), record('2')]);
  t.same(sanctions.expire(60), []);
  t.same(sanctions.expire(1e9), [record('1')]);
  t.same(sanctions.list(), [record('3', { banned: 'always' })]);
});

t.test('when it is full nobody new is added, and those who are there can be changed and freed', async (t) => {
  const sanctions = new Sanctions(1);
  sanctions.set('den', '1', 'muted', 'always');
  t.equal(sanctions.set('den', '2', 'muted', 'always'), 'full');
  t.equal(sanctions.set(null, '1', 'muted', 'always'), 'full');
  t.not(sanctions.set('den', '1', 'banned', 'always'), 'full');
  t.not(sanctions.set('den', '2', 'muted', 'not'), 'full', 'what sets nothing wants no room');
  for (const kind of ['muted', 'banned'] as const) sanctions.set('den', '1', kind, 'not');
  t.not(sanctions.set('den', '2', 'muted', 'always'), 'full');
});

t.test('records put back in make the same state; beyond the bound the first are forgotten', async (t) => {
  const kept = [record('1', { muted: 'always' }), record('2', { banned: 70 }), record('3')];
  t.same(new Sanctions(10, kept).list(), kept.slice(0, 2));
  t.same(new Sanctions(1, kept).list(), kept.slice(1, 2));
  t.same(new Sanctions(10, kept).expire(70), [record('2')], 'and end in time');
  const twice = [record('1', { muted: 'always' }), record('1', { banned: 'always' })];
  t.same(new Sanctions(10, twice).list(), twice.slice(1), 'the last counts');
});

t.test('a relay that begins anew with what was kept lets nobody off', async (t) => {
  const before = new Bench();
  before.moderate('den', { steamId: steamIdOf(1), action: 'mute' });
  before.moderate(null, { steamId: steamIdOf(2), action: 'ban' });
  const after = new Bench({}, {}, before.relay.sanctions());
  after.join(1);
  t.match(after.voice(1, frameOf(1)), { reason: 'muted' });
  t.equal(refusalOf(after.join(2)), 'banned');
  t.equal(after.relay.counts().sanctions, 2);
});
