/**
 * The typed layer over a scripted Steam: each promise is settled by its own event and no other, what was taken from Steam is
 * given back once, and no listener can break the frame. Time is a number that the test moves.
 */

import { deepEqual, equal } from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { HeldTicket } from '../../native/held_ticket.js';
import type { Steam } from '../../native/steam.js';
import { openScripted, type ScriptedOpening, type ScriptedUser } from './scripted_user.js';

const PLAYER = 76561197960287930n;
const OTHER = 76561197960287931n;
const TICKET = Uint8Array.of(1, 2, 3);
const DEFAULT_TIMEOUT_MS = 20_000;

const DURATION = {
  app_id: 480,
  applicable: true,
  seconds_last_5hrs: 60,
  progress: 0,
  notification: 0,
  notification_verbal: 'no notification',
  seconds_today: 70,
  seconds_remaining: 80,
};
const MARKET = {
  is_allowed: true,
  disallow_reason: 0,
  allowed_at_time: 0,
  steam_guard_required_days: 15,
  new_device_cooldown: 7,
};

/** What became of a promise so far; undefined while it waits. */
interface Outcome<T> {
  value?: T;
  failure?: { readonly message: string; readonly code?: string; readonly result?: number };
}

function watch<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = {};
  promise.then(
    (value) => {
      outcome.value = value;
    },
    (failure) => {
      outcome.failure = failure;
    },
  );
  return outcome;
}

/** Lets everything that is due run; no time passes for Steam. */
const soon = () => new Promise((resolve) => setImmediate(resolve));

async function frame(steam: Steam): Promise<number> {
  const count = steam.runCallbacks();
  await soon();
  return count;
}

function confirm(under: ScriptedUser, auth_ticket: number, result = 1): void {
  under.send('get_auth_session_ticket_response', { auth_ticket, result });
}

function webTicket(under: ScriptedUser, auth_ticket: number, bytes: readonly number[], result = 1): void {
  under.send('get_ticket_for_web_api', {
    auth_ticket,
    result,
    ticket_size: bytes.length,
    ticket_buffer: Uint8Array.from(bytes),
  });
}

function judge(under: ScriptedUser, auth_id: bigint, response: number, owner_id = auth_id): void {
  under.send('validate_auth_ticket_response', { auth_id, response, owner_id });
}

/** Handles that were cancelled, in order. */
const cancelled = (under: ScriptedUser) => under.argumentsOf('cancelAuthTicket').map(([handle]) => handle);
const ended = (under: ScriptedUser) => under.argumentsOf('endAuthSession').map(([steamId]) => steamId);

/** Each kind of promise, and the event that is its answer. */
const CALLS: readonly (readonly [
  name: string,
  ask: (steam: Steam, options?: object) => Promise<unknown>,
  answer: (under: ScriptedUser) => void,
])[] = [
  ['getAuthSessionTicket', (s, o) => s.getAuthSessionTicket(0n, o), (u) => confirm(u, 1)],
  ['getAuthTicketForWebApi', (s, o) => s.getAuthTicketForWebApi('', o), (u) => webTicket(u, 1, [9])],
  [
    'requestEncryptedAppTicket',
    (s, o) => s.requestEncryptedAppTicket('x', o),
    (u) => {
      u.answers.getEncryptedAppTicket = () => TICKET;
      u.send('encrypted_app_ticket_response', { result: 1 }, 1n);
    },
  ],
  [
    'requestStoreAuthURL',
    (s, o) => s.requestStoreAuthURL('https://shop.example', o),
    (u) => u.send('store_auth_url_response', { url: 'https://store.example' }, 1n),
  ],
  [
    'getMarketEligibility',
    (s, o) => s.getMarketEligibility(o),
    (u) => u.send('market_eligibility_response', MARKET, 1n),
  ],
  [
    'getDurationControl',
    (s, o) => s.getDurationControl(o),
    (u) => u.send('duration_control', { result: 1, duration: DURATION }, 1n),
  ],
  ['beginAuthSession', (s, o) => s.beginAuthSession(TICKET, PLAYER, o), (u) => judge(u, PLAYER, 0)],
];

/** What was taken of Steam must have been given back: by name, the ids. */
function givenBack(name: string, under: ScriptedUser): readonly unknown[] {
  return name === 'beginAuthSession' ? ended(under) : cancelled(under);
}

const TAKEN: Readonly<Record<string, readonly unknown[]>> = {
  getAuthSessionTicket: [1],
  getAuthTicketForWebApi: [1],
  beginAuthSession: [PLAYER],
};

t.test('an open Steam says which it is, and has the User class', async (t) => {
  const { steam } = openScripted();
  t.equal(steam.kind, 'real');
  t.equal(steam.report.interfaceVersion, 'SteamUser023');
  t.equal(steam.isClosed, false);
  t.equal(steam.user.getSteamID(), 76561197960265729n);
  t.equal(steam.runCallbacks(), 0);
});

for (const [name, ask, answer] of CALLS) {
  t.test(`${name} waits for its answer, takes no real time, and is then over`, async (t) => {
    const { steam, under, pending } = openScripted();
    const outcome = watch(ask(steam));
    t.equal(await frame(steam), 0);
    t.strictSame(outcome, {});
    t.strictSame(pending, [1]);
    answer(under);
    t.equal(await frame(steam), 1);
    t.ok(outcome.value !== undefined, 'settled');
    t.strictSame(pending, [1, 0]);
  });

  t.test(`${name} gives up when its time is over by the clock, and not before`, async (t) => {
    for (const [options, limitMs] of [
      [undefined, DEFAULT_TIMEOUT_MS],
      [{ timeoutMs: 1 }, 1],
      [{ timeoutMs: 3_600_000 }, 3_600_000],
    ] as const) {
      const { steam, under, clock, pending } = openScripted();
      const outcome = watch(ask(steam, options));
      clock.nowMs += limitMs - 0.5;
      await frame(steam);
      t.strictSame(outcome, {}, 'still time');
      clock.nowMs += 1;
      await frame(steam);
      t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_TIMEOUT', message: /^Cannot .+ ms$/ });
      t.strictSame(givenBack(name, under), TAKEN[name] ?? []);
      t.strictSame(pending, [1, 0]);
      answer(under);
      t.equal(await frame(steam), 1, 'what comes late is nobody’s');
      t.strictSame(givenBack(name, under), TAKEN[name] ?? [], 'and given back once');
      steam.close();
      t.strictSame(givenBack(name, under), TAKEN[name] ?? []);
    }
  });

  t.test(`${name} counts an answer that comes with the frame in which its time is over`, async (t) => {
    const { steam, under, clock } = openScripted();
    const outcome = watch(ask(steam));
    clock.nowMs += DEFAULT_TIMEOUT_MS * 2;
    answer(under);
    await frame(steam);
    t.ok(outcome.value !== undefined);
  });

  t.test(`${name} asks nothing of Steam when its signal is aborted already`, async (t) => {
    const { steam, under, pending } = openScripted();
    const reason = new Error('went away');
    const outcome = watch(ask(steam, { signal: AbortSignal.abort(reason) }));
    await soon();
    t.equal(outcome.failure, reason);
    t.strictSame(under.calls, []);
    t.strictSame(pending, []);
  });

  t.test(`${name} gives up with the reason when it is aborted, and gives back what it took`, async (t) => {
    const { steam, under } = openScripted();
    const controller = new AbortController();
    const outcome = watch(ask(steam, { signal: controller.signal }));
    const reason = { any: 'thing' };
    controller.abort(reason);
    t.strictSame(givenBack(name, under), TAKEN[name] ?? [], 'at once');
    await soon();
    t.equal(outcome.failure, reason as never);
    answer(under);
    await frame(steam);
    steam.close();
    t.strictSame(givenBack(name, under), TAKEN[name] ?? [], 'once');
    t.equal(getEventListeners(controller.signal, 'abort').length, 0);
  });

  t.test(`${name} does not mind its signal once it is over, and leaves no listener on it`, async (t) => {
    const { steam, under, clock } = openScripted();
    const controller = new AbortController();
    const outcome = watch(ask(steam, { signal: controller.signal }));
    t.equal(getEventListeners(controller.signal, 'abort').length, 1);
    answer(under);
    await frame(steam);
    t.equal(getEventListeners(controller.signal, 'abort').length, 0);
    controller.abort();
    await soon();
    t.ok(outcome.value !== undefined && outcome.failure === undefined);
    t.strictSame(givenBack(name, under), [], 'a ticket or session that was given stays');
    const late = new AbortController();
    watch(ask(steam, { signal: late.signal }));
    clock.nowMs += DEFAULT_TIMEOUT_MS;
    await frame(steam);
    t.equal(getEventListeners(late.signal, 'abort').length, 0, 'nor after its time was over');
  });

  t.test(`${name} is rejected by close, which gives back what it took before Steam is closed`, async (t) => {
    const { steam, under, pending } = openScripted();
    const controller = new AbortController();
    const outcome = watch(ask(steam, { signal: controller.signal }));
    steam.close();
    await soon();
    t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_CLOSED' });
    t.strictSame(givenBack(name, under), TAKEN[name] ?? []);
    t.equal(under.calls.at(-1)?.[0], 'close', 'and then nothing more');
    t.strictSame(pending, [1, 0]);
    t.equal(getEventListeners(controller.signal, 'abort').length, 0);
    const afterwards = watch(ask(steam));
    await soon();
    t.match(afterwards.failure, { code: 'ERR_HOTMIC_STEAM_CLOSED' });
    t.equal(under.calls.at(-1)?.[0], 'close');
  });

  t.test(`${name}, answered and closed in one frame by a listener, leaves nothing taken`, async (t) => {
    const { steam, under } = openScripted();
    for (const signal of ['get_auth_session_ticket_response', 'get_ticket_for_web_api'] as const) {
      steam.user.on(signal, () => steam.close());
    }
    steam.user.on('validate_auth_ticket_response', () => steam.close());
    const outcome = watch(ask(steam));
    answer(under);
    await frame(steam);
    steam.close();
    if (outcome.value instanceof HeldTicket) outcome.value.cancel();
    t.strictSame(givenBack(name, under), TAKEN[name] ?? []);
    t.equal(under.calls.at(-1)?.[0], 'close');
  });

  t.test(`${name} refuses a time limit out of range, and asks nothing`, async (t) => {
    const { steam, under } = openScripted();
    for (const timeoutMs of [0, -1, 0.5, 3_600_001, Number.NaN, Number.POSITIVE_INFINITY, '5000']) {
      const outcome = watch(ask(steam, { timeoutMs }));
      await soon();
      t.ok(outcome.failure instanceof RangeError, `${timeoutMs}`);
      t.match(outcome.failure?.message, /timeoutMs is .+, wants 1 to 3600000/);
    }
    t.strictSame(under.calls, []);
  });
}

t.test('at most 256 promises wait: the next is refused and asks nothing, until one is over', async (t) => {
  const { steam, under, pending } = openScripted();
  const waiting = Array.from({ length: 256 }, () => watch(steam.getMarketEligibility()));
  t.equal(pending.at(-1), 256);
  const asked = under.calls.length;
  const refused = watch(steam.getAuthSessionTicket());
  await soon();
  t.match(refused.failure, { code: 'ERR_HOTMIC_STEAM_CALL', message: /256/ });
  t.equal(under.calls.length, asked);
  under.send('market_eligibility_response', MARKET, 200n);
  await frame(steam);
  t.strictSame(
    waiting.map(({ value }) => value !== undefined).reduce((sum, is) => sum + Number(is), 0),
    1,
  );
  t.ok(waiting[199]?.value, 'the one whose handle it was');
  const taken = watch(steam.getAuthSessionTicket());
  confirm(under, 1);
  await frame(steam);
  t.ok(taken.value);
});

t.test('a session ticket is given when Steam confirms it, with its handle and bytes', async (t) => {
  const { steam, under } = openScripted();
  under.answers.getAuthSessionTicket = () => ({ id: 77, buffer: TICKET, size: 3 });
  const outcome = watch(steam.getAuthSessionTicket(OTHER));
  t.strictSame(under.argumentsOf('getAuthSessionTicket'), [[OTHER]]);
  confirm(under, 76);
  webTicket(under, 77, [5]);
  judge(under, OTHER, 0);
  await frame(steam);
  t.strictSame(outcome, {}, 'other tickets’ events are not its own');
  confirm(under, 77);
  await frame(steam);
  t.equal(outcome.value?.handle, 77);
  t.strictSame(Uint8Array.from(outcome.value?.bytes ?? []), TICKET);
});

t.test('a ticket for the Web API is what its own event brings, hex two digits a byte', async (t) => {
  const { steam, under } = openScripted();
  const outcome = watch(steam.getAuthTicketForWebApi('service'));
  t.strictSame(under.argumentsOf('getAuthTicketForWebApi'), [['service']]);
  webTicket(under, 2, [1, 1]);
  confirm(under, 1);
  await frame(steam);
  t.strictSame(outcome, {});
  webTicket(under, 1, [0, 1, 10, 255]);
  await frame(steam);
  t.equal(outcome.value?.hex, '00010aff');
  t.strictSame(outcome.value?.bytes, Uint8Array.of(0, 1, 10, 255));
});

t.test('hex is of the ticket’s own bytes, wherever in memory they lie', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(9), fc.nat(9), (bytes, before, behind) => {
      const memory = new Uint8Array(before + bytes.length + behind).fill(0xee);
      memory.set(bytes, before);
      const view = memory.subarray(before, before + bytes.length);
      const { hex } = new HeldTicket(1, view, () => undefined);
      return hex === [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    }),
  );
  t.pass();
});

t.test('tickets in any order: each promise gets its own, each handle is cancelled once', async (t) => {
  const step = fc.record({
    kind: fc.constantFrom('session', 'web'),
    fate: fc.constantFrom('ok', 'refused', 'aborted', 'late', 'dropped'),
    place: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.integer({ min: 0, max: 3 }),
      async (steps, kept) => {
        const { steam, under, clock } = openScripted();
        const asked = steps.map(({ kind }) => {
          const controller = new AbortController();
          const options = { signal: controller.signal };
          const outcome = watch(
            kind === 'web'
              ? steam.getAuthTicketForWebApi('', options)
              : steam.getAuthSessionTicket(0n, options),
          );
          return { outcome, controller };
        });
        const order = steps
          .map((_, index) => index)
          .sort((a, b) => (steps[a]?.place ?? 0) - (steps[b]?.place ?? 0));
        for (const index of order) {
          const { kind, fate } = steps[index] ?? {};
          const handle = index + 1;
          if (fate === 'aborted') asked[index]?.controller.abort(new Error(`gone ${handle}`));
          if (fate === 'late' || fate === 'dropped') continue;
          const result = fate === 'refused' ? 100 + handle : 1;
          if (kind === 'web') webTicket(under, handle, [handle, handle], result);
          else confirm(under, handle, result);
        }
        await frame(steam);
        clock.nowMs += DEFAULT_TIMEOUT_MS;
        await frame(steam);
        let living = 0;
        for (const [index, { outcome }] of asked.entries()) {
          const { kind, fate } = steps[index] ?? {};
          const handle = index + 1;
          if (fate === 'ok') {
            equal(outcome.value?.handle, handle);
            deepEqual(
              Uint8Array.from(outcome.value?.bytes ?? []),
              Uint8Array.from(kind === 'web' ? [handle, handle] : [0, handle]),
            );
            if (living++ >= kept) outcome.value?.[Symbol.dispose]();
          } else if (fate === 'refused') equal(outcome.failure?.result, 100 + handle);
          else if (fate === 'aborted') equal(outcome.failure?.message, `gone ${handle}`);
          else equal(outcome.failure?.code, 'ERR_HOTMIC_STEAM_TIMEOUT');
        }
        steam.close();
        for (const { outcome } of asked) outcome.value?.cancel();
        deepEqual(
          [...cancelled(under)].sort((a, b) => Number(a) - Number(b)),
          steps.map((_, index) => index + 1),
        );
      },
    ),
    { numRuns: 40 },
  );
  t.pass();
});

t.test('a ticket is cancelled once, by whatever is first', async (t) => {
  const { steam, under } = openScripted();
  const outcomes = [1, 2, 3].map(() => watch(steam.getAuthSessionTicket()));
  for (const handle of [1, 2, 3]) confirm(under, handle);
  await frame(steam);
  const [one, two] = outcomes.map(({ value }) => value);
  t.strictSame(cancelled(under), []);
  one?.cancel();
  one?.cancel();
  one?.[Symbol.dispose]();
  two?.[Symbol.dispose]();
  t.strictSame(cancelled(under), [1, 2]);
  steam.close();
  t.strictSame(cancelled(under), [1, 2, 3], 'the third by close');
  for (const { value } of outcomes) value?.cancel();
  t.strictSame(cancelled(under), [1, 2, 3], 'and a closed Steam is asked nothing');
});

t.test('a ticket that Steam refuses is cancelled, and the error says by which result', async (t) => {
  for (const [result, name] of [
    [2, 'RESULT_FAIL'],
    [3, 'RESULT_NO_CONNECTION'],
    [25, 'RESULT_LIMIT_EXCEEDED'],
  ] as const) {
    const { steam, under } = openScripted();
    const session = watch(steam.getAuthSessionTicket());
    const web = watch(steam.getAuthTicketForWebApi());
    confirm(under, 1, result);
    webTicket(under, 2, [], result);
    await frame(steam);
    for (const { failure } of [session, web]) {
      t.match(failure, {
        code: 'ERR_HOTMIC_STEAM_CALL',
        result,
        message: new RegExp(`${name} \\(${result}\\)`),
      });
    }
    t.strictSame(cancelled(under), [1, 2]);
    steam.close();
    t.strictSame(cancelled(under), [1, 2]);
  }
  const { steam, under } = openScripted();
  const unknown = watch(steam.getAuthSessionTicket());
  confirm(under, 1, 4321);
  await frame(steam);
  t.match(unknown.failure, { result: 4321, message: /4321/ }, 'a number of a newer SDK');
});

t.test('without a handle there is nothing to wait for nor to cancel', async (t) => {
  const { steam, under, pending } = openScripted();
  under.answers.getAuthSessionTicket = () => ({ id: 0, buffer: new Uint8Array(0), size: 0 });
  under.answers.getAuthTicketForWebApi = () => 0;
  for (const name of ['requestStoreAuthURL', 'getMarketEligibility', 'getDurationControl'] as const) {
    under.answers[name] = () => 0n;
  }
  under.answers.requestEncryptedAppTicket = () => 0n;
  const outcomes = CALLS.filter(([name]) => name !== 'beginAuthSession').map(([, ask]) => watch(ask(steam)));
  await soon();
  for (const { failure } of outcomes)
    t.match(failure, { code: 'ERR_HOTMIC_STEAM_CALL', message: /^Cannot / });
  t.strictSame(pending, []);
  steam.close();
  t.strictSame(cancelled(under), []);
});

t.test('what Steam throws comes out of the promise, and nothing waits', async (t) => {
  const { steam, under, pending } = openScripted();
  const reason = new Error('no such function');
  under.answers.getAuthTicketForWebApi = () => {
    throw reason;
  };
  const outcome = watch(steam.getAuthTicketForWebApi());
  await soon();
  t.equal(outcome.failure, reason);
  t.strictSame(pending, []);
});

t.test('wrong arguments reject like everything else, and ask nothing', async (t) => {
  const { steam, under } = openScripted();
  const wrong: Promise<unknown>[] = [
    steam.getAuthSessionTicket(5 as never),
    steam.getAuthTicketForWebApi('a\0b'),
    steam.requestEncryptedAppTicket(new Uint8Array(1025)),
    steam.requestEncryptedAppTicket(undefined as never),
    steam.requestStoreAuthURL(5 as never),
    steam.beginAuthSession('0a0b' as never, PLAYER),
    steam.beginAuthSession(undefined as never, PLAYER),
    steam.beginAuthSession(TICKET, 5 as never),
  ];
  for (const outcome of wrong.map(watch)) {
    await soon();
    const { failure } = outcome;
    t.ok(failure instanceof TypeError || failure instanceof RangeError);
    t.match(failure?.message, /^Cannot .+, wants /, 'in our words');
  }
  t.strictSame(under.calls, []);
});

t.test('a call result settles the call whose handle it has', async (t) => {
  const { steam, under } = openScripted();
  const [one, two, three] = [0, 1, 2].map(() => watch(steam.requestStoreAuthURL('https://shop.example')));
  under.send('store_auth_url_response', { url: 'https://b' }, 2n);
  under.send('store_auth_url_response', { url: 'https://nobody' }, 99n);
  under.send('store_auth_url_response', { url: 'https://nobody' }, 0n);
  under.send('market_eligibility_response', MARKET, 1n);
  await frame(steam);
  t.strictSame([one, two, three], [{}, { value: 'https://b' }, {}]);
  under.lose('store_auth_url_response', 3n);
  under.send('store_auth_url_response', { url: 'https://a' }, 1n);
  await frame(steam);
  t.equal(one?.value, 'https://a');
  t.match(three?.failure, { code: 'ERR_HOTMIC_STEAM_CALL', message: /IO failure/ });
});

t.test(
  'a call that Steam loses rejects its promise, and still sends its signal with what can be said',
  async (t) => {
    const { steam, under } = openScripted();
    const heard: unknown[] = [];
    for (const name of [
      'duration_control',
      'encrypted_app_ticket_response',
      'market_eligibility_response',
      'store_auth_url_response',
    ] as const) {
      steam.user.on(name, (keys: object) => heard.push([name, keys]));
    }
    const outcomes = [
      watch(steam.getDurationControl()),
      watch(steam.requestEncryptedAppTicket('x')),
      watch(steam.getMarketEligibility()),
      watch(steam.requestStoreAuthURL('https://shop.example')),
    ];
    under.lose('duration_control', 1n);
    under.lose('encrypted_app_ticket_response', 2n);
    under.lose('market_eligibility_response', 3n);
    under.lose('store_auth_url_response', 4n);
    t.equal(await frame(steam), 4);
    for (const { failure } of outcomes)
      t.match(failure, { code: 'ERR_HOTMIC_STEAM_CALL', message: /IO failure/ });
    t.match(heard, [
      [
        'duration_control',
        { result: 37, duration: { applicable: false, notification_verbal: 'no notification' } },
      ],
      ['encrypted_app_ticket_response', { result: 37 }],
      ['market_eligibility_response', { is_allowed: false, disallow_reason: 1 }],
      ['store_auth_url_response', { url: '' }],
    ]);
  },
);

t.test('what one listener changes in a lost call’s keys, the next lost call does not bring', async (t) => {
  const { steam, under } = openScripted();
  const heard: number[] = [];
  steam.user.on('encrypted_app_ticket_response', (keys) => {
    heard.push(keys.result);
    (keys as { result: number }).result = 1;
  });
  under.lose('encrypted_app_ticket_response', 1n);
  under.lose('encrypted_app_ticket_response', 2n);
  try {
    await frame(steam);
  } catch {
    // Frozen keys would do as well.
  }
  t.strictSame(heard, [37, 37]);
});

t.test('a timer’s duration_control is no answer to getDurationControl', async (t) => {
  const { steam, under } = openScripted();
  const outcome = watch(steam.getDurationControl());
  under.send('duration_control', { result: 1, duration: { ...DURATION, notification: 2 } });
  await frame(steam);
  t.strictSame(outcome, {});
  under.send('duration_control', { result: 1, duration: DURATION }, 1n);
  await frame(steam);
  t.strictSame(outcome.value, DURATION);
  const refused = watch(steam.getDurationControl());
  under.send('duration_control', { result: 2, duration: DURATION }, 2n);
  await frame(steam);
  t.match(refused.failure, { result: 2, message: /RESULT_FAIL/ });
});

t.test('an encrypted app ticket is fetched when Steam says that it is there', async (t) => {
  const { steam, under } = openScripted();
  const outcome = watch(steam.requestEncryptedAppTicket('nö'));
  t.strictSame(under.argumentsOf('requestEncryptedAppTicket'), [[Uint8Array.of(0x6e, 0xc3, 0xb6)]]);
  under.answers.getEncryptedAppTicket = () => TICKET;
  t.strictSame(under.argumentsOf('getEncryptedAppTicket'), []);
  under.send('encrypted_app_ticket_response', { result: 1 }, 1n);
  await frame(steam);
  t.strictSame(outcome.value, TICKET);
  for (const [result, name] of [
    [25, /RESULT_LIMIT_EXCEEDED/],
    [29, /RESULT_DUPLICATE_REQUEST/],
  ] as const) {
    const refused = watch(steam.requestEncryptedAppTicket('x'));
    const call = BigInt(under.argumentsOf('requestEncryptedAppTicket').length);
    under.send('encrypted_app_ticket_response', { result }, call);
    await frame(steam);
    t.match(refused.failure, { code: 'ERR_HOTMIC_STEAM_CALL', result, message: name });
  }
  t.equal(under.argumentsOf('getEncryptedAppTicket').length, 1, 'a stale ticket is not taken for a new one');
  under.answers.getEncryptedAppTicket = () => null;
  const none = watch(steam.requestEncryptedAppTicket('x'));
  under.send('encrypted_app_ticket_response', { result: 1 }, 4n);
  await frame(steam);
  t.match(none.failure, { code: 'ERR_HOTMIC_STEAM_CALL' });
});

t.test('an empty store URL is none', async (t) => {
  const { steam, under } = openScripted();
  const outcome = watch(steam.requestStoreAuthURL('https://shop.example'));
  under.send('store_auth_url_response', { url: '' }, 1n);
  await frame(steam);
  t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_CALL' });
});

/** A session that is going on. */
async function begin(
  { steam, under }: ScriptedOpening,
  steamId: bigint,
  onEnded?: (response: number) => void,
) {
  const outcome = watch(steam.beginAuthSession(TICKET, steamId, onEnded === undefined ? {} : { onEnded }));
  judge(under, steamId, 0);
  await frame(steam);
  if (outcome.value === undefined) throw new Error('no session');
  return outcome.value;
}

t.test('a session begins with the verdict on its own player, owner and all', async (t) => {
  const { steam, under } = openScripted();
  const outcome = watch(steam.beginAuthSession(TICKET, PLAYER));
  const [[ticket, steamId] = []] = under.argumentsOf('beginAuthSession');
  t.strictSame([Uint8Array.from(ticket as Uint8Array), steamId], [TICKET, PLAYER]);
  judge(under, OTHER, 0);
  judge(under, OTHER, 3);
  await frame(steam);
  t.strictSame(outcome, {}, 'a verdict on somebody else is not his');
  judge(under, PLAYER, 0, OTHER);
  await frame(steam);
  t.equal(outcome.value?.steamId, PLAYER);
  t.equal(outcome.value?.ownerId, OTHER, 'family sharing');
  t.equal(outcome.value?.isOver, false);
  t.strictSame(ended(under), []);
});

t.test('a session asks for licences of its player: 0 has it, 1 and 2 have not', async (t) => {
  const opening = openScripted();
  const session = await begin(opening, PLAYER);
  const answers = [0, 1, 2].map((answer) => {
    opening.under.answers.userHasLicenseForApp = () => answer;
    return session.hasLicense(480);
  });
  t.strictSame(answers, [true, false, false]);
  t.strictSame(opening.under.argumentsOf('userHasLicenseForApp'), new Array(3).fill([PLAYER, 480]));
});

t.test(
  'a ticket that is none rejects at once by its name, and nothing was begun that would be ended',
  async (t) => {
    const names = [
      '',
      'INVALID_TICKET',
      'DUPLICATE_REQUEST',
      'INVALID_VERSION',
      'GAME_MISMATCH',
      'EXPIRED_TICKET',
    ];
    for (const result of [1, 2, 3, 4, 5, 77]) {
      const { steam, under, pending } = openScripted();
      under.answers.beginAuthSession = () => result;
      const outcome = watch(steam.beginAuthSession(TICKET, PLAYER));
      await soon();
      t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_CALL', result });
      if (result < 6)
        t.match(outcome.failure?.message, `BEGIN_AUTH_SESSION_RESULT_${names[result]} (${result})`);
      steam.close();
      t.strictSame([pending, ended(under)], [[], []]);
    }
  },
);

t.test('a verdict against the player rejects by its name, and ends the session once', async (t) => {
  for (const response of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 77]) {
    const { steam, under } = openScripted();
    const outcome = watch(steam.beginAuthSession(TICKET, PLAYER));
    judge(under, PLAYER, response);
    judge(under, PLAYER, response);
    await frame(steam);
    t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_CALL', result: response, message: `(${response})` });
    if (response === 5) t.match(outcome.failure?.message, /AUTH_SESSION_RESPONSE_VAC_CHECK_TIMEDOUT/);
    steam.close();
    t.strictSame(ended(under), [PLAYER]);
  }
});

t.test('a second begin for a player who has a session leaves the first alive', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  const first = await begin(opening, PLAYER);
  under.answers.beginAuthSession = () => 2;
  const second = watch(steam.beginAuthSession(TICKET, PLAYER));
  await soon();
  t.equal(second.failure?.result, 2);
  t.strictSame([first.isOver, ended(under)], [false, []]);
  first.end();
  t.strictSame(ended(under), [PLAYER]);
});

t.test('a second begin while the first waits for its verdict leaves the first waiting', async (t) => {
  const { steam, under } = openScripted();
  const first = watch(steam.beginAuthSession(TICKET, PLAYER));
  under.answers.beginAuthSession = () => 2;
  const second = watch(steam.beginAuthSession(TICKET, PLAYER));
  await soon();
  t.equal(second.failure?.result, 2);
  t.strictSame([first, ended(under)], [{}, []]);
  judge(under, PLAYER, 0);
  await frame(steam);
  t.equal(first.value?.steamId, PLAYER);
});

t.test('a later verdict ends the session once and says so once; a good one changes nothing', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  const heard: number[] = [];
  const session = await begin(opening, PLAYER, (response) => heard.push(response));
  const bystander = await begin(opening, OTHER, (response) => heard.push(response));
  judge(under, PLAYER, 0);
  await frame(steam);
  t.strictSame([session.isOver, heard], [false, []]);
  judge(under, PLAYER, 6);
  judge(under, PLAYER, 3);
  await frame(steam);
  t.strictSame([session.isOver, bystander.isOver, heard, ended(under)], [true, false, [6], [PLAYER]]);
  session.end();
  session[Symbol.dispose]();
  t.strictSame(ended(under), [PLAYER]);
  steam.close();
  t.strictSame(ended(under), [PLAYER, OTHER], 'the other by close');
  bystander.end();
  t.strictSame([ended(under), heard], [[PLAYER, OTHER], [6]], 'and who ends it is not told that it ended');
});

t.test('two verdicts in one frame, taken and taken back: the session ends', async (t) => {
  const { steam, under } = openScripted();
  const heard: number[] = [];
  const outcome = watch(
    steam.beginAuthSession(TICKET, PLAYER, { onEnded: (response) => heard.push(response) }),
  );
  judge(under, PLAYER, 0);
  judge(under, PLAYER, 6);
  await frame(steam);
  t.strictSame([outcome.value?.isOver, heard, ended(under)], [true, [6], [PLAYER]]);
  steam.close();
  t.strictSame(ended(under), [PLAYER]);
});

t.test(
  'after a session is over the player may come again, and the old session does not touch the new',
  async (t) => {
    const opening = openScripted();
    const { steam, under } = opening;
    const first = await begin(opening, PLAYER);
    first.end();
    const second = await begin(opening, PLAYER);
    first.end();
    first[Symbol.dispose]();
    t.strictSame([ended(under), second.isOver], [[PLAYER], false]);
    judge(under, PLAYER, 9);
    await frame(steam);
    t.strictSame([ended(under), second.isOver], [[PLAYER, PLAYER], true]);
  },
);

t.test('onEnded may let the player in again at once', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  let again: Outcome<unknown> = {};
  await begin(opening, PLAYER, () => {
    again = watch(steam.beginAuthSession(TICKET, PLAYER));
  });
  judge(under, PLAYER, 4);
  await frame(steam);
  t.strictSame(again, {}, 'the verdict that ended the first is not the second’s');
  judge(under, PLAYER, 0);
  await frame(steam);
  t.ok(again.value);
});

t.test('every session ends once whatever happens to it', async (t) => {
  const event = fc.tuple(
    fc.nat(3),
    fc.constantFrom('verdict', 'good', 'bad', 'end', 'frame', 'abort', 'time'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const { steam, under, clock } = openScripted();
      /** What Steam holds: a second session of one player is a duplicate. */
      const held = new Set<bigint>();
      let faults = 0;
      under.answers.beginAuthSession = (_ticket, id) => {
        if (held.has(id)) return 2;
        held.add(id);
        return 0;
      };
      under.answers.endAuthSession = (id) => {
        if (!held.delete(id)) faults += 1;
      };
      const players = [0n, 1n, 2n, 3n].map((n) => {
        const controller = new AbortController();
        const outcome = watch(steam.beginAuthSession(TICKET, n, { signal: controller.signal }));
        return { outcome, controller };
      });
      for (const [n, what] of events) {
        const player = players[n];
        if (what === 'verdict' || what === 'good') judge(under, BigInt(n), 0);
        if (what === 'bad') judge(under, BigInt(n), 3);
        if (what === 'end') player?.outcome.value?.end();
        if (what === 'abort') player?.controller.abort();
        if (what === 'time') clock.nowMs += DEFAULT_TIMEOUT_MS / 2;
        if (what === 'frame') await frame(steam);
      }
      await frame(steam);
      const living = players.filter(({ outcome }) => outcome.value !== undefined && !outcome.value.isOver);
      const waiting = players.filter(({ outcome }) => !outcome.value && !outcome.failure);
      equal(held.size, living.length + waiting.length);
      steam.close();
      deepEqual([held.size, faults], [0, 0]);
    }),
    { numRuns: 100 },
  );
  t.pass();
});

t.test(
  'a listener that throws keeps nothing from the others, and its error comes out of runCallbacks',
  async (t) => {
    const { steam, under } = openScripted();
    const heard: string[] = [];
    const fault = new Error('the first listener');
    steam.user.on('licenses_updated', () => {
      throw fault;
    });
    steam.user.on('licenses_updated', () => heard.push('second listener'));
    steam.user.on('steam_server_connected', () => heard.push('later signal'));
    const outcome = watch(steam.getAuthSessionTicket());
    under.send('licenses_updated', {});
    under.send('steam_server_connected', {});
    confirm(under, 1);
    t.throws(() => steam.runCallbacks(), fault);
    await soon();
    t.strictSame(heard, ['second listener', 'later signal']);
    t.ok(outcome.value, 'the promise behind it was settled');
    t.equal(steam.runCallbacks(), 0, 'and the next frame is like any other');
  },
);

t.test('of several faults none is lost', async (t) => {
  const { steam, under } = openScripted();
  for (const text of ['one', 'two']) {
    steam.user.on('licenses_updated', () => {
      throw new Error(text);
    });
  }
  under.send('licenses_updated', {});
  try {
    steam.runCallbacks();
    t.fail('it throws');
  } catch (thrown) {
    t.ok(thrown instanceof AggregateError);
    t.match((thrown as AggregateError).errors, [{ message: 'one' }, { message: 'two' }]);
  }
});

t.test('the promise of the event that a listener throws at is settled all the same', async (t) => {
  const { steam, under } = openScripted();
  steam.user.on('get_auth_session_ticket_response', () => {
    throw new Error('a listener');
  });
  const outcome = watch(steam.getAuthSessionTicket());
  confirm(under, 1);
  t.throws(() => steam.runCallbacks(), /a listener/);
  await soon();
  t.equal(outcome.value?.handle, 1);
});

t.test('an onEnded that throws keeps nothing from the listeners, and its error comes out', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  const session = await begin(opening, PLAYER, () => {
    throw new Error('onEnded');
  });
  const heard: bigint[] = [];
  steam.user.on('validate_auth_ticket_response', ({ auth_id }) => heard.push(auth_id));
  judge(under, PLAYER, 3);
  judge(under, OTHER, 0);
  t.throws(() => steam.runCallbacks(), /onEnded/);
  t.strictSame([heard, session.isOver, ended(under)], [[PLAYER, OTHER], true, [PLAYER]]);
});

t.test('a time limit holds in a frame whose listener throws', async (t) => {
  const { steam, under, clock } = openScripted();
  steam.user.on('licenses_updated', () => {
    throw new Error('a listener');
  });
  const outcome = watch(steam.getMarketEligibility());
  clock.nowMs += DEFAULT_TIMEOUT_MS;
  under.send('licenses_updated', {});
  t.throws(() => steam.runCallbacks(), /a listener/);
  await soon();
  t.equal(outcome.failure?.code, 'ERR_HOTMIC_STEAM_TIMEOUT');
});

t.test('when Steam itself throws, time limits hold and the next frame is like any other', async (t) => {
  const { steam, under, clock } = openScripted();
  const outcome = watch(steam.getMarketEligibility());
  clock.nowMs += DEFAULT_TIMEOUT_MS;
  under.answers.runCallbacks = () => {
    throw new Error('Steam');
  };
  t.throws(() => steam.runCallbacks(), /Steam/);
  await soon();
  t.equal(outcome.failure?.code, 'ERR_HOTMIC_STEAM_TIMEOUT');
  delete under.answers.runCallbacks;
  under.send('licenses_updated', {});
  t.equal(steam.runCallbacks(), 1);
});

t.test('a listener heard once is heard once, and those added meanwhile hear the next', async (t) => {
  const { steam, under } = openScripted();
  const heard: string[] = [];
  steam.user.once('licenses_updated', () => {
    heard.push('once');
    steam.user.on('licenses_updated', () => heard.push('added'));
  });
  under.send('licenses_updated', {});
  steam.runCallbacks();
  t.strictSame(heard, ['once']);
  under.send('licenses_updated', {});
  steam.runCallbacks();
  t.strictSame(heard, ['once', 'added']);
});

t.test('runCallbacks within a listener does nothing: order is Steam’s, each event comes once', async (t) => {
  const { steam, under } = openScripted();
  const heard: (number | string)[] = [];
  steam.user.on('steam_server_disconnected', ({ result }) => {
    heard.push(result);
    under.send('licenses_updated', {});
    heard.push(`${steam.runCallbacks()} within`);
  });
  steam.user.on('licenses_updated', () => heard.push('licences'));
  under.send('steam_server_disconnected', { result: 1 });
  under.send('steam_server_disconnected', { result: 2 });
  t.equal(steam.runCallbacks(), 2);
  t.strictSame(heard, [1, '0 within', 2, '0 within']);
  t.equal(steam.runCallbacks(), 2);
  t.strictSame(heard.slice(4), ['licences', 'licences']);
});

t.test('close within a listener ends the frame: nothing more comes, nothing more is asked', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  await begin(opening, PLAYER);
  const heard: string[] = [];
  steam.user.on('steam_server_disconnected', () => {
    heard.push('first');
    steam.close();
  });
  steam.user.on('steam_server_disconnected', () => heard.push('its other listener'));
  steam.user.on('licenses_updated', () => heard.push('after the end'));
  const waiting = watch(steam.getAuthSessionTicket());
  under.send('steam_server_disconnected', { result: 3 });
  under.send('licenses_updated', {});
  confirm(under, 1);
  await frame(steam);
  t.strictSame(heard, ['first', 'its other listener']);
  t.match(waiting.failure, { code: 'ERR_HOTMIC_STEAM_CLOSED' });
  t.strictSame([cancelled(under), ended(under)], [[1], [PLAYER]]);
  t.equal(under.calls.at(-1)?.[0], 'close');
  t.equal(steam.runCallbacks(), 0);
});

t.test('closing twice is once; closed, it says so and runs nothing', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  steam.close();
  steam.close();
  steam[Symbol.dispose]();
  t.equal(under.argumentsOf('close').length, 1);
  t.equal(opening.closings, 1);
  t.equal(steam.isClosed, true);
  t.equal(steam.runCallbacks(), 0);
  t.throws(() => steam.recordVoice(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
  t.throws(() => steam.createSpeakerDecoder(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
});

t.test('a Steam that fails while tickets are given back is closed all the same', async (t) => {
  const opening = openScripted();
  const { steam, under } = opening;
  const outcome = watch(steam.getAuthSessionTicket());
  confirm(under, 1);
  await frame(steam);
  under.answers.cancelAuthTicket = () => {
    throw new Error('the pipe is broken');
  };
  t.ok(outcome.value);
  t.throws(() => steam.close(), /the pipe is broken/);
  t.strictSame([under.argumentsOf('close').length, opening.closings, steam.isClosed], [1, 1, true]);
});

t.test('closing stops a recording before Steam is closed', async (t) => {
  const { steam, under } = openScripted();
  const recorder = steam.recordVoice();
  steam.close();
  t.equal(recorder.isStopped, true);
  t.strictSame(
    under.calls.map(([name]) => name),
    ['startVoiceRecording', 'stopVoiceRecording', 'close'],
  );
});

t.test('one recording at a time; a stopped one hands its tail to the next', async (t) => {
  const { steam, under } = openScripted();
  const first = steam.recordVoice({ wait: soon });
  t.throws(() => steam.recordVoice(), { code: 'ERR_HOTMIC_CAPTURE' });
  t.throws(() => steam.recordVoice({ frameHz: 0 }), Error);
  t.equal(under.argumentsOf('startVoiceRecording').length, 1, 'what is refused records nothing');
  under.tail = [Uint8Array.of(1), Uint8Array.of(2)];
  first.stop();
  const second = steam.recordVoice({ wait: soon });
  const got: number[] = [];
  for await (const [byte = 0] of first) got.push(-byte);
  t.strictSame(got, [], 'the first is over');
  for await (const [byte = 0] of second) {
    got.push(byte);
    if (byte === 2) second.stop();
    if (got.length > 9) break;
  }
  t.strictSame(got, [1, 2, 1, 2], 'tail of the first, then its own');
  steam.recordVoice({ wait: soon }).stop();
});

t.test('a recording refused for its options leaves the one before as it was', async (t) => {
  const { steam, under } = openScripted();
  const first = steam.recordVoice({ wait: soon });
  under.tail = [Uint8Array.of(1)];
  first.stop();
  t.throws(() => steam.recordVoice({ frameHz: 3 }), RangeError);
  t.throws(() => steam.recordVoice({ signal: AbortSignal.abort(new Error('gone')) }), /gone/);
  const got: number[] = [];
  for await (const [byte = 0] of first) got.push(byte);
  t.strictSame(got, [1]);
  t.equal(under.argumentsOf('startVoiceRecording').length, 1);
});
