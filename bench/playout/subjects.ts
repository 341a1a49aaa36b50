/** What is compared, and on which traces. */

import { type NetworkTrace, TRACES, type TraceName } from '../../test/kit/network.js';
import { FixedBuffer } from './fixed.js';
import { HotmicPlayer } from './hotmic.js';
import type { Player } from './player.js';
import { type Manner, repeat, type Source, speak, speechScript } from './source.js';

export const OURS = 'hotmic';
export const NETEQ = 'neteq';
export const FIXED_MS = [20, 40, 60, 100, 200] as const;

export function fixedName(delayMs: number): string {
  return `fixed ${delayMs} ms`;
}

/** The subjects in this process, by name. `neteq` is a program of its own. */
export const SUBJECTS: readonly { readonly name: string; readonly make: () => Player }[] = [
  { name: OURS, make: () => new HotmicPlayer() },
  ...FIXED_MS.map((delayMs) => ({ name: fixedName(delayMs), make: () => new FixedBuffer(delayMs) })),
];

/** One row of the comparison: a speaker on a trace. */
export interface Case {
  readonly name: string;
  readonly about: string;
  readonly trace: NetworkTrace;
  readonly manner: Manner;
  /** The seeds to run it with: each is another script and another network. */
  readonly seeds: readonly number[];
  /** Length of a script, and how often it is repeated. */
  readonly seconds: number;
  readonly times: number;
}

const SEEDS = [1, 2, 3];
const PUSH_TO_TALK = {
  manner: { microphone: 'push-to-talk' },
  seeds: SEEDS,
  seconds: 120,
  times: 1,
} as const;
/** An hour without a talkspurt that would set the delay again. */
const OPEN_HOUR = { manner: { microphone: 'open-microphone' }, seeds: [1], seconds: 120, times: 30 } as const;

const plain = (name: TraceName): Case => ({
  name,
  about: TRACES[name].about,
  trace: TRACES[name],
  ...PUSH_TO_TALK,
});
const hour = (name: TraceName): Case => ({
  name,
  about: `${TRACES[name].about}; an hour of open microphone`,
  trace: TRACES[name],
  ...OPEN_HOUR,
});

export const CASES: readonly Case[] = [
  plain('clean'),
  {
    ...plain('clean'),
    name: 'polled',
    about: 'a constant 40 ms; the game polls Steam at 60 Hz',
    manner: { microphone: 'push-to-talk', pollMs: 1000 / 60 },
  },
  plain('uniform'),
  plain('wifi'),
  plain('loss'),
  plain('loss-bursts'),
  plain('reordered'),
  plain('tcp'),
  plain('stall'),
  hour('drift-fast'),
  hour('drift-slow'),
];

const spoken = new Map<string, Source>();

/** The speaker of a case. Kept, because several cases have the same. */
export function sourceOf({ manner, seconds, times }: Case, seed: number): Source {
  const key = JSON.stringify([manner, seconds, seed]);
  const source = spoken.get(key) ?? speak(speechScript(seconds, seed), manner);
  spoken.set(key, source);
  return times === 1 ? source : repeat(source, times);
}
