/**
 * The one error class that leaves Hotmic: a message for a person and a stable code for a program.
 *
 * Hostile input on the frame path is never an error: it is returned as `malformed` and counted. This class is for what the caller
 * did wrong or has to know: misuse, a missing file, a relay that refused.
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
  | 'ERR_HOTMIC_BUNDLED'
  | 'ERR_HOTMIC_SOUND'
  | 'ERR_HOTMIC_SOUND_TOOL'
  | 'ERR_HOTMIC_LOAD';

/** An error with a stable `code`; `cause` holds the system's own error where there is one. */
export class HotmicError extends Error {
  override readonly name = 'HotmicError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The most reasons that are listed of an error that has several. */
const MAX_REASONS = 4;

/**
 * The text of anything that was thrown, never empty for an error. Where a name has several addresses and none answers, Node throws an
 * AggregateError without a message; the text then lists the messages of its errors.
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

/** The `code` of anything that was thrown, such as `ENOENT`, or null. */
export function codeOf(thrown: unknown): string | null {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return null;
  return typeof thrown.code === 'string' ? thrown.code : null;
}
