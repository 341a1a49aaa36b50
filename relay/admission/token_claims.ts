/**
 * What a token says, once its signature holds: the one place where claims are checked, for who reads tokens and for who mints
 * them. docs/tokens.md has the table.
 *
 * Claims that are not ours (`iss`, `jti`) may be there. Inside `hotmic` nothing may that we do not know: a misspelled `speek:
 * false` must not grant what it was to take away.
 */

import * as z from 'zod/mini';
import { LABEL } from '../../voice/control.js';
import { parseSteamId } from '../../voice/steam_id.js';

/** How far ahead a token may expire, in seconds: 30 days. */
export const MAX_TOKEN_LIFE_S = 30 * 86_400;

/** Channels of one token. */
export const MAX_TOKEN_CHANNELS = 32;

/** What a token grants. */
export interface Grant {
  readonly lobby: string;
  /** In decimal. */
  readonly steamId: string;
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  readonly moderator: boolean;
  /** When they speak, others are to lower the rest. */
  readonly priority: boolean;
  readonly channels: readonly string[];
  /** In unix seconds. */
  readonly expiresAt: number;
}

const label = z.string().check(z.regex(LABEL, 'wants 1 to 64 characters, none of them a control character'));
const steamId = z
  .string()
  .check(z.refine((text) => parseSteamId(text) !== null, 'wants a SteamID64 in decimal'));
const unixSeconds = z.int('wants whole seconds').check(z.minimum(0, 'wants 0 or more'));

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
      z.array(label).check(z.maxLength(MAX_TOKEN_CHANNELS, `wants at most ${MAX_TOKEN_CHANNELS}`)),
      [],
    ),
  }),
});

/** The claims as they are written, all of them. */
export type TokenClaims = z.infer<typeof claims>;

/**
 * What the claims grant, or what is wrong with them: the name of the claim and what it wants, never its value.
 *
 * `aud` and the times against the clock are not looked at here, but for an `exp` that is too far ahead.
 */
export function readClaims(
  payload: unknown,
  unixSecondsNow: number,
): { readonly kind: 'grant'; readonly grant: Grant } | { readonly kind: 'wrong'; readonly wanted: string } {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    if (issue?.code === 'unrecognized_keys') return wrong('no field in hotmic but those that are known');
    // Zod's own message may quote what it got.
    const wants = /^wants /.test(issue?.message ?? '') ? issue!.message.slice(6) : kindWanted(issue);
    return wrong(`${issue?.path.join('.') || 'claims'}: ${wants}`);
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

function kindWanted(issue: z.core.$ZodIssue | undefined): string {
  return issue?.code === 'invalid_type' ? `one of type ${issue.expected}` : 'another value';
}

function wrong(wanted: string): { readonly kind: 'wrong'; readonly wanted: string } {
  return { kind: 'wrong', wanted };
}
