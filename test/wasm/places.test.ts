/** The codec in Node's places, and the browser's door as far as Node can tell; browser.test.ts has the rest. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import * as nodeDoor from '../../wasm/index.js';
import { compileCodec, hasWasmSimd, isCodecReady, loadCodec, OpusDecoder } from '../../wasm/index.js';
import * as browserDoor from '../../wasm/index_browser.js';
import { resolveDoor } from '../kit/chromium.js';
import { hashesOf, jobs, sha256, wantedHashes } from './places/hashes.js';
import { type Answer, roundTrip } from './places/jobs.js';
import type { NodeWorkerData } from './places/node_worker.js';

const SIMD_BYTES = readFileSync('dist/wasm/pkg/hotmic_wasm_bg.wasm');

t.test('loading in Node fetches nothing and ends before it returns', async (t) => {
  refuseFetch(t);
  t.match(Object.prototype.toString.call(compileCodec()), 'WebAssembly.Module');
  t.equal(isCodecReady(), false, 'compiling starts nothing');
  loadCodec();
  t.equal(isCodecReady(), true);
  loadCodec();
  new OpusDecoder(24_000).free();
});

for (const simd of ['auto', 'off'] as const) {
  t.test(`a worker_thread gives the golden samples, simd ${simd}, by itself or from a module`, async (t) => {
    refuseFetch(t);
    for (const start of [{ simd }, { module: compileCodec({ simd }) }]) {
      const answer = await inWorker({ jobs, start });
      t.strictSame(hashesOf(answer), wantedHashes);
      t.equal(sha256(answer.roundTrip), wantedRoundTrip(), 'the round trip is as on the main thread');
    }
  });
}

const noSse = process.arch === 'x64' ? false : 'only x86 processors can be told to have no SIMD';

t.test(
  'an engine without SIMD takes the scalar build, which gives the same samples',
  { skip: noSse },
  async (t) => {
    const got = runNode(['--no-enable-sse4-1', 'dist/test/wasm/places/node_main.js']);
    t.equal(got.hasWasmSimd, false);
    t.strictSame(got.streams, wantedHashes);
    t.equal(got.roundTrip, wantedRoundTrip());
  },
);

t.test('the SIMD build is what an engine without SIMD refuses', { skip: noSse }, async (t) => {
  const script = "new WebAssembly.Module(require('fs').readFileSync('dist/wasm/pkg/hotmic_wasm_bg.wasm'))";
  const { status, stderr } = spawnSync(process.execPath, ['--no-enable-sse4-1', '-e', script]);
  t.not(status, 0);
  t.match(String(stderr), /SIMD unsupported/);
});

t.test('an engine without WebAssembly is said in words', async (t) => {
  const { WebAssembly: engine } = globalThis as { WebAssembly?: object };
  t.teardown(() => Object.assign(globalThis, { WebAssembly: engine }));
  Object.assign(globalThis, { WebAssembly: undefined });
  t.equal(hasWasmSimd(), false);
  const wanted = { code: 'ERR_HOTMIC_CODEC', message: /no WebAssembly/ };
  t.throws(() => compileCodec(), wanted);
  await t.rejects(browserDoor.compileCodec(), wanted);
});

t.test('a misspelled or wrong option is named, in both doors', async (t) => {
  const unknown = { name: 'TypeError', message: /unknown option "smid", expected one of simd/ };
  t.throws(() => loadCodec({ smid: 'off' } as object), unknown);
  await t.rejects(browserDoor.loadCodec({ smid: 'off' } as object), unknown);
  const wrong = { name: 'TypeError', message: 'Cannot load codec: simd is false, expected "auto" or "off"' };
  t.throws(() => compileCodec({ simd: false } as object), wrong);
  await t.rejects(browserDoor.compileCodec({ simd: false } as object), wrong);
  t.throws(() => loadCodec({ url: '/x.wasm' } as object), /unknown option "url"/, 'Node takes no URL');
});

t.test('Node and a browser each come to their door, and both offer the same names', async (t) => {
  t.equal(resolveDoor('hotmic/codec', ['node', 'import']), '/wasm/index.js');
  t.equal(resolveDoor('hotmic/codec', ['browser', 'import']), '/wasm/index_browser.js');
  t.equal(resolveDoor('hotmic/codec', ['types', 'node']), '/wasm/index.d.ts');
  t.equal(resolveDoor('hotmic/codec', ['types', 'browser']), '/wasm/index_browser.d.ts');
  t.strictSame(Object.keys(browserDoor).sort(), Object.keys(nodeDoor).sort());
});

t.test(
  "the browser's door needs nothing but the language, and gives the golden samples with it",
  async (t) => {
    const got = runNode([
      '--experimental-vm-modules',
      '--no-warnings',
      'dist/test/wasm/places/bare_realm.js',
    ]);
    t.ok(got.files?.includes('wasm/load_browser.js') && got.files.includes('wasm/pkg/hotmic_wasm.js'));
    t.strictSame(got.streams, wantedHashes);
    t.equal(got.roundTrip, wantedRoundTrip());
  },
);

t.test(
  "the browser's door fetches the build beside it, or another, and says what is wrong with it",
  async (t) => {
    const wasm = { headers: { 'content-type': 'application/wasm' } };
    const text = { headers: { 'content-type': 'text/plain' } };
    const asked: string[] = [];
    const answers = (answer: () => Response) => {
      t.intercept(globalThis, 'fetch', {
        value: async (url: string) => {
          asked.push(url);
          return answer();
        },
      });
    };
    const compiles = async (options: object) =>
      Object.prototype.toString.call(await browserDoor.compileCodec(options));

    answers(() => new Response(SIMD_BYTES, wasm));
    t.equal(await compiles({}), '[object WebAssembly.Module]');
    t.equal(await compiles({ simd: 'off' }), '[object WebAssembly.Module]');
    t.equal(
      await compiles({ url: new URL('https://cdn.example/codec.wasm') }),
      '[object WebAssembly.Module]',
    );
    const simdFile = hasWasmSimd() ? 'hotmic_wasm_bg.wasm' : 'hotmic_wasm_scalar_bg.wasm';
    t.match(asked[0], new RegExp(`/dist/wasm/pkg/${simdFile}$`));
    t.match(asked[1], /\/dist\/wasm\/pkg\/hotmic_wasm_scalar_bg\.wasm$/);
    t.equal(asked[2], 'https://cdn.example/codec.wasm');
    answers(() => new Response(SIMD_BYTES, text));
    t.equal(await compiles({}), '[object WebAssembly.Module]', 'by its bytes, for another type');

    const cases: [() => Response, RegExp][] = [
      [() => new Response('', { status: 404 }), /the server answers 404/],
      [
        () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }),
        /not a WebAssembly module: text\/html, 15 bytes/,
      ],
      [() => new Response(SIMD_BYTES.subarray(0, 999), wasm), /cannot compile/],
      [() => new Response(SIMD_BYTES.subarray(0, 999), text), /cannot compile/],
      [() => new Response(brokenStream(), text), /it broke off: gone/],
      [
        () => {
          throw new TypeError('Failed to fetch');
        },
        /cannot fetch \/x\.wasm: Failed to fetch; is the network there/,
      ],
    ];
    for (const [answer, message] of cases) {
      answers(answer);
      await t.rejects(browserDoor.compileCodec({ url: '/x.wasm' }), { code: 'ERR_HOTMIC_CODEC', message });
    }
  },
);

let roundTripHash: string | null = null;

/** What the round trip gives on the main thread. */
function wantedRoundTrip(): string {
  loadCodec();
  roundTripHash ??= sha256(roundTrip());
  return roundTripHash;
}

function brokenStream(): ReadableStream {
  return new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) });
}

function refuseFetch(t: Test): void {
  t.intercept(globalThis, 'fetch', {
    value: () => {
      throw new Error('Node must not fetch');
    },
  });
}

function inWorker(data: NodeWorkerData): Promise<Answer> {
  const worker = new Worker(new URL('./places/node_worker.js', import.meta.url), { workerData: data });
  return new Promise((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`the worker ended with ${code} and no answer`)));
  });
}

interface Printed {
  readonly hasWasmSimd?: boolean;
  readonly files?: readonly string[];
  readonly streams: Readonly<Record<string, string>>;
  readonly roundTrip: string;
}

function runNode(args: readonly string[]): Printed {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Printed;
}
