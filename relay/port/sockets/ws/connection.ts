/** One TCP connection before it is a WebSocket: at most a preamble, and one request. */

import type net from 'node:net';
import type { Duplex } from 'node:stream';
import type { Milliseconds } from '../../../../voice/units.js';
import { type HttpAnswer, MAX_PAGE_ANSWERS } from '../layer.js';
import { readProxyPreamble } from './proxy_preamble.js';

/** A plain socket, or one with TLS. */
export type Stream = Duplex & Pick<net.Socket, 'bytesRead' | 'destroySoon' | 'remoteAddress' | 'remotePort'>;

export class Connection {
  readonly peer: string;
  readonly raw: net.Socket;
  /** It has to be answered or a WebSocket by then. */
  deadline: Milliseconds;
  /** The address that a PROXY protocol preamble names; empty without one. */
  proxiedPeer = '';
  state: 'open' | 'answered' | 'websocket' = 'open';
  #pageAnswers = 0;
  #page: 'sent' | 'sending' = 'sent';

  constructor(raw: net.Socket, peer: string, deadline: Milliseconds) {
    this.raw = raw;
    this.peer = peer;
    this.deadline = deadline;
  }

  /** Skips a PROXY protocol preamble, if one comes. `then` is called when the request may be read, and not if the connection ends before that. */
  skipPreamble(stream: Stream, then: () => void): void {
    let bytes: Buffer = Buffer.alloc(0);
    const ended = (): void => void this.raw.destroy();
    const read = (): void => {
      const chunk = stream.read() as Buffer | null;
      // At the end, too.
      if (chunk === null) return;
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const preamble = readProxyPreamble(bytes);
      if (preamble.kind === 'malformed') {
        this.raw.destroy();
        return;
      }
      if (preamble.kind === 'incomplete') return;
      stream.off('readable', read);
      stream.off('end', ended);
      if (preamble.kind === 'whole') {
        this.proxiedPeer = preamble.address;
        bytes = bytes.subarray(preamble.bytes);
      }
      if (bytes.length > 0) stream.unshift(bytes);
      then();
    };
    stream.on('readable', read);
    stream.once('end', ended);
  }

  /**
   * Answers a request for the page. The connection then stays open for the next one, up to `MAX_PAGE_ANSWERS`: `onSent` is called. It is cut if it sends
   * that before it has the answer, as uWebSockets does it.
   *
   * @param next Whether the client may send another one.
   */
  answerPage(stream: Stream, answer: HttpAnswer, next: 'may' | 'never', onSent: () => void): void {
    if (this.state !== 'open') return;
    if (this.#page === 'sending') {
      this.raw.destroy();
      return;
    }
    this.#pageAnswers += 1;
    if (next === 'never' || this.#pageAnswers >= MAX_PAGE_ANSWERS) {
      this.answer(stream, answer);
      return;
    }
    this.#page = 'sending';
    stream.write(headOf(answer, []));
    stream.write(bytesOf(answer), () => {
      this.#page = 'sent';
      onSent();
    });
  }

  /** Answers its request and closes it. Later requests are not answered. */
  answer(stream: Stream, answer: HttpAnswer, method = 'GET'): void {
    if (this.state !== 'open') return;
    this.state = 'answered';
    stream.write(headOf(answer, ['Connection: close']));
    if (method !== 'HEAD') stream.write(bytesOf(answer));
    // What the other side still sends is not read.
    stream.destroySoon();
  }
}

function headOf(answer: HttpAnswer, more: readonly string[]): string {
  const { status, headers = [] } = answer;
  const lines = [
    `HTTP/1.1 ${status}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...more,
    `Content-Length: ${bytesOf(answer).length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function bytesOf({ body }: HttpAnswer): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body;
}
