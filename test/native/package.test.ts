/**
 * The package as npm makes it: no script runs when it is installed, and the prebuilt addon loads where no compiler is.
 *
 * No registry is asked: the tarball is unpacked as npm would, its dependencies are those of this checkout, and npm runs what scripts
 * it finds.
 */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { binaries, MANIFEST } from '../../native/prebuild/manifest.js';

const ROOT = process.cwd();
const skip = whySkipped();

function whySkipped(): string | false {
  if (process.platform === 'win32') return 'needs sh and tar';
  for (const tool of ['tar', 'npm', 'sh']) if (where(tool) === null) return `no ${tool}`;
  return false;
}

function where(tool: string): string | null {
  try {
    return execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** What npm sets for its scripts would be taken for this run's. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE_OPTIONS|TAP)/.test(name)),
);

/** Packs this checkout. */
function pack(folder: string): { tarball: string; files: readonly string[] } {
  const npm = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
  const output = execFileSync('npm', npm, {
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(output) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** A folder with the package unpacked in its node_modules, and the packages it depends on linked beside it. */
function unpack(folder: string, tarball: string): string {
  const modules = join(folder, 'node_modules');
  const hotmic = join(modules, 'hotmic');
  mkdirSync(hotmic, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', hotmic, '--strip-components=1']);
  const { dependencies } = JSON.parse(readFileSync(join(hotmic, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  // As npm does with what a package calls its commands.
  mkdirSync(join(modules, '.bin'));
  const { bin } = JSON.parse(readFileSync(join(modules, 'node-gyp-build/package.json'), 'utf8'));
  for (const [name, script] of Object.entries<string>(bin)) {
    symlinkSync(join('../node-gyp-build', script), join(modules, '.bin', name));
  }
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'game', version: '1.0.0', dependencies: { hotmic: '*' } }),
  );
  return hotmic;
}

/** A PATH with node, npm, sh and nothing else. */
function bareTools(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  symlinkSync(realpathSync(where('sh')!), join(bin, 'sh'));
  return bin;
}

/** A game's folder with the package in it, not yet installed. */
function game(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'hotmic-package-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { tarball, files } = pack(folder);
  const hotmic = unpack(folder, tarball);
  const PATH = bareTools(folder);
  const run = (args: readonly string[]) =>
    execFileSync(process.execPath, args, {
      cwd: folder,
      env: { HOME: folder, PATH },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  return {
    PATH,
    hotmic,
    files,
    /** Runs Node in the game's folder; its standard output. @throws Error when it fails. */
    run,
    /** What npm does with a package that it has unpacked. @throws Error when that fails. */
    install: () =>
      run([realpathSync(where('npm')!), 'rebuild', 'hotmic', '--offline', '--foreground-scripts']),
    /** What openRealSteam answers in the game, with node itself for a library. */
    open: () => {
      const module = pathToFileURL(join(hotmic, 'dist/native/real/open.js')).href;
      const script = `
        const { openRealSteam } = await import(${JSON.stringify(module)});
        console.log(JSON.stringify(openRealSteam({ library: process.execPath })));`;
      return JSON.parse(run(['--input-type=module', '-e', script]));
    },
  };
}

t.test('the packed package runs no script, and loads the addon without a compiler', { skip }, async (t) => {
  const { PATH, hotmic, files, install, open } = game(t);
  const prebuilt = files.filter((file) => /(^|\/)prebuilds\//.test(file));
  t.same(prebuilt.sort(), [...binaries(), MANIFEST].sort(), 'an addon for each platform');
  t.ok(files.includes('binding.gyp') && files.includes('native/src/addon.cpp'), 'it can be compiled, too');
  t.same(
    files.filter((file) =>
      /steam_api\.|steam_api64|steamclient|^build\/|^(dist\/)?native\/prebuild\//.test(file),
    ),
    [],
    'no file of Steam, nothing of the build',
  );
  const { scripts, gypfile } = JSON.parse(readFileSync(join(hotmic, 'package.json'), 'utf8'));
  t.same(
    Object.keys(scripts).filter((name) => /^(pre|post)?(install|prepare)$/.test(name)),
    [],
    'there is no script that npm would block, or warn of',
  );
  t.equal(gypfile, false, 'npm does not compile it because of binding.gyp');
  const compilers = 'c++ --version || g++ --version || make --version';
  t.throws(
    () => execFileSync('sh', ['-c', compilers], { env: { PATH }, stdio: 'ignore' }),
    'there is no compiler on that PATH',
  );
  t.match(install(), /^rebuilt dependencies successfully\n$/, 'npm says nothing else');
  t.notOk(existsSync(join(hotmic, 'build')), 'nothing was compiled');
  const opened = open();
  // The addon asked the loader, which cannot load node itself as a library.
  t.match(opened, { kind: 'failed', stage: 'library', library: process.execPath });
  t.match(opened.text, /cannot dynamically load|executable/);
});

t.test(
  'each example is in the package, compiled, and those without a relay run there',
  { skip },
  async (t) => {
    const { files, run } = game(t);
    const sources = files.filter((file) => /^examples\/[^/]+\.ts$/.test(file));
    t.ok(sources.length > 5);
    for (const source of sources) {
      const compiled = `dist/${source.replace(/\.ts$/, '.js')}`;
      t.ok(files.includes(compiled), compiled);
      const [, comment = ''] = /^\/\*\*(.*)\*\//.exec(readFileSync(source, 'utf8')) ?? [];
      // The worklet is a browser's, and says how no command starts it.
      if (/: (node|electron) /.test(comment)) t.ok(comment.includes(compiled), `${source} says how`);
    }
    // Those that need neither a relay nor Electron; test/examples.test.ts runs the same files with both.
    t.match(run(['node_modules/hotmic/dist/examples/packets_to_wav.js']), /tone\.wav: \d/);
    const licence = ['node_modules/hotmic/dist/examples/licence_check.js', '480', '1234', '--dev'];
    t.match(run(licence), /DLC 1234: not owned/);
  },
);

t.test(
  'a source map of the package exists and contains its source, or nothing refers to it',
  { skip },
  async (t) => {
    const { files, hotmic } = game(t);
    let maps = 0;
    for (const file of files.filter((name) => name.endsWith('.js'))) {
      const [, map] =
        /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(join(hotmic, file), 'utf8')) ?? [];
      if (map === undefined) continue;
      maps += 1;
      const { sourcesContent } = JSON.parse(readFileSync(join(hotmic, dirname(file), map), 'utf8'));
      if (typeof sourcesContent?.[0] !== 'string') t.fail(`${file}: its map has no source`);
    }
    t.ok(maps > 100, `${maps} maps`);
    t.ok(files.includes('deploy/Dockerfile'), 'and deploy/ is in the package');
  },
);

t.test('on a platform without an addon, opening Steam says how to compile it', { skip }, async (t) => {
  const { hotmic, open } = game(t);
  rmSync(join(hotmic, 'prebuilds'), { recursive: true });
  t.match(open(), {
    kind: 'failed',
    stage: 'addon',
    text: /No native build was found.*`npm explore hotmic -- npm run addon`/,
  });
});
