/** The project's own files, for tests that read them all. Without git: a package or a container may not have it. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Installed, built or left by a run, at any depth. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  '.git',
  '.tap',
  '.toolchain',
  'build',
  'dist',
  'node_modules',
  'out',
  'prebuilds',
  'recording',
  'target',
]);

/** Paths below the checkout's root, such as `voice/ring.ts`, sorted. */
export function projectFiles(folder = '.'): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !NOT_KEPT.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? projectFiles(path) : [path];
    })
    .sort();
}
