/**
 * One stream of updates: a long request of lines, each of which is carried out and answered by a line, in order, while the request goes
 * on. For backends that change something many times per second.
 *
 * Everything is bounded. A client that sends too fast, or does not read the answers, is not read until it may go on. The stream ends
 * with a line that says why: the client's request is complete, no line came for too long, a line was too long, the token was removed, or
 * the relay drains or closes.
 */

import type http from 'node:http';
import { TokenBucket } from '../../../voice/token_bucket.js';
import type { Milliseconds } from '../../../voice/units.js';
import { monotonicMs } from '../../system/clock.js';
import { Lines } from './lines.js';
import type { STREAM_ENDS } from './schemas.js';
import type { UpdateResult } from './updates.js';

export const UPDATES_MEDIA_TYPE = 'application/x-ndjson';

export interface StreamBounds {
  /** Streams at once. */
  readonly streams: number;
  /** The longest line, in bytes. */
  readonly lineBytes: number;
  /** Lines per second of one stream, and at once. More are not read until later. */
  readonly linesPerSecond: number;
  readonly lineBurst: number;
  /** How long to wait for the next line, and for a client to read its answers. */
  readonly idleMs: Milliseconds;
}

export const STREAM_BOUNDS: StreamBounds = {
  streams: 8,
  lineBytes: 65_536,
  linesPerSecond: 1000,
  lineBurst: 1000,
  idleMs: 60_000,
};

/** Voice waits while lines are carried out: after this time the stream waits for voice. */
const TURN_MS: Milliseconds = 2;
/** How long the client may still send after the last line, and then how long that line may take to reach it. */
const LINGER_MS: Milliseconds = 1000;

/** Why a stream of updates ended: the field `end` of its last line. */
export type StreamEnd = (typeof STREAM_ENDS)[number];

export interface StreamCounts {
  readonly done: number;
  readonly failed: number;
}

export interface StreamOptions {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly bounds: StreamBounds;
  /** Carries out one line. */
  readonly update: (line: Buffer) => UpdateResult;
  /** Called once. `gone`: the connection broke. */
  readonly onEnd: (why: StreamEnd | 'gone', counts: StreamCounts) => void;
}

export class UpdateStream {
  readonly #options: StreamOptions;
  readonly #lines: Lines;
  readonly #rate: TokenBucket;
  readonly #idle: NodeJS.Timeout;
  #number = 0;
  readonly #counts = { done: 0, failed: 0 };
  /** `waiting`: for the client to read, for the rate, or for voice; then `#go` is called. */
  #state: 'reading' | 'waiting' | 'ended' = 'reading';
  #isComplete = false;
  #wait: NodeJS.Timeout | NodeJS.Immediate | null = null;

  constructor(options: StreamOptions) {
    const { request, response, bounds } = options;
    this.#options = options;
    this.#lines = new Lines(bounds.lineBytes);
    this.#rate = new TokenBucket(bounds.linesPerSecond, bounds.lineBurst, monotonicMs());
    this.#idle = setTimeout(() => this.end('idle'), bounds.idleMs);
    response.writeHead(200, {
      'content-type': UPDATES_MEDIA_TYPE,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    });
    response.flushHeaders();
    request.socket.setTimeout(0);
    request.on('data', (piece: Buffer) => {
      if (this.#state === 'ended') return;
      this.#lines.push(piece);
      request.pause();
      this.#go();
    });
    request.on('end', () => {
      this.#isComplete = true;
      if (this.#state === 'reading') this.#go();
    });
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    response.on('drain', () => {
      if (this.#state === 'waiting' && !this.#wait) this.#go();
    });
    response.on('close', () => this.#over('gone'));
  }

  /** Ends it with a last line. Lines that are not answered were not carried out. */
  end(why: StreamEnd): void {
    if (this.#state === 'ended') return;
    const { request, response } = this.#options;
    this.#over(why);
    response.write(`${JSON.stringify({ end: why, lines: this.#number })}\n`);
    if (this.#isComplete) response.end();
    else linger(request, response);
  }

  /** Carries out what has arrived, as far as it may. */
  #go(): void {
    this.#wait = null;
    if (this.#state === 'ended') return;
    this.#state = 'waiting';
    const { request, response } = this.#options;
    const until = monotonicMs() + TURN_MS;
    for (;;) {
      const now = monotonicMs();
      if (now >= until) {
        this.#wait = setImmediate(() => this.#go());
        return;
      }
      if (!this.#rate.has(1, now)) {
        this.#wait = setTimeout(() => this.#go(), 1000 / this.#options.bounds.linesPerSecond);
        return;
      }
      const line = this.#lines.next();
      if (line === 'too-long') {
        this.end('line-too-long');
        return;
      }
      if (line === null && this.#isComplete) {
        const last = this.#lines.last();
        if (last.length > 0) this.#carryOut(last);
        this.end('complete');
        return;
      }
      if (line === null) {
        this.#state = 'reading';
        request.resume();
        return;
      }
      if (!this.#carryOut(line) && response.writableNeedDrain) return;
    }
  }

  /** Whether the client keeps up with the answers. An empty line is a sign of life without an answer. */
  #carryOut(line: Buffer): boolean {
    const { response, update } = this.#options;
    this.#rate.take(1);
    this.#idle.refresh();
    if (line.length === 0 || (line.length === 1 && line[0] === 0x0d)) return true;
    this.#number += 1;
    const { outcome, answer } = update(line);
    this.#counts[outcome] += 1;
    // An update may have ended the stream: a drain does.
    if (this.#isOver()) return true;
    return response.write(`${JSON.stringify({ number: this.#number, ...answer })}\n`);
  }

  #isOver(): boolean {
    return this.#state === 'ended';
  }

  #over(why: StreamEnd | 'gone'): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearTimeout(this.#idle);
    if (this.#wait) {
      clearTimeout(this.#wait as NodeJS.Timeout);
      clearImmediate(this.#wait as NodeJS.Immediate);
    }
    this.#options.onEnd(why, { ...this.#counts });
  }
}

/**
 * Closes the connection when the client has closed its side, or soon. Until then what it still sends is read and discarded: closing a
 * connection with unread bytes can take the last line from the client.
 */
function linger(request: http.IncomingMessage, response: http.ServerResponse): void {
  const { socket } = request;
  const cut = setTimeout(() => socket.destroy(), 2 * LINGER_MS);
  const close = setTimeout(() => response.end(), LINGER_MS);
  request.once('end', () => response.end());
  response.once('close', () => {
    clearTimeout(close);
    clearTimeout(cut);
  });
  request.resume();
}
