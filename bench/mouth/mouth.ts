/**
 * From mouth to ear, to the sample: chirps go into a microphone, and their places in what a listener's sound output gets come out. Everything between is
 * what a game uses: the capture worker, the ring, the publisher, a relay process, WebSockets on loopback, jitter buffer, decoder and mixer.
 *
 * The ear's instant of a sample is that of the pull that returned it, plus its place in the pull: a sound output adds its own buffer.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { forkRelay } from '../../cli/relay/process.js';
import { monotonicMs } from '../../client/clock.js';
import { joinVoice } from '../../client/join_voice.js';
import { joinLobby } from '../../client/lobby/join.js';
import { Publisher } from '../../client/talking/publisher.js';
import { startCapture } from '../../native/capture/capture.js';
import { timestampDelta } from '../../voice/sequence.js';
import { personSteamId } from '../../voice/steam_id.js';
import {
  FRAME_SAMPLES,
  type Milliseconds,
  msOfSamples,
  type Samples,
  samplesOfMs,
  VOICE_RATE_HZ,
} from '../../voice/units.js';
import { type Row, row, type Trial } from '../result.js';
import { findChirps } from './chirp.js';
import { Ear } from './ear.js';
import { quantile } from './quantile.js';
import type { ChirpSourceOptions } from './source.js';

const RUNS = 5;
const CHIRPS = 100;
/** Not a multiple of a frame or a pull: chirps begin at every place in them. */
const EVERY: Samples = samplesOfMs(500) + 7;
const POLL_HZ = 200;

/** Chirps before this do not count: the delay starts at 40 ms, until the network is known. */
const SETTLED_MS: Milliseconds = 15_000;

/** Decoded sound lags by the encoder's lookahead (docs/latency.md). */
const LOOKAHEAD: Samples = 156;
/** With the frame that has to fill. */
const CODEC_MS = 26.5;
/** The smallest delay of a jitter buffer: one frame. */
const BUFFER_MS = 20;

/** More than this share of late calls of getVoice, or of late pulls, voids a run. */
const MAX_LATE_SHARE = 0.01;

/** Where the time of one chirp went, in ms. Everything is of its first sample. */
interface Journey {
  readonly 'frame and lookahead': Milliseconds;
  readonly 'until getVoice': Milliseconds;
  readonly 'capture→ring': Milliseconds;
  readonly 'ring→relay': Milliseconds;
  readonly 'relay→listener': Milliseconds;
  readonly playout: Milliseconds;
}

const STAGES = [
  'frame and lookahead',
  'until getVoice',
  'capture→ring',
  'ring→relay',
  'relay→listener',
  'playout',
] as const satisfies readonly (keyof Journey)[];

interface Run {
  readonly journeys: readonly Journey[];
  readonly faults: readonly string[];
}

/** What is known of one packet. */
interface Passage {
  capturedAt?: Milliseconds;
  takenAt?: Milliseconds;
  relayedAt?: Milliseconds;
  arrivedAt?: Milliseconds;
  /** Media time since the recording's first sample. */
  from?: Samples;
}

export const mouth: Trial = {
  name: 'mouth',
  about: `mouth to ear on loopback, ${POLL_HZ} polls a second, pulls of 5 ms, ${RUNS} runs of ${CHIRPS} chirps`,
  async run() {
    // The engine compiles during the first run, so its delay is longer: some 10 to 27 ms for the first 20 s.
    await listenToChirps();
    const runs: Run[] = [];
    for (let number = 0; number < RUNS; number++) runs.push(await listenToChirps());
    const good = runs.filter(({ journeys }) => journeys.length > 0);
    const rows: Row[] = [];
    const add = (name: string, of: (journey: Journey) => Milliseconds) => {
      const each = (share: number) => good.map(({ journeys }) => quantile(journeys.map(of), share));
      rows.push(row('hotmic', name, 'p50', 'ms', each(0.5)), row('hotmic', name, 'p99', 'ms', each(0.99)));
      // A run's p99 is its latest chirp.
      const all = good.flatMap(({ journeys }) => journeys.map(of));
      rows.push(row('hotmic', name, 'p99 of all', 'ms', [quantile(all, 0.99)]));
    };
    if (good.length > 0) {
      for (const stage of STAGES) add(stage, (journey) => journey[stage]);
      add('mouth to ear', total);
      add(
        `beyond the codec (${CODEC_MS} ms) and one frame`,
        (journey) => total(journey) - CODEC_MS - BUFFER_MS,
      );
    }
    const faults = runs.flatMap((run, at) => run.faults.map((fault) => `run ${at + 1}: ${fault}`));
    return {
      rows,
      void: faults.length > 0 ? faults.join('; ') : null,
      raw: runs.map(({ journeys }) => journeys),
    };
  },
};

function total(journey: Journey): Milliseconds {
  return STAGES.reduce((sum, stage) => sum + journey[stage], 0);
}

async function listenToChirps(): Promise<Run> {
  const passages = new Map<number, Passage>();
  const note = (sequence: number, known: Passage) =>
    passages.set(sequence, { ...passages.get(sequence), ...known });
  const relay = await forkRelay((_slot, sequence, relayedAt) => note(sequence, { relayedAt }));
  const lobby = { url: relay.url, lobby: 'mouth', reconnect: 'never' } as const;
  let first: number | null = null;
  const hearing = await joinVoice({
    ...lobby,
    name: 'ear',
    steamId: personSteamId(1),
    output: { rateHz: VOICE_RATE_HZ },
    onFrame: (_speaker, { sequence, timestamp }) => {
      first ??= timestamp;
      note(sequence, { arrivedAt: monotonicMs(), from: timestampDelta(first, timestamp) });
    },
  });
  const beganAt = new SharedArrayBuffer(8);
  const steamId = personSteamId(2);
  const options: ChirpSourceOptions = { steamId, everySamples: EVERY, chirps: CHIRPS, beganAt };
  const capture = await startCapture({
    steam: { module: new URL('./source.js', import.meta.url).href, options },
    frameHz: POLL_HZ,
  });
  const talker = await joinLobby({ ...lobby, name: 'mouth', steamId });
  const publisher = new Publisher({
    capture,
    publish: talker.publish,
    onTaken: (sequence, capturedAt, takenAt) => note(sequence, { capturedAt, takenAt }),
  });
  const ear = new Ear((out) => hearing.pull(out));
  publisher.press();
  await wait(msOfSamples(EVERY) * (CHIRPS + 1) + 500);
  await publisher.release();
  const { polls, lateFrames } = await capture.close();
  ear.stop();
  const heard = hearing.statistics().speakers.find((speaker) => speaker.steamId === steamId);
  await talker.leave();
  await hearing.leave();
  await relay.close();

  const faults: string[] = [];
  if (lateFrames > polls * MAX_LATE_SHARE) faults.push(`${lateFrames} of ${polls} calls of getVoice late`);
  if (ear.late > ear.pulls * MAX_LATE_SHARE) faults.push(`${ear.late} of ${ear.pulls} pulls late`);
  if (heard === undefined || heard.lostMs > 0) faults.push(`${heard?.lostMs ?? 'all'} ms of sound lost`);
  const found = findChirps(ear.heard());
  if (found.length !== CHIRPS)
    return { journeys: [], faults: [...faults, `${found.length} chirps of ${CHIRPS} heard`] };
  const began = new Float64Array(beganAt)[0]!;
  const journeys = found.flatMap(({ at }, index) => {
    const said = (index + 1) * EVERY;
    const journey = journeyOf(said, began, ear.instantOf(at), passages);
    if (journey === null) faults.push(`chirp ${index + 1}: its packet is not known`);
    return journey === null || msOfSamples(said) < SETTLED_MS ? [] : [journey];
  });
  return { journeys, faults };
}

/** Divides the time of a chirp among the stages of the packet that holds its first sample. */
function journeyOf(
  said: Samples,
  began: Milliseconds,
  heardAt: Milliseconds,
  passages: ReadonlyMap<number, Passage>,
): Journey | null {
  // Decoded, the sample is that much further on.
  const frameFrom = Math.floor((said + LOOKAHEAD) / FRAME_SAMPLES) * FRAME_SAMPLES;
  for (const { from, capturedAt, takenAt, relayedAt, arrivedAt } of passages.values()) {
    if (from !== frameFrom) continue;
    if (
      capturedAt === undefined ||
      takenAt === undefined ||
      relayedAt === undefined ||
      arrivedAt === undefined
    )
      return null;
    const fullAt = began + msOfSamples(frameFrom + FRAME_SAMPLES);
    return {
      'frame and lookahead': fullAt - began - msOfSamples(said),
      'until getVoice': capturedAt - fullAt,
      'capture→ring': takenAt - capturedAt,
      'ring→relay': relayedAt - takenAt,
      'relay→listener': arrivedAt - relayedAt,
      playout: heardAt - arrivedAt,
    };
  }
  return null;
}
