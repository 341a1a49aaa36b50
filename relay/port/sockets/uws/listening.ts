/** Listens on a port, and gives a readable reason when that fails. */

import type * as UWebSockets from 'uWebSockets.js';
import { listenError } from '../../start_error.js';
import { probe } from '../probe.js';

/**
 * Has the app listen: alone, or beside other apps of ours on the same port. The system
 * gives each connection to one of those that share a port, so first ask `portFor` whether another process uses it.
 *
 * @param port 0, for any free one, only with `alone`.
 * @throws HotmicError `ERR_HOTMIC_PORT_IN_USE`, or `ERR_HOTMIC_LISTEN` for another reason.
 */
export async function listenAt(
  uws: typeof UWebSockets,
  app: UWebSockets.TemplatedApp,
  host: string,
  port: number,
  how: 'alone' | 'shared',
): Promise<UWebSockets.us_listen_socket> {
  const listening = listen(uws, app, host, port, how);
  if (listening) return listening;
  const probed = how === 'alone' ? await probe(host, port) : null;
  throw listenError(typeof probed === 'number' ? null : probed, host, port);
}

/**
 * The port to share, a free one for 0. At that moment nobody uses it.
 *
 * @throws as `listenAt`.
 */
export async function portFor(host: string, port: number): Promise<number> {
  const probed = await probe(host, port);
  if (typeof probed === 'number') return probed;
  throw listenError(probed, host, port);
}

/** Null on failure. uWebSockets calls back before it returns, and gives no reason. */
function listen(
  uws: typeof UWebSockets,
  app: UWebSockets.TemplatedApp,
  host: string,
  port: number,
  how: 'alone' | 'shared',
): UWebSockets.us_listen_socket | null {
  // The package's types have neither the constants nor host and options together. By default uWebSockets sets
  // SO_REUSEPORT, and a second relay on the port would silently get half of the connections.
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
  wide.listen(host, port, how === 'alone' ? LIBUS_LISTEN_EXCLUSIVE_PORT : 0, (socket) => {
    listening = socket || null;
  });
  return listening;
}
