/**
 * Every bound of the relay: what it is for, its unit, range and default. Nothing in the relay grows beyond
 * one of these.
 */

export interface RelayLimits {
  /** Connections at once, joined or not, 1 to 1000000. Default 10000. */
  readonly connections: number;
  /** Lobbies at once, 1 to 100000. Default 1000. */
  readonly lobbies: number;
  /** Participants of all lobbies, the away ones among them, 1 to 1000000. Default 10000. */
  readonly participants: number;
  /** Participants of one lobby, 1 to 500: more would not fit a welcome message. Default 64. */
  readonly participantsPerLobby: number;
  /** Of the lobbies, the part that guests may make, in percent, 0 to 100: at least one unless it is 0. Default 50. */
  readonly guestLobbiesPercent: number;
  /** Of the places of each lobby and of the relay, the part that guests may take, in percent, 0 to 100: at least one unless it is 0. Default 75. */
  readonly guestPlacesPercent: number;
  /** Channels of one lobby at once, 1 to 127. Default 32. */
  readonly channelsPerLobby: number;
  /**
   * People who are muted, deafened or banned somewhere, present or not, 1 to 1000000. Default 100000. One lobby may take a hundredth of
   * them, but at least 100.
   */
  readonly sanctions: number;
  /** How long a connection may take to say hello, in ms, 100 to 60000. Default 5000. */
  readonly helloWithinMs: number;
  /** Without a voice frame for this long, in ms, 50 to 10000, a participant no longer speaks. Default 400. */
  readonly speakingHangoverMs: number;
  /** How long the place is kept of somebody whose connection broke, in ms, 0 (not at all) to 600000. Default 30000. */
  readonly resumeWithinMs: number;
  /**
   * How long a slot rests after its participant left, and a channel's number after it ended, in ms, 1 to 3600000, before another
   * gets it. More than resumeWithinMs: who comes back must not find their number another's. Default 45000.
   */
  readonly slotRestMs: number;
  /** Control messages of one connection, a second, 1 to 1000. Default 10. */
  readonly controlPerSecond: number;
  /** Control messages of one connection that may come at once, 1 to 10000. Default 20. */
  readonly controlBurst: number;
  /** Voice frames of one participant, a second, 1 to 10000. Default 100: twice what 20 ms frames make. */
  readonly framesPerSecond: number;
  /** Voice frames of one participant that may come at once, 1 to 100000. Default 200. */
  readonly frameBurst: number;
  /** Bytes of voice frames of one participant, a second, 1024 to 16777216. Default 65536. */
  readonly bytesPerSecond: number;
  /** Bytes of voice frames that may come at once, 8208 (the longest frame) to 67108864. Default 131072. */
  readonly byteBurst: number;
  /**
   * Sound of one participant, in ms a second, 1000 to 100000. Default 2000: nobody talks faster than time, but
   * a stalled network catches up.
   */
  readonly soundMsPerSecond: number;
  /** Sound that may come at once, in ms, 3000 (the most that one packet decodes to) to 3600000. Default 10000. */
  readonly soundBurstMs: number;
}

/** Default, least and most of each limit of a set. */
export type LimitRanges<Limits> = Readonly<
  Record<keyof Limits, readonly [fallback: number, min: number, max: number]>
>;

export const RELAY_LIMIT_RANGES: LimitRanges<RelayLimits> = {
  connections: [10_000, 1, 1_000_000],
  lobbies: [1000, 1, 100_000],
  participants: [10_000, 1, 1_000_000],
  participantsPerLobby: [64, 1, 500],
  guestLobbiesPercent: [50, 0, 100],
  guestPlacesPercent: [75, 0, 100],
  channelsPerLobby: [32, 1, 127],
  sanctions: [100_000, 1, 1_000_000],
  helloWithinMs: [5000, 100, 60_000],
  speakingHangoverMs: [400, 50, 10_000],
  resumeWithinMs: [30_000, 0, 600_000],
  slotRestMs: [45_000, 1, 3_600_000],
  controlPerSecond: [10, 1, 1000],
  controlBurst: [20, 1, 10_000],
  framesPerSecond: [100, 1, 10_000],
  frameBurst: [200, 1, 100_000],
  bytesPerSecond: [65_536, 1024, 16_777_216],
  byteBurst: [131_072, 8208, 67_108_864],
  soundMsPerSecond: [2000, 1000, 100_000],
  soundBurstMs: [10_000, 3000, 3_600_000],
};

/**
 * The limits with every default filled in.
 *
 * @throws TypeError when a name is not one of ours; RangeError when a value is not a whole number within its
 *   range, or slots would rest no longer than a place is kept.
 */
export function relayLimits(chosen: Partial<RelayLimits> = {}): RelayLimits {
  const limits = limitsWithin(RELAY_LIMIT_RANGES, chosen, "the relay's");
  const { slotRestMs, resumeWithinMs } = limits;
  if (slotRestMs <= resumeWithinMs) {
    const wanted = `more than resumeWithinMs, which is ${resumeWithinMs}`;
    throw new RangeError(`Cannot set the relay's limit slotRestMs: it is ${slotRestMs}, wants ${wanted}`);
  }
  return limits;
}

/** A set of limits with every default filled in; `whose` they are is for messages. Throws as `relayLimits` does for a name or a value. */
export function limitsWithin<Limits>(
  ranges: LimitRanges<Limits>,
  chosen: Partial<Limits>,
  whose: string,
): Limits {
  const limits: Record<string, number> = {};
  const all: Readonly<Record<string, readonly [number, number, number]>> = ranges;
  for (const [name, [fallback]] of Object.entries(all)) limits[name] = fallback;
  for (const [name, value] of Object.entries(chosen) as [string, number | undefined][]) {
    const range = Object.hasOwn(all, name) ? all[name] : undefined;
    if (!range) {
      const known = Object.keys(all).join(', ');
      throw new TypeError(`Cannot set ${whose} limits: "${name}" is not one of them, wants ${known}`);
    }
    if (value === undefined) continue;
    const [, min, max] = range;
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(`Cannot set ${whose} limit ${name}: it is ${value}, wants ${min} to ${max}`);
    }
    limits[name] = value;
  }
  return limits as Limits;
}
