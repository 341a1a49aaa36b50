/**
 * What a listener's mix costs: many speakers at once through jitter buffers, decoders, stretching and the mixer, faster than real time. Each speaker
 * has a jitter of 20 ms and 1 % of loss, so all parts work.
 */

import { LobbyPlayout } from '../client/playout/lobby_playout.js';
import { type NetworkTrace, transmit } from '../test/kit/network.js';
import { samplesOfMs } from '../voice/units.js';
import { loadCodec } from '../wasm/load.js';
import { type Source, speak, speechScript } from './playout/source.js';
import { type Row, row, type Trial } from './result.js';

const SPEAKERS = [1, 16, 64] as const;
const RUNS = 5;
const SECONDS = 20;
const PULL_MS = 10;

const TRACE: NetworkTrace = {
  name: 'mix',
  about: '40 to 60 ms, 1 % lost',
  delayMs: 40,
  jitterMs: 20,
  loss: { kind: 'independent', share: 0.01 },
};

interface Cost {
  /** Processor time for each second of sound. */
  readonly msPerSecond: number;
  /** The slowest 1 % of pulls. */
  readonly pullP99Ms: number;
}

export const mix: Trial = {
  name: 'mix',
  about: `a listener's mix of ${SPEAKERS.join(', ')} speakers, ${RUNS} runs of ${SECONDS} s of sound in pulls of ${PULL_MS} ms`,
  async run() {
    loadCodec();
    // Everybody speaks all the time: the worst case.
    const source = speak(speechScript(SECONDS, 1), { microphone: 'open-microphone' });
    const rows: Row[] = [];
    for (const count of SPEAKERS) {
      play(source, count, 0);
      const runs = Array.from({ length: RUNS }, (_, run) => play(source, count, run + 1));
      const name = count === 1 ? '1 speaker' : `${count} speakers`;
      rows.push(
        row(
          'hotmic',
          name,
          'processor time per second',
          'ms',
          runs.map(({ msPerSecond }) => msPerSecond),
        ),
        row(
          'hotmic',
          name,
          'a pull, p99',
          'ms',
          runs.map(({ pullP99Ms }) => pullP99Ms),
        ),
      );
    }
    return { rows, void: null };
  },
};

function play(source: Source, count: number, seed: number): Cost {
  const speakers = Array.from({ length: count }, (_, slot) => {
    const at = transmit(
      TRACE,
      source.packets.map(({ sentMs }) => sentMs),
      seed * 100 + slot,
    );
    const arrivals = source.packets.flatMap((sent, index) => {
      const arrivedAt = at[index] ?? null;
      return arrivedAt === null ? [] : [{ sent, arrivedAt }];
    });
    arrivals.sort((left, right) => left.arrivedAt - right.arrivedAt);
    return { slot, arrivals, next: 0 };
  });
  const playout = new LobbyPlayout({ channels: 2, maxSpeakers: count });
  const out = new Int16Array(2 * samplesOfMs(PULL_MS));
  const pulls: number[] = [];
  const before = process.cpuUsage();
  for (let now = 0; now < SECONDS * 1000; now += PULL_MS) {
    for (const speaker of speakers) {
      for (; speaker.next < speaker.arrivals.length; speaker.next++) {
        const { sent, arrivedAt } = speaker.arrivals[speaker.next]!;
        if (arrivedAt > now) break;
        playout.push({ ...sent.header, slot: speaker.slot }, sent.packet, arrivedAt);
      }
    }
    const startedAt = performance.now();
    playout.pull(out, now);
    pulls.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(before);
  playout.close();
  pulls.sort((left, right) => left - right);
  return {
    msPerSecond: (user + system) / 1000 / SECONDS,
    pullP99Ms: pulls[Math.floor(pulls.length * 0.99)]!,
  };
}
