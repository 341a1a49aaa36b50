/**
 * The transport for browsers, over their own WebSocket. They do not say why a connection failed, and they neither ping nor show the relay's
 * pings: the session pings by messages instead.
 */

import { MAX_RELAY_MESSAGE_BYTES } from '../../voice/control.js';
import type { OpenTransport } from './transport.js';

/** The close code of a message that is too long, as RFC 6455 has it for a peer; a page may only send 1000 and 3000 to 4999. */
const TOO_LONG = 3009;

export const openBrowserTransport: OpenTransport = (url, events) => {
  const socket = new WebSocket(url.href);
  socket.binaryType = 'arraybuffer';
  let failure: Error | null = null;
  socket.onopen = () => events.onOpen();
  socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
    const length = typeof data === 'string' ? data.length : data.byteLength;
    if (length > MAX_RELAY_MESSAGE_BYTES) {
      failure ??= new Error(`a message of ${length} bytes, expected at most ${MAX_RELAY_MESSAGE_BYTES}`);
      socket.close(TOO_LONG);
    } else if (typeof data === 'string') events.onText(data);
    else events.onBytes(new Uint8Array(data));
  };
  socket.onerror = () => {
    failure ??= new Error('the browser does not say why; its console may');
  };
  socket.onclose = ({ code, reason }) => events.onClose(code, reason, failure);
  return {
    send: (data) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    close: () => socket.close(1000),
  };
};
