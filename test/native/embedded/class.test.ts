/** The embedded Steam beyond voice and auth tickets: account, calls, encrypted tickets, duration control, games, closing. */

import t from 'tap';
import { EmbeddedSteam, EmbeddedWorld } from '../../../native/embedded/steam.js';
import {
  DurationControlNotification as Notification,
  DurationControlOnlineState as OnlineState,
  DurationControlProgress as Progress,
} from '../../../native/enums.js';
import { Result } from '../../../native/result.js';
import { developmentKeys } from '../../../tickets/development.js';
import { MAX_USER_DATA_BYTES, readAppTicketClaims } from '../../../tickets/encrypted_app_ticket.js';
import { readWebTicket } from '../../../tickets/web_ticket.js';
import { VoiceResult } from '../../../voice/voice_result.js';
import appTickets from '../../kit/app_tickets.js';
import { ALICE, BOB, keysOf, START, steamOf } from './kit.js';

const KEYS = developmentKeys();
const SECRET = new TextEncoder().encode('the game’s secret');

t.test('without options it is the first account, in Steam’s example game, online and silent', async (t) => {
  const steam = new EmbeddedSteam();
  t.teardown(() => steam.close());
  t.equal(steam.getSteamID(), 76561197960265729n);
  t.equal(steam.loggedOn(), true);
  t.equal(steam.getPlayerSteamLevel(), 1);
  t.equal(steam.getGameBadgeLevel(1, false), 0);
  for (const flag of [
    steam.isBehindNAT(),
    steam.isPhoneIdentifying(),
    steam.isPhoneRequiringVerification(),
    steam.isPhoneVerified(),
    steam.isTwoFactorEnabled(),
  ]) {
    t.equal(flag, false);
  }
  t.same(steam.runCallbacks(), []);
  const { id, buffer } = steam.getAuthSessionTicket(0n);
  t.equal(id, 1);
  t.notSame(buffer, steam.getAuthSessionTicket(0n).buffer, 'and its randomness is real');
});

t.test('the options survive structured cloning', async (t) => {
  const options = structuredClone({
    steamId: BOB,
    appId: 12,
    input: { kind: 'tone' as const },
    account: { steamLevel: 7, badges: [{ series: 1, foil: true, level: 1 }] },
    developmentKey: new Uint8Array(16).fill(3),
  });
  const { steam } = steamOf(t, options);
  t.equal(steam.getSteamID(), BOB);
  t.equal(steam.getPlayerSteamLevel(), 7);
  t.equal(steam.getGameBadgeLevel(1, true), 1);
  t.equal(steam.getGameBadgeLevel(1, false), 0);
  t.equal(steam.getGameBadgeLevel(2, true), 0);
});

t.test('options out of range are misuse', async (t) => {
  const world = new EmbeddedWorld();
  for (const [options, message] of [
    [{ steamId: 0n }, /steamId is 0, expected 1/],
    [{ steamId: 2n ** 64n }, /steamId is/],
    [{ appId: 0 }, /appId is 0, expected 1 to/],
    [{ appId: 1.5 }, /appId is 1.5/],
    [{ developmentKey: new Uint8Array(3) }, /3 bytes, expected at least 16/],
  ] as const) {
    t.throws(() => new EmbeddedSteam(options, { world }), { name: 'RangeError', message });
  }
  const steamId = 5 as unknown as bigint;
  t.throws(() => new EmbeddedSteam({ steamId }), { name: 'TypeError', message: /steamId is a number/ });
});

t.test('a change of the account shows at once, and the rest stays', async (t) => {
  const { steam } = steamOf(t, { account: { steamLevel: 3 } });
  steam.controls.setAccount({ phoneVerified: true, phoneIdentifying: true, twoFactorEnabled: true });
  steam.controls.setAccount({ behindNat: true, phoneRequiringVerification: true });
  t.equal(steam.getPlayerSteamLevel(), 3);
  t.ok(steam.isPhoneVerified() && steam.isPhoneIdentifying() && steam.isTwoFactorEnabled());
  t.ok(steam.isBehindNAT() && steam.isPhoneRequiringVerification());
});

t.test('calls have handles that grow, and are answered in order with the next frame', async (t) => {
  const { steam } = steamOf(t);
  const calls = [
    steam.getMarketEligibility(),
    steam.getDurationControl(),
    steam.requestStoreAuthURL('https://shop.example/'),
    steam.requestEncryptedAppTicket(SECRET),
  ];
  t.same(calls, [1n, 2n, 3n, 4n]);
  t.same(
    steam.runCallbacks().map(({ signal, call }) => [signal, call]),
    [
      ['market_eligibility_response', 1n],
      ['duration_control', 2n],
      ['store_auth_url_response', 3n],
      ['encrypted_app_ticket_response', 4n],
    ],
  );
  t.same(steam.runCallbacks(), [], 'once');
});

t.test('market eligibility comes from the account', async (t) => {
  const { steam } = steamOf(t);
  steam.getMarketEligibility();
  t.same(keysOf(steam, 'market_eligibility_response'), [
    {
      is_allowed: true,
      disallow_reason: 0,
      allowed_at_time: 0,
      steam_guard_required_days: 15,
      new_device_cooldown: 7,
    },
  ]);
  const market = {
    is_allowed: false,
    disallow_reason: (1 << 6) | (1 << 16),
    allowed_at_time: START,
    steam_guard_required_days: 1,
    new_device_cooldown: 2,
  };
  steam.controls.setAccount({ market });
  steam.getMarketEligibility();
  t.same(keysOf(steam, 'market_eligibility_response'), [market]);
});

t.test(
  'the store’s URL leads nowhere, names the player and where to go on, and is new each time',
  async (t) => {
    const { steam } = steamOf(t);
    const redirect = 'https://shop.example/a b?x=1&y=2#z';
    steam.requestStoreAuthURL(redirect);
    steam.requestStoreAuthURL('https://shop.example/cart');
    steam.requestStoreAuthURL('\ud800');
    const [first, second, third] = keysOf(steam, 'store_auth_url_response').map(({ url }) => new URL(url));
    t.equal(first?.hostname, 'embedded.hotmic.invalid');
    t.equal(first?.searchParams.get('redirect'), redirect);
    t.equal(first?.searchParams.get('steamid'), String(ALICE));
    t.match(second?.href, /redirect=https:\/\/shop\.example\/cart$/);
    t.equal(third?.searchParams.get('redirect'), '\ufffd');
    t.not(first?.searchParams.get('token'), second?.searchParams.get('token'));
    t.equal(steam.requestStoreAuthURL(`https://shop.example/${'x'.repeat(500)}`), 0n, 'too long for Steam');
    t.equal(steam.requestStoreAuthURL('ü'.repeat(100)), 0n, 'too long once it is encoded');
    t.same(steam.runCallbacks(), []);
  },
);

t.test('an encrypted app ticket opens under the development key, and in steam-appticket', async (t) => {
  const { steam } = steamOf(t);
  t.equal(steam.getEncryptedAppTicket(), null, 'none before');
  steam.requestEncryptedAppTicket(SECRET);
  t.equal(steam.getEncryptedAppTicket(), null, 'nor before the response');
  t.same(keysOf(steam, 'encrypted_app_ticket_response'), [{ result: Result.RESULT_OK }]);
  const ticket = steam.getEncryptedAppTicket() ?? new Uint8Array(0);
  t.match(readAppTicketClaims(ticket, KEYS.encryptedAppTicket), {
    kind: 'unproven-claims',
    ownership: { steamId: ALICE, appId: 480, generatedAt: START },
    userData: SECRET,
  });
  const parsed = appTickets.parseEncryptedAppTicket(
    Buffer.from(ticket),
    Buffer.from(KEYS.encryptedAppTicket),
  );
  t.equal(parsed?.steamID.getSteamID64(), String(ALICE));
  ticket.fill(0);
  t.notSame(steam.getEncryptedAppTicket(), ticket, 'each caller has a copy of its own');
});

t.test('one request at a time, one grant in 60 seconds', async (t) => {
  const { steam, time } = steamOf(t);
  const results = () => keysOf(steam, 'encrypted_app_ticket_response').map(({ result }) => result);
  steam.requestEncryptedAppTicket(SECRET);
  steam.requestEncryptedAppTicket(SECRET);
  t.same(results(), [Result.RESULT_OK, Result.RESULT_DUPLICATE_REQUEST]);
  const first = steam.getEncryptedAppTicket();
  time.pass(59.9);
  steam.requestEncryptedAppTicket(SECRET);
  t.same(results(), [Result.RESULT_LIMIT_EXCEEDED]);
  t.same(steam.getEncryptedAppTicket(), first, 'the last one granted stays');
  time.pass(0.1);
  steam.requestEncryptedAppTicket(SECRET);
  t.same(results(), [Result.RESULT_OK], 'a refusal does not count');
  t.notSame(steam.getEncryptedAppTicket(), first);
});

t.test(
  'an encrypted ticket fails without a connection, with too much user data, or when a test says so',
  async (t) => {
    const { steam, time } = steamOf(t);
    const resultOf = (userData = SECRET) => {
      steam.requestEncryptedAppTicket(userData);
      return keysOf(steam, 'encrypted_app_ticket_response')[0]?.result;
    };
    steam.controls.loseConnection(Result.RESULT_NO_CONNECTION);
    t.equal(resultOf(), Result.RESULT_NO_CONNECTION);
    steam.controls.restoreConnection();
    t.equal(resultOf(new Uint8Array(MAX_USER_DATA_BYTES + 1)), Result.RESULT_INVALID_PARAM);
    steam.controls.answerNext({ kind: 'encrypted-ticket', result: Result.RESULT_FAIL });
    t.equal(resultOf(), Result.RESULT_FAIL);
    t.equal(steam.getEncryptedAppTicket(), null);
    t.equal(resultOf(new Uint8Array(MAX_USER_DATA_BYTES)), Result.RESULT_OK);
    time.pass(1);
    steam.controls.answerNext({ kind: 'encrypted-ticket', result: Result.RESULT_OK });
    t.equal(resultOf(new Uint8Array(0)), Result.RESULT_OK, 'a test lifts the limit');
  },
);

t.test('a call whose answer never comes is a failed call, whichever it is, once', async (t) => {
  const { steam } = steamOf(t);
  const calls = {
    encrypted_app_ticket_response: () => steam.requestEncryptedAppTicket(SECRET),
    duration_control: () => steam.getDurationControl(),
    market_eligibility_response: () => steam.getMarketEligibility(),
    store_auth_url_response: () => steam.requestStoreAuthURL('https://shop.example/'),
  };
  for (const [signal, ask] of Object.entries(calls)) {
    steam.controls.answerNext({ kind: 'call-failure' });
    const call = ask();
    t.same(steam.runCallbacks(), [{ signal, keys: null, call }]);
  }
  t.equal(steam.getEncryptedAppTicket(), null, 'nothing was granted');
  steam.requestEncryptedAppTicket(SECRET);
  t.match(steam.runCallbacks(), [{ keys: { result: Result.RESULT_OK } }], 'and nothing counted');
});

t.test('a lost connection logs off once and fails calls; restored, all is as before', async (t) => {
  const { steam } = steamOf(t);
  steam.controls.loseConnection(Result.RESULT_TIMEOUT);
  steam.controls.loseConnection(Result.RESULT_FAIL);
  t.equal(steam.loggedOn(), false);
  t.same(steam.runCallbacks(), [
    { signal: 'steam_server_disconnected', keys: { result: Result.RESULT_TIMEOUT }, call: 0n },
  ]);
  const store = steam.requestStoreAuthURL('https://shop.example/');
  const market = steam.getMarketEligibility();
  steam.getDurationControl();
  t.match(steam.runCallbacks(), [
    { signal: 'store_auth_url_response', keys: null, call: store },
    { signal: 'market_eligibility_response', keys: null, call: market },
    { signal: 'duration_control', keys: { result: Result.RESULT_NO_CONNECTION } },
  ]);
  t.equal(steam.initiateGameConnection(5n, 1, 2, true), null);
  steam.controls.restoreConnection();
  steam.controls.restoreConnection();
  t.equal(steam.loggedOn(), true);
  steam.requestStoreAuthURL('https://shop.example/');
  t.match(steam.runCallbacks(), [
    { signal: 'steam_server_connected', keys: {}, call: 0n },
    { signal: 'store_auth_url_response', keys: { url: /^https:/ } },
  ]);
});

t.test('duration control does not apply by default, and no timer runs', async (t) => {
  const { steam, time } = steamOf(t);
  time.pass(6 * 3600);
  t.same(steam.runCallbacks(), []);
  steam.getDurationControl();
  t.same(keysOf(steam, 'duration_control'), [
    {
      result: Result.RESULT_OK,
      duration: {
        app_id: 480,
        applicable: false,
        seconds_last_5hrs: 0,
        progress: 0,
        notification: 0,
        notification_verbal: 'no notification',
        seconds_today: 0,
        seconds_remaining: 0,
      },
    },
  ]);
});

const PLAYING = {
  applicable: true,
  seconds_last_5hrs: 600,
  progress: Progress.DURATION_CONTROL_PROGRESS_FULL,
  notification: Notification.DURATION_CONTROL_NOTIFICATION_NONE,
  seconds_today: 1000,
  seconds_remaining: 4000,
};

t.test('playtime runs with the clock; each threshold is reported once, as of its second', async (t) => {
  const { steam, time } = steamOf(t, { account: { duration: PLAYING } });
  const told = () =>
    steam.runCallbacks().flatMap((event) => {
      if (event.signal !== 'duration_control' || !event.keys || event.call !== 0n) return [];
      const { seconds_last_5hrs, progress, notification, notification_verbal } = event.keys.duration;
      return [[seconds_last_5hrs, progress, notification, notification_verbal]];
    });
  time.pass(2999);
  t.same(told(), []);
  time.pass(1);
  t.same(told(), [[3600, 0, 1, "you've been playing for an hour"]]);
  t.same(told(), []);
  time.pass(5 * 3600);
  t.same(
    told(),
    [
      [10_800, 1, 2, "you've been playing for 3 hours; take a break"],
      [10_800, 1, 3, 'your xp / progress is half normal'],
      [18_000, 2, 4, 'your xp / progress is zero'],
    ],
    'what was missed comes in order',
  );
  steam.controls.setAccount({ duration: PLAYING });
  time.pass(3000);
  t.equal(told().length, 1, 'after the account is set again, it counts from the start');
});

t.test('an answer has the current playtime and progress, and never a notification', async (t) => {
  const duration = { ...PLAYING, notification: Notification.DURATION_CONTROL_NOTIFICATION_HALF_PROGRESS };
  const { steam, time } = steamOf(t, { account: { duration } });
  const answer = () => {
    steam.getDurationControl();
    const events = steam.runCallbacks().flatMap((event) => {
      return event.signal === 'duration_control' && event.call !== 0n ? [event.keys?.duration] : [];
    });
    return events[0];
  };
  time.pass(30.7);
  t.match(answer(), {
    seconds_last_5hrs: 630,
    seconds_today: 1030,
    seconds_remaining: 3970,
    progress: 0,
    notification: 0,
  });
  time.pass(3 * 3600);
  t.match(answer(), {
    progress: Progress.DURATION_CONTROL_PROGRESS_HALF,
    seconds_remaining: 0,
    notification: 0,
  });
  const told = { ...PLAYING, progress: Progress.DURATION_CONTROL_EXIT_SOON_NIGHT };
  steam.controls.setAccount({ duration: told });
  t.match(answer(), { progress: Progress.DURATION_CONTROL_EXIT_SOON_NIGHT }, 'what was set stands');
});

t.test('a valid online state is accepted', async (t) => {
  const { steam } = steamOf(t);
  for (const state of [OnlineState.DURATION_CONTROL_ONLINE_STATE_INVALID, 4, -1, 1.5, Number.NaN]) {
    t.equal(steam.setDurationControlOnlineState(state), false, String(state));
  }
  t.equal(steam.durationControlOnlineState, OnlineState.DURATION_CONTROL_ONLINE_STATE_INVALID);
  for (const state of [1, 2, 3]) {
    t.equal(steam.setDurationControlOnlineState(state), true);
    t.equal(steam.durationControlOnlineState, state);
  }
});

t.test('a game is advertised until it is cleared', async (t) => {
  const { steam } = steamOf(t);
  t.same(steam.gameState, { advertised: null, connections: [] });
  steam.advertiseGame(9n, 0x7f000001, 27015);
  t.same(steam.gameState.advertised, { serverSteamId: 9n, ip: 0x7f000001, port: 27015 });
  steam.advertiseGame(0n, 0, 0);
  t.equal(steam.gameState.advertised, null);
});

t.test(
  'a game connection has a blob that is embedded, for this server, until it is terminated',
  async (t) => {
    const { steam } = steamOf(t);
    const blob = steam.initiateGameConnection(9n, 0x7f000001, 27015, true) ?? new Uint8Array(0);
    const ticket = readWebTicket(blob);
    t.match(ticket, { steamId: ALICE, appId: 480, identity: 'game server 9' });
    t.ok(ticket.kind === 'web-ticket' && ticket.sealedUnder(KEYS.gameConnection));
    t.notOk(ticket.kind === 'web-ticket' && ticket.sealedUnder(KEYS.webTicket), 'and is no web ticket');
    steam.initiateGameConnection(10n, 0x7f000001, 27016, false);
    t.match(steam.gameState.connections, [
      { serverSteamId: 9n, port: 27015, security: 'secure' },
      { serverSteamId: 10n, port: 27016, security: 'insecure' },
    ]);
    steam.terminateGameConnection(0x7f000001, 27015);
    steam.terminateGameConnection(1, 1);
    t.match(steam.gameState.connections, [{ serverSteamId: 10n }]);
    for (let port = 1; port <= 255; port++) steam.initiateGameConnection(9n, 1, port, true);
    t.equal(steam.initiateGameConnection(9n, 1, 256, true), null, '256 at once');
  },
);

t.test('a test can send any broadcast unchanged, with no other effect', async (t) => {
  const { steam } = steamOf(t);
  const deny = { app_id: 480, server_ip: '1.2.3.4', server_port: 5, secure: 1, reason: 4 };
  steam.controls.emit('client_game_server_deny', deny);
  steam.controls.emit('steam_server_disconnected', { result: Result.RESULT_FAIL });
  steam.controls.emit('microtransaction_auth_response', {
    app_id: 480,
    order_id: 2n ** 63n,
    authorized: true,
  });
  t.equal(steam.loggedOn(), true);
  t.same(steam.runCallbacks(), [
    { signal: 'client_game_server_deny', keys: deny, call: 0n },
    { signal: 'steam_server_disconnected', keys: { result: Result.RESULT_FAIL }, call: 0n },
    {
      signal: 'microtransaction_auth_response',
      keys: { app_id: 480, order_id: 2n ** 63n, authorized: true },
      call: 0n,
    },
  ]);
});

t.test('1024 events wait; the oldest beyond are counted, and Steam says that it lost some', async (t) => {
  const { steam } = steamOf(t);
  for (let at = 0; at < 1034; at++) steam.controls.emit('game_web_callback', { url: `url ${at}` });
  t.equal(steam.lostEvents, 10);
  t.equal(steam.getMarketEligibility(), 0n, 'a call is not taken while none of its answer fits');
  const first = steam.runCallbacks();
  t.equal(first.length, 1024);
  t.same(first[0], { signal: 'ipc_failure', keys: { type: 0 }, call: 0n });
  t.match(first[1], { keys: { url: 'url 10' } });
  t.match(steam.runCallbacks(), [{ keys: { url: 'url 1033' } }], 'the rest comes with the next frame');
  t.equal(steam.getMarketEligibility(), 1n);
});

t.test('after close every function throws with a code, except voice, which is not initialized', async (t) => {
  const { steam } = steamOf(t);
  steam.close();
  steam.close();
  const nothing = new Uint8Array(0);
  const functions: [name: string, call: () => unknown][] = [
    ['getSteamID', () => steam.getSteamID()],
    ['loggedOn', () => steam.loggedOn()],
    ['getPlayerSteamLevel', () => steam.getPlayerSteamLevel()],
    ['getGameBadgeLevel', () => steam.getGameBadgeLevel(1, true)],
    ['isBehindNAT', () => steam.isBehindNAT()],
    ['isPhoneIdentifying', () => steam.isPhoneIdentifying()],
    ['isPhoneRequiringVerification', () => steam.isPhoneRequiringVerification()],
    ['isPhoneVerified', () => steam.isPhoneVerified()],
    ['isTwoFactorEnabled', () => steam.isTwoFactorEnabled()],
    ['getAuthSessionTicket', () => steam.getAuthSessionTicket(0n)],
    ['getAuthTicketForWebApi', () => steam.getAuthTicketForWebApi('')],
    ['cancelAuthTicket', () => steam.cancelAuthTicket(1)],
    ['beginAuthSession', () => steam.beginAuthSession(nothing, 1n)],
    ['endAuthSession', () => steam.endAuthSession(1n)],
    ['userHasLicenseForApp', () => steam.userHasLicenseForApp(1n, 1)],
    ['requestEncryptedAppTicket', () => steam.requestEncryptedAppTicket(nothing)],
    ['getEncryptedAppTicket', () => steam.getEncryptedAppTicket()],
    ['requestStoreAuthURL', () => steam.requestStoreAuthURL('')],
    ['getMarketEligibility', () => steam.getMarketEligibility()],
    ['getDurationControl', () => steam.getDurationControl()],
    ['setDurationControlOnlineState', () => steam.setDurationControlOnlineState(1)],
    ['advertiseGame', () => steam.advertiseGame(0n, 0, 0)],
    ['initiateGameConnection', () => steam.initiateGameConnection(1n, 1, 1, false)],
    ['terminateGameConnection', () => steam.terminateGameConnection(1, 1)],
    ['runCallbacks', () => steam.runCallbacks()],
    ['loseConnection', () => steam.controls.loseConnection(Result.RESULT_FAIL)],
    ['setAccount', () => steam.controls.setAccount({})],
    ['emit', () => steam.controls.emit('licenses_updated', {})],
  ];
  for (const [name, call] of functions) {
    t.throws(call, { code: 'ERR_HOTMIC_STEAM_CLOSED', message: new RegExp(`Cannot call ${name}: `) }, name);
  }
  const result = VoiceResult.VOICE_RESULT_NOT_INITIALIZED;
  steam.startVoiceRecording();
  steam.stopVoiceRecording();
  t.same(steam.getAvailableVoice(), { result, buffer: 0 });
  t.same(steam.getVoice(), { result, written: 0, buffer: nothing });
  t.equal(steam.getVoiceInto(new Uint8Array(9)), -result);
  t.same(steam.decompressVoice(nothing, 24_000), { result, size: 0, uncompressed: nothing });
  t.equal(steam.inputEnded, true);
});
