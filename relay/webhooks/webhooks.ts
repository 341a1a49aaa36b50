/**
 * Webhooks: the game's backend is told what happens in the lobbies, over HTTP, signed. docs/admin.md is the contract.
 *
 * Voice never waits for a receiver: telling an event makes it wait in a bounded line, one for each receiver.
 */

import { randomBytes } from 'node:crypto';
import { HotmicError } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { isLoopbackHost } from '../addresses/loopback.js';
import type { SecretText } from '../admission/secret_text.js';
import type { RelayEvent } from '../core/io.js';
import { AT_ONCE, type LineEvent, WEBHOOK_FATES, type WebhookFate, WebhookLine } from './line.js';
import { WEBHOOK_RIM, type WebhookRim } from './post.js';
import { WebhookSecrets } from './signature.js';

export type WebhookKind = RelayEvent['kind'];

/** Every event, and whether it is told to who names none. Refusals are not: whoever connects makes as many as they like. */
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

/** Receivers of one relay. */
export const MAX_WEBHOOKS = 16;

/** One receiver. */
export interface WebhookOptions {
  /** `https:`, or `http:` on loopback; without a user's name. No redirect is followed. */
  readonly url: string;
  /** A secret a line, as `WebhookSecrets.read` has it. */
  readonly secret: SecretText;
  /** Which events, by their kinds. Default, and with none: all but `refused`. */
  readonly events?: readonly string[];
  /** How many are sent at once, 1 to 16. Default 8. With more than one, a later one can arrive before an earlier one. */
  readonly atOnce?: number;
}

/** Something to log. `hook` counts receivers from 1; `to` is scheme and host, for a path may be secret. */
export type WebhookEvent = LineEvent & { readonly hook: number; readonly to: string };

/** Of all receivers together. */
export interface WebhookCounts {
  /** Not sent yet, or not taken yet. */
  readonly waiting: number;
  /** Attempts that did not succeed. */
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
  readonly #rim: WebhookRim;

  /**
   * @param onEvent Must not throw.
   * @throws HotmicError ERR_HOTMIC_URL for a URL that is not taken; ERR_HOTMIC_FILE for a secret that is none; TypeError for an event that
   *   is not there; RangeError.
   */
  constructor(
    receivers: readonly WebhookOptions[],
    onEvent: (event: WebhookEvent) => void = () => undefined,
    rim: WebhookRim = WEBHOOK_RIM,
  ) {
    if (receivers.length > MAX_WEBHOOKS) {
      throw new RangeError(
        `Cannot send webhooks: ${receivers.length} receivers, wants at most ${MAX_WEBHOOKS}`,
      );
    }
    this.#rim = rim;
    this.#hooks = receivers.map(({ url, secret, events = [], atOnce = AT_ONCE.fallback }, index) => {
      const hook = index + 1;
      const { href, origin: to } = readUrl(url, hook);
      if (!Number.isInteger(atOnce) || atOnce < AT_ONCE.min || atOnce > AT_ONCE.max) {
        const expected = `expected ${AT_ONCE.min} to ${AT_ONCE.max}`;
        throw new RangeError(`Cannot send webhooks: atOnce of receiver ${hook} is ${atOnce}, ${expected}`);
      }
      const settings = { url: href, atOnce, stream: randomBytes(12).toString('hex') };
      const line = new WebhookLine(settings, WebhookSecrets.read(secret), rim, (event) =>
        onEvent({ ...event, hook, to }),
      );
      return { kinds: kindsOf(events, hook), secret, line };
    });
  }

  /** Has an event sent to those who want it. Takes microseconds, sends nothing before it returns, never throws. */
  publish(event: RelayEvent): void {
    for (const { kinds, line } of this.#hooks)
      if (kinds.has(event.kind)) line.push(event, this.#rim.unixMs());
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
   * Reads the secrets anew, all or none, and asks those again who wanted nothing any more.
   *
   * @throws HotmicError ERR_HOTMIC_FILE; then those from before hold on.
   */
  reload(): void {
    const read = this.#hooks.map(({ line, secret }) => ({ line, secrets: WebhookSecrets.read(secret) }));
    for (const { line, secrets } of read) line.renew(secrets);
  }

  /** Sends what waits for at most `withinMs`, and then no more. What is published from here on is not sent. Never rejects. */
  async close(withinMs: Milliseconds): Promise<void> {
    await Promise.all(this.#hooks.map(({ line }) => line.close(withinMs)));
  }
}

/** No message shows the URL: its path or query may be what keeps others out. */
function readUrl(text: string, hook: number): URL {
  const wrong = (why: string) =>
    new HotmicError('ERR_HOTMIC_URL', `Cannot send webhooks: the URL of receiver ${hook} ${why}`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wrong('is none, wants one such as https://game.example/hotmic');
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    throw wrong('is not encrypted, wants https:, or http: on loopback');
  }
  if (url.username !== '' || url.password !== '') throw wrong('has a user name or a password, wants none');
  return url;
}

function kindsOf(events: readonly string[], hook: number): ReadonlySet<WebhookKind> {
  if (events.length === 0) return new Set(WEBHOOK_KINDS.filter((kind) => KINDS[kind] === 'by-default'));
  for (const event of events) {
    if (Object.hasOwn(KINDS, event)) continue;
    const wanted = `wants ${WEBHOOK_KINDS.join(', ')}`;
    throw new TypeError(
      `Cannot send webhooks: receiver ${hook} wants ${JSON.stringify(event)}, which is no event; ${wanted}`,
    );
  }
  return new Set(events as readonly WebhookKind[]);
}
