/** What waits for Steam, by itself: events and instants go in, and the typed layer is not there to help. */

import t from 'tap';
import { type CallOptions, PendingCalls } from '../../native/pending_calls.js';
import type { SteamEvent } from '../../native/signals.js';
import { soon, watch } from './scripted_answers.js';

const PLAYER = 76561197960287930n;

function verdict(auth_id: bigint, response = 0): SteamEvent {
  return {
    signal: 'validate_auth_ticket_response',
    keys: { auth_id, response, owner_id: auth_id },
    call: 0n,
  };
}

function url(text: string, call: bigint): SteamEvent {
  return { signal: 'store_auth_url_response', keys: { url: text }, call };
}

function waitForVerdict(calls: PendingCalls, now = 0, options: CallOptions = {}, gaveUp?: () => void) {
  return watch(
    calls.wait(
      'authenticate',
      'validate_auth_ticket_response',
      0n,
      ({ auth_id }) => auth_id === PLAYER,
      now,
      options,
      { answered: ({ response }) => response, ...(gaveUp === undefined ? {} : { gaveUp }) },
    ),
  );
}

function waitForUrl(calls: PendingCalls, call: bigint) {
  return watch(
    calls.wait(
      'request a store URL',
      'store_auth_url_response',
      call,
      () => true,
      0,
      {},
      {
        answered: (keys) => keys.url,
      },
    ),
  );
}

t.test('a broadcast settles all promises that wait for it, a call result one', async (t) => {
  const calls = new PendingCalls();
  const verdicts = [waitForVerdict(calls), waitForVerdict(calls)];
  const urls = [waitForUrl(calls, 1n), waitForUrl(calls, 2n)];
  t.equal(calls.size, 4);
  calls.handle(verdict(PLAYER, 3));
  calls.handle(url('https://b', 2n));
  await soon();
  t.strictSame(verdicts, [{ value: 3 }, { value: 3 }]);
  t.strictSame(urls, [{}, { value: 'https://b' }]);
  t.equal(calls.size, 1);
});

t.test('the answer is used while the event is handled, before any promise runs', async (t) => {
  const calls = new PendingCalls();
  const order: string[] = [];
  const promise = calls.wait(
    'authenticate',
    'validate_auth_ticket_response',
    0n,
    () => true,
    0,
    {},
    {
      answered: () => order.push('answered'),
    },
  );
  calls.handle(verdict(PLAYER));
  order.push('handled');
  await promise;
  t.strictSame(order, ['answered', 'handled']);
});

t.test('an error in handling an answer is the promise’s reason, and gaveUp is not called', async (t) => {
  const calls = new PendingCalls();
  let gaveUp = 0;
  const outcome = watch(
    calls.wait(
      'authenticate',
      'validate_auth_ticket_response',
      0n,
      () => true,
      0,
      {},
      {
        answered: () => {
          throw new Error('refused');
        },
        gaveUp: () => {
          gaveUp += 1;
        },
      },
    ),
  );
  calls.handle(verdict(PLAYER));
  calls.expire(Number.MAX_SAFE_INTEGER);
  await soon();
  t.equal(outcome.failure?.message, 'refused');
  t.equal(gaveUp, 0);
});

t.test('an error in gaveUp is the promise’s reason, and the others give up as well', async (t) => {
  const calls = new PendingCalls();
  const broken = waitForVerdict(calls, 0, {}, () => {
    throw new Error('the pipe is broken');
  });
  let gaveUp = 0;
  const whole = waitForVerdict(calls, 0, {}, () => {
    gaveUp += 1;
  });
  calls.fail((action) => new Error(`closed: ${action}`));
  await soon();
  t.equal(broken.failure?.message, 'the pipe is broken');
  t.equal(whole.failure?.message, 'closed: authenticate');
  t.strictSame([gaveUp, calls.size], [1, 0]);
});

t.test('each wait has its own time limit, and gives up once', async (t) => {
  const calls = new PendingCalls();
  const gaveUp: string[] = [];
  const short = waitForVerdict(calls, 100, { timeoutMs: 50 }, () => gaveUp.push('short'));
  const usual = waitForVerdict(calls, 100, {}, () => gaveUp.push('usual'));
  calls.expire(149);
  t.strictSame(gaveUp, []);
  calls.expire(150);
  calls.expire(151);
  await soon();
  t.match(short.failure, { code: 'ERR_HOTMIC_STEAM_TIMEOUT', message: /50 ms/ });
  t.strictSame([gaveUp, usual, calls.size], [['short'], {}, 1]);
  calls.expire(20_100);
  await soon();
  t.match(usual.failure, { message: 'Cannot authenticate: no answer from Steam within 20000 ms' });
});

t.test('the count is reported whenever it changes, and only then', async (t) => {
  const counts: number[] = [];
  const calls = new PendingCalls((count) => counts.push(count));
  const controller = new AbortController();
  const outcomes = [waitForVerdict(calls), waitForVerdict(calls, 0, { signal: controller.signal })];
  calls.handle(verdict(1n));
  calls.expire(1);
  t.strictSame(counts, [1, 2]);
  controller.abort();
  calls.handle(verdict(PLAYER));
  calls.fail(() => new Error('nobody is left'));
  await soon();
  t.strictSame(counts, [1, 2, 1, 0]);
  t.equal(outcomes[0]?.value, 0);
});

t.test('options are checked before Steam is called, and leave nothing behind', async (t) => {
  const counts: number[] = [];
  const calls = new PendingCalls((count) => counts.push(count));
  t.throws(() => calls.check('ask', { timeoutMs: 0 }), RangeError);
  t.throws(() => calls.check('ask', { signal: AbortSignal.abort(new Error('gone')) }), /gone/);
  calls.check('ask', {});
  calls.check('ask', { timeoutMs: 1, signal: new AbortController().signal });
  t.strictSame([counts, calls.size], [[], 0]);
  const waiting = Array.from({ length: 256 }, () => waitForVerdict(calls));
  t.throws(() => calls.check('ask', {}), { code: 'ERR_HOTMIC_STEAM_CALL', message: /256/ });
  calls.handle(verdict(PLAYER));
  await soon();
  t.ok(waiting.every(({ value }) => value === 0));
  calls.check('ask', {});
});
