/** What the page remembers in this browser. A browser that keeps nothing gets the defaults. */

export interface Preferences {
  readonly name: string;
  readonly talkMode: 'push-to-talk' | 'voice-activation';
  readonly inputId: string;
  readonly outputId: string;
  readonly echoCancellation: boolean;
  readonly noiseSuppression: boolean;
  readonly autoGainControl: boolean;
  readonly strongNoise: boolean;
  /** SteamIDs. */
  readonly blocked: readonly string[];
}

const KEY = 'hotmic';

export const DEFAULTS: Preferences = {
  name: '',
  talkMode: 'push-to-talk',
  inputId: '',
  outputId: '',
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  strongNoise: false,
  blocked: [],
};

/** What was kept, without what has another type than it should. */
export function readPreferences(text: string | null): Preferences {
  let kept: Record<string, unknown> = {};
  try {
    kept = (JSON.parse(text ?? '{}') ?? {}) as Record<string, unknown>;
  } catch {
    // Something else was there.
  }
  const fit = Object.entries(DEFAULTS).map(([name, usual]) => [
    name,
    isLike(kept[name], usual) ? kept[name] : usual,
  ]);
  return Object.fromEntries(fit) as unknown as Preferences;
}

function isLike(value: unknown, usual: unknown): boolean {
  if (Array.isArray(usual))
    return Array.isArray(value) && value.every((one) => /^\d{1,20}$/.test(String(one)));
  return typeof value === typeof usual;
}

const STEAM_ID_KEY = 'hotmic-steam-id';
/** Of account 0: voice/steam_id.ts. */
const FIRST_STEAM_ID = 0x0110_0001_0000_0000n;

/** A SteamID for a relay in development: another one in each tab, the same after a reload. */
export function ownSteamId(): string {
  const made = String(FIRST_STEAM_ID + BigInt(1 + Math.floor(Math.random() * 2 ** 31)));
  try {
    const kept = sessionStorage.getItem(STEAM_ID_KEY) ?? made;
    sessionStorage.setItem(STEAM_ID_KEY, kept);
    return kept;
  } catch {
    return made;
  }
}

export function loadPreferences(): Preferences {
  try {
    return readPreferences(localStorage.getItem(KEY));
  } catch {
    return DEFAULTS;
  }
}

export function keepPreferences(preferences: Preferences): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Then they last as long as the page.
  }
}
