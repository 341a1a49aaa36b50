/**
 * The cost of the relay with all checks, on each of the libraries for its sockets, compared with a bare uWebSockets publish relay in the same run: processor time
 * per delivery and memory per connection, plain and with TLS. Relay and generator each have their own core.
 */

import { availableParallelism } from 'node:os';
import { type Row, row, type Trial } from '../result.js';
import { buildLoad, type Round, type Timing, talk } from './load.js';
import { type MemoryRun, measureMemory, memoryRows } from './memory.js';
import { type Crowd, intervalMs, type Players, preparePlayers } from './players.js';
import { isRealTime, SUBJECTS, type Subject, startProcess, type TlsFiles } from './process.js';

const TURNS = 5;
const TIMING: Timing = { warmUpMs: 4000, measureMs: 10_000, talkspurtPackets: 40, seed: 6 };
const LOBBIES = { lobbies: 200, lobbySize: 10, talkers: 2 } as const;
/** A load that one core carries with each of the subjects, on the machine of the committed figures. */
const OPUS_FRAMES = { plain: 6, TLS: 8 } as const;

/** Each subject, and what its processor time is divided by. */
const RATIOS: readonly (readonly [Subject, Subject])[] = [
  ['hotmic', 'bare uWebSockets'],
  ['hotmic on the addon', 'hotmic'],
  ['hotmic on ws', 'hotmic'],
];

const RELAY_CORE = 0;
const GENERATOR_CORE = 1;

/** Above this share of frames sent more than 5 ms late, or above this core utilization, the generator was the bottleneck. */
const MAX_LATE_SHARE = 0.01;
const MAX_GENERATOR_SHARE = 0.9;
/** Above this core utilization a relay was saturated: it then reads and writes in larger batches, which costs less. */
const MAX_RELAY_SHARE = 0.95;
/** Below this share of deliveries within the time that counts, the relay did not keep up. */
const MIN_DELIVERED_SHARE = 0.99;
/** Turns in which the machine was too busy are measured again, at most this many in all. */
const MAX_REPEATED = 6;

interface Case {
  readonly name: keyof typeof OPUS_FRAMES;
  readonly crowd: Crowd;
  readonly players: Players;
  readonly tls: TlsFiles | null;
}

/** A round of each subject, one after the other. */
export type Turn = Readonly<Record<Subject, Round>> & { readonly case: string };

/** The subjects that were measured in all of them: older results have fewer. */
export function subjectsOf(turns: readonly Turn[]): readonly Subject[] {
  return SUBJECTS.filter((subject) => turns.every((turn) => turn[subject] !== undefined));
}

export const relay: Trial = {
  name: 'relay',
  about:
    `${LOBBIES.lobbies} lobbies of ${LOBBIES.lobbySize} with ${LOBBIES.talkers} talkers, ${TIMING.measureMs / 1000} s per round, ` +
    `${TURNS} rounds of each subject in fresh processes, in alternating order; about twenty minutes`,
  async run() {
    const missing = availableParallelism() < 2 ? 'this machine has one core, expected at least two' : null;
    const built = missing === null ? buildLoad() : ({ kind: 'missing', reason: missing } as const);
    if (built.kind === 'missing') return { rows: [], void: built.reason };
    const skipped = built.tls ? [] : [`TLS: ${built.withoutTls}`];
    const names = built.tls ? (['plain', 'TLS'] as const) : (['plain'] as const);
    const cases: Case[] = [];
    for (const name of names) {
      const crowd = { ...LOBBIES, opusFrames: OPUS_FRAMES[name] };
      cases.push({
        name,
        crowd,
        players: await preparePlayers(name, crowd),
        tls: name === 'TLS' ? built.tls : null,
      });
    }
    const { turns, faults, repeated } = await measureTurns(cases);
    const memory = await measureMemory(
      cases.map(({ name, tls }) => [name, tls] as const),
      [RELAY_CORE, GENERATOR_CORE],
    );
    return {
      rows: relayRows(turns, memory),
      void: faults.length > 0 ? faults.join('; ') : null,
      skipped,
      raw: { turns, memory, repeated, realTime: isRealTime() },
      versions: {
        packets: cases
          .map(
            ({ name, crowd }) =>
              `${name}, one of ${crowd.opusFrames} Opus frames every ${intervalMs(crowd)} ms`,
          )
          .join('; '),
        scheduling: isRealTime() ? 'ahead of other programs (SCHED_RR)' : 'like any other program',
      },
    };
  },
};

async function measureTurns(cases: readonly Case[]) {
  const turns: Turn[] = [];
  const faults: string[] = [];
  let repeated = 0;
  for (let at = 0; at < TURNS; at++) {
    for (const it of cases) {
      for (;;) {
        const order = at % 2 === 0 ? SUBJECTS : [...SUBJECTS].reverse();
        const rounds = new Map<Subject, Round>();
        for (const subject of order) rounds.set(subject, await measureRound(subject, it, at));
        const turn = { case: it.name, ...Object.fromEntries(rounds) } as Turn;
        const found = SUBJECTS.flatMap((subject) => {
          const fault = roundFault(turn[subject], it.crowd.lobbySize);
          return fault ? [{ ...fault, text: `${subject}, ${it.name}, turn ${at + 1}: ${fault.detail}` }] : [];
        });
        for (const { text } of found) console.log(`not counted: ${text}`);
        if (found.length > 0 && found.every(({ kind }) => kind === 'busy') && repeated < MAX_REPEATED) {
          repeated += 1;
          continue;
        }
        turns.push(turn);
        faults.push(...found.map(({ text }) => text));
        break;
      }
    }
  }
  return { turns, faults, repeated };
}

async function measureRound(subject: Subject, { crowd, players, tls }: Case, turn: number): Promise<Round> {
  const relay = await startProcess({ subject, keys: players.keys, tls }, RELAY_CORE);
  try {
    const against = { relay, players, crowd, isTls: tls !== null, core: GENERATOR_CORE };
    return await talk(against, { ...TIMING, seed: TIMING.seed + turn });
  } finally {
    await relay.close();
  }
}

/** Why a round is void: the machine was too busy to measure, or the relay made a mistake. Null if it is valid. */
export function roundFault(
  round: Round,
  lobbySize: number,
): { readonly kind: 'busy' | 'wrong'; readonly detail: string } | null {
  const wrong = (['lost', 'doubled', 'reordered', 'foreign', 'damaged', 'closed'] as const)
    .filter((what) => round[what] > 0)
    .map((what) => `${round[what]} ${what}`);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  if (wrong.length > 0) return { kind: 'wrong', detail: wrong.join(', ') };
  const busy = (detail: string) => ({ kind: 'busy', detail }) as const;
  const late = round.late / round.paced;
  if (late > MAX_LATE_SHARE) return busy(`${percent(late)} of the frames were sent more than 5 ms late`);
  const own = round.ownCpuMs / round.elapsedMs;
  if (own > MAX_GENERATOR_SHARE) return busy(`the generator used ${percent(own)} of its core`);
  const relay = round.relayCpuMs / round.elapsedMs;
  if (relay > MAX_RELAY_SHARE) return busy(`the relay used ${percent(relay)} of its core`);
  const delivered = round.deliveries / (round.sent * (lobbySize - 1));
  if (!(delivered >= MIN_DELIVERED_SHARE)) return busy(`${percent(delivered)} was delivered in time`);
  return null;
}

/** The rows of one metric are adjacent, so that the subjects can be compared. */
export function relayRows(turns: readonly Turn[], memory: readonly MemoryRun[]): Row[] {
  const rows: Row[] = [];
  const cases = [...new Set(turns.map((turn) => turn.case))];
  for (const name of cases) {
    const own = turns.filter((turn) => turn.case === name);
    const subjects = subjectsOf(own);
    const metric = (what: string, unit: string, figureOf: (round: Round) => number) => {
      for (const subject of subjects) {
        rows.push(
          row(
            subject,
            name,
            what,
            unit,
            own.map((turn) => figureOf(turn[subject])),
          ),
        );
      }
    };
    metric('CPU per delivery', 'µs', cpuPerDelivery);
    for (const [subject, base] of RATIOS) {
      if (!subjects.includes(subject) || !subjects.includes(base)) continue;
      const ratios = own.map((turn) => cpuPerDelivery(turn[subject]) / cpuPerDelivery(turn[base]));
      rows.push(row(subject, name, `CPU per delivery / ${base}`, '×', ratios));
    }
    metric('deliveries', '/s', ({ deliveries, elapsedMs }) => (1000 * deliveries) / elapsedMs);
    metric('core utilization', '%', ({ relayCpuMs, elapsedMs }) => (100 * relayCpuMs) / elapsedMs);
    metric('due to delivered, p50', 'ms', ({ latencyP50Us }) => latencyP50Us / 1000);
    metric('due to delivered, p99', 'ms', ({ latencyP99Us }) => latencyP99Us / 1000);
    const rounds = own.flatMap((turn) => subjects.map((subject) => turn[subject]));
    const generator = (what: string, unit: string, figureOf: (round: Round) => number) => {
      rows.push(row('generator', name, what, unit, rounds.map(figureOf)));
    };
    generator('core utilization', '%', ({ ownCpuMs, elapsedMs }) => (100 * ownCpuMs) / elapsedMs);
    generator('sent after due time, p99', 'ms', ({ lateP99Us }) => lateP99Us / 1000);
    generator('sent more than 5 ms late', '%', ({ late, paced }) => (100 * late) / paced);
  }
  return [...rows, ...memoryRows(memory)];
}

function cpuPerDelivery({ relayCpuMs, deliveries }: Round): number {
  return (1000 * relayCpuMs) / deliveries;
}
