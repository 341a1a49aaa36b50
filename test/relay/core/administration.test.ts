/** What an administrator does and sees: lobbies that are kept, sanctions in all lobbies, and the drain. */

import t from 'tap';
import { Bench, deeds, frameOf, refusalOf, slotOf, steamIdOf, tellsOf } from '../kit.js';

t.test(
  'a lobby that an administrator opens is there with its channels, and stays when it is empty',
  async (t) => {
    const bench = new Bench();
    const { result } = bench.admin({
      kind: 'open-lobby',
      lobby: 'den',
      capacity: 2,
      channels: ['red', 'blue'],
    });
    t.same(result, { kind: 'done' });
    const state = {
      name: 'den',
      participants: 0,
      unlisted: 0,
      capacity: 2,
      kept: true,
      channels: [
        { number: 1, name: 'red' },
        { number: 2, name: 'blue' },
      ],
      members: [],
    };
    t.same(bench.relay.lobby('den'), state);
    bench.join(1);
    bench.text(1, { type: 'channels', channels: ['red', 'green'] });
    bench.join(2);
    t.equal(refusalOf(bench.join(3)), 'lobby-full', 'its capacity is its own');
    bench.text(1, { type: 'leave' });
    bench.text(2, { type: 'leave' });
    t.same(bench.relay.lobby('den'), state);
  },
);

t.test('when only administrators open lobbies, nobody else makes one', async (t) => {
  const bench = new Bench({}, { lobbies: 'by-admin' });
  t.equal(refusalOf(bench.join(1)), 'lobby-unknown');
  bench.admin({ kind: 'open-lobby', lobby: 'den' });
  t.equal(slotOf(bench.join(2)), 0);
});

t.test('closing a lobby kicks everybody, including those who are away, and removes it', async (t) => {
  const bench = new Bench();
  bench.admin({ kind: 'open-lobby', lobby: 'den' });
  for (const account of [1, 2, 3]) bench.join(account);
  bench.close(3);
  const { result, outputs } = bench.admin({ kind: 'close-lobby', lobby: 'den' });
  t.same(result, { kind: 'done' });
  const closed = outputs.flatMap((it) => (it.kind === 'close' ? [[it.connection, it.code]] : []));
  t.same(closed, [
    [1, 4017],
    [2, 4017],
  ]);
  t.match(bench.relay.counts(), { lobbies: 0, participants: 0, away: 0, connections: 0 });
  const ends = outputs.filter((it) => it.kind === 'event' && it.event.kind === 'lobby-closed');
  t.equal(ends.length, 1, 'it ends once');
});

t.test('a failed command returns its code', async (t) => {
  const bench = new Bench({ lobbies: 1 });
  bench.join(1);
  const steamId = steamIdOf(9);
  t.match(bench.admin({ kind: 'open-lobby', lobby: 'den' }).result, { kind: 'failed', code: 'lobby-exists' });
  t.match(bench.admin({ kind: 'open-lobby', lobby: 'attic' }).result, { code: 'relay-full' });
  t.match(bench.admin({ kind: 'close-lobby', lobby: 'attic' }).result, { code: 'lobby-unknown' });
  const kick = { kind: 'moderate', lobby: null, moderation: { steamId, action: 'kick' } } as const;
  t.match(bench.admin(kick).result, { code: 'participant-unknown' });
});

t.test('an invalid capacity or too many channels are misuse', async (t) => {
  const bench = new Bench({ channelsPerLobby: 1 });
  for (const unlisted of [-1, 15_001, 0.5]) {
    t.throws(() => bench.admin({ kind: 'open-lobby', lobby: 'den', unlisted }), RangeError);
  }
  for (const capacity of [0, 501, 1.5, Number.NaN]) {
    t.throws(() => bench.admin({ kind: 'open-lobby', lobby: 'den', capacity }), RangeError);
  }
  t.throws(() => bench.admin({ kind: 'open-lobby', lobby: 'den', channels: ['red', 'blue'] }), RangeError);
  t.equal(bench.relay.lobby('den'), null);
});

t.test('a mute in all lobbies applies in each, now and later, and is lifted in all', async (t) => {
  const bench = new Bench();
  const steamId = steamIdOf(1);
  bench.join(1);
  bench.admit(1, { lobby: 'attic' }, 11);
  bench.moderate(null, { steamId, action: 'mute' });
  bench.admit(1, { lobby: 'cellar' }, 12);
  for (const connection of [1, 11, 12]) t.match(bench.voice(connection, frameOf(1)), { reason: 'muted' });
  bench.moderate('den', { steamId, action: 'unmute' });
  t.match(bench.voice(1, frameOf(1)), { reason: 'muted' }, 'one lobby alone does not lift it');
  bench.moderate(null, { steamId, action: 'unmute' });
  for (const connection of [1, 11, 12]) t.equal(bench.voice(connection, frameOf(1)).kind, 'forward');
});

t.test('a ban from all lobbies kicks a player from each, and from later ones', async (t) => {
  const bench = new Bench();
  const steamId = steamIdOf(1);
  bench.join(1);
  bench.admit(1, { lobby: 'attic' }, 11);
  const outputs = bench.moderate(null, { steamId, action: 'ban' });
  t.equal(outputs.filter(({ kind }) => kind === 'close').length, 2);
  t.equal(refusalOf(bench.admit(1, { lobby: 'cellar' }, 12)), 'banned');
});

t.test('an absent player can be muted in a lobby that does not exist yet', async (t) => {
  const bench = new Bench();
  bench.moderate('den', { steamId: steamIdOf(1), action: 'mute' });
  bench.join(1);
  t.match(bench.voice(1, frameOf(1)), { reason: 'muted' });
});

t.test('a drain tells every participant the time and where to go', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2, 'attic');
  bench.connect(3);
  bench.join(4);
  bench.close(4);
  const drain = (goTo: string | null) =>
    tellsOf(bench.relay.handle({ kind: 'drain', withinMs: 5000, goTo }, bench.now));
  t.same(drain('wss://b.example/'), [
    [[1, 2], { type: 'draining', withinMs: 5000, goTo: 'wss://b.example/' }],
  ]);
  t.same(drain(null), [[[1, 2], { type: 'draining', withinMs: 5000 }]]);
  t.equal(bench.voice(1, frameOf(1)).kind, 'forward', 'and they can still talk');
});

t.test('a drain of an empty relay tells nobody', async (t) => {
  t.same(deeds(new Bench().relay.handle({ kind: 'drain', withinMs: 0, goTo: null }, 1000)), []);
});
