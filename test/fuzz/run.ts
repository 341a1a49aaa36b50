/**
 * `make fuzz SECONDS=n`: builds the native targets where a compiler for them is there, runs each for its share of the time,
 * then the JavaScript fuzzer, and prints what was tried. Ends with 1 on a finding.
 *
 * What grows goes to out/fuzz/corpus/, findings to out/fuzz/findings/. It begins with test/fuzz/corpus/ and whatever once
 * crashed, in test/fuzz/crashes/.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const OUT = 'out/fuzz';
const NATIVE = join(OUT, 'native');
const FINDINGS = join(OUT, 'findings');

/** Of the time. `maxBytes` of an input: what is longer is slower and finds the same. */
const TARGETS = [
  { name: 'decode', share: 0.35, maxBytes: 2048 },
  { name: 'encode', share: 0.15, maxBytes: 1500 },
  { name: 'module', share: 0.2, maxBytes: 1500 },
] as const;
const VOICE_SHARE = 0.3;

/** What one input may take before it is a finding, in seconds, and in megabytes of memory. */
const LIMITS = ['-timeout=20', '-rss_limit_mb=1024', '-malloc_limit_mb=256'];

interface Row {
  readonly target: string;
  readonly inputs: number;
  readonly seconds: number;
  readonly edges: string;
  readonly findings: number;
}

const seconds = Number(process.argv[2] ?? 60);
if (!(seconds >= 1 && seconds <= 86_400)) {
  console.error(`Cannot fuzz: SECONDS is ${process.argv[2]}, expected 1 to 86400`);
  process.exit(2);
}
mkdirSync(FINDINGS, { recursive: true });
const rows: Row[] = [];

const build = spawnSync('sh', ['test/fuzz/native/build.sh', NATIVE], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
const isSkipped = build.status === 3;
if (!isSkipped && build.status !== 0) process.exit(1);
for (const target of isSkipped ? [] : TARGETS) {
  if (existsSync(join(NATIVE, target.name))) rows.push(runNative(target));
}
for (const build of ['simd', 'scalar'] as const) {
  rows.push(runVoice(build, (isSkipped ? seconds : seconds * VOICE_SHARE) / 2));
}
print(rows);
if (isSkipped)
  console.log(
    '\nSKIPPED: the native targets, because a tool is missing (see above). Only JavaScript was fuzzed.',
  );
if (rows.some(({ findings }) => findings > 0)) {
  console.log(`\nFOUND something: see ${FINDINGS}/ and CONTRIBUTING.md`);
  process.exitCode = 1;
}

function runNative({ name, share, maxBytes }: (typeof TARGETS)[number]): Row {
  const binary = join(NATIVE, name);
  const corpus = join(OUT, 'corpus', name);
  mkdirSync(corpus, { recursive: true });
  const before = findingsOf(name);
  // What crashed once must not crash again.
  const crashes = join('test/fuzz/crashes', name);
  const known = existsSync(crashes) ? readdirSync(crashes).map((file) => join(crashes, file)) : [];
  const again = known.length > 0 ? spawnSync(binary, known, { encoding: 'utf8' }) : null;
  if (again !== null && again.status !== 0) writeFileSync(join(FINDINGS, `${name}-again.txt`), again.stderr);

  const time = Math.max(1, Math.round(seconds * share));
  console.log(`fuzz: ${name} for ${time} s`);
  const run = spawnSync(
    binary,
    [
      ...[
        `-max_total_time=${time}`,
        `-max_len=${maxBytes}`,
        '-print_final_stats=1',
        '-len_control=20',
        ...LIMITS,
      ],
      ...[`-artifact_prefix=${FINDINGS}/${name}-`, corpus, join('test/fuzz/corpus', name)],
    ],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  if (run.status !== 0) {
    const log = join(FINDINGS, `${name}-log.txt`);
    writeFileSync(log, run.stderr);
    const lines = run.stderr.split('\n');
    const from = lines.findIndex((line) => /ERROR: |runtime error|does not hold/.test(line));
    console.log(lines.slice(Math.max(0, from)).slice(0, 30).join('\n'));
  }
  const all = /\((\d+) inline 8-bit counters\)/.exec(run.stderr)?.[1] ?? '?';
  const covered = [...run.stderr.matchAll(/ cov: (\d+) /g)].at(-1)?.[1] ?? '?';
  return {
    target: name,
    inputs: Number(/number_of_executed_units: *(\d+)/.exec(run.stderr)?.[1] ?? 0),
    seconds: time,
    edges: `${covered} of ${all}`,
    findings: Math.max(findingsOf(name) - before, run.status === 0 ? 0 : 1),
  };
}

function runVoice(build: 'simd' | 'scalar', share: number): Row {
  const time = Math.max(1, Math.round(share));
  // Another run, other packets: the seed of each round is printed with what it finds.
  const seed = Math.floor(Date.now() / 1000) % 1_000_000;
  console.log(`fuzz: voice (${build}) for ${time} s, from seed ${seed * 1000}`);
  const run = spawnSync(
    process.execPath,
    [
      'dist/test/fuzz/voice_main.js',
      '--build',
      build,
      '--seconds',
      String(time),
      '--seed',
      String(seed * 1000),
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const tally = JSON.parse(run.stdout.trim().split('\n').at(-1) || '{}') as {
    inputs?: number;
    seconds?: number;
  };
  return {
    target: `voice, ${build}`,
    inputs: tally.inputs ?? 0,
    seconds: tally.seconds ?? time,
    edges: '',
    findings: run.status === 0 ? 0 : 1,
  };
}

function findingsOf(target: string): number {
  return readdirSync(FINDINGS).filter((name) => name.startsWith(`${target}-`) && !name.endsWith('.txt'))
    .length;
}

function print(rows: readonly Row[]): void {
  const total = {
    target: 'in all',
    inputs: rows.reduce((sum, { inputs }) => sum + inputs, 0),
    seconds: rows.reduce((sum, { seconds }) => sum + seconds, 0),
    edges: '',
    findings: rows.reduce((sum, { findings }) => sum + findings, 0),
  };
  console.log(`\n${line('target', 'inputs', 'inputs/s', 'edges', 'findings')}`);
  for (const { target, inputs, seconds, edges, findings } of [...rows, total]) {
    console.log(line(target, String(inputs), String(Math.round(inputs / seconds)), edges, String(findings)));
  }
}

function line(...[target, inputs, rate, edges, findings]: string[]): string {
  return [
    target!.padEnd(13),
    inputs!.padStart(12),
    rate!.padStart(10),
    edges!.padStart(16),
    findings!.padStart(10),
  ].join(' ');
}
