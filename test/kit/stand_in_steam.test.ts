/** The stand-ins for Steam's libraries themselves: driven from C++, compared with the real libsteam_api, then from JavaScript. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { readPacket } from '../../voice/packet.js';
import { SILENCE_PACKET } from './golden_packets.js';
import { bytesOfHex, hexOfBytes } from './hex.js';
import { StandInControls } from './stand_in_controls.js';
import {
  buildStandIns,
  realLibrary,
  STAND_IN_VARIANTS,
  type StandInHome,
  type StandIns,
  type StandInVariant,
  standInHome,
} from './stand_in_steam.js';

const built = await buildStandIns();
const real = realLibrary();
const skip = built.kind === 'skipped' ? built.reason : false;
const skipReal = skip || (real.kind === 'skipped' && real.reason);
const standIns = built as StandIns;

interface Ran {
  readonly code: number | null;
  readonly signal: string | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** Runs the harness; `env` over an environment with an app id and nothing else of Steam. */
function harness(args: readonly string[], env: Record<string, string | undefined> = {}): Promise<Ran> {
  const clean = { ...process.env, SteamAppId: '480', HOTMIC_STAND_IN_FAIL: undefined, ...env };
  return new Promise((resolve) => {
    const child = execFile(standIns.harness, args, { env: clean }, (_error, stdout, stderr) => {
      resolve({
        code: child.exitCode,
        signal: child.signalCode,
        lines: stdout.trimEnd().split('\n'),
        errors: stderr.slice(-400),
      });
    });
  });
}

/** Runs the harness on the real library with our steamclient.so. */
async function harnessOnReal(
  [mode = '', ...args]: readonly string[],
  env: Record<string, string | undefined> = {},
  client: 'stand-in' | 'none' = 'stand-in',
): Promise<Ran & { readonly home: StandInHome }> {
  const home = standInHome(standIns, client);
  try {
    const path = real.kind === 'there' ? real.path : '';
    const ran = await harness([mode, path, home.steamclient, ...args], { HOME: home.path, ...env });
    return { ...ran, home };
  } finally {
    home.remove();
  }
}

const onStandIn = (variant: StandInVariant, [mode = '', ...args]: readonly string[], env = {}) =>
  harness([mode, standIns.libraries[variant], standIns.libraries[variant], ...args], env);

t.test('each stand-in exports what its SDK has and no more', { skip }, async (t) => {
  const varying = [
    'SteamAPI_Init',
    'SteamAPI_InitSafe',
    'SteamInternal_SteamAPI_Init',
    'SteamAPI_InitFlat',
    'SteamAPI_SteamUser_v021',
    'SteamAPI_SteamUser_v022',
    'SteamAPI_SteamUser_v023',
    'SteamAPI_ISteamUser_GetAuthTicketForWebApi',
  ];
  const expected: Record<StandInVariant, readonly number[]> = {
    sdk152: [0, 1, 4],
    v022: [0, 1, 5],
    sdk157: [0, 1, 6, 7],
    sdk158a: [1, 2, 6, 7],
    sdk160: [1, 2, 3, 6, 7],
  };
  for (const variant of STAND_IN_VARIANTS) {
    const { lines } = await harness(['symbols', standIns.libraries[variant], ...varying]);
    t.same(
      lines,
      expected[variant].map((index) => varying[index]),
      variant,
    );
  }
});

t.test(
  'a whole session is the same on the stand-in and on the real library',
  { skip: skipReal },
  async (t) => {
    const ours = await onStandIn('sdk160', ['session']);
    const theirs = await harnessOnReal(['session']);
    t.equal(ours.code, 0, ours.errors);
    t.equal(theirs.code, 0, theirs.errors);
    t.same(ours.lines, theirs.lines);
    t.ok(ours.lines.includes('ticket 90000001 of 234 bytes'), 'and a session it was');
    t.ok(ours.lines.includes('after stop 2'));
  },
);

t.test('a whole session goes through on every stand-in', { skip }, async (t) => {
  const newest = await onStandIn('sdk160', ['session']);
  for (const variant of STAND_IN_VARIANTS) {
    const { code, lines, errors } = await onStandIn(variant, ['session']);
    t.equal(code, 0, `${variant} ${errors}`);
    const hasWebTickets = variant !== 'sdk152' && variant !== 'v022';
    if (hasWebTickets) t.same(lines, newest.lines, variant);
    else t.equal(lines.length, newest.lines.length - 2, `${variant} has no web ticket and no callback of it`);
    const state = JSON.parse(lines.find((line) => line.startsWith('{'))!);
    t.equal(
      state.remoteSteamId,
      variant === 'sdk152' ? '0' : '76561197960265999',
      `${variant}'s remote identity`,
    );
  }
});

/** Stage, result code and Steam's text. */
const FAILURES = [
  ['interface', 1, 'No SteamClient021'],
  ['pipe', 2, 'Cannot create IPC pipe to Steam client process.  Steam is probably not running.'],
  ['user', 1, 'ConnectToGlobalUser failed.'],
  [
    'app-id',
    1,
    'No appID found.  Either launch the game from Steam, or put the file steam_appid.txt containing the correct appID in your game folder.',
  ],
  ['version', 3, 'No SteamUser023'],
] as const;

for (const [stage, code, text] of FAILURES) {
  t.test(
    `initialisation that fails at the ${stage} says so in Steam's words`,
    { skip: skipReal },
    async (t) => {
      const env = { HOTMIC_STAND_IN_FAIL: stage };
      const expected = [
        `InitFlat ${code} "${text}" accessor null`,
        `Internal ${code} "${text}" accessor null`,
        'InitSafe 0 "" accessor null',
      ];
      t.same((await harnessOnReal(['init'], env)).lines, expected, 'real');
      t.same((await onStandIn('sdk160', ['init'], env)).lines, expected, 'stand-in');
    },
  );
}

t.test('without steamclient.so the code is 1 and the text names the file', { skip: skipReal }, async (t) => {
  const { lines, home } = await harnessOnReal(['init'], {}, 'none');
  const text = (folder: string) =>
    `InitFlat 1 "Failed to load module '${folder}/.steam/sdk64/steamclient.so'" accessor null`;
  t.equal(lines[0], text(home.path));
  const env = { HOTMIC_STAND_IN_FAIL: 'module', HOME: '/home/nobody' };
  t.equal((await onStandIn('sdk160', ['init'], env)).lines[0], text('/home/nobody'));
});

t.test('no SteamAppId and no steam_appid.txt is the failure of the app id', { skip: skipReal }, async (t) => {
  const env = { SteamAppId: undefined };
  const theirs = await harnessOnReal(['init'], env);
  t.match(theirs.lines[0], /^InitFlat 1 "No appID found\./);
  t.same((await onStandIn('sdk160', ['init'], env)).lines, theirs.lines);
});

t.test(
  'initialised, with no ISteamUser: what an old Steam client looks like',
  { skip: skipReal },
  async (t) => {
    const env = { HOTMIC_STAND_IN_FAIL: 'accessor' };
    const expected = [
      'InitFlat 0 "" accessor null',
      'Internal 0 "" accessor null',
      'InitSafe 1 "" accessor null',
    ];
    t.same((await harnessOnReal(['init'], env)).lines, expected, 'real');
    t.same((await onStandIn('sdk160', ['init'], env)).lines, expected, 'stand-in');
  },
);

t.test('initialising and shutting down works a hundred times', { skip }, async (t) => {
  const check = (ran: Ran, name: string) => {
    t.equal(ran.code, 0, `${name} ${ran.errors}`);
    const state = JSON.parse(ran.lines.at(-1)!);
    t.match(state, { inits: 100, shutdowns: 100, frames: 100, callbacksWaiting: 0 }, name);
  };
  for (const variant of STAND_IN_VARIANTS) check(await onStandIn(variant, ['cycles', '100']), variant);
  if (!skipReal) check(await harnessOnReal(['cycles', '100']), 'real');
});

t.test('eight threads get voice while the main thread dispatches', { skip }, async (t) => {
  const check = (ran: Ran, name: string) => {
    t.equal(ran.code, 0, `${name} ${ran.errors}`);
    const state = JSON.parse(ran.lines.at(-1)!);
    t.match(
      state,
      { getVoice: 16_000, voiceThreads: 8, dispatchThreads: 1, threadMemoryReleased: 160 },
      name,
    );
  };
  check(await onStandIn('sdk160', ['threads', '2000']), 'stand-in');
  if (!skipReal) check(await harnessOnReal(['threads', '2000']), 'real');
});

t.test('what the real Steam would not survive ends the process with a message', { skip }, async (t) => {
  const cases = [
    ['null', 'ISteamUser is NULL'],
    ['late', 'after shutdown'],
    ['stale', 'before the last shutdown'],
    ['next-twice', 'GetNextCallback before FreeLastCallback'],
    ['free-twice', 'FreeLastCallback without a callback'],
  ] as const;
  for (const [what, message] of cases) {
    const ours = await onStandIn('sdk160', ['misuse', what]);
    t.equal(ours.signal, 'SIGABRT', what);
    t.match(ours.errors, `misuse: `);
    t.match(ours.errors, message);
    if (skipReal || what === 'null') continue;
    const theirs = await harnessOnReal(['misuse', what]);
    t.equal(theirs.signal, 'SIGABRT', `${what}, real`);
    t.match(theirs.errors, message);
  }
});

t.test('the controls reach the fake client of one library and no other', { skip }, async (t) => {
  const one = new StandInControls(standIns.control, standIns.libraries.sdk157);
  const other = new StandInControls(standIns.control, standIns.libraries.sdk160);
  one.queueVoice([SILENCE_PACKET]);
  t.equal(one.counts().voiceQueued, 1);
  t.equal(other.counts().voiceQueued, 0);
  one.reset();
  t.equal(one.counts().voiceQueued, 0);
  t.throws(() => one.run('sing'), /not understood: sing/);
  t.throws(() => standIns.control('/nowhere.so', 'state'), /Cannot control a stand-in/);
});

t.test(
  'a packet that a stand-in makes is a whole Steam Voice packet of the length asked for',
  { skip },
  async (t) => {
    const controls = new StandInControls(standIns.control, standIns.libraries.sdk160);
    for (const bytes of [23, 100, 700, 8192]) {
      const packet = bytesOfHex(controls.run(`voice make ${bytes} 65535`));
      t.equal(packet.length, bytes);
      t.equal(readPacket(packet).kind, 'packet', hexOfBytes(packet.subarray(0, 30)));
    }
    t.throws(() => controls.repeatVoice(22));
  },
);

t.test(
  'the environment set on the main thread is the one native code sees; a worker’s is not',
  { skip },
  async (t) => {
    const library = standIns.libraries.sdk160;
    const controls = new StandInControls(standIns.control, library);
    process.env.HOTMIC_STAND_IN_TEST = 'main';
    t.equal(controls.run('env HOTMIC_STAND_IN_TEST'), 'main');
    const worker = new Worker("process.env.HOTMIC_STAND_IN_TEST = 'worker'", { eval: true });
    await once(worker, 'exit');
    t.equal(controls.run('env HOTMIC_STAND_IN_TEST'), 'main');
    delete process.env.HOTMIC_STAND_IN_TEST;
    t.equal(controls.run('env HOTMIC_STAND_IN_TEST'), '');
  },
);
