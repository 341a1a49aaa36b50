/**
 * What the committed addons ask of the systems that they are made for, read from the files themselves. This is all that is known of
 * macOS, which nothing here can run; `make test-platforms` runs the others.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import t, { type Test } from 'tap';
import { ADDONS, binaryPath, PLATFORMS } from '../../../native/prebuild/targets.js';
import { readElf } from './elf.js';
import { readMachO } from './mach_o.js';
import { readPe } from './pe.js';

const { symbols } = createRequire(import.meta.url)('node-api-headers') as {
  readonly symbols: Readonly<Record<string, { js_native_api_symbols: string[]; node_api_symbols: string[] }>>;
};
/** The functions of Node-API 8, which Node 12.22 and later have. */
const NODE_API: ReadonlySet<string> = new Set(
  ['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'].flatMap((version) => [
    ...(symbols[version]?.js_native_api_symbols ?? []),
    ...(symbols[version]?.node_api_symbols ?? []),
  ]),
);
/** Every addon exports these, and nothing else. */
const ENTRY_POINTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
const isNodeApi = (name: string) => /^(napi|node_api)_/.test(name);

const [addon] = ADDONS as readonly [(typeof ADDONS)[0]];
function path(name: string): string {
  return binaryPath(addon, PLATFORMS.find((platform) => platform.name === name)!);
}

/** Fails for each function of Node-API that is newer than version 8. */
function checkNodeApi(t: Test, names: Iterable<string>): void {
  const used = [...names].filter(isNodeApi);
  t.ok(used.length > 30, `${used.length} functions of Node-API`);
  for (const name of used) if (!NODE_API.has(name)) t.fail(`${name} is not in Node-API 8`);
}

for (const [name, machine, oldest] of [
  ['linux-x64-glibc', 'x64', 28],
  ['linux-arm64', 'arm64', 28],
] as const) {
  t.test(`${name}: needs glibc 2.${oldest} or older, no C++ library, and Node-API 8`, async (t) => {
    const elf = readElf(path(name));
    t.equal(elf.machine, machine);
    for (const library of elf.needed) t.match(library, /^(lib(c|m|dl|pthread)\.so\.\d|ld-linux-.+\.so\.\d)$/);
    t.ok(elf.versions.length > 0);
    for (const version of elf.versions) {
      const [, minor] = /^GLIBC_2\.(\d+)/.exec(version) ?? [];
      t.ok(Number(minor) <= oldest, version);
    }
    t.same(elf.exports.toSorted(), ENTRY_POINTS);
    t.notOk(elf.sections.includes('.symtab'), 'stripped');
    checkNodeApi(t, elf.imports);
  });
}

t.test('linux-x64-musl: needs musl alone, no symbol of glibc, and Node-API 8', async (t) => {
  const elf = readElf(path('linux-x64-musl'));
  t.equal(elf.machine, 'x64');
  // musl's loader takes every name that begins with `libc.` for itself.
  t.same(elf.needed, ['libc.so']);
  t.same(elf.versions, []);
  t.same(elf.exports.toSorted(), ENTRY_POINTS);
  t.notOk(elf.sections.includes('.symtab'), 'stripped');
  checkNodeApi(t, elf.imports);
});

/**
 * Zig's linker for macOS cannot hide these: the operators new and delete, which libc++ defines as weak symbols over malloc and free, and
 * the linker's own marks.
 */
const UNHIDDEN = /^(__Z(da|dl)Pv|__Zn[aw]m|__mh_dylib_header$|___dso_handle$)/;

for (const machine of ['x64', 'arm64'] as const) {
  t.test(`darwin-${machine}: macOS 11, Node-API found anywhere, and signed if it has to be`, async (t) => {
    const file = path(`darwin-${machine}`);
    const macho = readMachO(file);
    t.equal(macho.machine, machine);
    t.match(macho.fileType, /^(dylib|bundle)$/);
    t.equal(macho.oldestSystem, '11.0');
    t.same(
      macho.libraries.filter((library) => !/\.node$/.test(library)),
      ['/usr/lib/libSystem.B.dylib'],
    );
    t.same(
      macho.exports.filter((name) => !UNHIDDEN.test(name)).toSorted(),
      ENTRY_POINTS.map((name) => `_${name}`),
    );
    for (const [name, from] of macho.imports) {
      if (!isNodeApi(name.slice(1))) t.equal(from, '/usr/lib/libSystem.B.dylib', name);
      else t.equal(from, 'anywhere', name);
    }
    checkNodeApi(
      t,
      [...macho.imports.keys()].map((name) => name.slice(1)),
    );
    // Apple's own processors refuse code without a signature. Intel's do not, and Zig makes none for them.
    const { signature } = macho;
    if (machine === 'x64') {
      t.equal(signature, null);
      return;
    }
    t.match(signature, { isAdHoc: true, wrongPages: 0 });
    // Pages of 16 KiB.
    t.ok((signature?.pages ?? 0) > 20);
  });
}

/** What Windows 10 has: its own libraries, and the C library as it names it. */
const WINDOWS = /^(kernel32|ntdll|advapi32|api-ms-win-crt-[a-z]+-l1-1-0)\.dll$/;
const DEBUG_REPRO = 16;
const ASLR = 0x40;
const HIGH_ENTROPY = 0x20;
const NO_EXECUTE = 0x100;

t.test('win32-x64: Windows 10, Node-API of whatever program loads it, no clock in it', async (t) => {
  const file = path('win32-x64');
  const pe = readPe(file);
  t.equal(pe.machine, 'x64');
  t.ok(pe.isLibrary);
  t.same(pe.exports.toSorted(), ENTRY_POINTS);
  t.equal(pe.name, `${addon.target}.napi.node`);
  for (const library of pe.imports.keys()) t.match(library, WINDOWS);
  t.ok(pe.imports.size > 3);
  // At the first call, so that the hook can answer with the running program: node.exe need not be its name.
  t.same([...pe.delayed.keys()], ['node.exe']);
  const names = pe.delayed.get('node.exe') ?? [];
  for (const name of names) t.ok(isNodeApi(name), name);
  checkNodeApi(t, names);
  // A hash of the contents (-Brepro), and the mark that says so.
  const [stamp] = pe.timestamps;
  t.ok(pe.debug.includes(DEBUG_REPRO), 'marked as reproducible');
  t.same(
    [...new Set(pe.timestamps)].filter((it) => it !== 0),
    [stamp],
    'one stamp',
  );
  t.equal(pe.symbols, 0, 'stripped');
  t.notOk(pe.sections.some((name) => name.startsWith('.debug')));
  for (const flag of [ASLR, HIGH_ENTROPY, NO_EXECUTE]) t.equal(pe.characteristics & flag, flag);
});

t.test('no addon names a folder of the machine that built it', async (t) => {
  for (const platform of PLATFORMS) {
    const file = binaryPath(addon, platform);
    const paths = readFileSync(file, 'latin1').match(/\/(home|root|tmp|work|Users|build)\/[\w./-]+/g) ?? [];
    t.same(paths, [], file);
  }
});
