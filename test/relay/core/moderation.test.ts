/** Moderation by players whose credential allows it: what is done, to whom, who hears of it, and what lasts. */

import t from 'tap';
import type { Moderation } from '../../../relay/core/administration.js';
import { Bench, deeds, failureOf, frameOf, refusalOf, resumeSecretOf, steamIdOf, tellsOf } from '../kit.js';

/** A moderator, 1, and two others. */
function court(limits: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  const bench = new Bench(limits);
  bench.admit(1, { moderator: true });
  bench.join(2);
  bench.join(3);
  return bench;
}

const by1 = (bench: Bench, account: number, moderation: object) =>
  bench.text(1, { type: 'moderate', steamId: steamIdOf(account), ...moderation } as {
    type: 'moderate';
  } & Moderation);

t.test('a mute applies at once, everybody hears of it, and it is kept', async (t) => {
  const bench = court();
  bench.voice(2, frameOf(2));
  t.match(by1(bench, 2, { action: 'mute' }), [
    { kind: 'keep', sanction: { lobby: 'den', steamId: steamIdOf(2), muted: Number } },
    { kind: 'tell', connections: [1, 3], message: { type: 'speaking', slot: 1, speaking: false } },
    {
      kind: 'tell',
      connections: [1, 2, 3],
      message: { type: 'changed', participant: { slot: 1, muted: true } },
    },
    { kind: 'event', event: { kind: 'moderated', lobby: 'den', action: 'mute', by: steamIdOf(1) } },
  ]);
  t.same(bench.voice(2, frameOf(2)), { kind: 'drop', reason: 'muted', outputs: [] });
  t.equal(bench.relay.counts().drops.muted, 1);
  by1(bench, 2, { action: 'unmute' });
  t.equal(bench.voice(2, frameOf(2)).kind, 'forward');
});

t.test('a mute outlives leaving, joining again under another name, and the lobby', async (t) => {
  const bench = court();
  by1(bench, 2, { action: 'mute' });
  for (const account of [1, 2, 3]) bench.text(account, { type: 'leave' });
  t.equal(bench.relay.lobby('den'), null);
  bench.connect(4);
  const { steamId } = bench.relay.sanctions()[0]!;
  const welcome = bench.text(4, { type: 'hello', versions: [1], lobby: 'den', steamId, name: 'another' });
  t.match(tellsOf(welcome)[0]?.[1], { you: { muted: true, name: 'another' } });
  t.match(bench.voice(4, frameOf(2)), { reason: 'muted' });
});

t.test('a mute lasts 30 days by default', async (t) => {
  const bench = court();
  by1(bench, 2, { action: 'mute' });
  const month = 30 * 86_400;
  bench.pass(month - 1);
  t.match(bench.voice(2, frameOf(2)), { reason: 'muted' });
  bench.pass(2);
  t.equal(bench.voice(2, frameOf(2)).kind, 'forward');
});

t.test('a mute in one lobby does not apply in another', async (t) => {
  const bench = court();
  by1(bench, 2, { action: 'mute' });
  bench.connect(12);
  bench.text(12, { type: 'hello', versions: [1], lobby: 'attic', steamId: steamIdOf(2), name: 'two' });
  t.equal(bench.voice(12, frameOf(2)).kind, 'forward');
});

t.test('a mute ends when its time is over, and everybody hears of it', async (t) => {
  const bench = court();
  by1(bench, 2, { action: 'mute', seconds: 10 });
  bench.pass(9);
  t.match(bench.voice(2, frameOf(2)), { reason: 'muted' });
  t.match(bench.pass(2), [
    { kind: 'tell', connections: [1, 2, 3], message: { type: 'changed', participant: { muted: undefined } } },
  ]);
  t.equal(bench.voice(2, frameOf(2)).kind, 'forward');
});

t.test('a deafened participant hears nothing, may speak, and knows who speaks', async (t) => {
  const bench = court();
  t.match(deeds(by1(bench, 2, { action: 'deafen' })), [
    { kind: 'keep', sanction: { deafened: Number } },
    { kind: 'unsubscribe', connection: 2, topic: 'lobby/0' },
    { kind: 'tell', message: { type: 'changed', participant: { slot: 1, deafened: true } } },
  ]);
  bench.text(2, { type: 'channels', channels: ['red'] });
  bench.text(1, { type: 'whisper', slots: [1] });
  t.match(tellsOf(bench.voice(3, frameOf(3)).outputs), [[[1, 2], { speaking: true }]]);
  t.equal(bench.voice(2, frameOf(2)).kind, 'forward');
  const topics = by1(bench, 2, { action: 'undeafen' }).flatMap((it) =>
    it.kind === 'subscribe' ? [it.topic] : [],
  );
  t.same(topics, ['lobby/0', 'lobby/0/c1', 'lobby/0/w0'], 'and again all');
});

t.test('a kicked participant gets the reason, is gone for good, and may join again', async (t) => {
  const bench = court();
  t.match(deeds(by1(bench, 2, { action: 'kick' })), [
    { kind: 'tell', connections: [2], message: { type: 'refused', code: 'kicked' } },
    { kind: 'unsubscribe', connection: 2 },
    { kind: 'tell', connections: [1, 3], message: { type: 'left', slot: 1 } },
    { kind: 'close', connection: 2, code: 4015 },
  ]);
  bench.connect(4);
  t.equal(
    refusalOf(
      bench.text(4, { type: 'hello', versions: [1], lobby: 'den', steamId: steamIdOf(2), name: 'two' }),
    ),
    null,
  );
});

t.test('a banned participant is kicked, and cannot join until the ban ends', async (t) => {
  const bench = court();
  t.equal(refusalOf(by1(bench, 2, { action: 'ban', seconds: 60 })), 'banned');
  bench.close(2);
  t.equal(refusalOf(bench.join(2)), 'banned');
  bench.pass(61);
  bench.close(2);
  t.equal(refusalOf(bench.join(2)), null);
  by1(bench, 2, { action: 'ban' });
  bench.pass(30 * 86_400 - 1);
  bench.close(2);
  t.equal(refusalOf(bench.join(2)), 'banned', 'without a time for 30 days');
  bench.pass(2);
  bench.close(2);
  t.equal(refusalOf(bench.join(2)), null);
  bench.moderate('den', { steamId: steamIdOf(2), action: 'ban' });
  t.match(bench.relay.sanctions(), [{ banned: 'always' }], "an administrator's has no end");
  bench.moderate('den', { steamId: steamIdOf(2), action: 'unban' });
  t.equal(refusalOf(bench.join(2)), null);
});

t.test('a player who borrows the game of a banned owner is banned too', async (t) => {
  const bench = court();
  by1(bench, 2, { action: 'ban' });
  t.equal(refusalOf(bench.admit(4, { ownerSteamId: steamIdOf(2) })), 'banned');
});

t.test('a ban of the owner kicks a player who borrows the game, and prevents their resume', async (t) => {
  for (const everywhere of [null, 'den']) {
    const bench = new Bench();
    const owner = { ownerSteamId: steamIdOf(9) };
    bench.admit(1, owner);
    const secret = resumeSecretOf(bench.admit(2, owner));
    bench.close(2);
    bench.admit(3);
    const outputs = bench.moderate(everywhere, { steamId: steamIdOf(9), action: 'ban' });
    t.equal(refusalOf(outputs), 'banned');
    t.match(bench.relay.counts(), { participants: 1, away: 0, connections: 1 });
    t.equal(refusalOf(bench.resume(4, secret)), 'resume-refused');
    t.equal(bench.voice(1, frameOf(1)).kind, 'drop');
  }
});

t.test('a ban of a borrower does not affect the owner, or others who borrow from them', async (t) => {
  const bench = new Bench();
  bench.admit(9);
  bench.admit(1, { ownerSteamId: steamIdOf(9) });
  bench.admit(2, { ownerSteamId: steamIdOf(9) });
  bench.moderate('den', { steamId: steamIdOf(1), action: 'ban' });
  t.same(
    bench.relay.lobby('den')?.members.map(({ steamId }) => steamId),
    [steamIdOf(9), steamIdOf(2)],
  );
});

t.test(
  'a mute or deafening of the owner applies to a player who borrows the game, and ends with it',
  async (t) => {
    const bench = new Bench();
    bench.join(1);
    bench.admit(2, { ownerSteamId: steamIdOf(9) });
    bench.moderate('den', { steamId: steamIdOf(9), action: 'mute', seconds: 60 });
    bench.moderate('den', { steamId: steamIdOf(9), action: 'deafen', seconds: 60 });
    t.match(bench.relay.lobby('den')?.members[1], { muted: true, deafened: true });
    t.match(bench.voice(2, frameOf(2)), { reason: 'muted' });
    bench.moderate('den', { steamId: steamIdOf(2), action: 'unmute' });
    t.match(bench.voice(2, frameOf(2)), { reason: 'muted' }, 'two are two');
    bench.pass(61);
    t.equal(bench.voice(2, frameOf(2)).kind, 'forward');
  },
);

t.test('10,073 bans by one moderator leave room for the bans of others, in any lobby', async (t) => {
  const bench = new Bench({ controlBurst: 10_000, controlPerSecond: 1000 });
  let done = 0;
  for (let lobby = 0; lobby < 11; lobby += 1) {
    bench.admit(1, { lobby: `lobby ${lobby}`, moderator: true }, 100 + lobby);
    for (let n = 0; n < 916 && lobby * 916 + n < 10_073; n += 1) {
      const steamId = steamIdOf(1000 + lobby * 916 + n);
      const outputs = bench.text(100 + lobby, { type: 'moderate', steamId, action: 'ban' });
      if (failureOf(outputs) === null) done += 1;
    }
  }
  t.equal(done, 1000);
  t.match(bench.relay.counts(), { sanctions: 1000, sanctionsByModerators: 1000, sanctionsMost: 100_000 });
  bench.admit(2, { moderator: true }, 500);
  const other = bench.text(500, { type: 'moderate', steamId: steamIdOf(5), action: 'ban' });
  t.equal(failureOf(other), null);
});

t.test('a participant can be moved to a channel they may not enter, and may stay there', async (t) => {
  const bench = court();
  bench.admit(4, { channels: [] });
  by1(bench, 4, { action: 'move', channels: ['red'] });
  t.match(bench.relay.lobby('den')?.members[3], { channels: [1] });
  t.equal(failureOf(bench.text(4, { type: 'channels', channels: ['red'] })), null);
  bench.text(4, { type: 'channels', channels: [] });
  t.equal(failureOf(bench.text(4, { type: 'channels', channels: ['red'] })), 'channel-not-allowed');
});

t.test('priority is given and taken, and everybody hears of it', async (t) => {
  const bench = court();
  t.match(tellsOf(by1(bench, 2, { action: 'prioritize' })), [
    [[1, 2, 3], { participant: { slot: 1, priority: true } }],
  ]);
  t.same(tellsOf(by1(bench, 2, { action: 'prioritize' })), [], 'once');
  t.match(tellsOf(by1(bench, 2, { action: 'unprioritize' })), [
    [[1, 2, 3], { participant: { priority: undefined } }],
  ]);
});

t.test('a failure is answered with its code and counted, and changes nothing', async (t) => {
  const bench = court({ sanctions: 10, channelsPerLobby: 1 });
  by1(bench, 2, { action: 'mute' });
  const cases: [code: string, outputs: readonly object[]][] = [
    ['not-moderator', bench.text(2, { type: 'moderate', steamId: steamIdOf(3), action: 'kick' })],
    ['participant-unknown', by1(bench, 99, { action: 'kick' })],
    ['sanctions-full', by1(bench, 3, { action: 'mute' })],
    ['channels-full', by1(bench, 3, { action: 'move', channels: ['red', 'blue'] })],
  ];
  for (const [code, outputs] of cases) t.equal(failureOf(outputs as Parameters<typeof failureOf>[0]), code);
  t.match(bench.relay.counts(), {
    participants: 3,
    sanctions: 1,
    failures: {
      'not-moderator': 1,
      'participant-unknown': 1,
      'sanctions-full': 1,
      'channels-full': 1,
      'channel-not-allowed': 0,
    },
  });
});

t.test('a moderator who kicks or bans themselves is gone', async (t) => {
  const bench = court();
  t.equal(refusalOf(by1(bench, 1, { action: 'kick' })), 'kicked');
  t.equal(bench.relay.counts().participants, 2);
});

t.test('everybody hears of a rename, and nobody of the same name', async (t) => {
  const bench = court();
  t.match(tellsOf(bench.text(2, { type: 'rename', name: 'Kim' })), [
    [[1, 2, 3], { participant: { name: 'Kim' } }],
  ]);
  t.same(bench.text(2, { type: 'rename', name: 'Kim' }), []);
});
