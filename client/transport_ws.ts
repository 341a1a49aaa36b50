/**
 * The transport for Node, over the npm package ws: Node 20 has no WebSocket of its own.
 */

import { type ClientOptions, WebSocket } from 'ws';
import { MAX_WELCOME_BYTES } from '../voice/control.js';
import type { Transport, TransportEvents } from './transport.js';

/** Time for the connection to open, in ms. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Time for the relay to answer our close, in ms; then the connection is cut. */
const CLOSE_TIMEOUT_MS = 2000;

/** A relay pings within half a minute; one that is silent for this long, in ms, is gone, whatever TCP believes. */
const SILENCE_TIMEOUT_MS = 60_000;

export function openWsTransport(url: URL, events: TransportEvents): Transport {
  // The types do not know closeTimeout yet.
  const options: ClientOptions & { closeTimeout: number } = {
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    maxPayload: MAX_WELCOME_BYTES,
    perMessageDeflate: false,
  };
  const socket = new WebSocket(url, options);
  let failure: Error | null = null;
  // Each sign of life winds the timer up again.
  const silence = setTimeout(() => {
    failure = new Error(`the relay was silent for ${SILENCE_TIMEOUT_MS / 1000} s`);
    socket.terminate();
  }, SILENCE_TIMEOUT_MS);
  socket.on('ping', () => silence.refresh());
  socket.on('open', () => events.onOpen());
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', (code, reason) => {
    clearTimeout(silence);
    events.onClose(code, reason.toString(), failure);
  });
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    silence.refresh();
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
