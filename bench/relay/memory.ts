/**
 * Memory per connection: that of a relay's process before and after 10,000 clients have joined, in fresh processes. It does not include
 * kernel memory for the sockets.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, type TlsFiles } from '../load/generator.js';
import { type Crowd, type Players, preparePlayers } from '../load/players.js';
import { type Row, row } from '../result.js';
import { LIMIT, type Memory, SUBJECTS, type Subject, startProcess } from './process.js';

const CROWD: Crowd = { lobbies: 1000, lobbySize: 10, talkers: 0, opusFrames: 1 };
/** Connections that join first. After them only memory per connection grows, no longer one-time memory such as code and V8's new space. */
const FIRST = 2000;
const RUNS = 3;
/** All except the relay in C: its memory is reserved when it starts. */
const MEASURED = SUBJECTS.filter((subject) => subject !== LIMIT);

/** The growth in bytes per connection. */
export interface MemoryRun extends Memory {
  readonly subject: Subject;
  readonly case: string;
  /** Growth of resident memory from the first 2,000 connections to all 10,000. */
  readonly marginal: number;
}

const FIGURES = [
  ['resident', 'resident memory per connection'],
  ['marginal', 'resident memory per connection, from 2,000 on'],
  ['proportional', 'PSS per connection'],
  ['heapUsed', 'of which V8 heap'],
  ['external', 'of which external, as counted by V8'],
] as const satisfies [Exclude<keyof MemoryRun, 'subject' | 'case'>, string][];

/** Each case is a name and its TLS files. `cores` are those of the relay and of the generator. */
export async function measureMemory(
  cases: readonly (readonly [string, TlsFiles | null])[],
  cores: readonly [number, number],
): Promise<MemoryRun[]> {
  const players = await preparePlayers('memory', CROWD);
  const [first, rest] = inTwo(players);
  const runs: MemoryRun[] = [];
  for (let run = 0; run < RUNS; run++) {
    for (const [name, tls] of cases) {
      for (const subject of MEASURED) {
        const order = { subject, keys: players.keys, tls };
        const relay = await startProcess(order, cores[0], ['--expose-gc']);
        try {
          const before = await relay.memory();
          const against = { relay, crowd: CROWD, isTls: tls !== null, core: cores[1] };
          await join({ ...against, players: first });
          const between = await relay.memory();
          await join({ ...against, players: rest });
          const after = await relay.memory();
          const grown = (of: keyof Memory) => (after[of] - before[of]) / players.connections;
          runs.push({
            subject,
            case: name,
            resident: grown('resident'),
            marginal: (after.resident - between.resident) / rest.connections,
            proportional: grown('proportional'),
            heapUsed: grown('heapUsed'),
            external: grown('external'),
          });
        } finally {
          // This also ends the generators, because their connections close.
          await relay.close();
        }
      }
    }
  }
  return runs;
}

/** The first 2,000 players, and the rest. */
function inTwo(players: Players): [Players, Players] {
  const hellos = readFileSync(players.hellos, 'utf8').trimEnd().split('\n');
  const part = (name: string, own: readonly string[]): Players => {
    const path = `${players.hellos}.${name}`;
    writeFileSync(path, `${own.join('\n')}\n`, { mode: 0o600 });
    return { ...players, connections: own.length, hellos: path };
  };
  return [part('first', hellos.slice(0, FIRST)), part('rest', hellos.slice(FIRST))];
}

export function memoryRows(runs: readonly MemoryRun[]): Row[] {
  const cases = [...new Set(runs.map((run) => run.case))];
  return cases.flatMap((name) =>
    FIGURES.flatMap(([figure, metric]) =>
      SUBJECTS.filter((name) => runs.some(({ subject }) => subject === name)).map((subject) => {
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
