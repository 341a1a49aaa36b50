/** Shares of the relay: what guests, absent players and one address may take, so that others still find a place. */

import t from 'tap';
import type { Hello } from '../../../../relay/core/joining/hello.js';
import { Bench, deeds, refusalOf, resumeSecretOf, slotOf, steamIdOf, tellsOf } from '../../kit.js';

const GUEST: Hello = { type: 'hello', versions: [1], lobby: 'den', name: 'guest' };

let connections = 1000;

/** A guest joins from this address; the refusal, or null. */
function guest(bench: Bench, lobby: string, address: string | null = null): string | null {
  connections += 1;
  bench.connect(connections, address);
  return refusalOf(bench.text(connections, { ...GUEST, lobby }));
}

/** A player with a credential joins from this address. */
function player(bench: Bench, account: number, lobby: string, address: string | null, granted: object = {}) {
  return bench.admit(account, { lobby, ...granted }, ++connections, address);
}

t.test('a guest keeps no place while away, and gets no resume secret', async (t) => {
  const bench = new Bench({}, { guests: 'speak' });
  bench.join(1);
  bench.connect(2);
  const welcome = tellsOf(bench.text(2, GUEST))[0]![1];
  t.notOk('resume' in welcome);
  t.match(deeds(bench.close(2)), [{ kind: 'tell', connections: [1], message: { type: 'left', slot: 1 } }]);
  t.match(bench.relay.counts(), { participants: 1, away: 0 });
});

t.test('four addresses whose players join and break away leave lobbies for others', async (t) => {
  const bench = new Bench({}, { guests: 'speak' });
  let lobbies = 0;
  for (let account = 1; account <= 1200; account += 1) {
    const address = `192.0.2.${account % 4}`;
    if (refusalOf(player(bench, account, `lobby ${account}`, address)) === null) lobbies += 1;
    bench.close(connections);
  }
  t.equal(lobbies, 4 * 32);
  t.equal(bench.relay.counts().refusals['address-full'], 1200 - 4 * 32);
  t.equal(refusalOf(player(bench, 5000, 'another', '198.51.100.1')), null);
});

t.test('four addresses of guests who join and break away keep no lobby at all', async (t) => {
  const bench = new Bench({}, { guests: 'speak' });
  for (let count = 0; count < 1200; count += 1) {
    guest(bench, `lobby ${count}`, `192.0.2.${count % 4}`);
    bench.close(connections);
  }
  t.match(bench.relay.counts(), { lobbies: 0, participants: 0 });
});

t.test('guests take at most half of the lobbies, from any number of addresses', async (t) => {
  const bench = new Bench({}, { guests: 'speak' });
  const refusals = Array.from({ length: 1000 }, (_, count) =>
    guest(bench, `lobby ${count}`, `address ${count}`),
  );
  t.equal(refusals.filter((code) => code === null).length, 500);
  t.equal(bench.relay.counts().refusals['guests-full'], 500);
  t.equal(refusalOf(player(bench, 1, 'another', null)), null);
  t.equal(guest(bench, 'lobby 1'), null, 'a lobby that is there takes guests on');
});

t.test('64 guests leave a quarter of a lobby to players with a credential', async (t) => {
  const bench = new Bench({}, { guests: 'speak' });
  const refusals = Array.from({ length: 64 }, () => guest(bench, 'den'));
  t.equal(refusals.filter((code) => code === null).length, 48);
  t.ok(refusals.slice(48).every((code) => code === 'guests-full'));
  for (let account = 1; account <= 16; account += 1) {
    t.equal(refusalOf(player(bench, account, 'den', null)), null);
  }
  t.equal(refusalOf(player(bench, 17, 'den', null)), 'lobby-full');
});

t.test('guests take at most three quarters of all places', async (t) => {
  const bench = new Bench({ participants: 8 }, { guests: 'speak' });
  bench.join(1);
  const refusals = Array.from({ length: 7 }, () => guest(bench, 'den'));
  t.equal(refusals.filter((code) => code === null).length, 6);
  t.equal(refusals.at(-1), 'guests-full');
});

t.test('when nobody has a credential, guests may take everything', async (t) => {
  const bench = new Bench(
    { lobbies: 2, participantsPerLobby: 4 },
    { guests: 'speak', guestsTake: 'everything' },
  );
  for (let count = 0; count < 4; count += 1) t.equal(guest(bench, 'den'), null);
  t.equal(guest(bench, 'den'), 'lobby-full');
  t.equal(guest(bench, 'attic'), null);
});

t.test('a full lobby has a place for its moderators, four of them', async (t) => {
  const bench = new Bench({ participantsPerLobby: 2 });
  for (const account of [1, 2]) bench.join(account);
  t.equal(refusalOf(player(bench, 3, 'den', null)), 'lobby-full');
  const moderator = { moderator: true };
  t.equal(slotOf(player(bench, 4, 'den', null, moderator)), 2);
  for (const account of [5, 6, 7]) t.equal(refusalOf(player(bench, account, 'den', null, moderator)), null);
  t.equal(refusalOf(player(bench, 8, 'den', null, moderator)), 'lobby-full');
});

t.test(
  'places per address are limited, here and away together, and each is free again when it ends',
  async (t) => {
    const bench = new Bench({}, {}, [], { addressShares: { participants: 2 } });
    const secret = resumeSecretOf(player(bench, 1, 'den', 'home'));
    bench.close(connections);
    t.equal(refusalOf(player(bench, 2, 'den', 'home')), null);
    t.equal(refusalOf(player(bench, 3, 'den', 'home')), 'address-full', 'one is away, one is present');
    t.equal(refusalOf(player(bench, 3, 'den', 'elsewhere')), null);
    t.equal(refusalOf(player(bench, 1, 'den', 'home')), null, 'taking over the own place needs no other');
    bench.text(connections, { type: 'leave' });
    t.equal(refusalOf(bench.resume(++connections, secret)), 'resume-refused');
    t.equal(refusalOf(player(bench, 4, 'den', 'home')), null);
  },
);

t.test('a place resumed from another address counts for the address that joined', async (t) => {
  const bench = new Bench({}, {}, [], { addressShares: { participants: 1 } });
  const secret = resumeSecretOf(player(bench, 1, 'den', 'home'));
  bench.close(connections);
  bench.resume(++connections, secret);
  t.equal(refusalOf(player(bench, 2, 'den', 'home')), 'address-full');
});

t.test(
  'lobbies made per address are limited, and its players may still join the lobbies of others',
  async (t) => {
    const bench = new Bench({}, {}, [], { addressShares: { lobbies: 1 } });
    bench.admin({ kind: 'open-lobby', lobby: 'hall' });
    t.equal(refusalOf(player(bench, 1, 'den', 'home')), null);
    const first = connections;
    t.equal(refusalOf(player(bench, 2, 'attic', 'home')), 'address-full');
    t.equal(refusalOf(player(bench, 2, 'hall', 'home')), null);
    bench.text(first, { type: 'leave' });
    t.equal(refusalOf(player(bench, 3, 'attic', 'home')), null, 'with its lobby the count ends');
  },
);

t.test('connections without an address are not counted', async (t) => {
  const bench = new Bench({}, {}, [], { addressShares: { lobbies: 1, participants: 1 } });
  for (const account of [1, 2, 3]) t.equal(refusalOf(player(bench, account, `lobby ${account}`, null)), null);
  t.match(bench.relay.lobby('lobby 1')?.members, [{ steamId: steamIdOf(1) }]);
});

t.test(
  'a player who takes over their place from another address needs a place of that address',
  async (t) => {
    const bench = new Bench({}, { secondJoin: 'replace' }, [], { addressShares: { participants: 1 } });
    t.equal(refusalOf(player(bench, 1, 'den', 'home')), null);
    t.equal(refusalOf(player(bench, 2, 'den', 'café')), null);
    t.equal(refusalOf(player(bench, 1, 'den', 'café')), 'address-full');
    t.equal(refusalOf(player(bench, 1, 'den', 'home')), 'replaced', 'their own address has it already');
    t.equal(refusalOf(player(bench, 1, 'den', 'hotel')), 'replaced', 'another address has room');
    t.equal(refusalOf(player(bench, 3, 'attic', 'home')), null, 'the place at home is free');
  },
);

t.test('the last participant can move a lobby only to an address that may make another', async (t) => {
  const bench = new Bench({}, { secondJoin: 'replace' }, [], { addressShares: { lobbies: 1 } });
  t.equal(refusalOf(player(bench, 1, 'den', 'home')), null);
  t.equal(refusalOf(player(bench, 2, 'attic', 'café')), null);
  t.equal(refusalOf(player(bench, 1, 'den', 'café')), 'address-full');
  t.equal(refusalOf(player(bench, 1, 'den', 'home')), 'replaced');
});
