/** A line to a relay that the test can cut or freeze: plain TCP, passed on both ways. */

import { once } from 'node:events';
import net from 'node:net';
import type { Test } from 'tap';

export interface Cuttable {
  /** Where to connect in place of the relay. */
  readonly url: URL;
  /** Connections that were made, so far. */
  made(): number;
  /** Breaks all connections, both ends at once. */
  cut(): void;
  /** Passes nothing on any more, and tells neither end. Connections that come later go through. */
  freeze(): void;
  /** Whoever connects from now on is cut off at once. */
  block(): void;
  unblock(): void;
  /** Whoever connects from now on comes to another relay. */
  lead(to: URL): void;
}

/** Until the test is over. */
export async function cuttable(t: Test, firstTo: URL): Promise<Cuttable> {
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
