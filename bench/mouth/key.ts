/**
 * From key-down to the first audible sample at a listener: what a player waits for after the key. The microphone hears a tone all the time, so
 * the first sample that is not silence was said when the recording began.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { forkRelay } from '../../cli/relay/process.js';
import { monotonicMs } from '../../client/clock.js';
import { joinVoice } from '../../client/join_voice.js';
import { startCapture } from '../../native/capture/capture.js';
import { personSteamId } from '../../voice/steam_id.js';
import { type Milliseconds, samplesOfMs, VOICE_RATE_HZ } from '../../voice/units.js';
import { type Row, row, type Trial } from '../result.js';
import { Ear } from './ear.js';
import { quantile } from './quantile.js';

const RUNS = 5;
const PRESSES = 20;
const HOLD_MS: Milliseconds = 300;
/** The last one is over long before. Not a multiple of a frame of the game or the codec: keys go down at every place in them. */
const EVERY_MS: Milliseconds = 1107;

/** The tone has 8000, silence and the end of a word less than 100. */
const AUDIBLE = 1000;

/** How often getVoice is called: once per frame of a game at 60 Hz, and as often as is useful. */
const POLL_RATES_HZ = [60, 200];

const MAX_LATE_SHARE = 0.01;

interface Run {
  readonly waits: readonly Milliseconds[];
  readonly faults: readonly string[];
}

export const key: Trial = {
  name: 'key',
  about: `key-down to the first audible sample on loopback, pulls of 5 ms, ${RUNS} runs of ${PRESSES} presses`,
  async run() {
    // The engine compiles during the first run.
    await pressKeys(POLL_RATES_HZ[0]!);
    const runs: { readonly pollHz: number; readonly run: Run }[] = [];
    for (let number = 0; number < RUNS; number++)
      for (const pollHz of POLL_RATES_HZ) runs.push({ pollHz, run: await pressKeys(pollHz) });
    const rows: Row[] = [];
    for (const pollHz of POLL_RATES_HZ) {
      const each = runs.filter((one) => one.pollHz === pollHz && one.run.waits.length > 0);
      if (each.length === 0) continue;
      const of = (share: number) => each.map(({ run }) => quantile(run.waits, share));
      const name = `${pollHz} polls a second`;
      rows.push(row('hotmic', name, 'p50', 'ms', of(0.5)), row('hotmic', name, 'p99', 'ms', of(0.99)));
    }
    const faults = runs.flatMap(({ run }, at) => run.faults.map((fault) => `run ${at + 1}: ${fault}`));
    return {
      rows,
      void: faults.length > 0 ? faults.join('; ') : null,
      raw: runs.map(({ pollHz, run }) => ({ pollHz, waits: run.waits })),
    };
  },
};

async function pressKeys(pollHz: number): Promise<Run> {
  const relay = await forkRelay(() => undefined);
  const lobby = { url: relay.url, lobby: 'key', reconnect: 'never' } as const;
  const listener = await joinVoice({
    ...lobby,
    name: 'ear',
    steamId: personSteamId(1),
    output: { rateHz: VOICE_RATE_HZ },
  });
  const steamId = personSteamId(2);
  const microphone = await startCapture({
    steam: { module: new URL('./tone_source.js', import.meta.url).href, options: { steamId } },
    frameHz: pollHz,
  });
  const speaker = await joinVoice({ ...lobby, name: 'mouth', steamId, microphone });
  const ear = new Ear((out) => listener.pull(out));
  const pressedAt: Milliseconds[] = [];
  for (let press = 0; press < PRESSES; press++) {
    await wait(EVERY_MS - HOLD_MS);
    pressedAt.push(monotonicMs());
    speaker.press();
    await wait(HOLD_MS);
    await speaker.release();
  }
  await wait(EVERY_MS);
  ear.stop();
  await speaker.leave();
  await listener.leave();
  const { polls, lateFrames } = await microphone.close();
  await relay.close();

  const faults: string[] = [];
  if (lateFrames > polls * MAX_LATE_SHARE) faults.push(`${lateFrames} of ${polls} calls of getVoice late`);
  if (ear.late > ear.pulls * MAX_LATE_SHARE) faults.push(`${ear.late} of ${ear.pulls} pulls late`);
  const begins = beginnings(ear);
  if (begins.length !== PRESSES)
    return { waits: [], faults: [...faults, `${begins.length} of ${PRESSES} presses heard`] };
  return { waits: begins.map((heardAt, press) => heardAt - pressedAt[press]!), faults };
}

/** When something became audible after at least 200 ms of silence. */
function beginnings(ear: Ear): Milliseconds[] {
  const begins: Milliseconds[] = [];
  const silence = samplesOfMs(200);
  let heardAt = Number.NEGATIVE_INFINITY;
  for (const [at, sample] of ear.heard().entries()) {
    if (Math.abs(sample) < AUDIBLE) continue;
    if (at - heardAt > silence) begins.push(ear.instantOf(at));
    heardAt = at;
  }
  return begins;
}
