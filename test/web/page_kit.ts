/** The page in a headless Chromium whose microphone is a WAV, at a relay in development, and other players in Node. */

import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Test } from 'tap';
import { decodeLobby, joinVoice, PcmMicrophone, type Voice } from '../../client/index.js';
import { type RelayOptions, type RunningRelay, startRelay } from '../../relay/index.js';
import { personSteamId } from '../../voice/steam_id.js';
import { samplesOfMs, VOICE_RATE_HZ } from '../../voice/units.js';
import { startChromium } from '../kit/chromium.js';
import { compareSpeech, pcmOfWav } from '../kit/speech.js';

/** What the fake microphone hears, again and again. */
export const SPEECH_FILE = 'examples/speech/ada.wav';
export const SPEECH = pcmOfWav(SPEECH_FILE);
export const SPEECH_MS = (1000 * SPEECH.length) / VOICE_RATE_HZ;

/** Nothing that a browser does to a voice: so it can be compared. */
const UNPROCESSED = JSON.stringify({
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
});

export function startBrowser(executable: string): Promise<Browser> {
  return startChromium(executable, '', [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${SPEECH_FILE}`,
  ]);
}

/** A relay that serves the page. Ends with the test. */
export async function relayWithPage(t: Test, options: RelayOptions = { dev: true }): Promise<RunningRelay> {
  const relay = await startRelay({ ...options, page: true });
  t.teardown(() => relay.close());
  return relay;
}

export function pageUrl(relay: RunningRelay, lobby = 'den'): string {
  return `${relay.url.replace(/^ws/, 'http')}?lobby=${lobby}`;
}

const OPENER_POLICY = 'cross-origin-opener-policy';

/** The relay behind a proxy that spoils the header by which the page is isolated. Ends with the test. */
export async function withoutIsolation(t: Test, relay: RunningRelay): Promise<string> {
  const { port, hostname } = new URL(relay.url);
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    far.on('data', (data) => {
      const at = data.indexOf(OPENER_POLICY);
      if (at >= 0) data.write('x', at);
      near.write(data);
    });
    near.pipe(far);
    far.on('end', () => near.end());
    for (const socket of [near, far])
      socket.on('error', () => undefined).on('close', () => [near, far].map((one) => one.destroy()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/?lobby=den`;
}

/** Opens the page, with what it says on its console as faults of the test. */
export async function openPage(
  t: Test,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ permissions: ['microphone'], ...options });
  t.teardown(() => context.close());
  await context.addInitScript({
    content: `if (!localStorage.getItem('hotmic')) localStorage.setItem('hotmic', ${JSON.stringify(UNPROCESSED)});`,
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => t.fail(`the page failed: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') t.fail(`the page complains: ${message.text()}`);
  });
  await page.goto(url);
  return page;
}

/** Joins by the form. */
export async function joinByForm(page: Page, name: string): Promise<void> {
  await page.fill('input[name=name]', name);
  await page.click('button[type=submit]');
  await page.waitForSelector('.talk');
}

/** Waits until the button can be held. */
export async function readyToTalk(page: Page): Promise<void> {
  await page.waitForSelector('.talk:not(:disabled)');
}

/** Somebody in Node who keeps what they hear, one sound after the other. */
export async function listener(t: Test, relay: RunningRelay, lobby = 'den') {
  const heard: Int16Array[] = [];
  let frames = 0;
  const { lobby: place } = await decodeLobby({
    ...{ url: relay.url, lobby, name: 'Ben', steamId: personSteamId(2) },
    onDecoded: (_, { pcm }) => {
      frames += 1;
      heard.push(pcm.slice());
    },
  });
  t.teardown(() => place.leave());
  return {
    lobby: place,
    frames: () => frames,
    /** Forgets what was heard. */
    clear: () => {
      heard.length = 0;
      frames = 0;
    },
    pcm: () => joined(heard),
    /** Waits until so much was heard. */
    until: async (ms: number) => {
      while (heard.reduce((sum, { length }) => sum + length, 0) < samplesOfMs(ms)) await sleep(20);
    },
  };
}

export function joined(parts: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Somebody in Node who can say things. */
export async function speaker(t: Test, relay: RunningRelay, lobby = 'den') {
  const steamId = personSteamId(3);
  const voice = await joinVoice({ url: relay.url, lobby, name: 'Cleo', steamId });
  const microphone = new PcmMicrophone({ steamId, sampleRateHz: VOICE_RATE_HZ });
  voice.setMicrophone(microphone);
  t.teardown(async () => {
    await voice.leave();
    microphone.close();
  });
  return { voice, say: (pcm: Int16Array) => say(voice, microphone, pcm) };
}

/** Says it at its own pace. */
async function say(voice: Voice, microphone: PcmMicrophone, pcm: Int16Array): Promise<void> {
  const step = samplesOfMs(20);
  const began = performance.now();
  voice.press();
  for (let at = 0; at < pcm.length; at += step) {
    await sleep(Math.max(0, began + (1000 * at) / VOICE_RATE_HZ - performance.now()));
    microphone.write(pcm.subarray(at, at + step));
  }
  const released = voice.release();
  microphone.write(new Int16Array(samplesOfMs(400)));
  await released;
}

/**
 * Has the page keep what it plays: what goes to the context's destination also goes to a worklet that posts it, so that a blocked page loses nothing of
 * it. The page has to be opened with `bypassCSP`, because this worklet is not the page's own.
 */
export async function recordOutput(page: Page): Promise<void> {
  await page.addInitScript({ content: RECORDER });
  await page.reload();
}

const RECORDER = `
  const worklet = URL.createObjectURL(new Blob([\`registerProcessor('recorder', class extends AudioWorkletProcessor {
    process([[mono]]) { if (mono) this.port.postMessage(mono.slice()); return true; }
  });\`], { type: 'text/javascript' }));
  globalThis.kept = [];
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (to) {
    if (to instanceof AudioDestinationNode) {
      globalThis.keptRate = this.context.sampleRate;
      void this.context.audioWorklet.addModule(worklet).then(() => {
        const options = { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' };
        const recorder = new AudioWorkletNode(this.context, 'recorder', options);
        recorder.port.onmessage = ({ data }) => kept.push(data);
        connect.call(this, recorder);
      });
    }
    return connect.call(this, to);
  };
  globalThis.takeOutput = () => {
    const parts = kept.splice(0).map((part) => {
      const bytes = new Uint8Array(Int16Array.from(part, (sample) => Math.round(32767 * sample)).buffer);
      return String.fromCharCode(...bytes);
    });
    return { base64: btoa(parts.join('')), rateHz: keptRate };
  };`;

/** What the page has played since the last call, at 24 kHz. */
export async function takeOutput(page: Page): Promise<Int16Array> {
  const { base64, rateHz } = await page.evaluate<{ base64: string; rateHz: number }>('takeOutput()');
  const bytes = Buffer.from(base64, 'base64');
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
  const every = rateHz / VOICE_RATE_HZ;
  return Int16Array.from(
    { length: Math.floor(samples.length / every) },
    (_, at) => samples[Math.floor(at * every)]!,
  );
}

/** Steps of the loudness that is compared. */
const STEP_MS = 40;

/**
 * How like the loudness of what was played, over time, is to that of what was said: the correlation where they fit best, -1 to 1. The page's playout stretches
 * and shortens to follow the network, so the samples themselves are not compared.
 */
export function likeness(said: Int16Array, played: Int16Array): number {
  const [wanted, got] = [loudnessOf(said), loudnessOf(played)];
  let best = -1;
  for (let lag = 0; lag + wanted.length <= got.length; lag++)
    best = Math.max(best, correlationOf(wanted, got.slice(lag, lag + wanted.length)));
  return best;
}

function loudnessOf(pcm: Int16Array): number[] {
  const step = samplesOfMs(STEP_MS);
  return Array.from({ length: Math.floor(pcm.length / step) }, (_, index) => {
    const part = pcm.subarray(index * step, (index + 1) * step);
    return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / step);
  });
}

function correlationOf(one: readonly number[], other: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [oneMean, otherMean] = [mean(one), mean(other)];
  let [cross, oneEnergy, otherEnergy] = [0, 0, 0];
  for (let at = 0; at < one.length; at++) {
    const [x, y] = [one[at]! - oneMean, other[at]! - otherMean];
    cross += x * y;
    oneEnergy += x * x;
    otherEnergy += y * y;
  }
  return cross / Math.max(1, Math.sqrt(oneEnergy * otherEnergy));
}

/** Where in a loop of the speech it began, the sound of one whole round. */
export function oneRound(heard: Int16Array): Int16Array {
  const beginning = SPEECH.subarray(0, samplesOfMs(2000));
  const { lag } = compareSpeech(beginning, heard.subarray(0, SPEECH.length + beginning.length));
  const margin = samplesOfMs(40);
  return heard.subarray(Math.max(0, lag - margin), lag + SPEECH.length + margin);
}
