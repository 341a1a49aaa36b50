/** Auth tickets and sessions between embedded Steams: every result, every response, and who learns what when. */

import t from 'tap';
import { EmbeddedSteam, EmbeddedWorld } from '../../../native/embedded/steam.js';
import {
  BeginAuthSessionResult as Begin,
  UserHasLicenseForAppResult as License,
  AuthSessionResponse as Response,
} from '../../../native/enums.js';
import { Result } from '../../../native/result.js';
import { developmentKeys } from '../../../tickets/development.js';
import {
  readSessionTicket,
  SIGNATURE_BYTES,
  sealSessionTicket,
  writeSessionTicket,
} from '../../../tickets/session_ticket.js';
import { readWebTicket } from '../../../tickets/web_ticket.js';
import { SeededRandom } from '../../kit/random.js';
import { ALICE, BOB, keysOf, START, steamOf, TestTime, twoPlayers, verdictsOf } from './kit.js';

const CAROL = 76561197960265732n;
const KEYS = developmentKeys();

t.test('a session ticket has a handle, Steam’s layout, and a response that names the handle', async (t) => {
  const { steam } = steamOf(t);
  const first = steam.getAuthSessionTicket(0n);
  const second = steam.getAuthSessionTicket(BOB);
  t.same([first.id, second.id], [1, 2]);
  t.equal(first.size, first.buffer.length);
  t.match(readSessionTicket(first.buffer), { steamId: ALICE, issuedAt: START, ownership: { appId: 480 } });
  t.notSame(first.buffer, second.buffer);
  t.same(steam.runCallbacks(), [
    { signal: 'get_auth_session_ticket_response', keys: { auth_ticket: 1, result: 1 }, call: 0n },
    { signal: 'get_auth_session_ticket_response', keys: { auth_ticket: 2, result: 1 }, call: 0n },
  ]);
  t.same(steam.runCallbacks(), [], 'once');
});

t.test('a web ticket comes with its signal, for the requested identity', async (t) => {
  const { steam } = steamOf(t);
  const handle = steam.getAuthTicketForWebApi('hotmic');
  const [keys] = keysOf(steam, 'get_ticket_for_web_api');
  t.match(keys, { auth_ticket: handle, result: Result.RESULT_OK });
  t.equal(keys?.ticket_size, keys?.ticket_buffer.length);
  const ticket = readWebTicket(keys?.ticket_buffer ?? new Uint8Array(0));
  t.match(ticket, {
    steamId: ALICE,
    appId: 480,
    identity: 'hotmic',
    issuedAt: START,
    expiresAt: START + 3600,
  });
  t.ok(ticket.kind === 'web-ticket' && ticket.sealedUnder(KEYS.webTicket));
});

t.test('a good ticket: OK at once, the verdict with the next frame, the licence after it', async (t) => {
  const { alice, bob } = twoPlayers(t);
  const { buffer } = alice.getAuthSessionTicket(0n);
  t.equal(bob.userHasLicenseForApp(ALICE, 480), License.USER_HAS_LICENSE_RESULT_NO_AUTH);
  t.equal(bob.beginAuthSession(buffer, ALICE), Begin.BEGIN_AUTH_SESSION_RESULT_OK);
  t.equal(bob.userHasLicenseForApp(ALICE, 480), License.USER_HAS_LICENSE_RESULT_NO_AUTH, 'no verdict yet');
  t.same(bob.runCallbacks(), [
    {
      signal: 'validate_auth_ticket_response',
      keys: { auth_id: ALICE, response: Response.AUTH_SESSION_RESPONSE_OK, owner_id: ALICE },
      call: 0n,
    },
  ]);
  t.equal(bob.userHasLicenseForApp(ALICE, 480), License.USER_HAS_LICENSE_RESULT_HAS_LICENSE);
  t.equal(bob.userHasLicenseForApp(ALICE, 481), License.USER_HAS_LICENSE_RESULT_DOES_NOT_HAVE_LICENSE);
  bob.endAuthSession(ALICE);
  t.equal(bob.userHasLicenseForApp(ALICE, 480), License.USER_HAS_LICENSE_RESULT_NO_AUTH);
});

t.test('a ticket for one SteamID is valid for that one and gets response 10 elsewhere', async (t) => {
  const { alice, bob } = twoPlayers(t);
  t.equal(bob.beginAuthSession(alice.getAuthSessionTicket(BOB).buffer, ALICE), 0);
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_OK]);
  bob.endAuthSession(ALICE);
  t.equal(bob.beginAuthSession(alice.getAuthSessionTicket(CAROL).buffer, ALICE), 0);
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_NETWORK_IDENTITY_FAILURE]);
});

t.test('each result of beginAuthSession has its cause, and begins no session', async (t) => {
  const { alice, bob, time } = twoPlayers(t);
  const whole = alice.getAuthSessionTicket(0n).buffer;
  const ticket = readSessionTicket(whole);
  if (ticket.kind === 'malformed') throw new Error(ticket.reason);
  const seal = (changed: Partial<typeof ticket.ownership>) =>
    sealSessionTicket({ ...ticket, ownership: { ...ticket.ownership, ...changed } }, 0n, KEYS.sessionTicket);
  const unsigned = writeSessionTicket(ticket, new Uint8Array(SIGNATURE_BYTES));
  const cases: [result: number, ticket: Uint8Array, steamId?: bigint][] = [
    [Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET, new Uint8Array(0)],
    [Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET, whole.slice(0, -1)],
    [Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET, Uint8Array.from([...whole, ...new Uint8Array(700)])],
    [Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET, unsigned],
    [Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET, whole, CAROL],
    [Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_VERSION, seal({ version: 5 })],
    [Begin.BEGIN_AUTH_SESSION_RESULT_GAME_MISMATCH, seal({ appId: 481 })],
    [Begin.BEGIN_AUTH_SESSION_RESULT_EXPIRED_TICKET, seal({ expiresAt: START })],
  ];
  for (const [result, bytes, steamId = ALICE] of cases) {
    t.equal(bob.beginAuthSession(bytes, steamId), result);
    t.same(bob.runCallbacks(), []);
  }
  t.equal(
    bob.beginAuthSession(whole, ALICE),
    Begin.BEGIN_AUTH_SESSION_RESULT_OK,
    'the ticket was not used up',
  );
  t.equal(
    bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE),
    Begin.BEGIN_AUTH_SESSION_RESULT_DUPLICATE_REQUEST,
  );
  t.same(verdictsOf(bob), [0], 'and the first session goes on');
  const late = alice.getAuthSessionTicket(0n).buffer;
  bob.endAuthSession(ALICE);
  time.pass(21 * 24 * 3600);
  t.equal(bob.beginAuthSession(late, ALICE), Begin.BEGIN_AUTH_SESSION_RESULT_EXPIRED_TICKET);
});

t.test('a forged ticket, and one from the future, are well-formed and get response 8', async (t) => {
  const { alice, bob } = twoPlayers(t);
  const { buffer } = alice.getAuthSessionTicket(0n);
  const forged = buffer.slice();
  forged[forged.length - 1]! ^= 1;
  const ticket = readSessionTicket(buffer);
  if (ticket.kind === 'malformed') throw new Error(ticket.reason);
  const early = sealSessionTicket({ ...ticket, issuedAt: START + 61 }, 0n, KEYS.sessionTicket);
  for (const bytes of [forged, early]) {
    t.equal(bob.beginAuthSession(bytes, ALICE), Begin.BEGIN_AUTH_SESSION_RESULT_OK);
    t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID]);
    bob.endAuthSession(ALICE);
  }
  t.equal(bob.beginAuthSession(buffer, ALICE), Begin.BEGIN_AUTH_SESSION_RESULT_OK);
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_OK], 'neither used up what it was made from');
});

t.test('a ticket can be used once in a world', async (t) => {
  const { alice, bob } = twoPlayers(t);
  const { buffer } = alice.getAuthSessionTicket(0n);
  bob.beginAuthSession(buffer, ALICE);
  bob.endAuthSession(ALICE);
  bob.runCallbacks();
  t.equal(bob.beginAuthSession(buffer, ALICE), 0);
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID_ALREADY_USED]);
  t.equal(bob.userHasLicenseForApp(ALICE, 480), License.USER_HAS_LICENSE_RESULT_NO_AUTH);
  t.equal(alice.beginAuthSession(buffer, ALICE), 0, 'a player may check itself');
  t.same(verdictsOf(alice), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID_ALREADY_USED]);
});

t.test(
  'everyone with a session learns of a cancelled ticket, and so does everyone who comes later',
  async (t) => {
    const { alice, bob } = twoPlayers(t);
    const ticket = alice.getAuthSessionTicket(0n);
    const other = alice.getAuthSessionTicket(0n);
    bob.beginAuthSession(ticket.buffer, ALICE);
    t.same(verdictsOf(bob), [0]);
    alice.cancelAuthTicket(ticket.id);
    t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_CANCELED]);
    t.equal(bob.userHasLicenseForApp(ALICE, 480), License.USER_HAS_LICENSE_RESULT_NO_AUTH);
    alice.cancelAuthTicket(ticket.id);
    alice.cancelAuthTicket(99);
    t.same(verdictsOf(bob), [], 'a cancelled or unknown handle does nothing');
    bob.endAuthSession(ALICE);
    alice.cancelAuthTicket(other.id);
    t.same(verdictsOf(bob), [], 'nor does a ticket that nobody used');
    t.equal(bob.beginAuthSession(other.buffer, ALICE), 0);
    t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_CANCELED]);
  },
);

t.test('a Steam that closes cancels its tickets', async (t) => {
  const { alice, bob } = twoPlayers(t);
  bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE);
  t.same(verdictsOf(bob), [0]);
  alice.close();
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_CANCELED]);
});

t.test('a player who goes offline: response 1, to a session and to a ticket that comes later', async (t) => {
  const { alice, bob } = twoPlayers(t);
  const later = alice.getAuthSessionTicket(0n).buffer;
  bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE);
  t.same(verdictsOf(bob), [0]);
  alice.controls.loseConnection(Result.RESULT_NO_CONNECTION);
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_USER_NOT_CONNECTED_TO_STEAM]);
  bob.endAuthSession(ALICE);
  t.equal(bob.beginAuthSession(later, ALICE), 0);
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_USER_NOT_CONNECTED_TO_STEAM]);
});

t.test(
  'a verifier without connection gets its verdict when it is back, unless the session ended',
  async (t) => {
    const { alice, bob } = twoPlayers(t);
    bob.controls.loseConnection(Result.RESULT_NO_CONNECTION);
    t.equal(bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE), 0);
    t.same(verdictsOf(bob), []);
    bob.controls.restoreConnection();
    t.same(verdictsOf(bob), [0]);
    bob.endAuthSession(ALICE);
    bob.controls.loseConnection(Result.RESULT_NO_CONNECTION);
    bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE);
    bob.endAuthSession(ALICE);
    bob.controls.restoreConnection();
    t.same(verdictsOf(bob), []);
  },
);

t.test('a player with two Steams is offline when neither has a connection', async (t) => {
  const time = new TestTime();
  const world = new EmbeddedWorld();
  const one = steamOf(t, { steamId: ALICE }, { time, world, seed: 5 }).steam;
  const two = steamOf(t, { steamId: ALICE }, { time, world, seed: 6 }).steam;
  const bob = steamOf(t, { steamId: BOB }, { time, world }).steam;
  bob.beginAuthSession(one.getAuthSessionTicket(0n).buffer, ALICE);
  t.same(verdictsOf(bob), [0]);
  one.controls.loseConnection(Result.RESULT_NO_CONNECTION);
  t.same(verdictsOf(bob), []);
  two.controls.loseConnection(Result.RESULT_NO_CONNECTION);
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_USER_NOT_CONNECTED_TO_STEAM]);
});

t.test('an ended session sends nothing that could be mistaken for the next one', async (t) => {
  const { alice, bob } = twoPlayers(t);
  bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE);
  bob.endAuthSession(ALICE);
  bob.beginAuthSession(alice.getAuthSessionTicket(CAROL).buffer, ALICE);
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_NETWORK_IDENTITY_FAILURE]);
});

t.test('a closed Steam is no longer in the world', async (t) => {
  const { alice, bob } = twoPlayers(t);
  alice.controls.loseConnection(Result.RESULT_NO_CONNECTION);
  alice.close();
  const { buffer } = steamOf(t, { steamId: ALICE }, { seed: 9 }).steam.getAuthSessionTicket(0n);
  t.equal(bob.beginAuthSession(buffer, ALICE), 0);
  t.same(verdictsOf(bob), [0], 'that it was offline is forgotten');
});

t.test('a world has room for 1024 Steams', async (t) => {
  const world = new EmbeddedWorld();
  const memberOf = (steamId: bigint) => ({
    steamId,
    loggedOn: true,
    ticketCancelled() {},
    playerOffline() {},
  });
  const members = Array.from({ length: 1024 }, (_, at) => memberOf(BigInt(at + 1)));
  for (const member of members) world.join(member);
  t.throws(() => new EmbeddedSteam({}, { world }), {
    name: 'RangeError',
    message: /it has 1024 Steams already/,
  });
  world.leave(members[5]!);
  const { steam } = steamOf(t, {}, { world });
  t.equal(steam.loggedOn(), true);
});

t.test('a ticket from another world is judged by its seal', async (t) => {
  const { buffer } = steamOf(t, { steamId: ALICE }).steam.getAuthSessionTicket(0n);
  const bob = steamOf(t, { steamId: BOB }).steam;
  t.equal(bob.beginAuthSession(buffer, ALICE), 0);
  t.same(verdictsOf(bob), [0]);
  const developmentKey = new TextEncoder().encode('sixteen bytes, or more');
  const secretive = steamOf(t, { steamId: BOB, developmentKey }).steam;
  t.equal(secretive.beginAuthSession(buffer, ALICE), 0);
  t.same(verdictsOf(secretive), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID], 'under another secret');
});

t.test('a test can ask for each result, once', async (t) => {
  const { alice, bob } = twoPlayers(t);
  for (const result of Object.values(Begin)) {
    bob.controls.answerNext({ kind: 'begin-auth-session', result });
    t.equal(bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE), result);
    t.same(verdictsOf(bob), result === 0 ? [0] : []);
    bob.endAuthSession(ALICE);
  }
  bob.controls.answerNext({ kind: 'begin-auth-session', result: Begin.BEGIN_AUTH_SESSION_RESULT_OK });
  t.equal(bob.beginAuthSession(new Uint8Array(3), ALICE), 0, 'even of nonsense');
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID]);
  bob.endAuthSession(ALICE);
  t.equal(bob.beginAuthSession(new Uint8Array(3), ALICE), Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET);
});

t.test('a test can ask for each response, and for another owner', async (t) => {
  const { alice, bob } = twoPlayers(t);
  for (const response of Object.values(Response)) {
    bob.controls.answerNext({ kind: 'validation', response });
    t.equal(bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE), 0);
    t.same(verdictsOf(bob), [response]);
    bob.endAuthSession(ALICE);
  }
  bob.controls.answerNext({
    kind: 'validation',
    response: Response.AUTH_SESSION_RESPONSE_OK,
    ownerId: CAROL,
  });
  t.equal(bob.beginAuthSession(new Uint8Array(0), ALICE), Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET);
  bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE);
  t.same(
    keysOf(bob, 'validate_auth_ticket_response'),
    [{ auth_id: ALICE, response: 0, owner_id: CAROL }],
    'it waits for a ticket that is taken',
  );
});

t.test('licences: as they were set, of whoever was authenticated, the player included', async (t) => {
  const { alice, bob } = twoPlayers(t);
  t.equal(bob.userHasLicenseForApp(BOB, 480), License.USER_HAS_LICENSE_RESULT_NO_AUTH);
  bob.controls.setLicense(500, 'owned');
  t.same(keysOf(bob, 'licenses_updated'), [{}]);
  t.equal(bob.userHasLicenseForApp(BOB, 500), License.USER_HAS_LICENSE_RESULT_NO_AUTH);
  bob.beginAuthSession(bob.getAuthSessionTicket(0n).buffer, BOB);
  bob.runCallbacks();
  t.equal(bob.userHasLicenseForApp(BOB, 480), License.USER_HAS_LICENSE_RESULT_HAS_LICENSE);
  t.equal(bob.userHasLicenseForApp(BOB, 500), License.USER_HAS_LICENSE_RESULT_HAS_LICENSE);
  t.equal(bob.userHasLicenseForApp(BOB, 501), License.USER_HAS_LICENSE_RESULT_DOES_NOT_HAVE_LICENSE);
  bob.controls.setLicense(500, 'not-owned', BOB);
  bob.controls.setLicense(480, 'not-owned', ALICE);
  bob.controls.setLicense(600, 'owned', ALICE);
  t.same(keysOf(bob, 'licenses_updated'), [{}], 'told for the own ones alone');
  t.equal(bob.userHasLicenseForApp(BOB, 500), License.USER_HAS_LICENSE_RESULT_DOES_NOT_HAVE_LICENSE);
  t.equal(bob.userHasLicenseForApp(ALICE, 600), License.USER_HAS_LICENSE_RESULT_NO_AUTH);
  bob.beginAuthSession(alice.getAuthSessionTicket(0n).buffer, ALICE);
  bob.runCallbacks();
  t.equal(bob.userHasLicenseForApp(ALICE, 600), License.USER_HAS_LICENSE_RESULT_HAS_LICENSE);
  t.equal(bob.userHasLicenseForApp(ALICE, 480), License.USER_HAS_LICENSE_RESULT_DOES_NOT_HAVE_LICENSE);
});

t.test('a ticket for an address or a text is valid only for a verifier with that identity', async (t) => {
  const world = new EmbeddedWorld();
  const identities = [{ ip: '203.0.113.7', port: 27_015 }, { text: 'server 7' }];
  const alice = new EmbeddedSteam({ steamId: ALICE }, { world });
  const server = new EmbeddedSteam({ steamId: BOB, identities }, { world });
  t.teardown(() => {
    alice.close();
    server.close();
  });
  for (const [remote, response] of [
    [{ ip: '203.0.113.7' }, 0],
    [{ ip: '::ffff:203.0.113.7', port: 1 }, 0],
    [{ text: 'server 7' }, 0],
    [{ ip: '203.0.113.8' }, 10],
    [{ text: '203.0.113.7' }, 10],
    [BOB, 0],
    [CAROL, 10],
  ] as const) {
    server.beginAuthSession(alice.getAuthSessionTicket(remote).buffer, ALICE);
    t.match(keysOf(server, 'validate_auth_ticket_response'), [{ response }]);
    server.endAuthSession(ALICE);
  }
});

t.test('wrong identities and account flags are refused when the embedded Steam is made', async (t) => {
  const make = (options: object) => () => new EmbeddedSteam(options).close();
  t.throws(make({ identities: [{ ip: 'here' }] }), {
    name: 'TypeError',
    message: /^Cannot open the embedded Steam: ip/,
  });
  t.throws(make({ identities: Array(17).fill({ text: 'x' }) }), {
    name: 'RangeError',
    message: /at most 16/,
  });
  t.throws(make({ account: { behindNat: 1 } }), {
    name: 'TypeError',
    message: /behindNat is a number, expected true/,
  });
  t.throws(make({ account: { badges: [{ series: 1, foil: 'no', level: 1 }] } }), {
    message: /foil is a string/,
  });
  t.throws(make({ input: { kind: 'wav', path: '/nowhere', loop: 'no' } }), { message: /loop is a string/ });
  t.throws(make({ input: { kind: 'pcm', path: '/nowhere', live: 1 } }), { message: /live is a number/ });
});

t.test(
  'without a connection a ticket’s response says so, and its player does not count as online',
  async (t) => {
    const { alice, bob } = twoPlayers(t);
    alice.controls.loseConnection(Result.RESULT_NO_CONNECTION);
    alice.runCallbacks();
    const { id, buffer } = alice.getAuthSessionTicket(0n);
    const web = alice.getAuthTicketForWebApi('hotmic');
    t.same(
      alice.runCallbacks().map(({ keys }) => keys),
      [
        { auth_ticket: id, result: Result.RESULT_NO_CONNECTION },
        {
          auth_ticket: web,
          result: Result.RESULT_NO_CONNECTION,
          ticket_size: 0,
          ticket_buffer: new Uint8Array(0),
        },
      ],
    );
    t.equal(bob.beginAuthSession(buffer, ALICE), 0);
    t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_USER_NOT_CONNECTED_TO_STEAM]);
    bob.endAuthSession(ALICE);
    alice.controls.restoreConnection();
    t.equal(bob.beginAuthSession(buffer, ALICE), 0);
    t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID], 'it does not become good');
  },
);

t.test('a test can have the next ticket of either kind fail; a failed one is never good', async (t) => {
  const { alice, bob } = twoPlayers(t);
  alice.controls.answerNext({ kind: 'auth-ticket', result: Result.RESULT_FAIL });
  const { buffer } = alice.getAuthSessionTicket(0n);
  t.match(keysOf(alice, 'get_auth_session_ticket_response'), [{ result: Result.RESULT_FAIL }]);
  t.equal(bob.beginAuthSession(buffer, ALICE), 0);
  t.same(verdictsOf(bob), [Response.AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID]);
  alice.controls.answerNext({ kind: 'auth-ticket', result: Result.RESULT_LIMIT_EXCEEDED });
  alice.getAuthTicketForWebApi('');
  alice.getAuthTicketForWebApi('');
  t.match(keysOf(alice, 'get_ticket_for_web_api'), [
    { result: Result.RESULT_LIMIT_EXCEEDED, ticket_size: 0 },
    { result: Result.RESULT_OK },
  ]);
});

t.test('256 tickets may exist; beyond that, the handle is 0 until one is cancelled', async (t) => {
  const { steam } = steamOf(t);
  for (let made = 1; made <= 256; made++) {
    const handle = made % 2 ? steam.getAuthSessionTicket(0n).id : steam.getAuthTicketForWebApi('x');
    t.equal(handle, made);
  }
  t.same(steam.getAuthSessionTicket(0n), { id: 0, buffer: new Uint8Array(0), size: 0 });
  t.equal(steam.getAuthTicketForWebApi('x'), 0);
  steam.cancelAuthTicket(7);
  t.equal(steam.getAuthSessionTicket(0n).id, 257, 'handles are never used again');
  t.equal(steam.runCallbacks().length, 257, 'a handle of 0 has no response');
});

t.test('256 sessions may be open; beyond that, a ticket is not accepted', async (t) => {
  const { steam, time } = steamOf(t, { steamId: 1n });
  const world = new EmbeddedWorld();
  const ticketOf = (steamId: bigint) => {
    const player = steamOf(t, { steamId }, { time, world }).steam;
    const { buffer } = player.getAuthSessionTicket(0n);
    player.close();
    return buffer;
  };
  for (let id = 2n; id < 258n; id++) {
    if (steam.beginAuthSession(ticketOf(id), id) !== 0) t.fail(`session ${id}`);
  }
  const oneMore = ticketOf(258n);
  t.equal(steam.beginAuthSession(oneMore, 258n), Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET);
  steam.endAuthSession(9n);
  t.equal(steam.beginAuthSession(oneMore, 258n), Begin.BEGIN_AUTH_SESSION_RESULT_OK);
});

t.test('an identity of more than 255 bytes gets no ticket', async (t) => {
  const { steam } = steamOf(t);
  t.equal(steam.getAuthTicketForWebApi('é'.repeat(128)), 0);
  t.equal(steam.getAuthTicketForWebApi(`${'é'.repeat(127)}x`), 1);
});

t.test('no random bytes throw in beginAuthSession', async (t) => {
  const { steam } = steamOf(t);
  const random = new SeededRandom(99);
  for (let round = 0; round < 2000; round++) {
    const result = steam.beginAuthSession(random.bytes(random.below(500)), ALICE);
    if (result !== Begin.BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET) t.fail(`round ${round}: ${result}`);
  }
  t.same(steam.runCallbacks(), []);
});
