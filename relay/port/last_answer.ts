/**
 * TCP connections of the voice port before they are WebSockets: each is counted from when it is accepted until it is closed, and gets one
 * answer in HTTP at most, behind which it is closed.
 *
 * uWebSockets tells no more of a connection that went than that one did. What tells which is the handler for an aborted answer: set when the
 * connection is accepted, it is called when it closes, unless it was answered or became a WebSocket meanwhile.
 */

import type * as UWebSockets from 'uWebSockets.js';

/** Who counts the connections, by their peers. */
export interface ConnectionCounter {
  /** Whether one more may stay; if so it is counted until `gone`. */
  came(peer: string): 'stays' | 'goes';
  /** One that stayed is closed. */
  gone(peer: string): void;
  /** One that stayed and became a WebSocket is closed as such; its TCP connection may not be. */
  closed(peer: string): void;
}

/** What a request is answered with. */
export interface HttpAnswer {
  /** Such as `404 Not Found`. */
  readonly status: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Not in the package's types. 1 is a connection that came, -1 one that went before it was a WebSocket. */
interface FilteredApp {
  filter(handler: (response: UWebSockets.HttpResponse, change: number) => void): void;
}

/** Counts every connection of the app until it closes, is answered, or becomes a WebSocket, whose end its own handler has to tell. */
export function countConnections(app: UWebSockets.TemplatedApp, counter: ConnectionCounter): void {
  const onTcp = (response: UWebSockets.HttpResponse, change: number): void => {
    if (change !== 1) return;
    const peer = peerOf(response);
    if (counter.came(peer) === 'goes') {
      response.close();
      return;
    }
    response.onAborted(() => counter.gone(peer));
  };
  (app as unknown as FilteredApp).filter(onTcp);
}

/**
 * Answers a request and closes its connection.
 *
 * A turn later: within the turn uWebSockets would go on reading, and serve whatever else came in the same piece. While an answer is due it
 * closes a connection that asks for more, and nothing of that is served.
 */
export function answerAndClose(
  response: UWebSockets.HttpResponse,
  { status, headers = [], body }: HttpAnswer,
  counter: ConnectionCounter,
): void {
  const peer = peerOf(response);
  let state: 'due' | 'gone' = 'due';
  response.onAborted(() => {
    state = 'gone';
    counter.gone(peer);
  });
  setImmediate(() => {
    if (state === 'gone') return;
    response.cork(() => {
      response.writeStatus(status);
      for (const [name, value] of headers) response.writeHeader(name, value);
      response.end(body, true);
    });
    counter.gone(peer);
  });
}

/** The other end of the connection, as text. */
export function peerOf(connection: Pick<UWebSockets.HttpResponse, 'getRemoteAddressAsText'>): string {
  return Buffer.from(connection.getRemoteAddressAsText()).toString('latin1');
}
