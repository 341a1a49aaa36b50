/** The forms of a relay's messages, from the tables of docs/protocol.md. */

/** The longest message that a client must accept. */
export const MESSAGE_LIMIT = 65_536;

export interface Field {
  /** What is wrong with a value, or an empty string. */
  readonly check: (value: unknown) => string;
  readonly optional?: boolean;
  /** The form of the object, or of the objects in the list. */
  readonly inside?: Form;
}

export type Form = Readonly<Record<string, Field>>;

const REFUSALS: Readonly<Record<string, number>> = {
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
};

/** The close code of a refusal. */
export const closeCodeOf = (refusal: string): number => REFUSALS[refusal]!;

const CAPABILITY = /^[a-z][a-z0-9-]{0,31}$/;

const FAILURES = [
  'not-moderator',
  'participant-unknown',
  'channel-not-allowed',
  'channels-full',
  'sanctions-full',
  'hearing-full',
  'too-many-changes',
  'recorders-full',
];

const checked = (ok: (value: unknown) => boolean, what: string): Field => ({
  check: (value) => (ok(value) ? '' : `is not ${what}`),
});
const optional = (field: Field): Field => ({ ...field, optional: true });
const whole = (from: number, to: number): Field =>
  checked(
    (value) => Number.isInteger(value) && Number(value) >= from && Number(value) <= to,
    `${from} to ${to}`,
  );
const word = (words: readonly string[]): Field =>
  checked((value) => typeof value === 'string' && words.includes(value), words.join(', '));
const matching = (pattern: RegExp, what: string): Field =>
  checked((value) => typeof value === 'string' && pattern.test(value), what);
const object = (inside: Form): Field => ({
  ...checked((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'an object'),
  inside,
});
const list = (inside: Form): Field => ({ ...checked(Array.isArray, 'a list'), inside });

const text = checked((value) => typeof value === 'string', 'text');
const boolean = checked((value) => typeof value === 'boolean', 'a boolean');
const label = checked(
  (value) => typeof value === 'string' && value !== '' && [...value].length <= 64 && !/\p{Cc}/u.test(value),
  'a label',
);
const steamId = checked(
  (value) => typeof value === 'string' && /^[1-9][0-9]{0,19}$/.test(value) && BigInt(value) < 1n << 64n,
  'a SteamID',
);
const random16 = matching(/^[0-9a-f]{32}$/, 'random16');
const slot = whole(0, 65_535);
const channelNumber = whole(1, 127);
const channel: Form = { number: channelNumber, name: label };

const state: Form = {
  slot,
  steamId,
  name: label,
  channels: optional(
    checked(
      (value) =>
        Array.isArray(value) &&
        value.length <= 16 &&
        new Set(value).size === value.length &&
        value.every((each) => channelNumber.check(each) === ''),
      'a list of channel numbers',
    ),
  ),
  muted: optional(boolean),
  deafened: optional(boolean),
  away: optional(boolean),
  priority: optional(boolean),
  recordingSince: optional(whole(0, Number.MAX_SAFE_INTEGER)),
  moderator: optional(boolean),
  guest: optional(boolean),
  spectator: optional(boolean),
  unlisted: optional(boolean),
};

/** Slot, target and relay sequence of each stream. */
const marks = checked(
  (value) =>
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= 1000 &&
    value.every(
      (mark) =>
        Array.isArray(mark) &&
        mark.length === 3 &&
        [slot, whole(0, 255), slot].every(({ check }, at) => check(mark[at]) === ''),
    ),
  'a list of marks',
);

const slots = checked(
  (value) =>
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= 1000 &&
    value.every((each) => slot.check(each) === ''),
  'a list of slots',
);

const type = text;

const FORMS: Readonly<Record<string, Form>> = {
  challenge: { type, nonce: random16 },
  welcome: {
    type,
    version: whole(1, 1),
    capabilities: optional(
      checked(
        (value) => Array.isArray(value) && value.length <= 32 && value.every((it) => CAPABILITY.test(it)),
        'a list of capabilities',
      ),
    ),
    slot,
    lobby: label,
    relayTimeMs: whole(0, 0xffff_ffff),
    staleAfterMs: optional(whole(1, 60_000)),
    raceMs: optional(whole(1, 60_000)),
    nonce: random16,
    resume: optional(object({ secret: random16, withinMs: whole(0, Number.MAX_SAFE_INTEGER) })),
    you: object(state),
    participants: list({ ...state, speaking: boolean }),
    more: optional(whole(1, Number.MAX_SAFE_INTEGER)),
    unlisted: optional(whole(0, Number.MAX_SAFE_INTEGER)),
    channels: list(channel),
    speak: optional(checked((value) => value === false, 'false')),
    listen: optional(checked((value) => value === false, 'false')),
  },
  participants: {
    type,
    participants: list({ ...state, speaking: boolean }),
    more: optional(whole(1, Number.MAX_SAFE_INTEGER)),
  },
  joined: { type, participant: object(state) },
  unlisted: { type, count: whole(0, Number.MAX_SAFE_INTEGER) },
  pong: { type },
  parked: { type, relayTimeMs: whole(0, 0xffff_ffff) },
  live: { type },
  heartbeat: { type, relayTimeMs: whole(0, 0xffff_ffff) },
  left: { type, slot },
  changed: { type, participant: object(state) },
  speaking: { type, slot, speaking: boolean },
  channel: { type, channel: object(channel) },
  hears: {
    type,
    only: optional(boolean),
    more: optional(slots),
    fewer: optional(slots),
    speaking: optional(slots),
    next: optional(marks),
    until: optional(marks),
  },
  'channel-ended': { type, number: channelNumber },
  failed: {
    type,
    request: word(['rename', 'channels', 'whisper', 'recording', 'moderate', 'hearing']),
    code: word(FAILURES),
    message: text,
  },
  draining: { type, withinMs: whole(0, Number.MAX_SAFE_INTEGER), goTo: optional(text) },
  refused: { type, code: word(Object.keys(REFUSALS)), message: text },
};

/** The form of a message type; undefined if the document has no such type. */
export const formOf = (type: string): Form | undefined =>
  Object.hasOwn(FORMS, type) ? FORMS[type] : undefined;
