/** Reconnecting: who gets their place back, what they find there, what the others see, and what ends it for good. */

import t from 'tap';
import { Bench, deeds, frameOf, refusalOf, resumeSecretOf, slotOf, steamIdOf, tellsOf } from '../../kit.js';

/** Two in a lobby, and the second's resume secret. */
function two(limits: ConstructorParameters<typeof Bench>[0] = {}): { bench: Bench; secret: string } {
  const bench = new Bench(limits);
  bench.join(1);
  return { bench, secret: resumeSecretOf(bench.join(2)) };
}

t.test('a participant whose connection breaks is away, not gone', async (t) => {
  const { bench } = two();
  bench.voice(2, frameOf(2));
  t.match(bench.close(2), [
    { kind: 'tell', connections: [1], message: { type: 'speaking', slot: 1, speaking: false } },
    { kind: 'tell', connections: [1], message: { type: 'changed', participant: { slot: 1, away: true } } },
    { kind: 'event', event: { kind: 'away', slot: 1 } },
  ]);
  t.match(bench.relay.counts(), { participants: 2, away: 1, connections: 1 });
  t.match(tellsOf(bench.join(3))[0]?.[1], { participants: [{}, { slot: 1, away: true, speaking: false }] });
});

t.test('a resume restores slot, channels, whispers, name, priority and mute', async (t) => {
  const { bench, secret } = two();
  bench.text(2, { type: 'channels', channels: ['red'] });
  bench.text(2, { type: 'whisper', slots: [0] });
  bench.text(2, { type: 'rename', name: 'Kim' });
  bench.moderate('den', { steamId: steamIdOf(2), action: 'prioritize' });
  bench.moderate('den', { steamId: steamIdOf(2), action: 'mute' });
  const before = bench.relay.lobby('den');
  bench.close(2);
  const outputs = bench.resume(4, secret);
  t.same(bench.relay.lobby('den'), before);
  t.same(
    outputs.flatMap((it) => (it.kind === 'subscribe' ? [it.topic] : [])),
    ['lobby/0', 'lobby/0/c1'],
  );
  t.match(tellsOf(outputs), [
    [[4], { type: 'welcome', slot: 1, you: { name: 'Kim', channels: [1], muted: true, priority: true } }],
    [[1], { type: 'changed', participant: { slot: 1, away: undefined } }],
  ]);
  t.match(bench.voice(4, frameOf(2)), { reason: 'muted' });
  t.equal(bench.relay.counts().resumes, 1);
});

t.test('a mute set while a participant is away applies when they resume', async (t) => {
  const { bench, secret } = two();
  bench.close(2);
  bench.moderate(null, { steamId: steamIdOf(2), action: 'mute' });
  bench.resume(4, secret);
  t.match(bench.voice(4, frameOf(2)), { reason: 'muted' });
});

t.test('a resume secret works once, and the next one differs', async (t) => {
  const { bench, secret } = two();
  bench.close(2);
  const next = resumeSecretOf(bench.resume(4, secret));
  t.not(next, secret);
  t.equal(refusalOf(bench.resume(5, secret)), 'resume-refused');
  bench.close(4);
  t.equal(slotOf(bench.resume(6, next)), 1);
});

t.test('a resume while the old connection is open replaces it, and the others notice nothing', async (t) => {
  const { bench, secret } = two();
  t.match(deeds(bench.resume(4, secret)), [
    { kind: 'unsubscribe', connection: 2, topic: 'lobby/0' },
    { kind: 'tell', connections: [2], message: { type: 'refused', code: 'replaced' } },
    { kind: 'close', connection: 2, code: 4014 },
    { kind: 'subscribe', connection: 4, topic: 'lobby/0' },
    { kind: 'tell', connections: [4], message: { type: 'welcome', slot: 1 } },
  ]);
  t.match(bench.voice(2, frameOf(2)), { reason: 'not-joined' }, 'the old one is heard no more');
  t.same(bench.close(2), []);
  t.equal(bench.voice(4, frameOf(2)).kind, 'forward');
});

t.test('a place is kept for the resume window, then the participant has left', async (t) => {
  const { bench, secret } = two();
  bench.close(2);
  t.same(bench.tickAt(bench.now + 29_999), []);
  t.match(bench.tickAt(bench.now + 1), [
    { kind: 'tell', connections: [1], message: { type: 'left', slot: 1 } },
    { kind: 'event', event: { kind: 'left', why: 'gone' } },
  ]);
  t.equal(refusalOf(bench.resume(4, secret)), 'resume-refused');
  bench.join(5);
  t.equal(bench.relay.lobby('den')?.members[1]?.slot, 2, 'the slot rests beyond the window');
});

t.test('a lobby is kept while its participants are away', async (t) => {
  const bench = new Bench();
  const secret = resumeSecretOf(bench.join(1));
  bench.close(1);
  t.equal(bench.relay.counts().lobbies, 1);
  t.equal(slotOf(bench.resume(2, secret)), 0);
  bench.close(2);
  bench.tickAt(bench.now + 30_000);
  t.match(bench.relay.counts(), { lobbies: 0, participants: 0, away: 0 });
});

t.test('nobody can resume after leaving, a kick, a ban, a refusal or an expired credential', async (t) => {
  const steamId = steamIdOf(2);
  const ends: Readonly<Record<string, (bench: Bench) => unknown>> = {
    leave: (bench) => bench.text(2, { type: 'leave' }),
    refusal: (bench) => bench.text(2, '{'),
    kick: (bench) => bench.moderate('den', { steamId, action: 'kick' }),
    ban: (bench) => bench.moderate('den', { steamId, action: 'ban' }),
    'a kick while away': (bench) => {
      bench.close(2);
      return bench.moderate('den', { steamId, action: 'kick' });
    },
    'a ban while away': (bench) => {
      bench.close(2);
      return bench.moderate(null, { steamId, action: 'ban' });
    },
    'the end of the credential while away': (bench) => {
      bench.close(2);
      return bench.tickAt(bench.now + 6000);
    },
    'the end of the lobby': (bench) => bench.admin({ kind: 'close-lobby', lobby: 'den' }),
  };
  for (const [what, end] of Object.entries(ends)) {
    const bench = new Bench();
    bench.join(1);
    const secret = resumeSecretOf(bench.admit(2, { expiresAt: bench.unixSeconds + 1 }));
    end(bench);
    t.equal(refusalOf(bench.resume(4, secret)), 'resume-refused', what);
    t.equal(bench.relay.counts().away, 0);
  }
});

t.test(
  'without resuming, no secret is issued, and a participant whose connection breaks has left',
  async (t) => {
    const bench = new Bench({ resumeWithinMs: 0 });
    bench.join(1);
    t.notOk('resume' in tellsOf(bench.join(2))[0]![1]);
    t.same(tellsOf(bench.close(2)), [[[1], { type: 'left', slot: 1 }]]);
  },
);

t.test('a resume must come first, in a supported version, and with a well-formed secret', async (t) => {
  const { bench, secret } = two();
  t.equal(refusalOf(bench.text(1, { type: 'resume', versions: [1], secret })), 'already-joined');
  bench.connect(5);
  t.equal(refusalOf(bench.text(5, { type: 'resume', versions: [7], secret })), 'version-unsupported');
  bench.connect(6);
  t.equal(refusalOf(bench.text(6, { type: 'resume', versions: [1], secret: 'short' })), 'message-malformed');
  t.equal(bench.voice(2, frameOf(2)).kind, 'forward', 'nobody has lost their place by it');
});

t.test(
  'a hello with the SteamID of somebody who is away takes their place over, under a new slot',
  async (t) => {
    const { bench } = two();
    bench.close(2);
    const outputs = bench.join(2);
    t.equal(slotOf(outputs), 2);
    t.match(tellsOf(outputs)[0], [[1], { type: 'left', slot: 1 }]);
    t.equal(bench.relay.counts().away, 0);
  },
);

t.test(
  'a proven hello replaces a live connection of the same SteamID, an unproven one does not',
  async (t) => {
    const bench = new Bench({}, { secondJoin: 'replace' });
    bench.join(1);
    bench.connect(4);
    t.equal(
      refusalOf(
        bench.text(4, { type: 'hello', versions: [1], lobby: 'den', steamId: steamIdOf(1), name: 'one' }),
      ),
      'steam-id-in-use',
    );
    const outputs = bench.admit(1, {}, 5);
    t.match(tellsOf(outputs), [
      [[1], { type: 'refused', code: 'replaced' }],
      [[5], { type: 'welcome' }],
    ]);
    t.match(bench.relay.counts(), { participants: 1, connections: 1 });
    t.equal(refusalOf(new Bench({}, { secondJoin: 'refuse' }).admit(1)), null);
  },
);

t.test('when second joins are refused, a proven one is refused too', async (t) => {
  const bench = new Bench({}, { secondJoin: 'refuse' });
  bench.admit(1);
  t.equal(refusalOf(bench.admit(1, {}, 5)), 'steam-id-in-use');
});
