/** The addon on a real libsteam_api with no Steam client, each case in a separate process, so that a crash is seen. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadAddon } from '../../../native/real/addon.js';
import { openRealSteam } from '../../../native/real/open.js';
import { realLibrary } from '../../kit/stand_in_steam.js';
import { addonFile } from './addon_steams.js';

const loaded = loadAddon();
const real = realLibrary();
const skip = (loaded.kind === 'missing' && loaded.reason) || (real.kind === 'skipped' && real.reason);
const library = real.kind === 'there' ? real.path : '';
/** A home without Steam. */
const home = mkdtempSync(join(tmpdir(), 'hotmic-addon-'));
t.teardown(() => rmSync(home, { recursive: true }));

/** What the scenario prints; its end must be 0. */
async function child(scenario: string, environment: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const script = fileURLToPath(new URL('./addon_child.js', import.meta.url));
  const node = spawn(process.execPath, [script, scenario, library], {
    env: { ...process.env, HOME: home, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  node.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    node.on('close', (...end) => resolve(end)),
  );
  if (code !== 0) throw new Error(`${scenario} ended with ${code ?? signal}`);
  return JSON.parse(output);
}

t.test("without a Steam client the failure is in Steam's own words, fifty times", { skip }, async (t) => {
  const answer = await child('init-often');
  t.match(answer, {
    outcomes: [
      {
        stage: 'init',
        code: 1,
        text: `Failed to load module '${home}/.steam/sdk64/steamclient.so'`,
        library,
        interfaceVersion: 'SteamUser023',
        entryPoint: 'SteamInternal_SteamAPI_Init',
      },
    ],
    counts: { environments: 0, tickets: 0, sessions: 0, library: null },
  });
  t.equal((answer as { outcomes: unknown[] }).outcomes.length, 1);
});

for (const scenario of ['closed', 'closed-after-failure']) {
  const when = scenario === 'closed' ? 'before Steam was opened' : 'after opening it failed';
  t.test(`${when} nothing is called: voice is not initialized, all else throws`, { skip }, async (t) => {
    const answers = (await child(scenario)) as Record<string, unknown>;
    t.equal(Object.keys(answers).length, 32);
    const voice = ['getAvailableVoice', 'getVoice', 'decompressVoice'];
    for (const [name, answer] of Object.entries(answers)) {
      t.equal(answer, voice.includes(name) ? 2 ** 32 : 'ERR_HOTMIC_STEAM_CLOSED', name);
    }
  });
}

t.test('arguments of a wrong type or out of range throw', { skip }, async (t) => {
  t.same(await child('misuse'), {
    'a bare SharedArrayBuffer': 'TypeError',
    'a DataView': 'TypeError',
    'an Int16Array': 'TypeError',
    'no argument': 'TypeError',
    'an array': 'TypeError',
    'a rate of -1': 'RangeError',
    'a rate of NaN': 'RangeError',
    'a SteamID that is a number': 'TypeError',
    'a SteamID of 65 bits': 'RangeError',
    'a negative SteamID': 'RangeError',
    'a handle of 33 bits': 'RangeError',
    'a handle of 1.5': 'RangeError',
    'a port of 65536': 'RangeError',
    'a flag that is a number': 'TypeError',
    'a text with NUL': 'RangeError',
    'a text of 8193 bytes': 'RangeError',
    'a text that is null': 'TypeError',
    'a ticket of 65537 bytes': 'RangeError',
    'an identity of 129 bytes': 'RangeError',
    'a library that is no text': 'TypeError',
    'an app id of -1': 'RangeError',
  });
});

t.test('the addon stays when the worker that loaded it first is gone', { skip }, async (t) => {
  t.same(await child('worker-first'), { before: false, code: 0, between: true, stage: 'init' });
});

t.test('a library that is not there fails at the stage library, and names the path', { skip }, async (t) => {
  const path = join(home, 'nothing', 'libsteam_api.so');
  t.same(openRealSteam({ library: path }), {
    kind: 'failed',
    stage: 'library',
    code: null,
    text: `the option library names ${path}, which is not a file`,
    library: null,
  });
});

t.test("a file that is no library fails at the stage library, in the loader's words", { skip }, async (t) => {
  const path = join(home, 'libsteam_api.so');
  writeFileSync(path, 'not a library '.repeat(100));
  const opened = openRealSteam({ library: path });
  t.match(opened, { kind: 'failed', stage: 'library', code: null, library: path });
  t.match(opened.kind === 'failed' && opened.text, /invalid ELF header/);
});

t.test(
  'a library of something else fails at the stage symbols, and says what is missing',
  { skip },
  async (t) => {
    const opened = openRealSteam({ library: addonFile() });
    t.match(opened, { kind: 'failed', stage: 'symbols', code: null });
    t.match(
      opened.kind === 'failed' && opened.text,
      / does not export SteamInternal_SteamAPI_Init or SteamAPI_InitFlat or .*, SteamAPI_Shutdown, .* and 30 more$/,
    );
  },
);

t.test('without the addon opening fails at the stage addon, and says what to do', async (t) => {
  const nowhere = { HOTMIC_PREBUILD: home };
  const opened = (await child('open', nowhere)) as { text: string };
  t.match(opened, { kind: 'failed', stage: 'addon', code: null, library: null });
  t.match(
    opened.text,
    /^Cannot load Hotmic's addon for \S+: No native build was found for .*`npm explore hotmic -- npm run addon`/,
  );
});

t.test('an invalid app id throws', async (t) => {
  for (const appId of [0, -1, 1.5, 2 ** 32, Number.NaN]) {
    t.throws(() => openRealSteam({ appId }), RangeError, `${appId}`);
  }
});
