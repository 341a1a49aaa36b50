/** Why a library that gives no reason cannot listen. */

import net from 'node:net';

/**
 * The port that a server of Node's can listen on, which is closed again; or the system's error.
 */
export function probe(host: string, port: number): Promise<unknown> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => {
      const got = (server.address() as net.AddressInfo).port;
      server.close(() => resolve(got));
    });
  });
}
