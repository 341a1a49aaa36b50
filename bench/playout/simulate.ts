/** Plays a source over a trace: packets go in when they arrive, and sound is pulled at the pace of a sound card. Faster than real time. */

import { type NetworkTrace, onListenersClock, transmit } from '../../test/kit/network.js';
import { type Milliseconds, msOfSamples, samplesOfMs } from '../../voice/units.js';
import { type Measured, Meter } from './meter.js';
import type { Arrival, Player } from './player.js';
import type { Source } from './source.js';

/** 200 pulls per second, as `hotmic listen` polls. */
export const PULL_MS: Milliseconds = 5;

/** How long it is listened after the last packet. */
const TAIL_MS: Milliseconds = 1000;

/** What arrives of a source over a trace. */
export interface Transmission {
  readonly source: Source;
  readonly trace: NetworkTrace;
  /** For each packet of the source; null if it was lost. */
  readonly arrivedAtMs: readonly (Milliseconds | null)[];
  /** Those that arrived, in the order of arrival. */
  readonly arrivals: readonly Arrival[];
  readonly endMs: Milliseconds;
}

export function transmission(source: Source, trace: NetworkTrace, seed: number): Transmission {
  const arrivedAtMs = transmit(
    trace,
    source.packets.map(({ sentMs }) => sentMs),
    seed,
  );
  const arrivals = source.packets.flatMap((sent, index) => {
    const at = arrivedAtMs[index] ?? null;
    return at === null ? [] : [{ sent, arrivedAtMs: at }];
  });
  arrivals.sort((left, right) => left.arrivedAtMs - right.arrivedAtMs);
  const spokenMs = onListenersClock(trace, msOfSamples(source.samples));
  const endMs = Math.max(spokenMs, arrivals.at(-1)?.arrivedAtMs ?? 0) + TAIL_MS;
  return { source, trace, arrivedAtMs, arrivals, endMs };
}

/** Plays the transmission and measures what is heard. `onHeard` gets each piece of sound, valid during the call. */
export function play(
  { source, trace, arrivals, endMs }: Transmission,
  player: Player,
  onHeard?: (pcm: Int16Array) => void,
): Measured {
  const meter = new Meter(source, trace);
  const out = new Int16Array(samplesOfMs(PULL_MS));
  let next = 0;
  try {
    for (let pull = 0; pull * PULL_MS < endMs; pull++) {
      const nowMs = pull * PULL_MS;
      for (; next < arrivals.length && arrivals[next]!.arrivedAtMs <= nowMs; next++)
        player.push(arrivals[next]!.sent, arrivals[next]!.arrivedAtMs);
      meter.hear(player.pull(out, nowMs), out, nowMs);
      onHeard?.(out);
    }
  } finally {
    player.close();
  }
  return meter.finish();
}
