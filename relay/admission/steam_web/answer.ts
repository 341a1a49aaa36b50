/**
 * What Steam's web API answers about a ticket, read within bounds. ISteamUserAuth/AuthenticateUserTicket is documented by Valve
 * for partners; which status an error comes with is not, and public clients have seen `error` beside `params` and inside it. So
 * both places count, and any status that is not the service's own trouble may carry it.
 *
 * Nothing of an answer is quoted anywhere: only the words of the closed sets below leave this file.
 */

import * as z from 'zod/mini';
import { isPerson, parseSteamId } from '../../../voice/steam_id.js';
import type { Milliseconds } from '../../../voice/units.js';

/** The largest answer that is read, in bytes. A real one has some 200. */
export const MAX_ANSWER_BYTES = 64 * 1024;

/** The longest that a Retry-After is followed. */
export const MAX_RETRY_AFTER_MS: Milliseconds = 300_000;

/** Why Steam refuses a ticket. Append only. */
export type SteamRefusal =
  /** Steam could not read it (3). */
  | 'invalid-parameter'
  /** Expired, cancelled, for another identity, of a player who is offline, or no web ticket at all (100, 101). */
  | 'invalid-ticket'
  /** (102) */
  | 'other-app'
  /** It is good, and of no person: a game server's, say. */
  | 'no-person'
  /** For a reason that we do not know. */
  | 'steam-refused';

/** What Steam knows about a ticket. It does not change by asking again. */
export type SteamAnswer =
  | {
      readonly kind: 'player';
      /** A person's, in decimal. */
      readonly steamId: string;
      /** Who owns the game, in decimal, when Steam names another person. */
      readonly ownerSteamId: string | null;
      readonly vacBanned: boolean;
      readonly publisherBanned: boolean;
    }
  | { readonly kind: 'refused'; readonly reason: SteamRefusal };

/** Why Steam does not answer, or not with anything that can be read. Append only. */
export type SteamFaultReason =
  | 'steam-down'
  | 'steam-slow'
  | 'rate-limited'
  | 'key-refused'
  | 'answer-strange';

export interface SteamFault {
  readonly kind: 'fault';
  readonly reason: SteamFaultReason;
  /** Nobody is to ask before, by Retry-After; null when it was not there. */
  readonly retryAfterMs: Milliseconds | null;
}

const fault = z.object({ errorcode: z.int() });

const answer = z.object({
  response: z.union([
    z.object({
      params: z.object({
        result: z.literal('OK'),
        // As text: JSON's numbers do not hold 64 bits.
        steamid: z.string().check(z.maxLength(20)),
        ownersteamid: z.string().check(z.maxLength(20)),
        vacbanned: z.boolean(),
        publisherbanned: z.boolean(),
      }),
    }),
    z.object({ error: fault }),
    z.object({ params: z.object({ error: fault }) }),
    z.object({ params: z.object({ result: z.string() }) }),
  ]),
});

const REFUSALS: Readonly<Record<number, SteamRefusal>> = {
  3: 'invalid-parameter',
  100: 'invalid-ticket',
  101: 'invalid-ticket',
  102: 'other-app',
};

/** Reads an answer to the end, or gives it up. Rejects only when the connection breaks in its middle. */
export async function readSteamAnswer(response: Response): Promise<SteamAnswer | SteamFault> {
  const { status } = response;
  if (status === 429) return given(response, steamFault('rate-limited', retryAfterOf(response.headers)));
  if (status >= 500 || status === 408) {
    return given(response, steamFault('steam-down', retryAfterOf(response.headers)));
  }
  // Not followed: the key would go along.
  if (status !== 200 && status < 400) return given(response, steamFault('answer-strange'));
  const read = readAnswer(await readText(response));
  if (read && (status === 200 || read.kind === 'refused')) return read;
  if (status === 401 || status === 403) return steamFault('key-refused');
  if (status === 400) return { kind: 'refused', reason: 'invalid-parameter' };
  return steamFault('answer-strange');
}

export function steamFault(reason: SteamFaultReason, retryAfterMs: Milliseconds | null = null): SteamFault {
  return { kind: 'fault', reason, retryAfterMs };
}

/** Null for what is no answer of Steam's. */
function readAnswer(text: string | null): SteamAnswer | null {
  const parsed = answer.safeParse(jsonOf(text));
  if (!parsed.success) return null;
  const { response } = parsed.data;
  if ('error' in response) return refusedBy(response.error.errorcode);
  const { params } = response;
  if ('error' in params) return refusedBy(params.error.errorcode);
  if (!('steamid' in params)) return params.result === 'OK' ? null : refused('steam-refused');
  if (!isPersonText(params.steamid)) return refused('no-person');
  const { steamid: steamId, ownersteamid: owner } = params;
  const ownerSteamId = owner !== steamId && isPersonText(owner) ? owner : null;
  return {
    kind: 'player',
    steamId,
    ownerSteamId,
    vacBanned: params.vacbanned,
    publisherBanned: params.publisherbanned,
  };
}

function isPersonText(text: string): boolean {
  const steamId = parseSteamId(text);
  return steamId !== null && isPerson(steamId);
}

function refusedBy(code: number): SteamAnswer {
  return refused(Object.hasOwn(REFUSALS, code) ? REFUSALS[code]! : 'steam-refused');
}

function refused(reason: SteamRefusal): SteamAnswer {
  return { kind: 'refused', reason };
}

function jsonOf(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Null when it is too long. What `fetch` unpacks counts unpacked. */
async function readText(response: Response): Promise<string | null> {
  if (!response.body) return '';
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body) {
    length += part.length;
    // Leaving the loop ends the connection.
    if (length > MAX_ANSWER_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Lets go of an answer that is not read. */
function given(response: Response, outcome: SteamFault): SteamFault {
  response.body?.cancel().catch(() => undefined);
  return outcome;
}

/** Seconds, or a date; a date is taken against the answer's own, so that nobody's clock matters. */
function retryAfterOf(headers: Headers): Milliseconds | null {
  const text = headers.get('retry-after') ?? '';
  const ms = /^\d{1,9}$/.test(text)
    ? Number(text) * 1000
    : Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : null;
}
