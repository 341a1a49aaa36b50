/** The input and output of the admin API as schemas: requests are parsed by them, and the OpenAPI document is made from them. */

import * as z from 'zod/mini';
import {
  LABEL,
  MAX_CHANNEL,
  MAX_CHANNELS_ENTERED,
  MAX_HEARD,
  MAX_SANCTION_S,
} from '../../../voice/control.js';
import { parseSteamId } from '../../../voice/steam_id.js';
import { type Limit, RELAY_LIMITS } from '../../core/limits.js';

/** Most entries in one answer. */
export const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;
const MAX_DRAIN_MS = 86_400_000;

export const label = z
  .string('expected a string')
  .check(z.regex(LABEL, 'expected 1 to 64 characters without control characters'));

export const steamId = z.string('expected a string').check(
  z.regex(/^[1-9][0-9]{0,19}$/, 'expected a SteamID64 in decimal'),
  z.refine((text) => parseSteamId(text) !== null, 'expected a SteamID64 in decimal'),
);

function wholeNumber(least: number, most: number) {
  const message = `expected an integer, ${least} to ${most}`;
  return z.int(message).check(z.minimum(least, message), z.maximum(most, message));
}

function within({ min, max }: Limit) {
  return wholeNumber(min, max);
}

function names(most: number) {
  return z
    .array(label, 'expected a list of names')
    .check(
      z.maxLength(most, `expected at most ${most} names`),
      z.refine((list) => new Set(list).size === list.length, 'expected each name once'),
    )
    .register(z.globalRegistry, { uniqueItems: true });
}

// Bodies.

export const empty = z.strictObject({});

export const lobbyPlan = z.strictObject({
  capacity: z.optional(within(RELAY_LIMITS.participantsPerLobby)),
  unlisted: z.optional(within(RELAY_LIMITS.unlistedPerLobby)),
  channels: z.optional(names(MAX_CHANNEL)),
});

/** A slot, or a SteamID in decimal. */
const person = z.union([wholeNumber(0, 0xffff), steamId], 'expected a SteamID64 in decimal, or a slot');

const PEOPLE = `expected a list of at most ${MAX_HEARD} people, each by a SteamID64 in decimal or by a slot`;

/** As a list of `person`, but checked in one go: a game sends hundreds of thousands of people per second. */
const people = z
  .array(z.unknown(), PEOPLE)
  .check(
    z.maxLength(MAX_HEARD, PEOPLE),
    z.refine((list) => list.every(isPerson), PEOPLE),
  )
  .register(z.globalRegistry, { items: schemaOf(person) }) as unknown as z.ZodMiniType<(string | number)[]>;

/** In the document, without the name of the dialect. */
function schemaOf(schema: z.ZodMiniType): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema);
  return rest;
}

export const hearing = z.strictObject({
  sets: z
    .array(z.strictObject({ listener: person, hears: z.nullable(people) }), 'expected a list of sets')
    .check(z.minLength(1, 'expected at least one set')),
});

function isPerson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value <= 0xffff;
  return typeof value === 'string' && parseSteamId(value) !== null;
}

export const duration = z.strictObject({ seconds: z.optional(wholeNumber(1, MAX_SANCTION_S)) });

export const move = z.strictObject({ channels: names(MAX_CHANNELS_ENTERED) });

export const drain = z.strictObject({
  withinMs: wholeNumber(0, MAX_DRAIN_MS),
  goTo: z.optional(
    z.string().check(z.regex(/^wss?:\/\/[^\s\p{Cc}]{1,2000}$/u, 'expected a ws: or wss: URL')),
  ),
});

// Queries: every value is text.

const limit = z.optional(
  z.string().check(
    z.regex(/^[1-9][0-9]{0,3}$/, `expected an integer, 1 to ${MAX_PAGE}`),
    z.refine((text) => Number(text) <= MAX_PAGE, `expected an integer, 1 to ${MAX_PAGE}`),
  ),
);

/** `after` is a lobby's name; the page begins behind it. */
export const lobbiesQuery = z.strictObject({ limit, after: z.optional(label) });

/** `after` is a SteamID. */
export const membersQuery = z.strictObject({ limit, after: z.optional(steamId) });

/** `after` is the `next` of the previous page. */
export const sanctionsQuery = z.strictObject({
  limit,
  after: z.optional(
    z.string().check(z.regex(/^[1-9][0-9]{0,19}(?: [^\p{Cc}]{1,64})?$/u, 'expected the next of a page')),
  ),
});

/** The length of a page. */
export function pageSize(text: string | undefined): number {
  return text === undefined ? DEFAULT_PAGE : Number(text);
}

// Answers.

const count = z.int().check(z.minimum(0));
const counts = z.record(z.string(), count);
const next = z.nullable(z.string());

const summary = { name: label, participants: count, unlisted: count, capacity: count, kept: z.boolean() };

export const lobbySummary = z.object(summary);

export const lobbyPage = z.object({ lobbies: z.array(lobbySummary), next });

const member = z.object({
  slot: count,
  steamId,
  name: label,
  channels: z.optional(z.array(count)),
  muted: z.optional(z.boolean()),
  deafened: z.optional(z.boolean()),
  away: z.optional(z.boolean()),
  priority: z.optional(z.boolean()),
  moderator: z.optional(z.boolean()),
  guest: z.optional(z.boolean()),
  spectator: z.optional(z.boolean()),
  unlisted: z.optional(z.boolean()),
  /** Since when they record what they hear, in seconds of unix time. */
  recordingSince: z.optional(z.int()),
  speakingTo: z.nullable(count),
  whisperTo: z.array(count),
  /** They are behind, and get no voice until they have read what was sent. */
  parked: z.boolean(),
});

export const lobbyWhole = z.object({
  ...summary,
  channels: z.array(z.object({ number: count, name: label })),
  members: z.array(member),
});

export const memberPage = z.object({ members: z.array(member), next });

const until = z.union([z.enum(['not', 'always']), count]);

export const sanctionPage = z.object({
  sanctions: z.array(
    z.object({
      lobby: z.nullable(label),
      steamId,
      muted: until,
      deafened: until,
      banned: until,
      by: z.nullable(z.union([z.literal('admin'), steamId])),
    }),
  ),
  next,
});

/** Loose: later versions add counts. */
export const relayCounts = z.looseObject({
  connections: count,
  participants: count,
  unlisted: count,
  away: count,
  lobbies: count,
  hearingSets: count,
  hearingEntries: count,
  sanctions: count,
  sanctionsByModerators: count,
  sanctionsMost: count,
  sanctionsByModeratorsMost: count,
  resumes: count,
  acknowledgements: count,
  parks: count,
  unparks: count,
  publishedFrames: count,
  publishedBytes: count,
  drops: counts,
  refusals: counts,
  failures: counts,
});

export const problem = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
});

/** Why a stream of updates ends. */
export const STREAM_ENDS = [
  'complete',
  'idle',
  'line-too-long',
  'token-refused',
  'draining',
  'closing',
] as const;

/** A line that answers an update, or the last line of a stream. */
export const updateAnswer = z.union([
  z.object({ number: count, status: z.int() }),
  z.extend(problem, { number: count }),
  z.object({
    end: z.enum(STREAM_ENDS),
    /** How many lines were answered. */
    lines: count,
  }),
]);
