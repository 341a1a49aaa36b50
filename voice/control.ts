/**
 * The control messages: JSON text on the same WebSocket that carries voice frames as binary.
 *
 * Parsed once, here, on both ends. Unknown fields are dropped and unknown types refused, so that an older peer says so and
 * does not guess. docs/protocol.md is the contract.
 */

import * as z from 'zod/mini';
import { parseSteamId } from './steam_id.js';

/** The version of the control messages; the voice frame carries its own. */
export const PROTOCOL_VERSION = 1;

/** The longest token in a hello, in characters. */
export const MAX_TOKEN_CHARS = 4096;

/** What a token in a hello looks like: three parts in base64url. */
export const TOKEN_FORM = /^[\w-]+\.[\w-]*\.[\w-]*$/;

/** The longest control message, in bytes of UTF-8: a hello with the longest ticket. Two credentials have to share it. */
export const MAX_CONTROL_BYTES = 8192;

/** What a game hands to getAuthTicketForWebApi for a ticket that a relay takes. */
export const TICKET_IDENTITY = 'hotmic';

/** The longest ticket, in bytes: what Steam has room for. In a hello each takes two digits. */
export const MAX_TICKET_BYTES = 2560;

/** The longest message from the relay: a welcome lists the whole lobby. */
export const MAX_WELCOME_BYTES = 512 * 1024;

/** The highest number that a channel may have. */
export const MAX_CHANNEL = 127;

/** Channels that one participant may be in. */
export const MAX_CHANNELS_ENTERED = 16;

/** Participants in one lobby that a client keeps: twice as many as a relay may be set to admit. */
export const MAX_PARTICIPANTS = 1000;

/** Participants whom one may whisper to at a time. */
export const MAX_WHISPERED = 16;

/** The longest time that a mute, a deafening or a ban can be given, in seconds: ten years. */
export const MAX_SANCTION_S = 315_360_000;

/** Names: 1 to 64 characters, none of them a control character or half of a surrogate pair, which no strict reader of JSON takes. */
export const LABEL = /^[^\p{Cc}\p{Cs}]{1,64}$/u;

const label = z
  .string()
  .check(z.regex(LABEL, 'expected 1 to 64 characters, none of them a control character'));

/** A SteamID in decimal. */
const steamId = z
  .string()
  .check(z.refine((text) => parseSteamId(text) !== null, 'expected a SteamID64 in decimal'));

/** Bytes in hexadecimal; its error never shows them. */
const ticket = z
  .string()
  .check(
    z.maxLength(2 * MAX_TICKET_BYTES, `expected at most ${2 * MAX_TICKET_BYTES} digits`),
    z.regex(/^(?:[0-9a-fA-F]{2})+$/, 'expected hexadecimal, two digits per byte'),
  );

const slot = z.int().check(z.minimum(0), z.maximum(0xffff));

/** A channel's number, which a voice frame has as its target. */
const channelNumber = z.int().check(z.minimum(1), z.maximum(MAX_CHANNEL));

/** Names of channels, each once. */
const channelNames = z.array(label).check(
  z.maxLength(MAX_CHANNELS_ENTERED),
  z.refine((names) => new Set(names).size === names.length, 'expected each channel once'),
);

/** 16 random bytes of the relay, in hexadecimal. */
const random16 = z.string().check(z.regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits'));

/** What is left out is so: no channels, not muted, and so on. */
const participantState = z.object({
  slot,
  steamId,
  name: label,
  /** The channels that they are in, by number. */
  channels: z._default(z.array(channelNumber).check(z.maxLength(MAX_CHANNELS_ENTERED)), []),
  /** By a moderator: no voice of theirs is passed on. */
  muted: z._default(z.boolean(), false),
  /** By a moderator: no voice comes to them. */
  deafened: z._default(z.boolean(), false),
  /** Their connection broke; they may be back. */
  away: z._default(z.boolean(), false),
  /** While they speak, others are to be lowered. */
  priority: z._default(z.boolean(), false),
  moderator: z._default(z.boolean(), false),
  /** Came without Steam; the relay made up the SteamID. */
  guest: z._default(z.boolean(), false),
  /** Their credential does not let them speak. */
  spectator: z._default(z.boolean(), false),
});

const participant = z.extend(participantState, { speaking: z.boolean() });

/** A participant as the relay tells of it, without whether they speak. */
export type ParticipantState = z.infer<typeof participantState>;

/** The same, and whether they speak to us. */
export type ParticipantInfo = z.infer<typeof participant>;

const channel = z.object({ number: channelNumber, name: label });

/** A channel of a lobby. */
export type ChannelInfo = z.infer<typeof channel>;

/** A JSON Web Token in its compact form. */
const token = z.string().check(z.regex(TOKEN_FORM, 'expected a signed token'), z.maxLength(MAX_TOKEN_CHARS));

/** The protocol versions that the client speaks, best first. */
const versions = z.array(z.int()).check(z.minLength(1), z.maxLength(16));

const hello = z.object({
  type: z.literal('hello'),
  versions,
  lobby: label,
  name: label,
  /** Without it, whose the credential says; without one as well, a guest. */
  steamId: z.optional(steamId),
  /** What the game's backend grants. Secret, as the others: it goes into no log and no error. A ticket beside it is not judged. */
  token: z.optional(token),
  /** A web ticket: shows that the SteamID is the client's. */
  ticket: z.optional(ticket),
  /**
   * An encrypted app ticket, whose user data begins with the nonce of a challenge; `request` asks for that. It proves nothing, and goes
   * beside a token or a web ticket of the same player.
   */
  appTicket: z.optional(z.union([z.literal('request'), ticket])),
});

const resume = z.object({
  type: z.literal('resume'),
  versions,
  /** The resume secret of the last welcome. Keep it as a credential; it is good once. */
  secret: random16,
});

/** What a moderator may do to a participant, or to somebody who is not there. */
const moderate = z.discriminatedUnion('action', [
  /** `seconds` until it ends by itself; without, as docs/protocol.md says. */
  z.object({
    type: z.literal('moderate'),
    steamId,
    action: z.enum(['mute', 'deafen', 'ban']),
    seconds: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_SANCTION_S))),
  }),
  z.object({
    type: z.literal('moderate'),
    steamId,
    action: z.enum(['unmute', 'undeafen', 'unban', 'kick', 'prioritize', 'unprioritize']),
  }),
  z.object({ type: z.literal('moderate'), steamId, action: z.literal('move'), channels: channelNames }),
]);

const clientMessage = z.discriminatedUnion('type', [
  hello,
  resume,
  z.object({ type: z.literal('leave') }),
  z.object({ type: z.literal('rename'), name: label }),
  /** The channels that we are in from now on, all of them. */
  z.object({ type: z.literal('channels'), channels: channelNames }),
  /** To whom we speak with target 255 from now on. */
  z.object({ type: z.literal('whisper'), slots: z.array(slot).check(z.maxLength(MAX_WHISPERED)) }),
  moderate,
]);

/** What a client says. A hello or a resume comes first; it joins the lobby. */
export type ClientMessage = z.infer<typeof clientMessage>;

/** What a moderator asks for. */
export type ModerateMessage = z.infer<typeof moderate>;

const relayMessage = z.discriminatedUnion('type', [
  /** Answers a hello that requests it: the nonce for an encrypted app ticket. Another hello follows. */
  z.object({ type: z.literal('challenge'), nonce: random16 }),
  /** Answers the hello or the resume: who you are and who is there. */
  z.object({
    type: z.literal('welcome'),
    version: z.int(),
    slot,
    lobby: label,
    /** False when our voice is not passed on, or others' does not come to us; left out when it is. */
    speak: z.optional(z.literal(false)),
    listen: z.optional(z.literal(false)),
    /** The relay's clock at this moment, in ms, 32 bit, as in voice frames. */
    relayTimeMs: z.int().check(z.minimum(0), z.maximum(0xffff_ffff)),
    /** Random, of this connection: names it in reports. */
    nonce: random16,
    /** Gets you your place back when the connection breaks, for so long. Left out where there is no resuming. */
    resume: z.optional(z.object({ secret: random16, withinMs: z.int().check(z.minimum(1)) })),
    /** Yourself, as the others are told of you; your packets have to carry this SteamID. */
    you: participantState,
    /** Everyone else in the lobby. */
    participants: z.array(participant).check(z.maxLength(MAX_PARTICIPANTS)),
    channels: z.array(channel).check(z.maxLength(MAX_CHANNEL)),
  }),
  z.object({ type: z.literal('joined'), participant: participantState }),
  z.object({ type: z.literal('left'), slot }),
  /** Someone's state, or your own, is now this. */
  z.object({ type: z.literal('changed'), participant: participantState }),
  /** Someone began or ceased to speak, to us. */
  z.object({ type: z.literal('speaking'), slot, speaking: z.boolean() }),
  z.object({ type: z.literal('channel'), channel }),
  z.object({ type: z.literal('channel-ended'), number: channelNumber }),
  /** Something that you asked for was not done; you stay. */
  z.object({
    type: z.literal('failed'),
    /** The type of the message that asked for it. */
    request: z.string(),
    code: z.string(),
    message: z.string(),
  }),
  /** The relay closes within this time. `goTo` is the URL of one to go to. */
  z.object({
    type: z.literal('draining'),
    withinMs: z.int().check(z.minimum(0)),
    goTo: z.optional(z.string().check(z.maxLength(2048))),
  }),
  /** The relay closes the connection behind it. */
  z.object({ type: z.literal('refused'), code: z.string(), message: z.string() }),
]);

/** What the relay says. */
export type RelayMessage = z.infer<typeof relayMessage>;

/** What the relay says, as it may be written: what is so by default is left out. */
export type RelayMessageToWrite = z.input<typeof relayMessage>;

/** A control message that does not parse, and why. */
export interface MalformedMessage {
  readonly kind: 'malformed';
  readonly detail: string;
}

const opening = z.object({ type: z.enum(['hello', 'resume']), versions });

/** The versions that an opening offers whose other fields need not be of a form that we know; null when it is none. */
export function readOfferedVersions(text: string): readonly number[] | null {
  const read = readWith(opening, text, MAX_CONTROL_BYTES);
  return 'versions' in read ? read.versions : null;
}

/** Reads what a client said. */
export function readClientMessage(text: string): ClientMessage | MalformedMessage {
  return readWith(clientMessage, text, MAX_CONTROL_BYTES);
}

/** Reads what the relay said. */
export function readRelayMessage(text: string): RelayMessage | MalformedMessage {
  return readWith(relayMessage, text, MAX_WELCOME_BYTES);
}

/** Writes either side's message. */
export function writeMessage(message: ClientMessage | RelayMessageToWrite): string {
  return JSON.stringify(message);
}

function readWith<T>(schema: z.ZodMiniType<T>, text: string, maxLength: number): T | MalformedMessage {
  if (text.length > maxLength) {
    return { kind: 'malformed', detail: `${text.length} characters, expected at most ${maxLength}` };
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'malformed', detail: 'not JSON' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  return { kind: 'malformed', detail: issueText(parsed.error.issues[0]) };
}

/** Where a message is wrong, and what was expected there. Never quotes what was found: it may be secret. */
function issueText(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return 'not a message';
  const at = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  switch (issue.code) {
    case 'invalid_type':
      return `${at || 'message: '}expected ${issue.expected === 'int' ? 'a whole number' : `type ${issue.expected}`}`;
    case 'invalid_union':
      return `${at || 'message: '}expected a known value`;
    case 'invalid_value':
      return `${at}expected one of ${issue.values.map(String).join(', ')}`;
    case 'too_big':
      return `${at}expected at most ${issue.maximum}`;
    case 'too_small':
      return `${at}expected at least ${issue.minimum}`;
    default:
      return `${at}${issue.message}`;
  }
}
