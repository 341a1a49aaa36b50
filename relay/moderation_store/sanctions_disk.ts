/**
 * The file beneath sanctions_file.ts, durable and one relay's alone: added to with fsync, or written whole to a temporary file that
 * takes its place. A crash at any point leaves the old file or the new one.
 *
 * The lock is the kernel's and goes with the process, however that ends: an abstract socket on Linux (of one network namespace),
 * a named pipe on Windows. Elsewhere there is none.
 */

import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { codeOf, HotmicError, systemReason } from '../../voice/error.js';

/** A file that grows, and is sometimes written anew. One call at a time. */
export interface SanctionsDisk {
  /** Adds to the end. Kept when it resolves; when it rejects, some of it may be there. */
  append(text: string): Promise<void>;
  /** Replaces everything by these pieces, all or nothing. */
  rewrite(pieces: Iterable<string>): Promise<void>;
  close(): Promise<void>;
}

/** What was there, and the file to go on with. */
export interface OpenedDisk {
  readonly disk: SanctionsDisk;
  readonly bytes: Uint8Array;
}

/** The longest file that is read. */
export const MAX_SANCTIONS_BYTES = 256 * 1024 * 1024;

/**
 * Opens it; a file that is not there is empty, and is made with the first `rewrite`.
 *
 * @throws HotmicError ERR_HOTMIC_FILE: it cannot be read, is no file, is too long, or another relay has it.
 */
export async function openSanctionsDisk(wantedPath: string): Promise<OpenedDisk> {
  const file = await realPath(wantedPath);
  const lock = await takeLock(file);
  if (lock === 'taken') throw fileError(wantedPath, 'another relay has it open, wants one of its own');
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
    if (!this.#handle) throw new Error('Cannot add to the file: it was not written, wants a rewrite first');
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
      // On a full disk it would take the room that is wanted.
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
  // New and ours: whatever is put there meanwhile is not followed.
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
    // Not waiting for whoever writes to a pipe.
    handle = await fs.open(file, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return new Uint8Array(0);
    throw thrown;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw fileError(file, 'it is no regular file');
    if (stat.size > MAX_SANCTIONS_BYTES) {
      throw fileError(file, `it is ${stat.size} bytes long, wants at most ${MAX_SANCTIONS_BYTES}`);
    }
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** The one path of a file, however it is named: for the lock, and so that a link is not replaced. */
async function realPath(file: string): Promise<string> {
  try {
    return await fs.realpath(file);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT') throw fileError(file, systemReason(thrown), thrown);
  }
  try {
    return path.join(await fs.realpath(path.dirname(file)), path.basename(file));
  } catch (thrown) {
    throw fileError(file, `its folder: ${systemReason(thrown)}`, thrown);
  }
}

/** Null where the system has no such lock. */
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
    // Where sockets are forbidden, a relay runs all the same.
    return null;
  }
  server.on('error', () => undefined);
  server.unref();
  return server;
}

async function syncFolder(folder: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === 'win32') return;
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
