/**
 * The enums of the `User` class, under the class reference's names with Steam's values.
 *
 * A number from Steam that is not in its table is passed on unchanged: newer SDKs add to them.
 */

export { VoiceResult } from '../voice/voice_result.js';

/** What beginAuthSession returns at once: whether the ticket is well-formed. The verdict comes as a signal. */
export const BeginAuthSessionResult = {
  BEGIN_AUTH_SESSION_RESULT_OK: 0,
  BEGIN_AUTH_SESSION_RESULT_INVALID_TICKET: 1,
  BEGIN_AUTH_SESSION_RESULT_DUPLICATE_REQUEST: 2,
  BEGIN_AUTH_SESSION_RESULT_INVALID_VERSION: 3,
  BEGIN_AUTH_SESSION_RESULT_GAME_MISMATCH: 4,
  BEGIN_AUTH_SESSION_RESULT_EXPIRED_TICKET: 5,
} as const;
export type BeginAuthSessionResult = (typeof BeginAuthSessionResult)[keyof typeof BeginAuthSessionResult];

/** The verdict on a ticket: `response` of validate_auth_ticket_response. */
export const AuthSessionResponse = {
  AUTH_SESSION_RESPONSE_OK: 0,
  AUTH_SESSION_RESPONSE_USER_NOT_CONNECTED_TO_STEAM: 1,
  AUTH_SESSION_RESPONSE_NO_LICENSE_OR_EXPIRED: 2,
  AUTH_SESSION_RESPONSE_VAC_BANNED: 3,
  AUTH_SESSION_RESPONSE_LOGGED_IN_ELSEWHERE: 4,
  /** The class reference's spelling, and the one that people look for. */
  AUTH_SESSION_RESPONSE_VAC_CHECK_TIMEDOUT: 5,
  AUTH_SESSION_RESPONSE_VAC_CHECK_TIMED_OUT: 5,
  AUTH_SESSION_RESPONSE_AUTH_TICKET_CANCELED: 6,
  AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID_ALREADY_USED: 7,
  AUTH_SESSION_RESPONSE_AUTH_TICKET_INVALID: 8,
  AUTH_SESSION_RESPONSE_PUBLISHER_ISSUED_BAN: 9,
  /** Since SDK 1.57. */
  AUTH_SESSION_RESPONSE_AUTH_TICKET_NETWORK_IDENTITY_FAILURE: 10,
} as const;
export type AuthSessionResponse = (typeof AuthSessionResponse)[keyof typeof AuthSessionResponse];

/** Answer of userHasLicenseForApp. */
export const UserHasLicenseForAppResult = {
  USER_HAS_LICENSE_RESULT_HAS_LICENSE: 0,
  USER_HAS_LICENSE_RESULT_DOES_NOT_HAVE_LICENSE: 1,
  /** There is no auth session with this user. */
  USER_HAS_LICENSE_RESULT_NO_AUTH: 2,
} as const;
/** One of the values of `UserHasLicenseForAppResult`. */
export type UserHasLicenseForAppResult =
  (typeof UserHasLicenseForAppResult)[keyof typeof UserHasLicenseForAppResult];

/** `progress` of duration_control: at what rate to grant rewards, or whether to leave. */
export const DurationControlProgress = {
  DURATION_CONTROL_PROGRESS_FULL: 0,
  DURATION_CONTROL_PROGRESS_HALF: 1,
  DURATION_CONTROL_PROGRESS_NONE: 2,
  DURATION_CONTROL_EXIT_SOON_3H: 3,
  DURATION_CONTROL_EXIT_SOON_5H: 4,
  DURATION_CONTROL_EXIT_SOON_NIGHT: 5,
} as const;
export type DurationControlProgress = (typeof DurationControlProgress)[keyof typeof DurationControlProgress];

/** `notification` of duration_control: what to tell the player. */
export const DurationControlNotification = {
  DURATION_CONTROL_NOTIFICATION_NONE: 0,
  DURATION_CONTROL_NOTIFICATION_1_HOUR: 1,
  DURATION_CONTROL_NOTIFICATION_3_HOURS: 2,
  DURATION_CONTROL_NOTIFICATION_HALF_PROGRESS: 3,
  DURATION_CONTROL_NOTIFICATION_NO_PROGRESS: 4,
  DURATION_CONTROL_NOTIFICATION_EXIT_SOON_3H: 5,
  DURATION_CONTROL_NOTIFICATION_EXIT_SOON_5H: 6,
  DURATION_CONTROL_NOTIFICATION_EXIT_SOON_NIGHT: 7,
} as const;
export type DurationControlNotification =
  (typeof DurationControlNotification)[keyof typeof DurationControlNotification];

/** Whether the game is played online, for setDurationControlOnlineState. */
export const DurationControlOnlineState = {
  DURATION_CONTROL_ONLINE_STATE_INVALID: 0,
  DURATION_CONTROL_ONLINE_STATE_OFFLINE: 1,
  DURATION_CONTROL_ONLINE_STATE_ONLINE: 2,
  DURATION_CONTROL_ONLINE_STATE_ONLINE_HIGH_PRIORITY: 3,
} as const;
/** One of the values of `DurationControlOnlineState`. */
export type DurationControlOnlineState =
  (typeof DurationControlOnlineState)[keyof typeof DurationControlOnlineState];

/** Bits of `disallow_reason` of market_eligibility_response. */
export const MarketNotAllowedReasonFlags = {
  MARKET_NOT_ALLOWED_REASON_NONE: 0,
  MARKET_NOT_ALLOWED_REASON_TEMPORARY_FAILURE: 1 << 0,
  MARKET_NOT_ALLOWED_REASON_ACCOUNT_DISABLED: 1 << 1,
  MARKET_NOT_ALLOWED_REASON_ACCOUNT_LOCKED_DOWN: 1 << 2,
  MARKET_NOT_ALLOWED_REASON_ACCOUNT_LIMITED: 1 << 3,
  MARKET_NOT_ALLOWED_REASON_TRADE_BANNED: 1 << 4,
  MARKET_NOT_ALLOWED_REASON_ACCOUNT_NOT_TRUSTED: 1 << 5,
  MARKET_NOT_ALLOWED_REASON_STEAM_GUARD_NOT_ENABLED: 1 << 6,
  MARKET_NOT_ALLOWED_REASON_STEAM_GUARD_ONLY_RECENTLY_ENABLED: 1 << 7,
  MARKET_NOT_ALLOWED_REASON_RECENT_PASSWORD_RESET: 1 << 8,
  MARKET_NOT_ALLOWED_REASON_NEW_PAYMENT_METHOD: 1 << 9,
  MARKET_NOT_ALLOWED_REASON_INVALID_COOKIE: 1 << 10,
  MARKET_NOT_ALLOWED_REASON_USING_NEW_DEVICE: 1 << 11,
  MARKET_NOT_ALLOWED_REASON_RECENT_SELF_REFUND: 1 << 12,
  MARKET_NOT_ALLOWED_REASON_NEW_PAYMENT_METHOD_CANNOT_BE_VERIFIED: 1 << 13,
  MARKET_NOT_ALLOWED_REASON_NO_RECENT_PURCHASES: 1 << 14,
  MARKET_NOT_ALLOWED_REASON_ACCEPTED_WALLET_GIFT: 1 << 15,
  /** Since SDK 1.65; GodotSteam has no name for it. */
  MARKET_NOT_ALLOWED_REASON_TRADE_COOLDOWN: 1 << 16,
} as const;
export type MarketNotAllowedReasonFlags =
  (typeof MarketNotAllowedReasonFlags)[keyof typeof MarketNotAllowedReasonFlags];

/** `type` of ipc_failure. */
export const FailureType = {
  FAILURE_FLUSHED_CALLBACK_QUEUE: 0,
  FAILURE_PIPE_FAIL: 1,
} as const;
export type FailureType = (typeof FailureType)[keyof typeof FailureType];

/** `reason` of client_game_server_deny. */
export const DenyReason = {
  DENY_INVALID: 0,
  DENY_INVALID_VERSION: 1,
  DENY_GENERIC: 2,
  DENY_NOT_LOGGED_ON: 3,
  DENY_NO_LICENSE: 4,
  DENY_CHEATER: 5,
  DENY_LOGGED_IN_ELSEWHERE: 6,
  DENY_UNKNOWN_TEXT: 7,
  DENY_INCOMPATIBLE_ANTI_CHEAT: 8,
  DENY_MEMORY_CORRUPTION: 9,
  DENY_INCOMPATIBLE_SOFTWARE: 10,
  DENY_STEAM_CONNECTION_LOST: 11,
  DENY_STEAM_CONNECTION_ERROR: 12,
  DENY_STEAM_RESPONSE_TIMED_OUT: 13,
  DENY_STEAM_VALIDATION_STALLED: 14,
  DENY_STEAM_OWNER_LEFT_GUEST_USER: 15,
} as const;
export type DenyReason = (typeof DenyReason)[keyof typeof DenyReason];
