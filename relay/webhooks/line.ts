/**
 * The queue of webhooks for one receiver, and their delivery.
 *
 * Order: sending starts in the order of `sequence`, and a failed webhook is sent again before later ones. With one at a time they are
 * also received in that order. With more, a later one can overtake an earlier one, by less than `MAX_AHEAD`; `sequence` gives the order. A
 * gap in the sequence is a lost webhook.
 *
 * When the receiver fails, the pauses before the next attempt grow. They apply to the receiver, not to a single webhook.
 */

import type { Milliseconds } from '../../voice/units.js';
import { type PostOutcome, post, type WebhookIo } from './post.js';
import type { WebhookSecrets } from './signature.js';

export interface LineSettings {
  readonly url: string;
  /** Sent at once, as `AT_ONCE` bounds it. */
  readonly atOnce: number;
  /** Identifies this queue until the relay ends; without a full stop. */
  readonly stream: string;
}

/** The outcomes of a webhook. Append only: they are in metrics. */
export const WEBHOOK_FATES = [
  'delivered',
  /** Too many waited, and it was the oldest. */
  'dropped',
  /** It failed too often, or for too long. */
  'given-up',
  /** The receiver refused it. */
  'rejected',
  /** The receiver answered 410, or the relay ended before it was sent. */
  'unsent',
] as const;

/** What became of an event for a receiver. */
export type WebhookFate = (typeof WEBHOOK_FATES)[number];

/** What happened in a queue of webhooks. */
export type LineEvent =
  | { readonly kind: 'webhook-failing'; readonly detail: string }
  | { readonly kind: 'webhook-working' }
  /** Some were lost. Reported once until the next delivery succeeds. */
  | { readonly kind: 'webhook-lost'; readonly fate: WebhookFate; readonly webhooks: number }
  /** It answered 410: nothing more is sent until the secrets are reloaded or the relay restarts. */
  | { readonly kind: 'webhook-gone' };

interface Webhook {
  readonly sequence: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly atMs: number;
  readonly queuedAt: Milliseconds;
  attempts: number;
  /** Made for the first attempt. */
  body: string | null;
}

/** Most waiting webhooks. */
export const MAX_WAITING = 10_000;
/** Greatest age of a webhook that is still sent. */
export const MAX_AGE_MS: Milliseconds = 600_000;
export const MAX_ATTEMPTS = 20;
/** In sequence numbers: sending of a webhook does not start while one with a number lower by this much is neither delivered nor lost. */
export const MAX_AHEAD = 1000;
/** Sent at once to one receiver. */
export const AT_ONCE = { fallback: 8, min: 1, max: 16 } as const;
/** The first pause; each next one is twice as long, and each is shortened at random by up to half. */
const PAUSE_MS: Milliseconds = 1000;
const MAX_PAUSE_MS: Milliseconds = 60_000;

export class WebhookLine {
  readonly #settings: LineSettings;
  readonly #io: WebhookIo;
  readonly #onEvent: (event: LineEvent) => void;
  #secrets: WebhookSecrets;
  /** By sequence, the oldest first. */
  readonly #waiting = new Map<number, Webhook>();
  /** Failed ones that are to be sent again, at most `atOnce`. */
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
    io: WebhookIo,
    onEvent: (event: LineEvent) => void,
  ) {
    this.#settings = settings;
    this.#secrets = secrets;
    this.#io = io;
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

  /** Queues a webhook. Sends nothing before it returns. */
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
    const queuedAt = this.#io.now();
    this.#waiting.set(sequence, { sequence, fields, atMs, queuedAt, attempts: 0, body: null });
    this.#pumpAfter(0);
  }

  /** Signs with these from now on. A receiver that answered 410 gets webhooks again. */
  renew(secrets: WebhookSecrets): void {
    this.#secrets = secrets;
    if (this.#state !== 'gone') return;
    this.#state = 'open';
    this.#failures = 0;
    this.#notBefore = Number.NEGATIVE_INFINITY;
  }

  /** Sends waiting webhooks for at most `withinMs`; the rest is not sent. */
  async close(withinMs: Milliseconds): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    if (this.waiting > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#io.after(withinMs, resolve);
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
    this.#cancelPump = this.#io.after(ms, () => {
      this.#cancelPump = null;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#underWay.size < this.#settings.atOnce) {
      const next = this.#again[0] ?? this.#waiting.values().next().value;
      if (!next) break;
      const now = this.#io.now();
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

  /** The sequence of the oldest that is under way or waits to be sent again; without one, that of `next`. */
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
    const unixSeconds = Math.floor(this.#io.unixMs() / 1000);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'hotmic-relay',
      ...this.#secrets.headers(id, unixSeconds, webhook.body),
    };
    const outcome = await post(url, headers, webhook.body, over.signal, this.#io);
    // Aborted by `close`.
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
    const now = this.#io.now();
    this.#failedAttempts += 1;
    if (this.#failures === 0) this.#onEvent({ kind: 'webhook-failing', detail });
    // Failures of webhooks that were under way together count once.
    if (now >= this.#notBefore) this.#failures += 1;
    const pauseMs =
      Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** (this.#failures - 1)) * (0.5 + this.#io.random() / 2);
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
