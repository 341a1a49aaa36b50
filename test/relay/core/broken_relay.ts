/** A relay that breaks a rule on purpose: the compiled one with one line of it changed, to see whether the tests notice. */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Relay } from '../../../relay/core/relay.js';

const ROOMS = ['relay', 'voice', 'tickets'];

export interface Break {
  /** Of relay/, compiled. */
  readonly file: string;
  /** There exactly once. */
  readonly line: string;
  readonly instead: string;
}

/**
 * The class of a relay that is broken so.
 *
 * @param name Of a folder under out/, which is made anew.
 * @throws Error when the line is not there, or more than once: the code has changed, and this has to follow it.
 */
export async function brokenRelay(name: string, { file, line, instead }: Break): Promise<typeof Relay> {
  // Beside dist/, so that packages are found.
  const folder = resolve('out', 'broken', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const room of ROOMS) cpSync(resolve('dist', room), resolve(folder, room), { recursive: true });
  const path = resolve(folder, 'relay', file);
  const parts = readFileSync(path, 'utf8').split(line);
  if (parts.length !== 2)
    throw new Error(`Cannot break ${file}: "${line}" is there ${parts.length - 1} times`);
  writeFileSync(path, parts.join(instead));
  const module = (await import(pathToFileURL(resolve(folder, 'relay', 'relay.js')).href)) as {
    Relay: typeof Relay;
  };
  return module.Relay;
}
