/**
 * The addon on Windows: Valve's own steam_api64.dll, from npm's steamworks.js, where there is no Steam client, and what the loader says
 * of other files. main.ts runs it under wine; elsewhere it is skipped.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { loadAddon } from '../../native/real/addon.js';
import { explainFailure, type SteamFailure } from '../../native/real/failure.js';
import { openRealSteam } from '../../native/real/open.js';

const LIBRARY = resolve('node_modules/steamworks.js/dist/win64/steam_api64.dll');
const skip =
  process.platform !== 'win32' || !process.env.HOTMIC_TEST_WINE
    ? 'for wine: node dist/test/platforms/main.js win32-x64'
    : !existsSync(LIBRARY) && 'no steamworks.js in node_modules';

t.test(
  "Valve's library loads, and says that Steam is not installed, as often as it is asked",
  { skip },
  async (t) => {
    for (let round = 0; round < 3; round++) {
      const failure = failureOf(LIBRARY);
      t.match(failure, { stage: 'init', code: 1, library: LIBRARY });
      t.equal(
        explainFailure(failure),
        'Steam is not installed (“Could not determine Steam client install directory.”). Install Steam for this user and start it once',
      );
    }
  },
);

t.test('a Steam that was deleted is not installed either', { skip }, async (t) => {
  const key = 'HKCU\\Software\\Valve\\Steam\\ActiveProcess';
  const registry = (...args: string[]) => spawnSync('reg', args, { stdio: 'ignore' }).status;
  const client = 'C:\\nowhere\\steamclient64.dll';
  t.equal(registry('add', key, '/v', 'SteamClientDll64', '/t', 'REG_SZ', '/d', client, '/f'), 0);
  t.teardown(() => registry('delete', 'HKCU\\Software\\Valve', '/f'));
  const text = explainFailure(failureOf(LIBRARY));
  t.ok(text.startsWith(`Steam is not installed (“Failed to load module '${client}'”). Install Steam`), text);
});

t.test('one file has one path, however it is written', { skip }, async (t) => {
  const { addon } = loadAddon() as Extract<ReturnType<typeof loadAddon>, { kind: 'loaded' }>;
  const path = realpathSync.native(LIBRARY);
  for (const written of [
    path.toUpperCase(),
    path.replaceAll('\\', '/'),
    join(path, '..', '.', 'steam_api64.dll'),
  ]) {
    t.match(addon.init(written, 480), { stage: 'init', library: path }, written);
  }
});

t.test(
  "what the loader says is one line, with the file's name and the system's code",
  { skip },
  async (t) => {
    const notLibrary = resolve('package.json');
    const { stage, text } = failureOf(notLibrary);
    t.equal(stage, 'library');
    t.ok(text.includes(notLibrary), text);
    t.match(text, /.{8,} \(193\)$/, 'ERROR_BAD_EXE_FORMAT');
    t.notMatch(text, /[\r\n]|%1/);
  },
);

t.test('a library of the system is not Steam', { skip }, async (t) => {
  const library = join(process.env.SystemRoot ?? 'C:\\windows', 'system32', 'kernel32.dll');
  t.match(failureOf(library), { stage: 'symbols', text: / does not export SteamInternal_SteamAPI_Init or / });
});

/** @throws Error when it opens. */
function failureOf(library: string): SteamFailure {
  const opened = openRealSteam({ library, appId: 480 });
  if (opened.kind === 'open') throw new Error(`${library} opened, though no Steam runs here`);
  return opened;
}
