/**
 * Loads: thousands of connections, and listeners that do not read. The last in the order, one after the other. How many is bounded by
 * what the system allows, and said.
 */

import { readFileSync } from 'node:fs';
import {
  type Answer,
  type Attack,
  ended,
  http,
  httpOf,
  NO_EFFECT,
  notAdmitted,
  refused,
  times,
} from './attack.js';
import { largestFrame } from './attacks_voice.js';
import { CONNECTIONS_PER_ADDRESS, type Field } from './field.js';
import { DEADLINE_MS, type Wire } from './wire.js';

/** Opened in one go, so that neither side’s queue of connections overflows. */
const AT_ONCE = 200;
const FULL_SIZE = 10_000;
const QUICK_SIZE = 2000;

export interface Size {
  /** Idle connections of a flood. */
  readonly connections: number;
  /** Why it is not the full size; null when it is. */
  readonly why: string | null;
}

/** 10,000 with HOTMIC_HOSTILE=full, fewer without, and never more than open files allow. */
export function floodSize(): Size {
  const [, hard = '4096'] =
    /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  const allowed = Number(hard) - 500;
  const wanted = process.env.HOTMIC_HOSTILE === 'full' ? FULL_SIZE : QUICK_SIZE;
  if (allowed < wanted) return { connections: allowed, why: `${hard} open files are allowed` };
  return { connections: wanted, why: wanted === FULL_SIZE ? null : 'HOTMIC_HOSTILE=full is not set' };
}

/** What the relay takes at once in these tests: fewer than the flood brings. */
export function connectionsOf({ connections }: Size): number {
  return Math.floor(connections * 0.9);
}

/** Does it for each of so many, some at a time. */
async function each<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) {
    const size = Math.min(AT_ONCE, count - made.length);
    const from = made.length;
    made.push(...(await Promise.all(times(size, null).map((_, index) => make(from + index)))));
  }
  return made;
}

export const TURNED_AWAY: Answer = { kind: 'turned-away' };

/** TCP connections of one address that may stay within so many seconds: four times what it may have of WebSockets. */
export function mostAtDoor(seconds: number): number {
  return 4 * (CONNECTIONS_PER_ADDRESS + 10 * Math.ceil(seconds));
}

/** How many of them are gone, once at least so many are and no more go. Somebody who came behind them has to be in. */
export async function goneOf(wires: readonly Wire[], least: number): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS;
  for (let before = -1; ; ) {
    const gone = wires.filter(({ isGone }) => isGone).length;
    if (gone >= least && gone === before) return gone;
    before = gone;
    if (performance.now() > deadline)
      throw new Error(`${gone} of ${wires.length} are gone, expected ${least}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function upgraded(field: Field, from: string): Promise<{ wire: Wire; isIn: boolean; answer: Answer }> {
  const wire = await field.dial(from);
  const answer = await wire.upgrade();
  return { wire, isIn: answer?.status === 101, answer: httpOf(answer) };
}

export function floodAttacks({ connections }: Size): readonly Attack[] {
  return [
    {
      name: 'thousands of idle TCP connections from one address',
      answers: [TURNED_AWAY],
      run: async (field) => {
        const startedAt = performance.now();
        const wires = await each(connections, () => field.dial('127.2.0.1'));
        // There is room for others meanwhile.
        await field.join();
        const seconds = (performance.now() - startedAt) / 1000;
        const gone = await goneOf(wires, connections - mostAtDoor(seconds));
        return times(gone, TURNED_AWAY);
      },
    },
    {
      name: 'thousands of connections from one address that ask for /healthz and stay',
      answers: [TURNED_AWAY, http(200)],
      run: async (field) => {
        const open = 'hotmic_tcp_connections';
        const before = (await field.scrape()).samples.get(open)!;
        const got = await each(connections, async () => {
          const wire = await field.dial('127.2.0.3');
          wire.write('GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
          const answer = httpOf(await wire.answer());
          return answer.kind === 'cut' ? TURNED_AWAY : answer;
        });
        await field.until((samples) => samples.get(open)! <= before, 'none of them is open');
        return got;
      },
    },
    {
      name: 'thousands of idle WebSockets from one address',
      answers: [TURNED_AWAY, notAdmitted(429), refused('hello-late')],
      run: async (field) => {
        const made = await each(connections, () => upgraded(field, '127.2.0.2'));
        const outside = made
          .filter(({ isIn }) => !isIn)
          .map(({ answer }) => (answer.kind === 'cut' ? TURNED_AWAY : answer));
        const inside = made.filter(({ isIn }) => isIn);
        if (inside.length < CONNECTIONS_PER_ADDRESS) throw new Error(`${inside.length} came in`);
        await field.join();
        return [...outside, ...(await Promise.all(inside.map(({ wire }) => ended(wire))))];
      },
    },
    {
      name: 'thousands of idle WebSockets from as many addresses as it takes',
      answers: [refused('hello-late'), refused('relay-full')],
      run: async (field) => {
        const wires = await each(connections, (index) =>
          field.socket(`127.3.${Math.floor(index / 50) >> 8}.${Math.floor(index / 50) & 0xff}`),
        );
        return Promise.all(wires.map(ended));
      },
    },
    {
      name: 'thousands of handshakes that are reset halfway',
      answers: [NO_EFFECT],
      run: async (field) => {
        await each(connections, async (index) => {
          const wire = await field.dial(
            `127.4.${Math.floor(index / 50) >> 8}.${Math.floor(index / 50) & 0xff}`,
          );
          wire.write('GET / HTTP/1.1\r\nUpgrade: websocket\r\n');
          wire.reset();
        });
        await field.join();
        return [NO_EFFECT];
      },
    },
    {
      name: 'people who join and disconnect, over and over, without leaving',
      answers: [NO_EFFECT],
      run: async (field) => {
        const lobby = field.lobby();
        const account = field.account();
        for (let round = 0; round < 50; round += 1) {
          const { wire } = await field.join({ lobby, account });
          wire.reset();
          await wire.ended();
        }
        return [NO_EFFECT];
      },
    },
    {
      name: 'a listener that reads nothing, while others talk as much as they may',
      answers: [{ kind: 'passed-over' }, { kind: 'listener-cut' }],
      run: async (field) => {
        const lobby = field.lobby();
        const listener = await field.join({ lobby });
        const witness = await field.join({ lobby });
        listener.wire.stall();
        const talkers = await Promise.all(times(8, null).map(() => field.join({ lobby })));
        const passedOver = 'hotmic_backpressure_drops_total';
        const cut = 'hotmic_listeners_cut_total';
        const before = (await field.scrape()).samples;
        const deadline = Date.now() + DEADLINE_MS;
        let heard = 0;
        const frames = talkers.map(({ steamId }) => largestFrame(steamId));
        // The kernel holds megabytes for a listener before anything waits in the relay.
        for (let sequence = 0; ; sequence += 1) {
          for (const [index, { wire }] of talkers.entries()) wire.sendBytes(frames[index]!);
          heard += talkers.length;
          await new Promise((resolve) => setTimeout(resolve, 125));
          const { samples } = await field.scrape();
          if (samples.get(passedOver)! > before.get(passedOver)!) {
            // A message cannot be left out, so whoever does not take it is cut.
            witness.wire.send({ type: 'rename', name: `now ${sequence}` });
            await witness.wire.fence();
            const after = (await field.scrape()).samples;
            if (after.get(cut)! > before.get(cut)!) break;
          }
          if (Date.now() > deadline) throw new Error(`not cut within ${DEADLINE_MS} ms and ${heard} frames`);
        }
        if (!(await witness.wire.fence())) throw new Error('who reads was cut, too');
        return [{ kind: 'passed-over' }, { kind: 'listener-cut' }];
      },
    },
  ];
}
