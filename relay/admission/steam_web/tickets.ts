/**
 * Steam web tickets, of getAuthTicketForWebApi: Steam says who owns one, and the relay compares that with its own requirements.
 *
 * Steam's answer about a ticket is shared by all who present the same one at once, and is remembered for some seconds: a client that
 * sends one ticket a thousand times causes one request. The core enforces that a ticket is good for one join, by its
 * `onceIds`. No verdict or error contains a ticket or the key.
 */

import { TICKET_IDENTITY } from '../../../voice/control.js';
import { HotmicError } from '../../../voice/error.js';
import type { Milliseconds } from '../../../voice/units.js';
import { isLoopbackHost } from '../../addresses/loopback.js';
import type { CredentialVerdict } from '../../core/credential.js';
import { grantTo, notJudged, readModerators, sha256Of, ticketBytes, ticketRefused } from '../ticket_grant.js';
import type { SteamAnswer, SteamRefusal } from './answer.js';
import {
  type NoAnswer,
  SteamWebApi,
  type SteamWebCounts,
  type SteamWebIo,
  SYSTEM_IO,
  type Unavailable,
} from './api.js';

export type { SteamWebCounts, SteamWebIo } from './api.js';

/** The app, its key for Steam's Web API, and how often Steam may be asked. */
export interface SteamWebTicketOptions {
  /** The game's, 1 to 4294967295. */
  readonly appId: number;
  /** The publisher's web API key. White space around it is ignored. Secret. */
  readonly key: string;
  /**
   * The identity that the game passes to getAuthTicketForWebApi, 1 to 64 characters: a ticket for another one is refused. Default
   * `hotmic`.
   */
  readonly identity?: string;
  /**
   * Where Steam's web API is: `https:`, or `http:` on loopback for tests; without query. Default
   * https://partner.steam-api.com.
   */
  readonly baseUrl?: string;
  /** SteamIDs, in decimal, that moderate in every lobby; at most 10000. Default none. */
  readonly moderators?: readonly string[];
  /** What happens to players whom VAC banned from the game. Default `refuse`. Players whom the publisher banned are always refused. */
  readonly vacBanned?: 'refuse' | 'admit';
  /** How long a judgement may take, all attempts and waiting included, in ms, 400 to 60000. Default 4000: below the 5 s to the hello. */
  readonly deadlineMs?: Milliseconds;
  /** How long one request may take, in ms, 100 to half of deadlineMs. Default 1800, or that half. */
  readonly attemptMs?: Milliseconds;
  /** Questions to Steam at once, 1 to 1024. Default 32. */
  readonly atOnce?: number;
  /** Judgements that may wait for their turn, 0 to 100000. Default 512. Beyond, players are refused: `busy`. */
  readonly waiting?: number;
  /** Requests to Steam per second, whoever causes them, 1 to 10000, with a burst of five seconds' worth. Default 20. */
  readonly requestsPerSecond?: number;
  /** Requests to Steam in any 24 hours, 1 to 100000000. A restart of the relay resets the count. Default 100000. */
  readonly requestsPerDay?: number;
  /** How long Steam's answer about a ticket is remembered, in ms, 0 to 60000. Default 10000. */
  readonly rememberMs?: Milliseconds;
}

/** Why a web ticket is refused. Append only. */
export type WebTicketRefusal =
  | 'malformed'
  | 'other-steam-id'
  | 'vac-banned'
  | 'publisher-banned'
  | SteamRefusal;

/** How Steam answered when it was asked about tickets. */
export interface WebTicketCounts extends SteamWebCounts {
  /** Judgements that used the answer to another judgement's question, under way or remembered. */
  readonly shared: number;
}

/** Bounds of all requests to Steam together. */
export const STEAM_BUDGET = {
  perSecond: { fallback: 20, min: 1, max: 10_000 },
  perDay: { fallback: 100_000, min: 1, max: 100_000_000 },
} as const;

/** Default number of questions to Steam at once. */
export const STEAM_AT_ONCE = 32;

const METHOD = 'ISteamUserAuth/AuthenticateUserTicket/v1/';
const PARTNER_API = 'https://partner.steam-api.com';
/** Most remembered answers. Beyond, the oldest is forgotten. */
const MAX_REMEMBERED = 4096;
const MAX_KEY_CHARS = 128;

/** What would have been accepted, for the detail of a refusal. */
const WANTED: Readonly<Record<WebTicketRefusal, string>> = {
  malformed: 'a web ticket, in hexadecimal',
  'other-steam-id': 'one of the SteamID in the hello',
  'vac-banned': 'one of a player without a VAC ban in this game',
  'publisher-banned': 'one of a player whom the publisher has not banned from this game',
  'invalid-parameter': 'one that Steam can read: the bytes of get_ticket_for_web_api, no more and no fewer',
  'invalid-ticket':
    'a web ticket for this identity that is neither expired nor cancelled, of a player who is online',
  'other-app': 'one for this app',
  'no-person': "one of a person's account",
  'steam-refused': 'one that Steam accepts',
};

/** What would have allowed a judgement. */
const NEEDED: Readonly<Record<Unavailable, string>> = {
  'steam-down': 'a Steam web API that answers; try again',
  'steam-slow': 'a Steam web API that answers in time; try again',
  'rate-limited': 'fewer questions to Steam; try again later',
  'key-refused': 'a publisher key that Steam accepts for this app; the operator has to fix it',
  'answer-strange': "Steam's web API at the relay's base URL; the operator has to fix it",
  busy: 'fewer tickets at once; try again',
  closing: 'a relay that is not shutting down',
  'rate-budget-spent': 'fewer requests to Steam per second than the operator allows; try again',
  'daily-budget-spent': 'fewer requests to Steam in 24 hours than the operator allows; try again much later',
};

export class SteamWebTickets {
  readonly #api: SteamWebApi;
  readonly #io: SteamWebIo;
  readonly #moderators: ReadonlySet<string>;
  readonly #vacBanned: 'refuse' | 'admit';
  readonly #rememberMs: Milliseconds;
  /** By the ticket's hash; bounded by the questions that may be under way and wait. */
  readonly #underWay = new Map<string, Promise<SteamAnswer | NoAnswer>>();
  /** By the ticket's hash, the oldest first. */
  readonly #remembered = new Map<string, { readonly answer: SteamAnswer; readonly untilMs: Milliseconds }>();
  #shared = 0;

  /**
   * @throws HotmicError ERR_HOTMIC_ADMISSION for a key that cannot be one; RangeError for any other option out of range. No
   *   error quotes the key or the URL.
   */
  constructor(options: SteamWebTicketOptions, io: SteamWebIo = SYSTEM_IO) {
    const { appId, identity = TICKET_IDENTITY, baseUrl = PARTNER_API, vacBanned = 'refuse' } = options;
    const { deadlineMs = 4000, atOnce = STEAM_AT_ONCE, waiting = 512, rememberMs = 10_000 } = options;
    const { perSecond, perDay } = STEAM_BUDGET;
    const { requestsPerSecond = perSecond.fallback, requestsPerDay = perDay.fallback } = options;
    const { attemptMs = Math.min(1800, Math.floor(deadlineMs / 2)) } = options;
    checkRange('appId', appId, 1, 0xffff_ffff);
    if (typeof identity !== 'string' || !/^[^\p{Cc}]{1,64}$/u.test(identity)) {
      throw optionError('identity', 'expected 1 to 64 characters without control characters');
    }
    if (vacBanned !== 'refuse' && vacBanned !== 'admit')
      throw optionError('vacBanned', 'expected refuse or admit');
    checkRange('deadlineMs', deadlineMs, 400, 60_000);
    checkRange('attemptMs', attemptMs, 100, deadlineMs / 2);
    checkRange('atOnce', atOnce, 1, 1024);
    checkRange('waiting', waiting, 0, 100_000);
    checkRange('rememberMs', rememberMs, 0, 60_000);
    checkRange('requestsPerSecond', requestsPerSecond, perSecond.min, perSecond.max);
    checkRange('requestsPerDay', requestsPerDay, perDay.min, perDay.max);
    this.#moderators = readModerators(options.moderators ?? []);
    this.#vacBanned = vacBanned;
    this.#rememberMs = rememberMs;
    this.#io = io;
    const [url, key] = [methodUrl(baseUrl), readKey(options.key)];
    const budget = { perSecond: requestsPerSecond, perDay: requestsPerDay };
    const bounds = { deadlineMs, attemptMs, atOnce, waiting, budget };
    this.#api = new SteamWebApi({ url, key, appId, identity, ...bounds }, io);
  }

  /**
   * Judges a ticket. Never rejects, and resolves within `deadlineMs`.
   *
   * @param ticket In hexadecimal, two digits a byte.
   * @param claimedSteamId The SteamID that it has to prove, in decimal; null for any.
   */
  async judge(ticket: string, claimedSteamId: string | null): Promise<CredentialVerdict> {
    const bytes = ticketBytes(ticket);
    if (!bytes) return refused('malformed');
    const answer = await this.#answerOf(sha256Of(bytes), ticket.toLowerCase());
    if (answer.kind === 'unavailable') return notJudged(answer.reason, NEEDED[answer.reason]);
    if (answer.kind === 'refused') return refused(answer.reason);
    const { steamId, ownerSteamId, vacBanned, publisherBanned } = answer;
    if (claimedSteamId !== null && claimedSteamId !== steamId) return refused('other-steam-id');
    if (publisherBanned) return refused('publisher-banned');
    if (vacBanned && this.#vacBanned === 'refuse') return refused('vac-banned');
    const onceIds = [`w:${sha256Of(withoutPadding(bytes))}`];
    return grantTo(steamId, { onceIds, ownerSteamId }, this.#moderators);
  }

  counts(): WebTicketCounts {
    return { ...this.#api.counts(), shared: this.#shared };
  }

  /** Aborts what is under way: those judgements end at once, as `closing`. */
  close(): void {
    this.#api.close();
  }

  async #answerOf(hash: string, ticket: string): Promise<SteamAnswer | NoAnswer> {
    const remembered = this.#remembered.get(hash);
    if (remembered && this.#io.now() < remembered.untilMs) {
      this.#shared += 1;
      return remembered.answer;
    }
    const underWay = this.#underWay.get(hash);
    if (underWay) {
      this.#shared += 1;
      return underWay;
    }
    const asked = this.#api.ask(ticket);
    this.#underWay.set(hash, asked);
    try {
      const answer = await asked;
      if (answer.kind !== 'unavailable') this.#remember(hash, answer);
      return answer;
    } finally {
      this.#underWay.delete(hash);
    }
  }

  #remember(hash: string, answer: SteamAnswer): void {
    if (this.#rememberMs === 0) return;
    // Moved behind all others: the map is in the order in which answers are forgotten.
    this.#remembered.delete(hash);
    const now = this.#io.now();
    for (const [oldest, { untilMs }] of this.#remembered) {
      if (now < untilMs && this.#remembered.size < MAX_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    this.#remembered.set(hash, { answer, untilMs: now + this.#rememberMs });
  }
}

/** Some games send the whole buffer of a ticket: with zeros behind it, it is the same ticket. */
function withoutPadding(bytes: Uint8Array): Uint8Array {
  let { length } = bytes;
  while (length > 0 && bytes[length - 1] === 0) length -= 1;
  return bytes.subarray(0, length);
}

/** The method's address under a base URL. */
function methodUrl(baseUrl: string): string {
  const url = typeof baseUrl === 'string' && URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (!url) throw optionError('baseUrl', 'expected a URL such as https://partner.steam-api.com');
  const isPrivate = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname));
  if (!isPrivate) throw optionError('baseUrl', 'expected https:, because the key is sent there');
  if (url.username || url.password || url.search || url.hash) {
    throw optionError('baseUrl', 'expected no user, query or fragment');
  }
  return new URL(METHOD, url.href.endsWith('/') ? url.href : `${url.href}/`).href;
}

function readKey(key: string): string {
  const text = typeof key === 'string' ? key.trim() : '';
  if (text.length > MAX_KEY_CHARS || !/^[\x21-\x7e]+$/.test(text)) {
    throw new HotmicError(
      'ERR_HOTMIC_ADMISSION',
      `Cannot use the publisher key: expected 1 to ${MAX_KEY_CHARS} characters without spaces`,
    );
  }
  return text;
}

function checkRange(option: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw optionError(
    option,
    `is ${typeof value === 'number' ? value : typeof value}, expected ${min} to ${max}`,
  );
}

function optionError(option: string, what: string): RangeError {
  return new RangeError(`Cannot judge web tickets: ${option} ${what}`);
}

function refused(reason: WebTicketRefusal): CredentialVerdict {
  return ticketRefused(reason, WANTED[reason]);
}
