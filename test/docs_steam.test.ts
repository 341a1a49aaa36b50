/** docs/user.md, threads.md and tickets.md can be followed: each example runs as it stands, on the embedded Steam, and prints what it says. */

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const pages = ['docs/user.md', 'docs/threads.md', 'docs/tickets.md'].map((path) =>
  readFileSync(path, 'utf8'),
);
const examples = pages.flatMap((page) =>
  [...page.matchAll(/```ts\n(?<code>\/\/ (?<name>\w+)\.ts\n[\s\S]*?)```/g)].map(({ groups }) => ({
    name: groups!.name!,
    code: groups!.code!,
  })),
);

/** The one warning of a fallback on the embedded Steam, which open_steam.test.ts tries. */
const QUIET = '--disable-warning=HOTMIC_EMBEDDED_STEAM';

/** What the comment at the example's end says that it prints last. */
const promised = (code: string) => /\n\/\/ prints without Steam: (.*)\n$/.exec(code)?.[1];

async function run(
  folder: string,
  args: readonly string[],
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    // So that a Steam on this machine stays out of it.
    env: { ...process.env, HOTMIC_STEAM_LIBRARY: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    texts.out += text;
  });
  child.stderr.on('data', (text) => {
    texts.err += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...texts };
}

t.test('every block of TypeScript on the pages is a whole example', async (t) => {
  const blocks = pages.flatMap((page) => [...page.matchAll(/```ts\n/g)]).length;
  t.equal(examples.length, blocks, 'each opens with its name');
  t.same(
    examples.map(({ name }) => name),
    ['start', 'signals', 'record', 'controls', 'capture', 'read_app_ticket'],
  );
  for (const { name, code } of examples) t.ok(promised(code), `${name} says what it prints`);
});

t.test('each example is right by its types, runs, and prints what it says', async (t) => {
  const folder = t.testdir();
  for (const { name, code } of examples) writeFileSync(join(folder, `${name}.ts`), code);
  const compilerOptions = {
    rootDir: folder,
    outDir: join(folder, 'js'),
    incremental: false,
    declaration: false,
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(process.cwd(), 'tsconfig.json'), compilerOptions, include: ['*.ts'] }),
  );
  const compiled = await run(folder, [join(process.cwd(), 'node_modules/typescript/bin/tsc'), '-p', folder]);
  t.equal(compiled.code, 0, compiled.out);
  for (const { name, code } of examples) {
    const { code: status, out, err } = await run(folder, [QUIET, join('js', `${name}.js`)]);
    t.equal(status, 0, `${name} ${err}`);
    t.equal(out.trimEnd().split('\n').at(-1), promised(code), name);
    t.equal(err, '', name);
  }
});

t.test('the table of the typed layer names every member of Steam', async (t) => {
  const { Steam } = await import('../native/steam.js');
  const members = Object.getOwnPropertyNames(Steam.prototype).filter((name) => name !== 'constructor');
  for (const name of [...members, 'user', 'report', 'capture', 'embedded'])
    t.ok(new RegExp(`[\`.]${name}\\b`).test(pages[0]!), name);
});
