/**
 * The transport for Node, over the npm package ws: Node 20 has no built-in WebSocket.
 *
 * Bounds: 64 KiB per message in 1,024 fragments, 60 unsent pongs, 1 KiB of a refusal. HTTP redirects are not followed.
 */

import { type ClientOptions, WebSocket } from 'ws';
import { MAX_RELAY_MESSAGE_BYTES } from '../../voice/control.js';
import type { OpenTransport, Transport, TransportEvents } from './transport.js';
import { MAX_REFUSAL_BYTES, UpgradeRefusedError } from './upgrade_refusal.js';

/** Time for the connection to open, in ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Time for the relay to answer our close, in ms; after that the connection is cut. */
const CLOSE_TIMEOUT_MS = 2000;

/** If nothing arrives from the relay for this long, in ms, it is pinged. */
const QUIET_MS = 10_000;

/**
 * Time for the relay to answer the ping with anything at all, in ms. After that the connection counts as broken, whatever TCP says. With
 * `QUIET_MS` that is 15 s: half of the time for which the relay keeps a place.
 */
const ANSWER_MS = 5000;

/** Time for the text of a refusal to arrive, in ms; after that only what has arrived is used. */
const REFUSAL_TIMEOUT_MS = 2000;

/** Fragments of one message. A relay has no reason to send more than one. */
const MAX_FRAGMENTS = 1024;

export const openWsTransport: OpenTransport = wsTransport();

/** The same transport with other values for `QUIET_MS` and `ANSWER_MS`. */
export function wsTransport(quietMs: number = QUIET_MS, answerMs: number = ANSWER_MS): OpenTransport {
  return (url, events) => openSocket(url, events, quietMs, answerMs);
}

function openSocket(url: URL, events: TransportEvents, quietMs: number, answerMs: number): Transport {
  // The types of ws do not have the last three options yet.
  const options: ClientOptions & { closeTimeout: number; maxFragments: number; maxPendingAutoPongs: number } =
    {
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      closeTimeout: CLOSE_TIMEOUT_MS,
      maxPayload: MAX_RELAY_MESSAGE_BYTES,
      maxFragments: MAX_FRAGMENTS,
      maxPendingAutoPongs: 60,
      followRedirects: false,
      perMessageDeflate: false,
      finishRequest: (request) => {
        request.once('socket', (socket) => socket.once('connect', () => events.onConnected()));
        request.end();
      },
    };
  const socket = new WebSocket(url, options);
  let failure: Error | null = null;
  const breakOff = () => {
    failure = new Error(`the relay was silent for ${(quietMs + answerMs) / 1000} s`);
    socket.terminate();
  };
  let quiet: NodeJS.Timeout | undefined;
  let answer: NodeJS.Timeout | undefined;
  let judging: NodeJS.Immediate | undefined;
  const ask = () => {
    socket.ping();
    // If this process was blocked, read what has arrived before deciding that the relay is silent.
    answer = setTimeout(() => {
      judging = setImmediate(breakOff);
    }, answerMs);
  };
  const stopAsking = () => {
    clearTimeout(answer);
    clearImmediate(judging);
  };
  /** A sign of life. */
  const hear = () => {
    stopAsking();
    quiet?.refresh();
  };
  socket.on('ping', hear);
  socket.on('pong', hear);
  socket.on('open', () => {
    quiet = setTimeout(ask, quietMs);
    events.onOpen();
  });
  socket.on('unexpected-response', (_request, response: HttpAnswer) => {
    readRefusal(url, response, (refusal) => {
      failure ??= refusal;
      socket.terminate();
    });
  });
  socket.on('error', (error) => {
    failure ??= error;
  });
  socket.on('close', (code, reason) => {
    stopAsking();
    clearTimeout(quiet);
    quiet = undefined;
    events.onClose(code, reason.toString(), failure);
  });
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    hear();
    if (isBinary) events.onBytes(data);
    else events.onText(data.toString());
  });
  return {
    send: (data) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    watched: true,
    close: () => socket.close(1000),
  };
}

/** The parts of an HTTP response that are read. */
type HttpAnswer = NodeJS.ReadableStream & {
  readonly statusCode?: number | undefined;
  readonly statusMessage?: string | undefined;
  readonly headers: {
    readonly 'content-type'?: string | undefined;
    readonly 'retry-after'?: string | undefined;
    readonly date?: string | undefined;
  };
  destroy(): unknown;
};

/** Reads why the upgrade was refused and calls `tell` once: when the text is complete, too long or too late. */
function readRefusal(url: URL, response: HttpAnswer, tell: (why: Error) => void): void {
  const { statusCode: status = 0, statusMessage = '', headers } = response;
  if (status < 400) {
    response.destroy();
    tell(new Error(`HTTP ${status}, expected a WebSocket (HTTP 101). Is this a relay?`));
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = () => {
    clearTimeout(timer);
    response.off('end', finish).off('close', finish).off('error', finish).off('data', collect);
    response.on('error', () => undefined).destroy();
    const isText = headers['content-type'] === undefined || /^text\/plain\b/i.test(headers['content-type']);
    const body = isText ? Buffer.concat(chunks).subarray(0, MAX_REFUSAL_BYTES).toString() : '';
    const text = body.trim() === '' ? statusMessage : body;
    const { 'retry-after': retryAfter, date } = headers;
    tell(new UpgradeRefusedError(url, { status, text, retryAfter, date }));
  };
  const collect = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_REFUSAL_BYTES) finish();
  };
  const timer = setTimeout(finish, REFUSAL_TIMEOUT_MS);
  response.on('end', finish).on('close', finish).on('error', finish).on('data', collect);
}
