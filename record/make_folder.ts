/**
 * Makes a folder and those above it. Node's own recursive mkdir loops for ever if the system answers "no such file" for a folder whose
 * parent exists, as /proc does, and a looping thread keeps the process from exiting.
 */

import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf } from '../voice/error.js';

/** Resolves when `path` is a folder. @throws The system's error. */
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
    // For a folder that exists, some systems answer with codes other than EEXIST.
    const there = await stat(folder).catch(() => null);
    if (!there?.isDirectory()) throw thrown;
  }
}
