/** openSteam: which Steam one gets, why, and what a capture records from it. */

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startCapture } from '../../native/capture/capture.js';
import * as door from '../../native/index.js';
import { EmbeddedWorld, openSteam, Result } from '../../native/index.js';
import { CaptureTag, captureKind } from '../../voice/capture_tag.js';
import { hexOfBytes } from '../kit/hex.js';
import type { FailureStage } from '../kit/stand_in_controls.js';
import { type AddonSteams, addonSteams } from './real/addon_steams.js';

const got = await addonSteams();
const skip = typeof got === 'string' ? got : false;
const steams = got as AddonSteams;
t.teardown(() => typeof got !== 'string' && got.remove());

const NOWHERE = '/nowhere/libsteam_api.so';

t.test('without Steam, never throws an error that names the stage and what to do', async (t) => {
  t.throws(() => openSteam({ embedded: 'never', library: NOWHERE }), {
    name: 'HotmicError',
    code: 'ERR_HOTMIC_STEAM',
    stage: /^(library|addon)$/,
    message: /^Cannot open Steam: .*(HOTMIC_STEAM_LIBRARY|npm run addon)/,
  });
});

t.test('without Steam, fallback opens the embedded one, and says why it is not the real one', async (t) => {
  const steam = openSteam({ appId: 4711, frameMs: 0 });
  t.equal(steam.kind, 'embedded');
  t.match(steam.report.why, /^the embedded Steam, because the real one cannot be opened: /);
  t.match(steam.report.failure?.stage, /library|addon/);
  t.equal(steam.user.getSteamID(), 76561197960265729n);
  t.equal(steam.user.loggedOn(), true);
  steam.close();
});

t.test('a named library that does not exist is an error with fallback, too', { skip }, async (t) => {
  t.throws(() => openSteam({ library: NOWHERE }), { code: 'ERR_HOTMIC_STEAM', stage: 'library' });
  process.env.HOTMIC_STEAM_LIBRARY = NOWHERE;
  t.throws(() => openSteam(), {
    code: 'ERR_HOTMIC_STEAM',
    message: /HOTMIC_STEAM_LIBRARY names .*, which is not a file/,
  });
  delete process.env.HOTMIC_STEAM_LIBRARY;
});

t.test('in production nothing replaces Steam unless the game asks for it', async (t) => {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  t.teardown(() => {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  });
  t.throws(() => openSteam(), { code: 'ERR_HOTMIC_STEAM' });
  const steam = openSteam({ embedded: 'fallback', frameMs: 0 });
  t.equal(steam.kind, 'embedded');
  steam.close();
});

/** Runs a module of a user of this package in a separate process. */
function runScript(script: string, env: Record<string, string> = {}, folder = process.cwd()) {
  // On Node 26 tap sets NODE_OPTIONS to --no-warnings.
  const { NODE_ENV: _, HOTMIC_STEAM_LIBRARY: __, NODE_OPTIONS: ___, ...environment } = process.env;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: folder,
    env: { ...environment, ...env },
  });
}

t.test('a fallback to the embedded Steam prints one warning, which says why and what to do', async (t) => {
  const { status, stdout, stderr } = runScript(`
    import { openSteam } from 'hotmic/steam';
    for (let n = 0; n < 3; n++) openSteam().close();
    openSteam({ embedded: 'fallback' }).close();`);
  t.equal(status, 0, stderr);
  t.equal(stdout, '');
  t.equal(stderr.split('HOTMIC_EMBEDDED_STEAM').length, 2, 'once');
  t.match(
    stderr,
    /HotmicWarning: Steam could not be opened, so the embedded Steam is used: .*(Copy it|compile it with)/,
  );
  t.match(stderr, /"always".*"never"/);
});

t.test('an embedded Steam that the game asked for prints no warning', async (t) => {
  const { stderr } = runScript(`
    import { openSteam } from 'hotmic/steam';
    openSteam({ embedded: 'always' }).close();`);
  t.equal(stderr, '');
});

t.test('under node_modules the default is never, except in development', async (t) => {
  const folder = t.testdir({ 'package.json': '{}', node_modules: { hotmic: {} } });
  const hotmic = join(folder, 'node_modules/hotmic');
  cpSync('package.json', join(hotmic, 'package.json'));
  cpSync('dist', join(hotmic, 'dist'), { recursive: true, filter: (path) => !path.startsWith('dist/test') });
  cpSync('wasm/pkg', join(hotmic, 'wasm/pkg'), { recursive: true });
  for (const name of readdirSync('node_modules')) {
    if (!existsSync(join(folder, 'node_modules', name))) {
      symlinkSync(join(process.cwd(), 'node_modules', name), join(folder, 'node_modules', name));
    }
  }
  const script = `
    import { openSteam } from 'hotmic/steam';
    try {
      const steam = openSteam();
      console.log(steam.kind);
      steam.close();
    } catch (error) {
      console.log(error.code, error.message);
    }`;
  const installed = runScript(script, {}, folder);
  t.match(installed.stdout, /^ERR_HOTMIC_STEAM .*NODE_ENV=development/, installed.stderr);
  t.equal(runScript(script, { NODE_ENV: 'development' }, folder).stdout, 'embedded\n');
  const asked = runScript(script.replace('openSteam()', "openSteam({ embedded: 'fallback' })"), {}, folder);
  t.equal(asked.stdout, 'embedded\n');
});

t.test('a second Steam beside the open one is an error, not an embedded one', { skip }, async (t) => {
  const { library } = steams.newest;
  const steam = openSteam({ library, appId: 480, frameMs: 0 });
  t.teardown(() => steam.close());
  t.throws(() => openSteam({ appId: 481 }), {
    code: 'ERR_HOTMIC_STEAM',
    message: /one process has one Steam/,
  });
  t.throws(() => openSteam({ library: steams.all[0]!.library }), {
    message: /another libsteam_api is in use/,
  });
});

t.test('always does not look for the real one', async (t) => {
  const steamId = 76561197960287930n;
  const steam = openSteam({ embedded: 'always', library: NOWHERE, embeddedOptions: { steamId }, frameMs: 0 });
  t.match(steam.report, { kind: 'embedded', why: 'the embedded Steam, as asked for', failure: null });
  t.equal(steam.user.getSteamID(), steamId);
  steam.close();
});

t.test(
  'the embedded Steam behind it is accessible, and its controls reach listeners and promises',
  async (t) => {
    const world = new EmbeddedWorld();
    const open = (steamId: bigint) =>
      openSteam({ embedded: 'always', frameMs: 0, embeddedOptions: { steamId }, embeddedRim: { world } });
    const ada = open(76561197960265729n);
    const ben = open(76561197960265730n);
    const lost: number[] = [];
    ada.user.on('steam_server_disconnected', ({ result }) => lost.push(result));

    ada.embedded?.controls.answerNext({ kind: 'auth-ticket', result: Result.RESULT_LIMIT_EXCEEDED });
    const refused = t.rejects(ada.getAuthTicketForWebApi('hotmic'), {
      message: /answers RESULT_LIMIT_EXCEEDED \(25\)/,
    });
    ada.runCallbacks();
    await refused;

    const { buffer } = ada.user.getAuthSessionTicket();
    ada.embedded?.controls.loseConnection(Result.RESULT_NO_CONNECTION);
    ada.runCallbacks();
    t.same(lost, [Result.RESULT_NO_CONNECTION]);
    const judged = ben.beginAuthSession(buffer, ada.user.getSteamID());
    const offline = t.rejects(
      judged,
      { message: /USER_NOT_CONNECTED_TO_STEAM/ },
      'both are in one world: Ben learns that Ada is offline',
    );
    ben.runCallbacks();
    await offline;
    ada.close();
    ben.close();
  },
);

const withoutPipes =
  spawnSync('mkfifo', ['--version']).status === 0 ? false : 'there is no mkfifo on this machine';

t.test(
  'a pipe is left to the capture, until this Steam records itself',
  { skip: withoutPipes },
  async (t) => {
    const path = join(t.testdir(), 'pipe');
    spawnSync('mkfifo', [path]);
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    t.teardown(() => closeSync(fd));
    const said = Buffer.alloc(24_000, 7);
    writeSync(fd, said);
    const input = { kind: 'pcm', path } as const;
    const steam = openSteam({ embedded: 'always', frameMs: 0, embeddedOptions: { input } });
    for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve));
    t.equal(readSync(fd, Buffer.alloc(48_000)), said.length, 'all of it is still there');

    writeSync(fd, said);
    for await (const packet of steam.recordVoice()) {
      t.ok(packet.length > 0);
      break;
    }
    t.throws(() => readSync(fd, Buffer.alloc(1)), { code: 'EAGAIN' }, 'and was heard');
    steam.close();
  },
);

t.test('a live pipe that is opened at key-down has no old sound', { skip: withoutPipes }, async (t) => {
  const path = join(t.testdir(), 'pipe');
  spawnSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(fd));
  writeSync(fd, Buffer.alloc(40_000, 7));
  const input = { kind: 'pcm', path, live: true } as const;
  const steam = openSteam({ embedded: 'always', frameMs: 0, embeddedOptions: { input } });
  steam.user.startVoiceRecording();
  t.throws(() => readSync(fd, Buffer.alloc(1)), { code: 'EAGAIN' }, 'it was dropped at once');
  steam.close();
});

t.test('a script of node -e captures like any other', async (t) => {
  const script = `
    import { openSteam, startCapture } from 'hotmic/steam';
    const steam = openSteam({ embedded: 'always' });
    const capture = await startCapture({ steam: steam.capture });
    console.log(await capture.close(), capture.steamId === steam.user.getSteamID()); steam.close();`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  t.equal(status, 0, stderr);
  t.match(stdout, /packets: 0.*true/s);
});

t.test('the entry point hotmic/steam exports these values, and no others', async (t) => {
  t.same(Object.keys(door).sort(), [
    'AuthSessionResponse',
    'BeginAuthSessionResult',
    'DenyReason',
    'DurationControlNotification',
    'DurationControlOnlineState',
    'DurationControlProgress',
    'EmbeddedSteam',
    'EmbeddedWorld',
    'FailureType',
    'MarketNotAllowedReasonFlags',
    'Result',
    'SIGNAL_NAMES',
    'SteamCallError',
    'SteamOpenError',
    'UserHasLicenseForAppResult',
    'VoiceResult',
    'embeddedSteam',
    'explainFailure',
    'notificationVerbal',
    'openSteam',
    'realSteam',
    'startCapture',
  ]);
});

t.test('wrong options are named', async (t) => {
  const open = (options: object) => () => openSteam(options as Parameters<typeof openSteam>[0]).close();
  t.throws(open({ embeded: 'never' }), { name: 'TypeError', message: /unknown option "embeded"/ });
  t.throws(open({ embedded: 'maybe' }), { name: 'TypeError', message: /embedded is maybe/ });
  t.throws(open({ appId: 0 }), { name: 'RangeError', message: /appId is 0, expected 1 to 4294967295/ });
  t.throws(open({ frameMs: 0.5 }), { name: 'RangeError', message: /frameMs is 0.5/ });
});

t.test('its own timer brings what a promise waits for, and stops with it', async (t) => {
  const steam = openSteam({ embedded: 'always', frameMs: 1 });
  t.teardown(() => steam.close());
  const ticket = await steam.getAuthTicketForWebApi('hotmic');
  t.ok(ticket.bytes.length > 0);
});

/** What each of Steam's own failures comes out as: the reason, its text, what to do. */
const FAILURES: readonly [FailureStage, RegExp][] = [
  ['interface', /Steam is older than this libsteam_api \(“No SteamClient021”\).*Update Steam/],
  ['pipe', /Steam is not running \(“Cannot create IPC pipe .*”\).*Start Steam/],
  ['user', /nobody is logged in to Steam \(“ConnectToGlobalUser failed\.”\).*Log in/],
  ['version', /Steam is older than this libsteam_api \(“No SteamUser023”\).*Update Steam/],
  ['accessor', /Steam has no ISteamUser of this version.*Update Steam/],
];

t.test("each failure of Steam's own comes with its reason and what to do", { skip }, async (t) => {
  delete process.env.SteamAppId;
  delete process.env.SteamGameId;
  for (const { name, library, controls } of [steams.newest, ...(steams.real ? [steams.real] : [])]) {
    const open = (appId?: number) => () =>
      openSteam({ embedded: 'never', library, ...(appId === undefined ? {} : { appId }) }).close();
    t.throws(
      open(),
      { message: /no app id \(“No appID found\..*”\).*Pass an appId to openSteam/ },
      `${name}: app id`,
    );
    for (const [stage, message] of FAILURES) {
      controls.fail(stage);
      t.throws(open(480), { code: 'ERR_HOTMIC_STEAM', message }, `${name}: ${stage}`);
    }
    controls.fail('none');
    delete process.env.SteamAppId;
    delete process.env.SteamGameId;
  }
});

t.test('before SDK 1.58a Steam gives no reason, and the error says what is known', { skip }, async (t) => {
  const old = steams.all[0]!;
  old.controls.fail('pipe');
  t.throws(() => openSteam({ embedded: 'never', library: old.library, appId: 480 }), {
    message: /Steam is not running .*Start Steam/,
  });
  old.controls.fail('user');
  t.throws(() => openSteam({ embedded: 'never', library: old.library, appId: 480 }), {
    message: /Steam refused.*Check that Steam runs as this user/,
  });
  old.controls.fail('none');
});

for (const thread of ['worker', 'caller'] as const) {
  t.test(`a capture on the ${thread}'s thread records from the open Steam`, { skip }, async (t) => {
    for (const { name, library, controls } of [steams.newest, ...(steams.real ? [steams.real] : [])]) {
      const steam = openSteam({ embedded: 'never', library, appId: 480, frameMs: 0 });
      t.match(steam.report, { kind: 'real', library, interfaceVersion: 'SteamUser023' });
      controls.reset();
      controls.lingerVoice(2);
      const capture = await startCapture({ steam: steam.capture, thread, frameHz: 1000 });
      t.equal(capture.steamId, steam.user.getSteamID());
      const packets = Array.from({ length: 20 }, (_, n) => controls.run(`voice make ${60 + 40 * n} ${n}`));
      capture.startVoiceRecording();
      for (const packet of packets) controls.run(`voice queue ${packet}`);
      const read: string[] = [];
      let isEnded = false;
      while (!isEnded) {
        const entry = capture.ring.read();
        if (entry === null) {
          await capture.ring.waitAsync(1000);
          continue;
        }
        if (captureKind(entry.tag) === CaptureTag.end) isEnded = true;
        else read.push(hexOfBytes(entry.bytes));
        capture.ring.release();
        if (read.length === 10) capture.stopVoiceRecording();
      }
      t.same(read, packets, `${name}: byte for byte, the tail too`);
      t.match(await capture.close(), { packets: 20, tooLarge: 0 });
      t.equal(steam.user.getVoice().result, 2, 'Steam itself is still open');
      steam.close();
    }
  });
}
