/** Development or packaged: what decides whether openSteam may fall back on the embedded Steam by default. */

import t from 'tap';
import {
  type ApplicationProcess,
  applicationKind,
  defaultEmbedded,
  withoutEmbedded,
} from '../../native/application.js';

const CHECKOUT = 'file:///home/ada/hotmic/dist/native/application.js';
const INSTALLED = 'file:///home/ada/game/node_modules/hotmic/dist/native/application.js';
const NODE: ApplicationProcess = {
  execPath: '/usr/bin/node',
  versions: { node: '20.20.0' },
  environment: {},
  moduleUrl: CHECKOUT,
};
const ELECTRON = { ...NODE, versions: { electron: '33.0.0' }, moduleUrl: INSTALLED };

function kind(change: Partial<ApplicationProcess>, of: ApplicationProcess = NODE) {
  return applicationKind({ ...of, ...change });
}

t.test('a checkout, and a linked one, is development', async (t) => {
  t.equal(kind({}), 'checkout');
  t.equal(kind({ moduleUrl: 'file:///home/ada/node_modules_of_mine/hotmic/x.js' }), 'checkout');
});

t.test('under node_modules it is not development unless NODE_ENV says so', async (t) => {
  for (const moduleUrl of [
    INSTALLED,
    'file:///game/node_modules/.pnpm/hotmic@1.0.0/node_modules/hotmic/dist/native/application.js',
    'file:///game/.yarn/cache/hotmic-npm-1.0.0.zip/node_modules/hotmic/dist/native/application.js',
    'file:///C:/game/node_modules/hotmic/dist/native/application.js',
  ]) {
    t.equal(kind({ moduleUrl }), 'installed', moduleUrl);
    for (const NODE_ENV of ['', 'prod', 'staging', 'Development']) {
      t.equal(kind({ moduleUrl, environment: { NODE_ENV } }), 'installed', NODE_ENV);
    }
    for (const NODE_ENV of ['development', 'test']) {
      t.equal(kind({ moduleUrl, environment: { NODE_ENV } }), 'development', NODE_ENV);
    }
  }
});

t.test('NODE_ENV production is production, whatever else is set', async (t) => {
  const environment = { NODE_ENV: 'production' };
  t.equal(kind({ environment }), 'production');
  t.equal(kind({ environment, defaultApp: true }, ELECTRON), 'production');
});

t.test('Electron is packaged when its executable is the application', async (t) => {
  for (const execPath of [
    '/opt/Game/game',
    'C:\\Games\\Game\\Game.exe',
    '/Applications/Game.app/Contents/MacOS/Game',
    '/Applications/Game.app/Contents/Frameworks/Game Helper (Renderer).app/Contents/MacOS/Game Helper (Renderer)',
  ]) {
    t.equal(kind({ execPath }, ELECTRON), 'packaged-electron', execPath);
    t.equal(
      kind({ execPath, environment: { NODE_ENV: 'development' } }, ELECTRON),
      'packaged-electron',
      'a player’s environment does not change that',
    );
  }
});

t.test('Electron started with a script, and its helpers, are development', async (t) => {
  for (const execPath of [
    '/game/node_modules/electron/dist/electron',
    'C:\\game\\node_modules\\electron\\dist\\electron.exe',
    '/game/node_modules/electron/dist/Electron.app/Contents/MacOS/Electron',
    '/x/Electron Helper (Renderer)',
    '/x/Electron Helper',
  ]) {
    t.equal(kind({ execPath }, ELECTRON), 'electron', execPath);
  }
  t.equal(kind({ execPath: '/usr/lib/electron33/renamed', defaultApp: true }, ELECTRON), 'electron');
});

t.test('the default is fallback in development only; otherwise an error says how to enable it', async (t) => {
  for (const is of ['checkout', 'development', 'electron'] as const) {
    t.equal(defaultEmbedded(is), 'fallback');
    t.equal(withoutEmbedded(is), null);
  }
  for (const is of ['production', 'packaged-electron', 'installed'] as const) {
    t.equal(defaultEmbedded(is), 'never');
    t.match(withoutEmbedded(is), /"fallback"/);
  }
  t.match(withoutEmbedded('installed'), /NODE_ENV=development/);
});
