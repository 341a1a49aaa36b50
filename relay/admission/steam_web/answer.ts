/**
 * Steam's answer about a ticket, read within bounds. Valve documents ISteamUserAuth/AuthenticateUserTicket for
 * partners, but not the HTTP status of an error, and public clients have seen `error` beside `params` and inside it. So
 * both places are read, with every status that does not mean that the service itself fails.
 *
 * No part of an answer is quoted anywhere: only the words of the closed sets below leave this file.
 */

import * as z from 'zod/mini';
import { isPerson, parseSteamId } from '../../../voice/steam_id.js';
import type { Milliseconds } from '../../../voice/units.js';

/** The largest answer that is read, in bytes. A real one has some 200. */
export const MAX_ANSWER_BYTES = 64 * 1024;

/** The longest Retry-After that is followed. */
export const MAX_RETRY_AFTER_MS: Milliseconds = 300_000;

/** Why Steam refuses a ticket. Append only. */
export type SteamRefusal =
  /** Steam could not read it (3). */
  | 'invalid-parameter'
  /** Expired, cancelled, for another identity, of a player who is offline, or no web ticket at all (100, 101). */
  | 'invalid-ticket'
  /** (102) */
  | 'other-app'
  /** Valid, but not a person's: a game server's, for example. */
  | 'no-person'
  /** For an unknown reason. */
  | 'steam-refused';

/** What Steam knows about a ticket. Asking again gives the same answer. */
export type SteamAnswer =
  | {
      readonly kind: 'player';
      /** A person's, in decimal. */
      readonly steamId: string;
      /** The owner of the game, in decimal, when Steam names another person. */
      readonly ownerSteamId: string | null;
      readonly vacBanned: boolean;
      readonly publisherBanned: boolean;
    }
  | { readonly kind: 'refused'; readonly reason: SteamRefusal };

/** Why there is no readable answer. Append only. */
export type SteamFaultReason =
  | 'steam-down'
  | 'steam-slow'
  | 'rate-limited'
  | 'key-refused'
  | 'answer-strange';

export interface SteamFault {
  readonly kind: 'fault';
  readonly reason: SteamFaultReason;
  /** From Retry-After: when to ask again at the earliest; null without one. */
  readonly retryAfterMs: Milliseconds | null;
}

const fault = z.object({ errorcode: z.int() });

const answer = z.object({
  response: z.union([
    z.object({
      params: z.object({
        result: z.literal('OK'),
        // As text: JSON numbers cannot represent 64 bits.
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

/** Reads an answer to the end, or cancels it. Rejects only when the connection breaks while it is read. */
export async function readSteamAnswer(response: Response): Promise<SteamAnswer | SteamFault> {
  const { status } = response;
  if (status === 429) return given(response, steamFault('rate-limited', retryAfterOf(response.headers)));
  if (status >= 500 || status === 408) {
    return given(response, steamFault('steam-down', retryAfterOf(response.headers)));
  }
  // Redirects are not followed: the key would be sent along.
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

/** Null for text that is not an answer of Steam's. */
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

/** Null when it is too long. Compressed answers count decompressed. */
async function readText(response: Response): Promise<string | null> {
  if (!response.body) return '';
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body) {
    length += part.length;
    // Leaving the loop closes the connection.
    if (length > MAX_ANSWER_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Cancels an answer that is not read. */
function given(response: Response, outcome: SteamFault): SteamFault {
  response.body?.cancel().catch(() => undefined);
  return outcome;
}

/** Seconds, or a date. A date is compared with the answer's own date, so that no clock has to be right. */
function retryAfterOf(headers: Headers): Milliseconds | null {
  const text = headers.get('retry-after') ?? '';
  const ms = /^\d{1,9}$/.test(text)
    ? Number(text) * 1000
    : Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : null;
}
