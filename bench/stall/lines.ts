/** What a client of each relay sends and hears: one lobby or topic, binary messages of any kind. */

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { WebSocket } from 'ws';
import { personSteamId } from '../../voice/steam_id.js';
import { openMurmur } from './murmur.js';
import type { Line } from './wire.js';

/** How relays are spoken to. `hotmic`: also by everything that takes its hello. */
export type Protocol = 'hotmic' | 'nats' | 'mqtt' | 'murmur';

const LOBBY = 'den';

/** Opens a line of this account, which hears the others. */
export function openLine(
  protocol: Protocol,
  url: string,
  account: number,
  token: string | null,
  onFrame: (frame: Uint8Array) => void,
): Promise<Line> {
  if (protocol === 'nats') return openNats(url, onFrame);
  if (protocol === 'mqtt') return openMqtt(url, account, onFrame);
  if (protocol === 'murmur') return openMurmur(url, account, onFrame);
  return openWebSocket(url, account, token, onFrame);
}

async function openWebSocket(
  url: string,
  account: number,
  token: string | null,
  onFrame: (frame: Uint8Array) => void,
): Promise<Line> {
  const socket = new WebSocket(url, { rejectUnauthorized: false, perMessageDeflate: false });
  await once(socket, 'open');
  const steamId = personSteamId(account).toString();
  const hello = { type: 'hello', versions: [1], lobby: LOBBY, name: `player ${account}`, steamId };
  socket.send(JSON.stringify({ ...hello, ...(token !== null && { token }) }));
  await once(socket, 'message');
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) onFrame(data);
  });
  socket.on('error', () => undefined);
  return { send: (frame) => socket.send(frame), close: () => socket.terminate() };
}

/** The client protocol of NATS, as far as it is needed. */
async function openNats(url: string, onFrame: (frame: Uint8Array) => void): Promise<Line> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  let waiting: Buffer = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    waiting = waiting.length > 0 ? Buffer.concat([waiting, data]) : data;
    for (;;) {
      const end = waiting.indexOf('\r\n');
      if (end < 0) return;
      const line = waiting.toString('latin1', 0, end);
      if (line === 'PING') socket.write('PONG\r\n');
      if (!line.startsWith('MSG ')) {
        waiting = waiting.subarray(end + 2);
        continue;
      }
      const bytes = Number(line.split(' ').at(-1));
      if (waiting.length < end + 2 + bytes + 2) return;
      onFrame(waiting.subarray(end + 2, end + 2 + bytes));
      waiting = waiting.subarray(end + 2 + bytes + 2);
    }
  });
  socket.write(`CONNECT {"verbose":false,"pedantic":false,"echo":false}\r\nSUB ${LOBBY} 1\r\n`);
  return {
    send(frame) {
      socket.cork();
      socket.write(`PUB ${LOBBY} ${frame.length}\r\n`);
      socket.write(frame);
      socket.write('\r\n');
      socket.uncork();
    },
    close: () => socket.destroy(),
  };
}

/** MQTT 3.1.1 at QoS 0, as far as it is needed. A client hears its own frames, too. */
async function openMqtt(url: string, account: number, onFrame: (frame: Uint8Array) => void): Promise<Line> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port), noDelay: true });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  let waiting: Buffer = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    waiting = waiting.length > 0 ? Buffer.concat([waiting, data]) : data;
    for (;;) {
      const read = readMqtt(waiting);
      if (!read) return;
      if (read.type === 3) onFrame(read.body.subarray(2 + read.body.readUInt16BE(0)));
      waiting = waiting.subarray(read.bytes);
    }
  });
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
  };
  // Clean session, and a keep-alive that outlasts the stall.
  const connect = Buffer.concat([text('MQTT'), Buffer.from([4, 2, 0, 120]), text(`player${account}`)]);
  socket.write(mqtt(0x10, connect));
  socket.write(mqtt(0x82, Buffer.concat([Buffer.from([0, 1]), text(LOBBY), Buffer.from([0])])));
  return {
    send: (frame) => void socket.write(mqtt(0x30, Buffer.concat([text(LOBBY), frame]))),
    close: () => socket.destroy(),
  };
}

function mqtt(first: number, body: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = body.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

function readMqtt(from: Buffer): { type: number; body: Buffer; bytes: number } | null {
  let length = 0;
  for (let at = 1; at < 5; at++) {
    if (at >= from.length) return null;
    length |= (from[at]! & 127) << (7 * (at - 1));
    if (from[at]! < 128) {
      const begin = at + 1;
      if (from.length < begin + length) return null;
      return { type: from[0]! >> 4, body: from.subarray(begin, begin + length), bytes: begin + length };
    }
  }
  return null;
}
