/**
 * The disk access of sanctions_file.ts. Appends are synced, and a rewrite goes to a temporary file that then replaces the old one, so that a
 * crash at any point leaves the old file or the new one. Only one relay at a time may use the file.
 *
 * The kernel releases the lock when the process ends, however it ends: it is an abstract socket on Linux (per network namespace),
 * and a named pipe on Windows. Other systems have no lock.
 */

import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { codeOf, HotmicError } from '../../voice/error.js';
import { systemReason } from '../../voice/system_reason.js';

/** A file that is appended to, and sometimes rewritten. One call at a time. */
export interface SanctionsDisk {
  /** Appends. Durable when it resolves; when it rejects, part of the text may be in the file. */
  append(text: string): Promise<void>;
  /** Replaces the whole content with these pieces, all or nothing. */
  rewrite(pieces: Iterable<string>): Promise<void>;
  close(): Promise<void>;
}

/** The content that was there, and the open file. */
export interface OpenedDisk {
  readonly disk: SanctionsDisk;
  readonly bytes: Uint8Array;
}

/** Longest file that is read. */
export const MAX_SANCTIONS_BYTES = 256 * 1024 * 1024;

/**
 * Opens the file. A missing one counts as empty, and is created by the first `rewrite`.
 *
 * @throws HotmicError ERR_HOTMIC_FILE when it cannot be read, is not a regular file, is too long, or is in use by another relay.
 */
export async function openSanctionsDisk(wantedPath: string): Promise<OpenedDisk> {
  const file = await realPath(wantedPath);
  const lock = await takeLock(file);
  if (lock === 'taken')
    throw fileError(wantedPath, 'another relay uses it, expected a separate file for each relay');
  try {
    return { bytes: await readWhole(file), disk: new Disk(file, lock) };
  } catch (thrown) {
    lock?.close();
    throw thrown instanceof HotmicError ? thrown : fileError(wantedPath, systemReason(thrown), thrown);
  }
}

export function fileError(file: string, why: string, cause?: unknown): HotmicError {
  const message = `Cannot keep mutes and bans in ${file}: ${why}`;
  return new HotmicError('ERR_HOTMIC_FILE', message, cause === undefined ? {} : { cause });
}

class Disk implements SanctionsDisk {
  readonly #file: string;
  readonly #lock: net.Server | null;
  #handle: fs.FileHandle | null = null;

  constructor(file: string, lock: net.Server | null) {
    this.#file = file;
    this.#lock = lock;
  }

  async append(text: string): Promise<void> {
    if (!this.#handle) throw new Error('Cannot append to the file: expected a rewrite first');
    await this.#handle.appendFile(text);
    await this.#handle.datasync();
  }

  async rewrite(pieces: Iterable<string>): Promise<void> {
    const temporary = `${this.#file}.new`;
    await fs.rm(temporary, { force: true });
    try {
      await writeNew(temporary, pieces);
      await this.#handle?.close();
      this.#handle = null;
      await fs.rename(temporary, this.#file);
    } catch (thrown) {
      // On a full disk it would occupy the space that the next attempt needs.
      await fs.rm(temporary, { force: true }).catch(() => undefined);
      throw thrown;
    }
    await syncFolder(path.dirname(this.#file));
    this.#handle = await fs.open(this.#file, 'a', 0o600);
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
    await new Promise<void>((resolve) => (this.#lock ? this.#lock.close(() => resolve()) : resolve()));
  }
}

async function writeNew(file: string, pieces: Iterable<string>): Promise<void> {
  // `wx` creates a new file: a link that somebody puts there is not followed.
  const handle = await fs.open(file, 'wx', 0o600);
  try {
    for (const piece of pieces) await handle.appendFile(piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readWhole(file: string): Promise<Uint8Array> {
  let handle: fs.FileHandle;
  try {
    // O_NONBLOCK: a pipe without a writer must not block.
    handle = await fs.open(file, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return new Uint8Array(0);
    throw thrown;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw fileError(file, 'it is not a regular file');
    if (stat.size > MAX_SANCTIONS_BYTES) {
      throw fileError(file, `it is ${stat.size} bytes long, expected at most ${MAX_SANCTIONS_BYTES}`);
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** The real path of a file: for the lock, and so that a rewrite does not replace a link. */
async function realPath(file: string): Promise<string> {
  try {
    return await fs.realpath(file);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') throw fileError(file, systemReason(thrown), thrown);
  }
  try {
    return path.join(await fs.realpath(path.dirname(file)), path.basename(file));
  } catch (thrown) {
    throw fileError(file, `cannot use its folder: ${systemReason(thrown)}`, thrown);
  }
}

/** Null where the system has no suitable lock. */
async function takeLock(file: string): Promise<net.Server | null | 'taken'> {
  const name = `hotmic-sanctions-${createHash('sha256').update(file).digest('hex').slice(0, 32)}`;
  const address = { linux: `\0${name}`, win32: `\\\\.\\pipe\\${name}` }[process.platform as string];
  if (address === undefined) return null;
  const server = net.createServer((socket) => socket.destroy());
  server.maxConnections = 1;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: address, exclusive: true }, resolve);
    });
  } catch (thrown) {
    if (codeOf(thrown) === 'EADDRINUSE') return 'taken';
    // Where sockets are forbidden, the relay runs without the lock.
    return null;
  }
  server.on('error', () => undefined);
  server.unref();
  return server;
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot sync a folder.
  if (process.platform === 'win32') return;
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
