/**
 * The cost of the relay with all checks, on each of the libraries for its sockets, compared with a bare uWebSockets publish relay in the same run: processor time
 * per delivery and memory per connection, plain and with TLS. Relay and generator each have their own core.
 */

import { isRealTime } from '../load/core.js';
import { type Round, type Timing, type TlsFiles, talk } from '../load/generator.js';
import { type Crowd, type Players, preparePlayers } from '../load/players.js';
import { type Row, row, type Trial } from '../result.js';
import { buildLimit } from './limit.js';
import { type MemoryRun, measureMemory, memoryRows } from './memory.js';
import { LIMIT, SUBJECTS, type Subject, startProcess } from './process.js';
import {
  GENERATOR_CORE,
  measureTurn,
  named,
  packetsOf,
  prepareMachine,
  RELAY_CORE,
  Rounds,
  scheduling,
} from './rounds.js';
import { roundFault } from './validity.js';

export { roundFault };

const TURNS = 5;
const TIMING: Timing = { warmUpMs: 4000, measureMs: 10_000, talkspurtPackets: 40, seed: 6 };
const LOBBIES = { lobbies: 200, lobbySize: 10, talkers: 2 } as const;
/** A load that one core carries with each of the subjects, on the machine of the committed figures. */
const OPUS_FRAMES = { plain: 6, TLS: 8 } as const;

/** Each subject, and what its processor time is divided by. */
const RATIOS: readonly (readonly [Subject, Subject])[] = [
  ['hotmic', 'bare uWebSockets'],
  ['hotmic', LIMIT],
  ['bare uWebSockets', LIMIT],
  ['hotmic on the addon', 'hotmic'],
  ['hotmic on ws', 'hotmic'],
];

/** Turns in which the machine was too busy are measured again, at most this many in all. */
const MAX_REPEATED = 6;

interface Case {
  readonly name: keyof typeof OPUS_FRAMES;
  readonly crowd: Crowd;
  readonly players: Players;
  readonly tls: TlsFiles | null;
  /** Those that this machine can run. */
  readonly subjects: readonly Subject[];
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
    `${TURNS} rounds of each subject in fresh processes, in alternating order; about 25 minutes`,
  async run() {
    const built = prepareMachine();
    if (built.kind === 'missing') return { rows: [], void: built.reason };
    const limit = buildLimit();
    const skipped = built.tls ? [] : [`TLS: ${built.withoutTls}`];
    const names = built.tls ? (['plain', 'TLS'] as const) : (['plain'] as const);
    if (limit.kind === 'missing') skipped.push(`${LIMIT}: ${limit.reason}`);
    else if (built.tls && !limit.tls) skipped.push(`${LIMIT}, TLS: OpenSSL has no headers for cc`);
    const cases: Case[] = [];
    for (const name of names) {
      const crowd = { ...LOBBIES, opusFrames: OPUS_FRAMES[name] };
      cases.push({
        name,
        crowd,
        players: await preparePlayers(name, crowd),
        subjects: SUBJECTS.filter(
          (subject) => subject !== LIMIT || (limit.kind === 'compiled' && (name === 'plain' || limit.tls)),
        ),
        tls: name === 'TLS' ? built.tls : null,
      });
    }
    const measured = await measureTurns(cases);
    const { done: turns, repeated } = measured;
    const memory = await measureMemory(
      cases.map(({ name, tls }) => [name, tls] as const),
      [RELAY_CORE, GENERATOR_CORE],
    );
    return {
      rows: relayRows(turns, memory),
      void: measured.void,
      skipped,
      raw: { turns, memory, repeated, realTime: isRealTime() },
      versions: {
        packets: cases.map(({ name, crowd }) => `${name}, ${packetsOf(crowd)}`).join('; '),
        scheduling: scheduling(),
      },
    };
  },
};

async function measureTurns(cases: readonly Case[]): Promise<Rounds<Turn>> {
  const turns = new Rounds<Turn>(MAX_REPEATED);
  for (let at = 0; at < TURNS; at++) {
    for (const it of cases) {
      await turns.measure(
        async () => ({
          case: it.name,
          ...(await measureTurn(at, it.subjects, (subject) => measureRound(subject, it, at))),
        }),
        (turn) =>
          it.subjects.flatMap((subject) =>
            named(`${subject}, ${it.name}, turn ${at + 1}`, roundFault(turn[subject], it.crowd.lobbySize)),
          ),
      );
    }
  }
  return turns;
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
