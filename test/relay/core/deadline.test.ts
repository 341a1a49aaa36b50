/** Ticks at the deadlines that the relay names do all that ticks at every millisecond do, and at the same instants. */

import t from 'tap';
import type { RelayOutput } from '../../../relay/core/io.js';
import { writeAcknowledgement } from '../../../voice/acknowledgement.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { admittedOf, Bench, frameOf, helloOf, resumeSecretOf, steamIdOf, TOKEN, tellsOf } from '../kit.js';

t.comment(`seed ${SEED}`);

const STEPS = 4000;
const ACCOUNTS = 6;
const LIMITS = {
  participantsPerLobby: 5,
  listenerPlacesPercent: 20,
  helloWithinMs: 300,
  resumeWithinMs: 200,
  slotRestMs: 201,
  speakingHangoverMs: 50,
  hearingPerSecond: 8,
  hearingBurst: 1,
  controlPerSecond: 1000,
  controlBurst: 10_000,
};

/** Something that happens to a relay. Given to two of them, it does the same to both. */
type Act = (bench: Bench) => readonly RelayOutput[];

/** What happens next in the life of a relay, at random. Nothing here reads the relay but its answers. */
class Life {
  readonly #random = new SeededRandom(SEED);
  readonly #secrets: string[] = [];
  #connections = 0;

  below(limit: number): number {
    return this.#random.below(limit);
  }

  next(): Act {
    const connection = Math.max(0, this.#connections - 1 - this.below(12));
    const account = 1 + this.below(ACCOUNTS);
    switch (this.below(14)) {
      case 0: {
        const id = this.#connections++;
        return (bench) => bench.connect(id);
      }
      case 1:
      case 2: {
        const id = this.#connections++;
        const maySpeak = this.below(2) === 0;
        const expires = this.below(3) === 0 ? 1 + this.below(2) : 3600;
        const capabilities = ['stale', 'heartbeat'].filter(() => this.below(2) === 0);
        return (bench) => {
          const admitted = admittedOf(account, { maySpeak, expiresAt: bench.unixSeconds + expires - 5 });
          const hello = { ...helloOf(account), token: TOKEN, capabilities: [...capabilities] };
          const outputs = [...bench.connect(id), ...bench.text(id, hello)];
          return [...outputs, ...bench.judged(id, admitted)];
        };
      }
      case 3: {
        const secret = this.#secrets.at(-1 - this.below(4));
        if (secret === undefined) return () => [];
        const id = this.#connections++;
        return (bench) => bench.resume(id, secret);
      }
      case 4:
        return (bench) => bench.close(connection);
      case 5: {
        const hears = this.below(2) === 0 ? null : [steamIdOf(1 + this.below(ACCOUNTS))];
        return (bench) =>
          bench.admin({ kind: 'hear', lobby: 'den', sets: [{ listener: steamIdOf(account), hears }] })
            .outputs;
      }
      case 6:
        return (bench) => bench.text(connection, { type: 'leave' });
      case 7:
        return (bench) => bench.voice(connection, writeAcknowledgement(Math.floor(bench.now - 1000))).outputs;
      default: {
        const terminator = this.below(4) === 0;
        return (bench) => {
          const verdict = bench.voice(connection, frameOf(account, { terminator }));
          return verdict.outputs;
        };
      }
    }
  }

  /** Secrets that the outputs have are used later. */
  learn(outputs: readonly RelayOutput[]): void {
    if (!tellsOf(outputs).some(([, message]) => message.type === 'welcome' && message.resume)) return;
    this.#secrets.push(resumeSecretOf(outputs));
  }
}

/** What anybody can see of a relay. */
function seen({ relay }: Bench): unknown {
  const lobbies = relay.lobbies().map(({ name }) => [relay.lobby(name), relay.unlisted(name)]);
  return JSON.stringify([relay.counts(), lobbies, relay.sanctions()]);
}

t.test(
  'a relay that is ticked at its deadlines only does what one does that is ticked all the time',
  async (t) => {
    const policy = { unproven: 'refuse', atExpiry: 'close', secondJoin: 'replace' } as const;
    const often = new Bench(LIMITS, policy);
    const seldom = new Bench(LIMITS, policy);
    const life = new Life();
    const kinds = new Map<string, number>();
    let ticks = 0;
    let faults = 0;
    const same = (left: unknown, right: unknown, what: string) => {
      if (JSON.stringify(left) === JSON.stringify(right)) return;
      faults += 1;
      t.same(left, right, what);
    };
    for (let step = 0; step < STEPS && faults === 0; step += 1) {
      const act = life.next();
      const outputs = act(often);
      same(outputs, act(seldom), `step ${step}`);
      life.learn(outputs);
      const until = often.now + (life.below(8) === 0 ? life.below(400) : life.below(20));
      for (let now = often.now; now <= until && faults === 0; now += 1) {
        seldom.now = now;
        for (const bench of [often, seldom]) bench.unixSeconds = 2_000_000_000 + Math.floor(now / 1000);
        const done = often.tickAt(now);
        let expected: readonly RelayOutput[] = [];
        if (seldom.relay.deadline() <= now) {
          expected = seldom.tickAt(now);
          ticks += 1;
          same(seldom.relay.deadline() > now, true, 'the next deadline is later');
        }
        same(done, expected, `a tick at ${now}`);
        for (const [, message] of tellsOf(done)) {
          kinds.set(message.type, (kinds.get(message.type) ?? 0) + 1);
        }
      }
      same(seen(often), seen(seldom), `after step ${step}`);
    }
    t.equal(faults, 0);
    for (const kind of ['refused', 'left', 'speaking', 'unlisted', 'hears', 'parked', 'heartbeat']) {
      t.ok((kinds.get(kind) ?? 0) >= 5, `ticks told ${kind} ${kinds.get(kind) ?? 0} times`);
    }
    t.comment(`${ticks} ticks in ${seldom.now} ms`);
  },
);

t.test('a relay in which people are silent has nothing to do, however many they are', async (t) => {
  const bench = new Bench();
  t.equal(bench.relay.deadline(), Number.POSITIVE_INFINITY);
  for (let account = 1; account <= 10; account += 1) bench.join(account);
  t.equal(bench.relay.deadline(), Number.POSITIVE_INFINITY);
});

t.test('a sanction ends at most 100 ms late, and is looked at rarely until then', async (t) => {
  const bench = new Bench({}, {}, [], {});
  /** Where the second begins is not known to the core. */
  for (const phase of [0, 1, 499, 998, 999]) {
    const at = bench.now;
    const unixAt = (now: number) => 2_000_000_000 + Math.floor((now + phase) / 1000);
    bench.unixSeconds = unixAt(at);
    bench.moderate('den', { steamId: steamIdOf(7), action: 'mute', seconds: 60 });
    // Unix time is in whole seconds, and none ends early.
    const end = bench.unixSeconds + 61;
    let ticks = 0;
    while (bench.relay.counts().sanctions > 0) {
      bench.now = Math.max(bench.now, bench.relay.deadline());
      bench.unixSeconds = unixAt(bench.now);
      bench.tickAt(bench.now);
      ticks += 1;
    }
    t.ok(bench.unixSeconds >= end, 'not early');
    t.ok(unixAt(bench.now - 100) < end, 'not late');
    t.ok(ticks <= 7 + 11, `${ticks} ticks`);
  }
});

t.test('while there are sanctions, a clock that was set back is noticed within ten seconds', async (t) => {
  const bench = new Bench();
  bench.moderate(null, { steamId: steamIdOf(7), action: 'ban' });
  bench.tickAt(bench.now);
  t.equal(bench.relay.deadline(), bench.now + 10_000);
});

t.test('sanctions from before are looked at as soon as the relay runs', async (t) => {
  const kept = {
    lobby: null,
    steamId: steamIdOf(7),
    muted: 5,
    deafened: 'not',
    banned: 'not',
    by: null,
  } as const;
  const bench = new Bench({}, {}, [kept]);
  t.equal(bench.relay.deadline(), Number.NEGATIVE_INFINITY);
  bench.tickAt(bench.now);
  t.equal(bench.relay.counts().sanctions, 0);
  t.equal(bench.relay.deadline(), bench.now + 10_000);
});
