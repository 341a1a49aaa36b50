/**
 * How this program runs: in development, or as a packaged application on a player's machine. By default, the embedded Steam may
 * replace the real one in development only, since it authenticates anyone.
 */

/** What is looked at. */
export interface ApplicationProcess {
  readonly execPath: string;
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Electron's: true in the main process when Electron was started with a script. */
  readonly defaultApp?: boolean | undefined;
  /** URL of a module of this package. */
  readonly moduleUrl: string;
}

/** The first that applies. */
export type ApplicationKind =
  /** NODE_ENV is `production`. */
  | 'production'
  /** An Electron application with an executable of its own. */
  | 'packaged-electron'
  /** Electron, started with a script or from its own executable. */
  | 'electron'
  /** NODE_ENV is `development` or `test`. */
  | 'development'
  /** This package is in a node_modules folder, and nothing says that this is development. */
  | 'installed'
  /** A checkout of this package, or one that was linked. */
  | 'checkout';

/** Electron as it comes from npm, its helper processes included. Electron's own `app.isPackaged` goes by this name. */
const ELECTRON_ITSELF = /^electron( helper( \([a-z]+\))?)?(\.exe)?$/i;

export function applicationKind(application: ApplicationProcess): ApplicationKind {
  const { execPath, versions, environment, defaultApp, moduleUrl } = application;
  const { NODE_ENV } = environment;
  if (NODE_ENV === 'production') return 'production';
  if (versions.electron !== undefined) {
    const executable = execPath.split(/[\\/]/).at(-1) ?? '';
    return defaultApp === true || ELECTRON_ITSELF.test(executable) ? 'electron' : 'packaged-electron';
  }
  if (NODE_ENV === 'development' || NODE_ENV === 'test') return 'development';
  return /[\\/]node_modules[\\/]/.test(moduleUrl) ? 'installed' : 'checkout';
}

/** The default of openSteam's `embedded`. */
export function defaultEmbedded(kind: ApplicationKind): 'never' | 'fallback' {
  switch (kind) {
    case 'production':
    case 'packaged-electron':
    case 'installed':
      return 'never';
    case 'electron':
    case 'development':
    case 'checkout':
      return 'fallback';
  }
}

/** Why the embedded Steam was not tried, and how to enable it; null where it is enabled by default. */
export function withoutEmbedded(kind: ApplicationKind): string | null {
  switch (kind) {
    case 'production':
      return 'NODE_ENV is production, so the embedded Steam is used only if embedded is "fallback" or "always"';
    case 'packaged-electron':
      return 'This is a packaged Electron application, so the embedded Steam is used only if embedded is "fallback" or "always"';
    case 'installed':
      return 'To develop without Steam, set NODE_ENV=development, or embedded to "fallback": the embedded Steam is then used instead';
    case 'electron':
    case 'development':
    case 'checkout':
      return null;
  }
}

/** This process. */
export function thisApplication(): ApplicationKind {
  return applicationKind({
    execPath: process.execPath,
    versions: process.versions,
    environment: process.env,
    defaultApp: (process as { defaultApp?: boolean }).defaultApp,
    moduleUrl: import.meta.url,
  });
}
