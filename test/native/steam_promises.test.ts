/**
 * The typed layer's promises over a scripted Steam: each is settled by its own event and no other, by its time limit, its signal,
 * or the end. Time is a number that the test moves.
 */

import { getEventListeners } from 'node:events';
import t from 'tap';
import { HeldTicket } from '../../native/held_ticket.js';
import type { Steam } from '../../native/steam.js';
import {
  cancelled,
  confirm,
  DEFAULT_TIMEOUT_MS,
  ended,
  frame,
  judge,
  type Outcome,
  PLAYER,
  soon,
  TICKET,
  watch,
  webTicket,
} from './scripted_answers.js';
import { openScripted, type ScriptedUser } from './scripted_user.js';

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
      t.match(outcome.failure?.message, /timeoutMs is .+, expected 1 to 3600000/);
    }
    t.strictSame(under.calls, []);
  });
}

t.test(
  'at most 256 promises wait: until one is over the next is refused without a call to Steam',
  async (t) => {
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
  },
);

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

t.test(
  'a function whose call Steam does not accept sends its signal with a failure in the next frame',
  async (t) => {
    const { steam, under } = openScripted();
    under.answers.getAuthSessionTicket = () => ({ id: 0, buffer: new Uint8Array(0), size: 0 });
    under.answers.getAuthTicketForWebApi = () => 0;
    for (const name of ['requestStoreAuthURL', 'getMarketEligibility', 'getDurationControl'] as const) {
      under.answers[name] = () => 0n;
    }
    under.answers.requestEncryptedAppTicket = () => 0n;
    const heard: unknown[] = [];
    for (const name of [
      'get_auth_session_ticket_response',
      'get_ticket_for_web_api',
      'encrypted_app_ticket_response',
      'store_auth_url_response',
      'market_eligibility_response',
      'duration_control',
    ] as const) {
      steam.user.on(name, (keys: object) => heard.push([name, keys]));
    }
    const expected = [
      ['get_auth_session_ticket_response', { auth_ticket: 0, result: 2 }],
      ['get_ticket_for_web_api', { auth_ticket: 0, result: 2, ticket_size: 0 }],
      ['encrypted_app_ticket_response', { result: 2 }],
      ['store_auth_url_response', { url: '' }],
      ['market_eligibility_response', { is_allowed: false, disallow_reason: 1 }],
      ['duration_control', { result: 2, duration: { applicable: false } }],
    ];
    const { user } = steam;
    user.getAuthSessionTicket();
    user.getAuthTicketForWebApi();
    user.requestEncryptedAppTicket('x');
    user.requestStoreAuthURL('https://shop.example');
    user.getMarketEligibility();
    user.getDurationControl();
    t.strictSame(heard, [], 'not before callbacks are run');
    t.equal(await frame(steam), 6);
    t.match(heard, expected);
    heard.length = 0;
    const outcomes = CALLS.filter(([name]) => name !== 'beginAuthSession').map(([, ask]) =>
      watch(ask(steam)),
    );
    await frame(steam);
    t.match(heard, expected, 'of the typed layer, too');
    for (const { failure } of outcomes) t.match(failure, { code: 'ERR_HOTMIC_STEAM_CALL' });
    for (let n = 0; n < 2000; n++) user.getMarketEligibility();
    t.equal(await frame(steam), 1024, 'bounded');
  },
);

t.test('when Steam has flushed its callbacks, promises that waited for one reject', async (t) => {
  const { steam, under, pending } = openScripted();
  const outcomes = CALLS.map(([, ask]) => watch(ask(steam)));
  await frame(steam);
  const { requestStoreAuthURL } = Object.fromEntries(CALLS.map(([name], at) => [name, outcomes[at]!]));
  let later: Outcome<unknown> = {};
  steam.user.on('ipc_failure', () => {
    later = watch(steam.getMarketEligibility());
  });
  under.send('ipc_failure', { type: 0 });
  under.send('store_auth_url_response', { url: 'https://store.example' }, 2n);
  await frame(steam);
  t.equal(requestStoreAuthURL?.value, 'https://store.example', 'an answer of the same frame counts');
  for (const outcome of outcomes) {
    if (outcome === requestStoreAuthURL) continue;
    t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_CALL', message: /ipc_failure/ });
  }
  t.strictSame(later, {}, 'what was asked since waits');
  t.equal(pending.at(-1), 1);
  t.strictSame([cancelled(under), ended(under)], [[1, 2], [PLAYER]], 'and what was taken is given back');
});

t.test(
  'endAuthSession of the User class ends the wait for that player’s verdict, and no other',
  async (t) => {
    const { steam } = openScripted();
    const outcome = watch(steam.beginAuthSession(TICKET, PLAYER));
    const other = watch(steam.beginAuthSession(TICKET, PLAYER + 1n));
    steam.user.endAuthSession(PLAYER);
    await soon();
    t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_CALL', message: /endAuthSession/ });
    t.strictSame(other, {});
  },
);

t.test('an error that Steam throws rejects the promise, and nothing waits', async (t) => {
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

t.test('wrong arguments reject like everything else, without a call to Steam', async (t) => {
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
    t.match(failure?.message, /^Cannot .+, expected /, 'in our words');
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

t.test('a listener that changes the keys of a lost call does not change those of the next one', async (t) => {
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

t.test('a timer’s duration_control does not answer getDurationControl', async (t) => {
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

t.test('an encrypted app ticket is fetched when Steam says that it is ready', async (t) => {
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

t.test('an empty store URL is an error', async (t) => {
  const { steam, under } = openScripted();
  const outcome = watch(steam.requestStoreAuthURL('https://shop.example'));
  under.send('store_auth_url_response', { url: '' }, 1n);
  await frame(steam);
  t.match(outcome.failure, { code: 'ERR_HOTMIC_STEAM_CALL' });
});
