/** Who holds the page's talk key, and what else may happen to it: other keys, fields, clicks, hidden tabs, a blocked page. */

import t, { type Test } from 'tap';
import { findChromium } from '../kit/chromium.js';
import { compareSpeech, SPEECH_THRESHOLDS } from '../kit/speech.js';
import {
  joinByForm,
  listener,
  oneRound,
  openPage,
  pageUrl,
  readyToTalk,
  relayWithPage,
  SPEECH,
  SPEECH_MS,
  startBrowser,
} from './page_kit.js';

t.setTimeout(300_000);

const executable = findChromium();
const MAX_BAD_SHARE = 0.1;

t.test('in Chromium', { skip: executable === null ? '`sh test/chromium.sh` says why' : false }, async (t) => {
  const browser = await startBrowser(executable!);
  t.teardown(() => browser.close());

  /** Ada in the page, and Ben, who listens. */
  async function inLobby(t: Test) {
    const relay = await relayWithPage(t);
    const ben = await listener(t, relay);
    const page = await openPage(t, browser, pageUrl(relay));
    await joinByForm(page, 'Ada');
    await readyToTalk(page);
    return { ben, page };
  }

  await t.test('the key counts as released when another tab hides the page', async (t) => {
    const { ben, page } = await inLobby(t);
    await page.keyboard.down('Space');
    await ben.until(200);
    await page.evaluate(`{
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }`);
    await page.waitForSelector('.talk:not(.live)');
  });

  await t.test('Space in a field types a space, and nobody hears it', async (t) => {
    const { ben, page } = await inLobby(t);
    await page.click('.channels summary');
    await page.focus('.channels input');
    await page.keyboard.press('Space');
    t.equal(await page.inputValue('.channels input'), ' ');
    t.equal(await page.locator('.talk.live').count(), 0);
    t.equal(ben.frames(), 0);
  });

  await t.test('Space talks after a click on a person, and does not click again', async (t) => {
    const { ben, page } = await inLobby(t);
    await page.click('.person button.row');
    await page.keyboard.down('Space');
    await ben.until(200);
    await page.keyboard.up('Space');
    t.equal(await page.getAttribute('.person button.row', 'aria-expanded'), 'true');
  });

  await t.test('Space presses a button that the keyboard has reached', async (t) => {
    const { ben, page } = await inLobby(t);
    await page.focus('.person button.row');
    await page.keyboard.press('Space');
    await page.waitForSelector('.person button.row[aria-expanded=true]');
    t.equal(ben.frames(), 0);
  });

  await t.test('with voice activation the page speaks by itself', async (t) => {
    const { ben, page } = await inLobby(t);
    await page.click('.tools .tool:has-text("Settings")');
    await page.selectOption('dialog select:has(option[value=voice-activation])', 'voice-activation');
    await page.keyboard.press('Escape');
    await ben.until(1000);
    await page.click('.tools .tool:has-text("Mute")');
    await page.waitForSelector('.talk:has-text("muted")');
  });

  await t.test('a page that is blocked for 20 s goes on talking, without a gap', async (t) => {
    const { ben, page } = await inLobby(t);
    await page.keyboard.down('Space');
    await ben.until(200);
    ben.clear();
    let state: 'blocked' | 'over' = 'blocked';
    const over = page
      .evaluate('for (const end = performance.now() + 20_000; performance.now() < end; );')
      .finally(() => {
        state = 'over';
      });
    // Two rounds of the microphone's speech, of which one is whole.
    await Promise.race([ben.until(2 * SPEECH_MS + 2000), over]);
    t.equal(state, 'blocked', 'it came while the page was blocked');
    const { stretchSamples, medianDb, badShare } = compareSpeech(SPEECH, oneRound(ben.pcm()));
    t.ok(Math.abs(stretchSamples) <= SPEECH_THRESHOLDS.maxStretchSamples, `${stretchSamples} samples longer`);
    t.ok(medianDb >= SPEECH_THRESHOLDS.medianDb, `${medianDb} dB`);
    // On a busy machine the browser's microphone itself loses some of it.
    t.ok(badShare <= MAX_BAD_SHARE, `${badShare} of it bad`);
    await over;
    await page.keyboard.up('Space');
    await page.waitForSelector('.talk:not(.live)');
  });
});
