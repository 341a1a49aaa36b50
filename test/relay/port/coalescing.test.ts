/** Which frames wait to be sent together, for how long, and that none of them is lost or out of order. */

import t from 'tap';
import { CredentialJudge } from '../../../relay/admission/judges.js';
import { RecentTalkers } from '../../../relay/core/lobby/recent_talkers.js';
import { AddressLimits } from '../../../relay/port/address_limits.js';
import { CoalescingWindow } from '../../../relay/port/coalescing_window.js';
import { HeldFrames } from '../../../relay/port/held_frames.js';
import { type Socket, Switchboard } from '../../../relay/port/switchboard.js';
import { readVoiceHeader } from '../../../voice/wire.js';
import { Bench, bytesOf, frameOf, helloOf } from '../kit.js';

t.test('the window is 0 in an idle relay, 5 ms at most in a busy one, and moves slowly', async (t) => {
  const window = new CoalescingWindow();
  const windows: number[] = [];
  for (let now = 0; now < 1000; now += 10) {
    window.step(0.9, now);
    windows.push(window.ms);
  }
  t.same(windows.slice(0, 11), [0.5, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1, 1, 1.5]);
  t.equal(windows.at(-1), 5);
  window.step(0.47, 2000);
  t.equal(window.ms, 5, 'between the two loads it stays');
  for (let now = 3000; now < 4000; now += 50) window.step(0.1, now);
  t.equal(window.ms, 0);
});

t.test('two who speak in turns are several; one, or one who takes over, is not', async (t) => {
  const talkers = new RecentTalkers();
  for (let now = 0; now < 200; now += 20) t.equal(talkers.note('a', now), 'one');
  t.equal(talkers.note('b', 200), 'one', 'b takes over');
  t.equal(talkers.note('b', 220), 'one');
  t.equal(talkers.note('a', 230), 'several');
  t.equal(talkers.note('b', 240), 'several');
  t.equal(talkers.note('b', 500), 'one', 'a is silent');
});

t.test(
  'held frames are copies, come in the order of their lobby, and do not outgrow the buffer',
  async (t) => {
    const published: string[] = [];
    const publisher = { publish: (topic: string, bytes: Uint8Array) => published.push(`${topic} ${bytes}`) };
    const held = new HeldFrames(8);
    const [den, attic] = [{}, {}];
    const lent = Uint8Array.of(1, 2, 3);
    t.ok(held.hold(den, publisher, 'den', null, lent));
    lent.fill(9);
    t.ok(held.hold(attic, publisher, 'attic', 'attic/s1', lent));
    t.notOk(held.hold(den, publisher, 'den', null, lent), 'no room');
    held.release(den);
    t.same(published, ['den 1,2,3']);
    t.ok(held.hold(den, publisher, 'den', null, Uint8Array.of(4, 5)));
    held.releaseAll();
    t.same(published.slice(1), ['attic 9,9,9', 'attic/s1 9,9,9', 'den 4,5']);
    t.ok(held.isEmpty);
    t.ok(held.hold(den, publisher, 'den', null, new Uint8Array(8)), 'the buffer is free again');
  },
);

/** A switchboard of a busy relay. What its sockets publish and send is in `sent`. */
class Busy {
  readonly sent: string[] = [];
  now = 1000;
  load = 0.9;
  readonly #bench = new Bench();
  readonly #timers: (() => void)[] = [];
  readonly #switchboard = new Switchboard({
    relay: this.#bench.relay,
    judge: new CredentialJudge({ tokens: null, webTickets: null, appTickets: null, development: true }),
    addresses: new AddressLimits(),
    now: () => this.now,
    unixSeconds: () => 2_000_000_000,
    keep: () => undefined,
    onEvent: () => undefined,
    onStage: null,
    load: () => this.load,
    setTimer: (callback) => {
      this.#timers.push(callback);
      return () => undefined;
    },
    afterTurn: (callback) => callback(),
    onEmpty: () => undefined,
    onDeadline: () => undefined,
  });

  enter(id: number): Socket {
    const socket: Socket = {
      data: { id, address: null },
      send: (text) => {
        this.sent.push(`${id} ${(JSON.parse(text) as { type: string }).type}`);
        return 'sent';
      },
      publish: (_, bytes) => {
        const header = readVoiceHeader(bytes);
        if (header.kind === 'header') this.sent.push(`frame ${header.sequence} of ${header.slot}`);
      },
      subscribe: () => undefined,
      unsubscribe: () => undefined,
      end: () => undefined,
      cut: () => undefined,
    };
    this.#switchboard.open(socket);
    this.say(socket, bytesOf(helloOf(id)));
    return socket;
  }

  say(socket: Socket, bytes: Uint8Array): void {
    this.#switchboard.receive(socket, bytes.slice(), 'text');
  }

  speak(socket: Socket, sequence: number, terminator = false): void {
    this.now += 10;
    const frame = frameOf(socket.data.id, { sequence, terminator });
    this.#switchboard.receive(socket, frame, 'binary');
  }

  /** The timers ring. */
  ring(): void {
    for (const callback of this.#timers.splice(0)) callback();
  }

  close(socket: Socket): void {
    this.#switchboard.closed(socket);
  }

  get frames(): readonly string[] {
    return this.sent.filter((text) => text.startsWith('frame'));
  }
}

t.test('one who speaks waits for nothing, however busy the relay is', async (t) => {
  const busy = new Busy();
  const [first] = [busy.enter(1), busy.enter(2)];
  for (let sequence = 0; sequence < 50; sequence++) {
    busy.speak(first, sequence);
    t.equal(busy.frames.length, sequence + 1);
  }
});

t.test('two wait for one timer, and keep their order; in an idle relay they do not', async (t) => {
  const busy = new Busy();
  const [first, second] = [busy.enter(1), busy.enter(2)];
  for (let sequence = 0; sequence < 3; sequence++) {
    busy.speak(first, sequence);
    busy.speak(second, sequence);
  }
  const begun = busy.frames.length;
  t.ok(begun < 6, 'some wait');
  busy.ring();
  t.equal(busy.frames.length, 6);
  for (const slot of [0, 1]) {
    const own = busy.frames.filter((text) => text.endsWith(`of ${slot}`));
    t.same(
      own,
      [0, 1, 2].map((sequence) => `frame ${sequence} of ${slot}`),
    );
  }
  busy.load = 0;
  for (let sequence = 3; sequence < 60; sequence++) {
    busy.speak(first, sequence);
    busy.speak(second, sequence);
    busy.ring();
  }
  const before = busy.frames.length;
  busy.speak(first, 60);
  t.equal(busy.frames.length, before + 1);
});

t.test('a message about the lobby comes after the frames before it', async (t) => {
  const busy = new Busy();
  const [first, second] = [busy.enter(1), busy.enter(2)];
  for (let sequence = 0; sequence < 3; sequence++) {
    busy.speak(first, sequence);
    busy.speak(second, sequence);
  }
  busy.say(second, bytesOf({ type: 'rename', name: 'Robin' }));
  t.equal(busy.frames.length, 6);
  t.match(busy.sent.slice(-2), ['1 changed', '2 changed']);
});

t.test("a frame's own messages come after it, and after what its lobby waited for", async (t) => {
  const busy = new Busy();
  const [first, second] = [busy.enter(1), busy.enter(2)];
  for (let sequence = 0; sequence < 3; sequence++) {
    busy.speak(first, sequence);
    busy.speak(second, sequence);
  }
  busy.speak(second, 3, true);
  t.match(busy.sent.slice(-2), ['frame 3 of 1', '1 speaking']);
  t.equal(busy.frames.length, 7);
});
