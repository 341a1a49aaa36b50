/**
 * Where Steam's library is looked for: a path that was given, HOTMIC_STEAM_LIBRARY, or beside the application.
 *
 * Never in the working directory as such, nor where the loader would search: whoever can put a file there would run code in
 * the game. A path that was given and is not there is a failure; nothing else is tried in its stead.
 */

import { posix, win32 } from 'node:path';

/** What the search looks at. */
export interface LibrarySearch {
  /** A path that was given; a relative one counts from `workingDirectory`. */
  readonly library?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly workingDirectory: string;
  /** The script that was started, null where there is none. */
  readonly mainScript: string | null;
  readonly execPath: string;
  /** Electron's process.resourcesPath; null elsewhere. */
  readonly resourcesPath: string | null;
  /** Whether a file is there. */
  readonly isFile: (path: string) => boolean;
}

export type LibraryPath =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'missing'; readonly path: string | null; readonly text: string };

/** The environment variable that names the library. */
export const STEAM_LIBRARY_VARIABLE = 'HOTMIC_STEAM_LIBRARY';

const FILE_NAMES: Readonly<Record<string, string>> = {
  darwin: 'libsteam_api.dylib',
  win32: 'steam_api64.dll',
};

/** What Steam's library is called. */
export function steamLibraryFileName(platform: string): string {
  return FILE_NAMES[platform] ?? 'libsteam_api.so';
}

/** What of `process` tells the script that was started. */
export interface StartedProcess {
  readonly argv: readonly string[];
  readonly versions: Readonly<Record<string, string | undefined>>;
  /** Electron's: true when Electron was started with a script, and not as a packaged application. */
  readonly defaultApp?: boolean;
}

/**
 * The script that was started; null where there is none. A packaged Electron application has no script among its arguments: the
 * first is a file or a link that somebody opened with the game, and no library beside that may be loaded.
 */
export function mainScriptOf({ argv, versions, defaultApp }: StartedProcess): string | null {
  if (versions.electron !== undefined && defaultApp !== true) return null;
  return argv[1] ?? null;
}

/** The files beside the application that may be Steam's library, the first choice first. */
export function librariesBeside(search: LibrarySearch): readonly string[] {
  const path = search.platform === 'win32' ? win32 : posix;
  const folders: string[] = [];
  if (search.mainScript !== null && path.isAbsolute(search.mainScript)) {
    folders.push(path.dirname(search.mainScript));
  }
  folders.push(path.dirname(search.execPath));
  if (search.resourcesPath !== null) {
    folders.push(search.resourcesPath, path.join(search.resourcesPath, 'app.asar'));
  }
  const name = steamLibraryFileName(search.platform);
  // A library within an archive cannot be loaded: Electron keeps those beside it.
  return [...new Set(folders.map((folder) => path.join(unpacked(folder), name)))];
}

/** Finds Steam's library. */
export function findSteamLibrary(search: LibrarySearch): LibraryPath {
  const path = search.platform === 'win32' ? win32 : posix;
  const variable = search.environment[STEAM_LIBRARY_VARIABLE];
  const given = search.library ?? (variable === '' ? undefined : variable);
  if (given !== undefined) {
    const whole = path.resolve(search.workingDirectory, given);
    if (given !== '' && search.isFile(whole)) return { kind: 'found', path: whole };
    const by = search.library === undefined ? STEAM_LIBRARY_VARIABLE : 'the option library';
    return { kind: 'missing', path: whole, text: `no file ${whole}, which ${by} names` };
  }
  const candidates = librariesBeside(search);
  const found = candidates.find((candidate) => search.isFile(candidate));
  if (found !== undefined) return { kind: 'found', path: found };
  const text = `none of ${candidates.join(', ')} is there`;
  return { kind: 'missing', path: null, text };
}

/** /x/app.asar/lib is /x/app.asar.unpacked/lib on the disk. */
function unpacked(folder: string): string {
  return folder.replace(/([\\/]app\.asar)(?=$|[\\/])/, '$1.unpacked');
}
