/** Who is parked, and who is not: docs/protocol.md, "Staleness". */

import fc from 'fast-check';
import t from 'tap';
import type { RelayOutput } from '../../../../relay/core/io.js';
import { writeAcknowledgement } from '../../../../voice/acknowledgement.js';
import { personSteamId } from '../../../../voice/steam_id.js';
import { samplesOfMs } from '../../../../voice/units.js';
import { Bench, deeds, frameOf, helloOf, steamIdOf, tellsOf } from '../../kit.js';

/** A relay whose clients acknowledge. */
class Stale extends Bench {
  /** Joins, long enough before anything is said. */
  enter(account: number, lobby = 'den'): readonly RelayOutput[] {
    this.now += 50;
    this.connect(account);
    return this.text(account, { ...helloOf(account, lobby), capabilities: ['stale'] });
  }

  /** The relay's clock, as in voice frames. */
  get time(): number {
    return Math.floor(this.now - 1000);
  }

  /** Publishes a frame; its relay time if it asks for acknowledgements. */
  speak(account: number, target = 0): number | null {
    if (this.relay.counts().publishedFrames === 0) this.now += 100;
    const timestamp = samplesOfMs(this.now);
    const verdict = this.voice(account, frameOf(account, { target, timestamp }));
    if (verdict.kind !== 'forward') throw new Error(`${verdict.kind}, expected it to be published`);
    return verdict.acknowledge ? verdict.relayTimeMs : null;
  }

  acknowledge(account: number, time: number): readonly RelayOutput[] {
    return this.voice(account, writeAcknowledgement(time)).outputs;
  }

  /** Time passes, with a tick whenever it is due at 25 ms. */
  wait(ms: number): readonly RelayOutput[] {
    const outputs: RelayOutput[] = [];
    const end = this.now + ms;
    while (this.now < end) outputs.push(...this.tickAt(Math.min(end, this.now + 25)));
    return outputs;
  }

  /** Somebody speaks for so long; these listeners acknowledge at once. */
  talk(account: number, ms: number, readers: readonly number[], target = 0): readonly RelayOutput[] {
    const outputs: RelayOutput[] = [];
    for (let at = 0; at < ms; at += 20) {
      const flagged = this.speak(account, target);
      outputs.push(...this.wait(20));
      if (flagged !== null) for (const reader of readers) outputs.push(...this.acknowledge(reader, flagged));
    }
    return outputs;
  }
}

const parkedOf = (outputs: readonly RelayOutput[]) =>
  tellsOf(outputs).flatMap(([to, { type }]) => (type === 'parked' ? to : []));

/** The relay time of the first `parked`. */
function parkedAt(outputs: readonly RelayOutput[]): number {
  for (const [, message] of tellsOf(outputs)) if (message.type === 'parked') return message.relayTimeMs;
  throw new Error('nobody is parked');
}

t.test('where nobody acknowledges, no frame asks for it', async (t) => {
  const bench = new Stale();
  bench.join(1);
  bench.join(2);
  for (let at = 0; at < 1000; at += 20) {
    t.equal(bench.speak(1), null);
    bench.now += 20;
  }
  bench.enter(3);
  bench.now += 200;
  t.ok(bench.speak(1), 'with the first who does, frames ask');
});

t.test('at most one frame of a lobby in 100 ms asks for acknowledgements', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  const flagged: number[] = [];
  for (let at = 0; at < 1000; at += 20) {
    const time = bench.speak(1);
    if (time !== null) flagged.push(time);
    bench.now += 20;
  }
  t.same(
    flagged,
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => 200 + 100 * number),
  );
});

t.test('a relay with little to do asks every 60 ms, one with much every 200 ms', async (t) => {
  for (const [load, every] of [
    [0.1, 60],
    [0.5, 100],
    [0.9, 200],
  ] as const) {
    const bench = new Stale();
    bench.enter(1);
    bench.enter(2);
    bench.relay.handle({ kind: 'tick', unixSeconds: bench.unixSeconds, load }, bench.now);
    const flagged: number[] = [];
    while (flagged.length < 4) {
      const time = bench.speak(1);
      if (time !== null) flagged.push(time);
      bench.now += 20;
    }
    t.same(
      flagged.map((time) => time - 200),
      [0, every, 2 * every, 3 * every],
      `load ${load}`,
    );
  }
});

t.test('while two speak, the frames of both ask, so that both are asked', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  const by: number[] = [];
  for (let at = 0; at < 2000; at += 20) {
    if (bench.speak(1) !== null) by.push(1);
    bench.now += 10;
    if (bench.speak(2) !== null) by.push(2);
    bench.now += 10;
  }
  t.ok(by.filter((one) => one === 1).length >= 5, `${by}`);
  t.ok(by.filter((one) => one === 2).length >= 5, `${by}`);
});

t.test('who acknowledges is not parked, whoever else is', async (t) => {
  const bench = new Stale();
  for (const account of [1, 2, 3]) bench.enter(account);
  const outputs = bench.talk(1, 2000, [2]);
  t.same(parkedOf(outputs), [3]);
  t.equal(bench.relay.counts().parks, 1);
});

t.test('who does not answer is parked after the budget, is told, and gets no more voice', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  const first = bench.speak(1)!;
  const parked = deeds(bench.wait(600)).filter(
    ({ kind, ...output }) =>
      kind === 'unsubscribe' || ('message' in output && output.message.type === 'parked'),
  );
  const relayTimeMs = parkedAt(parked);
  t.same(parked, [
    { kind: 'tell', connections: [2], message: { type: 'parked', relayTimeMs } },
    { kind: 'unsubscribe', connection: 2, topic: 'lobby/0' },
  ]);
  t.ok(relayTimeMs > first + 400, 'not within the budget, and 250 ms of a path that is not known yet');
  t.ok(relayTimeMs <= first + 450, 'nor much later');
  t.match(bench.relay.lobby('den')?.members, [{ parked: false }, { parked: true }]);
});

t.test('the acknowledgement of parked brings them back, and says what they missed', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  const time = parkedAt(bench.talk(1, 600, []));
  t.same(bench.acknowledge(2, time - 100), [], 'an older frame is not enough');
  const outputs = bench.acknowledge(2, time);
  t.same(deeds(outputs), [
    { kind: 'tell', connections: [2], message: { type: 'hears', next: [[0, 0, 30]], until: [[0, 0, 30]] } },
    { kind: 'tell', connections: [2], message: { type: 'live' } },
    { kind: 'subscribe', connection: 2, topic: 'lobby/0' },
  ]);
  t.match(bench.relay.counts(), { parks: 1, unparks: 1 });
  t.same(parkedOf(bench.talk(1, 2000, [2])), [], 'and they are not parked for what is over');
});

t.test('in silence nobody is parked who had read all, and nothing is left to do', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  bench.talk(1, 1000, [2]);
  t.same(parkedOf(bench.wait(60_000)), []);
});

t.test('who had not read the last flagged frame is parked, although nobody speaks any more', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  bench.talk(1, 1000, [2]);
  bench.speak(1);
  t.same(parkedOf(bench.wait(1000)), [2]);
});

t.test('a client that cannot acknowledge is never parked', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.join(2);
  t.same(parkedOf(bench.talk(1, 5000, [])), []);
});

t.test('a path that takes 400 ms parks nobody, once it is known', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  const due: { readonly at: number; readonly time: number }[] = [];
  const outputs: RelayOutput[] = [];
  for (let at = 0; at < 5000; at += 20) {
    const time = bench.speak(1);
    if (time !== null) due.push({ at: bench.now + 360, time });
    outputs.push(...bench.wait(20));
    while (due[0] && due[0].at <= bench.now) outputs.push(...bench.acknowledge(2, due.shift()!.time));
  }
  t.same(parkedOf(outputs), []);
});

t.test('nobody is given more than a second, however slow they say they are', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  const time = bench.speak(1)!;
  bench.now += 5000;
  bench.acknowledge(2, time);
  bench.speak(1);
  t.same(parkedOf(bench.wait(1150)), []);
  t.same(parkedOf(bench.wait(50)), [2]);
});

t.test('an acknowledgement of what is yet to come changes nothing', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  bench.speak(1);
  bench.acknowledge(2, bench.time + 1000);
  t.equal(bench.relay.counts().acknowledgements, 0);
  t.same(parkedOf(bench.wait(1000)), [2]);
});

t.test('an acknowledgement counts for the 10 ms behind the frame', async (t) => {
  const bench = new Stale();
  for (const account of [1, 2, 3]) bench.enter(account);
  bench.text(1, { type: 'channels', channels: ['red'] });
  bench.text(2, { type: 'channels', channels: ['red'] });
  const time = bench.speak(3)!;
  bench.now += 10;
  t.equal(bench.speak(1, 1), time + 10, 'a channel asks for itself');
  bench.acknowledge(2, time);
  bench.acknowledge(1, time);
  t.same(parkedOf(bench.wait(2000)), []);
});

t.test('channels, whispers and hearing sets are asked for by themselves', async (t) => {
  const bench = new Stale();
  for (const account of [1, 2, 3, 4, 5]) bench.enter(account);
  for (const account of [1, 2]) bench.text(account, { type: 'channels', channels: ['red'] });
  bench.text(1, { type: 'whisper', slots: [2] });
  const sets = [{ listener: steamIdOf(4), hears: [steamIdOf(1)] }];
  bench.admin({ kind: 'hear', lobby: 'den', sets });
  t.same(parkedOf(bench.talk(1, 1000, [], 1)), [2], 'who is in the channel');
  t.same(parkedOf(bench.talk(1, 1000, [], 255)), [3], 'to whom is whispered');
  t.same(parkedOf(bench.talk(1, 1000, [5])), [4], 'who hears them by a set');
});

t.test('who is parked keeps their place in channels and sets, and hears as the state is then', async (t) => {
  const bench = new Stale();
  for (const account of [1, 2, 3]) bench.enter(account);
  t.same(parkedOf(bench.talk(1, 600, [3])), [2]);
  const entered = deeds(bench.text(2, { type: 'channels', channels: ['red'] }));
  t.equal(entered.filter(({ kind }) => kind === 'subscribe').length, 0, 'nothing is subscribed meanwhile');
  const live = deeds(bench.acknowledge(2, bench.time));
  t.same(
    live.flatMap((output) => (output.kind === 'subscribe' ? [output.topic] : [])),
    ['lobby/0', 'lobby/0/c1'],
  );
});

t.test('who is parked, muted and unmuted is still parked', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  bench.talk(1, 600, []);
  const steamId = personSteamId(2).toString();
  bench.moderate('den', { action: 'deafen', steamId, until: 'forever' } as never);
  bench.moderate('den', { action: 'undeafen', steamId } as never);
  t.match(bench.relay.lobby('den')?.members[1], { parked: true });
  const live = deeds(bench.acknowledge(2, bench.time));
  t.ok(live.some(({ kind }) => kind === 'subscribe'));
});

t.test('frames that come late are counted, and go to nobody', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  bench.enter(2);
  bench.talk(1, 2000, [2]);
  const timestamp = samplesOfMs(bench.now);
  bench.now += 151;
  t.same(bench.voice(1, frameOf(1, { timestamp })), { kind: 'drop', reason: 'stale', outputs: [] });
  t.match(bench.relay.counts(), { drops: { stale: 1 } });
});

t.test('another connection is not parked', async (t) => {
  const bench = new Stale();
  bench.enter(1);
  const [[, welcome] = []] = tellsOf(bench.enter(2));
  bench.talk(1, 600, []);
  if (welcome?.type !== 'welcome' || !welcome.resume) throw new Error('no place is kept');
  bench.connect(7);
  const resumed = bench.text(7, {
    type: 'resume',
    versions: [1],
    capabilities: ['stale'],
    secret: welcome.resume.secret,
  });
  t.ok(deeds(resumed).some((output) => output.kind === 'subscribe' && output.connection === 7));
  t.match(bench.relay.lobby('den')?.members[1], { parked: false });
});

t.test(
  'a listener is parked if and only if they stall, whatever the delays, the jitter and the stalls',
  async () => {
    fc.assert(
      fc.property(
        fc.record({
          path: fc.integer({ min: 0, max: 300 }),
          jitter: fc.integer({ min: 0, max: 100 }),
          stallAt: fc.integer({ min: 1000, max: 3000 }),
          stall: fc.constantFrom(0, 20, 400, 3000),
          seed: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 50, maxLength: 50 }),
        }),
        ({ path, jitter, stallAt, stall, seed }) => {
          const bench = new Stale();
          bench.enter(1);
          bench.enter(2);
          const began = bench.now;
          // Everything that is on its way to the relay: acknowledgements keep their order.
          const due: { readonly at: number; readonly time: number }[] = [];
          let parks = 0;
          let lives = 0;
          const send = (time: number, number: number) => {
            const reads = bench.now - began;
            const stalled = reads >= stallAt && reads < stallAt + stall ? stallAt + stall - reads : 0;
            const takes = path + jitter * seed[number % seed.length]! + stalled;
            const last = due.at(-1)?.at ?? 0;
            due.push({ at: Math.max(last, bench.now + takes), time });
          };
          const take = (outputs: readonly RelayOutput[], number: number) => {
            for (const [, message] of tellsOf(outputs)) {
              if (message.type === 'parked') {
                parks += 1;
                send(message.relayTimeMs, number);
              }
              if (message.type === 'live') lives += 1;
            }
          };
          for (let number = 0; number < 500; number++) {
            const time = bench.speak(1);
            if (time !== null) send(time, number);
            take(bench.wait(20), number);
            while (due[0] && due[0].at <= bench.now) take(bench.acknowledge(2, due.shift()!.time), number);
          }
          return stall >= 400 ? parks === 1 && lives === 1 : parks === 0 && lives === 0;
        },
      ),
      { numRuns: 60 },
    );
  },
);
