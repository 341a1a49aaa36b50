/**
 * Runs deploy/Dockerfile where there is no container engine: its stages are copies of a bootstrapped Debian 13 tree, its RUNs
 * happen in them with chroot, and what ENTRYPOINT and CMD start has to become healthy and to end in order. Linux, as root.
 *
 * It knows the instructions that our file has, and stops at any other. Layers, labels and registries are not tried.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { baseImage, reach } from './base_image.js';

const DOCKERFILE = 'deploy/Dockerfile';
const IGNORED = 'deploy/Dockerfile.dockerignore';
const OUT = resolve('out/dockerfile');

interface Stage {
  readonly name: string;
  readonly root: string;
  readonly env: Record<string, string>;
  workdir: string;
  user: string;
  entrypoint: string[];
  cmd: string[];
  health: string[];
}

/** Instructions, with continued lines joined and comments left out. */
function instructionsOf(text: string): [name: string, rest: string][] {
  const joined = text.replace(/^#.*\n/gm, '').replace(/\\\n\s*/g, '');
  return joined.split('\n').flatMap((line) => {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name && rest) return [[name, rest] as [string, string]];
    if (line.trim()) throw new Error(`${DOCKERFILE}: cannot read ${line}`);
    return [];
  });
}

/** A command line in the stage's tree, in namespaces of its own: nothing stays mounted, or running. */
function inStage(stage: Stage, command: string, network: 'of this machine' | 'none'): number {
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/',
    ...stage.env,
  };
  const pairs = Object.entries(network === 'none' ? env : { ...reach, ...env }).map(([k, v]) => `${k}=${v}`);
  const script =
    `mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; ${network === 'none' ? 'ip link set lo up; ' : ''}` +
    'root=$1; user=$2; command=$3; shift 3; ' +
    'exec chroot --userspec="$user:$user" "$root" env -i "$@" sh -c "$command"';
  const isolated = ['--mount', '--pid', '--fork', ...(network === 'none' ? ['--net'] : [])];
  const { status } = spawnSync(
    'unshare',
    [
      ...isolated,
      'sh',
      '-c',
      script,
      'sh',
      stage.root,
      stage.user,
      `cd '${stage.workdir}' && ${command}`,
      ...pairs,
    ],
    { stdio: 'inherit' },
  );
  return status ?? 1;
}

function copy(stage: Stage, stages: readonly Stage[], rest: string): void {
  const words = rest.split(/\s+/);
  const from = words[0]?.startsWith('--from=') ? words.shift()!.slice('--from='.length) : null;
  const to = resolve('/', stage.workdir, words.pop()!);
  const source = from === null ? '.' : stages.find(({ name }) => name === from)!.root;
  const target = join(stage.root, to);
  mkdirSync(words.length > 1 || rest.endsWith('/') ? target : dirname(target), { recursive: true });
  for (const word of words) {
    if (from !== null) {
      execFileSync('cp', ['-a', join(source, word), target]);
    } else {
      mkdirSync(target, { recursive: true });
      const ignored = ['--anchored', '--no-wildcards-match-slash', `--exclude-from=${IGNORED}`];
      const [, start] = /^(.*)\*$/.exec(word === '.' ? '*' : word) ?? [];
      const names = start === undefined ? [word] : readdirSync('.').filter((name) => name.startsWith(start));
      const tar = execFileSync('tar', ['-c', ...ignored, ...names], { maxBuffer: 1 << 30 });
      execFileSync('tar', ['-x', '--no-same-owner', '-C', target], { input: tar });
    }
  }
}

const quoted = (words: readonly string[]) =>
  words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
const stages: Stage[] = [];
for (const [name, rest] of instructionsOf(readFileSync(DOCKERFILE, 'utf8'))) {
  console.log(`-- ${name} ${rest}`);
  const stage = stages.at(-1);
  if (name === 'FROM') {
    const [image, , as = `stage-${stages.length}`] = rest.split(/\s+/);
    const root = join(OUT, as);
    rmSync(root, { recursive: true, force: true });
    execFileSync('cp', ['-a', '--reflink=auto', baseImage(image!), root]);
    stages.push({ name: as, root, env: {}, workdir: '/', user: 'root', entrypoint: [], cmd: [], health: [] });
    continue;
  }
  if (!stage) throw new Error(`${DOCKERFILE}: ${name} before FROM`);
  switch (name) {
    case 'ENV': {
      const [, variable, value] = /^(\w+)=(\S+)$/.exec(rest) ?? [];
      if (!variable || !value) throw new Error(`${DOCKERFILE}: cannot read ENV ${rest}`);
      stage.env[variable] = value;
      break;
    }
    case 'WORKDIR':
      stage.workdir = rest;
      mkdirSync(join(stage.root, rest), { recursive: true });
      break;
    case 'COPY':
      copy(stage, stages, rest);
      break;
    case 'RUN':
      if (inStage(stage, rest, 'of this machine') !== 0) throw new Error(`${DOCKERFILE}: RUN ${rest} failed`);
      break;
    case 'USER':
      stage.user = rest;
      break;
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest) as string[];
      break;
    case 'CMD':
      stage.cmd = JSON.parse(rest) as string[];
      break;
    case 'HEALTHCHECK':
      stage.health = JSON.parse(rest.slice(rest.indexOf('['))) as string[];
      break;
    case 'EXPOSE':
    case 'STOPSIGNAL':
      break;
    default:
      throw new Error(`${DOCKERFILE}: ${name} is not known here`);
  }
}

const last = stages.at(-1)!;
// What the operator mounts.
mkdirSync(join(last.root, 'etc/hotmic'), { recursive: true });
const privateKey = join(OUT, 'key.json');
rmSync(privateKey, { force: true });
const keys = spawnSync(process.execPath, ['dist/cli/main.js', 'token', 'new-key', privateKey], {
  encoding: 'utf8',
});
if (keys.status !== 0) throw new Error(`no key for tokens: ${keys.stderr}`);
writeFileSync(join(last.root, 'etc/hotmic/keys.json'), keys.stdout);
const check = `
  test "$(id -u)" = 1000 || { echo "runs as $(id -u), expected 1000"; exit 1; }
  test ! -e node_modules/typescript || { echo 'the tools are still there'; exit 1; }
  ${quoted([...last.entrypoint, ...last.cmd])} & relay=$!
  tries=0
  until ${quoted(last.health)}; do
    tries=$((tries + 1)); test $tries -lt 60 || { echo 'never healthy'; exit 1; }
    sleep 0.5
  done
  echo "healthy after $tries tries"
  for url in http://127.0.0.1:7800/healthz http://127.0.0.1:9464/readyz; do
    node -e 'fetch(process.argv[1]).then((r) => { console.log(process.argv[1], r.status); process.exit(r.ok ? 0 : 1); })' $url || exit 1
  done
  kill -TERM $relay
  wait $relay; code=$?
  echo "ended with $code after SIGTERM"
  test $code = 0
`;
execFileSync('du', ['-sh', `${last.root}${last.workdir}`], { stdio: 'inherit' });
const code = inStage(last, check, 'none');
console.log(
  code === 0 ? `${DOCKERFILE}: every step ran, the relay was healthy and ended in order` : 'failed',
);
process.exit(code);
