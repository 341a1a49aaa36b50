/** A relay that breaks a rule on purpose: the compiled relay with one line changed, to see whether the tests notice. */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Relay } from '../../../../relay/core/relay.js';

const FOLDERS = ['relay', 'voice', 'tickets'];

export interface Break {
  /** A compiled file under relay/core/. */
  readonly file: string;
  /** Must occur exactly once. */
  readonly line: string;
  readonly instead: string;
}

/**
 * The class of a relay with this change.
 *
 * @param name Of a folder under out/, which is replaced.
 * @throws Error when the line does not occur exactly once: the code has changed, and the case has to follow it.
 */
export async function brokenRelay(name: string, { file, line, instead }: Break): Promise<typeof Relay> {
  // Beside dist/, so that packages are found.
  const folder = resolve('out', 'broken', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const it of FOLDERS) cpSync(resolve('dist', it), resolve(folder, it), { recursive: true });
  const path = resolve(folder, 'relay/core', file);
  const parts = readFileSync(path, 'utf8').split(line);
  if (parts.length !== 2) throw new Error(`Cannot break ${file}: "${line}" occurs ${parts.length - 1} times`);
  writeFileSync(path, parts.join(instead));
  const module = (await import(pathToFileURL(resolve(folder, 'relay/core/relay.js')).href)) as {
    Relay: typeof Relay;
  };
  return module.Relay;
}
