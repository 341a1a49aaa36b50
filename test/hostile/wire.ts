/**
 * A connection that sends arbitrary bytes, one by one if need be: HTTP by hand, and WebSocket frames that no library would
 * write. What comes is read as HTTP until a 101, and as frames from then on. Pings are answered, as any client must.
 */

import { randomBytes } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';

/** How long anything may take that is to come, in ms. Longer than all of the relay's own times that are waited for. */
export const DEADLINE_MS = 120_000;

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Where to connect to. */
export interface Place {
  readonly port: number;
  /** The authority to trust, in PEM; null for a plain port. */
  readonly ca: string | null;
}

/** A frame as it is to be written; the plainest unless said otherwise. */
export interface FrameToSend {
  readonly opcode?: number;
  readonly payload?: Uint8Array | string;
  /** Default the last of its message. */
  readonly fin?: 0 | 1;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
  readonly masked?: 'masked' | 'unmasked';
  /** The length that is announced, and in which form it is written. Default that of the payload, in the shortest. */
  readonly length?: { readonly value: number | bigint; readonly form: 7 | 16 | 64 };
}

export type Incoming =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Buffer }
  | { readonly kind: 'pong'; readonly bytes: Buffer }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

/** A control message. */
// biome-ignore lint/suspicious/noExplicitAny: its fields depend on its type.
export type Message = { readonly type: string } & Readonly<Record<string, any>>;

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** How a connection ended. `code` is null when no close frame came. */
export interface Ending {
  readonly code: number | null;
  readonly reason: string;
  readonly refused: Message | null;
}

export class Wire {
  /** All that came as text, HTTP and control messages: for whoever looks for secrets. */
  readonly said: string[] = [];
  readonly #socket: net.Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #mode: 'http' | 'frames' = 'http';
  #answer: HttpAnswer | null = null;
  readonly #incoming: Incoming[] = [];
  #at = 0;
  #isGone = false;
  readonly #wake = new Set<() => void>();

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isGone = true;
      this.#endHttp();
      this.#look();
    });
  }

  /** @param from The loopback address to connect from. */
  static async connect(place: Place, from: string, options: tls.ConnectionOptions = {}): Promise<Wire> {
    const where = { host: '127.0.0.1', port: place.port, localAddress: from };
    const socket = place.ca
      ? tls.connect({ ...where, ca: place.ca, servername: 'relay.test', ...options })
      : net.connect(where);
    socket.setNoDelay(true);
    const wire = new Wire(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once(place.ca ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed before it was connected')));
    });
    return wire;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get socket(): net.Socket {
    return this.#socket;
  }

  write(bytes: Uint8Array | string): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(bytes);
  }

  /** Ends it without a word. */
  drop(): void {
    this.#socket.destroy();
  }

  /** Ends it with a reset; through TLS without a word. */
  reset(): void {
    if (this.#socket instanceof tls.TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Reads no more. */
  stall(): void {
    this.#socket.pause();
  }

  /** The HTTP answer; null when the connection ended without one. */
  async answer(): Promise<HttpAnswer | null> {
    await this.#until(() => this.#answer !== null || this.#isGone, 'HTTP answer');
    return this.#answer;
  }

  /** Asks for a WebSocket. @param lines Headers as they are to stand there, in place of or beside the usual ones. */
  async upgrade(target = '/', lines: readonly string[] = []): Promise<HttpAnswer | null> {
    this.write(upgradeRequest(target, lines));
    return this.answer();
  }

  send(message: object | string): void {
    this.frame({ payload: typeof message === 'string' ? message : JSON.stringify(message) });
  }

  sendBytes(payload: Uint8Array): void {
    this.frame({ opcode: Opcode.binary, payload });
  }

  frame(frame: FrameToSend): void {
    this.write(frameBytes(frame));
  }

  /** The next of a kind, behind all that was taken before; what is of another kind is passed over. Null when it ended without. */
  async next<K extends Incoming['kind']>(kind: K): Promise<Extract<Incoming, { kind: K }> | null> {
    let found: Incoming | null = null;
    await this.#until(() => {
      for (; this.#at < this.#incoming.length && !found; this.#at += 1) {
        const incoming = this.#incoming[this.#at]!;
        if (incoming.kind === kind) found = incoming;
      }
      return found !== null || this.#isGone;
    }, kind);
    return found as Extract<Incoming, { kind: K }> | null;
  }

  /** The next message of a type. @throws when it ends without. */
  async message(type: string): Promise<Message> {
    for (;;) {
      const next = await this.next('text');
      if (!next) throw new Error(`no ${type} came; last was ${this.said.at(-1)}`);
      const message = JSON.parse(next.text) as Message;
      if (message.type === type) return message;
    }
  }

  /** Resolves when the relay has handled all that was sent: it answers in order. False when it ended before. */
  async fence(): Promise<boolean> {
    const mark = randomBytes(8);
    this.frame({ opcode: Opcode.ping, payload: mark });
    for (;;) {
      const pong = await this.next('pong');
      if (!pong) return false;
      if (pong.bytes.equals(mark)) return true;
    }
  }

  /** Waits for the end of the connection. */
  async ended(): Promise<Ending> {
    await this.#until(() => this.#isGone, 'end');
    const close = this.#incoming.find((incoming) => incoming.kind === 'close');
    let refused: Message | null = null;
    for (const incoming of this.#incoming) {
      if (incoming.kind !== 'text') continue;
      const message = JSON.parse(incoming.text) as Message;
      if (message.type === 'refused') refused = message;
    }
    return { code: close?.code ?? null, reason: close?.reason ?? '', refused };
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        this.#wake.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#wake.delete(look);
        reject(new Error(`no ${what} in ${DEADLINE_MS} ms; last was ${this.said.at(-1)}`));
      }, DEADLINE_MS);
      this.#wake.add(look);
    });
  }

  #look(): void {
    for (const look of [...this.#wake]) look();
  }

  #take(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (this.#mode === 'http') this.#takeHttp();
    if (this.#mode === 'frames') while (this.#takeFrame());
    this.#look();
  }

  #takeHttp(): void {
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [first = '', ...lines] = this.#bytes.subarray(0, end).toString('latin1').split('\r\n');
    const status = Number(first.split(' ')[1]);
    const headers = new Map(
      lines.map((line) => {
        const [name = '', ...rest] = line.split(':');
        return [name.toLowerCase(), rest.join(':').trim()] as const;
      }),
    );
    if (status === 101) {
      this.#answer = { status, headers, body: '' };
      this.#bytes = this.#bytes.subarray(end + 4);
      this.#mode = 'frames';
      return;
    }
    const length = headers.get('content-length');
    const have = this.#bytes.length - end - 4;
    if (length === undefined || have < Number(length)) return;
    this.#finishHttp(status, headers, end);
  }

  /** Without a length, the end of the connection is the end of the answer. */
  #endHttp(): void {
    const text = this.#bytes.toString('latin1');
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
    if (this.#mode === 'frames' || this.#answer || status === undefined) return;
    const end = text.indexOf('\r\n\r\n');
    this.#finishHttp(Number(status), new Map(), end < 0 ? text.length : end);
  }

  #finishHttp(status: number, headers: ReadonlyMap<string, string>, end: number): void {
    this.said.push(this.#bytes.toString('latin1'));
    this.#answer = { status, headers, body: this.#bytes.subarray(end + 4).toString('latin1') };
    this.#bytes = Buffer.alloc(0);
  }

  #takeFrame(): boolean {
    const bytes = this.#bytes;
    if (bytes.length < 2) return false;
    const opcode = bytes[0]! & 0x0f;
    const short = bytes[1]! & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < head) return false;
    const length =
      short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (bytes.length < head + length) return false;
    const payload = Buffer.from(bytes.subarray(head, head + length));
    this.#bytes = bytes.subarray(head + length);
    if (opcode === Opcode.text) {
      const text = payload.toString();
      this.said.push(text);
      this.#incoming.push({ kind: 'text', text });
    } else if (opcode === Opcode.binary) this.#incoming.push({ kind: 'binary', bytes: payload });
    else if (opcode === Opcode.ping) this.frame({ opcode: Opcode.pong, payload });
    else if (opcode === Opcode.pong) this.#incoming.push({ kind: 'pong', bytes: payload });
    else if (opcode === Opcode.close) {
      const code = length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.#incoming.push({ kind: 'close', code, reason: payload.subarray(2).toString() });
    }
    return true;
  }
}

/** An upgrade as a client writes it, but for the lines that are given; an empty value leaves a line out. */
export function upgradeRequest(target: string, lines: readonly string[] = []): string {
  const usual = [
    'Host: relay.test',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
  ];
  const nameOf = (line: string) => line.split(':', 1)[0]!.toLowerCase();
  const given = new Set(lines.map(nameOf));
  const all = [...usual.filter((line) => !given.has(nameOf(line))), ...lines];
  return `GET ${target} HTTP/1.1\r\n${all.filter((line) => !line.endsWith(': -')).join('\r\n')}\r\n\r\n`;
}

export function frameBytes(frame: FrameToSend): Buffer {
  const { opcode = Opcode.text, payload = '', fin = 1, reserved = 0, masked = 'masked' } = frame;
  const body = Buffer.from(payload);
  const length = body.length;
  const form = frame.length?.form ?? (length < 126 ? 7 : length < 0x10000 ? 16 : 64);
  const value = BigInt(frame.length?.value ?? length);
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
  head[0] = (fin << 7) | (reserved << 4) | opcode;
  head[1] = form === 7 ? Number(value) : form === 16 ? 126 : 127;
  if (form === 16) head.writeUInt16BE(Number(value), 2);
  if (form === 64) head.writeBigUInt64BE(value, 2);
  if (masked === 'unmasked') return Buffer.concat([head, body]);
  head[1] |= 0x80;
  const mask = randomBytes(4);
  for (let at = 0; at < length; at += 1) body[at]! ^= mask[at & 3]!;
  return Buffer.concat([head, mask, body]);
}
