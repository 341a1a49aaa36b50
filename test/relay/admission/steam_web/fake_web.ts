/**
 * The world of the web tickets' judge without network and clock: time moves when a test says so, and requests are answered by
 * a function.
 */

import {
  type SteamWebTicketOptions,
  SteamWebTickets,
} from '../../../../relay/admission/steam_web/tickets.js';
import type { CredentialVerdict } from '../../../../relay/core/credential.js';
import { SEED, SeededRandom } from '../../../kit/random.js';

export const KEY = '5EC2E7AA5EC2E7AA5EC2E7AA5EC2E7AA';
export const PLAYER = '76561197960287930';
export const OWNER = '76561197960287931';

/** A request as the judge made it. */
export interface SentRequest {
  readonly url: URL;
  /** When, in ms. */
  readonly at: number;
  readonly signal: AbortSignal;
}

export class FakeWeb {
  now = 0;
  readonly sent: SentRequest[] = [];
  /** Answers each request. Default: the ticket is good. */
  answer: (request: SentRequest) => Response | Promise<Response> = () => playerAnswer();
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  readonly #random = new SeededRandom(SEED);

  readonly io = {
    now: () => this.now,
    random: () => this.#random.next() / 2 ** 32,
    after: (ms: number, callback: () => void) => {
      const timer = { at: this.now + ms, callback };
      this.#timers.add(timer);
      return () => {
        this.#timers.delete(timer);
      };
    },
    fetch: async (url: string, { signal, redirect }: RequestInit): Promise<Response> => {
      if (redirect !== 'manual' || !signal) throw new Error('expected redirects to be refused, and a signal');
      const request = { url: new URL(url), at: this.now, signal };
      this.sent.push(request);
      return this.answer(request);
    },
  };

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** With a budget of requests that is never spent, unless `changed` has another. */
  tickets(changed: Partial<SteamWebTicketOptions> = {}): SteamWebTickets {
    const budget = { requestsPerSecond: 10_000, requestsPerDay: 100_000_000 };
    return new SteamWebTickets({ appId: 480, key: KEY, ...budget, ...changed }, this.io);
  }

  /** Lets time go by, timer by timer. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    await settled();
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      const [next] = due;
      if (!next) break;
      this.now = Math.max(this.now, next.at);
      for (const timer of due) {
        if (timer.at > this.now) break;
        if (this.#timers.delete(timer)) timer.callback();
      }
      await settled();
    }
    this.now = end;
  }

  /** What a judgement comes to, and how long it took; time goes by until then, a minute at most. */
  async verdictOf(judged: Promise<CredentialVerdict>): Promise<CredentialVerdict & { tookMs: number }> {
    const start = this.now;
    const done: { verdict?: CredentialVerdict; tookMs?: number } = {};
    void judged.then((verdict) => Object.assign(done, { verdict, tookMs: this.now - start }));
    await settled();
    for (let step = 0; step < 6000 && !done.verdict; step++) await this.pass(10);
    if (!done.verdict) throw new Error('no verdict within a minute');
    return { ...done.verdict, tookMs: done.tookMs! };
  }
}

/** A server that is there and says nothing. Ends, as the real `fetch` does, when it is given up. */
export function hang({ signal }: SentRequest): Promise<Response> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** What Steam says of a good ticket, with what is `changed`. */
export function playerAnswer(changed: Record<string, unknown> = {}): Response {
  const params = {
    result: 'OK',
    steamid: PLAYER,
    ownersteamid: PLAYER,
    vacbanned: false,
    publisherbanned: false,
  };
  return jsonAnswer({ response: { params: { ...params, ...changed } } });
}

export function errorAnswer(errorcode: number): Response {
  return jsonAnswer({ response: { error: { errorcode, errordesc: 'whatever Steam says' } } });
}

export function jsonAnswer(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status });
}

export function statusAnswer(status: number, headers: Record<string, string> = {}): Response {
  return new Response('<html>some page</html>', { status, headers });
}

/** A ticket unlike any other number's, in hexadecimal. */
export function ticketOf(number: number): string {
  return `14000000${number.toString(16).padStart(40, '0')}`;
}

/** Whatever runs without a timer has run. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
