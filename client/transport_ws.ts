/**
 * The transport for Node, over the npm package ws: Node 20 has no WebSocket of its own.
 */

import { type ClientOptions, WebSocket } from 'ws';
import { MAX_WELCOME_BYTES } from '../voice/control.js';
import type { OpenTransport, Transport, TransportEvents } from './transport.js';

/** Time for the connection to open, in ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Time for the relay to answer our close, in ms; then the connection is cut. */
const CLOSE_TIMEOUT_MS = 2000;

/** Without anything from the relay for this long, in ms, it is pinged. */
const QUIET_MS = 10_000;

/**
 * So long it has to answer with anything at all, in ms; then the connection is broken, whatever TCP believes. 15 s in all: half of the time
 * for which the relay keeps a place.
 */
const ANSWER_MS = 5000;

export const openWsTransport: OpenTransport = wsTransport();

/** The same with other times to be quiet, and to answer, in ms. */
export function wsTransport(quietMs: number = QUIET_MS, answerMs: number = ANSWER_MS): OpenTransport {
  return (url, events) => openSocket(url, events, quietMs, answerMs);
}

function openSocket(url: URL, events: TransportEvents, quietMs: number, answerMs: number): Transport {
  // The types do not know closeTimeout yet.
  const options: ClientOptions & { closeTimeout: number } = {
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    maxPayload: MAX_WELCOME_BYTES,
    perMessageDeflate: false,
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
    // Whoever was held up themselves reads what has come meanwhile before they judge.
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
  socket.on('error', (error) => {
    failure = error;
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
    close: () => socket.close(1000),
  };
}
