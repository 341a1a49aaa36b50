/** The load generator, compiled once for each of its versions: it is kept in the user's cache. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type CompiledLoad, compileLoad, LOAD_SOURCES } from '../../bench/load/generator.js';

/** The generator from the cache, or compiled. `onCompile` is called before the latter. `folder` is used where there can be no cache. */
export function cachedLoad(folder: string, onCompile: () => void): CompiledLoad {
  const kept = cacheFolder();
  const program = join(kept, 'load');
  if (existsSync(program)) return { kind: 'compiled', program, withoutTls: null };
  onCompile();
  const made = partOf(kept);
  const compiled = compileLoad(made ?? folder, 'installs-nothing');
  if (made === null) return compiled;
  // Without TLS it is not kept: the headers may be installed later.
  if (compiled.kind === 'missing' || compiled.withoutTls !== null) {
    rmSync(made, { recursive: true, force: true });
    return compiled.kind === 'missing' ? compiled : compileLoad(folder, 'installs-nothing');
  }
  try {
    renameSync(made, kept);
  } catch {
    // Another process was first.
    rmSync(made, { recursive: true, force: true });
  }
  return { ...compiled, program };
}

/** Named by what is compiled, and by what compiles it. */
function cacheFolder(): string {
  const hash = createHash('sha256').update(`${process.arch} ${process.env.CXX ?? ''}`);
  for (const name of readdirSync(LOAD_SOURCES).sort())
    if (/\.(cpp|hpp|sh)$/.test(name)) hash.update(readFileSync(join(LOAD_SOURCES, name)));
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(base, 'hotmic', `load-${hash.digest('hex').slice(0, 16)}`);
}

/** A new folder beside `kept`, or null if none can be made. */
function partOf(kept: string): string | null {
  try {
    mkdirSync(join(kept, '..'), { recursive: true, mode: 0o700 });
    return mkdtempSync(`${kept}.`);
  } catch {
    return null;
  }
}
