/** A TCP proxy in front of a relay that the test can cut or freeze. */

import { once } from 'node:events';
import net from 'node:net';
import type { Test } from 'tap';

export interface TcpProxy {
  /** Where to connect instead of to the relay. */
  readonly url: URL;
  /** The number of connections so far. */
  made(): number;
  /** Breaks all connections, both ends at once. */
  cut(): void;
  /** Stops forwarding on present connections, without telling either end. Later connections work. */
  freeze(): void;
  /** Cuts every new connection at once. */
  block(): void;
  unblock(): void;
  /** Forwards new connections to another relay. */
  lead(to: URL): void;
}

/** Ends with the test. */
export async function tcpProxy(t: Test, firstTo: URL): Promise<TcpProxy> {
  const pairs = new Set<readonly [net.Socket, net.Socket]>();
  let made = 0;
  let to = firstTo;
  let isBlocked = false;
  const server = net.createServer((near) => {
    if (isBlocked) {
      near.destroy();
      return;
    }
    made += 1;
    const far = net.connect(Number(to.port), to.hostname);
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  const cut = () => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    cut();
    server.close();
  });
  const url = new URL(firstTo);
  url.port = String((server.address() as net.AddressInfo).port);
  return {
    url,
    made: () => made,
    cut,
    freeze: () => {
      for (const [near, far] of pairs) {
        near.unpipe();
        far.unpipe();
        near.pause();
        far.pause();
      }
    },
    block: () => {
      isBlocked = true;
    },
    unblock: () => {
      isBlocked = false;
    },
    lead: (next) => {
      to = next;
    },
  };
}
