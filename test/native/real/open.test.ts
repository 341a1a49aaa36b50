/** Opening, sharing and closing the real Steam: on stand-ins for five SDKs, and on the real libsteam_api with our client. */

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { SteamAddon } from '../../../native/real/addon.js';
import { openRealSteam, openVoiceSource } from '../../../native/real/open.js';
import type { FailureStage } from '../../kit/stand_in_controls.js';
import { type AddonSteam, type AddonSteams, addonFile, addonSteams, openSteam } from './addon_steams.js';

const got = await addonSteams();
const skip = typeof got === 'string' ? got : false;
const steams = got as AddonSteams;
t.teardown(() => typeof got !== 'string' && got.remove());

const NO_APP_ID =
  'No appID found.  Either launch the game from Steam, or put the file steam_appid.txt containing the correct appID in your game folder.';

/** Stage of ours, Steam's code and text. The first is without an app id, for once it is set it stays. */
const FAILURES: readonly [FailureStage, string, number | null, string | RegExp][] = [
  ['none', 'init', 1, NO_APP_ID],
  ['interface', 'init', 1, 'No SteamClient021'],
  ['pipe', 'init', 2, 'Cannot create IPC pipe to Steam client process.  Steam is probably not running.'],
  ['user', 'init', 1, 'ConnectToGlobalUser failed.'],
  ['version', 'init', 3, 'No SteamUser023'],
  ['accessor', 'interface', null, 'the Steam client does not offer SteamUser023'],
];

function failsOf(steam: AddonSteam): readonly unknown[] {
  const outcomes = FAILURES.map(([stage]) => {
    steam.controls.fail(stage);
    const opened = openRealSteam(
      stage === 'none' ? { library: steam.library } : { library: steam.library, appId: 480 },
    );
    if (opened.kind === 'open') return 'open';
    return [stage, opened.stage, opened.code, opened.text];
  });
  steam.controls.fail('none');
  return outcomes;
}

t.test('each failure inside Steam is reported with its stage, code and words', { skip }, async (t) => {
  t.same(failsOf(steams.newest), FAILURES, 'stand-in');
  if (steams.real === null) return;
  delete process.env.SteamAppId;
  delete process.env.SteamGameId;
  t.same(failsOf(steams.real), FAILURES, 'real');
});

t.test('where Steam gives no reason, whether it runs is told', { skip }, async (t) => {
  const old = steams.all[0]!;
  old.controls.fail('pipe');
  t.match(openRealSteam({ library: old.library, appId: 480 }), {
    kind: 'failed',
    stage: 'init',
    code: null,
    text: 'SteamAPI_InitSafe failed and gave no reason; Steam is not running',
  });
  old.controls.fail('user');
  t.match(openRealSteam({ library: old.library, appId: 480 }), {
    text: 'SteamAPI_InitSafe failed and gave no reason; Steam is running',
  });
  old.controls.fail('none');
});

t.test('a Steam that failed to open can be opened when the reason is gone', { skip }, async (t) => {
  for (const steam of steams.all) {
    steam.controls.fail('pipe');
    t.equal(openRealSteam({ library: steam.library, appId: 480 }).kind, 'failed', steam.name);
    steam.controls.fail('none');
    const opened = openSteam(steam);
    t.equal(opened.getSteamID() > 0n, true, steam.name);
    opened.close();
  }
});

t.test(
  'a Steam that somebody else in the process has initialised is refused, and left alone',
  { skip },
  async (t) => {
    // Another copy of the file is another addon to the loader: two packages of a game may each bring one.
    const folder = mkdtempSync(join(tmpdir(), 'hotmic-copy-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const copy = join(folder, 'hotmic.node');
    copyFileSync(addonFile(), copy);
    const other = createRequire(import.meta.url)(copy) as SteamAddon;
    for (const steam of [steams.newest, steams.real]) {
      if (steam === null) continue;
      t.equal(other.init(steam.library, 480).stage, 'open');
      const refused = openRealSteam({ library: steam.library, appId: 480 });
      t.match(refused, { kind: 'failed', stage: 'dispatch', code: null, text: /initialised already/ });
      t.equal(other.getSteamID() > 0n, true, 'the other has it still');
      other.close();
      openSteam(steam).close();
    }
  },
);

t.test('after a missing interface Steam is shut down again', { skip }, async (t) => {
  const { controls, library } = steams.newest;
  controls.fail('accessor');
  const before = controls.counts();
  t.match(openRealSteam({ library, appId: 480 }), { kind: 'failed', stage: 'interface' });
  controls.fail('none');
  t.match(controls.counts(), { open: 0, inits: before.inits + 1, shutdowns: before.shutdowns + 1 });
});

t.test('the newest interface and the entry point that checks it are taken', { skip }, async (t) => {
  const expected: Record<string, readonly string[]> = {
    sdk152: ['SteamUser021', 'SteamAPI_InitSafe'],
    v022: ['SteamUser022', 'SteamAPI_InitSafe'],
    sdk157: ['SteamUser023', 'SteamAPI_InitSafe'],
    sdk158a: ['SteamUser023', 'SteamInternal_SteamAPI_Init'],
    sdk160: ['SteamUser023', 'SteamInternal_SteamAPI_Init'],
    real: ['SteamUser023', 'SteamInternal_SteamAPI_Init'],
  };
  for (const { name, library } of steams.all) {
    const opened = openRealSteam({ library, appId: 480 });
    if (opened.kind !== 'open') throw new Error(`${name}: ${opened.text}`);
    t.equal(opened.library, library, name);
    t.same([opened.interfaceVersion, opened.entryPoint], expected[name], name);
    opened.steam.close();
  }
});

t.test("the app id is set in the process' own environment before Steam looks", { skip }, async (t) => {
  const opened = openRealSteam({ library: steams.newest.library, appId: 4711 });
  t.equal(steams.newest.controls.state().app, 4711);
  t.equal(steams.newest.controls.run('env SteamGameId'), '4711');
  t.equal(opened.kind === 'open' && opened.steam.close(), undefined);
});

t.test('a hundred times opened and closed', { skip }, async (t) => {
  for (const steam of steams.all) {
    const before = steam.controls.counts();
    // The real library writes to stderr with each: the stand-ins' own test has its hundred.
    const rounds = steam === steams.real ? 3 : 100;
    for (let round = 0; round < rounds; round++) {
      const opened = openSteam(steam);
      opened.getAuthSessionTicket(0n);
      if (opened.runCallbacks().length !== 1) t.fail(`${steam.name}, round ${round}`);
      opened.close();
    }
    const { inits, shutdowns, ticketsLive } = steam.controls.counts();
    t.same(
      [inits - before.inits, shutdowns - before.shutdowns, ticketsLive],
      [rounds, rounds, 0],
      steam.name,
    );
  }
});

t.test(
  'who opens it again is attached to the same Steam, and the last to close shuts it down',
  { skip },
  async (t) => {
    const { controls } = steams.newest;
    const { inits, shutdowns } = controls.counts();
    const first = openSteam(steams.newest);
    const opened = openRealSteam();
    if (opened.kind !== 'open') throw new Error(opened.text);
    t.equal(opened.library, steams.newest.library, 'without a path it is the one that is open');
    t.equal(controls.counts().inits, inits + 1);
    first.close();
    t.throws(() => first.getSteamID(), { code: 'ERR_HOTMIC_STEAM_CLOSED' });
    t.equal(opened.steam.loggedOn(), true);
    t.equal(controls.counts().shutdowns, shutdowns);
    opened.steam.close();
    t.match(controls.counts(), { shutdowns: shutdowns + 1, open: 0 });
    t.match(steams.addon.counts(), { environments: 0, library: null });
  },
);

t.test('another library, or another app id, is refused while Steam is open', { skip }, async (t) => {
  const steam = openSteam(steams.newest);
  const other = steams.all[0]!.library;
  t.same(openRealSteam({ library: other }), {
    kind: 'failed',
    stage: 'library',
    code: null,
    text: `${steams.newest.library} is open in this process already; close it before another is opened`,
    library: other,
  });
  t.match(openRealSteam({ library: steams.newest.library, appId: 481 }), {
    kind: 'failed',
    stage: 'init',
    code: null,
    text: 'Steam is open in this process already, for app id 480',
  });
  t.equal(steam.loggedOn(), true);
  steam.close();
});

t.test('what a thread holds ends when it closes: tickets, sessions, the recording', { skip }, async (t) => {
  for (const steam of steams.all) {
    const opened = openSteam(steam);
    const cancelledBefore = steam.controls.counts().ticketsCancelled;
    for (let round = 0; round < 5; round++) opened.getAuthSessionTicket(0n);
    opened.cancelAuthTicket(opened.getAuthSessionTicket(0n).id);
    const friend = 76561197960265729n;
    t.equal(opened.beginAuthSession(steam.controls.ticketOf(friend), friend), 0);
    opened.startVoiceRecording();
    t.match(steams.addon.counts(), { environments: 1, tickets: 5, sessions: 1, untracked: 0 });
    t.match(steam.controls.counts(), { ticketsLive: 5, sessionsLive: 1, recording: 1 });
    opened.close();
    const after = steam.controls.counts();
    t.match(after, { ticketsLive: 0, sessionsLive: 0, recording: 0 }, steam.name);
    t.equal(after.ticketsCancelled, cancelledBefore + 6, `${steam.name}: each was cancelled`);
  }
});

t.test("the capture worker's door opens Steam, or throws its stage and words", { skip }, async (t) => {
  const { library, controls } = steams.newest;
  const source = openVoiceSource({ library, appId: 480 }, () => 0);
  controls.repeatVoice(100);
  source.startVoiceRecording();
  t.equal(source.getVoiceInto(new Uint8Array(8192)), 100);
  t.equal(source.inputEnded, false);
  source.close();
  controls.reset();
  t.throws(() => openVoiceSource({ library: '/nowhere/libsteam_api.so' }, () => 0), {
    code: 'ERR_HOTMIC_STEAM',
    stage: 'library',
    message: /the option library names \/nowhere\/libsteam_api\.so, which is not a file/,
  });
});

t.test('the library that HOTMIC_STEAM_LIBRARY names is opened', { skip }, async (t) => {
  process.env.HOTMIC_STEAM_LIBRARY = steams.newest.library;
  t.teardown(() => delete process.env.HOTMIC_STEAM_LIBRARY);
  const opened = openRealSteam({ appId: 480 });
  t.match(opened, { kind: 'open', library: steams.newest.library });
  if (opened.kind === 'open') opened.steam.close();
});
