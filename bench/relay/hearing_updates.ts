/**
 * A game's backend for the benchmark of hearing sets: over one update stream of the admin API it sends the set of each listener ten times
 * per second, a part of them every 10 ms, and counts the relay's answers.
 */

import http from 'node:http';

/** Listeners per line. */
const SETS_PER_LINE = 25;
const PARTS = 10;
const PART_MS = 10;

/** People who walk along two circles, the talkers on one and all others on the other: each hears a part of either. */
export interface Walk {
  /** Talkers and others in each listener's set. */
  readonly talkers: number;
  readonly others: number;
  /** Rounds of updates after which a listener passes from one talker to the next. */
  readonly roundsPerTalker: number;
}

interface LobbyOnMap {
  readonly name: string;
  readonly talkers: readonly number[];
  readonly others: readonly number[];
}

export interface UpdateCounts {
  /** Listener-updates that the relay has answered. */
  readonly updates: number;
  readonly failed: number;
}

export class Backend {
  readonly #lobbies: readonly LobbyOnMap[];
  readonly #walk: Walk;
  readonly #request: http.ClientRequest;
  #timer: NodeJS.Timeout | null = null;
  #rounds = 0;
  #part = 0;
  #startedAt = 0;
  #parts = 0;
  #sent: number[] = [];
  #updates = 0;
  #failed = 0;
  #text = '';

  constructor(adminUrl: string, token: string, lobbies: readonly LobbyOnMap[], walk: Walk) {
    this.#lobbies = lobbies;
    this.#walk = walk;
    this.#request = http.request(new URL('v1/updates', adminUrl), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    });
    this.#request.on('response', (response) => {
      response.setEncoding('utf8').on('data', (text: string) => this.#answered(text));
    });
    this.#request.on('error', () => undefined);
    this.#request.flushHeaders();
  }

  get counts(): UpdateCounts {
    return { updates: this.#updates, failed: this.#failed };
  }

  /** Every listener's set, once. */
  sendAll(): void {
    for (let part = 0; part < PARTS; part += 1) this.#send(part);
  }

  /** Ten times per second for each listener, until `end`. */
  start(): void {
    this.#startedAt = performance.now();
    this.#timer = setInterval(() => {
      const due = Math.floor((performance.now() - this.#startedAt) / PART_MS);
      for (; this.#parts < due; this.#parts += 1) {
        this.#send(this.#part);
        this.#part = (this.#part + 1) % PARTS;
        if (this.#part === 0) this.#rounds += 1;
      }
    }, PART_MS / 2);
  }

  end(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#request.destroy();
  }

  #send(part: number): void {
    for (const lobby of this.#lobbies) {
      const slots = [...lobby.talkers, ...lobby.others];
      const sets = [];
      for (let at = part; at < slots.length; at += PARTS)
        sets.push({ listener: slots[at], hears: this.#set(lobby, at) });
      for (let from = 0; from < sets.length; from += SETS_PER_LINE) {
        const some = sets.slice(from, from + SETS_PER_LINE);
        const line = { operation: 'setHearing', lobby: lobby.name, body: { sets: some } };
        this.#request.write(`${JSON.stringify(line)}\n`);
        this.#sent.push(some.length);
      }
    }
  }

  /** One of the others comes and one goes with each round. */
  #set({ talkers, others }: LobbyOnMap, listener: number): number[] {
    const first = listener + Math.floor((this.#rounds + listener) / this.#walk.roundsPerTalker);
    const firstOther = listener + this.#rounds;
    const set: number[] = [];
    for (let at = 0; at < this.#walk.talkers; at += 1) set.push(talkers[(first + at) % talkers.length]!);
    for (let at = 0; at < this.#walk.others; at += 1) set.push(others[(firstOther + at) % others.length]!);
    return set;
  }

  #answered(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop()!;
    for (const line of lines) {
      const count = this.#sent.shift() ?? 0;
      if (line.includes('"status":204')) this.#updates += count;
      else this.#failed += count;
    }
  }
}

/** The slots of a lobby's talkers and of all others, by the order of their SteamIDs. */
export async function lobbyOnMap(
  adminUrl: string,
  token: string,
  name: string,
  talkers: number,
): Promise<LobbyOnMap> {
  const url = new URL(`v1/lobbies/${encodeURIComponent(name)}`, adminUrl);
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const { members } = (await answer.json()) as { members: { slot: number; steamId: string }[] };
  members.sort((one, other) => (one.steamId < other.steamId ? -1 : 1));
  const slots = members.map(({ slot }) => slot);
  return { name, talkers: slots.slice(0, talkers), others: slots.slice(talkers) };
}
