/** A world for webhooks in the test's hands: its clock, its timers, and a receiver that answers as it is told. */

import type { RelayEvent } from '../../../relay/core/io.js';
import type { WebhookIo } from '../../../relay/webhooks/post.js';
import { type WebhookEvent, type WebhookOptions, Webhooks } from '../../../relay/webhooks/webhooks.js';

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
export const OTHER_SECRET = 'whsec_Ym90aCBvZiB0aGVtIGFyZSB0YWtlbiBoZXJlIQ==';
export const UNIX_MS = 1_800_000_000_000;

export const secretOf = (text: string) => ({ from: 'webhook.key', read: () => text });

export function joined(n: number): RelayEvent {
  return {
    kind: 'joined',
    lobby: 'den',
    slot: n,
    steamId: String(76_561_197_960_265_728n + BigInt(n)),
    name: `n${n}`,
  };
}

/** A request as the receiver saw it. */
export interface Seen {
  readonly url: string;
  readonly at: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly body: {
    readonly id: string;
    readonly sequence: number;
    readonly slot?: number;
    readonly stream: string;
  };
}

type Answer = Response | Error | number | Promise<Response>;

export class World implements WebhookIo {
  time = 5000;
  readonly seen: Seen[] = [];
  /** What the receiver answers next; when there is nothing, `always`. */
  readonly answers: Answer[] = [];
  always: () => Answer = () => 204;
  /** Of the jitter. */
  drawn = 1;
  readonly #timers = new Map<number, { at: number; callback: () => void }>();
  #made = 0;
  underWay = 0;
  mostUnderWay = 0;

  async fetch(url: string, init: RequestInit): Promise<Response> {
    const text = String(init.body);
    const headers = init.headers as Record<string, string>;
    this.seen.push({ url, at: this.time, headers, text, body: JSON.parse(text) as Seen['body'] });
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      const answer = this.answers.shift() ?? this.always();
      if (answer instanceof Error) throw answer;
      return typeof answer === 'number' ? new Response(null, { status: answer }) : await answer;
    } finally {
      this.underWay -= 1;
    }
  }

  now(): number {
    return this.time;
  }

  unixMs(): number {
    return UNIX_MS + this.time;
  }

  random(): number {
    return this.drawn;
  }

  after(ms: number, callback: () => void): () => void {
    this.#made += 1;
    const id = this.#made;
    this.#timers.set(id, { at: this.time + ms, callback });
    return () => this.#timers.delete(id);
  }

  /** Lets time go by, each timer at its instant. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const [next] = [...this.#timers].sort(([one, a], [other, b]) => a.at - b.at || one - other);
      if (!next || next[1].at > end) break;
      this.#timers.delete(next[0]);
      this.time = Math.max(this.time, next[1].at);
      next[1].callback();
    }
    this.time = end;
    await settle();
  }
}

/** All that is due without a timer. */
export async function settle(): Promise<void> {
  for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve));
}

/** One receiver, sent one webhook at a time unless `options` differ. */
export function hooksIn(world: World, options: Partial<WebhookOptions> = {}) {
  const events: WebhookEvent[] = [];
  const webhooks = new Webhooks(
    [{ url: 'https://game.example/secret-path?key=hush', secret: secretOf(SECRET), atOnce: 1, ...options }],
    (event) => events.push(event),
    world,
  );
  return { webhooks, events };
}
