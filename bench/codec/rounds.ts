/**
 * Interleaved timing: subjects take turns, round after round, so that a slow phase of the machine affects them all, and each is compared
 * with the base of its group in the same round. The clock is the processor time of the process, which stops while another process has
 * the core.
 */

import { type Row, row } from '../result.js';

export const ROUNDS = 7;

/** The shortest measurement, in ms of processor time. */
export const LEAST_MS = 300;

/**
 * The result is void if the first subject of a group was, in its fastest round, more than this many times as fast as in its slowest.
 */
const MAX_SPREAD = 1.5;

/** A subject that is timed. */
export interface Timed {
  readonly subject: string;
  readonly case: string;
  /** Measures once, for LEAST_MS or more: seconds of sound processed per second. */
  measure(): number;
}

/** Subjects that do the same work. */
export interface Group {
  /** What the others are compared with; null if it is not available. */
  readonly base: Timed | null;
  readonly others: readonly Timed[];
}

/** Repeats `pass`, which processes `seconds` of sound, for at least LEAST_MS. */
export function repeat(seconds: number, pass: () => void): number {
  const start = process.cpuUsage();
  let passes = 0;
  let elapsedMs = 0;
  do {
    pass();
    passes += 1;
    const { user, system } = process.cpuUsage(start);
    elapsedMs = (user + system) / 1000;
  } while (elapsedMs < LEAST_MS);
  return (passes * seconds * 1000) / elapsedMs;
}

/** Times all groups. Rows of speed come first, then each subject's ratio to its base, both in the order of the groups. */
export function inRounds(groups: readonly Group[]): { rows: Row[]; unsteady: string | null } {
  const subjectsOf = ({ base, others }: Group) => (base === null ? others : [base, ...others]);
  const subjects = groups.flatMap(subjectsOf);
  const speeds = new Map<Timed, number[]>(subjects.map((subject) => [subject, []]));
  // One round is not counted, to warm up caches and compilers.
  for (const subject of subjects) subject.measure();
  for (let round = 0; round < ROUNDS; round++) {
    for (const subject of subjects) speeds.get(subject)!.push(subject.measure());
  }
  const rows = subjects.map((timed) =>
    row(timed.subject, timed.case, 'speed', '× real time', speeds.get(timed)!),
  );
  const unsteady: string[] = [];
  for (const group of groups) {
    const { base, others } = group;
    if (base !== null) {
      const own = speeds.get(base)!;
      for (const timed of others) {
        const ratios = speeds.get(timed)!.map((speed, round) => speed / own[round]!);
        rows.push(row(timed.subject, timed.case, `speed / ${base.subject}`, '×', ratios));
      }
    }
    const first = subjectsOf(group)[0]!;
    const spread = Math.max(...speeds.get(first)!) / Math.min(...speeds.get(first)!);
    if (spread > MAX_SPREAD) {
      const found = `the fastest round was ${spread.toFixed(2)} times as fast as the slowest`;
      unsteady.push(`${first.subject}, ${first.case}: ${found}, expected at most ${MAX_SPREAD}`);
    }
  }
  return { rows, unsteady: unsteady.length === 0 ? null : unsteady.join('; ') };
}
