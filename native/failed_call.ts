/**
 * What a signal of the class reference brings when Steam lost the call: whoever waits for the signal must not wait for ever.
 *
 * Where there is a result it is RESULT_IO_FAILURE; the market is closed for a temporary failure; the URL is empty.
 */

import { MarketNotAllowedReasonFlags } from './enums.js';
import { Result } from './result.js';
import { type CallResultName, notificationVerbal, type Signals } from './signals.js';

const FAILED: Pick<Signals, CallResultName> = {
  duration_control: {
    result: Result.RESULT_IO_FAILURE,
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
  encrypted_app_ticket_response: { result: Result.RESULT_IO_FAILURE },
  market_eligibility_response: {
    is_allowed: false,
    disallow_reason: MarketNotAllowedReasonFlags.MARKET_NOT_ALLOWED_REASON_TEMPORARY_FAILURE,
    allowed_at_time: 0,
    steam_guard_required_days: 0,
    new_device_cooldown: 0,
  },
  store_auth_url_response: { url: '' },
};

/** The keys, the caller's own. */
export function failedKeys<Name extends CallResultName>(signal: Name): Pick<Signals, CallResultName>[Name] {
  return structuredClone(FAILED[signal]);
}
