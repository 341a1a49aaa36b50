/** A large audience: listeners beyond their share of the places are counted, and the others do not hear of each of them. */

import t from 'tap';
import type { Admitted } from '../../../../relay/core/credential.js';
import type { RelayOutput } from '../../../../relay/core/io.js';
import { MAX_CHANNEL } from '../../../../voice/control.js';
import {
  Bench,
  failureOf,
  frameOf,
  refusalOf,
  resumeSecretOf,
  slotOf,
  steamIdOf,
  tellsOf,
} from '../../kit.js';

const LISTENER: Partial<Admitted> = { maySpeak: false };

/** What was said to whom. */
const told = (outputs: readonly RelayOutput[]) =>
  tellsOf(outputs).map(([connections, message]) => `${message.type} ${connections.join()}`);
const welcomeOf = (outputs: readonly RelayOutput[]) => {
  for (const [, message] of tellsOf(outputs)) if (message.type === 'welcome') return message;
  throw new Error('there is no welcome among the outputs');
};

/** A lobby of four places with two speakers, 1 and 2, two listed listeners, 3 and 4, and two that are counted, 5 and 6. */
function audience(limits: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  const bench = new Bench({ participantsPerLobby: 4, unlistedPerLobby: 3, ...limits });
  for (const account of [1, 2]) bench.admit(account);
  for (const account of [3, 4, 5, 6]) bench.admit(account, LISTENER);
  bench.pass(1);
  return bench;
}

t.test('listeners have half of the places by default; those beyond are counted', async (t) => {
  const bench = new Bench({ participantsPerLobby: 4 });
  bench.admit(1);
  t.match(told(bench.admit(3, LISTENER)), ['welcome 3', 'joined 1']);
  t.match(told(bench.admit(4, LISTENER)), ['welcome 4', 'joined 1,3']);
  const joined = bench.admit(5, LISTENER);
  t.same(told(joined), ['welcome 5'], 'the others hear nothing');
  const { you, participants, unlisted } = welcomeOf(joined);
  t.match(you, { unlisted: true, spectator: true });
  t.equal(unlisted, 1, 'itself');
  t.same(
    participants.map(({ steamId }) => steamId),
    [1, 3, 4].map(steamIdOf),
  );
  t.match(told(bench.admit(2)), ['welcome 2', 'joined 1,3,4,5'], 'there is a place for a speaker');
  t.same(told(bench.tickAt(bench.now + 100)), ['unlisted 1,3,4,5,2']);
  const { participants: members, unlisted: counted, capacity } = bench.relay.lobby('den')!;
  t.same([members, counted, capacity], [5, 1, 4]);
  t.equal(bench.relay.lobby('den')!.members.length, 4);
  t.match(bench.relay.unlisted('den'), [{ steamId: steamIdOf(5), unlisted: true }]);
  t.equal(bench.relay.unlisted('attic'), null);
  t.match(bench.relay.counts(), { participants: 5, unlisted: 1 });
});

t.test('speakers, and listeners beyond all limits, are refused', async (t) => {
  const bench = audience();
  t.equal(refusalOf(bench.admit(7)), 'lobby-full', 'all four places are in use');
  t.equal(refusalOf(bench.admit(8, LISTENER)), null, 'the third who is counted');
  t.equal(refusalOf(bench.admit(9, LISTENER)), 'lobby-full');
  t.equal(refusalOf(bench.admit(10, { moderator: true })), null);
  t.match(
    welcomeOf(bench.admit(11, { moderator: true, maySpeak: false })).you,
    { moderator: true },
    'a moderator has a place beyond, listener or not',
  );
  const none = audience({ unlistedPerLobby: 0 });
  t.equal(refusalOf(none.admit(7, LISTENER)), 'lobby-full', 'without unlisted, the four places are all');
  t.equal(none.relay.counts().unlisted, 0);
  t.equal(none.relay.lobby('den')!.participants, 4, 'and listeners may take any of them');
});

t.test('nobody hears of an unlisted listener, whatever happens to them', async (t) => {
  const bench = audience();
  const secret = resumeSecretOf(bench.admit(7, LISTENER));
  bench.pass(1);
  t.same(told(bench.text(7, { type: 'rename', name: 'x' })), ['changed 7'], 'they hear of themselves');
  t.same(told(bench.moderate('den', { steamId: steamIdOf(7), action: 'mute' })), ['changed 7']);
  const deafened = bench.moderate('den', { steamId: steamIdOf(7), action: 'deafen' });
  t.same(told(deafened), ['changed 7']);
  t.match(deafened, [{}, { kind: 'unsubscribe', connection: 7 }], 'a deafened one hears nothing');
  t.same(told(bench.close(7)), []);
  t.same(told(bench.resume(8, secret)), ['welcome 8']);
  t.same(told(bench.moderate('den', { steamId: steamIdOf(7), action: 'kick' })), ['refused 8']);
  t.same(told(bench.pass(1)), ['unlisted 1,2,3,4,5,6'], 'but of the number');
  t.same(bench.voice(5, frameOf(5)), { kind: 'drop', reason: 'not-allowed', outputs: [] });
});

t.test('the relay tells the number at most once per second, and a newcomer has it at once', async (t) => {
  const bench = audience();
  const counts = (outputs: readonly RelayOutput[]) =>
    tellsOf(outputs).flatMap(([, message]) => (message.type === 'unlisted' ? [message.count] : []));
  bench.admit(7, LISTENER);
  t.same(counts(bench.tickAt(bench.now + 100)), [], 'it was told less than a second ago');
  bench.text(5, { type: 'leave' });
  t.equal(welcomeOf(bench.admit(8, LISTENER)).unlisted, 3);
  t.same(counts(bench.tickAt(bench.now + 899)), []);
  t.same(counts(bench.tickAt(bench.now + 1)), [3]);
  t.same(counts(bench.tickAt(bench.now + 5000)), [], 'nothing has changed');
});

t.test('an unlisted listener who records is listed from then on', async (t) => {
  const bench = audience();
  const outputs = bench.text(5, { type: 'recording', recording: true });
  t.same(told(outputs), ['joined 1,2,3,4,6', 'changed 5']);
  const [, joined] = tellsOf(outputs)[0]!;
  t.match(joined, { participant: { steamId: steamIdOf(5), recordingSince: bench.unixSeconds } });
  t.notOk('unlisted' in (tellsOf(outputs)[1]![1] as { participant: object }).participant);
  t.same(told(bench.pass(1)), ['unlisted 1,2,3,4,5,6']);
  t.same(told(bench.text(5, { type: 'recording', recording: false })), ['changed 1,2,3,4,5,6']);
  t.equal(refusalOf(bench.admit(7, LISTENER)), null);
  t.equal(refusalOf(bench.admit(8, LISTENER)), 'lobby-full', 'they still count as one of the listeners');
  bench.text(3, { type: 'leave' });
  t.equal(refusalOf(bench.admit(9)), null, 'and take no place of a speaker');
  t.same(told(bench.text(5, { type: 'leave' })), ['left 1,2,4,6,7,9']);
});

t.test('a hundred unlisted listeners may record, and no more', async (t) => {
  const bench = new Bench({ listenerPlacesPercent: 0 });
  for (let account = 1; account <= 102; account++) bench.admit(account, LISTENER);
  for (let account = 1; account <= 100; account++) {
    t.equal(failureOf(bench.text(account, { type: 'recording', recording: true })), null);
  }
  t.equal(failureOf(bench.text(101, { type: 'recording', recording: true })), 'recorders-full');
  bench.text(7, { type: 'leave' });
  t.equal(failureOf(bench.text(101, { type: 'recording', recording: true })), null);
  t.equal(bench.relay.counts().failures['recorders-full'], 1);
});

t.test('an unlisted listener enters channels that exist, and makes none', async (t) => {
  const bench = new Bench({ listenerPlacesPercent: 0 });
  bench.admit(1, { channels: 'any' });
  bench.admit(2, { ...LISTENER, channels: 'any' });
  t.equal(failureOf(bench.text(2, { type: 'channels', channels: ['red'] })), 'channel-not-allowed');
  bench.text(1, { type: 'channels', channels: ['red'] });
  const entered = bench.text(2, { type: 'channels', channels: ['red'] });
  t.same(told(entered), ['changed 2']);
  t.match(entered, [{ kind: 'subscribe', connection: 2 }, {}]);
  bench.text(1, { type: 'channels', channels: [] });
  t.same(told(bench.text(2, { type: 'channels', channels: [] })), ['changed 2', 'channel-ended 1,2']);
  bench.moderate('den', { steamId: steamIdOf(2), action: 'move', channels: ['blue'] });
  t.match(bench.relay.lobby('den'), { channels: [{ name: 'blue' }] }, 'a moderator may move them anywhere');
});

t.test(
  'nobody whispers to a listener who is not listed, and who may not speak whispers to nobody',
  async (t) => {
    const bench = audience();
    const slot = bench.relay.unlisted('den')![0]!.slot;
    t.equal(failureOf(bench.text(1, { type: 'whisper', slots: [slot] })), 'participant-unknown');
    t.same(bench.text(5, { type: 'whisper', slots: [0, 1] }), []);
    t.same(bench.text(3, { type: 'whisper', slots: [0, 1] }), [], 'listed or not');
  },
);

t.test('a player who joins again keeps the kind of place, unless now they may speak', async (t) => {
  const bench = new Bench({ participantsPerLobby: 4, unlistedPerLobby: 3 }, { secondJoin: 'replace' });
  for (const account of [1, 2]) bench.admit(account);
  for (const account of [3, 4, 5]) bench.admit(account, LISTENER);
  t.match(welcomeOf(bench.admit(5, LISTENER, 15)).you, { unlisted: true });
  t.equal(refusalOf(bench.admit(5, {}, 25)), 'lobby-full');
  t.equal(bench.relay.counts().unlisted, 1, 'and is still there');
  t.notMatch(welcomeOf(bench.admit(2, LISTENER, 12)).you, { unlisted: true }, 'a speaker keeps their place');
  bench.text(3, { type: 'leave' });
  t.notMatch(welcomeOf(bench.admit(5, {}, 35)).you, { unlisted: true });
  t.equal(bench.relay.counts().unlisted, 0);
});

t.test('slots of unlisted listeners come after those of all places, and rest', async (t) => {
  const bench = audience();
  const slots = bench.relay.unlisted('den')!.map(({ slot }) => slot);
  t.same(slots, [20, 21]);
  bench.text(5, { type: 'leave' });
  t.equal(slotOf(bench.admit(7, LISTENER)), 22, '20 rests');
  bench.pass(45);
  t.equal(slotOf(bench.admit(8, LISTENER)), 20);
  const widest = new Bench({ participantsPerLobby: 500, unlistedPerLobby: 15_000 });
  t.ok(4 * 500 + 4 + 4 * 15_000 <= 0x10000, 'the highest slot fits into a voice frame');
  t.ok(widest.relay.limits.channelsPerLobby <= MAX_CHANNEL);
});

t.test('guests have a share of both kinds of places', async (t) => {
  const bench = new Bench(
    { participantsPerLobby: 4, unlistedPerLobby: 4, listenerPlacesPercent: 50, guestPlacesPercent: 50 },
    { guests: 'listen' },
  );
  const guest = (connection: number) => {
    bench.connect(connection);
    return refusalOf(
      bench.text(connection, { type: 'hello', versions: [1], lobby: 'den', name: `guest ${connection}` }),
    );
  };
  t.same([1, 2, 3, 4, 5].map(guest), [null, null, null, null, 'guests-full']);
  t.match(bench.relay.lobby('den'), { participants: 4, unlisted: 2 });
  bench.text(3, { type: 'leave' });
  t.same([6, 7].map(guest), [null, 'guests-full']);
});

t.test('an administrator decides how large the audience of a lobby may be', async (t) => {
  const bench = new Bench({ participantsPerLobby: 4 });
  bench.admin({ kind: 'open-lobby', lobby: 'den', capacity: 2, unlisted: 1 });
  t.same(
    [1, 2, 3].map((account) => refusalOf(bench.admit(account, LISTENER))),
    [null, null, 'lobby-full'],
  );
  t.match(bench.relay.lobby('den'), { participants: 2, unlisted: 1 });
  bench.admin({ kind: 'open-lobby', lobby: 'hall', capacity: 2, unlisted: 0 });
  const inHall = { ...LISTENER, lobby: 'hall' };
  t.same(
    [4, 5, 6].map((account) => refusalOf(bench.admit(account, inHall))),
    [null, null, 'lobby-full'],
  );
  t.match(
    bench.relay.lobby('hall'),
    { participants: 2, unlisted: 0 },
    'without unlisted, all places are for all',
  );
});

t.test('5,000 listeners join and leave with a few messages for each', async (t) => {
  const bench = new Bench({ participantsPerLobby: 16, listenerPlacesPercent: 0 });
  for (let account = 1; account <= 8; account++) bench.admit(account);
  let messages = 0;
  const count = (outputs: readonly RelayOutput[]) => {
    for (const [connections] of tellsOf(outputs)) messages += connections.length;
  };
  for (let account = 101; account <= 5100; account++) count(bench.admit(account, LISTENER));
  t.equal(messages, 5000, 'a welcome for each');
  t.match(bench.relay.counts(), { participants: 5008, unlisted: 5000 });
  count(bench.pass(1));
  t.equal(messages, 10_008, 'and one message for all with their number');
  t.equal(refusalOf(bench.admit(9999, LISTENER)), 'lobby-full');
  messages = 0;
  for (let account = 101; account <= 5100; account++) count(bench.close(account));
  t.equal(messages, 0);
});
