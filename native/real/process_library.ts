/** The search for Steam's library, in this process: its environment, folders and arguments. */

import { statSync } from 'node:fs';
import { findSteamLibrary, type LibraryPath, mainScriptOf } from './library_path.js';

/** @param given A path that the caller named. */
export function searchLibrary(given: string | undefined): LibraryPath {
  return findSteamLibrary({
    library: given,
    environment: process.env,
    platform: process.platform,
    workingDirectory: process.cwd(),
    mainScript: mainScriptOf(process),
    execPath: process.execPath,
    resourcesPath: (process as { resourcesPath?: string }).resourcesPath ?? null,
    isFile,
  });
}

/** A path that cannot be examined counts as missing. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
