/**
 * What a client of Murmur sends and hears over TCP: Mumble's control protocol over TLS, with voice packets in its tunnel, as far as it is needed.
 * Written from Mumble's protocol documentation (docs/dev/network-protocol in its repository).
 */

import { once } from 'node:events';
import { connect } from 'node:tls';
import type { Line } from './wire.js';

const VERSION = 0;
const TUNNEL = 1;
const AUTHENTICATE = 2;
const SERVER_SYNC = 5;
const HEADER_BYTES = 6;
/** The type of the packet, Opus, in the top three bits; the target in the others is 0, normal speech. */
const OPUS = 4 << 5;
const VERSION_1_3_0 = (1 << 16) | (3 << 8);

/** Opens a line; resolves when the server says that we are in. All are in its root channel, and hear each other. */
export async function openMurmur(
  url: string,
  account: number,
  onFrame: (frame: Uint8Array) => void,
): Promise<Line> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  const entered = new Promise<void>((resolve) => {
    let waiting: Buffer = Buffer.alloc(0);
    socket.on('data', (data: Buffer) => {
      waiting = waiting.length > 0 ? Buffer.concat([waiting, data]) : data;
      while (waiting.length >= HEADER_BYTES) {
        const bytes = waiting.readUInt32BE(2);
        if (waiting.length < HEADER_BYTES + bytes) break;
        const type = waiting.readUInt16BE(0);
        const body = waiting.subarray(HEADER_BYTES, HEADER_BYTES + bytes);
        if (type === SERVER_SYNC) resolve();
        if (type === TUNNEL) {
          const frame = frameIn(body);
          if (frame) onFrame(frame);
        }
        waiting = waiting.subarray(HEADER_BYTES + bytes);
      }
    });
  });
  socket.write(message(VERSION, Buffer.concat([Buffer.from([1 << 3]), protobufVarint(VERSION_1_3_0)])));
  const name = Buffer.from(`player${account}`);
  // Field 1 is the name, field 5 says that we speak Opus.
  socket.write(
    message(AUTHENTICATE, Buffer.concat([Buffer.from([10, name.length]), name, Buffer.from([5 << 3, 1])])),
  );
  await entered;
  let sequence = 0;
  return {
    send(frame) {
      const head = [Buffer.from([OPUS]), mumbleVarint(sequence), mumbleVarint(frame.length)];
      sequence += 2;
      socket.write(message(TUNNEL, Buffer.concat([...head, frame])));
    },
    close: () => socket.destroy(),
  };
}

/** The sound of a packet from the server: header, session, sequence, length, sound. */
function frameIn(body: Buffer): Uint8Array | null {
  if ((body[0]! & 0xe0) !== OPUS) return null;
  const session = readMumbleVarint(body, 1);
  const sequence = readMumbleVarint(body, session.end);
  const length = readMumbleVarint(body, sequence.end);
  return body.subarray(length.end, length.end + (length.value & 0x1fff));
}

function message(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(type, 0);
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}

function protobufVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.from(bytes);
  }
}

/** Mumble's own variable length: the leading ones of the first byte say how many bytes follow. Up to 28 bits. */
function mumbleVarint(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  if (value < 0x4000) return Buffer.from([0x80 | (value >> 8), value & 0xff]);
  if (value < 0x20_0000) return Buffer.from([0xc0 | (value >> 16), (value >> 8) & 0xff, value & 0xff]);
  return Buffer.from([0xe0 | (value >> 24), (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]);
}

function readMumbleVarint(from: Buffer, at: number): { value: number; end: number } {
  const first = from[at]!;
  if (first < 0x80) return { value: first, end: at + 1 };
  if (first < 0xc0) return { value: ((first & 0x3f) << 8) | from[at + 1]!, end: at + 2 };
  if (first < 0xe0) return { value: ((first & 0x1f) << 16) | from.readUInt16BE(at + 1), end: at + 3 };
  return { value: ((first & 0x0f) << 24) | from.readUIntBE(at + 1, 3), end: at + 4 };
}
