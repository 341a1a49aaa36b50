/**
 * Every bound of the relay: what it is for, its unit, range and default. Nothing in the relay grows beyond one of these. Types, flags,
 * environment variables, the file's schema and the documents are derived from these tables.
 */

/** A bound: a whole number. Its unit is in its name. */
export interface Limit {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** One sentence, for help and documents. */
  readonly description: string;
}

/** A set of bounds, by name. */
export type LimitTable<Name extends string = string> = Readonly<Record<Name, Limit>>;

/** A value for each bound of a set. */
export type LimitsOf<Table extends LimitTable> = { readonly [Name in keyof Table]: number };

/** A limit with this default and range. */
export function limit(fallback: number, min: number, max: number, description: string): Limit {
  return { default: fallback, min, max, description };
}

/** The limits by name, each with its default, its range and a description. */
export const RELAY_LIMITS = {
  /** Connections at once, joined or not, 1 to 1000000. Default 10000. */
  connections: limit(10_000, 1, 1_000_000, 'Connections at once, joined or not.'),
  /** Lobbies at once, 1 to 100000. Default 1000. */
  lobbies: limit(1000, 1, 100_000, 'Lobbies at once.'),
  /** Participants in all lobbies, including those who are away, 1 to 1000000. Default 10000. */
  participants: limit(10_000, 1, 1_000_000, 'Participants in all lobbies, including those who are away.'),
  /** Participants in one lobby whom the others know, 1 to 500: each change of one of them is a message to all. Default 64. */
  participantsPerLobby: limit(64, 1, 500, 'Participants in one lobby, without the unlisted.'),
  /**
   * Places that listeners may take, people who may not speak, in percent of each lobby, 0 to 100. Listeners beyond are counted and not
   * listed, so that an audience does not keep out those who speak. Default 50.
   */
  listenerPlacesPercent: limit(
    50,
    0,
    100,
    'Places that listeners may take, in percent of each lobby; more of them are counted and not listed.',
  ),
  /** Listeners in one lobby who are counted and not listed, 0 (listeners take places like all others) to 15000. Default 5000. */
  unlistedPerLobby: limit(
    5000,
    0,
    15_000,
    'Listeners in one lobby who are counted and not listed; 0: they take places like all others.',
  ),
  /** Lobbies that guests may open, in percent of all, 0 to 100: at least one unless it is 0. Default 50. */
  guestLobbiesPercent: limit(50, 0, 100, 'Lobbies that guests may open, in percent of all.'),
  /**
   * Places that guests may take, in percent of each lobby and of the relay, 0 to 100: at least one unless it is 0. Default 75.
   */
  guestPlacesPercent: limit(75, 0, 100, 'Places that guests may take, in percent of each lobby and of all.'),
  /** Channels in one lobby at once, 1 to 127. Default 32. */
  channelsPerLobby: limit(32, 1, 127, 'Channels in one lobby at once.'),
  /**
   * People who are muted, deafened or banned anywhere, present or not, 1 to 1000000. Default 100000. One lobby may use a hundredth
   * of them, but at least 100.
   */
  sanctions: limit(
    100_000,
    1,
    1_000_000,
    'People who are muted, deafened or banned anywhere, present or not.',
  ),
  /** People in all hearing sets of one lobby, each set counting as one more, 1 to 16777216. Default 131072: 1000 sets of 130. */
  hearingPerLobby: limit(
    131_072,
    1,
    16_777_216,
    'People in all hearing sets of one lobby, each set counting as one more.',
  ),
  /** The same in all lobbies, 1 to 16777216. Default 1048576. */
  hearing: limit(
    1_048_576,
    1,
    16_777_216,
    'People in all hearing sets of all lobbies, each set counting as one more.',
  ),
  /** Changes of one listener's hearing set per second, 1 to 1000. Default 10. */
  hearingPerSecond: limit(10, 1, 1000, "Changes of one listener's hearing set per second."),
  /** Changes of one listener's hearing set that are applied at once, 1 to 10000. Default 5. */
  hearingBurst: limit(5, 1, 10_000, "Changes of one listener's hearing set that are applied at once."),
  /** How long a connection may take to say hello, in ms, 100 to 60000. Default 5000. */
  helloWithinMs: limit(5000, 100, 60_000, 'How long a connection may take to say hello, in ms.'),
  /** How long after their last voice frame a participant still counts as speaking, in ms, 50 to 10000. Default 400. */
  speakingHangoverMs: limit(
    400,
    50,
    10_000,
    'How long after their last voice frame a participant still counts as speaking, in ms.',
  ),
  /** How long the place of a participant whose connection broke is kept, in ms, 0 (not at all) to 600000. Default 30000. */
  resumeWithinMs: limit(
    30_000,
    0,
    600_000,
    'How long the place of a participant whose connection broke is kept, in ms; 0: not at all.',
  ),
  /**
   * How long a slot rests after its participant left, and a channel's number after the channel ended, before it is used again, in ms,
   * 1 to 3600000. More than resumeWithinMs: somebody who resumes must not find their number in use. Default 45000.
   */
  slotRestMs: limit(
    45_000,
    1,
    3_600_000,
    'How long a slot rests after its participant left, in ms; must be more than resumeWithinMs.',
  ),
  /**
   * From which age on voice is stale, in ms, 60 to 10000. Default 150; 10000 in development. More than 1000 is for debugging. A listener who has not acknowledged voice of that age, plus what the
   * network takes, gets no more until they have read what was sent; and a speaker's frames that come so late are dropped.
   */
  staleAfterMs: limit(
    150,
    60,
    10_000,
    'From which age on voice is stale, in ms: then it is not sent. 10000 with --dev.',
  ),
  /** Control messages per connection and second, 1 to 1000. Default 10. */
  controlPerSecond: limit(10, 1, 1000, 'Control messages per connection and second.'),
  /** Control messages per connection that may arrive at once, 1 to 10000. Default 20. */
  controlBurst: limit(20, 1, 10_000, 'Control messages per connection that may arrive at once.'),
  /** Voice frames per participant and second, 1 to 10000. Default 100: twice what 20 ms frames need. */
  framesPerSecond: limit(100, 1, 10_000, 'Voice frames per participant and second.'),
  /** Voice frames per participant that may arrive at once, 1 to 100000. Default 200. */
  frameBurst: limit(200, 1, 100_000, 'Voice frames per participant that may arrive at once.'),
  /** Bytes of voice frames per participant and second, 1024 to 16777216. Default 65536. */
  bytesPerSecond: limit(65_536, 1024, 16_777_216, 'Bytes of voice frames per participant and second.'),
  /** Bytes of voice frames per participant that may arrive at once, 8208 (the longest frame) to 67108864. Default 131072. */
  byteBurst: limit(
    131_072,
    8208,
    67_108_864,
    'Bytes of voice frames per participant that may arrive at once.',
  ),
  /**
   * Sound per participant, in ms per second, 1000 to 100000. Default 2000: nobody talks faster than real time, but a stalled network
   * catches up.
   */
  soundMsPerSecond: limit(2000, 1000, 100_000, 'Sound per participant, in ms per second.'),
  /** Sound per participant that may arrive at once, in ms, 3000 (the most that one packet decodes to) to 3600000. Default 10000. */
  soundBurstMs: limit(10_000, 3000, 3_600_000, 'Sound per participant that may arrive at once, in ms.'),
} satisfies LimitTable;

/** The bounds of a relay. */
export interface RelayLimits extends LimitsOf<typeof RELAY_LIMITS> {}

/**
 * The limits with every default filled in.
 *
 * @throws TypeError for an unknown name; RangeError when a value is not a whole number within its range, or when slots would rest no
 *   longer than a place is kept.
 */
export function relayLimits(chosen: Partial<RelayLimits> = {}): RelayLimits {
  const limits = limitsWithin(RELAY_LIMITS, chosen, "the relay's");
  const { slotRestMs, resumeWithinMs } = limits;
  if (slotRestMs <= resumeWithinMs) {
    const expected = `more than resumeWithinMs, which is ${resumeWithinMs}`;
    throw new RangeError(
      `Cannot set the relay's limit slotRestMs: it is ${slotRestMs}, expected ${expected}`,
    );
  }
  return limits;
}

/** A set of limits with every default filled in; `whose` they are is for messages. Throws as `relayLimits` does for a name or a value. */
export function limitsWithin<Table extends LimitTable>(
  table: Table,
  chosen: Partial<LimitsOf<Table>>,
  whose: string,
): LimitsOf<Table> {
  const known: LimitTable = table;
  const limits = Object.fromEntries(Object.entries(known).map(([name, { default: value }]) => [name, value]));
  for (const [name, value] of Object.entries(chosen) as [string, number | undefined][]) {
    const range = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!range) {
      const names = Object.keys(known).join(', ');
      throw new TypeError(`Cannot set ${whose} limits: unknown limit "${name}", expected one of ${names}`);
    }
    if (value === undefined) continue;
    const { min, max } = range;
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(`Cannot set ${whose} limit ${name}: it is ${value}, expected ${min} to ${max}`);
    }
    limits[name] = value;
  }
  return limits as LimitsOf<Table>;
}
