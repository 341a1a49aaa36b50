/**
 * How many files the process may have open, and how many of them connections to the voice port may take. Each connection is one; a reserve
 * stays for the other ports, for webhooks, Steam and files, so that no number of connections keeps operators out.
 */

import { readFileSync } from 'node:fs';

/** Node's own: its event loop, its threads' pipes, the terminal; and files: certificates, mutes and bans, the log. */
const OWN_FILES = 64;
/** Connections of each other port, and some that come while others are closed. */
const FILES_PER_PORT = 80;
/** Beyond the questions to Steam: connections that end while others begin. */
const STEAM_SPARE_FILES = 8;
/** Beyond `limits.connections`: connections that are about to be told that the relay is full, or ask for something else. */
const SPARE_CONNECTIONS = 1000;

/** What may take files beside voice. */
export interface FilesElsewhere {
  /** Of operations and administration, how many there are: 0 to 2. */
  readonly ports: number;
  /** Webhooks sent at once, of all receivers. */
  readonly webhooks: number;
  /** Questions to Steam at once; 0 where nobody asks. */
  readonly steam: number;
}

/**
 * Connections that the voice port may have at once, WebSockets or not, at least 1.
 *
 * @param openFiles As `openFilesAllowed` has it: null for a system without such a limit, or one that does not tell.
 * @param connections `limits.connections`.
 */
export function mostConnections(
  openFiles: number | null,
  connections: number,
  { ports, webhooks, steam }: FilesElsewhere,
): number {
  const wanted = 2 * connections + SPARE_CONNECTIONS;
  if (openFiles === null) return wanted;
  const reserve = OWN_FILES + FILES_PER_PORT * ports + webhooks + (steam > 0 ? steam + STEAM_SPARE_FILES : 0);
  return Math.max(1, Math.min(wanted, openFiles - reserve));
}

/** Files that this process may have open: the soft limit, which Node raises to the hard one when it starts. Null where nobody tells. */
export function openFilesAllowed(): number | null {
  try {
    return openFilesIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // No Linux. Windows has no such limit, and its report does not name one.
    const report = process.report?.getReport() as
      | { userLimits?: { open_files?: { soft?: number | string } } }
      | undefined;
    const soft = report?.userLimits?.open_files?.soft;
    return typeof soft === 'number' ? soft : null;
  }
}

/** The same, of the text of `/proc/<pid>/limits`. */
export function openFilesIn(limits: string): number | null {
  const [, soft] = /^Max open files\s+(\d+)\s/m.exec(limits) ?? [];
  return soft === undefined ? null : Number(soft);
}
