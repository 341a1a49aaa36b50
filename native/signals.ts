/**
 * The 15 signals of the `User` class: their names and keys, as the class reference has them.
 *
 * SteamIDs and order ids are bigints, addresses are dotted text, byte arrays are cut to what Steam wrote.
 */

/** `duration` of duration_control. */
export interface DurationControl {
  readonly app_id: number;
  /** Whether duration control applies to this player and game. */
  readonly applicable: boolean;
  /** Playtime in the last five hours with the present session, in seconds. */
  readonly seconds_last_5hrs: number;
  /** A DurationControlProgress. */
  readonly progress: number;
  /** A DurationControlNotification. */
  readonly notification: number;
  /** `notification` in words. */
  readonly notification_verbal: string;
  /** Playtime on this calendar day, in seconds. Not in the class reference. */
  readonly seconds_today: number;
  /** Playtime left until the day's limit, in seconds. Not in the class reference. */
  readonly seconds_remaining: number;
}

/** What each signal brings. `result` is a Result. */
export interface Signals {
  readonly client_game_server_deny: {
    readonly app_id: number;
    readonly server_ip: string;
    readonly server_port: number;
    /** 1 when the server is VAC secure. */
    readonly secure: number;
    /** A DenyReason. */
    readonly reason: number;
  };
  readonly duration_control: { readonly result: number; readonly duration: DurationControl };
  readonly encrypted_app_ticket_response: { readonly result: number };
  readonly game_web_callback: { readonly url: string };
  readonly get_auth_session_ticket_response: { readonly auth_ticket: number; readonly result: number };
  readonly get_ticket_for_web_api: {
    readonly auth_ticket: number;
    readonly result: number;
    /** Bytes in `ticket_buffer`. */
    readonly ticket_size: number;
    readonly ticket_buffer: Uint8Array;
  };
  /** `type` is a FailureType. */
  readonly ipc_failure: { readonly type: number };
  readonly licenses_updated: Record<string, never>;
  readonly market_eligibility_response: {
    readonly is_allowed: boolean;
    /** MarketNotAllowedReasonFlags. */
    readonly disallow_reason: number;
    /** Unix time, in seconds. */
    readonly allowed_at_time: number;
    readonly steam_guard_required_days: number;
    /** In days. */
    readonly new_device_cooldown: number;
  };
  readonly microtransaction_auth_response: {
    readonly app_id: number;
    readonly order_id: bigint;
    readonly authorized: boolean;
  };
  readonly steam_server_connect_failed: { readonly result: number; readonly retrying: boolean };
  readonly steam_server_connected: Record<string, never>;
  readonly steam_server_disconnected: { readonly result: number };
  readonly store_auth_url_response: { readonly url: string };
  readonly validate_auth_ticket_response: {
    /** Whose ticket it was. */
    readonly auth_id: bigint;
    /** An AuthSessionResponse. */
    readonly response: number;
    /** Who owns the game: differs from `auth_id` under family sharing. */
    readonly owner_id: bigint;
  };
}

/** The name of a signal. */
export type SignalName = keyof Signals;

/** All signals, by the class reference's names. */
export const SIGNAL_NAMES = [
  'client_game_server_deny',
  'duration_control',
  'encrypted_app_ticket_response',
  'game_web_callback',
  'get_auth_session_ticket_response',
  'get_ticket_for_web_api',
  'ipc_failure',
  'licenses_updated',
  'market_eligibility_response',
  'microtransaction_auth_response',
  'steam_server_connect_failed',
  'steam_server_connected',
  'steam_server_disconnected',
  'store_auth_url_response',
  'validate_auth_ticket_response',
] as const satisfies readonly SignalName[];

/** The signals that answer a call; a timer sends duration_control as well. */
export type CallResultName =
  | 'duration_control'
  | 'encrypted_app_ticket_response'
  | 'market_eligibility_response'
  | 'store_auth_url_response';

/** A signal from a Steam. */
export type SteamEvent = {
  readonly [Name in SignalName]: {
    readonly signal: Name;
    readonly keys: Signals[Name];
    /** The call that it answers; 0n for a broadcast. */
    readonly call: bigint;
  };
}[SignalName];

/** A call whose answer never came: Steam's "IO failure". Its result buffer is meaningless and was not read. */
export interface FailedCall {
  readonly signal: CallResultName;
  readonly keys: null;
  readonly call: bigint;
}

const NOTIFICATION_WORDS: Readonly<Record<number, string>> = {
  1: "you've been playing for an hour",
  2: "you've been playing for 3 hours; take a break",
  3: 'your xp / progress is half normal',
  4: 'your xp / progress is zero',
};

/** `notification_verbal` of a DurationControlNotification, in GodotSteam's words. */
export function notificationVerbal(notification: number): string {
  return NOTIFICATION_WORDS[notification] ?? 'no notification';
}
