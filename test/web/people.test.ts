/** What the page shows of people and what one can do about them; and its words where something is missing. */

import t, { type Test } from 'tap';
import { personSteamId } from '../../voice/steam_id.js';
import { findChromium } from '../kit/chromium.js';
import {
  joinByForm,
  openPage,
  pageUrl,
  readyToTalk,
  recordOutput,
  relayWithPage,
  SPEECH,
  speaker,
  startBrowser,
  takeOutput,
} from './page_kit.js';

t.setTimeout(300_000);

const executable = findChromium();
/** Of 32,768: what resampling leaves of silence. */
const AUDIBLE = 100;
const SENTENCE = SPEECH.subarray(0, SPEECH.length / 2);

const isAudible = (pcm: Int16Array) => pcm.some((sample) => Math.abs(sample) >= AUDIBLE);

t.test('in Chromium', { skip: executable === null ? '`sh test/chromium.sh` says why' : false }, async (t) => {
  const browser = await startBrowser(executable!);
  t.teardown(() => browser.close());

  await t.test('who is blocked is not heard, is remembered, and is heard again', async (t: Test) => {
    const relay = await relayWithPage(t);
    const cleo = await speaker(t, relay);
    const page = await openPage(t, browser, pageUrl(relay), { bypassCSP: true });
    await recordOutput(page);
    await joinByForm(page, 'Ada');
    await page.click('.person button.row:has-text("Cleo")');
    await page.click('.actions >> text=Block');
    await page.waitForSelector('.marks:has-text("blocked")');
    await cleo.say(SENTENCE);
    t.notOk(isAudible(await takeOutput(page)), 'nothing is played');
    t.match(await page.evaluate("localStorage.getItem('hotmic')"), String(personSteamId(3)));
    await page.click('.actions >> text=Unblock');
    await page.fill('.actions input[type=range]', '-12');
    await page.waitForSelector('output:has-text("-12 dB")');
    const spoken = cleo.say(SENTENCE);
    await page.waitForSelector('.person.speaking:has-text("Cleo")');
    await spoken;
    t.ok(isAudible(await takeOutput(page)), 'heard again');
  });

  await t.test('a page takes few connections, and leaves none behind', async (t) => {
    const relay = await relayWithPage(t);
    const page = await openPage(t, browser, pageUrl(relay));
    await joinByForm(page, 'Ada');
    await readyToTalk(page);
    const { tcp, notAdmitted } = relay.counts();
    // The document, three files, and the WebSocket, at most one connection each.
    t.ok(tcp.connections <= 5, `${tcp.connections} connections`);
    t.equal(notAdmitted, 0);
    await page.context().close();
    while (relay.counts().tcp.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  for (const [fault, words] of [
    ['NotAllowedError', /does not let this page use the microphone/],
    ['NotFoundError', /There is no microphone/],
    ['NotReadableError', /Another program/],
  ] as const) {
    await t.test(
      `the page says in plain words that a microphone fails by ${fault}, and one can listen`,
      async (t) => {
        const relay = await relayWithPage(t);
        const page = await openPage(t, browser, pageUrl(relay));
        await page.evaluate(`navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException('no', '${fault}'))`);
        await joinByForm(page, 'Ada');
        await page.waitForSelector('.notices .notice');
        t.match(await page.textContent('.notices'), words);
        t.ok(await page.isDisabled('.talk'));
      },
    );
  }

  await t.test('a phone has nothing beside its screen', async (t) => {
    const relay = await relayWithPage(t);
    await speaker(t, relay);
    const page = await openPage(t, browser, pageUrl(relay), { viewport: { width: 320, height: 640 } });
    await joinByForm(page, 'A name of no less than sixty-four characters, which is the most.');
    await page.click('.person button.row');
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 320);
  });

  await t.test('to a browser in German it speaks German', async (t) => {
    const relay = await relayWithPage(t);
    const page = await openPage(t, browser, pageUrl(relay), { locale: 'de-DE' });
    t.equal(await page.getAttribute('html', 'lang'), 'de');
    t.match(await page.textContent('button[type=submit]'), /Beitreten/);
  });
});
