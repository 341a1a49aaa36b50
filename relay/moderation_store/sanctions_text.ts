/**
 * Mutes and bans as lines of text: a header line, then one JSON record per line. For each lobby and
 * SteamID the last line counts, and a record with nothing set removes the earlier ones.
 *
 * Lines are only appended. So a crash during a write leaves at most one incomplete last line, which is
 * ignored. Any other malformed line is a mistake, and an error: nothing is guessed.
 */

import * as z from 'zod/mini';
import { LABEL } from '../../voice/control.js';
import { parseSteamId } from '../../voice/steam_id.js';
import { BY_ADMIN, isAnything, type Sanction } from '../core/sanctions.js';

/** The header, without its line end. */
export const HEADER = '{"file":"hotmic-sanctions","version":2}';
/** The header of relays that did not record who made a sanction: read, and never written. */
const OLD_HEADER = '{"file":"hotmic-sanctions","version":1}';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const until = z.union([z.literal('not'), z.literal('always'), z.int().check(z.minimum(0))]);

const steamId = z.string().check(z.refine((text) => parseSteamId(text) !== null));

/** Strict: a rewrite must not lose fields that a newer version wrote. */
const oldRecord = z.strictObject({
  lobby: z.nullable(z.string().check(z.regex(LABEL))),
  steamId,
  muted: until,
  deafened: until,
  banned: until,
});

const by = z.nullable(z.union([z.literal(BY_ADMIN), steamId]));
const record = z.strictObject({ ...oldRecord.shape, by });

export type SanctionsText =
  | {
      readonly kind: 'read';
      /** By `sanctionKey`, also records that have ended, because the clock may be wrong. */
      readonly records: Map<string, Sanction>;
      /** The bytes of an incomplete last line; 0 without one. */
      readonly tornBytes: number;
    }
  /** `line` counts from 1. */
  | { readonly kind: 'malformed'; readonly line: number; readonly detail: string };

/** A record's line, with its line end. */
export function sanctionLine({ lobby, steamId, muted, deafened, banned, by }: Sanction): string {
  return `${JSON.stringify({ lobby, steamId, muted, deafened, banned, by })}\n`;
}

/** The key of a lobby and a SteamID. SteamIDs are digits only, so that a lobby's name cannot make another key. */
export function sanctionKey({ lobby, steamId }: Pick<Sanction, 'lobby' | 'steamId'>): string {
  return lobby === null ? steamId : `${steamId} ${lobby}`;
}

/** Reads a whole file. */
export function readSanctionsText(bytes: Uint8Array): SanctionsText {
  const records = new Map<string, Sanction>();
  let readRecord = readNew;
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    const isEnded = end >= 0;
    const text = textOf(bytes.subarray(start, isEnded ? end : bytes.length));
    if (line === 1 && text === OLD_HEADER) readRecord = readOld;
    const isWhole = line === 1 ? text === HEADER || text === OLD_HEADER : readLine(text, readRecord, records);
    if (!isWhole) {
      // Another file, named by mistake, must not be taken for a truncated one of ours.
      const isCut = line > 1 || [HEADER, OLD_HEADER].some((header) => header.startsWith(text ?? '!'));
      if (!isEnded && isCut) return { kind: 'read', records, tornBytes: bytes.length - start };
      const detail =
        line === 1 ? 'it is not a file of mutes and bans' : 'it is not a record of a mute or a ban';
      return { kind: 'malformed', line, detail };
    }
    start = isEnded ? end + 1 : bytes.length;
  }
  return { kind: 'read', records, tornBytes: 0 };
}

type ReadRecord = (json: unknown) => Sanction | null;

const readNew: ReadRecord = (json) => record.safeParse(json).data ?? null;

const readOld: ReadRecord = (json) => {
  const { data } = oldRecord.safeParse(json);
  return data ? { ...data, by: null } : null;
};

/** Whether the line is a record; if so, it replaces the earlier one. */
function readLine(text: string | null, readRecord: ReadRecord, records: Map<string, Sanction>): boolean {
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch {
    return false;
  }
  const read = readRecord(json);
  if (!read) return false;
  const key = sanctionKey(read);
  // The newest record is moved to the end, so that the order is that of the events.
  records.delete(key);
  if (isAnything(read)) records.set(key, read);
  return true;
}

/** Null for anything but UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
