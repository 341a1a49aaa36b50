/** The addon of this platform, without Steam: it loads, also in worker threads, refuses what is not Steam, and crashes on nothing. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { loadAddon } from '../../native/real/addon.js';
import { openRealSteam } from '../../native/real/open.js';
import { VoiceResult } from '../../voice/voice_result.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const WORKERS = 8;
const loaded = loadAddon();
const skip = loaded.kind === 'missing' && loaded.reason;
const file = () =>
  (createRequire(import.meta.url)('node-gyp-build') as { path(folder: string): string }).path(ROOT);

t.test('it loads, and knows the functions of Steam', { skip }, async (t) => {
  if (loaded.kind === 'missing') return;
  t.match(basename(file()), /^hotmic(\.napi(\.glibc|\.musl)?)?\.node$/);
  const symbols = loaded.addon.steamSymbols();
  t.equal(new Set(symbols.map(({ name }) => name)).size, symbols.length);
  t.equal(symbols.filter(({ need }) => need === 'required').length, 34);
});

t.test('while Steam is closed, voice is not initialized, and all else throws', { skip }, async (t) => {
  if (loaded.kind === 'missing') return;
  const { addon } = loaded;
  const target = new Uint8Array(new SharedArrayBuffer(1024));
  for (const packed of [addon.getAvailableVoice(), addon.getVoice(target)]) {
    t.equal(Math.floor(packed / 2 ** 32), VoiceResult.VOICE_RESULT_NOT_INITIALIZED);
  }
  t.throws(() => addon.getSteamID(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
  t.throws(() => addon.getAuthSessionTicket(0, new Uint8Array(0)), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
  t.throws(() => addon.getVoice([] as unknown as Uint8Array), TypeError, 'a wrong argument');
  t.match(addon.counts(), { environments: 0, library: null });
});

t.test("a file that is no library is refused in the loader's words", { skip }, async (t) => {
  const library = join(ROOT, 'package.json');
  t.match(openRealSteam({ library }), { kind: 'failed', stage: 'library', library, text: /.{20,}/ });
});

t.test('a library that is not Steam is refused with the names that it does not have', { skip }, async (t) => {
  t.match(openRealSteam({ library: file() }), {
    kind: 'failed',
    stage: 'symbols',
    text: / does not export SteamInternal_SteamAPI_Init or .*, SteamAPI_Shutdown, .* and 30 more$/,
  });
});

t.test('each of several worker threads loads it, uses it and ends', { skip }, async (t) => {
  t.ok(existsSync(file()));
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const addon = require(workerData);
    let code = '';
    try { addon.getSteamID(); } catch (error) { code = error.code; }
    parentPort.postMessage(addon.steamSymbols().length + ' ' + code);`;
  for (let round = 0; round < 2; round++) {
    const answers = await Promise.all(
      Array.from({ length: WORKERS }, async () => {
        const worker = new Worker(script, { eval: true, workerData: file() });
        const [answer, code] = await Promise.all([
          new Promise((resolve) => worker.once('message', resolve)),
          new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject)),
        ]);
        return `${answer} ${code}`;
      }),
    );
    t.equal(answers.length, WORKERS);
    for (const answer of answers) t.match(answer, /^\d+ ERR_HOTMIC_STEAM_CLOSED 0$/);
  }
});
