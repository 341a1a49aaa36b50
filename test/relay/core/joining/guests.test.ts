/** Guests: who has no Steam gets an id of the relay's where the operator lets them in, and may do no more than that says. */

import t from 'tap';
import type { Hello } from '../../../../relay/core/joining/hello.js';
import { GUEST_HIGH, parseSteamId, steamIdHigh } from '../../../../voice/steam_id.js';
import { writeVoiceFrame } from '../../../../voice/wire.js';
import { Bench, failureOf, fields, packetBy, refusalOf, tellsOf } from '../../kit.js';

const HELLO: Hello = { type: 'hello', versions: [1], lobby: 'den', name: 'guest' };

function enter(bench: Bench, connection: number): { steamId: string; spectator?: boolean | undefined } {
  bench.connect(connection);
  const [, welcome] = tellsOf(bench.text(connection, HELLO))[0]!;
  if (welcome.type !== 'welcome') throw new Error(`${welcome.type} is no welcome`);
  return welcome.you;
}

t.test('by default nobody is admitted without an id', async (t) => {
  const bench = new Bench();
  bench.connect(1);
  t.equal(refusalOf(bench.text(1, HELLO)), 'credential-expected');
});

t.test('each guest gets a different id outside the range of accounts, and is marked', async (t) => {
  const bench = new Bench({}, { guests: 'speak' });
  const ids = [1, 2, 3].map((connection) => enter(bench, connection));
  for (const you of ids) {
    t.match(you, { guest: true, name: 'guest' });
    t.equal(steamIdHigh(parseSteamId(you.steamId)!), GUEST_HIGH);
  }
  t.equal(new Set(ids.map(({ steamId }) => steamId)).size, 3);
});

t.test(
  'a guest speaks under that id where guests may speak, and only hears where they may listen',
  async (t) => {
    for (const [guests, found] of [
      ['speak', { kind: 'forward' }],
      ['listen', { kind: 'drop', reason: 'not-allowed' }],
    ] as const) {
      const bench = new Bench({}, { guests });
      const { steamId, spectator } = enter(bench, 1);
      t.match(bench.voice(1, writeVoiceFrame(fields(), packetBy(BigInt(steamId)))), found);
      t.equal(spectator, guests === 'listen' ? true : undefined);
    }
  },
);

t.test('a guest cannot enter channels without a moderator, and is not one', async (t) => {
  const bench = new Bench({}, { guests: 'speak' });
  const { steamId } = enter(bench, 1);
  t.equal(failureOf(bench.text(1, { type: 'channels', channels: ['red'] })), 'channel-not-allowed');
  t.equal(failureOf(bench.text(1, { type: 'moderate', steamId, action: 'unmute' })), 'not-moderator');
});

t.test('a guest can be muted and kicked like anybody', async (t) => {
  const bench = new Bench({}, { guests: 'speak' });
  const { steamId } = enter(bench, 1);
  bench.moderate('den', { steamId, action: 'mute' });
  t.match(bench.voice(1, writeVoiceFrame(fields(), packetBy(BigInt(steamId)))), { reason: 'muted' });
  t.equal(refusalOf(bench.moderate('den', { steamId, action: 'kick' })), 'kicked');
});

t.test('a client that claims an id is not a guest', async (t) => {
  const bench = new Bench({}, { guests: 'speak', unproven: 'refuse' });
  bench.connect(1);
  t.equal(refusalOf(bench.text(1, { ...HELLO, steamId: '76561197960265729' })), 'credential-expected');
});
