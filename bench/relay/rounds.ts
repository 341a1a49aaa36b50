/** What the benchmarks of the relay have in common: two cores and a generator, rounds that are repeated when the machine was busy. */

import { availableParallelism } from 'node:os';
import { isRealTime } from '../load/core.js';
import { type Built, buildLoad } from '../load/generator.js';
import { type Crowd, intervalMs } from '../load/players.js';
import type { Fault } from './validity.js';

export const RELAY_CORE = 0;
export const GENERATOR_CORE = 1;

/** Builds the generator, if this machine has a core for it and another for the relay. */
export function prepareMachine(): Built {
  if (availableParallelism() >= 2) return buildLoad();
  return { kind: 'missing', reason: 'this machine has one core, expected at least two' };
}

/** A fault with the round in which it was found. */
export interface NamedFault extends Fault {
  readonly text: string;
}

/** `fault` with the name of its round; none for a valid round. */
export function named(where: string, fault: Fault | null): NamedFault[] {
  return fault ? [{ ...fault, text: `${where}: ${fault.detail}` }] : [];
}

/** Measures rounds, and again those in which the machine was too busy, at most `maxRepeated` of them in all. */
export class Rounds<T> {
  readonly done: T[] = [];
  readonly faults: string[] = [];
  repeated = 0;
  readonly #maxRepeated: number;

  constructor(maxRepeated: number) {
    this.#maxRepeated = maxRepeated;
  }

  /** Why the whole measurement is void, or null. */
  get void(): string | null {
    return this.faults.length > 0 ? this.faults.join('; ') : null;
  }

  async measure(one: () => Promise<T>, faultsOf: (round: T) => readonly NamedFault[]): Promise<void> {
    for (;;) {
      const round = await one();
      const found = faultsOf(round);
      for (const { text } of found) console.log(`not counted: ${text}`);
      const mayRepeat = found.length > 0 && found.every(({ kind }) => kind === 'busy');
      if (mayRepeat && this.repeated < this.#maxRepeated) {
        this.repeated += 1;
        continue;
      }
      this.done.push(round);
      this.faults.push(...found.map(({ text }) => text));
      return;
    }
  }
}

/** Measures the subjects of a turn one after the other, every other turn in reverse. */
export async function measureTurn<Subject extends string, T>(
  turn: number,
  subjects: readonly Subject[],
  measure: (subject: Subject) => Promise<T>,
): Promise<Record<Subject, T>> {
  const order = turn % 2 === 0 ? subjects : [...subjects].reverse();
  const rounds = new Map<Subject, T>();
  for (const subject of order) rounds.set(subject, await measure(subject));
  return Object.fromEntries(rounds) as Record<Subject, T>;
}

/** How a crowd's packets are described in a result. */
export function packetsOf(crowd: Crowd): string {
  return `one of ${crowd.opusFrames} Opus frames every ${intervalMs(crowd)} ms`;
}

export function scheduling(): string {
  return isRealTime() ? 'ahead of other programs (SCHED_RR)' : 'like any other program';
}
