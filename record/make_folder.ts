/**
 * Makes a folder and those above it. Node's own recursive mkdir never ends where a system answers "no such file" to a folder whose parent is
 * there, as /proc does, and a thread that spins in it keeps the process from ending.
 */

import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf } from '../voice/error.js';

/** Resolves when `path` is a folder. @throws the system's error. */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  try {
    await makeOne(folder);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT' || dirname(folder) === folder) throw thrown;
    await makeFolder(dirname(folder));
    await makeOne(folder);
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (thrown) {
    // Some systems refuse to make what is there with other codes than EEXIST.
    const there = await stat(folder).catch(() => null);
    if (!there?.isDirectory()) throw thrown;
  }
}
