/**
 * uWebSockets from its package to a port: loaded when it is wanted, listening on a port of its own, and a reason
 * in words where that fails.
 */

import type * as UWebSockets from 'uWebSockets.js';
import net from 'node:net';
import { listenError, missingError } from './start_error.js';

/** @throws HotmicError `ERR_HOTMIC_RELAY_MISSING` when it is not installed or does not load. */
export async function loadUWebSockets(): Promise<typeof UWebSockets> {
  try {
    // A CommonJS module: what it exports is the default of its namespace.
    const { default: uws } = (await import('uWebSockets.js')) as unknown as { default: typeof UWebSockets };
    return uws;
  } catch (thrown) {
    throw missingError(thrown, process.versions.node);
  }
}

/**
 * Has the app listen there, alone.
 *
 * @throws HotmicError `ERR_HOTMIC_PORT_IN_USE`, or `ERR_HOTMIC_LISTEN` for another reason.
 */
export async function listenAt(
  uws: typeof UWebSockets,
  app: UWebSockets.TemplatedApp,
  host: string,
  port: number,
): Promise<UWebSockets.us_listen_socket> {
  const listening = listen(uws, app, host, port);
  if (!listening) throw listenError(await whyNot(host, port), host, port);
  return listening;
}

/** Null when it cannot. uWebSockets calls back before it returns, and gives no reason. */
function listen(
  uws: typeof UWebSockets,
  app: UWebSockets.TemplatedApp,
  host: string,
  port: number,
): UWebSockets.us_listen_socket | null {
  // The package's types know neither the constant nor host and options together. Without the option,
  // uWebSockets sets SO_REUSEPORT, and a second relay on the port would silently take half of the connections.
  const { LIBUS_LISTEN_EXCLUSIVE_PORT } = uws as unknown as { LIBUS_LISTEN_EXCLUSIVE_PORT: number };
  const wide = app as unknown as {
    listen(
      host: string,
      port: number,
      options: number,
      callback: (socket: UWebSockets.us_listen_socket | false) => void,
    ): void;
  };
  let listening: UWebSockets.us_listen_socket | null = null;
  wide.listen(host, port, LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
    listening = socket || null;
  });
  return listening;
}

/** What the system has against listening there: Node's own server tells, where uWebSockets does not. */
function whyNot(host: string, port: number): Promise<unknown> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
}
