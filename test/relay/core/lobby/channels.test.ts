/** Channels: who may enter which, who hears what is said there, and which messages they get. */

import t from 'tap';
import type { RelayLimits } from '../../../../relay/core/limits.js';
import { MAX_CHANNELS_ENTERED } from '../../../../voice/control.js';
import { Bench, deeds, failureOf, frameOf, refusalOf, steamIdOf, tellsOf } from '../../kit.js';

/** A lobby of three; the first is in `red`. */
function threeWithRed(limits: Partial<RelayLimits> = {}): Bench {
  const bench = new Bench(limits);
  for (const account of [1, 2, 3]) bench.join(account);
  bench.text(1, { type: 'channels', channels: ['red'] });
  return bench;
}

t.test('the first participant to enter a channel makes it, and everybody hears of both', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  t.match(deeds(bench.text(1, { type: 'channels', channels: ['red'] })), [
    { kind: 'tell', connections: [1, 2], message: { type: 'channel', channel: { number: 1, name: 'red' } } },
    { kind: 'subscribe', connection: 1, topic: 'lobby/0/c1' },
    {
      kind: 'tell',
      connections: [1, 2],
      message: { type: 'changed', participant: { slot: 0, channels: [1] } },
    },
  ]);
  t.match(
    tellsOf(bench.join(3))[0]?.[1],
    { channels: [{ number: 1, name: 'red' }] },
    'and a later joiner hears of it',
  );
});

t.test('in development an unproven SteamID may enter every channel but is no moderator', async (t) => {
  const bench = new Bench({}, { unproven: 'admit' });
  bench.join(1);
  t.equal(failureOf(bench.text(1, { type: 'channels', channels: ['red', 'staff'] })), null);
  t.equal(
    failureOf(bench.text(1, { type: 'moderate', steamId: steamIdOf(1), action: 'mute' })),
    'not-moderator',
  );
});

t.test('the last participant to leave a channel ends it, and its number rests', async (t) => {
  const bench = threeWithRed();
  t.match(deeds(bench.text(1, { type: 'channels', channels: [] })), [
    { kind: 'unsubscribe', connection: 1, topic: 'lobby/0/c1' },
    { kind: 'tell', message: { type: 'changed', participant: { slot: 0, channels: undefined } } },
    { kind: 'tell', connections: [1, 2, 3], message: { type: 'channel-ended', number: 1 } },
  ]);
  t.match(tellsOf(bench.text(1, { type: 'channels', channels: ['red'] }))[0]?.[1], {
    channel: { number: 2 },
  });
});

t.test('a participant who leaves the lobby leaves its channels', async (t) => {
  const bench = threeWithRed();
  t.match(tellsOf(bench.text(1, { type: 'leave' })), [
    [[2, 3], { type: 'left', slot: 0 }],
    [[2, 3], { type: 'channel-ended', number: 1 }],
  ]);
});

t.test('a frame to a channel goes to its topic, with a relay sequence per speaker', async (t) => {
  const bench = threeWithRed();
  bench.text(2, { type: 'channels', channels: ['red', 'blue'] });
  bench.voice(1, frameOf(1));
  t.match(bench.voice(1, frameOf(1, { target: 1 })), {
    kind: 'forward',
    topic: 'lobby/0/c1',
    relaySequence: 0,
  });
  t.match(bench.voice(2, frameOf(2, { target: 1 })), {
    kind: 'forward',
    topic: 'lobby/0/c1',
    ownTopic: null,
    relaySequence: 0,
  });
  t.match(bench.voice(2, frameOf(2, { target: 2 })), {
    kind: 'forward',
    topic: 'lobby/0/c2',
    relaySequence: 0,
  });
});

t.test('nobody can speak to a channel they are not in, or to an unknown target', async (t) => {
  const bench = threeWithRed();
  for (const target of [1, 2, 127, 128, 254]) {
    t.match(
      bench.voice(2, frameOf(2, { target })),
      { kind: 'drop', reason: 'target-unknown' },
      String(target),
    );
  }
  bench.text(1, { type: 'channels', channels: [] });
  t.match(bench.voice(1, frameOf(1, { target: 1 })), { reason: 'target-unknown' }, 'nor to one they left');
});

t.test('the members of a channel hear who speaks to it', async (t) => {
  const bench = threeWithRed();
  bench.text(2, { type: 'channels', channels: ['red'] });
  t.same(bench.voice(1, frameOf(1, { target: 1 })).outputs, [
    { kind: 'tell', connections: [2], message: { type: 'speaking', slot: 0, speaking: true } },
  ]);
  t.same(tellsOf(bench.voice(1, frameOf(1)).outputs), [
    [[2], { type: 'speaking', slot: 0, speaking: false }],
    [[2, 3], { type: 'speaking', slot: 0, speaking: true }],
  ]);
});

t.test(
  'a participant who enters a channel hears who speaks there, and one who leaves it that they are silent',
  async (t) => {
    const bench = threeWithRed();
    bench.voice(1, frameOf(1, { target: 1 }));
    const entered = tellsOf(bench.text(2, { type: 'channels', channels: ['red'] }));
    t.same(entered.at(-1), [[2], { type: 'speaking', slot: 0, speaking: true }]);
    const left = tellsOf(bench.text(2, { type: 'channels', channels: [] }));
    t.same(left[0], [[2], { type: 'speaking', slot: 0, speaking: false }]);
    const joined = tellsOf(bench.join(4))[0]?.[1];
    t.match(joined, { participants: [{ slot: 0, speaking: false }, {}, {}] }, 'a joiner is not there');
  },
);

t.test('a participant who leaves the channel they speak to falls silent', async (t) => {
  const bench = threeWithRed();
  bench.text(2, { type: 'channels', channels: ['red'] });
  bench.voice(1, frameOf(1, { target: 1 }));
  const [first] = tellsOf(bench.text(1, { type: 'channels', channels: [] }));
  t.same(first, [[2], { type: 'speaking', slot: 0, speaking: false }]);
  t.same(bench.tickAt(bench.now + 1000), []);
});

t.test('asking for the current channels changes nothing', async (t) => {
  const bench = threeWithRed();
  t.same(bench.text(1, { type: 'channels', channels: ['red'] }), []);
  t.same(bench.text(2, { type: 'channels', channels: [] }), []);
});

t.test(
  'a participant may enter only the channels granted, and a request is carried out whole or not at all',
  async (t) => {
    const bench = new Bench();
    bench.admit(1, { channels: ['red'] });
    const outputs = bench.text(1, { type: 'channels', channels: ['red', 'blue'] });
    t.equal(failureOf(outputs), 'channel-not-allowed');
    t.same(bench.relay.lobby('den')?.channels, []);
    t.equal(bench.relay.counts().failures['channel-not-allowed'], 1);
    t.equal(failureOf(bench.text(1, { type: 'channels', channels: ['red'] })), null);
  },
);

t.test(
  'the number of channels is limited, and leaving some does not make room for others in the same request',
  async (t) => {
    const bench = new Bench({ channelsPerLobby: 2 });
    bench.join(1);
    bench.join(2);
    bench.text(1, { type: 'channels', channels: ['red', 'blue'] });
    t.equal(failureOf(bench.text(2, { type: 'channels', channels: ['green'] })), 'channels-full');
    t.equal(failureOf(bench.text(1, { type: 'channels', channels: ['green'] })), 'channels-full');
    t.match(bench.relay.lobby('den')?.members[0], { channels: [1, 2] }, 'they are where they were');
  },
);

t.test('a participant may be in 16 channels, each once', async (t) => {
  const names = Array.from({ length: MAX_CHANNELS_ENTERED + 1 }, (_, at) => `channel ${at}`);
  const bench = new Bench();
  bench.join(1);
  t.equal(refusalOf(bench.text(1, { type: 'channels', channels: names.slice(1) })), null);
  bench.join(2);
  t.equal(refusalOf(bench.text(2, { type: 'channels', channels: names })), 'message-malformed');
  bench.join(3);
  t.equal(refusalOf(bench.text(3, { type: 'channels', channels: ['red', 'red'] })), 'message-malformed');
});

t.test('endless renames and channel changes fail, and the participant stays', async (t) => {
  const bench = threeWithRed({ channelsPerLobby: 64 });
  const names = (from: number) => Array.from({ length: MAX_CHANNELS_ENTERED }, (_, n) => `c${from + n}`);
  const asked = (from: number) => bench.text(2, { type: 'channels', channels: names(from) });
  t.equal(failureOf(asked(0)), null);
  t.equal(failureOf(asked(100)), 'too-many-changes', '17 of 40 are gone, and it would take 33');
  t.equal(
    bench.relay.lobby('den')?.members[1]?.channels?.length,
    MAX_CHANNELS_ENTERED,
    'nothing of it was done',
  );
  for (let n = 0; n < 4; n += 1) t.equal(failureOf(bench.text(2, { type: 'rename', name: `n${n}` })), null);
  bench.now += 250 * 14;
  t.equal(failureOf(asked(100)), null, 'four per second are allowed again');
  t.equal(failureOf(bench.text(2, { type: 'rename', name: 'x' })), 'too-many-changes');
  t.equal(failureOf(bench.text(1, { type: 'rename', name: 'y' })), null, 'others are not affected');
});
