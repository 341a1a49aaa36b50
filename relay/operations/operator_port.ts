/**
 * A port of plain HTTP for operators, with bounded connections, headers and times. One request per connection. Silent or slow connections
 * cannot keep others out: connection_table.ts decides which of them are closed.
 */

import http from 'node:http';
import type net from 'node:net';
import type { Milliseconds } from '../../voice/units.js';
import { hostInUrl, readHost } from '../addresses/host.js';
import { checkPort, listenError, type PortName } from '../port/start_error.js';
import { ConnectionTable } from './connection_table.js';

export interface OperatorPortBounds {
  /** Connections at once, at least 1. */
  readonly connections: number;
  /** A request's line and headers together. */
  readonly headerBytes: number;
  /** How long a request may take to arrive, and how long a connection may be silent. */
  readonly withinMs: Milliseconds;
}

export interface OperatorPortOptions {
  /** For messages. */
  readonly name: Exclude<PortName, 'port'>;
  /** An address, or `localhost`, which means 127.0.0.1. */
  readonly host: string;
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number;
  readonly bounds: OperatorPortBounds;
  /** Answers a request, and has to close its connection. When it rejects, the connection is cut. */
  readonly serve: (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    connection: PortConnection,
  ) => Promise<void>;
}

/** The connection of a request. */
export interface PortConnection {
  /** To be called for a request with a token: its connection is then never closed to make room. */
  trust(): void;
  /** Sends 100 Continue to a client that waits for it before it sends its body. */
  goOn(): void;
  /** The request may take as long as it takes to arrive: whoever serves it limits its time. */
  takeTime(): void;
}

export interface OperatorPort {
  /** Such as `http://127.0.0.1:9464/`. */
  readonly url: string;
  /** Connections closed to make room for others, or because there was no room. */
  closedConnections(): number;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** @throws RangeError for an invalid port; HotmicError `ERR_HOTMIC_PORT_IN_USE` or `ERR_HOTMIC_LISTEN`. */
export async function openOperatorPort(options: OperatorPortOptions): Promise<OperatorPort> {
  const { name, host: wantedHost, port: wantedPort, bounds, serve } = options;
  checkPort(name, wantedPort);
  const host = readHost(wantedHost);
  const table = new ConnectionTable<net.Socket>(bounds.connections);
  /** Connections with a request: further requests on them are ignored. */
  const asked = new WeakSet<net.Socket>();
  const server = http.createServer({
    maxHeaderSize: bounds.headerBytes,
    headersTimeout: bounds.withinMs,
    // Limited below for each request: one may go on for longer.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.ceil(bounds.withinMs / 5),
  });
  server.timeout = bounds.withinMs;
  server.on('connection', (socket) => {
    socket.once('close', () => table.gone(socket));
    table.came(socket, socket.remoteAddress ?? '')?.destroy();
  });
  const onRequest = (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    goOn: () => void = () => undefined,
  ): void => {
    const { socket } = request;
    if (asked.has(socket)) return;
    asked.add(socket);
    const isLate = setTimeout(() => cutLate(request, response), bounds.withinMs);
    const takeTime = () => clearTimeout(isLate);
    request.once('end', takeTime);
    socket.once('close', takeTime);
    const connection = { trust: () => table.trust(socket), goOn, takeTime };
    serve(request, response, connection).catch(() => response.destroy());
  };
  server.on('request', (request, response) => onRequest(request, response));
  // Without these Node would ask for a body that nobody reads, or answer by itself and keep the connection.
  server.on('checkContinue', (request, response) =>
    onRequest(request, response, () => response.writeContinue()),
  );
  server.on('checkExpectation', (request, response) => onRequest(request, response));

  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: wantedPort, exclusive: true }, resolve);
    });
  } catch (thrown) {
    throw listenError(thrown, host, wantedPort, name);
  }
  // A later error, such as a failed accept, must not end the relay.
  server.on('error', () => undefined);
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://${hostInUrl(host)}:${port}/`,
    closedConnections: () => table.closed,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // The client that requested the shutdown has to get its answer.
      await new Promise((resolve) => setImmediate(resolve));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** A request has not arrived in time. */
function cutLate({ socket }: http.IncomingMessage, response: http.ServerResponse): void {
  if (!response.headersSent) socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
  socket.destroy();
}
