/**
 * The webhooks that wait for one receiver, and their sending.
 *
 * Order: they are begun in the order of their sequence, and one that failed is sent again before those behind it. With one at a time they are
 * also received in that order. With more, a later one can overtake an earlier one, by less than `MAX_AHEAD`; `sequence` gives the order. A
 * missing number is a webhook that was lost.
 *
 * When the receiver fails, it is left alone for longer and longer, whatever waits: pauses belong to the receiver and not to the webhook.
 */

import type { Milliseconds } from '../../voice/units.js';
import { type PostOutcome, post, type WebhookRim } from './post.js';
import type { WebhookSecrets } from './signature.js';

export interface LineSettings {
  readonly url: string;
  /** Sent at once, as `AT_ONCE` bounds it. */
  readonly atOnce: number;
  /** Names this line in this life of the relay; without a full stop. */
  readonly stream: string;
}

/** What becomes of a webhook. Append only: they are in metrics. */
export const WEBHOOK_FATES = [
  'delivered',
  /** Too many waited: the oldest went. */
  'dropped',
  /** It failed too often, or for too long. */
  'given-up',
  /** The receiver did not want this one. */
  'rejected',
  /** The receiver wants no more, or the relay ended before it was sent. */
  'unsent',
] as const;

export type WebhookFate = (typeof WEBHOOK_FATES)[number];

export type LineEvent =
  | { readonly kind: 'webhook-failing'; readonly detail: string }
  | { readonly kind: 'webhook-working' }
  /** Some were lost; told once for each spell of it. */
  | { readonly kind: 'webhook-lost'; readonly fate: WebhookFate; readonly webhooks: number }
  /** It answered 410: it gets nothing more until the secrets are read anew, or the relay is started again. */
  | { readonly kind: 'webhook-gone' };

interface Webhook {
  readonly sequence: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly atMs: number;
  readonly queuedAt: Milliseconds;
  attempts: number;
  /** Made when it is first sent. */
  body: string | null;
}

/** Webhooks that wait. */
export const MAX_WAITING = 10_000;
/** How old one may get. */
export const MAX_AGE_MS: Milliseconds = 600_000;
export const MAX_ATTEMPTS = 20;
/** Sequence numbers: a webhook is not begun while one with a number lower by this much is neither delivered nor lost. */
export const MAX_AHEAD = 1000;
/** Sent at once to one receiver. */
export const AT_ONCE = { fallback: 8, min: 1, max: 16 } as const;
/** The first pause; each next one is twice as long, and each is cut by up to a half. */
const PAUSE_MS: Milliseconds = 1000;
const MAX_PAUSE_MS: Milliseconds = 60_000;

export class WebhookLine {
  readonly #settings: LineSettings;
  readonly #rim: WebhookRim;
  readonly #onEvent: (event: LineEvent) => void;
  #secrets: WebhookSecrets;
  /** By sequence, the oldest first. */
  readonly #waiting = new Map<number, Webhook>();
  /** Those that failed and are due again, at most `atOnce`. */
  readonly #again: Webhook[] = [];
  readonly #underWay = new Map<Webhook, AbortController>();
  readonly #fates = Object.fromEntries(WEBHOOK_FATES.map((fate) => [fate, 0])) as Record<WebhookFate, number>;
  #sequence = 0;
  #failures = 0;
  #failedAttempts = 0;
  #notBefore: Milliseconds = Number.NEGATIVE_INFINITY;
  #cancelPump: (() => void) | null = null;
  #state: 'open' | 'gone' | 'closing' | 'closed' = 'open';
  #isLosing = false;
  #onEmpty: (() => void) | null = null;

  constructor(
    settings: LineSettings,
    secrets: WebhookSecrets,
    rim: WebhookRim,
    onEvent: (event: LineEvent) => void,
  ) {
    this.#settings = settings;
    this.#secrets = secrets;
    this.#rim = rim;
    this.#onEvent = onEvent;
  }

  get waiting(): number {
    return this.#waiting.size + this.#again.length + this.#underWay.size;
  }

  get failedAttempts(): number {
    return this.#failedAttempts;
  }

  get fates(): Readonly<Record<WebhookFate, number>> {
    return this.#fates;
  }

  /** Takes one to send. Sends nothing before it returns. */
  push(fields: Readonly<Record<string, unknown>>, atMs: number): void {
    this.#sequence += 1;
    if (this.#state !== 'open') {
      this.#fates.unsent += 1;
      return;
    }
    if (this.#waiting.size >= MAX_WAITING) {
      const [oldest] = this.#waiting.keys();
      this.#waiting.delete(oldest!);
      this.#lose('dropped');
    }
    const sequence = this.#sequence;
    const queuedAt = this.#rim.now();
    this.#waiting.set(sequence, { sequence, fields, atMs, queuedAt, attempts: 0, body: null });
    this.#pumpAfter(0);
  }

  /** Signs with these from here on. A receiver that wanted nothing any more is asked again. */
  renew(secrets: WebhookSecrets): void {
    this.#secrets = secrets;
    if (this.#state !== 'gone') return;
    this.#state = 'open';
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
  }

  /** Sends what waits for at most `withinMs`; what is left then is not sent. */
  async close(withinMs: Milliseconds): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    if (this.waiting > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#rim.after(withinMs, resolve);
        this.#onEmpty = () => {
          cancel();
          resolve();
        };
      });
    }
    this.#state = 'closed';
    this.#cancelPump?.();
    const left = this.waiting;
    this.#waiting.clear();
    this.#again.length = 0;
    for (const over of this.#underWay.values()) over.abort();
    this.#underWay.clear();
    this.#loseAll(left);
  }

  #pumpAfter(ms: Milliseconds): void {
    if (this.#cancelPump) return;
    this.#cancelPump = this.#rim.after(ms, () => {
      this.#cancelPump = null;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#underWay.size < this.#settings.atOnce) {
      const next = this.#again[0] ?? this.#waiting.values().next().value;
      if (!next) break;
      const now = this.#rim.now();
      if (now < this.#notBefore) {
        this.#pumpAfter(this.#notBefore - now);
        return;
      }
      if (next.sequence - this.#oldestBegun(next) >= MAX_AHEAD) return;
      if (this.#again[0] === next) this.#again.shift();
      else this.#waiting.delete(next.sequence);
      if (now - next.queuedAt > MAX_AGE_MS) this.#lose('given-up');
      else void this.#send(next);
    }
    if (this.waiting === 0) this.#onEmpty?.();
  }

  /** The sequence of the oldest that is under way or waits to be sent again; of `next` when there is none. */
  #oldestBegun(next: Webhook): number {
    let oldest = this.#again[0]?.sequence ?? next.sequence;
    for (const { sequence } of this.#underWay.keys()) oldest = Math.min(oldest, sequence);
    return oldest;
  }

  /** Never rejects. */
  async #send(webhook: Webhook): Promise<void> {
    const over = new AbortController();
    this.#underWay.set(webhook, over);
    webhook.attempts += 1;
    const { url, stream } = this.#settings;
    const { sequence, fields, atMs } = webhook;
    const id = `msg_${stream}_${sequence}`;
    webhook.body ??= JSON.stringify({ id, at: new Date(atMs).toISOString(), stream, sequence, ...fields });
    const unixSeconds = Math.floor(this.#rim.unixMs() / 1000);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'hotmic-relay',
      ...this.#secrets.headers(id, unixSeconds, webhook.body),
    };
    const outcome = await post(url, headers, webhook.body, over.signal, this.#rim);
    // Cut by the end.
    if (!this.#underWay.delete(webhook)) return;
    this.#settle(webhook, outcome);
    this.#pump();
  }

  #settle(webhook: Webhook, outcome: PostOutcome): void {
    switch (outcome.kind) {
      case 'delivered':
        this.#fates.delivered += 1;
        this.#isLosing = false;
        this.#works();
        return;
      case 'rejected':
        this.#works();
        this.#lose('rejected');
        return;
      case 'gone':
        this.#onEvent({ kind: 'webhook-gone' });
        if (this.#state === 'open') this.#state = 'gone';
        this.#loseAll(1 + this.#waiting.size + this.#again.length);
        this.#waiting.clear();
        this.#again.length = 0;
        return;
      case 'failed':
        this.#fails(webhook, outcome.detail, outcome.retryAfterMs);
    }
  }

  #works(): void {
    if (this.#failures > 0) this.#onEvent({ kind: 'webhook-working' });
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
  }

  #fails(webhook: Webhook, detail: string, retryAfterMs: Milliseconds): void {
    const now = this.#rim.now();
    this.#failedAttempts += 1;
    if (this.#failures === 0) this.#onEvent({ kind: 'webhook-failing', detail });
    // Those that were under way together are one failure.
    if (now >= this.#notBefore) this.#failures += 1;
    const pauseMs =
      Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** (this.#failures - 1)) * (0.5 + this.#rim.random() / 2);
    this.#notBefore = Math.max(this.#notBefore, now + Math.max(pauseMs, retryAfterMs));
    const isOver = webhook.attempts >= MAX_ATTEMPTS || this.#notBefore - webhook.queuedAt > MAX_AGE_MS;
    if (this.#state === 'gone') this.#loseAll(1);
    else if (isOver) this.#lose('given-up');
    else {
      this.#again.push(webhook);
      this.#again.sort((one, other) => one.sequence - other.sequence);
    }
  }

  #lose(fate: WebhookFate): void {
    this.#fates[fate] += 1;
    if (this.#isLosing) return;
    this.#isLosing = true;
    this.#onEvent({ kind: 'webhook-lost', fate, webhooks: 1 });
  }

  #loseAll(webhooks: number): void {
    if (webhooks === 0) return;
    this.#fates.unsent += webhooks;
    this.#onEvent({ kind: 'webhook-lost', fate: 'unsent', webhooks });
  }
}
