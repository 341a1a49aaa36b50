/**
 * A stand-in for Steam's web API on loopback: ISteamUserAuth/AuthenticateUserTicket/v1, answering as public clients have seen it
 * answer, or misbehaving in a chosen way.
 *
 *     const api = await FakeWebApi.start(t);
 *     api.admit('14ab', { steamId: '76561197960265729' });
 *     new SteamWebTickets({ appId: 480, key: api.key, baseUrl: api.baseUrl });
 */

import http from 'node:http';
import type net from 'node:net';
import { gzipSync } from 'node:zlib';

/** What the stand-in knows of a ticket. */
export interface FakeTicket {
  readonly steamId: string;
  /** Default the same. */
  readonly ownerSteamId?: string;
  readonly vacBanned?: boolean;
  readonly publisherBanned?: boolean;
  /** Default 480. */
  readonly appId?: number;
  /** Default `hotmic`. */
  readonly identity?: string;
}

/** How it misbehaves. */
export type FakeTrouble =
  /** Never answers. */
  | 'hang'
  /** Begins to answer and never ends. */
  | 'stall'
  /** Ends the connection without an answer. */
  | 'cut'
  /** Ends it in the middle of one. */
  | 'cut-body'
  /** 200 and a page. */
  | 'page'
  /** Sends JSON for ever. */
  | 'endless'
  /** A few kB that unpack to 64 MB. */
  | 'bomb'
  /** Sends the asker elsewhere: to `/stolen` of this very server. */
  | 'redirect'
  | { readonly status: number; readonly headers?: http.OutgoingHttpHeaders; readonly body?: string };

/** What ends it, such as a test. */
interface Teardown {
  teardown(end: () => Promise<void>): void;
}

const PATH = '/ISteamUserAuth/AuthenticateUserTicket/v1/';
const BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));

export class FakeWebApi {
  /** The publisher key that it takes. */
  readonly key = '0123456789ABCDEF0123456789ABCDEF';
  readonly baseUrl: string;
  /** The queries that came, in their order. */
  readonly queries: URLSearchParams[] = [];
  /** Paths other than the method's that were asked for. */
  readonly strays: string[] = [];
  trouble: FakeTrouble | null = null;
  readonly #tickets = new Map<string, FakeTicket>();
  readonly #server: http.Server;

  private constructor(server: http.Server) {
    this.#server = server;
    this.baseUrl = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    server.on('request', (request, response) => this.#serve(request.url ?? '', response));
  }

  /** Listens on a free port of 127.0.0.1, until the test is over. */
  static async start(t: Teardown): Promise<FakeWebApi> {
    const server = http.createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const api = new FakeWebApi(server);
    t.teardown(() => api.close());
    return api;
  }

  /** From now on this ticket, in hexadecimal, is good. */
  admit(ticket: string, about: FakeTicket): void {
    this.#tickets.set(ticket.toLowerCase(), about);
  }

  /** As when a game cancels it. */
  cancel(ticket: string): void {
    this.#tickets.delete(ticket.toLowerCase());
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #serve(target: string, response: http.ServerResponse): void {
    const { pathname, searchParams } = new URL(target, this.baseUrl);
    if (pathname !== PATH) {
      this.strays.push(pathname);
      response.writeHead(404).end();
      return;
    }
    this.queries.push(searchParams);
    if (this.trouble) misbehave(this.trouble, response);
    else this.#answer(searchParams, response);
  }

  #answer(query: URLSearchParams, response: http.ServerResponse): void {
    if (query.get('key') !== this.key) {
      const page =
        '<html><body><h1>Forbidden</h1>Access is denied. Please verify your key= parameter.</body></html>';
      response.writeHead(403, { 'content-type': 'text/html' }).end(page);
      return;
    }
    const ticket = query.get('ticket') ?? '';
    const about = this.#tickets.get(ticket.toLowerCase());
    if (!/^(?:[0-9a-f]{2})+$/i.test(ticket)) {
      answerError(response, 3, 'Invalid parameter');
    } else if (!about || query.get('identity') !== (about.identity ?? 'hotmic')) {
      answerError(response, 101, 'Invalid ticket');
    } else if (query.get('appid') !== String(about.appId ?? 480)) {
      answerError(response, 102, 'Ticket for other app');
    } else {
      answerPlayer(response, about);
    }
  }
}

function answerPlayer(response: http.ServerResponse, about: FakeTicket): void {
  answerJson(response, {
    params: {
      result: 'OK',
      steamid: about.steamId,
      ownersteamid: about.ownerSteamId ?? about.steamId,
      vacbanned: about.vacBanned ?? false,
      publisherbanned: about.publisherBanned ?? false,
    },
  });
}

function misbehave(trouble: FakeTrouble, response: http.ServerResponse): void {
  switch (trouble) {
    case 'hang':
      return;
    case 'stall':
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"response":');
      return;
    case 'cut':
      response.destroy();
      return;
    case 'cut-body':
      response.writeHead(200, { 'content-length': 1000 }).write('{"response":', () => response.destroy());
      return;
    case 'page':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in to the hotel first</html>');
      return;
    case 'endless': {
      response.writeHead(200, { 'content-type': 'application/json' });
      const part = '['.repeat(16_384);
      const more = () => {
        while (!response.destroyed && response.write(part));
      };
      response.on('drain', more);
      more();
      return;
    }
    case 'bomb':
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end(BOMB);
      return;
    case 'redirect':
      response.writeHead(302, { location: '/stolen' }).end();
      return;
    default:
      response.writeHead(trouble.status, trouble.headers ?? {}).end(trouble.body ?? '');
  }
}

function answerError(response: http.ServerResponse, errorcode: number, errordesc: string): void {
  answerJson(response, { error: { errorcode, errordesc } });
}

function answerJson(response: http.ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ response: value }));
}
