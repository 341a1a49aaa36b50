/**
 * TCP connections of the voice port before they are WebSockets: each is counted from when it is accepted until it is closed, and gets at most
 * one HTTP answer, after which it is closed.
 *
 * uWebSockets reports that a connection closed, but not which one. The handler for an aborted answer tells which: set when the connection is
 * accepted, it is called when the connection closes, unless it was answered or became a WebSocket before that.
 */

import type * as UWebSockets from 'uWebSockets.js';
import type { HttpAnswer, SocketHandlers } from '../layer.js';

/** Counts connections by their peers. */
type Counter = Pick<SocketHandlers<unknown>, 'admit' | 'release'>;

/** Not in the package's types. `change` is 1 for a new connection, -1 for one that closed before it was a WebSocket. */
interface FilteredApp {
  filter(handler: (response: UWebSockets.HttpResponse, change: number) => void): void;
}

/** Counts every connection of the app until it closes, is answered, or becomes a WebSocket, whose own handler has to report its end. */
export function countConnections(app: UWebSockets.TemplatedApp, counter: Counter): void {
  const onTcp = (response: UWebSockets.HttpResponse, change: number): void => {
    if (change !== 1) return;
    const peer = peerOf(response);
    if (counter.admit(peer) === 'refused') {
      response.close();
      return;
    }
    response.onAborted(() => counter.release(peer));
  };
  (app as unknown as FilteredApp).filter(onTcp);
}

/**
 * Answers a request and closes its connection.
 *
 * The answer is sent one turn later. Within the turn uWebSockets would go on reading, and serve whatever else came in the same chunk. While an
 * answer is pending it closes a connection that sends another request, and serves nothing of it.
 */
export function answerAndClose(
  response: UWebSockets.HttpResponse,
  { status, headers = [], body }: HttpAnswer,
  counter: Counter,
): void {
  const peer = peerOf(response);
  let state: 'pending' | 'aborted' = 'pending';
  response.onAborted(() => {
    state = 'aborted';
    counter.release(peer);
  });
  setImmediate(() => {
    if (state === 'aborted') return;
    response.cork(() => {
      response.writeStatus(status);
      for (const [name, value] of headers) response.writeHeader(name, value);
      // As bytes, for the reason in socket.ts.
      response.end(Buffer.from(body), true);
    });
    counter.release(peer);
  });
}

/** The other end of the connection, as text. */
export function peerOf(connection: Pick<UWebSockets.HttpResponse, 'getRemoteAddressAsText'>): string {
  return Buffer.from(connection.getRemoteAddressAsText()).toString('latin1');
}

/** The address that a PROXY protocol preamble names, as text; empty without one. */
export function proxiedPeerOf(response: UWebSockets.HttpResponse): string {
  return Buffer.from(response.getProxiedRemoteAddressAsText()).toString('latin1');
}
