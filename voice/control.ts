/**
 * The control messages: JSON text on the same WebSocket that carries voice frames as binary.
 *
 * Both ends parse them here, once. Unknown fields are dropped and unknown types refused, so that an older peer reports them and does
 * not guess. docs/protocol.md is the contract.
 */

import * as z from 'zod/mini';
import { parseSteamId } from './steam_id.js';

/** The version of the control messages; the voice frame carries its own. */
export const PROTOCOL_VERSION = 1;

/** The longest token in a hello, in characters. */
export const MAX_TOKEN_CHARS = 4096;

/** What a token in a hello looks like: three parts in base64url. */
export const TOKEN_FORM = /^[\w-]+\.[\w-]*\.[\w-]*$/;

/** The longest control message, in bytes of UTF-8: a hello with the longest ticket. Two credentials must fit into it together. */
export const MAX_CONTROL_BYTES = 8192;

/** The identity that a game passes to getAuthTicketForWebApi for a ticket that a relay accepts. */
export const TICKET_IDENTITY = 'hotmic';

/** The longest ticket, in bytes: the size of Steam's buffers. In a hello each byte takes two digits. */
export const MAX_TICKET_BYTES = 2560;

/** The longest message from the relay. A welcome to a large lobby continues in further messages: its pages. */
export const MAX_RELAY_MESSAGE_BYTES = 64 * 1024;

/** The highest number that a channel may have. */
export const MAX_CHANNEL = 127;

/** The most channels that one participant may be in. */
export const MAX_CHANNELS_ENTERED = 16;

/** The most participants of one lobby that a client keeps: twice as many as a relay can be set to admit. */
export const MAX_PARTICIPANTS = 1000;

/** The most participants that one can whisper to at a time. */
export const MAX_WHISPERED = 16;

/** The most people whom a hearing set lets one listener hear. */
export const MAX_HEARD = 256;

/** The most streams in each list of a `hears`: those of a message stay far below 64 KiB. */
export const MAX_MARKS = 1000;

/** The longest time for a mute, a deafening or a ban, in seconds: ten years. */
export const MAX_SANCTION_S = 315_360_000;

/** Names: 1 to 64 characters, without control characters or half surrogate pairs, which strict readers of JSON refuse. */
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

/** A channel's number: the target of a voice frame. */
const channelNumber = z.int().check(z.minimum(1), z.maximum(MAX_CHANNEL));

/** Names of channels, each once. */
const channelNames = z.array(label).check(
  z.maxLength(MAX_CHANNELS_ENTERED),
  z.refine((names) => new Set(names).size === names.length, 'expected each channel once'),
);

/** 16 random bytes of the relay, in hexadecimal. */
const random16 = z.string().check(z.regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits'));

/** Left-out fields have their defaults: no channels, not muted, and so on. */
const participantState = z.object({
  slot,
  steamId,
  name: label,
  /** The channels that they are in, by number. */
  channels: z._default(z.array(channelNumber).check(z.maxLength(MAX_CHANNELS_ENTERED)), []),
  /** Set by a moderator: their voice is not passed on. */
  muted: z._default(z.boolean(), false),
  /** Set by a moderator: they get no voice. */
  deafened: z._default(z.boolean(), false),
  /** Their connection broke; they may reconnect. */
  away: z._default(z.boolean(), false),
  /** While they speak, clients should lower the others. */
  priority: z._default(z.boolean(), false),
  moderator: z._default(z.boolean(), false),
  /** Came without Steam; the relay made up the SteamID. */
  guest: z._default(z.boolean(), false),
  /** Their credential does not let them speak. */
  spectator: z._default(z.boolean(), false),
  /** Only in a listener's own state: the others do not see them, they are counted. */
  unlisted: z._default(z.boolean(), false),
  /** They record what they hear, since this second of unix time on the relay's clock. Left out: they have not said so. */
  recordingSince: z.optional(z.int().check(z.minimum(0))),
});

const participant = z.extend(participantState, { speaking: z.boolean() });

/** A participant, without whether they are speaking. */
export type ParticipantState = z.infer<typeof participantState>;

/** The same, and whether they are speaking to us. */
export type ParticipantInfo = z.infer<typeof participant>;

const channel = z.object({ number: channelNumber, name: label });

/** A channel of a lobby. */
export type ChannelInfo = z.infer<typeof channel>;

/** A JSON Web Token in its compact form. */
const token = z.string().check(z.regex(TOKEN_FORM, 'expected a signed token'), z.maxLength(MAX_TOKEN_CHARS));

/** The protocol versions that the client speaks, best first. */
const versions = z.array(z.int()).check(z.minLength(1), z.maxLength(16));

/** What an end can do beyond version 1, by name. Names that are not known are ignored. */
const capabilities = z.optional(
  z
    .array(z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a capability, such as ping')))
    .check(z.maxLength(32)),
);

/** What our relay can do: see docs/protocol.md, "Capabilities". */
export const RELAY_CAPABILITIES = ['ping', 'recording', 'stale', 'heartbeat'] as const;

/** What our client can do. The relay that it talks to may do the same, or not. */
export const CLIENT_CAPABILITIES = ['stale', 'heartbeat'] as const;

const hello = z.object({
  type: z.literal('hello'),
  versions,
  capabilities,
  lobby: label,
  name: label,
  /** Without it, the credential's; with neither, the player is a guest. */
  steamId: z.optional(steamId),
  /** What the game's backend grants. Secret, like the others: never in a log or an error. With a token, a ticket is not judged. */
  token: z.optional(token),
  /** A web ticket: shows that the SteamID is the client's. */
  ticket: z.optional(ticket),
  /**
   * An encrypted app ticket whose user data begins with the nonce of a challenge; `request` asks for the challenge. It proves nothing:
   * it accompanies a token or a web ticket of the same player.
   */
  appTicket: z.optional(z.union([z.literal('request'), ticket])),
});

const resume = z.object({
  type: z.literal('resume'),
  versions,
  capabilities,
  /** The resume secret of the last welcome. Keep it secret; it works once. */
  secret: random16,
});

/** A SteamID in decimal, or the slot that they have now. */
const person = z.union([slot, steamId]);

/** Whom somebody hears from now on; null: everyone. */
const hearingUpdate = z.object({
  listener: person,
  hears: z.nullable(z.array(person).check(z.maxLength(MAX_HEARD))),
});

/** Whom one listener hears from now on. */
export type HearingUpdate = z.infer<typeof hearingUpdate>;

/** What a moderator may do to a participant, or to somebody who is not in the lobby. */
const moderate = z.discriminatedUnion('action', [
  /** `seconds` until it ends by itself. docs/protocol.md has the default. */
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
  /** Asks for a sign of life: a pong. */
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('rename'), name: label }),
  /** All channels that we are in from now on. */
  z.object({ type: z.literal('channels'), channels: channelNames }),
  /** Who hears target 255 from now on. */
  z.object({ type: z.literal('whisper'), slots: z.array(slot).check(z.maxLength(MAX_WHISPERED)) }),
  /** We record what we hear from now on, or no longer do. */
  z.object({ type: z.literal('recording'), recording: z.boolean() }),
  moderate,
  /** From a moderator: whom these listeners hear from now on. */
  z.object({ type: z.literal('hearing'), sets: z.array(hearingUpdate).check(z.minLength(1)) }),
]);

/** A message from a client. The first is a hello or a resume, which joins the lobby. */
export type ClientMessage = z.infer<typeof clientMessage>;

/** A moderator's request. */
export type ModerateMessage = z.infer<typeof moderate>;

/** A part of the list of participants. */
const page = z.array(participant).check(z.maxLength(MAX_PARTICIPANTS));

/** How many participants follow after a page. */
const more = z.optional(z.int().check(z.minimum(1), z.maximum(MAX_PARTICIPANTS)));

/** The relay sequences of streams: slot, target, sequence. */
const marks = z
  .array(z.tuple([slot, z.int().check(z.minimum(0), z.maximum(0xff)), slot]))
  .check(z.maxLength(MAX_MARKS));

/** The relay's clock, in ms, 32 bit, as in voice frames. */
const relayTimeMs = z.int().check(z.minimum(0), z.maximum(0xffff_ffff));

const relayMessage = z.discriminatedUnion('type', [
  /** Answers a hello that requests it: the nonce for an encrypted app ticket. Another hello follows. */
  z.object({ type: z.literal('challenge'), nonce: random16 }),
  /** Answers the hello or the resume: who you are and who is in the lobby. */
  z.object({
    type: z.literal('welcome'),
    version: z.int(),
    capabilities,
    slot,
    lobby: label,
    /** `speak` is false when our voice is not passed on, `listen` when we get no voice; otherwise left out. */
    speak: z.optional(z.literal(false)),
    listen: z.optional(z.literal(false)),
    /** The relay's clock at this moment, in ms, 32 bit, as in voice frames. */
    relayTimeMs,
    /** From which age on voice is stale, in ms: see docs/protocol.md, "Staleness". Left out: the relay does not say. */
    staleAfterMs: z.optional(z.int().check(z.minimum(1), z.maximum(60_000))),
    /** At least this long between attempts to reconnect beside a connection that seems dead, in ms. Left out: 250. */
    raceMs: z.optional(z.int().check(z.minimum(1), z.maximum(60_000))),
    /** Random, per connection: identifies it in reports. */
    nonce: random16,
    /** Lets you resume within this time when the connection breaks. Left out if the relay does not support it. */
    resume: z.optional(z.object({ secret: random16, withinMs: z.int().check(z.minimum(1)) })),
    /** Yourself, as the others see you; your packets must carry this SteamID. */
    you: participantState,
    /** Everyone else in the lobby, or the first of them. */
    participants: page,
    /** How many listeners are in no list, ourselves included if we are one of them. Left out: none. */
    unlisted: z.optional(z.int().check(z.minimum(0))),
    /** How many of them follow in `participants` messages, directly after this message. Left out: none. */
    more,
    channels: z.array(channel).check(z.maxLength(MAX_CHANNEL)),
  }),
  /** Continues the welcome's list. `more` counts those who follow after this page. */
  z.object({ type: z.literal('participants'), participants: page.check(z.minLength(1)), more }),
  z.object({ type: z.literal('joined'), participant: participantState }),
  /** Answers a ping. */
  z.object({ type: z.literal('pong') }),
  z.object({ type: z.literal('left'), slot }),
  /** The new state of a participant, or of yourself. */
  z.object({ type: z.literal('changed'), participant: participantState }),
  /** This many listeners are in no list now. */
  z.object({ type: z.literal('unlisted'), count: z.int().check(z.minimum(0)) }),
  /** A participant began or stopped speaking to us. */
  z.object({ type: z.literal('speaking'), slot, speaking: z.boolean() }),
  /** What we hear from now on, and what we no longer hear: see docs/protocol.md, "Counting losses". */
  z.object({
    type: z.literal('hears'),
    /** True: from now on we hear only those in `more`. False: we hear everyone again. */
    only: z.optional(z.boolean()),
    /** Slots of those whom we hear from now on, or with `only` still hear. */
    more: z.optional(z.array(slot).check(z.maxLength(MAX_PARTICIPANTS))),
    /** Slots of those whom we no longer hear, and who therefore no longer speak to us. */
    fewer: z.optional(z.array(slot).check(z.maxLength(MAX_PARTICIPANTS))),
    /** Slots of those among the people whom we begin to hear who are speaking to us. */
    speaking: z.optional(z.array(slot).check(z.maxLength(MAX_PARTICIPANTS))),
    /** Streams that we hear from now on, each with the relay sequence of its next frame. All others begin with 0. */
    next: z.optional(marks),
    /** Streams that we no longer hear, each with the relay sequence after its last frame for us. */
    until: z.optional(marks),
  }),
  /** We are behind: no voice until we acknowledge this time. */
  z.object({ type: z.literal('parked'), relayTimeMs }),
  /** The connection is not dead. */
  z.object({ type: z.literal('heartbeat'), relayTimeMs }),
  /** We get voice again. */
  z.object({ type: z.literal('live') }),
  z.object({ type: z.literal('channel'), channel }),
  z.object({ type: z.literal('channel-ended'), number: channelNumber }),
  /** A request of yours was not carried out; you stay in the lobby. */
  z.object({
    type: z.literal('failed'),
    /** The type of the request. */
    request: z.string(),
    code: z.string(),
    message: z.string(),
  }),
  /** The relay closes within this time. `goTo` is the URL of another one. */
  z.object({
    type: z.literal('draining'),
    withinMs: z.int().check(z.minimum(0)),
    goTo: z.optional(z.string().check(z.maxLength(2048))),
  }),
  /** The relay closes the connection after this message. */
  z.object({ type: z.literal('refused'), code: z.string(), message: z.string() }),
]);

/** A message from the relay. */
export type RelayMessage = z.infer<typeof relayMessage>;

/** A message from the relay as it may be written: defaults can be left out. */
export type RelayMessageToWrite = z.input<typeof relayMessage>;

/** A control message that does not parse, and why. */
export interface MalformedMessage {
  readonly kind: 'malformed';
  readonly detail: string;
}

const opening = z.object({ type: z.enum(['hello', 'resume']), versions });

/** The versions that a hello or resume offers, even if we do not understand its other fields; null for any other message. */
export function readOfferedVersions(text: string): readonly number[] | null {
  const read = readWith(opening, text, MAX_CONTROL_BYTES);
  return 'versions' in read ? read.versions : null;
}

/** Reads a client's message. */
export function readClientMessage(text: string): ClientMessage | MalformedMessage {
  return readWith(clientMessage, text, MAX_CONTROL_BYTES);
}

/** Reads a message of the relay. */
export function readRelayMessage(text: string): RelayMessage | MalformedMessage {
  return readWith(relayMessage, text, MAX_RELAY_MESSAGE_BYTES);
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
