/** `hotmic bench relay` as a command: what it counts adds up, whatever the machine is busy with. Nothing here says how fast anything is. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { buildLink } from '../../../bench/link/link.js';
import { cachedLoad } from '../../../cli/bench/cached_load.js';
import type { reportOf } from '../../../cli/bench/report.js';
import { newKey } from '../../../relay/admission/mint_token.js';
import { runCli, startCli, startRelayCli } from '../../kit/cli.js';

type Report = ReturnType<typeof reportOf>;

/** The command then compiles the generator once for all tests. */
const CACHE = { XDG_CACHE_HOME: resolve('out/bench/cache') };
process.env.XDG_CACHE_HOME = CACHE.XDG_CACHE_HOME;
const built = cachedLoad(t.testdir(), () => undefined);
const skip = built.kind === 'missing' ? built.reason : false;
const link = buildLink(join(t.testdirName, 'link'));

/** One lobby of four, two seconds. */
const SMALL = ['--lobbies', '2', '--members', '4', '--talkers', '1', '--packet', '20', '--warm-up', '0'];

/** Runs it with --json. A machine that is too busy makes the result void, which must then be said. */
async function bench(t: Test, ...args: readonly string[]): Promise<Report> {
  const { code, stdout, stderr } = await runCli(t, ['bench', 'relay', ...args, '--json'], { env: CACHE });
  t.equal(stdout.split('\n').length, 2, `one object; ${stderr}`);
  const report = JSON.parse(stdout) as Report;
  t.equal(code, report.void === null ? 0 : 1);
  return report;
}

t.test(
  'with its own relay: everyone joins, and every frame arrives once at every listener',
  { skip },
  async (t) => {
    const report = await bench(t, ...SMALL, '--seconds', '2');
    t.match(report, { relay: 'own', joined: 8, foreign: 0, damaged: 0, doubled: 0, reordered: 0, closed: 0 });
    t.equal(report.lost, 0);
    t.ok(report.framesSent > 0);
    t.equal(report.deliveriesDue, 3 * report.framesSent);
    t.ok(report.deliveries > 0);
    const { dueToDelivered, dueToSent, connectToWelcome } = report.percentilesMs;
    t.equal(dueToDelivered.count, report.deliveries, 'each delivery was timed');
    t.equal(dueToSent.count, report.framesDue);
    t.equal(connectToWelcome.count, 8);
    t.ok(report.relayCpu!.usPerDelivery > 0);
  },
);

t.test(
  'listeners stall, read slowly, leave and come again, and the others miss nothing',
  { skip },
  async (t) => {
    const tls = built.kind === 'compiled' && built.withoutTls === null ? ['--tls'] : [];
    const trouble = ['--stalling', '40', '--stall', '0.1-0.4', '--slow', '20', '--leaves', '4'];
    const report = await bench(t, ...SMALL, ...tls, ...trouble, '--members', '8', '--seconds', '4');
    t.equal(report.tls, tls.length > 0);
    t.match(report, { joined: 16, lost: 0, foreign: 0, damaged: 0, doubled: 0, reordered: 0, closed: 0 });
    t.ok(report.stalls > 0 && report.leaves > 0 && report.rejoins > 0);
    t.ok(report.rejoins <= report.leaves);
    t.ok(report.acknowledgements > 0, 'the listeners answered the relay');
    t.ok(report.percentilesMs.dueToReadInTrouble.count > 0);
  },
);

t.test(
  'a relay at a URL, for clients that do not acknowledge: its processor cannot be seen',
  { skip },
  async (t) => {
    const { url } = await startRelayCli(t);
    const report = await bench(t, url, ...SMALL, '--no-acknowledge', '--seconds', '1');
    t.match(report, { joined: 8, relayCpu: null, lost: 0, link: null });
    t.match(report, { acknowledgements: 0, parks: 0, skippedWhileParked: 0 }, 'and nobody is parked');
    t.equal(report.relay, new URL(url).href);
  },
);

t.test('a relay that requires tokens: with its key, and without', { skip }, async (t) => {
  const { privateKey, keySet } = await newKey('EdDSA', 'test');
  const folder = t.testdir({
    'keys.json': JSON.stringify(keySet),
    'private.json': JSON.stringify(privateKey),
  });
  const relay = startCli(t, ['relay', '--port', '0', '--token-keys', join(folder, 'keys.json')]);
  const [, url] = await relay.printed('stdout', /Relay listens at (\S+)/);
  const key = ['--token-key-file', join(folder, 'private.json')];
  t.match(await bench(t, url!, ...key, ...SMALL, '--seconds', '1'), { joined: 8, lost: 0 });
  const refused = await runCli(t, ['bench', 'relay', url!, ...SMALL], { env: CACHE });
  t.equal(refused.code, 1);
  t.match(
    refused.stderr,
    /Cannot join the relay: .*credential-expected.*--token-key-file.* \[ERR_HOTMIC_CONNECT\]\n$/,
  );
});

t.test(
  'over a link that loses packets and is cut, as counted by the link',
  {
    skip: skip || (link.kind === 'missing' && link.reason),
  },
  async (t) => {
    const report = await bench(t, ...SMALL, '--delay', '5', '--loss', '5', '--cut', '1', '--seconds', '11');
    t.match(report, { joined: 8, foreign: 0, damaged: 0, doubled: 0, reordered: 0 });
    const { up, down } = report.link!.packets;
    t.ok(up.lost + down.lost > 0 && up.cut + down.cut > 0);
    t.ok(report.percentilesMs.dueToDelivered.p50 >= 10, 'there and back');
    // On a busy machine not all of them before the end.
    const { count } = report.percentilesMs.readingAgainToLive;
    t.ok(count >= 1 && count <= 6, `${count} of 6 listeners hear in time again`);
  },
);

t.test('Ctrl-C ends it without a result, and leaves nothing running', { skip }, async (t) => {
  const running = startCli(t, ['bench', 'relay', ...SMALL, '--seconds', '600'], { env: CACHE });
  await running.printed('stderr', /10 of 600 s/);
  const children = spawnSync('ps', ['-o', 'pid=', '--ppid', String(running.pid)], { encoding: 'utf8' });
  const pids = children.stdout.split('\n').map(Number).filter(Boolean);
  t.ok(pids.length >= 2, `relay and generator: ${pids}`);
  running.signal('SIGINT');
  const { stdout } = await running.ended;
  t.equal(stdout, '');
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

t.test('the packed package has what the command needs', async (t) => {
  const root = fileURLToPath(new URL('../../../..', import.meta.url));
  const cache = t.testdir();
  mkdirSync(join(cache, 'npm'));
  writeFileSync(join(cache, 'npmrc'), '');
  const packed = spawnSync(
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts', '--cache', join(cache, 'npm')],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string }[] }];
  const paths = new Set(files.map(({ path }) => path));
  for (const path of [
    'bench/load/build.sh',
    'bench/load/main.cpp',
    'bench/load/socket.hpp',
    'bench/link/link.c',
    'dist/bench/compile.js',
    'dist/bench/link/link.js',
    'dist/bench/load/generator.js',
    'dist/cli/bench/own_relay.js',
    'examples/speech/ada.wav',
  ])
    t.ok(paths.has(path), path);
  t.notOk(
    [...paths].some((path) => path.startsWith('dist/bench/relay/')),
    'and no benchmark of ours',
  );
});
