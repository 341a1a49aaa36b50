/**
 * What `make prebuilds` builds: which addons, for which platforms, with which flags.
 *
 * Sources and defines of the addon for Steam are those of its target in binding.gyp, from which node-gyp builds it too. The addon with uWebSockets is
 * only built here.
 */

/** What is compiled, below the root. */
export interface Sources {
  readonly cpp: readonly string[];
  readonly c: readonly string[];
  readonly defines: readonly string[];
  /** Folders of headers. */
  readonly include: readonly string[];
}

/** An addon. */
export interface Addon {
  /** How its files are named. */
  readonly target: string;
  /** Null for those of the target of that name in binding.gyp. */
  readonly sources: Sources | null;
  /** Names of those of PLATFORMS that it is built for. */
  readonly platforms: readonly string[] | 'all';
  /**
   * Folder of its binaries, below the root. One addon per folder: node-gyp-build takes a file by its tags and not by its name, so it
   * could not tell two addons apart.
   */
  readonly output: string;
  /** Linker script for Linux: the symbols that others may see. */
  readonly versionScript: string;
  /** Flags of the compiler for all platforms, beside those of COMPILER_FLAGS. */
  readonly flags: readonly string[];
}

/** Where the addon with uWebSockets is. */
const SOCKETS = 'relay/port/sockets/addon';
/** Of node_headers.sh. */
const NODE_HEADERS = 'native/.toolchain/node-headers-22.23.5';

export const ADDONS: readonly Addon[] = [
  {
    target: 'hotmic',
    sources: null,
    platforms: 'all',
    output: 'prebuilds',
    versionScript: 'native/src/exports.map',
    flags: ['-std=c++17'],
  },
  {
    target: 'hotmic_sockets',
    sources: {
      cpp: [
        ...['addon', 'certificate', 'environment', 'server'].map((name) => `${SOCKETS}/src/${name}.cpp`),
        `${SOCKETS}/library/uSockets/src/crypto/sni_tree.cpp`,
      ],
      c: ['bsd', 'context', 'loop', 'socket', 'crypto/openssl', 'eventing/libuv'].map(
        (name) => `${SOCKETS}/library/uSockets/src/${name}.c`,
      ),
      defines: [
        'NAPI_VERSION=8',
        'LIBUS_USE_LIBUV',
        'LIBUS_USE_OPENSSL',
        'UWS_WITH_PROXY',
        // Messages are not compressed.
        'UWS_NO_ZLIB',
        '_GNU_SOURCE',
      ],
      include: [`${SOCKETS}/library/src`, `${SOCKETS}/library/uSockets/src`, NODE_HEADERS],
    },
    // macOS and Windows have uWebSockets.js.
    platforms: ['linux-x64-glibc', 'linux-x64-musl', 'linux-arm64'],
    output: `${SOCKETS}/prebuilds`,
    versionScript: `${SOCKETS}/src/exports.map`,
    flags: ['-std=c++20'],
  },
];

export type BinaryFormat = 'elf' | 'mach-o' | 'pe';

export interface Platform {
  /** For people, and for names in out/. */
  readonly name: string;
  /** Of process.platform and process.arch, as node-gyp-build names its folders. */
  readonly folder: string;
  /** Tag of node-gyp-build in the file's name: the C library on Linux, otherwise empty. */
  readonly libc: '' | '.glibc' | '.musl';
  /** For the compiler: processor, system, and the oldest C library or macOS that it runs on. */
  readonly zigTarget: string;
  readonly format: BinaryFormat;
}

/** glibc 2.28 and macOS 11 are what the oldest Node that Hotmic supports asks for itself. Zig's Windows is 10 or newer, as Node's. */
export const PLATFORMS: readonly Platform[] = [
  {
    name: 'linux-x64-glibc',
    folder: 'linux-x64',
    libc: '.glibc',
    zigTarget: 'x86_64-linux-gnu.2.28',
    format: 'elf',
  },
  {
    name: 'linux-x64-musl',
    folder: 'linux-x64',
    libc: '.musl',
    zigTarget: 'x86_64-linux-musl',
    format: 'elf',
  },
  {
    name: 'linux-arm64',
    folder: 'linux-arm64',
    libc: '.glibc',
    zigTarget: 'aarch64-linux-gnu.2.28',
    format: 'elf',
  },
  { name: 'darwin-x64', folder: 'darwin-x64', libc: '', zigTarget: 'x86_64-macos.11.0', format: 'mach-o' },
  {
    name: 'darwin-arm64',
    folder: 'darwin-arm64',
    libc: '',
    zigTarget: 'aarch64-macos.11.0',
    format: 'mach-o',
  },
  { name: 'win32-x64', folder: 'win32-x64', libc: '', zigTarget: 'x86_64-windows-gnu', format: 'pe' },
];

/** The platforms that an addon is built for. */
export function platformsOf({ platforms }: Addon): readonly Platform[] {
  return platforms === 'all' ? PLATFORMS : PLATFORMS.filter(({ name }) => platforms.includes(name));
}

/** For every addon and platform. `-s`: no symbols and no debug information, which would name folders of the machine. */
export const COMPILER_FLAGS: readonly string[] = [
  '-O2',
  '-fexceptions',
  '-fvisibility=hidden',
  '-fvisibility-inlines-hidden',
  '-ffunction-sections',
  '-fdata-sections',
  '-Wall',
  '-Wextra',
  '-Wdate-time',
  '-shared',
  '-s',
];

/** What a format needs beside them. */
export function formatFlags(format: BinaryFormat, addon: Addon): readonly string[] {
  switch (format) {
    case 'elf':
      return ['-fPIC', '-Wl,--gc-sections', `-Wl,--version-script=${addon.versionScript}`];
    case 'mach-o':
      // Node-API is looked up in the program that loads the addon.
      return [
        '-undefined',
        'dynamic_lookup',
        '-Wl,-dead_strip',
        // Otherwise its name would contain the folder that it was built in.
        `-Wl,-install_name,@rpath/${addon.target}.napi.node`,
      ];
    case 'pe':
      return [];
  }
}

/** Path of a binary below the root, named so that node-gyp-build finds it. */
export function binaryPath(addon: Addon, platform: Platform): string {
  return `${addon.output}/${platform.folder}/${addon.target}.napi${platform.libc}.node`;
}
