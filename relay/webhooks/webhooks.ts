/**
 * Webhooks: signed HTTP requests that report events in the lobbies to the game's backend. docs/admin.md is the contract.
 *
 * Voice never waits for a receiver: events wait in a bounded queue, one per receiver.
 */

import { randomBytes } from 'node:crypto';
import { HotmicError } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { isLoopbackHost } from '../addresses/loopback.js';
import type { SecretText } from '../admission/secret_text.js';
import type { RelayEvent } from '../core/io.js';
import { AT_ONCE, type LineEvent, WEBHOOK_FATES, type WebhookFate, WebhookLine } from './line.js';
import { WEBHOOK_IO, type WebhookIo } from './post.js';
import { WebhookSecrets } from './signature.js';

/** The kind of an event that receivers get. */
export type WebhookKind = RelayEvent['kind'];

/** Every event, and whether a receiver gets it by default. Refusals are not sent by default: any stranger can cause any number of them. */
const KINDS: Readonly<Record<WebhookKind, 'by-default' | 'when-named'>> = {
  joined: 'by-default',
  away: 'by-default',
  resumed: 'by-default',
  left: 'by-default',
  'lobby-opened': 'by-default',
  'lobby-closed': 'by-default',
  moderated: 'by-default',
  refused: 'when-named',
};

export const WEBHOOK_KINDS = Object.keys(KINDS) as readonly WebhookKind[];

/** Most receivers of one relay. */
export const MAX_WEBHOOKS = 16;

/** One receiver. */
export interface WebhookOptions {
  /** `https:`, or `http:` on loopback; without a user name. Redirects are not followed. */
  readonly url: string;
  /** One secret per line, in the form that `WebhookSecrets.read` expects. */
  readonly secret: SecretText;
  /** The kinds of events to send. Default, and for an empty list: all but `refused`. */
  readonly events?: readonly string[];
  /** Webhooks sent at once, 1 to 16. Default 8. With more than one, a later one can arrive before an earlier one. */
  readonly atOnce?: number;
}

/** An event for the log. `hook` counts receivers from 1; `to` is scheme and host, because a path may be secret. */
export type WebhookEvent = LineEvent & { readonly hook: number; readonly to: string };

/** Counts of all receivers together. */
export interface WebhookCounts {
  /** Not delivered yet. */
  readonly waiting: number;
  /** Failed attempts. */
  readonly failedAttempts: number;
  readonly fates: Readonly<Record<WebhookFate, number>>;
}

interface Hook {
  readonly kinds: ReadonlySet<WebhookKind>;
  readonly secret: SecretText;
  readonly line: WebhookLine;
}

export class Webhooks {
  readonly #hooks: readonly Hook[];
  readonly #io: WebhookIo;

  /**
   * @param onEvent Must not throw.
   * @throws HotmicError ERR_HOTMIC_URL for an unusable URL; ERR_HOTMIC_FILE for a malformed secret; TypeError for an unknown
   *   event; RangeError for too many receivers or an invalid `atOnce`.
   */
  constructor(
    receivers: readonly WebhookOptions[],
    onEvent: (event: WebhookEvent) => void = () => undefined,
    io: WebhookIo = WEBHOOK_IO,
  ) {
    if (receivers.length > MAX_WEBHOOKS) {
      throw new RangeError(
        `Cannot send webhooks: ${receivers.length} receivers, expected at most ${MAX_WEBHOOKS}`,
      );
    }
    this.#io = io;
    this.#hooks = receivers.map(({ url, secret, events = [], atOnce = AT_ONCE.fallback }, index) => {
      const hook = index + 1;
      const { href, origin: to } = readUrl(url, hook);
      if (!Number.isInteger(atOnce) || atOnce < AT_ONCE.min || atOnce > AT_ONCE.max) {
        const expected = `expected ${AT_ONCE.min} to ${AT_ONCE.max}`;
        throw new RangeError(`Cannot send webhooks: atOnce of receiver ${hook} is ${atOnce}, ${expected}`);
      }
      const settings = { url: href, atOnce, stream: randomBytes(12).toString('hex') };
      const line = new WebhookLine(settings, WebhookSecrets.read(secret), io, (event) =>
        onEvent({ ...event, hook, to }),
      );
      return { kinds: kindsOf(events, hook), secret, line };
    });
  }

  /** Queues an event for the receivers that want it. Takes microseconds, sends nothing before it returns, never throws. */
  publish(event: RelayEvent): void {
    for (const { kinds, line } of this.#hooks) if (kinds.has(event.kind)) line.push(event, this.#io.unixMs());
  }

  counts(): WebhookCounts {
    const fates = Object.fromEntries(WEBHOOK_FATES.map((fate) => [fate, 0])) as Record<WebhookFate, number>;
    let waiting = 0;
    let failedAttempts = 0;
    for (const { line } of this.#hooks) {
      waiting += line.waiting;
      failedAttempts += line.failedAttempts;
      for (const fate of WEBHOOK_FATES) fates[fate] += line.fates[fate];
    }
    return { waiting, failedAttempts, fates };
  }

  /**
   * Reads the secrets again, all or none, and sends again to receivers that had answered 410.
   *
   * @throws HotmicError ERR_HOTMIC_FILE; the previous secrets stay in use.
   */
  reload(): void {
    const read = this.#hooks.map(({ line, secret }) => ({ line, secrets: WebhookSecrets.read(secret) }));
    for (const { line, secrets } of read) line.renew(secrets);
  }

  /** Sends waiting webhooks for at most `withinMs`. Events published from now on are not sent. Never rejects. */
  async close(withinMs: Milliseconds): Promise<void> {
    await Promise.all(this.#hooks.map(({ line }) => line.close(withinMs)));
  }
}

/** No message contains the URL: its path or query may be secret. */
function readUrl(text: string, hook: number): URL {
  const wrong = (why: string) =>
    new HotmicError('ERR_HOTMIC_URL', `Cannot send webhooks: the URL of receiver ${hook} ${why}`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wrong('is malformed, expected one such as https://game.example/hotmic');
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    throw wrong('is not encrypted, expected https:, or http: on loopback');
  }
  if (url.username !== '' || url.password !== '')
    throw wrong('has a user name or a password, expected neither');
  return url;
}

function kindsOf(events: readonly string[], hook: number): ReadonlySet<WebhookKind> {
  if (events.length === 0) return new Set(WEBHOOK_KINDS.filter((kind) => KINDS[kind] === 'by-default'));
  for (const event of events) {
    if (Object.hasOwn(KINDS, event)) continue;
    const expected = WEBHOOK_KINDS.join(', ');
    throw new TypeError(
      `Cannot send webhooks: receiver ${hook} has the unknown event ${JSON.stringify(event)}, expected ${expected}`,
    );
  }
  return new Set(events as readonly WebhookKind[]);
}
