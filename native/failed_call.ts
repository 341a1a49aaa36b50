/**
 * What a signal of the class reference brings when its call failed, so that no listener waits for ever.
 *
 * A result says why: RESULT_IO_FAILURE when Steam lost the call, RESULT_FAIL when Steam did not accept it. The market is closed
 * because of a temporary failure; the URL and the ticket are empty.
 */

import { MarketNotAllowedReasonFlags } from './enums.js';
import { Result } from './result.js';
import { type CallResultName, notificationVerbal, type Signals, type SteamEvent } from './signals.js';

/** The signals that answer a function by its handle. */
export type AnswerName = CallResultName | 'get_auth_session_ticket_response' | 'get_ticket_for_web_api';

/** The keys of a call that Steam lost: a new object that the caller owns. */
export function failedKeys<Name extends CallResultName>(signal: Name): Pick<Signals, AnswerName>[Name] {
  return keysOf(Result.RESULT_IO_FAILURE)[signal];
}

/** The signal of a call that Steam did not accept: its handle was 0. */
export function refusedCall(signal: AnswerName): SteamEvent {
  return { signal, keys: keysOf(Result.RESULT_FAIL)[signal], call: 0n } as SteamEvent;
}

function keysOf(result: number): Pick<Signals, AnswerName> {
  return {
    duration_control: {
      result,
      duration: {
        app_id: 0,
        applicable: false,
        seconds_last_5hrs: 0,
        progress: 0,
        notification: 0,
        notification_verbal: notificationVerbal(0),
        seconds_today: 0,
        seconds_remaining: 0,
      },
    },
    encrypted_app_ticket_response: { result },
    get_auth_session_ticket_response: { auth_ticket: 0, result },
    get_ticket_for_web_api: { auth_ticket: 0, result, ticket_size: 0, ticket_buffer: new Uint8Array(0) },
    market_eligibility_response: {
      is_allowed: false,
      disallow_reason: MarketNotAllowedReasonFlags.MARKET_NOT_ALLOWED_REASON_TEMPORARY_FAILURE,
      allowed_at_time: 0,
      steam_guard_required_days: 0,
      new_device_cooldown: 0,
    },
    store_auth_url_response: { url: '' },
  };
}
