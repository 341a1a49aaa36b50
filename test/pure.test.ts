/** The pure folders cannot reach a clock, a timer, randomness, Node or the DOM: neither the compiler nor the linter accepts it. */

import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import t from 'tap';
import ts from 'typescript';

// Wall time, on a busy machine.
t.setTimeout(120_000);

const IMPURE = [
  'setTimeout(() => {}, 1)',
  'setInterval(() => {}, 1)',
  'queueMicrotask(() => {})',
  'process.hrtime()',
  'Buffer.alloc(1)',
  'document.title',
  'performance.now()',
  'crypto.randomUUID()',
  'console.log(1)',
  "import('node:fs')",
];
const CLOCKS_AND_RANDOMNESS = [
  'Date.now()',
  'Date.now',
  'new Date()',
  'Date()',
  'performance.now()',
  'Math.random()',
  'globalThis.Date',
];
const PURE = ['new Date(5)', 'Date.UTC(2000, 1)', 'Math.floor(0.5)'];

const sourceOf = (expression: string) => `export const probe = () => ${expression};\n`;

/** What the compiler says about the pure folders, with more files in them that exist only here. */
function compile(probes: ReadonlyMap<string, string>): readonly ts.Diagnostic[] {
  const { config } = ts.readConfigFile('tsconfig.pure.json', ts.sys.readFile);
  const { fileNames, options, errors } = ts.parseJsonConfigFileContent(config, ts.sys, resolve());
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => probes.has(name) || fileExists(name);
  host.readFile = (name) => probes.get(name) ?? readFile(name);
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const text = probes.get(name);
    return text === undefined
      ? getSourceFile(name, languageVersion, ...rest)
      : ts.createSourceFile(name, text, languageVersion);
  };
  const program = ts.createProgram([...fileNames, ...probes.keys()], options, host);
  return [...errors, ...ts.getPreEmitDiagnostics(program)];
}

t.test('the pure folders compile without Node and DOM, and what needs those does not', async (t) => {
  const expressionOf = new Map<string, string>();
  for (const [at, expression] of IMPURE.entries()) {
    const folder = ['voice', 'relay/core/lobby', 'client/session'][at % 3]!;
    expressionOf.set(resolve(folder, `probe_${at}.ts`), expression);
  }
  const probes = new Map([...expressionOf].map(([name, expression]) => [name, sourceOf(expression)]));
  const diagnostics = compile(probes);
  const refused = new Set(diagnostics.map(({ file }) => file?.fileName));
  for (const [name, expression] of expressionOf) t.ok(refused.has(name), `${expression} does not compile`);
  const others = diagnostics.filter(({ file }) => !file || !probes.has(file.fileName));
  const host = { getCanonicalFileName: String, getCurrentDirectory: () => resolve(), getNewLine: () => '\n' };
  t.equal(ts.formatDiagnostics(others, host), '');
});

/** The files of which the linter complains, in a tree with our settings and these files. */
async function lint(files: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
  const folder = mkdtempSync(join(tmpdir(), 'hotmic-lint-'));
  for (const name of ['biome.json', 'pure.grit']) copyFileSync(name, join(folder, name));
  for (const [name, text] of files) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const args = ['lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=json', '.'];
  const biome = resolve('node_modules/.bin/biome');
  const stdout = await new Promise<string>((resolve) => {
    execFile(biome, args, { cwd: folder }, (_, stdout) => resolve(stdout));
  });
  rmSync(folder, { recursive: true });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { location: { path: string } }[] };
  return new Set(diagnostics.map(({ location }) => location.path));
}

t.test('the linter refuses clocks and randomness in the pure folders, and only there', async (t) => {
  const sources = (folder: string, expressions: readonly string[]) =>
    expressions.map((expression, at) => [`${folder}/${at}.ts`, sourceOf(expression)] as const);
  const refused = [
    ...sources('voice', CLOCKS_AND_RANDOMNESS),
    ...sources('relay/core', CLOCKS_AND_RANDOMNESS),
    ...sources('relay/core/lobby', CLOCKS_AND_RANDOMNESS),
    ...sources('client/session', CLOCKS_AND_RANDOMNESS),
  ];
  const accepted = [
    ...sources('relay/core/pure', PURE),
    ...sources('relay/port', [...CLOCKS_AND_RANDOMNESS, ...PURE]),
  ];
  const complaints = await lint(new Map([...refused, ...accepted]));
  for (const [name, source] of refused) t.ok(complaints.has(name), `${name} is refused: ${source.trim()}`);
  for (const [name, source] of accepted)
    t.notOk(complaints.has(name), `${name} is accepted: ${source.trim()}`);
});
