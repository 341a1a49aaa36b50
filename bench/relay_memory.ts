/**
 * What a connection costs a relay in memory: its process before and after 10,000 have joined, in fresh processes. What the kernel
 * holds for their sockets is not in it.
 */

import { join } from './relay_load.js';
import { type Crowd, preparePlayers } from './relay_players.js';
import { type Memory, SUBJECTS, type Subject, startProcess, type TlsFiles } from './relay_process.js';
import { type Row, row } from './result.js';

const CROWD: Crowd = { lobbies: 1000, lobbySize: 10, talkers: 0, opusFrames: 1 };
const RUNS = 3;

/** What grew, in bytes a connection. */
export interface MemoryRun extends Memory {
  readonly subject: Subject;
  readonly case: string;
}

const FIGURES = [
  ['resident', 'resident memory a connection'],
  ['proportional', 'PSS a connection'],
  ['heapUsed', "of it V8's heap"],
  ['external', "of it outside, by V8's count"],
] as const satisfies [keyof Memory, string][];

/** The cases are a name and its TLS. `cores` are the relay's and the generator's. */
export async function measureMemory(
  cases: readonly (readonly [string, TlsFiles | null])[],
  cores: readonly [number, number],
): Promise<MemoryRun[]> {
  const players = await preparePlayers('memory', CROWD);
  const runs: MemoryRun[] = [];
  for (let run = 0; run < RUNS; run++) {
    for (const [name, tls] of cases) {
      for (const subject of SUBJECTS) {
        const order = { subject, keys: players.keys, tls };
        const relay = await startProcess(order, cores[0], ['--expose-gc']);
        try {
          const before = await relay.memory();
          const against = { relay, players, crowd: CROWD, isTls: tls !== null, core: cores[1] };
          const leave = await join(against);
          const after = await relay.memory();
          const grown = (of: keyof Memory) => (after[of] - before[of]) / players.connections;
          runs.push({
            subject,
            case: name,
            resident: grown('resident'),
            proportional: grown('proportional'),
            heapUsed: grown('heapUsed'),
            external: grown('external'),
          });
          await leave();
        } finally {
          await relay.close();
        }
      }
    }
  }
  return runs;
}

export function memoryRows(runs: readonly MemoryRun[]): Row[] {
  const cases = [...new Set(runs.map((run) => run.case))];
  return cases.flatMap((name) =>
    FIGURES.flatMap(([figure, metric]) =>
      SUBJECTS.map((subject) => {
        const own = runs.filter((run) => run.case === name && run.subject === subject);
        return row(
          subject,
          name,
          metric,
          'bytes',
          own.map((run) => run[figure]),
        );
      }),
    ),
  );
}
