/** `hotmic demo`: four players in one lobby; three talk by push-to-talk, the fourth listens and records. */

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { monotonicMs } from '../client/clock.js';
import { STAGES, type StageLatencies } from '../client/stage_log.js';
import { SessionRecorder } from '../record/session_recorder.js';
import { HotmicError } from '../voice/error.js';
import { printable } from '../voice/printable.js';
import { purpose } from './help_layout.js';
import { FLUSH_MS, printSession, throwFailure } from './record.js';
import { type Part, type RehearsalResult, rehearse } from './rehearsal.js';
import { SpeakerLine } from './speaker_line.js';
import { endingText, RECORDING, untilStopped } from './stop_signal.js';

interface DemoOptions {
  readonly out: string;
}

/** Relative to dist/cli, where this file is compiled to. */
const SPEECH = new URL('../../examples/speech/', import.meta.url);

/** Each WAV contains two sentences of 3.5 s. The key is released 3.3 s into the first, and the hangover covers the rest. */
function part(name: string, file: string, firstAtMs: number, secondAtMs: number): Part {
  return {
    name,
    input: { kind: 'wav', path: fileURLToPath(new URL(file, SPEECH)) },
    turns: [
      { atMs: firstAtMs, holdMs: 3300 },
      { atMs: secondAtMs, holdMs: null },
    ],
  };
}

/** They take turns, and each begins before the previous one has ended. */
export const DEMO_PARTS: readonly Part[] = [
  part('Ada', 'ada.wav', 200, 7400),
  part('Ben', 'ben.wav', 2600, 9800),
  part('Cleo', 'cleo.wav', 5000, 12_200),
];

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      purpose(
        'Four players in one lobby on this machine: three talk, one listens and records.\nTakes 17 seconds.',
        'hotmic demo --out out/demo',
      ),
    )
    .summary('Four players on this machine: three talk, one records.')
    .option('-o, --out <folder>', 'Folder for the WAVs; created if missing.', 'out/demo')
    .addHelpText('after', endingText(RECORDING))
    .action((options: DemoOptions) => untilStopped((stop) => demo(options, stop), RECORDING));
}

async function demo(options: DemoOptions, stop: AbortSignal): Promise<void> {
  const startedAt = monotonicMs();
  const line = new SpeakerLine(process.stdout, () => monotonicMs() - startedAt);
  const recorder = await SessionRecorder.create(resolve(options.out), {
    existing: 'replace',
    onTrackError: (track, error) =>
      console.error(`${printable(track.name)}: ${error.message} [${error.code}]`),
  });
  const flushing = setInterval(() => void recorder.flush(), FLUSH_MS);
  console.log('Ada, Ben and Cleo talk; a fourth listens and records.\n');

  let result: RehearsalResult | null = null;
  let failure: unknown = null;
  try {
    result = await rehearse({
      parts: DEMO_PARTS,
      stop,
      events: {
        ...line.events,
        onWelcome: (lobby) => recorder.begin(lobby.joinedRelayTimeMs),
      },
      onDecoded: ({ name, steamId }, voice) => recorder.take({ ...voice, name, steamId }),
    });
  } catch (thrown) {
    failure = thrown;
  }
  clearInterval(flushing);
  line.end();
  const session = await recorder.finish(result?.endRelayTimeMs);
  if (result) console.log(`\n${renderResult(result)}\n`);
  // After a failed start, "Nobody spoke" would be misleading.
  if (!failure || session.tracks.length > 0) printSession(session);
  if (failure) throw failure;
  throwFailure(session);
  if (result && !stop.aborted) throwLoss(result);
}

/** On one machine nothing may be lost. */
function throwLoss({ parts }: RehearsalResult): void {
  for (const { name, captured, relayed, decoded, discarded, lost, concealedFrames } of parts) {
    if (
      captured > 0 &&
      captured === relayed &&
      relayed === decoded &&
      discarded + lost + concealedFrames === 0
    )
      continue;
    const detail = `${captured} captured, ${relayed} relayed, ${decoded} decoded, ${concealedFrames} frames concealed, ${discarded} discarded`;
    throw new HotmicError('ERR_HOTMIC_VOICE_LOST', `Voice of ${name} was lost on the way: ${detail}`);
  }
}

/** The tables at the end: packets by stage, then how long each stage took. */
export function renderResult({ parts, stages, lateGameFrames }: RehearsalResult): string {
  const counts = [
    ['packets', 'captured', 'relayed', 'decoded', 'lost', 'frames concealed'],
    ...parts.map((part) => [
      part.name,
      String(part.captured),
      String(part.relayed),
      String(part.decoded),
      String(part.lost + part.discarded),
      String(part.concealedFrames),
    ]),
  ];
  const latencies = [
    ['ms, p50/p99', ...STAGES],
    ...parts.map((part) => latencyRow(part.name, stages.latencies(part.slot))),
    latencyRow('all', stages.latencies()),
  ];
  const late =
    lateGameFrames > 0
      ? `\n${lateGameFrames} game frame${lateGameFrames === 1 ? '' : 's'} began more than one frame late: this machine was busy, which raises the latencies.`
      : '';
  return `${table(counts)}\n\n${table(latencies)}${late}`;
}

function latencyRow(name: string, latencies: StageLatencies | null): string[] {
  if (!latencies) return [name, ...STAGES.map(() => '–')];
  return [name, ...STAGES.map((stage) => `${ms(latencies[stage].p50Ms)}/${ms(latencies[stage].p99Ms)}`)];
}

function ms(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const render = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ');
  return rows.map(render).join('\n');
}
