/**
 * The relay to compare with: only uWebSockets' own publish. A client that sends a hello is subscribed to its lobby's topic, and every
 * binary message goes to everyone else there. It checks and counts nothing.
 */

import type * as UWebSockets from 'uWebSockets.js';

interface Bare {
  topic: string;
}

/** The relay's own settings, so that uWebSockets does the same work for both. */
const RELAY_SETTINGS = {
  maxPayloadLength: 8208,
  maxBackpressure: 64 * 1024,
  idleTimeout: 32,
  sendPingsAutomatically: true,
} as const;

const WELCOME = JSON.stringify({ type: 'welcome' });

/** Starts it on a free port, with TLS if `tls` is given, and returns the port. */
export async function startBare(tls: UWebSockets.AppOptions | null, host = '127.0.0.1'): Promise<number> {
  const { default: uws } = (await import('uWebSockets.js')) as unknown as { default: typeof UWebSockets };
  const app = tls ? uws.SSLApp(tls) : uws.App();
  const decoder = new TextDecoder();
  app.ws<Bare>('/', {
    compression: uws.DISABLED,
    ...RELAY_SETTINGS,
    upgrade(response, request, context) {
      response.upgrade<Bare>({ topic: '' }, request.getHeader('sec-websocket-key'), '', '', context);
    },
    message(socket, message, isBinary) {
      const data = socket.getUserData();
      if (isBinary) {
        socket.publish(data.topic, message, true);
        return;
      }
      data.topic = (JSON.parse(decoder.decode(message)) as { lobby: string }).lobby;
      socket.subscribe(data.topic);
      socket.send(WELCOME);
    },
  });
  return new Promise((resolve, reject) => {
    app.listen(host, 0, (listening) => {
      if (listening) resolve(uws.us_socket_local_port(listening));
      else reject(new Error(`Cannot start the bare relay: it cannot listen on ${host}`));
    });
  });
}
