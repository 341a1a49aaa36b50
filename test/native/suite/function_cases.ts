/**
 * What each function of the `User` class does, on any Steam. A function without a case does not compile.
 */

import { deepEqual, equal, notEqual, ok, throws } from 'node:assert/strict';
import type { User } from '../../../native/user.js';
import { nextSignal, type SteamBench } from './bench.js';

/** The class's own functions, without what EventEmitter gives it. */
export type FunctionName = Exclude<keyof User, keyof import('node:events').EventEmitter>;

export type Case = (bench: SteamBench) => void | Promise<void>;

const OTHER_PLAYER = 76561197960287930n;
/** Universe 1, type 4 (anonymous game server), instance 1: an id that 32-bit arithmetic mangles. */
const GAME_SERVER = 90071992547409921n + 12345n;
const NOT_RECORDING = 2;
const NO_DATA = 3;
const BUFFER_TOO_SMALL = 4;

/** One packet of the player's own. */
function onePacket(bench: SteamBench): Uint8Array {
  const { user } = bench.steam;
  user.startVoiceRecording();
  bench.speak(1);
  for (let frames = 0; frames < 100; frames++) {
    const { result, buffer } = user.getVoice();
    if (result === 0) return buffer;
    bench.frame();
  }
  throw new Error('no packet came');
}

/** getVoice until it answers NOT_RECORDING; returns the packets. */
function drain(bench: SteamBench): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let calls = 0; calls < 1000; calls++) {
    const { result, buffer } = bench.steam.user.getVoice();
    if (result === NOT_RECORDING) return packets;
    if (result === 0) packets.push(buffer);
    bench.frame();
  }
  throw new Error('the recording did not end');
}

export const FUNCTION_CASES: Readonly<Record<FunctionName, Case>> = {
  advertiseGame(bench) {
    const { user } = bench.steam;
    user.advertiseGame('127.0.0.1', 27015);
    equal(
      bench.told().advertised,
      `2 ${0x7f000001}:27015`,
      'under the id of servers that Steam does not know',
    );
    user.advertiseGame();
    equal(bench.told().advertised, null);
  },

  beginAuthSession(bench) {
    const { user } = bench.steam;
    const { buffer, size } = user.getAuthSessionTicket();
    const padded = new Uint8Array(1024);
    padded.set(buffer);
    equal(user.beginAuthSession(padded, size, bench.steamId), 0, 'only ticket_size bytes are the ticket');
    equal(nextSignal(bench, 'validate_auth_ticket_response').response, 0);
    equal(user.beginAuthSession(buffer, size, bench.steamId), 2, 'DUPLICATE_REQUEST');
    user.endAuthSession(bench.steamId);
    equal(user.beginAuthSession(Uint8Array.of(1, 2, 3), 3, bench.steamId), 1, 'INVALID_TICKET');
    for (const result of [1, 2, 3, 4, 5] as const) {
      bench.controls.answerNext({ kind: 'begin-auth-session', result });
      equal(user.beginAuthSession(buffer, size, bench.steamId), result, 'each result reaches the game');
    }
  },

  cancelAuthTicket(bench) {
    const { user } = bench.steam;
    const { id, buffer, size } = user.getAuthSessionTicket();
    equal(user.beginAuthSession(buffer, size, bench.steamId), 0);
    nextSignal(bench, 'validate_auth_ticket_response', ({ response }) => response === 0);
    user.cancelAuthTicket(id);
    const verdict = nextSignal(bench, 'validate_auth_ticket_response');
    deepEqual([verdict.auth_id, verdict.response], [bench.steamId, 6], 'AUTH_TICKET_CANCELED');
    user.cancelAuthTicket(id);
    user.cancelAuthTicket(0);
  },

  decompressVoice(bench) {
    const { user } = bench.steam;
    const packet = onePacket(bench);
    for (const rate of [11_025, 24_000, 48_000]) {
      const { result, size, uncompressed } = user.decompressVoice(packet, rate);
      equal(result, 0);
      ok(size > 0 && size % 2 === 0);
      equal(uncompressed.length, size, 'cut to what was written');
    }
    const tight = user.decompressVoice(packet, 24_000, 2);
    equal(tight.result, BUFFER_TOO_SMALL);
    equal(tight.uncompressed.length, 0);
    const again = user.decompressVoice(packet, 24_000, tight.size);
    deepEqual([again.result, again.uncompressed.length], [0, tight.size], 'size is what a second call needs');
    const broken = packet.slice();
    broken[broken.length - 1]! ^= 0xff;
    equal(user.decompressVoice(broken, 24_000).result, 5, 'DATA_CORRUPTED');
  },

  endAuthSession(bench) {
    const { user } = bench.steam;
    const { buffer, size } = user.getAuthSessionTicket();
    user.beginAuthSession(buffer, size, bench.steamId);
    user.endAuthSession(bench.steamId);
    user.endAuthSession(GAME_SERVER);
    notEqual(user.beginAuthSession(buffer, size, bench.steamId), 2, 'no session is in the way');
  },

  getAuthSessionTicket(bench) {
    const { user } = bench.steam;
    const { id, buffer, size } = user.getAuthSessionTicket();
    ok(id > 0);
    equal(buffer.length, size, 'cut to its length');
    ok(size > 32 && size <= 1024);
    ok(user.getAuthSessionTicket(OTHER_PLAYER).id !== id, 'another handle for another ticket');
    const { auth_ticket, result } = nextSignal(bench, 'get_auth_session_ticket_response');
    deepEqual([auth_ticket, result], [id, 1]);
    ok(user.getAuthSessionTicket(0).id > id, "the class reference's own default");
  },

  getAuthTicketForWebApi(bench) {
    const { user } = bench.steam;
    const handle = user.getAuthTicketForWebApi('hotmic');
    ok(handle > 0);
    equal(nextSignal(bench, 'get_ticket_for_web_api').auth_ticket, handle);
    ok(user.getAuthTicketForWebApi() > 0, 'without an identity, too');
  },

  getAvailableVoice(bench) {
    const { user } = bench.steam;
    deepEqual(user.getAvailableVoice(), { result: NOT_RECORDING, buffer: 0 });
    user.startVoiceRecording();
    bench.speak(1);
    let available = user.getAvailableVoice();
    for (let frames = 0; frames < 100 && available.result === NO_DATA; frames++) {
      bench.frame();
      available = user.getAvailableVoice();
    }
    equal(available.result, 0);
    equal(user.getVoice().written, available.buffer, 'buffer is the size that getVoice then has');
  },

  getDurationControl(bench) {
    bench.controls.setAccount({
      duration: {
        applicable: true,
        seconds_last_5hrs: 7200,
        progress: 0,
        notification: 0,
        seconds_today: 7300,
        seconds_remaining: 3500,
      },
    });
    equal(bench.steam.user.getDurationControl(), undefined);
    const { result, duration } = nextSignal(bench, 'duration_control');
    equal(result, 1);
    equal(duration.applicable, true);
    ok(duration.seconds_last_5hrs >= 7200 && duration.seconds_last_5hrs < 7260);
  },

  getEncryptedAppTicket(bench) {
    const { user } = bench.steam;
    deepEqual(user.getEncryptedAppTicket(), { buffer: new Uint8Array(0), size: 0 }, 'nothing asked for');
    user.requestEncryptedAppTicket('nonce 7');
    equal(nextSignal(bench, 'encrypted_app_ticket_response').result, 1);
    const { buffer, size } = user.getEncryptedAppTicket();
    equal(buffer.length, size);
    ok(size > 16);
  },

  getGameBadgeLevel({ steam: { user }, controls }) {
    equal(user.getGameBadgeLevel(1, false), 0);
    controls.setAccount({
      badges: [
        { series: 1, foil: false, level: 4 },
        { series: 1, foil: true, level: 1 },
      ],
    });
    deepEqual(
      [user.getGameBadgeLevel(1, false), user.getGameBadgeLevel(1, true), user.getGameBadgeLevel(2, false)],
      [4, 1, 0],
    );
    throws(() => user.getGameBadgeLevel(1, 'false' as never), {
      name: 'TypeError',
      message: /foil is a string/,
    });
  },

  getMarketEligibility(bench) {
    equal(bench.steam.user.getMarketEligibility(), undefined);
    equal(nextSignal(bench, 'market_eligibility_response').is_allowed, true);
  },

  getPlayerSteamLevel({ steam: { user }, controls }) {
    controls.setAccount({ steamLevel: 42 });
    equal(user.getPlayerSteamLevel(), 42);
  },

  getSteamID({ steam: { user }, steamId }) {
    equal(user.getSteamID(), steamId);
    equal(typeof user.getSteamID(), 'bigint');
  },

  getVoice(bench) {
    const { user } = bench.steam;
    equal(user.getVoice().result, NOT_RECORDING);
    user.startVoiceRecording();
    deepEqual(user.getVoice(), { result: NO_DATA, written: 0, buffer: new Uint8Array(0) });
    bench.speak(1);
    for (let frames = 0; frames < 100 && user.getAvailableVoice().result !== 0; frames++) bench.frame();
    const { result, written, buffer } = user.getVoice(1);
    equal(result, BUFFER_TOO_SMALL);
    ok(written > 1, 'says how many bytes it needs');
    equal(buffer.length, 0);
    const whole = user.getVoice();
    deepEqual([whole.result, whole.buffer.length, whole.written], [0, written, written], 'and took nothing');
  },

  getVoiceOptimalSampleRate({ steam: { user } }) {
    equal(user.getVoiceOptimalSampleRate(), 24_000);
  },

  initiateGameConnection({ steam: { user } }) {
    const connection = user.initiateGameConnection(GAME_SERVER, 0x7f000001, 27015, true);
    ok(connection.auth_blob.length > 0);
    deepEqual(
      [connection.server_id, connection.server_ip, connection.server_port],
      [GAME_SERVER, 0x7f000001, 27015],
    );
    equal(user.initiateGameConnection(GAME_SERVER, '127.0.0.1', 27015, false).server_ip, 0x7f000001);
    throws(() => user.initiateGameConnection(GAME_SERVER, 1, 2, 1 as never), {
      name: 'TypeError',
      message: /secure is a number, expected true or false/,
    });
  },

  isBehindNAT({ steam: { user }, controls }) {
    equal(user.isBehindNAT(), false);
    controls.setAccount({ behindNat: true });
    equal(user.isBehindNAT(), true);
  },

  isPhoneIdentifying({ steam: { user }, controls }) {
    equal(user.isPhoneIdentifying(), false);
    controls.setAccount({ phoneIdentifying: true });
    deepEqual(flags(user), [true, false, false, false], 'this flag alone');
  },

  isPhoneRequiringVerification({ steam: { user }, controls }) {
    equal(user.isPhoneRequiringVerification(), false);
    controls.setAccount({ phoneRequiringVerification: true });
    deepEqual(flags(user), [false, true, false, false], 'this flag alone');
  },

  isPhoneVerified({ steam: { user }, controls }) {
    equal(user.isPhoneVerified(), false);
    controls.setAccount({ phoneVerified: true });
    deepEqual(flags(user), [false, false, true, false], 'this flag alone');
  },

  isTwoFactorEnabled({ steam: { user }, controls }) {
    equal(user.isTwoFactorEnabled(), false);
    controls.setAccount({ twoFactorEnabled: true });
    deepEqual(flags(user), [false, false, false, true], 'this flag alone');
  },

  loggedOn(bench) {
    const { user } = bench.steam;
    equal(user.loggedOn(), true);
    bench.controls.loseConnection(3);
    nextSignal(bench, 'steam_server_disconnected');
    equal(user.loggedOn(), false);
    bench.controls.restoreConnection();
    nextSignal(bench, 'steam_server_connected');
    equal(user.loggedOn(), true);
  },

  requestEncryptedAppTicket(bench) {
    const { user } = bench.steam;
    const results: number[] = [];
    user.on('encrypted_app_ticket_response', ({ result }) => results.push(result));
    equal(user.requestEncryptedAppTicket('a nonce'), undefined);
    user.requestEncryptedAppTicket('another, while the first is pending');
    for (let frames = 0; frames < 100 && results.length < 2; frames++) bench.frame();
    deepEqual(results.sort(), [1, 29], 'OK and DUPLICATE_REQUEST');
    user.requestEncryptedAppTicket(new Uint8Array(0));
    equal(nextSignal(bench, 'encrypted_app_ticket_response').result, 25, 'LIMIT_EXCEEDED within the minute');
  },

  requestStoreAuthURL(bench) {
    equal(bench.steam.user.requestStoreAuthURL('https://shop.example/cart'), undefined);
    ok(nextSignal(bench, 'store_auth_url_response').url.length > 0);
    bench.steam.user.requestStoreAuthURL(`https://shop.example/${'x'.repeat(600)}`);
    deepEqual(
      nextSignal(bench, 'store_auth_url_response'),
      { url: '' },
      'Steam does not accept so long a URL: its signal comes all the same',
    );
  },

  setDurationControlOnlineState(bench) {
    const { user } = bench.steam;
    for (const state of [1, 2, 3] as const) {
      equal(user.setDurationControlOnlineState(state), true);
      equal(bench.told().onlineState, state);
    }
    equal(user.setDurationControlOnlineState(0), false, 'INVALID');
  },

  startVoiceRecording(bench) {
    const { user } = bench.steam;
    equal(user.getVoice().result, NOT_RECORDING);
    equal(user.startVoiceRecording(), undefined);
    equal(user.getVoice().result, NO_DATA);
    user.startVoiceRecording();
    bench.speak(3);
    const packets: number[] = [];
    for (let frames = 0; frames < 200 && packets.length < 3; frames++) {
      const { result, written } = user.getVoice();
      if (result === 0) packets.push(written);
      bench.frame();
    }
    equal(packets.length, 3);
  },

  stopVoiceRecording(bench) {
    const { user } = bench.steam;
    user.stopVoiceRecording();
    user.startVoiceRecording();
    bench.speak(3);
    equal(user.stopVoiceRecording(), undefined);
    ok(drain(bench).length > 0, 'the tail still comes');
    equal(user.getVoice().result, NOT_RECORDING, 'and then nothing');
  },

  terminateGameConnection(bench) {
    const { user } = bench.steam;
    for (const ip of ['10.0.0.1', 0x0a000001]) {
      user.initiateGameConnection(GAME_SERVER, '10.0.0.1', 27015, true);
      equal(bench.told().connection, `${0x0a000001}:27015`);
      user.terminateGameConnection('10.0.0.1', 27016);
      equal(bench.told().connection, `${0x0a000001}:27015`, 'another one is not touched');
      equal(user.terminateGameConnection(ip, 27015), undefined);
      equal(bench.told().connection, null);
    }
  },

  userHasLicenseForApp(bench) {
    const { user } = bench.steam;
    equal(user.userHasLicenseForApp(OTHER_PLAYER, bench.appId), 2, 'NO_AUTH: never authenticated');
    equal(user.userHasLicenseForApp(bench.steamId, bench.appId), 2, 'nor was the player: NO_AUTH');
    const { buffer, size } = user.getAuthSessionTicket();
    equal(user.beginAuthSession(buffer, size, bench.steamId), 0);
    nextSignal(bench, 'validate_auth_ticket_response');
    bench.controls.setLicense(1234, 'owned', bench.steamId);
    equal(user.userHasLicenseForApp(bench.steamId, 1234), 0, 'HAS_LICENSE');
    bench.controls.setLicense(1234, 'not-owned', bench.steamId);
    equal(user.userHasLicenseForApp(bench.steamId, 1234), 1, 'DOES_NOT_HAVE_LICENSE');
    user.endAuthSession(bench.steamId);
    equal(user.userHasLicenseForApp(bench.steamId, 1234), 2, 'NO_AUTH once the session has ended');
  },
};

function flags(user: User): boolean[] {
  return [
    user.isPhoneIdentifying(),
    user.isPhoneRequiringVerification(),
    user.isPhoneVerified(),
    user.isTwoFactorEnabled(),
  ];
}
