/** The stand-ins for Steam's libraries themselves: driven from C++, compared with the real libsteam_api, then from JavaScript. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { readPacket } from '../../voice/packet.js';
import { broadcastPayload } from './broadcast_payload.js';
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
    const ran = await harness([mode, path, home.steamclient, ...args], { ...home.environment, ...env });
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
      variant === 'sdk152' ? '0' : '76561197960265729',
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

t.test('each broadcast has the number and the size of Steam’s struct', async (t) => {
  const duration = {
    app_id: 480,
    applicable: true,
    seconds_last_5hrs: 1,
    progress: 2,
    notification: 3,
    notification_verbal: '',
    seconds_today: 4,
    seconds_remaining: 5,
  };
  const written = [
    broadcastPayload('steam_server_connected', {}),
    broadcastPayload('steam_server_connect_failed', { result: 3, retrying: true }),
    broadcastPayload('steam_server_disconnected', { result: 3 }),
    broadcastPayload('client_game_server_deny', {
      app_id: 480,
      server_ip: '127.0.0.1',
      server_port: 27015,
      secure: 1,
      reason: 4,
    }),
    broadcastPayload('ipc_failure', { type: 1 }),
    broadcastPayload('licenses_updated', {}),
    broadcastPayload('validate_auth_ticket_response', { auth_id: 1n, response: 2, owner_id: 3n }),
    broadcastPayload('microtransaction_auth_response', { app_id: 480, order_id: 7n, authorized: true }),
    broadcastPayload('get_auth_session_ticket_response', { auth_ticket: 9, result: 1 }),
    broadcastPayload('game_web_callback', { url: 'https://game.invalid/' }),
    broadcastPayload('duration_control', { result: 1, duration }),
    broadcastPayload('get_ticket_for_web_api', {
      auth_ticket: 9,
      result: 1,
      ticket_size: 2,
      ticket_buffer: new Uint8Array(2),
    }),
  ];
  const microtransaction = process.platform === 'win32' ? 24 : 16;
  t.same(
    written.map(({ id, payload }) => [id, payload.length]),
    [
      [101, 1],
      [102, 8],
      [103, 4],
      [113, 16],
      [117, 1],
      [125, 1],
      [143, 20],
      [152, microtransaction],
      [163, 8],
      [164, 256],
      [167, 32],
      [168, 2572],
    ],
  );
  t.equal(
    hexOfBytes(written[3]!.payload),
    'e00100000100007f87690100' + '04000000',
    '127.0.0.1 in host order',
  );
  t.equal(hexOfBytes(written[6]!.payload), '0100000000000000' + '02000000' + '0300000000000000');
});

t.test('every control is understood, and what it sends waits for the next frame', { skip }, async (t) => {
  const controls = new StandInControls(standIns.control, standIns.libraries.sdk157);
  controls.reset();
  controls.setAccount({
    steamLevel: 7,
    badges: [{ series: 1, foil: true, level: 1 }],
    phoneVerified: true,
    phoneIdentifying: true,
    phoneRequiringVerification: true,
    twoFactorEnabled: true,
    behindNat: true,
    market: {
      is_allowed: false,
      disallow_reason: 8,
      allowed_at_time: 1_700_000_000,
      steam_guard_required_days: 1,
      new_device_cooldown: 2,
    },
    duration: {
      applicable: true,
      seconds_last_5hrs: 1,
      progress: 1,
      notification: 1,
      seconds_today: 1,
      seconds_remaining: 1,
    },
  });
  controls.setLicense(481, 'owned', 76561197960265730n);
  t.equal(controls.counts().callbacksWaiting, 0, 'nothing of it is told');
  controls.setLicense(481, 'not-owned');
  controls.loseConnection(3);
  t.equal(controls.counts().loggedOn, 0);
  controls.restoreConnection();
  t.equal(controls.counts().loggedOn, 1);
  t.equal(controls.counts().callbacksWaiting, 3, 'licenses, lost, restored: each once');
  controls.answerNext({ kind: 'begin-auth-session', result: 4 });
  controls.answerNext({ kind: 'validation', response: 3, ownerId: 76561197960265730n });
  controls.answerNext({ kind: 'auth-ticket', result: 2 });
  controls.answerNext({ kind: 'encrypted-ticket', result: 25 });
  controls.answerNext({ kind: 'call-failure' });
  controls.refuseNextCall();
  controls.answerNextCallWith(new Uint8Array(3));
  controls.limitEncryptedTickets(0);
  controls.lingerVoice(2);
  controls.repeatVoice(700, 'numbered');
  controls.fail('pipe');
  controls.emit('ipc_failure', { type: 1 });
  controls.emitRaw(9999, new Uint8Array(0));
  t.equal(controls.counts().callbacksWaiting, 5);
  t.equal(controls.ticketOf(76561197960265730n).length, 234);
  controls.reset();
  t.equal(controls.counts().callbacksWaiting, 0);
});
