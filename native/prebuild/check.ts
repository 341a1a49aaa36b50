/**
 * Checks the committed addons in `prebuilds/`: `make prebuilds-check`, run as `node dist/native/prebuild/check.js` in the
 * repository's root.
 *
 * Always: sources, headers, tools and binaries are those of the manifest. With Zig (`sh native/prebuild/toolchain.sh`), everything is
 * also built again from a copy in another folder, and the bytes must be the same. `--rebuild` fails if that cannot be done; `--fresh`
 * also compiles Zig's own libraries again, which takes minutes per platform.
 */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { buildAddon, CACHE, zigPath } from './build.js';
import { describe, differences, type Manifest, readManifest } from './manifest.js';
import { ADDONS, binaryPath, platformsOf } from './targets.js';

let failures = 0;

function report(what: string, wrong: readonly string[]): void {
  console.log(`${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${what}`);
  for (const line of wrong) console.log(`     ${line}`);
  if (wrong.length > 0) failures++;
}

/** Builds all binaries from a copy of the sources in another folder, and compares each with the committed one. */
function checkRebuilt(zig: string, manifest: Manifest, cache: 'kept' | 'fresh'): void {
  const work = mkdtempSync(join(tmpdir(), 'hotmic-prebuilds-check-'));
  try {
    const root = join(work, 'another checkout');
    for (const name of Object.keys(manifest.sources)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      cpSync(name, join(root, name));
    }
    symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
    symlinkSync(resolve('native/.toolchain'), join(root, 'native/.toolchain'));
    const place = {
      root,
      output: join(work, 'output'),
      cache: cache === 'fresh' ? join(work, 'cache') : CACHE,
    };
    for (const addon of ADDONS) {
      for (const platform of platformsOf(addon)) {
        buildAddon(zig, addon, platform, place);
        const path = binaryPath(addon, platform);
        const isSame = readFileSync(path).equals(readFileSync(join(place.output, path)));
        report(
          `${path}, built again in another folder, is the same to the byte`,
          isSame ? [] : ['it differs'],
        );
      }
    }
  } finally {
    rmSync(work, { recursive: true });
  }
}

const mode = process.argv[2];
const manifest = readManifest();
report('sources, headers, tools and binaries are those of the manifest', differences(manifest, describe()));
const zig = zigPath('check');
if (zig !== null) checkRebuilt(zig, manifest, mode === '--fresh' ? 'fresh' : 'kept');
else if (mode === undefined) console.log('skip building them again: Zig is not installed');
else report('Zig is installed', ['run sh native/prebuild/toolchain.sh']);
process.exitCode = failures === 0 ? 0 : 1;
