/**
 * How each signal of the `User` class comes, and with which keys, on any Steam. A signal without a case does not compile.
 */

import { deepEqual, equal, ok } from 'node:assert/strict';
import type { SignalName, Signals } from '../../../native/signals.js';
import type { BroadcastName } from '../../../native/steam_controls.js';
import { nextSignal, type SteamBench } from './bench.js';
import type { Case } from './function_cases.js';

/** A signal that was sent as it stands arrives as it was sent. */
function arrives<Name extends BroadcastName>(bench: SteamBench, name: Name, keys: Signals[Name]): void {
  bench.controls.emit(name, keys);
  deepEqual(nextSignal(bench, name), keys);
}

const DURATION = {
  app_id: 480,
  applicable: true,
  seconds_last_5hrs: 3600,
  progress: 0,
  notification: 1,
  notification_verbal: "you've been playing for an hour",
  seconds_today: 4000,
  seconds_remaining: 7200,
};

export const SIGNAL_CASES: Readonly<Record<SignalName, Case>> = {
  client_game_server_deny(bench) {
    arrives(bench, 'client_game_server_deny', {
      app_id: 480,
      server_ip: '192.168.7.201',
      server_port: 65535,
      secure: 1,
      reason: 5,
    });
  },

  duration_control(bench) {
    arrives(bench, 'duration_control', { result: 1, duration: DURATION });
    const words = [
      'no notification',
      "you've been playing for an hour",
      "you've been playing for 3 hours; take a break",
      'your xp / progress is half normal',
      'your xp / progress is zero',
      'no notification',
    ];
    for (const [notification, notification_verbal] of words.entries()) {
      const duration = { ...DURATION, notification, notification_verbal };
      arrives(bench, 'duration_control', { result: 1, duration });
    }
    bench.controls.answerNext({ kind: 'call-failure' });
    bench.steam.user.getDurationControl();
    equal(nextSignal(bench, 'duration_control').result, 37, 'RESULT_IO_FAILURE, and no silence');
  },

  encrypted_app_ticket_response(bench) {
    bench.controls.answerNext({ kind: 'encrypted-ticket', result: 25 });
    bench.steam.user.requestEncryptedAppTicket('x');
    deepEqual(nextSignal(bench, 'encrypted_app_ticket_response'), { result: 25 });
    bench.controls.answerNext({ kind: 'call-failure' });
    bench.steam.user.requestEncryptedAppTicket('x');
    deepEqual(nextSignal(bench, 'encrypted_app_ticket_response'), { result: 37 });
  },

  game_web_callback(bench) {
    arrives(bench, 'game_web_callback', { url: 'steam://gamewebcallback/480/?done=ja&name=Zoë' });
  },

  get_auth_session_ticket_response(bench) {
    bench.controls.answerNext({ kind: 'auth-ticket', result: 3 });
    const { id } = bench.steam.user.getAuthSessionTicket();
    deepEqual(nextSignal(bench, 'get_auth_session_ticket_response'), { auth_ticket: id, result: 3 });
  },

  get_ticket_for_web_api(bench) {
    const handle = bench.steam.user.getAuthTicketForWebApi('hotmic');
    const { auth_ticket, result, ticket_size, ticket_buffer } = nextSignal(bench, 'get_ticket_for_web_api');
    deepEqual([auth_ticket, result], [handle, 1]);
    equal(ticket_buffer.length, ticket_size, 'cut to its length, not 2560');
    ok(ticket_size > 32 && ticket_size < 2560);
    bench.controls.answerNext({ kind: 'auth-ticket', result: 16 });
    bench.steam.user.getAuthTicketForWebApi('hotmic');
    const refused = nextSignal(bench, 'get_ticket_for_web_api');
    equal(refused.result, 16);
    equal(refused.ticket_buffer.length, refused.ticket_size);
  },

  ipc_failure(bench) {
    arrives(bench, 'ipc_failure', { type: 1 });
    arrives(bench, 'ipc_failure', { type: 0 });
  },

  licenses_updated(bench) {
    bench.controls.setLicense(1234, 'owned');
    deepEqual(nextSignal(bench, 'licenses_updated'), {});
  },

  market_eligibility_response(bench) {
    const market = {
      is_allowed: false,
      disallow_reason: (1 << 16) | (1 << 6),
      allowed_at_time: 1_800_000_000,
      steam_guard_required_days: 15,
      new_device_cooldown: 7,
    };
    bench.controls.setAccount({ market });
    bench.steam.user.getMarketEligibility();
    deepEqual(nextSignal(bench, 'market_eligibility_response'), market);
    bench.controls.answerNext({ kind: 'call-failure' });
    bench.steam.user.getMarketEligibility();
    equal(nextSignal(bench, 'market_eligibility_response').disallow_reason, 1, 'TEMPORARY_FAILURE');
  },

  microtransaction_auth_response(bench) {
    const order = { app_id: 480, order_id: 0xfedc_ba98_7654_3210n, authorized: true };
    arrives(bench, 'microtransaction_auth_response', order);
    arrives(bench, 'microtransaction_auth_response', { ...order, authorized: false });
  },

  steam_server_connect_failed(bench) {
    arrives(bench, 'steam_server_connect_failed', { result: 3, retrying: true });
    arrives(bench, 'steam_server_connect_failed', { result: 35, retrying: false });
  },

  steam_server_connected(bench) {
    bench.controls.loseConnection(3);
    bench.controls.restoreConnection();
    deepEqual(nextSignal(bench, 'steam_server_connected'), {});
  },

  steam_server_disconnected(bench) {
    bench.controls.loseConnection(6);
    deepEqual(nextSignal(bench, 'steam_server_disconnected'), { result: 6 });
  },

  store_auth_url_response(bench) {
    bench.steam.user.requestStoreAuthURL('https://shop.example/cart');
    equal(typeof nextSignal(bench, 'store_auth_url_response').url, 'string');
    bench.controls.answerNext({ kind: 'call-failure' });
    bench.steam.user.requestStoreAuthURL('https://shop.example/cart');
    deepEqual(nextSignal(bench, 'store_auth_url_response'), { url: '' });
  },

  validate_auth_ticket_response(bench) {
    const { user } = bench.steam;
    const owner = 76561197960287930n;
    for (const response of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] as const) {
      bench.controls.answerNext({ kind: 'validation', response, ownerId: owner });
      const { buffer, size } = user.getAuthSessionTicket();
      equal(user.beginAuthSession(buffer, size, bench.steamId), 0);
      deepEqual(nextSignal(bench, 'validate_auth_ticket_response'), {
        auth_id: bench.steamId,
        response,
        owner_id: owner,
      });
      user.endAuthSession(bench.steamId);
    }
  },
};
