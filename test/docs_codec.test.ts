/** docs/codec.md can be followed: each example on it runs as it stands, against the built package, and prints what it says. */

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MAX_PACKET_BYTES } from '../voice/units.js';
import { DECOMPRESS_BUFFER_BYTES, loadCodec, MAX_BATCH, VoiceEncoder } from '../wasm/index.js';

const page = readFileSync('docs/codec.md', 'utf8');
const examples = [...page.matchAll(/```js\n(?<code>\/\/ (?<name>\w+\.mjs)\n[\s\S]*?)```/g)].map(
  ({ groups }) => ({
    name: groups!.name!,
    code: groups!.code!,
  }),
);

/** What the comment at the example's end says that it prints. */
const promised = (code: string) => /\n\/\/ prints: (.*)\n$/.exec(code)?.[1];

async function run(args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
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

/** The examples as files. The folder lies in this package, so `hotmic/codec` is what was built. */
function written(folder: string): string {
  for (const { name, code } of examples) writeFileSync(join(folder, name), code);
  return folder;
}

t.test('every block of JavaScript on the page is a whole example', async (t) => {
  t.equal(examples.length, [...page.matchAll(/```js\n/g)].length, 'each opens with its name');
  const wanted = ['compress', 'decompress', 'opus', 'batch', 'resample'];
  t.same(
    examples.map(({ name }) => name),
    wanted.map((name) => `${name}.mjs`),
  );
  for (const { name, code } of examples) t.ok(promised(code), `${name} says what it prints`);
});

t.test('each example prints what it says', async (t) => {
  const folder = written(t.testdir());
  for (const { name, code } of examples) {
    const { code: status, out, err } = await run([join(folder, name)]);
    t.equal(status, 0, `${name} ${err}`);
    t.equal(out.trimEnd().split('\n').at(-1), promised(code), name);
    t.equal(err, '', name);
  }
});

t.test('each example is right by its types', async (t) => {
  const folder = written(t.testdir());
  const compilerOptions = {
    allowJs: true,
    checkJs: true,
    noEmit: true,
    incremental: false,
    rootDir: process.cwd(),
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(process.cwd(), 'tsconfig.json'), compilerOptions, include: ['*.mjs'] }),
  );
  const { code, out } = await run(['node_modules/typescript/bin/tsc', '-p', folder]);
  t.equal(code, 0, out);
});

t.test('its table names every option of the encoder', async (t) => {
  loadCodec();
  let known = '';
  try {
    new VoiceEncoder(1n, { nothing: 1 } as object);
  } catch (error) {
    known = (error as Error).message.replace(/^.* expected one of /, '');
  }
  const [compress = ''] = page.split('\n## Decompress');
  const named = [...compress.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
  t.same(named.sort(), known.split(', ').sort());
});

t.test('the names and bounds in its text are those of the code', async (t) => {
  for (const name of ['droppedFrames', 'isRecording', 'available']) {
    t.ok(page.includes(`\`${name}`) && name in VoiceEncoder.prototype, name);
  }
  const bounds = [MAX_BATCH.bytes.toLocaleString('en'), MAX_BATCH.samples.toLocaleString('en')];
  for (const bound of [...bounds, `// ${MAX_PACKET_BYTES}`, `default ${DECOMPRESS_BUFFER_BYTES}`])
    t.ok(page.includes(bound), bound);
});
