/**
 * The one error class that leaves Hotmic: a message for a person and a stable code for a program.
 *
 * Hostile input on the frame path is never an error: it is a returned `malformed` and a count. This class is for what the
 * caller did or must know: misuse, a file that is not there, a relay that refused.
 */

/** Every code that Hotmic throws. Append only: programs match on them. */
export type ErrorCode =
  | 'ERR_HOTMIC_USAGE'
  | 'ERR_HOTMIC_URL'
  | 'ERR_HOTMIC_ADMISSION'
  | 'ERR_HOTMIC_PORT_IN_USE'
  | 'ERR_HOTMIC_LISTEN'
  | 'ERR_HOTMIC_RELAY_MISSING'
  | 'ERR_HOTMIC_CONNECT'
  | 'ERR_HOTMIC_CONNECTION_LOST'
  | 'ERR_HOTMIC_REFUSED'
  | 'ERR_HOTMIC_PROTOCOL'
  | 'ERR_HOTMIC_CLOSED'
  | 'ERR_HOTMIC_VOICE_LOST'
  | 'ERR_HOTMIC_WAV'
  | 'ERR_HOTMIC_WAV_FULL'
  | 'ERR_HOTMIC_FILE'
  | 'ERR_HOTMIC_DISK_FULL'
  | 'ERR_HOTMIC_DISK_BEHIND'
  | 'ERR_HOTMIC_INPUT'
  | 'ERR_HOTMIC_CAPTURE'
  | 'ERR_HOTMIC_STEAM'
  | 'ERR_HOTMIC_STEAM_CLOSED'
  | 'ERR_HOTMIC_STEAM_UNSUPPORTED'
  | 'ERR_HOTMIC_STEAM_CALL'
  | 'ERR_HOTMIC_STEAM_TIMEOUT'
  | 'ERR_HOTMIC_TICKET'
  | 'ERR_HOTMIC_CODEC'
  | 'ERR_HOTMIC_SAMPLE_RATE'
  | 'ERR_HOTMIC_INTERNAL'
  | 'ERR_HOTMIC_TLS'
  | 'ERR_HOTMIC_CONFIG'
  | 'ERR_HOTMIC_THREAD'
  | 'ERR_HOTMIC_BUNDLED';

/** An error with a stable `code`; `cause` holds the system's own error where there is one. */
export class HotmicError extends Error {
  override readonly name = 'HotmicError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The most reasons that are told of an error that has several. */
const MAX_REASONS = 4;

/**
 * The text of anything that was thrown, never empty for an error. Where a name has several addresses and none answers, Node throws an
 * AggregateError without a message: then it is the messages of the errors within.
 */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof AggregateError) || thrown.message !== '') return ownMessageOf(thrown);
  const reasons = new Set(thrown.errors.map(ownMessageOf));
  return [...reasons].slice(0, MAX_REASONS).join('; ') || ownMessageOf(thrown);
}

function ownMessageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.message || codeOf(thrown) || thrown.name;
}

const UNTRUSTED =
  'its certificate is from nobody whom this machine trusts; NODE_EXTRA_CA_CERTS can name a file with who is';

/** Codes of the system that people meet, in words. */
const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  EACCES: 'permission denied',
  ECONNREFUSED: 'nothing listens there; does the relay run?',
  EEXIST: 'it is there already',
  EHOSTUNREACH: 'there is no route to it',
  EISDIR: 'it is a folder',
  EMFILE: 'this process has too many files open',
  ENAMETOOLONG: 'the name is too long',
  ENETUNREACH: 'there is no route to it',
  ENOENT: 'it is not there',
  ENOTDIR: 'a part of the path is no folder',
  ENOTFOUND: 'no such host',
  EPROTO: 'no TLS there; is it ws:// and not wss://?',
  EROFS: 'the disk is read-only',
  ETIMEDOUT: 'there is no answer',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

/** Why the system refused, in words where we have them, else in the system's own. */
export function systemReason(thrown: unknown): string {
  const code = codeOf(thrown);
  const words = code === null ? undefined : SYSTEM_REASONS[code];
  return words === undefined ? messageOf(thrown) : `${words} (${code})`;
}

/** The `code` of anything that was thrown, such as `ENOENT`, or null. */
export function codeOf(thrown: unknown): string | null {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return null;
  return typeof thrown.code === 'string' ? thrown.code : null;
}
