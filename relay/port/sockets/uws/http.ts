/**
 * TCP connections of the voice port before they are WebSockets: each is counted from when it is accepted until it is closed, and gets at most
 * one HTTP answer, after which it is closed.
 *
 * uWebSockets reports that a connection closed, but not which one. The handler for an aborted answer tells which: set when the connection is
 * accepted, it is called when the connection closes, unless it was answered or became a WebSocket before that.
 */

import type * as UWebSockets from 'uWebSockets.js';
import type { HttpAnswer, SocketHandlers } from '../layer.js';

/** A body up to this is sent at once. */
const CHUNK_BYTES = 16_384;
/** The time for a long body, in ms: at a megabit per second it is twice what the longest takes. */
const WITHIN_MS = 30_000;

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
  let stop: () => void = () => undefined;
  response.onAborted(() => {
    state = 'aborted';
    stop();
    counter.release(peer);
  });
  // As bytes, for the reason in socket.ts.
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  setImmediate(() => {
    if (state === 'aborted') return;
    response.cork(() => {
      response.writeStatus(status);
      for (const [name, value] of headers) response.writeHeader(name, value);
      if (bytes.length > CHUNK_BYTES) response.writeHeader('connection', 'close');
      if (bytes.length <= CHUNK_BYTES) response.end(bytes, true);
    });
    if (bytes.length <= CHUNK_BYTES) counter.release(peer);
    else
      stop = sendInChunks(
        response,
        bytes,
        () => state,
        () => counter.release(peer),
      );
  });
}

/**
 * Sends a long body. Each chunk is sent when the one before has left this process, so that slow readers hold none of our memory; whoever is slower than
 * `WITHIN_MS` is cut.
 *
 * uWebSockets cannot close a connection behind such an answer. It says that it will be closed, and nothing more is read from it: then the library
 * closes it after ten idle seconds, if the other side has not.
 *
 * @returns What to call when the connection is gone.
 */
function sendInChunks(
  response: UWebSockets.HttpResponse,
  bytes: Uint8Array,
  state: () => 'pending' | 'aborted',
  release: () => void,
): () => void {
  const late = setTimeout(() => {
    // The handler for an aborted answer then releases it.
    if (state() === 'pending') response.close();
  }, WITHIN_MS);
  let sent = 0;
  /** Sends as much as fits. Returns whether that is all. */
  const send = (): boolean => {
    while (state() === 'pending' && sent < bytes.length) {
      const chunk = bytes.subarray(sent, sent + CHUNK_BYTES);
      sent += chunk.length;
      let hasLeft = true;
      response.cork(() => {
        hasLeft = response.write(chunk);
      });
      if (!hasLeft) return false;
    }
    clearTimeout(late);
    if (state() === 'aborted') return true;
    response.pause();
    response.cork(() => response.end());
    release();
    return true;
  };
  response.onWritable(() => send());
  send();
  return () => clearTimeout(late);
}

/** The other end of the connection, as text. */
export function peerOf(connection: Pick<UWebSockets.HttpResponse, 'getRemoteAddressAsText'>): string {
  return Buffer.from(connection.getRemoteAddressAsText()).toString('latin1');
}

/** The address that a PROXY protocol preamble names, as text; empty without one. */
export function proxiedPeerOf(response: UWebSockets.HttpResponse): string {
  return Buffer.from(response.getProxiedRemoteAddressAsText()).toString('latin1');
}
