/** What the committed addons with uWebSockets ask of the systems and of the Node that load them, read from the files themselves. */

import { createRequire } from 'node:module';
import t from 'tap';
import { ADDONS, binaryPath, platformsOf } from '../../../native/prebuild/targets.js';
import { readElf } from './elf.js';

const { symbols } = createRequire(import.meta.url)('node-api-headers') as {
  readonly symbols: Readonly<Record<string, { js_native_api_symbols: string[]; node_api_symbols: string[] }>>;
};
const NODE_API: ReadonlySet<string> = new Set(
  ['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'].flatMap((version) => [
    ...(symbols[version]?.js_native_api_symbols ?? []),
    ...(symbols[version]?.node_api_symbols ?? []),
  ]),
);
/** Of Node-API, of libuv and of OpenSSL, all of which Node exports. */
const OF_NODE = /^(napi_|node_api_|uv_|SSL_|TLS_|BIO_|ERR_|EVP_|PEM_|X509_|DH_|OPENSSL_|CRYPTO_)/;
const OLDEST_GLIBC = 28;

const addon = ADDONS.find(({ target }) => target === 'hotmic_sockets')!;

t.equal(platformsOf(addon).length, 3);
for (const platform of platformsOf(addon)) {
  t.test(`${platform.name}: an old C library, Node-API 8, and no other exports`, async (t) => {
    const elf = readElf(binaryPath(addon, platform));
    t.equal(elf.machine, platform.folder === 'linux-arm64' ? 'arm64' : 'x64');
    t.same(elf.exports.toSorted(), ['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
    t.notOk(elf.sections.includes('.symtab'), 'stripped');
    if (platform.libc === '.musl') {
      t.same(elf.needed, ['libc.so']);
      t.same(elf.versions, []);
    } else {
      for (const library of elf.needed)
        t.match(library, /^(lib(c|m|dl|pthread)\.so\.\d|ld-linux-.+\.so\.\d)$/);
      t.ok(elf.versions.length > 0);
      for (const version of elf.versions) {
        const [, minor] = /^GLIBC_2\.(\d+)/.exec(version) ?? [];
        t.ok(Number(minor) <= OLDEST_GLIBC, version);
      }
    }
    const own = elf.imports.filter((name) => /^(napi|node_api)_/.test(name));
    t.ok(own.length > 25, `${own.length} functions of Node-API`);
    for (const name of own) if (!NODE_API.has(name)) t.fail(`${name} is not in Node-API 8`);
  });
}

t.test('the Node that runs this exports all that is asked of it', { skip: whySkipped() }, async (t) => {
  const node = new Set(readElf(process.execPath).exports);
  const asked = readElf(binaryPath(addon, platformsOf(addon)[0]!)).imports.filter((name) =>
    OF_NODE.test(name),
  );
  t.ok(asked.length > 80, `${asked.length} functions of Node`);
  for (const name of asked) if (!node.has(name)) t.fail(`${name} is not exported`);
});

function whySkipped(): string | false {
  const { platform, arch } = process;
  const { node_shared, node_shared_openssl } = process.config.variables as Record<string, unknown>;
  if (platform !== 'linux' || arch !== 'x64') return 'not Linux x64';
  return node_shared || node_shared_openssl ? 'this Node is in several files' : false;
}
