/** Checks that each folder imports only what the table in ARCHITECTURE.md allows, directly and indirectly, without cycles. */

import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, sep } from 'node:path';
import t from 'tap';
import { projectFiles } from './kit/project_files.js';

const FOLDERS = [
  'voice',
  'wasm',
  'native',
  'tickets',
  'relay',
  'client',
  'record',
  'web',
  'cli',
  'bench',
  'test',
  'examples',
];

/**
 * The other folders that each folder may import directly; 'x/y.ts' allows that one file. Imports within a folder are free. A subfolder
 * without a row counts as part of its parent.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  voice: [],
  wasm: ['voice'],
  tickets: [],
  native: ['voice', 'tickets', 'wasm', 'native/embedded', 'native/real', 'native/capture'],
  'native/embedded': ['voice', 'tickets', 'wasm', 'native'],
  'native/real': ['voice', 'tickets', 'wasm', 'native'],
  'native/capture': ['voice', 'wasm', 'native', 'native/embedded', 'native/real'],
  'relay/core': ['voice'],
  'relay/system': ['voice'],
  'relay/addresses': ['voice', 'relay/core'],
  'relay/moderation_store': ['voice', 'relay/core'],
  'relay/admission': ['voice', 'tickets', 'relay/core', 'relay/addresses', 'relay/system'],
  'relay/webhooks': ['voice', 'relay/core', 'relay/addresses', 'relay/admission', 'relay/system'],
  'relay/port': ['voice', 'relay/core', 'relay/addresses', 'relay/admission', 'relay/system'],
  'relay/operations': [
    'voice',
    'relay/core',
    'relay/addresses',
    'relay/admission',
    'relay/moderation_store',
    'relay/webhooks',
    'relay/port',
    'relay/system',
  ],
  relay: [
    'voice',
    'tickets',
    'record/session_log.ts',
    'relay/core',
    'relay/addresses',
    'relay/admission',
    'relay/moderation_store',
    'relay/webhooks',
    'relay/port',
    'relay/operations',
    'relay/system',
  ],
  'client/transport': ['voice'],
  'client/session': ['voice', 'client/transport'],
  client: ['voice', 'wasm', 'client/transport', 'client/session'],
  record: ['voice', 'wasm'],
  web: ['voice', 'wasm', 'client'],
};

/** Folders that must not be reached, not even indirectly. */
const MUST_NOT_REACH: Record<string, readonly string[]> = {
  voice: FOLDERS.filter((folder) => folder !== 'voice'),
  relay: ['wasm', 'native', 'client', 'web'],
  client: ['relay', 'record', 'native'],
};

/** Packages that a folder may use. Folders that are not listed may use any. */
const MAY_USE: Record<string, readonly string[]> = {
  voice: ['zod/mini'],
  wasm: ['node:fs', 'node:url'],
  tickets: ['node:crypto'],
  relay: [
    'uWebSockets.js',
    'ws',
    'jose',
    'prom-client',
    'node:crypto',
    'node:fs',
    'node:http',
    'node:module',
    'node:net',
    'node:path',
    'node:perf_hooks',
    'node:stream',
    'node:tls',
    'node:url',
    'node:worker_threads',
    'node:zlib',
    'zod/mini',
  ],
  client: ['ws', 'hdr-histogram-js'],
  record: ['audiobuffer-to-wav', 'node:fs', 'node:fs/promises', 'node:path'],
  // By its own name: the page uses what any other page would.
  web: ['hotmic', 'hotmic/client', 'hotmic/codec', 'preact', 'preact/hooks'],
};

/** These check the committed wasm and build the page, and are in no entry point, so they may use any Node module. */
const BUILD_TOOLS = ['wasm/check.ts', 'wasm/golden.ts', 'web/build.ts'];

const NODE_BUILTINS = new Set(builtinModules.map((name) => `node:${name}`));

/** The modules that a source file imports, type imports included, as written. */
function specifiers(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** What `#platform` of package.json stands for. */
const PLATFORMS = ['client/platform/node.ts', 'client/platform/browser.ts'];

/** A relative import as a file of this project. */
function resolveImport(from: string, specifier: string): string {
  return normalize(join(dirname(from), specifier)).replace(/\.js$/, '.ts');
}

const topFolderOf = (file: string) => file.split(sep)[0] ?? '';
/** The folder of the table that a file belongs to: the innermost one with a row, otherwise the top folder. */
function partOf(file: string): string {
  for (let folder = dirname(file); folder !== '.'; folder = dirname(folder))
    if (MAY_IMPORT[folder]) return folder;
  return topFolderOf(file);
}
const files = projectFiles().filter(
  (file) => /\.tsx?$/.test(file) && FOLDERS.includes(topFolderOf(file)) && !file.startsWith('wasm/pkg/'),
);
const imports = new Map(
  files.map((file) => [
    file,
    specifiers(file).flatMap((name) => {
      if (name === '#platform') return PLATFORMS;
      return name.startsWith('.') ? [resolveImport(file, name)] : [];
    }),
  ]),
);

/** The groups of files that import each other: Tarjan's strongly connected components of more than one file. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (file: string): number => {
    const number = order.size;
    order.set(file, number);
    lowest.set(file, number);
    open.push(file);
    for (const target of graph.get(file) ?? []) {
      const reached = !order.has(target)
        ? visit(target)
        : open.includes(target)
          ? order.get(target)!
          : number;
      lowest.set(file, Math.min(lowest.get(file)!, reached));
    }
    if (lowest.get(file) === number) {
      const cycle = open.splice(open.indexOf(file));
      if (cycle.length > 1 || graph.get(file)?.includes(file)) found.push(cycle.sort());
    }
    return lowest.get(file)!;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found;
}

t.test('the test finds the imports of every folder', async (t) => {
  t.ok(files.length > 30, `${files.length} files`);
  t.ok(imports.get('voice/wire.ts')?.includes('voice/units.ts'));
  t.ok(imports.get('client/receiver.ts')?.includes('wasm/decompress.ts'));
});

t.test('each folder imports only the folders that the table allows', async (t) => {
  for (const [file, targets] of imports) {
    const allowed = MAY_IMPORT[partOf(file)];
    if (!allowed) continue;
    for (const target of targets) {
      const part = partOf(target);
      if (part === partOf(file)) continue;
      t.ok(allowed.includes(part) || allowed.includes(target), `${file} may import ${target}`);
    }
  }
});

t.test('there are no import cycles, type imports included', async (t) => {
  for (const cycle of cycles(imports)) t.fail(`${cycle.join(', ')} import each other`);
});

t.test('nothing imports cli, bench, test or examples', async (t) => {
  const outer = new Set(['cli', 'bench', 'test', 'examples']);
  for (const [file, targets] of imports) {
    if (outer.has(topFolderOf(file))) continue;
    for (const target of targets) t.notOk(outer.has(topFolderOf(target)), `${file} imports ${target}`);
  }
});

t.test('forbidden folders are not reached indirectly either', async (t) => {
  for (const [folder, forbidden] of Object.entries(MUST_NOT_REACH)) {
    const seen = new Set(files.filter((file) => topFolderOf(file) === folder));
    for (const file of seen) for (const target of imports.get(file) ?? []) seen.add(target);
    for (const file of seen) t.notOk(forbidden.includes(topFolderOf(file)), `${folder} reaches ${file}`);
  }
});

t.test('only glue.ts imports the generated glue', async (t) => {
  for (const [file, targets] of imports) {
    for (const target of targets) if (target.includes('/pkg/')) t.equal(file, 'wasm/glue.ts');
  }
});

t.test('each folder uses only the packages that it is allowed', async (t) => {
  for (const file of files) {
    const allowed = MAY_USE[topFolderOf(file)];
    if (!allowed) continue;
    for (const name of specifiers(file)) {
      if (name.startsWith('.') || name === '#platform' || allowed.includes(name)) continue;
      const isTool = NODE_BUILTINS.has(name) || name === 'esbuild';
      t.ok(BUILD_TOOLS.includes(file) && isTool, `${file} may use ${name}`);
    }
  }
});

t.test("the codec's browser entry point reaches no package and no Node module", async (t) => {
  const seen = new Set(['wasm/index_browser.ts']);
  for (const file of seen) for (const target of imports.get(file) ?? []) seen.add(target);
  t.ok(seen.has('wasm/codec.ts') && seen.has('wasm/load_browser.ts'), `${seen.size} files`);
  t.notOk(seen.has('wasm/load.ts'));
  for (const file of seen) {
    // The glue is JavaScript, so its imports are read as text.
    const source = imports.has(file) ? file : file.replace(/\.ts$/, '.js');
    for (const name of specifiers(source)) t.ok(name.startsWith('.'), `${file} may import ${name}`);
  }
});

t.test('the second client in test/interop is independent: it imports nothing from the project', async (t) => {
  const independent = files.filter((file) => file.startsWith('test/interop/'));
  t.ok(independent.length > 5, `${independent.length} files`);
  for (const file of independent) {
    for (const target of imports.get(file) ?? [])
      t.match(target, /^test\/interop\//, `${file} imports only its own folder`);
    for (const name of specifiers(file)) {
      if (name.startsWith('.')) continue;
      t.ok(['ws', 'jose', 'tap'].includes(name) || name.startsWith('node:'), `${file} may use ${name}`);
    }
  }
});
