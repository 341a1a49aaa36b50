/** Every bound of the relay, with its unit, range and default. Nothing in the relay grows beyond one of these. */

export interface RelayLimits {
  /** Connections at once, joined or not, 1 to 1000000. Default 10000. */
  readonly connections: number;
  /** Lobbies at once, 1 to 100000. Default 1000. */
  readonly lobbies: number;
  /** Participants of all lobbies, including those who are away, 1 to 1000000. Default 10000. */
  readonly participants: number;
  /** Participants of one lobby, 1 to 500: more would not fit a welcome message. Default 64. */
  readonly participantsPerLobby: number;
  /** The share of the lobbies that guests may make, in percent, 0 to 100; at least one lobby unless it is 0. Default 50. */
  readonly guestLobbiesPercent: number;
  /** The share of the places, of each lobby and of the relay, that guests may take, in percent, 0 to 100; at least one place unless it is 0. Default 75. */
  readonly guestPlacesPercent: number;
  /** Channels of one lobby at once, 1 to 127. Default 32. */
  readonly channelsPerLobby: number;
  /**
   * People who are muted, deafened or banned somewhere, present or not, 1 to 1000000. Default 100000. Moderators may use a hundredth of
   * them per lobby, but at least 100.
   */
  readonly sanctions: number;
  /** How long a connection may take until its hello, in ms, 100 to 60000. Default 5000. */
  readonly helloWithinMs: number;
  /** How long after their last voice frame a participant counts as speaking, in ms, 50 to 10000. Default 400. */
  readonly speakingHangoverMs: number;
  /** How long a participant's place is kept after the connection broke, in ms, 0 (not at all) to 600000. Default 30000. */
  readonly resumeWithinMs: number;
  /**
   * How long a slot rests after its participant left, and a channel's number after it ended, in ms, 1 to 3600000, before it is
   * reused. More than resumeWithinMs: a participant who resumes must not find their number in use. Default 45000.
   */
  readonly slotRestMs: number;
  /** Control messages per connection and second, 1 to 1000. Default 10. */
  readonly controlPerSecond: number;
  /** Control messages per connection that may come at once, 1 to 10000. Default 20. */
  readonly controlBurst: number;
  /** Voice frames per participant and second, 1 to 10000. Default 100: twice the rate of 20 ms frames. */
  readonly framesPerSecond: number;
  /** Voice frames per participant that may come at once, 1 to 100000. Default 200. */
  readonly frameBurst: number;
  /** Bytes of voice frames per participant and second, 1024 to 16777216. Default 65536. */
  readonly bytesPerSecond: number;
  /** Bytes of voice frames per participant that may come at once, 8208 (the longest frame) to 67108864. Default 131072. */
  readonly byteBurst: number;
  /**
   * Sound per participant, in ms per second, 1000 to 100000. Default 2000: nobody talks faster than real time, but a stalled network
   * catches up.
   */
  readonly soundMsPerSecond: number;
  /** Sound per participant that may come at once, in ms, 3000 (the most that one packet decodes to) to 3600000. Default 10000. */
  readonly soundBurstMs: number;
}

/** Default, minimum and maximum of each limit of a set. */
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
 * The limits with all defaults filled in.
 *
 * @throws TypeError for an unknown name; RangeError when a value is not an integer within its range, or when slots would not rest
 *   longer than a place is kept.
 */
export function relayLimits(chosen: Partial<RelayLimits> = {}): RelayLimits {
  const limits = limitsWithin(RELAY_LIMIT_RANGES, chosen, "the relay's");
  const { slotRestMs, resumeWithinMs } = limits;
  if (slotRestMs <= resumeWithinMs) {
    const expected = `more than resumeWithinMs, which is ${resumeWithinMs}`;
    throw new RangeError(
      `Cannot set the relay's limit slotRestMs: it is ${slotRestMs}, expected ${expected}`,
    );
  }
  return limits;
}

/** A set of limits with all defaults filled in; `whose` limits they are is for error messages. Throws as `relayLimits` for a name or a value. */
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
      throw new TypeError(`Cannot set ${whose} limits: "${name}" is not one of them, expected ${known}`);
    }
    if (value === undefined) continue;
    const [, min, max] = range;
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(`Cannot set ${whose} limit ${name}: it is ${value}, expected ${min} to ${max}`);
    }
    limits[name] = value;
  }
  return limits as Limits;
}
