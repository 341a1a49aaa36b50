/**
 * The `User` class against the class reference: its 30 functions with their positional arguments, defaults and keys, its 15
 * signals, and what of other bindings' defects it must not have. Beneath it is a scripted Steam that notes what it is asked.
 */

import { EventEmitter, once } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { notificationVerbal, SIGNAL_NAMES } from '../../native/signals.js';
import { User } from '../../native/user.js';
import { ipText } from '../../native/user_arguments.js';
import { NO_BYTES, openScripted, ScriptedUser } from './scripted_user.js';

/** The class reference's functions, in its order. */
const FUNCTION_NAMES = [
  ...['advertiseGame', 'beginAuthSession', 'cancelAuthTicket', 'decompressVoice', 'endAuthSession'],
  ...['getAuthSessionTicket', 'getAuthTicketForWebApi', 'getAvailableVoice', 'getDurationControl'],
  ...['getEncryptedAppTicket', 'getGameBadgeLevel', 'getMarketEligibility', 'getPlayerSteamLevel'],
  ...['getSteamID', 'getVoice', 'getVoiceOptimalSampleRate', 'initiateGameConnection', 'isBehindNAT'],
  ...['isPhoneIdentifying', 'isPhoneRequiringVerification', 'isPhoneVerified', 'isTwoFactorEnabled'],
  ...['loggedOn', 'requestEncryptedAppTicket', 'requestStoreAuthURL', 'setDurationControlOnlineState'],
  ...['startVoiceRecording', 'stopVoiceRecording', 'terminateGameConnection', 'userHasLicenseForApp'],
];

/** The class reference's signals, in its order. */
const REFERENCE_SIGNALS = [
  ...['client_game_server_deny', 'duration_control', 'encrypted_app_ticket_response', 'game_web_callback'],
  ...['get_auth_session_ticket_response', 'get_ticket_for_web_api', 'ipc_failure', 'licenses_updated'],
  ...['market_eligibility_response', 'microtransaction_auth_response', 'steam_server_connect_failed'],
  ...['steam_server_connected', 'steam_server_disconnected', 'store_auth_url_response'],
  'validate_auth_ticket_response',
];

const PLAYER = 76561197960287930n;
/** An anonymous game server: its upper half is lost on who takes an id for an account number. */
const GAME_SERVER = 90071992547421953n;
const LARGEST = 0xffff_ffff_ffff_ffffn;
const LOCALHOST = 0x7f00_0001;

function scripted(): { user: User; under: ScriptedUser } {
  const under = new ScriptedUser();
  return { user: new User(under), under };
}

/** What beneath was asked, once. */
function asked(under: ScriptedUser, call: () => unknown): unknown[] {
  under.calls.length = 0;
  call();
  const [only, ...more] = under.calls;
  if (only === undefined || more.length > 0) throw new Error(`${under.calls.length} calls, expected one`);
  return [...only];
}

t.test('it has the 30 functions of the class reference, and no others', async (t) => {
  t.equal(FUNCTION_NAMES.length, 30);
  const own = Object.getOwnPropertyNames(User.prototype).filter((name) => name !== 'constructor');
  t.strictSame(own.sort(), [...FUNCTION_NAMES].sort());
  t.ok(scripted().user instanceof EventEmitter);
});

t.test('it has the 15 signals of the class reference', async (t) => {
  t.equal(REFERENCE_SIGNALS.length, 15);
  t.strictSame([...SIGNAL_NAMES].sort(), [...REFERENCE_SIGNALS].sort());
});

t.test('each signal calls its listeners with its keys in one object, as Steam gave them', async (t) => {
  const { steam, under } = openScripted();
  const keys: Record<string, Record<string, unknown>> = {
    client_game_server_deny: { app_id: 480, server_ip: '10.0.0.1', server_port: 27015, secure: 1, reason: 5 },
    duration_control: { result: 1, duration: { app_id: 480, notification_verbal: 'no notification' } },
    encrypted_app_ticket_response: { result: 25 },
    game_web_callback: { url: 'steam://gamewebcallback/480/x' },
    get_auth_session_ticket_response: { auth_ticket: 7, result: 1 },
    get_ticket_for_web_api: { auth_ticket: 8, result: 1, ticket_size: 1, ticket_buffer: Uint8Array.of(9) },
    ipc_failure: { type: 1 },
    licenses_updated: {},
    market_eligibility_response: { is_allowed: false, disallow_reason: 65536 },
    microtransaction_auth_response: { app_id: 480, order_id: LARGEST, authorized: true },
    steam_server_connect_failed: { result: 3, retrying: true },
    steam_server_connected: {},
    steam_server_disconnected: { result: 3 },
    store_auth_url_response: { url: 'https://store.example' },
    validate_auth_ticket_response: { auth_id: PLAYER, response: 0, owner_id: GAME_SERVER },
  };
  const heard: unknown[][] = [];
  const listening = steam.user as unknown as EventEmitter;
  for (const name of REFERENCE_SIGNALS) listening.on(name, (...args) => heard.push([name, ...args]));
  for (const name of REFERENCE_SIGNALS) under.send(name as never, keys[name] as never);
  t.equal(steam.runCallbacks(), 15);
  t.strictSame(
    heard,
    REFERENCE_SIGNALS.map((name) => [name, keys[name]]),
    'in the order of Steam, once each',
  );
});

t.test("a notification's words are GodotSteam's", async (t) => {
  t.equal(notificationVerbal(1), "you've been playing for an hour");
  t.equal(notificationVerbal(2), "you've been playing for 3 hours; take a break");
  t.equal(notificationVerbal(3), 'your xp / progress is half normal');
  t.equal(notificationVerbal(4), 'your xp / progress is zero');
  for (const other of [0, 5, 6, 7, 99, -1]) t.equal(notificationVerbal(other), 'no notification');
});

t.test('plain answers of Steam are returned unchanged', async (t) => {
  const { user, under } = scripted();
  Object.assign(under.answers, {
    getSteamID: () => LARGEST,
    loggedOn: () => false,
    getPlayerSteamLevel: () => 42,
    getGameBadgeLevel: () => 5,
    isBehindNAT: () => true,
    isPhoneIdentifying: () => true,
    isPhoneRequiringVerification: () => true,
    isPhoneVerified: () => true,
    isTwoFactorEnabled: () => true,
    getVoiceOptimalSampleRate: () => 48_000,
    setDurationControlOnlineState: () => false,
    userHasLicenseForApp: () => 2,
    getAvailableVoice: () => ({ result: 0, buffer: 321 }),
  });
  t.equal(user.getSteamID(), LARGEST, 'a bigint, all 64 bits of it');
  t.equal(user.loggedOn(), false);
  t.equal(user.getPlayerSteamLevel(), 42);
  t.equal(user.getGameBadgeLevel(1, false), 5);
  t.equal(user.isBehindNAT(), true);
  t.equal(user.isPhoneIdentifying(), true);
  t.equal(user.isPhoneRequiringVerification(), true);
  t.equal(user.isPhoneVerified(), true);
  t.equal(user.isTwoFactorEnabled(), true);
  t.equal(user.getVoiceOptimalSampleRate(), 48_000);
  t.equal(user.setDurationControlOnlineState(2), false);
  t.equal(user.userHasLicenseForApp(PLAYER, 480), 2);
  t.strictSame(user.getAvailableVoice(), { result: 0, buffer: 321 }, 'buffer is a size');
});

t.test('functions that the reference answers with a signal return nothing', async (t) => {
  const { user, under } = scripted();
  const returned = [
    user.advertiseGame('10.0.0.1', 27015),
    user.cancelAuthTicket(1),
    user.endAuthSession(PLAYER),
    user.getDurationControl(),
    user.getMarketEligibility(),
    user.requestEncryptedAppTicket('secret'),
    user.requestStoreAuthURL('https://shop.example'),
    user.startVoiceRecording(),
    user.stopVoiceRecording(),
    user.terminateGameConnection('10.0.0.1', 27015),
  ];
  t.strictSame(returned, new Array(10).fill(undefined));
  t.strictSame(
    under.calls.map(([name]) => name),
    [
      ...[
        'advertiseGame',
        'cancelAuthTicket',
        'endAuthSession',
        'getDurationControl',
        'getMarketEligibility',
      ],
      ...['requestEncryptedAppTicket', 'requestStoreAuthURL', 'startVoiceRecording', 'stopVoiceRecording'],
      'terminateGameConnection',
    ],
    'each asked Steam once',
  );
});

t.test('arguments reach Steam in their places, and defaults are the reference’s', async (t) => {
  const { user, under } = scripted();
  t.strictSame(
    asked(under, () => user.cancelAuthTicket(0xffff_ffff)),
    ['cancelAuthTicket', 0xffff_ffff],
  );
  t.strictSame(
    asked(under, () => user.getAuthSessionTicket()),
    ['getAuthSessionTicket', 0n],
  );
  t.strictSame(
    asked(under, () => user.getAuthSessionTicket(PLAYER)),
    ['getAuthSessionTicket', PLAYER],
  );
  t.strictSame(
    asked(under, () => user.getAuthTicketForWebApi()),
    ['getAuthTicketForWebApi', ''],
  );
  t.strictSame(
    asked(under, () => user.getAuthTicketForWebApi('büro')),
    ['getAuthTicketForWebApi', 'büro'],
  );
  t.strictSame(
    asked(under, () => user.getGameBadgeLevel(3, true)),
    ['getGameBadgeLevel', 3, true],
  );
  t.strictSame(
    asked(under, () => user.userHasLicenseForApp(PLAYER, 480)),
    ['userHasLicenseForApp', PLAYER, 480],
  );
  t.strictSame(
    asked(under, () => user.setDurationControlOnlineState(3)),
    ['setDurationControlOnlineState', 3],
  );
  t.strictSame(
    asked(under, () => user.requestStoreAuthURL('https://a/?b#c')),
    ['requestStoreAuthURL', 'https://a/?b#c'],
  );
});

t.test('getAuthSessionTicket gives id, buffer and size, cut to the ticket', async (t) => {
  const { user, under } = scripted();
  under.answers.getAuthSessionTicket = () => ({ id: 17, buffer: Uint8Array.of(1, 2, 3), size: 3 });
  t.strictSame(user.getAuthSessionTicket(), { id: 17, buffer: Uint8Array.of(1, 2, 3), size: 3 });
});

t.test(
  'getEncryptedAppTicket gives buffer and size: the whole ticket, or an empty one, never no keys',
  async (t) => {
    const { user, under } = scripted();
    t.strictSame(user.getEncryptedAppTicket(), { buffer: NO_BYTES, size: 0 });
    under.answers.getEncryptedAppTicket = () => Uint8Array.of(8, 9);
    t.strictSame(user.getEncryptedAppTicket(), { buffer: Uint8Array.of(8, 9), size: 2 });
  },
);

t.test('getVoice and decompressVoice pass their size and give the reference’s keys', async (t) => {
  const { user, under } = scripted();
  under.answers.getVoice = () => ({ result: 0, written: 2, buffer: Uint8Array.of(1, 2) });
  t.strictSame(user.getVoice(), { result: 0, written: 2, buffer: Uint8Array.of(1, 2) });
  t.strictSame(
    asked(under, () => user.getVoice()),
    ['getVoice', 0],
  );
  t.strictSame(
    asked(under, () => user.getVoice(8192)),
    ['getVoice', 8192],
  );
  under.answers.decompressVoice = () => ({ result: 4, size: 30_000, uncompressed: NO_BYTES });
  const packet = Uint8Array.of(5);
  t.strictSame(user.decompressVoice(packet, 24_000), { result: 4, size: 30_000, uncompressed: NO_BYTES });
  t.strictSame(
    asked(under, () => user.decompressVoice(packet, 24_000)),
    ['decompressVoice', packet, 24_000, 20_480],
  );
  t.strictSame(
    asked(under, () => user.decompressVoice(packet, 48_000, 30_000)),
    ['decompressVoice', packet, 48_000, 30_000],
  );
});

t.test('a ticket is authenticated up to ticket_size and no further', async (t) => {
  const { user, under } = scripted();
  under.answers.beginAuthSession = () => 2;
  const padded = Uint8Array.of(1, 2, 3, 0, 0, 0);
  t.equal(user.beginAuthSession(padded, 3, PLAYER), 2);
  const [[ticket, steamId] = []] = under.argumentsOf('beginAuthSession');
  t.strictSame(Uint8Array.from(ticket as Uint8Array), Uint8Array.of(1, 2, 3));
  t.equal(steamId, PLAYER);
  user.beginAuthSession(new Uint8Array(0), 0, PLAYER);
  t.equal(
    (under.argumentsOf('beginAuthSession').at(1)?.at(0) as Uint8Array | undefined)?.length,
    0,
    'Steam judges an empty one',
  );
  for (const size of [-1, 7, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => user.beginAuthSession(padded, size, PLAYER), RangeError, `${size}`);
  }
  t.throws(() => user.beginAuthSession(padded, '3' as never, PLAYER), Error);
  t.throws(() => user.beginAuthSession('ticket' as never, 3, PLAYER), TypeError);
  t.throws(() => user.beginAuthSession([1, 2, 3] as never, 3, PLAYER), TypeError);
  t.throws(() => user.beginAuthSession(new Uint8Array(100_000), 3, PLAYER), RangeError);
  t.equal(under.argumentsOf('beginAuthSession').length, 2, 'nothing wrong reached Steam');
});

t.test('every SteamID is passed on with all its bits, a game server’s as well', async (t) => {
  const { user, under } = scripted();
  fc.assert(
    fc.property(fc.oneof(fc.bigInt({ min: 0n, max: LARGEST }), fc.constant(GAME_SERVER)), (id) => {
      under.calls.length = 0;
      user.beginAuthSession(NO_BYTES, 0, id);
      user.endAuthSession(id);
      user.userHasLicenseForApp(id, 480);
      user.getAuthSessionTicket(id);
      user.initiateGameConnection(id, 0, 0, false);
      return [1, 0, 0, 0, 0].every((place, call) => under.calls[call]?.[place + 1] === id);
    }),
  );
  for (const wrong of [5, '76561197960287930', undefined, null, {}]) {
    if (wrong !== undefined) t.throws(() => user.getAuthSessionTicket(wrong as never), TypeError);
    t.throws(() => user.endAuthSession(wrong as never), TypeError);
    t.throws(() => user.beginAuthSession(NO_BYTES, 0, wrong as never), TypeError);
    t.throws(() => user.userHasLicenseForApp(wrong as never, 480), TypeError);
    t.throws(() => user.initiateGameConnection(wrong as never, 0, 0, false), TypeError);
  }
  for (const wrong of [-1n, LARGEST + 1n]) {
    t.throws(() => user.getAuthSessionTicket(wrong), RangeError);
    t.throws(() => user.endAuthSession(wrong), RangeError);
  }
});

t.test('an address is text or a number in host order, and both are the same to Steam', async (t) => {
  const { user, under } = scripted();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 1, max: 65_535 }), (ip, port) => {
      under.calls.length = 0;
      const text = ipText(ip);
      user.terminateGameConnection(text, port);
      user.terminateGameConnection(ip, port);
      const given = user.initiateGameConnection(GAME_SERVER, text, port, true);
      return (
        text === [24, 16, 8, 0].map((shift) => Math.floor(ip / 2 ** shift) % 256).join('.') &&
        under.argumentsOf('terminateGameConnection').every(([a, b]) => a === ip && b === port) &&
        under.argumentsOf('initiateGameConnection').every(([, a]) => a === ip) &&
        given.server_ip === ip
      );
    }),
  );
  t.strictSame(
    asked(under, () => user.terminateGameConnection('127.0.0.1', 1)),
    ['terminateGameConnection', LOCALHOST, 1],
  );
  const wrong = [
    'localhost',
    '127.0.0',
    '1.2.3.4.5',
    '256.0.0.1',
    '::1',
    ' 1.2.3.4',
    -1,
    2 ** 32,
    1.5,
    5n,
    null,
  ];
  for (const ip of wrong) {
    t.throws(() => user.advertiseGame(ip as never, 1), /server_ip/, `${String(ip)}`);
    t.throws(() => user.terminateGameConnection(ip as never, 1), /server_ip/);
    t.throws(() => user.initiateGameConnection(GAME_SERVER, ip as never, 1, true), /server_ip/);
  }
  for (const port of [-1, 65_536, 1.5, Number.NaN]) {
    t.throws(() => user.advertiseGame('127.0.0.1', port), RangeError);
    t.throws(() => user.terminateGameConnection('127.0.0.1', port), RangeError);
    t.throws(() => user.initiateGameConnection(GAME_SERVER, 0, port, true), RangeError);
  }
  t.throws(() => user.advertiseGame('127.0.0.1', '27015' as never), TypeError);
});

t.test('advertising names a server that is not Steam’s own, and never the player’s id', async (t) => {
  const { user, under } = scripted();
  under.answers.getSteamID = () => PLAYER;
  user.advertiseGame('127.0.0.1', 27015);
  t.strictSame(under.argumentsOf('advertiseGame'), [[2n, LOCALHOST, 27015]], 'k_steamIDNonSteamGS');
});

t.test('without an address or a port, advertising stops', async (t) => {
  const { user, under } = scripted();
  user.advertiseGame();
  user.advertiseGame('127.0.0.1');
  user.advertiseGame('', 27015);
  user.advertiseGame(0, 0);
  t.strictSame(under.argumentsOf('advertiseGame'), new Array(4).fill([0n, 0, 0]));
});

t.test('initiateGameConnection gives the reference’s keys, with a blob or an empty one', async (t) => {
  const { user, under } = scripted();
  const server = { server_id: GAME_SERVER, server_ip: LOCALHOST, server_port: 27015 };
  t.strictSame(user.initiateGameConnection(GAME_SERVER, '127.0.0.1', 27015, true), {
    auth_blob: NO_BYTES,
    ...server,
  });
  under.answers.initiateGameConnection = () => Uint8Array.of(3, 1);
  t.strictSame(user.initiateGameConnection(GAME_SERVER, LOCALHOST, 27015, false), {
    auth_blob: Uint8Array.of(3, 1),
    ...server,
  });
  t.strictSame(under.argumentsOf('initiateGameConnection'), [
    [GAME_SERVER, LOCALHOST, 27015, true],
    [GAME_SERVER, LOCALHOST, 27015, false],
  ]);
});

t.test(
  'an encrypted ticket carries text as UTF-8 without a NUL at the end, or bytes unchanged',
  async (t) => {
    const { user, under } = scripted();
    user.requestEncryptedAppTicket('gö');
    user.requestEncryptedAppTicket('');
    user.requestEncryptedAppTicket(Uint8Array.of(0, 255));
    user.requestEncryptedAppTicket('x'.repeat(1024));
    t.strictSame(
      under.argumentsOf('requestEncryptedAppTicket').map(([data]) => Uint8Array.from(data as Uint8Array)),
      [Uint8Array.of(0x67, 0xc3, 0xb6), NO_BYTES, Uint8Array.of(0, 255), new Uint8Array(1024).fill(0x78)],
    );
    t.throws(() => user.requestEncryptedAppTicket('x'.repeat(1025)), RangeError);
    t.throws(() => user.requestEncryptedAppTicket('ö'.repeat(513)), RangeError, 'bytes count, not letters');
    t.throws(() => user.requestEncryptedAppTicket(5 as never), TypeError);
    t.throws(() => user.requestEncryptedAppTicket(undefined as never), TypeError);
  },
);

t.test('for a wrong ticket the message names its type and never quotes it', async (t) => {
  const { user } = scripted();
  const secret = '14000000deadbeef';
  try {
    user.beginAuthSession(secret as never, 8, PLAYER);
    t.fail('hex is no ticket');
  } catch (thrown) {
    t.match((thrown as Error).message, /auth_ticket is a string, expected a Uint8Array/);
    t.notMatch((thrown as Error).message, secret);
  }
  try {
    user.advertiseGame('9'.repeat(1_000_000), 1);
    t.fail('this is no address');
  } catch (thrown) {
    t.ok((thrown as Error).message.length < 200, 'and a long text stays out of the log');
  }
});

t.test('numbers and texts that Steam cannot take throw at once and name the argument', async (t) => {
  const { user, under } = scripted();
  const wrong: readonly (readonly [() => unknown, RegExp])[] = [
    [() => user.cancelAuthTicket(-1), /auth_ticket is -1/],
    [() => user.cancelAuthTicket(2 ** 32), /auth_ticket/],
    [() => user.cancelAuthTicket(1n as never), /auth_ticket is a bigint/],
    [() => user.getGameBadgeLevel(2 ** 31, false), /series/],
    [() => user.getGameBadgeLevel(0.5, false), /series is 0.5/],
    [() => user.userHasLicenseForApp(PLAYER, -1), /app_id/],
    [() => user.userHasLicenseForApp(PLAYER, 2 ** 32), /app_id/],
    [() => user.setDurationControlOnlineState('online' as never), /new_state/],
    [() => user.setDurationControlOnlineState(undefined as never), /new_state/],
    [() => user.getAuthTicketForWebApi('a\0b'), /service_identity/],
    [() => user.getAuthTicketForWebApi(5 as never), /service_identity/],
    [() => user.getAuthTicketForWebApi('x'.repeat(100_000)), /service_identity/],
    [() => user.requestStoreAuthURL('https://a\0b'), /redirect_url/],
    [() => user.requestStoreAuthURL(undefined as never), /redirect_url/],
    [() => user.requestStoreAuthURL('x'.repeat(100_000)), /redirect_url/],
    [() => user.getVoice(-1), /buffer_size_override/],
    [() => user.getVoice(1.5), /buffer_size_override/],
    [() => user.getVoice(2 ** 32), /buffer_size_override/],
    [() => user.getVoice('8192' as never), /buffer_size_override/],
    [() => user.decompressVoice([1] as never, 24_000), /voice/],
    [() => user.decompressVoice(undefined as never, 24_000), /voice/],
    [() => user.decompressVoice(NO_BYTES, 24_000, -1), /buffer_size_override/],
    [() => user.decompressVoice(NO_BYTES, 24_000, 2 ** 32), /buffer_size_override/],
    [() => user.decompressVoice(NO_BYTES, 24_000, Number.NaN), /buffer_size_override/],
  ];
  for (const [call, message] of wrong) {
    t.throws(call, { message });
    try {
      call();
    } catch (thrown) {
      t.ok(thrown instanceof TypeError || thrown instanceof RangeError, String(message));
      t.match((thrown as Error).message, /^Cannot .+: .+, expected /);
    }
  }
  t.strictSame(under.calls, [], 'nothing wrong reached Steam');
});

t.test('a sample rate is 11025 to 48000 Hz, or ERR_HOTMIC_SAMPLE_RATE', async (t) => {
  const { user, under } = scripted();
  for (const rate of [11_025, 22_050, 24_000, 48_000]) user.decompressVoice(NO_BYTES, rate);
  t.equal(under.calls.length, 4);
  for (const rate of [0, 8_000, 11_024, 48_001, 24_000.5, Number.NaN, '24000' as never, undefined as never]) {
    t.throws(() => user.decompressVoice(NO_BYTES, rate), { code: 'ERR_HOTMIC_SAMPLE_RATE' }, `${rate}`);
  }
  t.equal(under.calls.length, 4, 'nothing wrong reached Steam');
});

t.test('a closed Steam throws, except for the voice functions, which return NOT_INITIALIZED', async (t) => {
  const { user, under } = scripted();
  under.close();
  const args: Readonly<Record<string, unknown[]>> = {
    beginAuthSession: [NO_BYTES, 0, PLAYER],
    cancelAuthTicket: [1],
    endAuthSession: [PLAYER],
    getGameBadgeLevel: [1, false],
    initiateGameConnection: [GAME_SERVER, 0, 0, false],
    requestEncryptedAppTicket: ['secret'],
    requestStoreAuthURL: ['https://shop.example'],
    setDurationControlOnlineState: [2],
    terminateGameConnection: ['10.0.0.1', 1],
    userHasLicenseForApp: [PLAYER, 480],
  };
  const voice = [
    'decompressVoice',
    'getAvailableVoice',
    'getVoice',
    'startVoiceRecording',
    'stopVoiceRecording',
  ];
  for (const name of FUNCTION_NAMES.filter((name) => !voice.includes(name))) {
    const call = (user as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
    t.throws(() => call?.apply(user, args[name] ?? []), { code: 'ERR_HOTMIC_STEAM_CLOSED' }, name);
  }
  t.strictSame(user.getAvailableVoice(), { result: 1, buffer: 0 });
  t.strictSame(user.getVoice(), { result: 1, written: 0, buffer: NO_BYTES });
  t.strictSame(user.decompressVoice(NO_BYTES, 24_000), { result: 1, size: 0, uncompressed: NO_BYTES });
  user.startVoiceRecording();
  user.stopVoiceRecording();
});

t.test('an unknown signal cannot be listened to', async (t) => {
  const { steam } = openScripted();
  const { user } = steam as unknown as { user: EventEmitter };
  const message =
    /^Cannot listen to steam_server_connected_failed: expected one of client_game_server_deny, /;
  t.throws(() => user.on('steam_server_connected_failed', () => undefined), { name: 'TypeError', message });
  t.throws(() => user.once('licenses_update', () => undefined), TypeError);
  const came = once(user, 'licenses_updated');
  user.emit('licenses_updated', {});
  t.same(await came, [{}]);
});
