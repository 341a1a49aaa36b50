/** The codec in headless Chromium: page, worker and AudioWorklet give the very samples of the golden vectors, in both builds. */

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { hasWasmSimd, loadCodec } from '../../wasm/index.js';
import { findChromium, type Route, serveDist, startChromium, type TestServer } from '../kit/chromium.js';
import { golden, sha256, wantedHashes } from './places/hashes.js';
import { hear, recordPackets, roundTrip } from './places/jobs.js';
import type { Hashes, Place } from './places/page.js';

const PLACES: readonly Place[] = [
  'page',
  'worker that fetches',
  'worker that is handed a module',
  'worklet that is handed a module',
  'worklet that is handed bytes',
];
const SIMD_FILE = '/wasm/pkg/hotmic_wasm_bg.wasm';
const SCALAR_FILE = '/wasm/pkg/hotmic_wasm_scalar_bg.wasm';

const module = readFileSync(`dist${SIMD_FILE}`);
const html =
  '<!doctype html><title>Hotmic</title><script type="module" src="/test/wasm/places/page.js"></script>';

const routes: Record<string, Route> = {
  '/': { type: 'text/html', body: html },
  '/favicon.ico': { status: 204, type: 'image/x-icon', body: '' },
  '/golden.json': { type: 'application/json', body: JSON.stringify(golden) },
  '/as-text.wasm': { type: 'text/plain', body: module },
  '/with-charset.wasm': { type: 'application/wasm; charset=utf-8', body: module },
  '/start-page.wasm': { type: 'text/html', body: html },
  '/cut.wasm': { type: 'application/wasm', body: module.subarray(0, 1000) },
  '/cut-as-text.wasm': { type: 'text/plain', body: module.subarray(0, 1000) },
  '/other.wasm': { type: 'application/wasm', body: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0) },
};

const executable = findChromium();
const skip = executable === null ? 'Chromium is not here; `sh test/chromium.sh` says why' : false;

let server: TestServer;
let browser: Browser;
let wantedRoundTrip = '';
t.before(async () => {
  loadCodec();
  wantedRoundTrip = sha256(roundTrip());
  if (executable === null) return;
  server = await serveDist(routes);
  browser = await startChromium(executable);
});
t.teardown(async () => {
  await browser?.close();
  await server?.close();
});

/** A new page, because a thread starts the codec once. */
async function openPage(t: Test, inside = browser): Promise<Page> {
  const page = await inside.newPage();
  t.teardown(() => page.close());
  page.on('pageerror', (error) => t.fail(`the page failed: ${error.message}`));
  await page.goto(server.url);
  await page.waitForFunction('"runPlace" in globalThis');
  server.requests.length = 0;
  return page;
}

interface Played {
  readonly pcm: string;
  readonly queued: readonly number[];
}

const call = <T>(page: Page, name: string, ...args: readonly string[]) =>
  page.evaluate(`${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`) as Promise<T>;

for (const simd of ['auto', 'off'] as const) {
  // Chromium is on the same processor as this Node.
  const isSimd = simd === 'auto' && hasWasmSimd();
  const [file, otherFile] = isSimd ? [SIMD_FILE, SCALAR_FILE] : [SCALAR_FILE, SIMD_FILE];
  for (const place of PLACES) {
    t.test(
      `the golden streams and a round trip give the recorded samples, simd ${simd}: ${place}`,
      { skip },
      async (t) => {
        const page = await openPage(t);
        const got = await call<Hashes>(page, 'runPlace', place, simd);
        t.equal(Object.keys(got.streams).length, golden.streams.length * 5);
        t.strictSame(got.streams, wantedHashes);
        t.equal(got.roundTrip, wantedRoundTrip, 'what Node hears');
        t.ok(server.requests.includes(file), `asked for ${file}`);
        t.notOk(server.requests.includes(otherFile), `and not for ${otherFile}`);
      },
    );
  }
}

t.test('examples/voice_worklet plays what its packets hold, to the sample', { skip }, async (t) => {
  const seconds = 3;
  const packets = recordPackets().map((packet) => Buffer.from(packet).toString('base64'));
  const heard = hear(48_000);
  const wanted = new Int16Array(seconds * 48_000);
  wanted.set(heard);
  const page = await openPage(t);
  const got = (await page.evaluate(`play(${JSON.stringify(packets)}, ${seconds})`)) as Played;
  t.equal(got.queued.at(-1), heard.length);
  t.equal(got.pcm, sha256(wanted));
});

const noSse = process.arch === 'x64' ? skip : 'only x86 processors can be told to have no SIMD';

t.test('a Chromium without SIMD takes the scalar build by itself', { skip: noSse }, async (t) => {
  const old = await startChromium(executable!, '--no-enable-sse4-1');
  t.teardown(() => old.close());
  const page = await openPage(t, old);
  const got = await call<Hashes>(page, 'runPlace', 'worklet that is handed a module', 'auto');
  t.equal(got.hasWasmSimd, false);
  t.strictSame(got.streams, wantedHashes);
  t.ok(server.requests.includes(SCALAR_FILE));
  t.notOk(server.requests.includes(SIMD_FILE));
});

t.test('whoever loads while it is loading waits for the same fetch', { skip }, async (t) => {
  const page = await openPage(t);
  await call(page, 'loadAtOnce');
  t.equal(server.requests.filter((path) => path.endsWith('.wasm')).length, 1);
});

t.test('a server that gives the module another type will do', { skip }, async (t) => {
  for (const url of ['/as-text.wasm', '/with-charset.wasm']) {
    t.equal(await call(await openPage(t), 'loadFrom', url), 'ready', url);
  }
});

t.test(
  'a missing file, or one that is not a codec, is reported in words, and the next call tries again',
  { skip },
  async (t) => {
    const page = await openPage(t);
    const cases: [string, RegExp][] = [
      [
        '/nowhere.wasm',
        /^ERR_HOTMIC_CODEC .*cannot fetch \/nowhere\.wasm: the server answers 404, .*after a bundler, pass \{ url \}/,
      ],
      ['/start-page.wasm', /^ERR_HOTMIC_CODEC .*is not a WebAssembly module: text\/html, \d+ bytes/],
      ['/cut.wasm', /^ERR_HOTMIC_CODEC .*cannot compile \/cut\.wasm: /],
      ['/cut-as-text.wasm', /^ERR_HOTMIC_CODEC .*cannot compile \/cut-as-text\.wasm: /],
      ['/other.wasm', /^ERR_HOTMIC_CODEC Cannot start codec: /],
      [
        'http://127.0.0.1:1/codec.wasm',
        /^ERR_HOTMIC_CODEC .*cannot fetch http:\/\/127\.0\.0\.1:1\/codec\.wasm: /,
      ],
    ];
    for (const [url, wanted] of cases) t.match(await call(page, 'loadFrom', url), wanted, url);
    t.equal(await call(page, 'loadFrom', SIMD_FILE), 'ready');
  },
);
