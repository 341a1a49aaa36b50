/** The committed addons are those of the present sources: `make prebuilds` writes both them and their manifest. */

import { existsSync, statSync } from 'node:fs';
import t from 'tap';
import { binaries, describe, differences, readManifest } from '../../../native/prebuild/manifest.js';
import { PLATFORMS } from '../../../native/prebuild/targets.js';

/** Together: they are committed, and shipped to everyone. */
const MAX_BYTES = 6_000_000;

t.test('sources, headers, compiler and binaries are those of the manifest', async (t) => {
  for (const line of differences(readManifest(), describe())) t.fail(`${line}: run make prebuilds`);
  t.ok(Object.keys(readManifest().sources).length > 15);
});

t.test('there is an addon for every platform, and all are small enough to commit', async (t) => {
  t.equal(PLATFORMS.length, 6);
  for (const file of binaries()) t.ok(existsSync(file), file);
  const bytes = binaries().reduce((total, file) => total + statSync(file).size, 0);
  t.ok(bytes < MAX_BYTES, `${bytes} bytes`);
});

t.test('a change of a source, a header, the compiler or a binary is noticed', async (t) => {
  const found = describe();
  t.same(differences(found, found), []);
  const source = 'native/src/addon.cpp';
  const changed = { ...found, sources: { ...found.sources, [source]: 'other' } };
  t.match(differences(found, changed), [/^sources native\/src\/addon\.cpp: "other", expected "/]);
  const { [source]: _, ...fewer } = found.sources;
  t.match(differences(found, { ...found, sources: fewer }), [/in the manifest, but not there/]);
  t.match(differences({ ...found, sources: fewer }, found), [/not in the manifest/]);
  t.match(differences(found, { ...found, tools: { ...found.tools, zig: '0' } }), [/^tools zig: "0"/]);
  t.match(differences(found, { ...found, packages: {} }), [/node-addon-api/, /node-api-headers/]);
  t.equal(differences(found, { ...found, outputs: {} }).length, binaries().length);
});
