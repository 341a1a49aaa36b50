/**
 * What `make prebuilds` builds: which addons, for which platforms, with which flags.
 *
 * Sources, defines and include folders of an addon are those of its target in binding.gyp, from which node-gyp builds it too.
 */

/** An addon: a target of binding.gyp. */
export interface Addon {
  /** In binding.gyp; also how its files are named. */
  readonly target: string;
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

export const ADDONS: readonly Addon[] = [
  {
    target: 'hotmic',
    output: 'prebuilds',
    versionScript: 'native/src/exports.map',
    flags: ['-std=c++17'],
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
