/** Where Steam's library is looked for. */

import t from 'tap';
import {
  findSteamLibrary,
  type LibrarySearch,
  librariesBeside,
  mainScriptOf,
} from '../../../native/real/library_path.js';

/** A Linux game in /game, started with a node in /node/bin; `files` are there. */
function search(files: readonly string[], change: Partial<LibrarySearch> = {}): LibrarySearch {
  return {
    environment: {},
    platform: 'linux',
    workingDirectory: '/home/player',
    mainScript: '/game/main.js',
    execPath: '/node/bin/node',
    resourcesPath: null,
    isFile: (path) => files.includes(path),
    ...change,
  };
}

t.test('a library beside the main script is found, before one beside the executable', async (t) => {
  const beside = ['/node/bin/libsteam_api.so', '/game/libsteam_api.so'];
  t.same(findSteamLibrary(search(beside)), { kind: 'found', path: '/game/libsteam_api.so' });
  t.same(findSteamLibrary(search(['/node/bin/libsteam_api.so'])), {
    kind: 'found',
    path: '/node/bin/libsteam_api.so',
  });
});

t.test('the working directory is never looked into', async (t) => {
  const found = findSteamLibrary(search(['/home/player/libsteam_api.so', 'libsteam_api.so']));
  t.equal(found.kind, 'missing');
  const relative = search(['/home/player/libsteam_api.so'], { mainScript: 'main.js' });
  t.same(librariesBeside(relative), ['/node/bin/libsteam_api.so']);
});

t.test('a file that a packaged Electron game was opened with is no main script', async (t) => {
  const argv = ['/game/game', '/home/player/Downloads/lobby.hm'];
  t.equal(mainScriptOf({ argv, versions: { node: '22.0.0', electron: '35.0.0' } }), null);
  const scripted = {
    argv: ['/electron', '/game/main.js'],
    versions: { electron: '35.0.0' },
    defaultApp: true,
  };
  t.equal(mainScriptOf(scripted), '/game/main.js');
  t.equal(mainScriptOf({ argv: ['/node', '/game/main.js'], versions: { node: '22.0.0' } }), '/game/main.js');
  t.equal(mainScriptOf({ argv: ['/node'], versions: {} }), null);
});

t.test('what is looked for is named when it is not there', async (t) => {
  t.same(findSteamLibrary(search([])), {
    kind: 'missing',
    path: null,
    text: 'there is no /game/libsteam_api.so and no /node/bin/libsteam_api.so',
  });
});

t.test('a given path overrides the variable, which overrides the application’s folder', async (t) => {
  const files = ['/a.so', '/b.so', '/game/libsteam_api.so'];
  const environment = { HOTMIC_STEAM_LIBRARY: '/b.so' };
  t.same(findSteamLibrary(search(files, { library: '/a.so', environment })), {
    kind: 'found',
    path: '/a.so',
  });
  t.same(findSteamLibrary(search(files, { environment })), { kind: 'found', path: '/b.so' });
});

t.test('a path that was given and is not there is a failure, and nothing else is tried', async (t) => {
  const files = ['/game/libsteam_api.so', '/b.so'];
  const environment = { HOTMIC_STEAM_LIBRARY: '/b.so' };
  t.same(findSteamLibrary(search(files, { library: '/a.so', environment })), {
    kind: 'missing',
    path: '/a.so',
    text: 'the option library names /a.so, which is not a file',
  });
  t.same(findSteamLibrary(search(files, { environment: { HOTMIC_STEAM_LIBRARY: '/c.so' } })), {
    kind: 'missing',
    path: '/c.so',
    text: 'HOTMIC_STEAM_LIBRARY names /c.so, which is not a file',
  });
  t.equal(findSteamLibrary(search(files, { library: '' })).kind, 'missing');
});

t.test('an empty variable counts as none', async (t) => {
  const environment = { HOTMIC_STEAM_LIBRARY: '' };
  t.same(findSteamLibrary(search(['/game/libsteam_api.so'], { environment })), {
    kind: 'found',
    path: '/game/libsteam_api.so',
  });
});

t.test('a relative path that was given counts from the working directory', async (t) => {
  const found = findSteamLibrary(search(['/home/player/sdk/x.so'], { library: 'sdk/x.so' }));
  t.same(found, { kind: 'found', path: '/home/player/sdk/x.so' });
});

t.test('in Electron a library is looked for beside the archive, not in it', async (t) => {
  const candidates = librariesBeside(
    search([], {
      mainScript: '/opt/game/resources/app.asar/dist/main.js',
      execPath: '/opt/game/game',
      resourcesPath: '/opt/game/resources',
    }),
  );
  t.same(candidates, [
    '/opt/game/resources/app.asar.unpacked/dist/libsteam_api.so',
    '/opt/game/libsteam_api.so',
    '/opt/game/resources/libsteam_api.so',
    '/opt/game/resources/app.asar.unpacked/libsteam_api.so',
  ]);
});

t.test('an archive that is unpacked already, or only named alike, stays as it is', async (t) => {
  const beside = (mainScript: string) => librariesBeside(search([], { mainScript }))[0];
  t.equal(beside('/x/app.asar.unpacked/main.js'), '/x/app.asar.unpacked/libsteam_api.so');
  t.equal(beside('/x/my-app.asarium/main.js'), '/x/my-app.asarium/libsteam_api.so');
});

t.test('each platform has its file name and its paths', async (t) => {
  const mac = search([], { platform: 'darwin', mainScript: null, execPath: '/App/Contents/MacOS/Game' });
  t.same(librariesBeside(mac), ['/App/Contents/MacOS/libsteam_api.dylib']);
  const windows = search(['C:\\Game\\resources\\app.asar.unpacked\\steam_api64.dll'], {
    platform: 'win32',
    workingDirectory: 'C:\\Users\\player',
    mainScript: 'C:\\Game\\resources\\app.asar\\main.js',
    execPath: 'C:\\Game\\game.exe',
  });
  t.same(findSteamLibrary(windows), {
    kind: 'found',
    path: 'C:\\Game\\resources\\app.asar.unpacked\\steam_api64.dll',
  });
});

t.test('a folder is named once', async (t) => {
  t.same(librariesBeside(search([], { mainScript: '/node/bin/x.js' })), ['/node/bin/libsteam_api.so']);
});
