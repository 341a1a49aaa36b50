/** examples/web: a bare page, bundled as its first line says, and run in Chromium. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build } from 'esbuild';
import t from 'tap';
import { personSteamId } from '../../voice/steam_id.js';
import { findChromium, type Route, serveDist } from '../kit/chromium.js';
import { listener, openPage, relayWithPage, startBrowser } from './page_kit.js';

t.setTimeout(120_000);

const SOURCE = 'examples/web/page.js';
const executable = findChromium();

t.test('the bare page has at most 40 lines', async (t) => {
  t.ok(readFileSync(SOURCE, 'utf8').trimEnd().split('\n').length <= 40);
});

const skip = executable === null ? '`sh test/chromium.sh` says why' : false;
t.test('the bare page joins, and talks while its button is held', { skip }, async (t) => {
  const { outputFiles } = await build({
    entryPoints: [SOURCE],
    ...{ bundle: true, format: 'esm', loader: { '.wasm': 'file' }, outdir: 'out', write: false },
    logLevel: 'silent',
  });
  const routes: Record<string, Route> = {
    '/': { type: 'text/html', body: readFileSync('examples/web/index.html') },
  };
  for (const { path, contents } of outputFiles)
    routes[`/${basename(path)}`] = {
      type: path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript',
      body: contents,
    };
  const server = await serveDist(routes);
  const browser = await startBrowser(executable!);
  t.teardown(() => Promise.all([browser.close(), server.close()]));
  const relay = await relayWithPage(t, { dev: true, guests: 'speak' });
  const ben = await listener(t, relay);
  t.equal(ben.lobby.you.steamId, personSteamId(2));
  const page = await openPage(t, browser, `${server.url}/?relay=${relay.url}`);
  await page.click('button');
  await page.waitForSelector('text=Hold to talk');
  await page.hover('button');
  await page.mouse.down();
  await ben.until(500);
  await page.mouse.up();
});
