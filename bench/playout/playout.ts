/**
 * Playout on emulated networks: how late speech is, what is concealed or missing, and where it clicks. Hotmic's own, fixed delays and the
 * crate neteq play the same packets at the same times. Nothing depends on the machine: the same sources give the same figures.
 */

import { samplesOfMs } from '../../voice/units.js';
import { loadCodec } from '../../wasm/load.js';
import { type Row, row, type Trial } from '../result.js';
import { beyondSaving, type Measured } from './meter.js';
import { neteq } from './neteq.js';
import { installQuality, PACKAGES, type Quality, qualityOf } from './quality.js';
import { PULL_MS, play, type Transmission, transmission } from './simulate.js';
import { CASES, type Case, fixedName, NETEQ, OURS, SUBJECTS, sourceOf } from './subjects.js';

/** One run: a subject in a case, with a seed. */
export interface Run extends Measured {
  readonly case: string;
  readonly subject: string;
  readonly seed: number;
  /** Audible frames that were lost, or later than this subject's 95th percentile of delay: no buffer with that delay could have saved them. */
  readonly beyondSavingFrames: number;
}

/** Of a perfect buffer with a fixed delay: what is lost or later than that. The curve in the plots. */
export interface Curve {
  readonly case: string;
  readonly points: readonly { readonly delayMs: number; readonly concealedShare: number }[];
}

/** What is heard, for those subjects that are compared in it, with the first seed. */
export interface Heard extends Quality {
  readonly case: string;
  readonly subject: string;
}

export interface Raw {
  readonly runs: readonly Run[];
  readonly curves: readonly Curve[];
  readonly heard: readonly Heard[];
}

export const HEARD_SUBJECTS: readonly string[] = [OURS, fixedName(60), NETEQ];

const CURVE_MS = Array.from({ length: 61 }, (_, at) => at * 10);

export const playout: Trial = {
  name: 'playout',
  about: `${CASES.length} emulated networks, three seeds of two minutes each, and two hours of drift; about a quarter of an hour`,
  async run() {
    loadCodec();
    const other = neteq();
    const skipped = other.kind === 'missing' ? [`${NETEQ}: ${other.reason}`] : [];
    const noQuality = installQuality();
    if (noQuality !== null) skipped.push(`PESQ and STOI: ${noQuality}`);
    for (const what of skipped) console.log(`SKIPPED ${what}`);
    const heard: Heard[] = [];
    const runs: Run[] = [];
    const curves: Curve[] = [];
    for (const it of CASES) {
      const sent = it.seeds.map((seed) => transmission(sourceOf(it, seed), it.trace, seed));
      for (const [index, one] of sent.entries()) {
        const seed = it.seeds[index]!;
        const players = SUBJECTS.map(({ name, make }) => ({ name, make }));
        if (other.kind === 'built')
          players.push({ name: NETEQ, make: () => other.player(one, `${it.name}-${seed}`) });
        for (const { name, make } of players) {
          const isHeard =
            noQuality === null && index === 0 && it.times === 1 && HEARD_SUBJECTS.includes(name);
          const sound = isHeard ? new Sound(one.endMs) : null;
          runs.push(measured(it, name, seed, one, play(one, make(), sound?.add)));
          if (sound) heard.push({ case: it.name, subject: name, ...qualityOf(one, sound.pcm) });
        }
      }
      curves.push({
        case: it.name,
        points: CURVE_MS.map((delayMs) => ({ delayMs, ...perfect(sent, delayMs) })),
      });
      console.log(`${it.name}: done`);
    }
    return {
      rows: playoutRows(runs, heard),
      void: null,
      skipped,
      versions: {
        ...(other.kind === 'built' ? { neteq: other.version } : {}),
        pulls: `every ${PULL_MS} ms`,
        ...(noQuality === null ? { quality: PACKAGES.join(', ').replaceAll('==', ' ') } : {}),
      },
      raw: { runs, curves, heard } satisfies Raw,
    };
  },
};

/** Everything that was heard. */
class Sound {
  readonly #pcm: Int16Array;
  #at = 0;

  constructor(endMs: number) {
    this.#pcm = new Int16Array(samplesOfMs(endMs + PULL_MS));
  }

  readonly add = (pcm: Int16Array): void => {
    this.#pcm.set(pcm, this.#at);
    this.#at += pcm.length;
  };

  get pcm(): Int16Array {
    return this.#pcm.subarray(0, this.#at);
  }
}

function measured(it: Case, subject: string, seed: number, sent: Transmission, result: Measured): Run {
  const { source, trace, arrivedAtMs } = sent;
  const beyondSavingFrames = beyondSaving(source, trace, arrivedAtMs, result.delayP95Ms);
  return { case: it.name, subject, seed, ...result, beyondSavingFrames };
}

function perfect(sent: readonly Transmission[], delayMs: number): { concealedShare: number } {
  let concealed = 0;
  let audible = 0;
  for (const { source, trace, arrivedAtMs } of sent) {
    concealed += beyondSaving(source, trace, arrivedAtMs, delayMs);
    for (const talkspurt of source.talkspurts)
      audible += talkspurt.audible.reduce((sum, isAudible) => sum + isAudible, 0);
  }
  return { concealedShare: concealed / audible };
}

/** What a case and a subject come to over all seeds: the mean of the delays, and the sum of the frames. */
export interface Total {
  readonly case: string;
  readonly subject: string;
  readonly delayP50Ms: number;
  readonly delayP95Ms: number;
  readonly concealedShare: number;
  readonly beyondSavingShare: number;
  readonly clicksPerMinute: number;
  readonly afterStallMs: number | null;
}

export function totalsOf(runs: readonly Run[]): Total[] {
  const keys = [...new Set(runs.map((run) => JSON.stringify([run.case, run.subject])))];
  return keys.map((key) => {
    const [name, subject] = JSON.parse(key) as [string, string];
    const own = runs.filter((run) => run.case === name && run.subject === subject);
    const sum = (value: (run: Run) => number) => own.reduce((all, run) => all + value(run), 0);
    const audible = sum((run) => run.audibleFrames);
    return {
      case: name,
      subject,
      delayP50Ms: sum((run) => run.delayP50Ms) / own.length,
      delayP95Ms: sum((run) => run.delayP95Ms) / own.length,
      concealedShare: sum((run) => run.concealedFrames) / audible,
      beyondSavingShare: sum((run) => run.beyondSavingFrames) / audible,
      clicksPerMinute: (60_000 * sum((run) => run.clicks)) / sum((run) => run.playedMs),
      afterStallMs: own.some((run) => run.afterStallMs === null)
        ? null
        : Math.max(...own.map((run) => run.afterStallMs!)),
    };
  });
}

/** The rows of one metric are adjacent, so that the subjects can be compared. */
export function playoutRows(runs: readonly Run[], heard: readonly Heard[]): Row[] {
  const rows: Row[] = [];
  const subjects = [...new Set(runs.map(({ subject }) => subject))];
  for (const name of new Set(runs.map((run) => run.case))) {
    const own = (subject: string) => runs.filter((run) => run.case === name && run.subject === subject);
    const metric = (what: string, unit: string, figureOf: (run: Run) => number) => {
      for (const subject of subjects) rows.push(row(subject, name, what, unit, own(subject).map(figureOf)));
    };
    metric('added delay, p50', 'ms', ({ delayP50Ms }) => delayP50Ms);
    metric('added delay, p95', 'ms', ({ delayP95Ms }) => delayP95Ms);
    metric('concealed', '%', ({ concealedFrames, audibleFrames }) => (100 * concealedFrames) / audibleFrames);
    metric(
      'lost, or later than p95',
      '%',
      ({ beyondSavingFrames, audibleFrames }) => (100 * beyondSavingFrames) / audibleFrames,
    );
    metric('clicks', '/min', ({ clicks, playedMs }) => (60_000 * clicks) / playedMs);
    if (runs.some((run) => run.case === name && run.afterStallMs !== null))
      metric('delay after the stall, at most', 'ms', ({ afterStallMs }) => afterStallMs ?? 0);
    for (const { subject, pesq, stoi } of heard.filter((one) => one.case === name)) {
      rows.push(row(subject, name, 'PESQ, mean of the talkspurts', '', [pesq]));
      rows.push(row(subject, name, 'STOI, mean of the talkspurts', '', [stoi]));
    }
    const sixty = own(fixedName(60));
    const ratio = (what: string, figureOf: (run: Run) => number) => {
      const ratios = own(OURS).map((run, at) => figureOf(run) / figureOf(sixty[at]!));
      // Without concealment at 60 ms there is nothing to compare.
      if (ratios.every(Number.isFinite))
        rows.push(row(OURS, name, `${what} / ${fixedName(60)}`, '×', ratios));
    };
    ratio('added delay, p95', ({ delayP95Ms }) => delayP95Ms);
    ratio('concealed', ({ concealedFrames }) => concealedFrames);
  }
  return rows;
}
