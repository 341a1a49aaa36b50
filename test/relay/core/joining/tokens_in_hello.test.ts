/** Tokens in the hello: nobody is in before the verdict, and what was granted holds from the first frame to the last. */

import t from 'tap';
import type { Admitted, CredentialVerdict } from '../../../../relay/core/credential.js';
import type { RelayOutput } from '../../../../relay/core/io.js';
import type { RelayPolicy } from '../../../../relay/core/joining/hello.js';
import {
  admittedOf,
  Bench,
  deeds,
  frameOf,
  helloOf,
  refusalOf,
  slotOf,
  steamIdOf,
  TOKEN,
  tellsOf,
} from '../../kit.js';

const NOW = 2_000_000_000;

/** A relay that admits only players with tokens. */
class TokenBench extends Bench {
  constructor(policy: Partial<RelayPolicy> = {}) {
    super({}, { unproven: 'refuse', ...policy });
  }

  hello(account: number, token: string | null = TOKEN): readonly RelayOutput[] {
    this.connect(account);
    return this.text(account, token === null ? helloOf(account) : { ...helloOf(account), token });
  }

  enter(account: number, changed: Partial<Admitted> = {}): readonly RelayOutput[] {
    this.hello(account);
    return this.judged(account, admittedOf(account, changed));
  }
}

t.test('a hello with a token admits nobody before the verdict', async (t) => {
  const bench = new TokenBench();
  bench.enter(1);
  t.same(
    bench.hello(2),
    [{ kind: 'judge', connection: 2, credential: { kind: 'token', token: TOKEN }, steamId: steamIdOf(2) }],
    'and nobody hears of it',
  );
  t.equal(bench.relay.counts().participants, 1);
  const outputs = bench.judged(2, admittedOf(2));
  t.equal(slotOf(outputs), 1);
  t.match(tellsOf(outputs)[1], [[1], { type: 'joined', participant: { steamId: steamIdOf(2) } }]);
});

t.test('a refused token closes with 4011, makes no lobby, and reveals nothing about the token', async (t) => {
  const refusals: [string, CredentialVerdict][] = [
    [
      'expired',
      { kind: 'denied', code: 'token-refused', reason: 'expired', wanted: 'one that has not expired' },
    ],
    ['other-lobby', admittedOf(1, { lobby: 'attic' })],
    ['other-steam-id', admittedOf(1, { steamId: steamIdOf(2) })],
  ];
  for (const [reason, verdict] of refusals) {
    const bench = new TokenBench();
    bench.hello(1);
    const outputs = bench.judged(1, verdict);
    t.match(tellsOf(outputs)[0]?.[1], {
      code: 'token-refused',
      message: new RegExp(`\\(${reason}\\), expected `),
    });
    t.match(deeds(outputs)[1], { kind: 'close', code: 4011, reason: 'token-refused' });
    t.notOk(JSON.stringify(outputs).includes(TOKEN));
    t.match(bench.relay.counts(), { participants: 0, lobbies: 0, connections: 0 });
  }
});

t.test('without a token the hello is refused', async (t) => {
  const bench = new TokenBench();
  const outputs = bench.hello(1, null);
  t.equal(refusalOf(outputs), 'credential-expected');
  t.match(deeds(outputs)[1], { kind: 'close', code: 4010 });
  t.equal(bench.relay.counts().lobbies, 0);
});

t.test('while a token is judged, a second hello and voice are refused', async (t) => {
  const bench = new TokenBench();
  bench.hello(1);
  t.equal(refusalOf(bench.text(1, { ...helloOf(1), token: TOKEN })), 'already-joined');
  t.same(bench.judged(1, admittedOf(1)), [], 'the verdict comes too late');

  bench.hello(2);
  const verdict = bench.relay.handleVoice(2, frameOf(2), bench.now);
  t.equal(verdict.kind, 'drop');
  t.equal(refusalOf(verdict.outputs), 'hello-expected');
  t.same(bench.judged(2, admittedOf(2)), []);
  t.match(bench.relay.counts(), { participants: 0, publishedFrames: 0 });
});

t.test('a verdict for a connection that is gone or awaits none changes nothing', async (t) => {
  const bench = new TokenBench();
  t.same(bench.judged(7, admittedOf(7)), [], 'never connected');
  bench.hello(1);
  bench.close(1);
  t.same(bench.judged(1, admittedOf(1)), [], 'gone');
  bench.enter(2);
  t.same(bench.judged(2, admittedOf(2, { maySpeak: false })), [], 'in already');
  t.equal(bench.relay.handleVoice(2, frameOf(2), bench.now).kind, 'forward');
});

t.test('a hello whose verdict does not come is refused in time', async (t) => {
  const bench = new TokenBench();
  bench.hello(1);
  const outputs = bench.tickAt(bench.now + 5000);
  t.match(tellsOf(outputs)[0]?.[1], { code: 'hello-late', message: /the credential was not judged in time/ });
  t.same(bench.judged(1, admittedOf(1)), []);
});

t.test('a participant who may not speak is never published, and learns it from the welcome', async (t) => {
  const bench = new TokenBench();
  bench.enter(1);
  const [, welcome] = tellsOf(bench.enter(2, { maySpeak: false }))[0] ?? [];
  t.match(welcome, { type: 'welcome', speak: false });
  for (let sequence = 0; sequence < 10; sequence++) {
    const verdict = bench.relay.handleVoice(2, frameOf(2, { sequence }), bench.now + 20 * sequence);
    t.match(verdict, { kind: 'drop', reason: 'not-allowed', outputs: [] });
  }
  t.match(bench.relay.counts(), { publishedFrames: 0, drops: { 'not-allowed': 10 } });
});

t.test('a participant who may not listen hears nothing, but knows who is there', async (t) => {
  const bench = new TokenBench();
  bench.enter(1);
  const outputs = bench.enter(2, { mayListen: false });
  t.notOk(outputs.some(({ kind }) => kind === 'subscribe'));
  t.match(tellsOf(outputs)[0]?.[1], { type: 'welcome', listen: false, participants: [{ slot: 0 }] });
  t.equal(bench.relay.handleVoice(2, frameOf(2), bench.now).kind, 'forward', 'but may speak');
});

t.test('5 s after their token expires a participant is kicked, and the others see them leave', async (t) => {
  const bench = new TokenBench();
  bench.enter(1);
  bench.enter(2, { expiresAt: NOW + 60 });
  const enteredAt = bench.now;
  t.same(bench.tickAt(enteredAt + 64_999), []);
  const outputs = bench.tickAt(enteredAt + 65_000);
  t.match(deeds(outputs), [
    { kind: 'tell', connections: [2], message: { code: 'token-expired' } },
    { kind: 'unsubscribe', connection: 2 },
    { kind: 'tell', connections: [1], message: { type: 'left', slot: 1 } },
    { kind: 'close', connection: 2, code: 4012 },
  ]);
  t.equal(bench.relay.handleVoice(2, frameOf(2), bench.now + 60_001).kind, 'drop');
  t.equal(bench.relay.counts().participants, 1);
});

t.test('another clock tolerance also applies to the end of a token', async (t) => {
  const bench = new TokenBench({ clockToleranceS: 60 });
  bench.enter(1, { expiresAt: NOW + 60 });
  const enteredAt = bench.now;
  t.same(bench.tickAt(enteredAt + 119_999), []);
  t.match(deeds(bench.tickAt(enteredAt + 120_000)), [{ kind: 'tell', message: { code: 'token-expired' } }]);
});

t.test('when expired tokens are kept, a participant stays until they leave', async (t) => {
  const bench = new TokenBench({ atExpiry: 'keep' });
  bench.enter(1, { expiresAt: NOW + 1 });
  t.same(bench.tickAt(bench.now + 10_000), []);
  t.equal(bench.relay.counts().participants, 1);
});
