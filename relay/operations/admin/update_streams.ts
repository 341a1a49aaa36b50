/** The update streams that are open, bounded in number, and what ends all of them. */

import type http from 'node:http';
import type { HeldToken } from './access.js';
import type { AdminTarget } from './routes.js';
import { type StreamBounds, type StreamCounts, type StreamEnd, UpdateStream } from './update_stream.js';
import { update } from './updates.js';

export class UpdateStreams {
  readonly #target: AdminTarget;
  readonly #bounds: StreamBounds;
  /** Each with the token that opened it. */
  readonly #open = new Map<UpdateStream, HeldToken>();
  #isDraining = false;

  constructor(target: AdminTarget, bounds: StreamBounds) {
    this.#target = target;
    this.#bounds = bounds;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#bounds.streams;
  }

  /** Needs a free stream. `onEnd` is called once. */
  open(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    token: HeldToken,
    onEnd: (why: StreamEnd | 'gone', counts: StreamCounts) => void,
  ): void {
    const stream = new UpdateStream({
      request,
      response,
      bounds: this.#bounds,
      update: (line) => update(this.#target, line),
      onEnd: (why, counts) => {
        this.#open.delete(stream);
        onEnd(why, counts);
      },
    });
    this.#open.set(stream, token);
    if (this.#isDraining) stream.end('draining');
  }

  /** Ends the streams whose token is no longer accepted. */
  endRevoked(): void {
    for (const [stream, token] of this.#open) if (!token.isGood()) stream.end('token-refused');
  }

  /** Ends all, and those that are opened later. */
  drain(): void {
    this.#isDraining = true;
    this.#endAll('draining');
  }

  close(): void {
    this.#endAll('closing');
  }

  #endAll(why: StreamEnd): void {
    for (const stream of [...this.#open.keys()]) stream.end(why);
  }
}
