/**
 * Mouth to ear from page to page, in one Chromium without sound devices: a marked signal goes into the first page as its microphone, and is found in
 * what the second page plays. What the browser does before and after the page is named apart.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startRelay } from '../../relay/index.js';
import { findChromium, startChromium } from '../../test/kit/chromium.js';
import type { Milliseconds } from '../../voice/units.js';
import { quantile } from '../mouth/quantile.js';
import { row, type Trial } from '../result.js';
import { TAPS, type Tap, timeOf } from './taps.js';

const RUNS = 5;
/** Until the jitter buffer knows the network. */
const WARM_UP_MS: Milliseconds = 15_000;
const MEASURED_MS: Milliseconds = 15_000;
const RATE_HZ = 48_000;
/** A mark, and silence behind it: longer than any delay that is found. */
const MARK_S = 0.06;
const PERIOD_S = 0.75;
/** What is found has to be at least so like the mark. */
const LEAST_LIKENESS = 0.5;

/** From 300 to 3000 Hz, which every speech codec keeps, in a Hann window. */
function markAt(rateHz: number): Float32Array {
  const length = Math.round(MARK_S * rateHz);
  return Float32Array.from({ length }, (_, at) => {
    const t = at / rateHz;
    const phase = 2 * Math.PI * (300 * t + (2700 / (2 * MARK_S)) * t * t);
    return 0.5 * Math.sin(phase) * Math.sin((Math.PI * at) / length) ** 2;
  });
}

interface Run {
  /** Of each mark. */
  readonly inputMs: readonly Milliseconds[];
  readonly pathMs: readonly Milliseconds[];
  readonly outputMs: Milliseconds;
  readonly marks: number;
  readonly found: number;
}

export const page: Trial = {
  name: 'page',
  about: `mouth to ear from page to page, marks for ${MEASURED_MS / 1000} s, ${RUNS} runs`,
  async run() {
    const executable = findChromium();
    if (executable === null)
      return { rows: [], void: 'there is no Chromium: `sh test/chromium.sh` says why' };
    const runs: Run[] = [];
    for (let number = 0; number < RUNS; number++) runs.push(await runOnce(executable));
    const marks = runs.reduce((sum, run) => sum + run.marks, 0);
    const found = runs.reduce((sum, run) => sum + run.found, 0);
    const rows = (
      [
        ["the browser's input", 'p50', runs.map(({ inputMs }) => quantile(inputMs, 0.5))],
        ['page to page', 'p50', runs.map(({ pathMs }) => quantile(pathMs, 0.5))],
        ['page to page', 'p99', runs.map(({ pathMs }) => quantile(pathMs, 0.99))],
        ["the browser's output, as it says", 'p50', runs.map(({ outputMs }) => outputMs)],
      ] as const
    ).map(([name, metric, values]) => row('hotmic', name, metric, 'ms', values));
    return { rows, void: found < 0.9 * marks ? `of ${marks} marks ${found} were found` : null, raw: runs };
  },
};

async function runOnce(executable: string): Promise<Run> {
  const relay = await startRelay({ dev: true, page: true });
  const browser = await startChromium(executable);
  try {
    const url = `${relay.url.replace(/^ws/, 'http')}?lobby=den`;
    const join = async (name: string, signal: Float32Array | null): Promise<Page> => {
      const context = await browser.newContext({ bypassCSP: true });
      const opened = await context.newPage();
      const mouth = signal ? `useMouth(${JSON.stringify([...signal])});` : '';
      await opened.addInitScript({ content: TAPS + mouth });
      await opened.goto(url);
      await opened.fill('input[name=name]', name);
      await opened.click('button[type=submit]');
      await opened.waitForSelector('.talk');
      return opened;
    };
    const signal = new Float32Array(Math.round(PERIOD_S * RATE_HZ));
    signal.set(markAt(RATE_HZ));
    const ear = await join('Ben', null);
    const mouth = await join('Ada', signal);
    await mouth.waitForSelector('.talk:not(:disabled)');
    await mouth.bringToFront();
    await mouth.keyboard.down('Space');
    await sleep(WARM_UP_MS);
    for (const [of, name] of [
      [mouth, 'mouth'],
      [mouth, 'input'],
      [ear, 'output'],
    ] as const)
      await of.evaluate(`void takeTap('${name}')`);
    await sleep(MEASURED_MS);
    const take = (of: Page, name: string) => of.evaluate<Tap>(`takeTap('${name}')`);
    const said = await take(mouth, 'mouth');
    const input = await take(mouth, 'input');
    const output = await take(ear, 'output');
    return compare(said, input, output);
  } finally {
    await browser.close();
    await relay.close();
  }
}

/** When each mark was said, came into the page, and was played by the other one. */
function compare(said: Tap, input: Tap, output: Tap): Run {
  const period = Math.round(PERIOD_S * RATE_HZ);
  const last = said.frames.at(-1) ?? 0;
  const inputMs: Milliseconds[] = [];
  const pathMs: Milliseconds[] = [];
  let marks = 0;
  for (let frame = Math.ceil(said.begin / period) * period; frame + 2 * period < last; frame += period) {
    const saidAt = timeOf(said, frame);
    marks += 1;
    const cameAt = findMark(input, saidAt);
    const playedAt = findMark(output, saidAt);
    if (cameAt === null || playedAt === null) continue;
    inputMs.push(cameAt - saidAt);
    pathMs.push(playedAt - cameAt);
  }
  return { inputMs, pathMs, outputMs: output.outputLatencyMs, marks, found: pathMs.length };
}

/** When the mark passed that was said at this time: within one period behind it. Null if it is not there. */
function findMark(tap: Tap, saidAt: number): number | null {
  const mark = markAt(tap.rateHz);
  const zero = timeOf(tap, tap.begin);
  const first = Math.max(0, Math.round(((saidAt - zero) * tap.rateHz) / 1000));
  const behind = Math.round((PERIOD_S - MARK_S) * tap.rateHz);
  let best = { likeness: 0, at: 0 };
  const energy = mark.reduce((sum, sample) => sum + sample * sample, 0);
  for (let at = first; at < first + behind && at + mark.length <= tap.samples.length; at++) {
    let cross = 0;
    let there = 0;
    for (let n = 0; n < mark.length; n++) {
      const sample = tap.samples[at + n]!;
      cross += sample * mark[n]!;
      there += sample * sample;
    }
    const likeness = there === 0 ? 0 : cross / Math.sqrt(there * energy);
    if (likeness > best.likeness) best = { likeness, at };
  }
  return best.likeness >= LEAST_LIKENESS ? timeOf(tap, tap.begin + best.at) : null;
}
