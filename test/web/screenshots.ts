/**
 * Takes pictures of the page with Chromium: `make screenshots` writes the two of the README to docs/; with a folder as argument, every state goes there,
 * wide and on a phone, light and dark, to be looked at.
 *
 *     node dist/test/web/screenshots.js [folder]
 */

import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { findChromium } from '../kit/chromium.js';
import { joinByForm, readyToTalk, startBrowser } from './page_kit.js';

const WIDE = { viewport: { width: 1120, height: 700 } };
const PHONE = { viewport: { width: 390, height: 760 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
/** In screenshots_scene.ts. */
const SPEAKS = 'Cleo';
const GRAPH_MS = 20_000;
/** Ada, in the middle of a word. The page's policy forbids to evaluate anything in it. */
const IN_A_WORD = `.person.speaking:first-child .face:is(${[6, 7, 8].map((n) => `[style*="loud: 0.${n}"]`).join()})`;

const executable = findChromium();
if (executable === null) throw new Error('Cannot take screenshots: there is no Chromium');
const [folder] = process.argv.slice(2);
// In a thread of its own: this one is busy with the browser, and the page would rightly show that as delay.
const scene = new Worker(new URL('./screenshots_scene.js', import.meta.url));
const [url] = (await once(scene, 'message')) as [string];
const browser = await startBrowser(executable);

if (folder === undefined) {
  await picture('docs/page-wide.png', { ...WIDE, colorScheme: 'light' }, talking);
  await picture('docs/page-phone.png', { ...PHONE, deviceScaleFactor: 1, colorScheme: 'dark' }, talking);
} else {
  mkdirSync(folder, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [size, options] of [['wide', WIDE] as const, ['phone', PHONE] as const])
      for (const [state, reach] of Object.entries({
        form,
        talking,
        idle,
        person,
        settings,
        channels,
        refused,
        over,
      }))
        await picture(
          join(folder, `${state}-${size}-${colorScheme}.png`),
          { ...options, colorScheme },
          reach,
        );
}
await browser.close();
await scene.terminate();

async function picture(
  path: string,
  options: BrowserContextOptions,
  reach: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browserContext(browser, options);
  const page = await context.newPage();
  await page.goto(url);
  await reach(page);
  await page.screenshot({ path, animations: 'disabled' });
  // Or the next picture shows an Ada who is away.
  const leave = page.locator('.tools .tool:has-text("Leave")');
  if ((await leave.count()) > 0) await leave.click({ force: true });
  await context.close();
  console.log(path);
}

async function browserContext(from: Browser, options: BrowserContextOptions) {
  return from.newContext({ permissions: ['microphone'], locale: 'en-GB', ...options });
}

async function form(page: Page): Promise<void> {
  await page.fill('input[name=name]', 'Ada');
}

async function idle(page: Page): Promise<void> {
  await joinByForm(page, 'Ada');
  await readyToTalk(page);
  await page.waitForSelector(`.person.speaking:has-text("${SPEAKS}")`);
}

async function talking(page: Page): Promise<void> {
  await idle(page);
  await page.keyboard.down('Space');
  await page.waitForSelector('.talk.live');
  // Something for the network's graph.
  await page.waitForTimeout(GRAPH_MS);
  await page.waitForSelector(IN_A_WORD);
}

async function person(page: Page): Promise<void> {
  await idle(page);
  await page.click('.person button.row:has-text("Ben")');
}

async function settings(page: Page): Promise<void> {
  await idle(page);
  await page.click('.tools .tool:has-text("Settings")');
  await page.waitForSelector('dialog[open]');
}

async function channels(page: Page): Promise<void> {
  await idle(page);
  await page.click('.channels summary');
}

async function refused(page: Page): Promise<void> {
  await page.evaluate(
    "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))",
  );
  await joinByForm(page, 'Ada');
  await page.waitForSelector('.notices .notice');
}

async function over(page: Page): Promise<void> {
  await idle(page);
  await page.click('.tools .tool:has-text("Leave")');
  await page.waitForSelector('form');
}
