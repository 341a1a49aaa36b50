/** The page in Chromium, as a player meets it: join by a link, hold Space, talk, hear. */

import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { samplesOfMs } from '../../voice/units.js';
import { tcpProxy } from '../client/tcp_proxy.js';
import { findChromium } from '../kit/chromium.js';
import { compareSpeech, pcmOfWav } from '../kit/speech.js';
import {
  joinByForm,
  joined,
  likeness,
  listener,
  oneRound,
  openPage,
  pageUrl,
  readyToTalk,
  recordOutput,
  relayWithPage,
  SPEECH,
  SPEECH_MS,
  speaker,
  startBrowser,
  takeOutput,
  withoutIsolation,
} from './page_kit.js';

t.setTimeout(600_000);

const executable = findChromium();
/** In which speech may begin anywhere and is still whole. */
const LOOPED_MS = 2 * SPEECH_MS + 1000;
/** Speech that is another, or of which half is missing, is below this. */
const LIKE = 0.5;
/** On a busy machine the speaker's process, which shares it, may leave gaps: each of these is another chance. */
const TRIES = 4;
/** A hangover of 200 ms, and what a busy machine may still send of it. */
const TAIL_FRAMES = 40;

t.test('in Chromium', { skip: executable === null ? '`sh test/chromium.sh` says why' : false }, async (t) => {
  const browser = await startBrowser(executable!);
  t.teardown(() => browser.close());

  for (const isolated of [true, false]) {
    const how = isolated ? 'with shared memory' : 'without shared memory';
    await t.test(`Space is held, and a player in Node hears it, ${how}`, async (t) => {
      const relay = await relayWithPage(t);
      const ben = await listener(t, relay);
      const url = isolated ? pageUrl(relay) : await withoutIsolation(t, relay);
      const page = await openPage(t, browser, url);
      t.equal(await page.evaluate('crossOriginIsolated'), isolated);
      await joinByForm(page, 'Ada');
      await readyToTalk(page);
      t.equal(ben.frames(), 0, 'nothing is sent before the key is down');
      await page.keyboard.down('Space');
      await ben.until(LOOPED_MS);
      await page.keyboard.up('Space');
      await page.waitForSelector('.talk:not(.live)');
      const comparison = compareSpeech(SPEECH, oneRound(ben.pcm()));
      t.equal(comparison.verdict, 'same', JSON.stringify(comparison));
      await sleep(500);
      const after = ben.frames();
      await sleep(500);
      t.equal(ben.frames(), after, 'nothing is sent after the key came up');
    });
  }

  await t.test('a player in Node speaks, and the page plays it, blocked or not', async (t) => {
    const relay = await relayWithPage(t);
    const cleo = await speaker(t, relay);
    const page = await openPage(t, browser, pageUrl(relay), { bypassCSP: true });
    await recordOutput(page);
    await joinByForm(page, 'Ada');
    await page.waitForSelector('.person >> text=Cleo');
    const block = `for (const until = performance.now() + ${SPEECH_MS}; performance.now() < until; );`;
    for (const [how, meanwhile] of [
      ['idle', ''],
      ['blocked', block],
    ] as const) {
      const likenesses: number[] = [];
      while (likenesses.length < TRIES && !likenesses.some((one) => one > LIKE)) {
        await takeOutput(page);
        const spoken = cleo.say(SPEECH);
        await page.evaluate(meanwhile);
        await spoken;
        await sleep(1000);
        likenesses.push(likeness(SPEECH, await takeOutput(page)));
      }
      t.ok(
        Math.max(...likenesses) > LIKE,
        `${how}: likeness ${likenesses.map((one) => one.toFixed(2)).join(', ')}`,
      );
    }
  });

  await t.test('the key counts as released when the window loses its focus', async (t) => {
    const relay = await relayWithPage(t);
    const ben = await listener(t, relay);
    const page = await openPage(t, browser, pageUrl(relay));
    await joinByForm(page, 'Ada');
    await readyToTalk(page);
    await page.keyboard.down('Space');
    await ben.until(200);
    await page.evaluate("dispatchEvent(new Event('blur'))");
    await page.waitForSelector('.talk:not(.live)');
    await sleep(500);
    ben.clear();
    await sleep(500);
    t.equal(ben.frames(), 0);
    await page.keyboard.up('Space');
  });

  await t.test('the button under a finger does what Space does', async (t) => {
    const relay = await relayWithPage(t);
    const ben = await listener(t, relay);
    const page = await openPage(t, browser, pageUrl(relay), {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
    });
    await joinByForm(page, 'Ada');
    await readyToTalk(page);
    const { x, y, width, height } = (await page.locator('.talk').boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await ben.until(300);
    await page.mouse.up();
    await page.waitForSelector('.talk:not(.live)');
    t.ok(ben.frames() < 15 + TAIL_FRAMES + 200);
  });

  await t.test(
    'a token leaves the address bar at once, and an invitation that is no good says so',
    async (t) => {
      const relay = await relayWithPage(t);
      const page = await openPage(t, browser, `${pageUrl(relay)}#token=nonsense`);
      t.notMatch(page.url(), /nonsense/);
      await page.fill('input[name=name]', 'Ada');
      await page.click('button[type=submit]');
      await page.waitForSelector('[role=alert]');
      t.match(await page.textContent('[role=alert]'), /invitation is not valid/);
    },
  );

  await t.test('nothing comes from elsewhere, and the first load is small', async (t) => {
    const relay = await relayWithPage(t);
    const context = await browser.newContext({ permissions: ['microphone'] });
    t.teardown(() => context.close());
    const page = await context.newPage();
    const { host } = new URL(pageUrl(relay));
    const sizes: Promise<number>[] = [];
    page.on('requestfinished', (request) => {
      t.equal(new URL(request.url()).host, host, request.url());
      sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
    });
    await page.goto(pageUrl(relay));
    await joinByForm(page, 'Ada');
    await readyToTalk(page);
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    t.ok(bytes > 100_000 && bytes <= 350_000, `${bytes} bytes`);
  });

  await t.test('a relay that restarts: the page comes back by itself', async (t) => {
    const relay = await relayWithPage(t);
    const next = await relayWithPage(t);
    const line = await tcpProxy(t, new URL(relay.url));
    const page = await openPage(t, browser, `${line.url.href.replace(/^ws/, 'http')}?lobby=den`);
    await joinByForm(page, 'Ada');
    // Attempts in between fail.
    page.removeAllListeners('console');
    line.block();
    await relay.close();
    await page.waitForSelector('.notice.bad');
    line.lead(new URL(next.url));
    line.unblock();
    await page.waitForSelector('.notice.bad', { state: 'detached', timeout: 60_000 });
    t.equal(next.counts().participants, 1);
  });

  await t.test('axe finds nothing on any screen, light or dark', async (t) => {
    const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
    const relay = await relayWithPage(t);
    await speaker(t, relay);
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await openPage(t, browser, pageUrl(relay), { colorScheme, bypassCSP: true });
      const check = async (screen: string) => {
        await page.addScriptTag({ path: axe });
        const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
          'axe.run()',
        );
        t.same(
          found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
          [],
          `${screen}, ${colorScheme}`,
        );
      };
      await check('the form');
      await joinByForm(page, 'Ada');
      await readyToTalk(page);
      await check('the lobby');
      await page.click('.person button');
      await page.click('.channels summary');
      await check('a person and the channels');
      await page.click('.tools button:nth-child(2)');
      await page.waitForSelector('dialog[open]');
      await check('the settings');
    }
  });
});

t.test('likeness tells speech from other speech, and from half of it', async (t) => {
  const other = pcmOfWav('examples/speech/ben.wav');
  const half = SPEECH.slice();
  half.fill(0, 0, half.length >> 1);
  const silence = new Int16Array(samplesOfMs(300));
  for (const [name, heard] of Object.entries({ other, half }))
    t.ok(likeness(SPEECH, joined([silence, heard, new Int16Array(SPEECH.length)])) < LIKE, name);
  t.ok(likeness(SPEECH, joined([silence, SPEECH.map((sample) => sample >> 1), silence])) > LIKE);
});
