/** The builder of native libopus, when a tool or the source is missing: it says so and does not throw. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { buildNative } from './native_opus.js';

const REQUEST = { program: 'test/kit/opus/oracle.c', variant: 'plain' } as const;
const options = process.platform === 'win32' ? { skip: 'the stand-ins for the tools are shell scripts' } : {};

/** A folder with these commands, each a line of shell; during the test there are no others. */
function onlyCommands(t: Test, commands: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hotmic-tools-'));
  const path = process.env.PATH;
  process.env.PATH = folder;
  t.teardown(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });
  for (const [name, line] of Object.entries(commands)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

t.test('without cargo, the build is skipped', options, async (t) => {
  onlyCommands(t, {});
  t.same(await buildNative(REQUEST), { kind: 'skipped', reason: 'no cargo' });
});

t.test('where cargo cannot fetch the source, it is skipped with what cargo says', options, async (t) => {
  onlyCommands(t, { cargo: 'echo "no network here" >&2; exit 101' });
  const reason = 'cargo cannot get the source: no network here';
  t.same(await buildNative(REQUEST), { kind: 'skipped', reason });
});

t.test('if the source is not in the registry, it is skipped', options, async (t) => {
  const metadata = { packages: [{ name: 'opusic-sys', manifest_path: '/nowhere/Cargo.toml' }] };
  onlyCommands(t, { cargo: `echo '${JSON.stringify(metadata)}'` });
  const built = await buildNative(REQUEST);
  t.match(built, { kind: 'skipped', reason: /not fetched/ });
});

t.test('without a C compiler, it is skipped', options, async (t) => {
  const folder = onlyCommands(t, {});
  const metadata = { packages: [{ name: 'opusic-sys', manifest_path: join(folder, 'Cargo.toml') }] };
  mkdirSync(join(folder, 'opus'));
  writeFileSync(join(folder, 'cargo'), `#!/bin/sh\necho '${JSON.stringify(metadata)}'\n`, { mode: 0o755 });
  const built = await buildNative(REQUEST);
  t.match(built, { kind: 'skipped', reason: /^no C compiler/ });
});
