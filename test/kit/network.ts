/**
 * A network made of numbers: send times in, arrival times or losses out. Pure and seeded: the same trace, send times and seed give the same
 * arrivals. Tests and benchmarks share the traces by name.
 *
 * A packet passes the parts in this order: the speaker's clock (drift), the channel (delay, jitter, reordering, loss) and last what holds
 * everything back at once (blocks and stalls). A held packet arrives when the hold ends.
 */

import type { Milliseconds } from '../../voice/units.js';
import { SeededRandom } from './random.js';

/** A range of times, each equally likely. */
export interface Range {
  readonly fromMs: Milliseconds;
  readonly toMs: Milliseconds;
}

/** Each packet is lost with the same probability. */
export interface IndependentLoss {
  readonly kind: 'independent';
  readonly share: number;
}

/**
 * Two states with a step per packet. In the good one nothing is lost, in the bad one `lostWhenBad` of the packets. The mean stay in the
 * bad state is 1 / `toGood` packets, and its share of the time is `toBad` / (`toBad` + `toGood`).
 */
export interface GilbertElliottLoss {
  readonly kind: 'gilbert-elliott';
  readonly toBad: number;
  readonly toGood: number;
  readonly lostWhenBad: number;
}

export interface NetworkTrace {
  readonly name: string;
  /** The trace in words, for tables and plots. */
  readonly about: string;
  /** The least delay: that of a packet that nothing disturbs. */
  readonly delayMs: Milliseconds;
  /** Added to each packet on its own, equally likely from 0. Default 0. */
  readonly jitterMs?: Milliseconds;
  /** A share of the packets takes longer, and arrives after its successors. */
  readonly reordered?: Range & { readonly share: number };
  readonly loss?: IndependentLoss | GilbertElliottLoss;
  /** Now and then nothing gets through for `fromMs` to `toMs`. The time until the next block is exponential with this mean. */
  readonly blocks?: Range & { readonly meanGapMs: Milliseconds };
  /** Nothing gets through for `forMs`, first at `atMs`, then every `everyMs`: on the listener's clock. */
  readonly stalls?: {
    readonly atMs: Milliseconds;
    readonly everyMs: Milliseconds;
    readonly forMs: Milliseconds;
  };
  /** TCP and Wi-Fi deliver in the order of sending. Default `free`. */
  readonly order?: 'kept' | 'free';
  /** How much faster the speaker's clock runs than the listener's, in parts per million. Default 0. */
  readonly driftPpm?: number;
}

/** The traces, by name. A change of parameters changes committed figures: add a trace instead. */
export const TRACES = {
  clean: { name: 'clean', about: 'a constant 40 ms', delayMs: 40 },
  uniform: {
    name: 'uniform',
    about: '40 to 60 ms, equally likely',
    delayMs: 40,
    jitterMs: 20,
  },
  wifi: {
    name: 'wifi',
    about: '40 to 44 ms; nothing for 60 to 160 ms, every 2 s on average',
    delayMs: 40,
    jitterMs: 4,
    blocks: { meanGapMs: 2000, fromMs: 60, toMs: 160 },
    order: 'kept',
  },
  loss: {
    name: 'loss',
    about: '40 to 44 ms; 2 % lost, independently',
    delayMs: 40,
    jitterMs: 4,
    loss: { kind: 'independent', share: 0.02 },
  },
  'loss-bursts': {
    name: 'loss-bursts',
    about: '40 to 44 ms; 2 % lost, 3 packets at a time on average (Gilbert-Elliott)',
    delayMs: 40,
    jitterMs: 4,
    loss: { kind: 'gilbert-elliott', toBad: 0.0068, toGood: 1 / 3, lostWhenBad: 1 },
  },
  reordered: {
    name: 'reordered',
    about: '40 to 44 ms; 5 % of the packets take 25 to 60 ms longer',
    delayMs: 40,
    jitterMs: 4,
    reordered: { share: 0.05, fromMs: 25, toMs: 60 },
  },
  tcp: {
    name: 'tcp',
    about: '40 to 44 ms; nothing for 100 to 400 ms, then all at once, every 5 s on average',
    delayMs: 40,
    jitterMs: 4,
    blocks: { meanGapMs: 5000, fromMs: 100, toMs: 400 },
    order: 'kept',
  },
  stall: {
    name: 'stall',
    about: '40 to 44 ms; nothing for 2 s, then all at once, every 30 s',
    delayMs: 40,
    jitterMs: 4,
    stalls: { atMs: 11_000, everyMs: 30_000, forMs: 2000 },
    order: 'kept',
  },
  'drift-fast': {
    name: 'drift-fast',
    about: "a constant 40 ms; the speaker's clock is 200 ppm fast",
    delayMs: 40,
    driftPpm: 200,
  },
  'drift-slow': {
    name: 'drift-slow',
    about: "a constant 40 ms; the speaker's clock is 200 ppm slow",
    delayMs: 40,
    driftPpm: -200,
  },
} as const satisfies Record<string, NetworkTrace>;

export type TraceName = keyof typeof TRACES;

/** An instant of the speaker's clock on the listener's clock. Both are 0 at the same instant. */
export function onListenersClock({ driftPpm = 0 }: NetworkTrace, speakerMs: Milliseconds): Milliseconds {
  return speakerMs / (1 + driftPpm * 1e-6);
}

/** The reverse of `onListenersClock`. */
export function onSpeakersClock({ driftPpm = 0 }: NetworkTrace, listenerMs: Milliseconds): Milliseconds {
  return listenerMs * (1 + driftPpm * 1e-6);
}

/**
 * When each packet arrives, on the listener's clock, or null if it is lost.
 *
 * @param sentMs Send times on the speaker's clock, 0 or more, ascending.
 * @throws RangeError for send times that go back.
 */
export function transmit(
  trace: NetworkTrace,
  sentMs: readonly Milliseconds[],
  seed: number,
): (Milliseconds | null)[] {
  const parts = partsOf(trace, seed);
  let last = 0;
  let lastArrival = 0;
  return sentMs.map((spoken) => {
    if (!(spoken >= last)) throw new RangeError(`Cannot transmit: sent at ${spoken} ms, after ${last} ms`);
    last = spoken;
    const sent = onListenersClock(trace, spoken);
    const delay = parts.delay();
    const isLost = parts.loss();
    let arrival = sent + delay;
    for (const hold of parts.holds) arrival = hold(arrival);
    if (isLost) return null;
    if (trace.order === 'kept') arrival = Math.max(arrival, lastArrival);
    lastArrival = arrival;
    return arrival;
  });
}

/** Each part has its own random numbers, so that changing one does not change another. */
function partsOf(trace: NetworkTrace, seed: number) {
  const random = (part: 0 | 1 | 2 | 3) => new SeededRandom(Math.imul(seed, 4) + part);
  const { blocks, stalls } = trace;
  const holds: ((atMs: Milliseconds) => Milliseconds)[] = [];
  if (blocks) holds.push(blockedBy(blocks, random(3)));
  if (stalls) {
    holds.push((at) => {
      const into = (at - stalls.atMs) % stalls.everyMs;
      return at >= stalls.atMs && into < stalls.forMs ? at - into + stalls.forMs : at;
    });
  }
  return { delay: delays(trace, random(0), random(1)), loss: losses(trace, random(2)), holds };
}

/** Between 0 and 1, never 1. */
function share(random: SeededRandom): number {
  return random.next() / 2 ** 32;
}

function within({ fromMs, toMs }: Range, random: SeededRandom): Milliseconds {
  return fromMs + share(random) * (toMs - fromMs);
}

function delays(
  { delayMs, jitterMs = 0, reordered }: NetworkTrace,
  jitter: SeededRandom,
  random: SeededRandom,
): () => Milliseconds {
  return () => {
    const delay = delayMs + share(jitter) * jitterMs;
    return reordered && share(random) < reordered.share ? delay + within(reordered, random) : delay;
  };
}

function losses({ loss }: NetworkTrace, random: SeededRandom): () => boolean {
  if (!loss) return () => false;
  if (loss.kind === 'independent') return () => share(random) < loss.share;
  let isBad = false;
  return () => {
    isBad = isBad ? share(random) >= loss.toGood : share(random) < loss.toBad;
    return isBad && share(random) < loss.lostWhenBad;
  };
}

/** Draws blocks as time goes on, and remembers the latest ones for packets that were overtaken. */
function blockedBy(
  blocks: Range & { readonly meanGapMs: Milliseconds },
  random: SeededRandom,
): (atMs: Milliseconds) => Milliseconds {
  const known: Range[] = [];
  return (at) => {
    while ((known.at(-1)?.toMs ?? 0) <= at) {
      const from = (known.at(-1)?.toMs ?? 0) - Math.log(1 - share(random)) * blocks.meanGapMs;
      known.push({ fromMs: from, toMs: from + within(blocks, random) });
      if (known.length > 16) known.shift();
    }
    return known.find(({ fromMs, toMs }) => at >= fromMs && at < toMs)?.toMs ?? at;
  };
}
