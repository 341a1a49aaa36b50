/**
 * The latency of a voice frame from getVoice to decoded sound, stage by stage, on the demo's path: capture worker, ring, publisher, a
 * relay process, one listener. Everything runs on this machine, without a network.
 */

import { fileURLToPath } from 'node:url';
import { type Part, rehearse } from '../cli/rehearsal.js';
import { STAGES } from '../client/stage_log.js';
import { type Row, row, type Trial } from './result.js';

const TALKERS = [1, 4, 16] as const;
const RUNS = 5;
const TALK_MS = 4000;

/** Above this share of late game frames, the generator was too late and the run is void. */
const MAX_LATE_SHARE = 0.01;

const VOICES = ['ada', 'ben', 'cleo'].map((name) =>
  fileURLToPath(new URL(`../../examples/speech/${name}.wav`, import.meta.url)),
);

/** The talkers start 7 ms apart, so that their game frames do not coincide. */
function talkers(count: number): Part[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `talker ${index + 1}`,
    input: { kind: 'wav', path: VOICES[index % VOICES.length]!, loop: true } as const,
    turns: [{ atMs: 500 + 7 * index, holdMs: TALK_MS }],
  }));
}

export const stages: Trial = {
  name: 'stages',
  about: `latency by stage, ${TALKERS.join(', ')} talkers, ${RUNS} runs of ${TALK_MS / 1000} s of speech each`,
  async run() {
    const rows: Row[] = [];
    const faults: string[] = [];
    for (const count of TALKERS) {
      const runs = [];
      for (let run = 0; run < RUNS; run++) {
        const result = await rehearse({ parts: talkers(count) });
        const lateShare = result.lateGameFrames / result.gameFrames;
        if (lateShare > MAX_LATE_SHARE) {
          faults.push(
            `${count} talkers, run ${run + 1}: ${(100 * lateShare).toFixed(1)} % of game frames late`,
          );
        }
        const lost = result.parts.reduce((sum, part) => sum + part.captured - part.decoded, 0);
        if (lost > 0) faults.push(`${count} talkers, run ${run + 1}: ${lost} packets lost`);
        const latencies = result.stages.latencies();
        if (latencies) runs.push(latencies);
        else faults.push(`${count} talkers, run ${run + 1}: no frame was decoded`);
      }
      if (runs.length === 0) continue;
      const name = count === 1 ? '1 talker' : `${count} talkers`;
      for (const stage of STAGES) {
        for (const [metric, key] of [
          ['p50', 'p50Ms'],
          ['p99', 'p99Ms'],
        ] as const) {
          rows.push(
            row(
              'hotmic',
              name,
              `${stage} ${metric}`,
              'ms',
              runs.map((latencies) => latencies[stage][key]),
            ),
          );
        }
      }
    }
    return { rows, void: faults.length > 0 ? faults.join('; ') : null };
  },
};
