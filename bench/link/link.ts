/**
 * An emulated network link for tests and benchmarks: two network namespaces with a link between them that delays, loses, queues and cuts
 * what they send each other (bench/link/link.c).
 *
 *     await withLink({ delayMs: 20, lossPercent: 1, seed: 7 }, async (link) => {
 *       const [command, ...args] = [...link.inside('far'), process.execPath, 'relay.js', link.addresses.far];
 *       …
 *       await link.cut();
 *     });
 *
 * It needs Linux, root, nsenter, /dev/net/tun and a C compiler: `buildLink` says what is missing. The namespaces have no name. They end with
 * the link and with what runs inside them, even if this process is killed.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Milliseconds } from '../../voice/units.js';
import { type Compiled, compileC } from '../compile.js';

const PROGRAM = 'out/bench/link/link';
const DEVICE = '/dev/net/tun';
const DEFAULT_MAX_MS: Milliseconds = 600_000;
/** Largest values of a setting: the delays a minute, the rate and the queue as much as 32 bits hold. */
const MAX_DELAY_MS: Milliseconds = 60_000;
const MAX_U32 = 2 ** 32 - 1;

/** `up` is from near to far, `down` from far to near. */
export type Direction = 'up' | 'down';
export type Side = 'near' | 'far';

/** What one direction does to packets. */
export interface LinkSettings {
  /** One way, in ms, 0 to 60,000. Default 0. */
  readonly delayMs?: Milliseconds;
  /** A random delay on top, from 0 to this, in ms. Packets are never reordered. Default 0. */
  readonly jitterMs?: Milliseconds;
  /** Share of packets lost, each independently, 0 to 100. Default 0. */
  readonly lossPercent?: number;
  /** In kbit/s, IP headers included. Default 0: no limit. */
  readonly rateKbit?: number;
  /** Bytes that may wait for the rate. Beyond it packets are dropped. Default 0: no limit. */
  readonly queueBytes?: number;
}

export interface LinkOptions extends LinkSettings {
  /** Of losses and jitter. The same packets in the same order then have the same fate. */
  readonly seed: number;
  /** Settings of one direction, which override the common ones. */
  readonly up?: LinkSettings;
  readonly down?: LinkSettings;
  /** The link ends after this, whatever happens. Default: ten minutes. */
  readonly maxMs?: Milliseconds;
}

/** Packets of one direction so far. */
export interface DirectionCounts {
  readonly arrived: number;
  readonly delivered: number;
  readonly lost: number;
  /** Dropped because the queue was full. */
  readonly full: number;
  /** Dropped because the link was cut. */
  readonly cut: number;
  readonly underWay: number;
}
export type LinkCounts = Readonly<Record<Direction, DirectionCounts>>;

/** Compiles the emulator, or says why this machine cannot run it. */
export function buildLink(program: string = PROGRAM): Compiled {
  const missing = (reason: string) => ({ kind: 'missing', reason }) as const;
  if (process.platform !== 'linux') return missing('network namespaces need Linux');
  if (process.getuid?.() !== 0) return missing('network namespaces need root');
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch {
    return missing(`there is no ${DEVICE}`);
  }
  if (spawnSync('nsenter', ['--version'], { stdio: 'ignore' }).status !== 0)
    return missing('there is no nsenter: install util-linux');
  const compiled = compileC('bench/link/link.c', program);
  if (compiled.kind === 'missing') return compiled;
  // A container's root may create no namespaces.
  const tried = spawnSync(program, ['seed=1', 'max_s=10'], { input: '', encoding: 'utf8' });
  return tried.status === 0 ? compiled : missing(tried.stderr.trim() || 'the emulator does not start');
}

/** An open link. */
export class Link {
  /** The address of each side. */
  readonly addresses: Readonly<Record<Side, string>> = { near: '10.77.0.1', far: '10.77.0.2' };
  readonly #child: ChildProcess;
  readonly #spaces: Readonly<Record<Side, string>>;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<unknown>;
  /** Commands are answered in order, so each waits for the one before it. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess, spaces: Record<Side, string>, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#spaces = spaces;
    this.#lines = lines;
    this.#exit = once(child, 'exit');
  }

  /** Opens a link with the program that `buildLink` made. */
  static async open(options: LinkOptions, program: string = PROGRAM): Promise<Link> {
    const maxS = Math.ceil((options.maxMs ?? DEFAULT_MAX_MS) / 1000);
    const commands = (['up', 'down'] as const).map((direction) =>
      setCommand(direction, { ...options, ...options[direction] }),
    );
    const child = spawn(program, [`seed=${options.seed}`, `max_s=${maxS}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin!.on('error', () => undefined);
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error('Cannot open a link: the emulator ended');
    const link = new Link(child, JSON.parse(first.value) as Record<Side, string>, lines);
    for (const command of commands) await link.#command(command);
    return link;
  }

  /** What comes before a command that runs on one side of the link. */
  inside(side: Side): string[] {
    return ['nsenter', `--net=${this.#spaces[side]}`];
  }

  /** Changes a direction from the next packet on. Settings that are left out return to their defaults. */
  change(direction: Direction, settings: LinkSettings): Promise<LinkCounts> {
    return this.#command(setCommand(direction, settings));
  }

  /** From now on nothing passes, and what is under way is lost. Nobody is told. */
  async cut(direction: Direction | 'both' = 'both'): Promise<LinkCounts> {
    if (direction !== 'down') await this.#command('cut up');
    return direction === 'up' ? this.counts() : this.#command('cut down');
  }

  async heal(direction: Direction | 'both' = 'both'): Promise<LinkCounts> {
    if (direction !== 'down') await this.#command('heal up');
    return direction === 'up' ? this.counts() : this.#command('heal down');
  }

  /** What was sent before this call is counted. */
  counts(): Promise<LinkCounts> {
    return this.#command('counts');
  }

  /** Ends the link. The namespaces remain until what runs inside them has ended. */
  async close(): Promise<void> {
    this.#child.stdin!.end();
    await this.#exit;
  }

  #command(line: string): Promise<LinkCounts> {
    const answer = this.#last.then(async () => {
      this.#child.stdin!.write(`${line}\n`);
      const { done, value } = await this.#lines.next();
      if (done) throw new Error('Cannot use the link: the emulator ended');
      return JSON.parse(value) as LinkCounts;
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }
}

/** Opens a link for the time of `use`. @throws Error if the emulator does not start: see `buildLink`. */
export async function withLink<T>(options: LinkOptions, use: (link: Link) => Promise<T>): Promise<T> {
  const link = await Link.open(options);
  try {
    return await use(link);
  } finally {
    await link.close();
  }
}

function setCommand(direction: Direction, settings: LinkSettings): string {
  const { delayMs = 0, jitterMs = 0, lossPercent = 0, rateKbit = 0, queueBytes = 0 } = settings;
  const checked = (name: string, value: number, max: number) => {
    if (value >= 0 && value <= max) return value;
    throw new RangeError(`Cannot set the link: ${name} is ${value}, expected 0 to ${max}`);
  };
  const values = [
    1000 * checked('delayMs', delayMs, MAX_DELAY_MS),
    1000 * checked('jitterMs', jitterMs, MAX_DELAY_MS),
    10_000 * checked('lossPercent', lossPercent, 100),
    checked('rateKbit', rateKbit, MAX_U32),
    checked('queueBytes', queueBytes, MAX_U32),
  ];
  return `set ${direction} ${values.map(Math.round).join(' ')}`;
}
