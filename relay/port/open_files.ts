/**
 * How many files the process may have open, and how many of them connections to the voice port may use. Each connection needs one. A reserve
 * stays for the other ports, for webhooks, Steam and files, so that voice connections cannot keep operators out.
 */

import { readFileSync } from 'node:fs';

/** Node's own files (event loop, pipes of its threads, terminal), and certificates, mutes and bans, the log. */
const OWN_FILES = 64;
/** Connections of each other port, with some that come while others are closed. */
const FILES_PER_PORT = 80;
/** In addition to the questions to Steam: connections that end while others begin. */
const STEAM_SPARE_FILES = 8;
/** In addition to `limits.connections`: connections that are about to learn that the relay is full, or send another request. */
const SPARE_CONNECTIONS = 1000;

/** Users of open files besides voice. */
export interface FilesElsewhere {
  /** How many of the operations and admin ports are on: 0 to 2. */
  readonly ports: number;
  /** Webhooks sent at once, to all receivers together. */
  readonly webhooks: number;
  /** Questions to Steam at once; 0 without web tickets. */
  readonly steam: number;
}

/**
 * Connections that the voice port may have at once, WebSockets or not, at least 1.
 *
 * @param openFiles From `openFilesAllowed`: null for a system without such a limit, or an unknown one.
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

/** Files that this process may have open: the soft limit, which Node raises to the hard one when it starts. Null when it is unknown. */
export function openFilesAllowed(): number | null {
  try {
    return openFilesIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Not Linux. Windows has no such limit, and its report does not contain one.
    const report = process.report?.getReport() as
      | { userLimits?: { open_files?: { soft?: number | string } } }
      | undefined;
    const soft = report?.userLimits?.open_files?.soft;
    return typeof soft === 'number' ? soft : null;
  }
}

/** The same from the text of `/proc/<pid>/limits`. */
export function openFilesIn(limits: string): number | null {
  const [, soft] = /^Max open files\s+(\d+)\s/m.exec(limits) ?? [];
  return soft === undefined ? null : Number(soft);
}
