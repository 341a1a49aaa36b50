/**
 * What a user does: in an empty folder on Node 24, `npm install` of the packed package and `npx hotmic demo`. Here, and as root in a
 * Debian 13 tree; the relay takes uWebSockets in both. Needs the registry.
 *
 * The folder is outside this checkout: npm would otherwise install into the package around it.
 */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { baseImage, copyNetwork, reach } from '../deploy/base_image.js';

const GAME = mkdtempSync(join(tmpdir(), 'hotmic-install-'));
const TREE = resolve('out/install-debian13');
process.on('exit', () => {
  for (const folder of [GAME, TREE]) rmSync(folder, { recursive: true, force: true });
});
/** The image's name says which Node. */
const IMAGE = /^FROM (node:\S+-trixie-slim)/m.exec(readFileSync('deploy/Dockerfile', 'utf8'))![1]!;
/** What npm prints when the installation of a package needs attention. */
const ALARMING = /warn|error|deprecated|[1-9]\d* (?:\w+ )?vulnerab|script|blocked|approve|allow|ignored/i;

type Run = (command: string) => string;

/** What a command printed, errors included. @throws Error when it fails. */
function outputOf(what: string, { status, stdout, stderr }: ReturnType<typeof spawnSync>): string {
  const output = `${stdout}${stderr}`;
  if (status !== 0) throw new Error(`${what} ended with ${status}:\n${output}`);
  return output;
}

/** What npm sets for the scripts that it runs would reach the npm of this test. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE_OPTIONS|HOTMIC_)/.test(name)),
);

/** On this machine, with npm's Node 24 before the one on the PATH. */
function here(folder: string): Run {
  const node = execFileSync('sh', ['test/runtimes.sh', 'node', '24'], { encoding: 'utf8' }).trim();
  const env = { ...environment, PATH: `${dirname(node)}:${process.env.PATH}` };
  return (command) =>
    outputOf(command, spawnSync('sh', ['-c', command], { cwd: folder, env, encoding: 'utf8' }));
}

/** In a Debian 13 tree, where `folder` is. In namespaces of their own: nothing stays mounted, or running. */
function inTree(tree: string, folder: string): Run {
  copyNetwork(tree);
  const script =
    'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; root=$1 command=$2; shift 2; exec chroot "$root" env -i "$@" sh -c "$command"';
  const env = { ...reach, PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/root' };
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return (command) => {
    const args = ['--mount', '--pid', '--fork', 'sh', '-c', script, 'sh', tree, `cd ${folder} && ${command}`];
    return outputOf(command, spawnSync('unshare', [...args, ...pairs], { encoding: 'utf8' }));
  };
}

/** Prints which sockets a relay takes. */
const WHICH = `import { startRelay } from 'hotmic/relay';
const relay = await startRelay({ dev: true });
console.log(relay.sockets.layer);
await relay.close();
`;

function tryIn(where: string, run: Run, tarball: string): void {
  console.log(`-- ${where}: Node ${run('node --version').trim()}, npm ${run('npm --version').trim()}`);
  const installed = run(`npm install ./${tarball}`);
  console.log(installed.trim());
  const lines = installed.split('\n').filter((line) => ALARMING.test(line));
  assert.deepEqual(lines, [], 'npm install prints nothing alarming');
  console.log(run('du -sm node_modules node_modules/uWebSockets.js').trim().replaceAll('\t', ' MB '));
  const demo = run('npx hotmic demo');
  console.log(demo.trim());
  assert.equal(run('node which.mjs').trim(), 'uws', 'the sockets of a relay');
  assert.match(demo, /mix\.wav {2}\d+\.\d+ s/, 'the demo mixes what was said');
}

rmSync(TREE, { recursive: true, force: true });
// What its prepack script prints comes first.
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', GAME], {
  encoding: 'utf8',
  env: environment,
});
writeFileSync(join(GAME, 'which.mjs'), WHICH);
const tarball = basename(packed.trim().split('\n').at(-1)!);

tryIn('here', here(GAME), tarball);

if (process.getuid?.() === 0) {
  execFileSync('cp', ['-a', '--reflink=auto', baseImage(IMAGE), TREE]);
  mkdirSync(join(TREE, 'game'));
  for (const file of [tarball, 'which.mjs']) cpSync(join(GAME, file), join(TREE, 'game', file));
  tryIn('Debian 13', inTree(TREE, '/game'), tarball);
} else {
  console.log('SKIPPED Debian 13: not root');
}
console.log('the package installs quietly, and its demo runs');
