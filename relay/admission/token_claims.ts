/**
 * The claims of a token whose signature is valid. Both the readers and the minters of tokens check claims here. docs/tokens.md has the
 * table.
 *
 * Other claims (`iss`, `jti`) are allowed. Inside `hotmic` unknown fields are refused: a misspelled `speek: false` must not
 * grant what it was meant to deny.
 */

import * as z from 'zod/mini';
import { LABEL } from '../../voice/control.js';
import { parseSteamId } from '../../voice/steam_id.js';

/** How far ahead a token may expire, in seconds: 30 days. */
export const MAX_TOKEN_LIFE_S = 30 * 86_400;

/** Most channels in one token. */
export const MAX_TOKEN_CHANNELS = 32;

/** What a token grants. */
export interface Grant {
  readonly lobby: string;
  /** In decimal. */
  readonly steamId: string;
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  readonly moderator: boolean;
  /** While they speak, clients lower the others. */
  readonly priority: boolean;
  readonly channels: readonly string[];
  /** In unix seconds. */
  readonly expiresAt: number;
}

/** Begins every message of ours below. */
const EXPECTED = 'expected ';

const label = z.string().check(z.regex(LABEL, 'expected 1 to 64 characters without control characters'));
const steamId = z
  .string()
  .check(z.refine((text) => parseSteamId(text) !== null, 'expected a SteamID64 in decimal'));
const unixSeconds = z.int('expected whole seconds').check(z.minimum(0, 'expected 0 or more'));

const claims = z.object({
  sub: steamId,
  exp: unixSeconds,
  nbf: z.optional(unixSeconds),
  iat: z.optional(unixSeconds),
  hotmic: z.strictObject({
    lobby: label,
    speak: z._default(z.boolean(), true),
    listen: z._default(z.boolean(), true),
    moderator: z._default(z.boolean(), false),
    priority: z._default(z.boolean(), false),
    channels: z._default(
      z.array(label).check(z.maxLength(MAX_TOKEN_CHANNELS, `expected at most ${MAX_TOKEN_CHANNELS}`)),
      [],
    ),
  }),
});

/** All claims as they are written. */
export type TokenClaims = z.infer<typeof claims>;

/**
 * What the claims grant, or what is wrong with them: the name of the claim and what was expected, never its value.
 *
 * `aud` and the times are not checked here, except for an `exp` that is too far ahead.
 */
export function readClaims(
  payload: unknown,
  unixSecondsNow: number,
): { readonly kind: 'grant'; readonly grant: Grant } | { readonly kind: 'wrong'; readonly wanted: string } {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    if (issue?.code === 'unrecognized_keys') return wrong('no unknown field in hotmic');
    // Zod's own message may quote the value.
    const isOurs = issue?.message.startsWith(EXPECTED) === true;
    const expected = isOurs ? issue.message.slice(EXPECTED.length) : kindExpected(issue);
    return wrong(`${issue?.path.join('.') || 'claims'}: ${expected}`);
  }
  const { sub, exp, hotmic } = parsed.data;
  if (exp > unixSecondsNow + MAX_TOKEN_LIFE_S) return wrong('exp: at most 30 days ahead');
  const grant: Grant = {
    lobby: hotmic.lobby,
    steamId: sub,
    maySpeak: hotmic.speak,
    mayListen: hotmic.listen,
    moderator: hotmic.moderator,
    priority: hotmic.priority,
    channels: hotmic.channels,
    expiresAt: exp,
  };
  return { kind: 'grant', grant };
}

function kindExpected(issue: z.core.$ZodIssue | undefined): string {
  return issue?.code === 'invalid_type' ? `one of type ${issue.expected}` : 'another value';
}

function wrong(wanted: string): { readonly kind: 'wrong'; readonly wanted: string } {
  return { kind: 'wrong', wanted };
}
