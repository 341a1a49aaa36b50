/**
 * What the relay costs with every check on, beside a bare uWebSockets publish relay in the same run: processor time a delivery,
 * and memory a connection, plain and under TLS. Relay and generator have a core each.
 */

import { availableParallelism } from 'node:os';
import { type Row, row, type Trial } from '../result.js';
import { buildLoad, type Round, type Timing, talk } from './load.js';
import { type MemoryRun, measureMemory, memoryRows } from './memory.js';
import { type Crowd, intervalMs, type Players, preparePlayers } from './players.js';
import { isRealTime, SUBJECTS, type Subject, startProcess, type TlsFiles } from './process.js';

const PAIRS = 5;
const TIMING: Timing = { warmUpMs: 4000, measureMs: 10_000, talkspurtPackets: 40, seed: 6 };
const LOBBIES = { lobbies: 400, lobbySize: 10, talkers: 2 } as const;
/** As much as one core carries with room to spare, on the machine that the committed figures are of. */
const OPUS_FRAMES = { plain: 5, TLS: 6 } as const;

const RELAY_CORE = 0;
const GENERATOR_CORE = 1;

/** Above this share of frames that left more than 5 ms late, or of its core in use, the generator was the bottleneck. */
const MAX_LATE_SHARE = 0.01;
const MAX_GENERATOR_SHARE = 0.9;
/** Above this share of its core in use, a relay was saturated: it then reads and writes in larger batches, for less. */
const MAX_RELAY_SHARE = 0.95;
/** Below this share of what was sent in the time that counts, it was not delivered in that time. */
const MIN_DELIVERED_SHARE = 0.99;
/** Pairs in which the machine was too busy are measured again, this many in all. */
const MAX_REPEATED = 6;

interface Case {
  readonly name: keyof typeof OPUS_FRAMES;
  readonly crowd: Crowd;
  readonly players: Players;
  readonly tls: TlsFiles | null;
}

/** Both subjects, one after the other. */
export type Pair = Readonly<Record<Subject, Round>> & { readonly case: string };

export const relay: Trial = {
  name: 'relay',
  about:
    `${LOBBIES.lobbies} lobbies of ${LOBBIES.lobbySize} with ${LOBBIES.talkers} talkers, ${TIMING.measureMs / 1000} s a round, ` +
    `${PAIRS} pairs of rounds in fresh processes, the order turned each time; some ten minutes`,
  async run() {
    const missing = availableParallelism() < 2 ? 'this machine has one core, wants two' : null;
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
    const { pairs, faults, repeated } = await measurePairs(cases);
    const memory = await measureMemory(
      cases.map(({ name, tls }) => [name, tls] as const),
      [RELAY_CORE, GENERATOR_CORE],
    );
    return {
      rows: relayRows(pairs, memory),
      void: faults.length > 0 ? faults.join('; ') : null,
      skipped,
      raw: { pairs, memory, repeated, realTime: isRealTime() },
      versions: {
        packets: cases
          .map(
            ({ name, crowd }) =>
              `${name}, one of ${crowd.opusFrames} Opus frames every ${intervalMs(crowd)} ms`,
          )
          .join('; '),
        scheduling: isRealTime() ? 'ahead of other programs (SCHED_RR)' : 'as any other program',
      },
    };
  },
};

async function measurePairs(cases: readonly Case[]) {
  const pairs: Pair[] = [];
  const faults: string[] = [];
  let repeated = 0;
  for (let at = 0; at < PAIRS; at++) {
    for (const it of cases) {
      for (;;) {
        const order = at % 2 === 0 ? SUBJECTS : [...SUBJECTS].reverse();
        const rounds = new Map<Subject, Round>();
        for (const subject of order) rounds.set(subject, await measureRound(subject, it, at));
        const pair: Pair = {
          case: it.name,
          hotmic: rounds.get('hotmic')!,
          [SUBJECTS[1]]: rounds.get(SUBJECTS[1])!,
        };
        const found = SUBJECTS.flatMap((subject) => {
          const fault = roundFault(pair[subject], it.crowd.lobbySize);
          return fault ? [{ ...fault, said: `${subject}, ${it.name}, pair ${at + 1}: ${fault.detail}` }] : [];
        });
        for (const { said } of found) console.log(`not counted: ${said}`);
        if (found.length > 0 && found.every(({ kind }) => kind === 'busy') && repeated < MAX_REPEATED) {
          repeated += 1;
          continue;
        }
        pairs.push(pair);
        faults.push(...found.map(({ said }) => said));
        break;
      }
    }
  }
  return { pairs, faults, repeated };
}

async function measureRound(subject: Subject, { crowd, players, tls }: Case, pair: number): Promise<Round> {
  const relay = await startProcess({ subject, keys: players.keys, tls }, RELAY_CORE);
  try {
    const against = { relay, players, crowd, isTls: tls !== null, core: GENERATOR_CORE };
    return await talk(against, { ...TIMING, seed: TIMING.seed + pair });
  } finally {
    await relay.close();
  }
}

/** Why a round does not count: the machine was too busy to be measured, or the relay did wrong. Null when it counts. */
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
  if (late > MAX_LATE_SHARE) return busy(`${percent(late)} of the frames left more than 5 ms late`);
  const own = round.ownCpuMs / round.elapsedMs;
  if (own > MAX_GENERATOR_SHARE) return busy(`the generator took ${percent(own)} of its core`);
  const relay = round.relayCpuMs / round.elapsedMs;
  if (relay > MAX_RELAY_SHARE) return busy(`the relay took ${percent(relay)} of its core`);
  const delivered = round.deliveries / (round.sent * (lobbySize - 1));
  if (!(delivered >= MIN_DELIVERED_SHARE)) return busy(`${percent(delivered)} was delivered in time`);
  return null;
}

/** Rows of one metric stand together, so that the two can be compared. */
export function relayRows(pairs: readonly Pair[], memory: readonly MemoryRun[]): Row[] {
  const rows: Row[] = [];
  const cases = [...new Set(pairs.map((pair) => pair.case))];
  for (const name of cases) {
    const own = pairs.filter((pair) => pair.case === name);
    const metric = (what: string, unit: string, figureOf: (round: Round) => number) => {
      for (const subject of SUBJECTS) {
        rows.push(
          row(
            subject,
            name,
            what,
            unit,
            own.map((pair) => figureOf(pair[subject])),
          ),
        );
      }
    };
    metric('CPU a delivery', 'µs', cpuADelivery);
    rows.push(
      row(
        'hotmic',
        name,
        `CPU a delivery / ${SUBJECTS[1]}`,
        '×',
        own.map((pair) => cpuADelivery(pair.hotmic) / cpuADelivery(pair[SUBJECTS[1]])),
      ),
    );
    metric('deliveries', '/s', ({ deliveries, elapsedMs }) => (1000 * deliveries) / elapsedMs);
    metric('its core in use', '%', ({ relayCpuMs, elapsedMs }) => (100 * relayCpuMs) / elapsedMs);
    metric('from due to delivered, p50', 'ms', ({ latencyP50Us }) => latencyP50Us / 1000);
    metric('from due to delivered, p99', 'ms', ({ latencyP99Us }) => latencyP99Us / 1000);
    const rounds = own.flatMap((pair) => SUBJECTS.map((subject) => pair[subject]));
    const generator = (what: string, unit: string, figureOf: (round: Round) => number) => {
      rows.push(row('generator', name, what, unit, rounds.map(figureOf)));
    };
    generator('its core in use', '%', ({ ownCpuMs, elapsedMs }) => (100 * ownCpuMs) / elapsedMs);
    generator('left after it was due, p99', 'ms', ({ lateP99Us }) => lateP99Us / 1000);
    generator('left more than 5 ms late', '%', ({ late, paced }) => (100 * late) / paced);
  }
  return [...rows, ...memoryRows(memory)];
}

function cpuADelivery({ relayCpuMs, deliveries }: Round): number {
  return (1000 * relayCpuMs) / deliveries;
}
