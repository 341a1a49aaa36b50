/** Tickets for the tests: fields that are all different, and generators of any. */

import fc from 'fast-check';
import { OWNERSHIP_VERSION, type Ownership } from '../../tickets/ownership.js';
import type { SessionTicketFields } from '../../tickets/session_ticket.js';
import type { WebTicketFields } from '../../tickets/web_ticket.js';

export const PLAYER = 76561197960287930n;
export const APP = 480;
/** Unix time at which the tests' tickets are issued: 9 November 2033. */
export const NOW = 2_015_000_000;

export function ownershipOf(changed: Partial<Ownership> = {}): Ownership {
  return {
    version: OWNERSHIP_VERSION,
    steamId: PLAYER,
    appId: APP,
    externalIp: 0x01020304,
    internalIp: 0xc0a80102,
    flags: 5,
    generatedAt: NOW - 100,
    expiresAt: NOW + 1000,
    licenses: [0, 199],
    dlc: [
      { appId: 481, licenses: [7, 8] },
      { appId: 482, licenses: [] },
    ],
    ...changed,
  };
}

export function sessionFields(changed: Partial<SessionTicketFields> = {}): SessionTicketFields {
  return {
    gcToken: 0x1122334455667788n,
    steamId: PLAYER,
    issuedAt: NOW,
    externalIp: 0x7f000001,
    reserved: 9,
    connectedMs: 61_000,
    connectionCount: 3,
    ownership: ownershipOf(),
    ...changed,
  };
}

export function webFields(changed: Partial<WebTicketFields> = {}): WebTicketFields {
  return {
    steamId: PLAYER,
    appId: APP,
    identity: 'hotmic',
    issuedAt: NOW,
    expiresAt: NOW + 600,
    nonce: Uint8Array.from({ length: 16 }, (_, at) => at + 1),
    ...changed,
  };
}

export const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
export const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const licenses = fc.array(u32, { maxLength: 8 });

export const anyOwnership: fc.Arbitrary<Ownership> = fc.record({
  version: u32,
  steamId: u64,
  appId: u32,
  externalIp: u32,
  internalIp: u32,
  flags: u32,
  generatedAt: u32,
  expiresAt: u32,
  licenses,
  dlc: fc.array(fc.record({ appId: u32, licenses }), { maxLength: 8 }),
});

/** Every way to change one byte of `bytes` by one bit or by 0xff, to cut it, and to lengthen it. */
export function* mutationsOf(bytes: Uint8Array): Generator<[what: string, Uint8Array]> {
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const changed = bytes.slice();
      changed[at]! ^= mask;
      yield [`byte ${at} ^ ${mask}`, changed];
    }
    yield [`cut to ${at}`, bytes.slice(0, at)];
  }
  yield ['one byte more', Uint8Array.from([...bytes, 0])];
  yield ['128 bytes more', Uint8Array.from([...bytes, ...new Uint8Array(128)])];
}
