/** The same scenarios on Node's client and on the browser's, in headless Chromium and Firefox, against the same relay. */

import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import t, { type Test } from 'tap';
import { joinLobby, joinVoice, PcmMicrophone, type PcmMicrophoneOptions } from '../../../client/index.js';
import { startRelay } from '../../../relay/index.js';
import { loadCodec } from '../../../wasm/load.js';
import { findChromium, serveDist, startChromium } from '../../kit/chromium.js';
import { findFirefox, startFirefox } from '../../kit/firefox.js';
import { tcpProxy } from '../tcp_proxy.js';
import { type Place, SCENARIOS } from './scenarios.js';

t.setTimeout(600_000);

/** The browser's client and its bundle, without minification, in bytes; without the codec's wasm. */
const MAX_BUNDLE_BYTES = 400_000;

const WANTED: Readonly<Record<string, unknown>> = {
  talk: {
    sent: [true, true],
    unchanged: true,
    participants: ['Ada II'],
    told: ['joined Ada', 'Ada II in ', 'left Ada II', 'ended null'],
    counts: [2, 0],
    states: ['over', 'joined'],
  },
  channels: { ben: ['red', 'lobby'], cleo: ['whisper', 'lobby'], isInBlue: false },
  cut: {
    told: ['reconnecting ERR_HOTMIC_CONNECTION_LOST', 'resumed', 'ended null'],
    sent: true,
    resumes: 1,
    isSameSlot: true,
  },
  freeze: { told: ['reconnecting ERR_HOTMIC_CONNECTION_LOST', 'resumed', 'ended null'] },
  drain: {
    told: ['draining 200', 'reconnecting ERR_HOTMIC_CONNECTION_LOST', 'joined-anew', 'ended null'],
    followed: 1,
  },
  hear: { isLoud: true, heard: [true], ended: null },
  speak: {
    ada: ['live', 'not live', 'live', 'not live', 'ended null'],
    ben: ['joined Ada', 'Ada speaks', 'Ada is silent', 'Ada blocked', 'blocks 1', 'left Ada', 'ended null'],
    talkspurts: 2,
    all: true,
    silence: true,
  },
  tone: { isTone: true, ended: [null, null] },
  refusals: {
    twice: 'ERR_HOTMIC_REFUSED',
    nobody: 'ERR_HOTMIC_CONNECT',
    name: 'RangeError: Cannot join: name is "", expected 1 to 64 characters without control characters',
    path: 'ERR_HOTMIC_REFUSED',
    scheme: 'ERR_HOTMIC_URL',
    aborted: 'ERR_HOTMIC_CLOSED',
  },
};

/** A relay behind a line that can be cut, and a second one. */
async function placeFor(t: Test): Promise<Place> {
  const options = { dev: true, secondJoin: 'refuse' } as const;
  const relay = await startRelay(options);
  const next = await startRelay(options);
  t.teardown(() => Promise.all([relay.close(), next.close()]));
  const line = await tcpProxy(t, new URL(relay.url));
  const control: Place['control'] = async (what) => {
    if (what === 'cut') line.cut();
    else if (what === 'freeze') line.freeze();
    else void relay.drain(200, next.url);
  };
  return { url: line.url.href.replace(/\/$/, ''), next: next.url, control };
}

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  t.test(`in Node: ${name}`, async (t) => {
    const makeMicrophone = (options: PcmMicrophoneOptions) => new PcmMicrophone(options);
    const client = { joinLobby, joinVoice, makeMicrophone, loadCodec };
    const got = await scenario(client, await placeFor(t));
    t.strictSame(got, WANTED[name]);
  });
}

/** The page's script, as a bundler makes it for browsers. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ['dist/test/client/scenarios/page.js'],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

t.test('what browsers load needs no Node, and is small', async (t) => {
  const script = await bundle();
  for (const word of [/\bprocess\b\s*[.[]/, /\bBuffer\b\s*[.[]/, /['"]node:/, /\brequire\(/])
    t.notMatch(script, word);
  t.ok(script.length < MAX_BUNDLE_BYTES, `${script.length} bytes`);
});

/** Opens the page, and evaluates expressions in it. */
type Open = (
  t: Test,
  url: string,
  control: Place['control'],
) => Promise<(expression: string) => Promise<string>>;

async function openInChromium(t: Test, executable: string): Promise<Open> {
  const browser = await startChromium(executable);
  t.teardown(() => browser.close());
  return async (t, url, control) => {
    const page = await browser.newPage();
    t.teardown(() => page.close());
    page.on('pageerror', (error) => t.fail(`the page failed: ${error.message}`));
    await page.exposeFunction('control', control);
    await page.goto(url);
    await page.waitForFunction('"play" in globalThis');
    return (expression) => page.evaluate(expression);
  };
}

async function openInFirefox(t: Test, executable: string): Promise<Open> {
  const browser = await startFirefox(executable);
  t.teardown(() => browser.close());
  return async (t, url, control) => {
    const page = await browser.open(url, {
      onControl: (what) => control(what as Parameters<Place['control']>[0]),
      onError: (text) => t.fail(`the page failed: ${text}`),
    });
    t.teardown(() => page.close());
    return (expression) => page.evaluate(expression);
  };
}

const BROWSERS = [
  {
    ...{ name: 'Chromium', executable: findChromium(), start: openInChromium },
    missing: 'Chromium is not here; `sh test/chromium.sh` says why',
  },
  {
    ...{ name: 'Firefox', executable: findFirefox(), start: openInFirefox },
    missing: 'Firefox is not here: install firefox-esr, or set HOTMIC_FIREFOX',
  },
];

for (const { name: browser, executable, start, missing } of BROWSERS) {
  t.test(`in ${browser}`, { skip: executable === null ? missing : false }, async (t) => {
    const html = '<!doctype html><title>scenarios</title><script type="module" src="/page.js"></script>';
    const server = await serveDist({
      '/': { type: 'text/html', body: html },
      '/page.js': { type: 'text/javascript', body: await bundle() },
      '/codec.wasm': { type: 'application/wasm', body: readFileSync('dist/wasm/pkg/hotmic_wasm_bg.wasm') },
    });
    t.teardown(() => server.close());
    const open = await start(t, executable!);
    for (const name of Object.keys(SCENARIOS)) {
      await t.test(`in ${browser}: ${name}`, async (t) => {
        const place = await placeFor(t);
        const evaluate = await open(t, server.url, place.control);
        const [url, next] = [JSON.stringify(place.url), JSON.stringify(place.next)];
        const got = await evaluate(`play(${JSON.stringify(name)}, ${url}, ${next})`);
        // A browser does not show the HTTP answer to its page.
        const wanted =
          name === 'refusals' ? { ...(WANTED[name] as object), path: 'ERR_HOTMIC_CONNECT' } : WANTED[name];
        t.strictSame(JSON.parse(got), wanted);
      });
    }
  });
}
