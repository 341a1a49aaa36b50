/** The one timer of the relay: it rings for what is due, in time, seldom, and not at all when nothing is. */

import t from 'tap';
import { Alarm, RINGS_APART_MS, type Timed } from '../../../relay/system/alarm.js';

/** A clock with timers that fire when it is moved; late or early by as much as is said. */
class FakeTime {
  now = 0;
  set = 0;
  #timer: { readonly at: number; readonly callback: () => void } | null = null;

  readonly setTimer = (callback: () => void, ms: number) => {
    const timer = { at: this.now + ms, callback };
    this.#timer = timer;
    this.set += 1;
    return () => {
      if (this.#timer === timer) this.#timer = null;
    };
  };

  get next(): number | null {
    return this.#timer?.at ?? null;
  }

  passTo(now: number): void {
    while (this.#timer && this.#timer.at <= now) {
      const { at, callback } = this.#timer;
      this.#timer = null;
      this.now = at;
      callback();
    }
    this.now = now;
  }

  fire(): void {
    const callback = this.#timer?.callback;
    this.#timer = null;
    callback?.();
  }
}

class Part implements Timed {
  readonly tickedAt: number[] = [];
  next = Number.POSITIVE_INFINITY;

  deadline(): number {
    return this.next;
  }

  tick(now: number): void {
    this.tickedAt.push(now);
    this.next = Number.POSITIVE_INFINITY;
  }
}

const parts = () => [new Part(), new Part()] as const;

t.test('without a deadline there is no timer', async (t) => {
  const time = new FakeTime();
  new Alarm(parts(), () => time.now, time.setTimer).start();
  t.equal(time.set, 0);
});

t.test('each part is ticked at its deadline, and no other', async (t) => {
  const time = new FakeTime();
  const [first, second] = parts();
  const alarm = new Alarm([first, second], () => time.now, time.setTimer);
  first.next = 100;
  alarm.start();
  second.next = 40;
  alarm.wakeAt(40);
  first.next = 130;
  time.passTo(1000);
  t.same([first.tickedAt, second.tickedAt], [[130], [40]]);
  t.equal(time.next, null);
});

t.test('a deadline that is farther than the timer sets none', async (t) => {
  const time = new FakeTime();
  const [part] = parts();
  const alarm = new Alarm([part], () => time.now, time.setTimer);
  part.next = 100;
  alarm.start();
  for (let now = 0; now < 100; now += 1) alarm.wakeAt(100 + now);
  t.equal(time.set, 1);
});

t.test('however many deadlines there are, it rings once in a while for all of them', async (t) => {
  const time = new FakeTime();
  const part = new Part();
  const alarm = new Alarm([part], () => time.now, time.setTimer);
  alarm.start();
  for (let now = 0; now < 1000; now += 0.25) {
    time.passTo(now);
    part.next = Math.min(part.next, now);
    alarm.wakeAt(part.next);
  }
  t.ok(part.tickedAt.length <= 1000 / RINGS_APART_MS, `${part.tickedAt.length} rings`);
  t.ok(part.tickedAt.length >= 150, 'and none waits for long');
});

t.test('a timer that fires early is set again', async (t) => {
  const time = new FakeTime();
  const [part] = parts();
  part.next = 10.5;
  new Alarm([part], () => time.now, time.setTimer).start();
  time.now = 10.25;
  time.fire();
  t.same(part.tickedAt, []);
  time.passTo(20);
  t.same(part.tickedAt, [11.25]);
});

t.test('before the start and after the end nothing rings', async (t) => {
  const time = new FakeTime();
  const [part] = parts();
  part.next = 5;
  const alarm = new Alarm([part], () => time.now, time.setTimer);
  alarm.wakeAt(5);
  t.equal(time.set, 0);
  alarm.start();
  alarm.stop();
  alarm.wakeAt(1);
  time.passTo(100);
  t.same(part.tickedAt, []);
});

t.test('a deadline beyond the range of timers is waited for in pieces', async (t) => {
  const time = new FakeTime();
  const [part] = parts();
  part.next = 2 ** 33;
  new Alarm([part], () => time.now, time.setTimer).start();
  time.passTo(2 ** 33);
  t.same(part.tickedAt, [2 ** 33]);
  t.ok(time.set > 2 && time.set < 200);
});
