/**
 * Where to look for Steam's library: a path that was given, HOTMIC_STEAM_LIBRARY, or the application's folder.
 *
 * Never the working directory as such, nor the loader's search path: anyone who can put a file there could run code in the game. A
 * given path that does not exist is a failure; nothing else is tried instead.
 */

import { posix, win32 } from 'node:path';

/** What the search depends on. */
export interface LibrarySearch {
  /** A path that was given; a relative one counts from `workingDirectory`. */
  readonly library?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly workingDirectory: string;
  /** The script that was started, or null. */
  readonly mainScript: string | null;
  readonly execPath: string;
  /** Electron's process.resourcesPath; null elsewhere. */
  readonly resourcesPath: string | null;
  /** Whether there is a file at this path. */
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

/** The parts of `process` that say which script was started. */
export interface StartedProcess {
  readonly argv: readonly string[];
  readonly versions: Readonly<Record<string, string | undefined>>;
  /** Electron's: true when Electron was started with a script, and not as a packaged application. */
  readonly defaultApp?: boolean;
}

/**
 * The script that was started, or null. A packaged Electron application has no script among its arguments: the
 * first is a file or a link that somebody opened with the game, and a library next to that must not be loaded.
 */
export function mainScriptOf({ argv, versions, defaultApp }: StartedProcess): string | null {
  if (versions.electron !== undefined && defaultApp !== true) return null;
  return argv[1] ?? null;
}

/** The files in the application's folders that may be Steam's library, in order of preference. */
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
  // A library inside an archive cannot be loaded: Electron keeps those beside it.
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
    return { kind: 'missing', path: whole, text: `${by} names ${whole}, which is not a file` };
  }
  const candidates = librariesBeside(search);
  const found = candidates.find((candidate) => search.isFile(candidate));
  if (found !== undefined) return { kind: 'found', path: found };
  const text = `there is no ${candidates.join(' and no ')}`;
  return { kind: 'missing', path: null, text };
}

/** /x/app.asar/lib is /x/app.asar.unpacked/lib on the disk. */
function unpacked(folder: string): string {
  return folder.replace(/([\\/]app\.asar)(?=$|[\\/])/, '$1.unpacked');
}
