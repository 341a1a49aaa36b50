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

/** The longest control message, in bytes of UTF-8: a hello with the longest ticket. */
export const MAX_CONTROL_BYTES = 8192;

/** What a game hands to getAuthTicketForWebApi for a ticket that a relay takes. */
export const TICKET_IDENTITY = 'hotmic';

/** The longest ticket, in bytes: what Steam has room for. In a hello each takes two digits. */
export const MAX_TICKET_BYTES = 2560;

/** The longest message from the relay: a welcome lists the whole lobby. */
export const MAX_WELCOME_BYTES = 256 * 1024;

/** Names of lobbies and participants: 1 to 64 characters, none of them a control character. */
export const LABEL = /^[^\p{Cc}]{1,64}$/u;

const label = z.string().check(z.regex(LABEL, 'wants 1 to 64 characters, none of them a control character'));

/** A SteamID in decimal. */
const steamId = z
  .string()
  .check(z.refine((text) => parseSteamId(text) !== null, 'wants a SteamID64 in decimal'));

/** Bytes in hexadecimal; its error never shows them. */
const ticket = z
  .string()
  .check(
    z.maxLength(2 * MAX_TICKET_BYTES, `wants at most ${2 * MAX_TICKET_BYTES} digits`),
    z.regex(/^(?:[0-9a-fA-F]{2})+$/, 'wants hexadecimal, two digits a byte'),
  );

const slot = z.int().check(z.minimum(0), z.maximum(0xffff));

const participant = z.object({ slot, steamId, name: label, speaking: z.boolean() });

/** A participant as the relay tells of it. */
export type ParticipantInfo = z.infer<typeof participant>;

/** A JSON Web Token in its compact form. */
const token = z.string().check(z.regex(TOKEN_FORM, 'wants a signed token'), z.maxLength(MAX_TOKEN_CHARS));

const hello = z.object({
  type: z.literal('hello'),
  /** The protocol versions that the client speaks, best first. */
  versions: z.array(z.int()).check(z.minLength(1), z.maxLength(16)),
  lobby: label,
  steamId,
  name: label,
  /** Shows that the SteamID is the client's. Secret: it goes into no log and no error. */
  ticket: z.optional(ticket),
  /** What the game's backend grants. As secret. With a token a ticket is not looked at. */
  token: z.optional(token),
});

const clientMessage = z.discriminatedUnion('type', [hello, z.object({ type: z.literal('leave') })]);

/** What a client says. The hello comes first; it joins the lobby. */
export type ClientMessage = z.infer<typeof clientMessage>;

const relayMessage = z.discriminatedUnion('type', [
  /** Answers the hello: who you are and who is there. */
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
    /** Everyone else in the lobby. */
    participants: z.array(participant),
  }),
  z.object({ type: z.literal('joined'), participant }),
  z.object({ type: z.literal('left'), slot }),
  z.object({ type: z.literal('speaking'), slot, speaking: z.boolean() }),
  /** The relay closes the connection behind it. */
  z.object({ type: z.literal('refused'), code: z.string(), message: z.string() }),
]);

/** What the relay says. */
export type RelayMessage = z.infer<typeof relayMessage>;

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
  | 'token-expired';

/** The WebSocket close code behind each refusal. Append only. */
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
} as const satisfies Record<RefusalCode, number>;

/** The close code that answers a leave. */
export const LEAVE_CLOSE_CODE = 1000;

/** The close code of a relay that shuts down. */
export const SHUTDOWN_CLOSE_CODE = 1001;

/** A control message that does not parse, and why. */
export interface MalformedMessage {
  readonly kind: 'malformed';
  readonly detail: string;
}

/** Reads what a client said. */
export function readClientMessage(text: string): ClientMessage | MalformedMessage {
  return read(clientMessage, text, MAX_CONTROL_BYTES);
}

/** Reads what the relay said. */
export function readRelayMessage(text: string): RelayMessage | MalformedMessage {
  return read(relayMessage, text, MAX_WELCOME_BYTES);
}

/** Writes either side's message. */
export function writeMessage(message: ClientMessage | RelayMessage): string {
  return JSON.stringify(message);
}

function read<T>(schema: z.ZodMiniType<T>, text: string, maxLength: number): T | MalformedMessage {
  if (text.length > maxLength) {
    return { kind: 'malformed', detail: `${text.length} characters, wants at most ${maxLength}` };
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'malformed', detail: 'not JSON' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const at = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  return { kind: 'malformed', detail: `${at}${issue?.message ?? 'not a message'}` };
}
