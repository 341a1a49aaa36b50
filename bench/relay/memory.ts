/**
 * What a connection costs a relay in memory: its process before and after 10,000 have joined, in fresh processes. What the kernel
 * holds for their sockets is not in it.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { type Row, row } from '../result.js';
import { join } from './load.js';
import { type Crowd, type Players, preparePlayers } from './players.js';
import { type Memory, SUBJECTS, type Subject, startProcess, type TlsFiles } from './process.js';

const CROWD: Crowd = { lobbies: 1000, lobbySize: 10, talkers: 0, opusFrames: 1 };
/** They come first. From then on only what a connection costs grows, and not what the process needs once: code, V8's new space. */
const FIRST = 2000;
const RUNS = 3;

/** What grew, in bytes a connection. */
export interface MemoryRun extends Memory {
  readonly subject: Subject;
  readonly case: string;
  /** From the first 2,000 connections to all 10,000, of resident memory. */
  readonly marginal: number;
}

const FIGURES = [
  ['resident', 'resident memory a connection'],
  ['marginal', 'resident memory a connection, from 2,000 on'],
  ['proportional', 'PSS a connection'],
  ['heapUsed', "of it V8's heap"],
  ['external', "of it outside, by V8's count"],
] as const satisfies [Exclude<keyof MemoryRun, 'subject' | 'case'>, string][];

/** The cases are a name and its TLS. `cores` are the relay's and the generator's. */
export async function measureMemory(
  cases: readonly (readonly [string, TlsFiles | null])[],
  cores: readonly [number, number],
): Promise<MemoryRun[]> {
  const players = await preparePlayers('memory', CROWD);
  const [first, rest] = inTwo(players);
  const runs: MemoryRun[] = [];
  for (let run = 0; run < RUNS; run++) {
    for (const [name, tls] of cases) {
      for (const subject of SUBJECTS) {
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
          // Which ends the generators, too: their connections are gone.
          await relay.close();
        }
      }
    }
  }
  return runs;
}

/** The first of the players, and the others. */
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
