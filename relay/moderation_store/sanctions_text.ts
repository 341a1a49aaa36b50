/**
 * Mutes and bans as lines of text: a first line that says what the file is, then one record a line, JSON. Of one lobby and
 * SteamID the last line counts, and one with nothing set forgets what was before it.
 *
 * A line is only ever added behind the last. So a crash in the middle of a write leaves a last line that is not whole, and
 * nothing else: that one is left out. Any other line that does not read is somebody's mistake, and nothing is guessed.
 */

import * as z from 'zod/mini';
import { LABEL } from '../../voice/control.js';
import { parseSteamId } from '../../voice/steam_id.js';
import { BY_ADMIN, isAnything, type Sanction } from '../core/sanctions.js';

/** The first line, without its end. */
export const HEADER = '{"file":"hotmic-sanctions","version":2}';
/** That of relays which did not note who made a record: read, and never written. */
const OLD_HEADER = '{"file":"hotmic-sanctions","version":1}';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const until = z.union([z.literal('not'), z.literal('always'), z.int().check(z.minimum(0))]);

const steamId = z.string().check(z.refine((text) => parseSteamId(text) !== null));

/** Strict: what a newer version wrote must not be lost by writing it again. */
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
      /** Everything that is not forgotten, by `sanctionKey`: what has ended, too, for the clock may be wrong. */
      readonly records: Map<string, Sanction>;
      /** The bytes of a last line that is not whole; 0 when there is none. */
      readonly tornBytes: number;
    }
  /** `line` counts from 1. */
  | { readonly kind: 'malformed'; readonly line: number; readonly detail: string };

/** A record's line, its end included. */
export function sanctionLine({ lobby, steamId, muted, deafened, banned, by }: Sanction): string {
  return `${JSON.stringify({ lobby, steamId, muted, deafened, banned, by })}\n`;
}

/** One lobby and SteamID. SteamIDs are digits alone, so that no lobby's name makes the key of another. */
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
      // Another file, named by mistake, must not pass for one of ours that was cut.
      const isCut = line > 1 || [HEADER, OLD_HEADER].some((header) => header.startsWith(text ?? '!'));
      if (!isEnded && isCut) return { kind: 'read', records, tornBytes: bytes.length - start };
      const detail = line === 1 ? 'it is no file of mutes and bans' : 'it is no record of a mute or a ban';
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

/** Whether it is one; then it holds from here on. */
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
  // The last of a person goes to the end, as when it happened.
  records.delete(key);
  if (isAnything(read)) records.set(key, read);
  return true;
}

/** Null for what is no UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
