/**
 * The ownership section, part of both Steam's session ticket and its encrypted app ticket: who owns which app.
 *
 * Layout, little-endian: u32 length (itself included), u32 version, u64 SteamID, u32 app, u32 external IP, u32 internal IP,
 * u32 flags, u32 generated, u32 expires, u16 count and u32 each licence, u16 count of DLC, each u32 app, u16 count and u32 each
 * licence, u16 reserved.
 */

import { FieldReader, FieldWriter } from './fields.js';

/** The version that Steam writes now. */
export const OWNERSHIP_VERSION = 4;

/** The longest section that is read or written, in bytes: thousands of DLC. */
const MAX_OWNERSHIP_BYTES = 16_384;

/** Times are unix seconds, addresses IPv4 in host order. */
export interface Ownership {
  readonly version: number;
  readonly steamId: bigint;
  readonly appId: number;
  readonly externalIp: number;
  readonly internalIp: number;
  readonly flags: number;
  readonly generatedAt: number;
  readonly expiresAt: number;
  /** Package ids. */
  readonly licenses: readonly number[];
  readonly dlc: readonly { readonly appId: number; readonly licenses: readonly number[] }[];
}

/** @throws RangeError for a number that does not fit its field, or a section that is too long. */
export function writeOwnership(ownership: Ownership): Uint8Array {
  const body = new FieldWriter();
  body.u32('version', ownership.version).u64('steamId', ownership.steamId).u32('appId', ownership.appId);
  body.u32('externalIp', ownership.externalIp).u32('internalIp', ownership.internalIp);
  body.u32('flags', ownership.flags);
  body.u32('generatedAt', ownership.generatedAt).u32('expiresAt', ownership.expiresAt);
  writeLicenses(body, ownership.licenses);
  body.u16('dlc.length', ownership.dlc.length);
  for (const { appId, licenses } of ownership.dlc) writeLicenses(body.u32('dlc.appId', appId), licenses);
  body.u16('reserved', 0);
  const length = 4 + body.length;
  if (length > MAX_OWNERSHIP_BYTES) {
    throw new RangeError(
      `Cannot write ticket: its ownership has ${length} bytes, expected at most ${MAX_OWNERSHIP_BYTES}`,
    );
  }
  return new FieldWriter().u32('length', length).bytes(body.finish()).finish();
}

/** Reads a section that fills `bytes` exactly; null for anything else. The reserved field is ignored. */
export function readOwnership(bytes: Uint8Array): Ownership | null {
  if (bytes.length > MAX_OWNERSHIP_BYTES) return null;
  const reader = new FieldReader(bytes);
  if (reader.u32() !== bytes.length) return null;
  const fixed = {
    version: reader.u32(),
    steamId: reader.u64(),
    appId: reader.u32(),
    externalIp: reader.u32(),
    internalIp: reader.u32(),
    flags: reader.u32(),
    generatedAt: reader.u32(),
    expiresAt: reader.u32(),
  };
  const licenses = readLicenses(reader);
  const dlc: { appId: number; licenses: number[] }[] = [];
  for (let left = reader.u16(); left > 0 && !reader.truncated; left--) {
    dlc.push({ appId: reader.u32(), licenses: readLicenses(reader) });
  }
  reader.u16();
  return reader.truncated || reader.left > 0 ? null : { ...fixed, licenses, dlc };
}

function writeLicenses(writer: FieldWriter, licenses: readonly number[]): void {
  writer.u16('licenses.length', licenses.length);
  for (const license of licenses) writer.u32('license', license);
}

function readLicenses(reader: FieldReader): number[] {
  const licenses: number[] = [];
  for (let left = reader.u16(); left > 0 && !reader.truncated; left--) licenses.push(reader.u32());
  return licenses;
}
