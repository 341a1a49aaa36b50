/** Why the relay ends a connection or refuses a request: code words, and WebSocket close codes. */

/** Why the relay refuses a connection. Append only. */
export type RefusalCode =
  | 'hello-expected'
  | 'hello-late'
  | 'message-malformed'
  | 'version-unsupported'
  | 'already-joined'
  | 'steam-id-in-use'
  | 'lobby-full'
  | 'relay-full'
  | 'rate-exceeded'
  | 'ticket-refused'
  | 'credential-expected'
  | 'token-refused'
  | 'token-expired'
  | 'resume-refused'
  | 'replaced'
  | 'kicked'
  | 'banned'
  | 'lobby-ended'
  | 'lobby-unknown'
  | 'admission-unavailable'
  | 'address-full'
  | 'guests-full';

/** The WebSocket close code of each refusal. Append only. */
export const CloseCode = {
  'hello-expected': 4000,
  'hello-late': 4001,
  'message-malformed': 4002,
  'version-unsupported': 4003,
  'already-joined': 4004,
  'steam-id-in-use': 4005,
  'lobby-full': 4006,
  'relay-full': 4007,
  'rate-exceeded': 4008,
  'ticket-refused': 4009,
  'credential-expected': 4010,
  'token-refused': 4011,
  'token-expired': 4012,
  'resume-refused': 4013,
  replaced: 4014,
  kicked: 4015,
  banned: 4016,
  'lobby-ended': 4017,
  'lobby-unknown': 4018,
  'admission-unavailable': 4019,
  'address-full': 4020,
  'guests-full': 4021,
} as const satisfies Record<RefusalCode, number>;

/** The close code that answers a leave. */
export const LEAVE_CLOSE_CODE = 1000;

/** The close code of a relay that shuts down. */
export const SHUTDOWN_CLOSE_CODE = 1001;

/** Why the relay refused a request. The participant stays in the lobby. Append only. */
export const FAILURE_CODES = [
  /** Only moderators may. */
  'not-moderator',
  /** Nobody in the lobby has this slot, or this SteamID. */
  'participant-unknown',
  /** Your credential does not open this channel. */
  'channel-not-allowed',
  /** The lobby has as many channels as it may. */
  'channels-full',
  /** The relay remembers as many mutes and bans as it may. */
  'sanctions-full',
  'hearing-full',
  /** You rename yourself or change channels faster than the relay can tell everyone. */
  'too-many-changes',
  /** So many unlisted listeners record already that no more can be shown to everyone. */
  'recorders-full',
] as const;

/** A code of `failed`. */
export type FailureCode = (typeof FAILURE_CODES)[number];
