/** The embedded Steam's tickets, sealed as docs/tickets.md says, with the public development key. */

import { createCipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { crc32 } from './voice.js';

const SECRET = 'hotmic development: public, anyone can forge under it';
const APP_ID = 480;

const keyFor = (purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', SECRET, '', `hotmic development key: ${purpose}`, 32));
const now = () => Math.floor(Date.now() / 1000);

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, 4 * index);
  return bytes;
}

function u64(value: string): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** A web ticket for a service, in hexadecimal. */
export function webTicket(steamId: string, identity = 'hotmic'): string {
  const body = Buffer.concat([
    Buffer.from('HOTMIC-EMBEDDED\0', 'ascii'),
    u16(1),
    u64(steamId),
    u32(APP_ID, now(), now() + 3600),
    randomBytes(16),
    Buffer.from([identity.length]),
    Buffer.from(identity),
  ]);
  const seal = createHmac('sha256', keyFor('web ticket')).update(body).digest();
  return Buffer.concat([body, seal]).toString('hex');
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** An encrypted app ticket with this user data, in hexadecimal. */
export function appTicket(steamId: string, userData: Buffer): string {
  const fields = Buffer.concat([
    u32(4),
    u64(steamId),
    u32(APP_ID, 0, 0, 0, now(), now() + 21 * 86_400),
    u16(1),
    u32(0),
    u16(0),
    u16(0),
  ]);
  const ownership = Buffer.concat([u32(fields.length + 4), fields]);
  const hashAt = userData.length + ownership.length + 20 + 8;
  const lengths = u32(52, 0, userData.length, ownership.length, hashAt);
  const salted = Buffer.concat([userData, ownership, lengths, randomBytes(8)]);
  const plain = Buffer.concat([salted, createHash('sha1').update(salted).digest(), u32(2)]);
  const key = keyFor('encrypted app ticket');
  const iv = randomBytes(16);
  const first = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const rest = createCipheriv('aes-256-cbc', key, iv);
  const sealed = Buffer.concat([first.update(iv), first.final(), rest.update(plain), rest.final()]);
  return Buffer.concat([
    ...[2, crc32(plain), userData.length, hashAt].flatMap((value, index) => [
      Buffer.from([(index + 1) << 3]),
      varint(value),
    ]),
    Buffer.from([0x2a]),
    varint(sealed.length),
    sealed,
  ]).toString('hex');
}
