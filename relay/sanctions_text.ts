/**
 * Mutes and bans as lines of text: a first line that says what the file is, then one record a line, JSON. Of one lobby and
 * SteamID the last line counts, and one with nothing set forgets what was before it.
 *
 * A line is only ever added behind the last. So a crash in the middle of a write leaves a last line that is not whole, and
 * nothing else: that one is left out. Any other line that does not read is somebody's mistake, and nothing is guessed.
 */

import * as z from 'zod/mini';
import { LABEL } from '../voice/control.js';
import { parseSteamId } from '../voice/steam_id.js';
import { isAnything, SANCTION_KINDS, type Sanction } from './sanctions.js';

/** The first line, without its end. */
export const HEADER = '{"file":"hotmic-sanctions","version":1}';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const until = z.union([z.literal('not'), z.literal('always'), z.int().check(z.minimum(0))]);

/** Strict: what a newer version wrote must not be lost by writing it anew. */
const record = z.strictObject({
  lobby: z.nullable(z.string().check(z.regex(LABEL))),
  steamId: z.string().check(z.refine((text) => parseSteamId(text) !== null)),
  muted: until,
  deafened: until,
  banned: until,
});

export type SanctionsText =
  | {
      readonly kind: 'read';
      /** What holds at the time of reading, by `sanctionKey`. */
      readonly living: Map<string, Sanction>;
      /** The bytes of a last line that is not whole; 0 when there is none. */
      readonly tornBytes: number;
    }
  /** `line` counts from 1. */
  | { readonly kind: 'malformed'; readonly line: number; readonly detail: string };

/** A record's line, its end included. */
export function sanctionLine({ lobby, steamId, muted, deafened, banned }: Sanction): string {
  return `${JSON.stringify({ lobby, steamId, muted, deafened, banned })}\n`;
}

/** One lobby and SteamID. SteamIDs are digits alone, so that no lobby's name makes the key of another. */
export function sanctionKey({ lobby, steamId }: Pick<Sanction, 'lobby' | 'steamId'>): string {
  return lobby === null ? steamId : `${steamId} ${lobby}`;
}

/** Reads a whole file. What has ended by `unixSeconds` is left out. */
export function readSanctionsText(bytes: Uint8Array, unixSeconds: number): SanctionsText {
  const living = new Map<string, Sanction>();
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    const isEnded = end >= 0;
    const text = textOf(bytes.subarray(start, isEnded ? end : bytes.length));
    const isWhole = line === 1 ? text === HEADER : readLine(text, living);
    if (!isWhole) {
      // Another file, named by mistake, must not pass for one of ours that was cut.
      const isCut = line > 1 || HEADER.startsWith(text ?? '!');
      if (!isEnded && isCut)
        return { kind: 'read', living: lasting(living, unixSeconds), tornBytes: bytes.length - start };
      const detail = line === 1 ? 'it is no file of mutes and bans' : 'it is no record of a mute or a ban';
      return { kind: 'malformed', line, detail };
    }
    start = isEnded ? end + 1 : bytes.length;
  }
  return { kind: 'read', living: lasting(living, unixSeconds), tornBytes: 0 };
}

/** Whether it is one; then it holds from here on. */
function readLine(text: string | null, living: Map<string, Sanction>): boolean {
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch {
    return false;
  }
  const parsed = record.safeParse(json);
  if (!parsed.success) return false;
  const key = sanctionKey(parsed.data);
  // The last of a person goes to the end, as when it happened.
  living.delete(key);
  if (isAnything(parsed.data)) living.set(key, parsed.data);
  return true;
}

function lasting(living: Map<string, Sanction>, unixSeconds: number): Map<string, Sanction> {
  for (const [key, sanction] of living) {
    const after = { ...sanction };
    for (const kind of SANCTION_KINDS) {
      const end = after[kind];
      if (typeof end === 'number' && end <= unixSeconds) after[kind] = 'not';
    }
    if (isAnything(after)) living.set(key, after);
    else living.delete(key);
  }
  return living;
}

/** Null for what is no UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
