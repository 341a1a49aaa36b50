/**
 * The packed package in an empty TypeScript project, as a game has it: the README's example compiles, without `skipLibCheck`, bundles and
 * runs, in each of the ways that TypeScript and bundlers find modules.
 */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import t from 'tap';
import { startRelay } from '../../relay/index.js';
import { findChromium, startChromium } from '../kit/chromium.js';

t.setTimeout(3_600_000);

/** The README's example, from its own file. */
const EXAMPLE = readFileSync('examples/push_to_talk.ts', 'utf8').replace(
  /const ada = .*\n/,
  "const ada = '';\n",
);
/** The same for a page, which has no Steam. */
const PAGE = `import { joinVoice, PcmMicrophone } from 'hotmic/client';

const voice = await joinVoice({
  url: decodeURIComponent(location.hash.slice(1)),
  lobby: 'den',
  name: 'Ada',
  microphone: (steamId) => new PcmMicrophone({ steamId }),
});
voice.on('speaking', ({ participant }) => console.log(participant.name, participant.speaking));
voice.pull(new Int16Array(480));
document.title = 'in the lobby as ' + voice.you.name;
`;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
const WAV = resolve('examples/speech/ben.wav');
const TSC = resolve('node_modules/typescript/bin/tsc');

const folder = mkdtempSync(join(tmpdir(), 'hotmic-project-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** node_modules with the packed package, and its dependencies as they are here. */
function install(): void {
  const modules = join(folder, 'node_modules');
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8', maxBuffer: 2 ** 26 }));
  mkdirSync(join(modules, 'hotmic'), { recursive: true });
  execFileSync('tar', [
    '-xzf',
    join(folder, filename),
    '--strip-components=1',
    '-C',
    join(modules, 'hotmic'),
  ]);
  for (const name of readdirSync('node_modules')) {
    if (name === 'hotmic' || name.startsWith('.')) continue;
    symlinkSync(resolve('node_modules', name), join(modules, name));
  }
}

interface Project {
  readonly packageJson: object;
  readonly compilerOptions: object;
  readonly file: string;
  readonly source: string;
}

/** A folder below the one with node_modules, and what the compiler says. */
function compile(name: string, { packageJson, compilerOptions, file, source }: Project) {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'package.json'), JSON.stringify(packageJson));
  writeFileSync(join(path, file), source);
  const options = { strict: true, target: 'es2022', outDir: 'out', ...compilerOptions };
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: [file] }));
  const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', path], { encoding: 'utf8' });
  return { path, status, stdout };
}

/** Speaks in the lobby of a relay. */
async function run(script: string) {
  const relay = await startRelay({ dev: true });
  const child = spawn(process.execPath, [script, relay.url, WAV], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text;
    });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const { publishedFrames } = relay.counts();
  await relay.close();
  return { code, output, publishedFrames };
}

const NODE = { types: ['node'] };
const ESM = { type: 'module' };

t.test('the package is packed', async () => install());

t.test('NodeNext, an ES module: it compiles and runs', async (t) => {
  const compilerOptions = { ...NODE, module: 'nodenext' };
  const { path, status, stdout } = compile('esm', {
    packageJson: ESM,
    compilerOptions,
    file: 'game.ts',
    source: EXAMPLE,
  });
  t.equal(status, 0, stdout);
  const { code, output, publishedFrames } = await run(join(path, 'out/game.js'));
  t.equal(code, 0, output);
  t.ok(publishedFrames > 0, `${publishedFrames} frames`);
});

t.test('NodeNext, CommonJS: it compiles and runs', async (t) => {
  // A CommonJS file has no await at its top.
  const [imports = '', rest = ''] = EXAMPLE.split(/\n\n(?=const ada)/);
  const source = `${imports}\n\nasync function main() {\n${rest}}\nvoid main();\n`;
  const compilerOptions = { ...NODE, module: 'nodenext' };
  const packageJson = { type: 'commonjs' };
  const { path, status, stdout } = compile('cjs', { packageJson, compilerOptions, file: 'game.ts', source });
  t.equal(status, 0, stdout);
  t.match(readFileSync(join(path, 'out/game.js'), 'utf8'), /require\("hotmic\/client"\)/);
  const { code, output, publishedFrames } = await run(join(path, 'out/game.js'));
  t.equal(code, 0, output);
  t.ok(publishedFrames > 0, `${publishedFrames} frames`);
});

t.test('Bundler, for a game that another tool bundles: it compiles', async (t) => {
  const compilerOptions = { ...NODE, module: 'esnext', moduleResolution: 'bundler', noEmit: true };
  const { status, stdout } = compile('bundled', {
    packageJson: ESM,
    compilerOptions,
    file: 'game.ts',
    source: EXAMPLE,
  });
  t.equal(status, 0, stdout);
});

t.test('Bundler, for a page, without the types of Node', async (t) => {
  const compilerOptions = {
    ...{ module: 'esnext', moduleResolution: 'bundler', noEmit: true, types: [] },
    ...{ lib: ['es2024', 'dom'], customConditions: ['browser'] },
  };
  const { status, stdout } = compile('page', {
    packageJson: ESM,
    compilerOptions,
    file: 'page.ts',
    source: PAGE,
  });
  t.equal(status, 0, stdout);
});

t.test('esbuild bundles the page, with nothing of Node, and a game with the package beside it', async (t) => {
  const { build } = await import('esbuild');
  const page = await build({
    ...{ entryPoints: [join(folder, 'page/page.ts')], bundle: true, write: false, format: 'esm' },
    ...{ platform: 'browser', logLevel: 'silent' },
  });
  t.same(page.warnings, []);
  t.notMatch(page.outputFiles[0]!.text, /['"]node:/);
  const game = join(folder, 'esm/bundled.mjs');
  await build({
    ...{ entryPoints: [join(folder, 'esm/game.ts')], bundle: true, outfile: game, format: 'esm' },
    ...{ platform: 'node', packages: 'external', logLevel: 'silent' },
  });
  const { code, output, publishedFrames } = await run(game);
  t.equal(code, 0, output);
  t.ok(publishedFrames > 0, `${publishedFrames} frames`);
});

const chromium = findChromium();
const skip = chromium === null ? 'Chromium is not here; `sh test/chromium.sh` says why' : false;

t.test('Vite builds the page with the codec, and it runs in Chromium', { skip }, async (t) => {
  const root = join(folder, 'page');
  writeFileSync(join(root, 'index.html'), '<!doctype html><script type="module" src="/page.ts"></script>');
  const { build } = await import('vite');
  await build({ root, configFile: false, logLevel: 'error', build: { target: 'es2022', outDir: 'built' } });
  const relay = await startRelay({ dev: true, guests: 'speak' });
  const server = createServer(({ url = '/' }, response) => {
    const file = join(root, 'built', url === '/' ? 'index.html' : url);
    const isThere = existsSync(file);
    response.writeHead(isThere ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'text/plain' });
    response.end(isThere ? readFileSync(file) : 'not found');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await startChromium(chromium!);
  t.teardown(async () => {
    await browser.close();
    server.close();
    await relay.close();
  });
  const page = await browser.newPage();
  page.on('pageerror', (error) => t.fail(error.message));
  const { port } = server.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/#${encodeURIComponent(relay.url)}`);
  await page.waitForFunction('document.title === "in the lobby as Ada"', undefined, { timeout: 600_000 });
  t.equal(relay.counts().participants, 1);
});
