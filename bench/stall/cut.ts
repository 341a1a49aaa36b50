/**
 * A listener behind a network link that is cut for 20 s, and one that is stopped behind a slow link: when does it hear in time again, and how
 * old is what it hears? The relays, talkers and healthy listeners are on the far side of the link, the listener on the near side. Ours uses our client,
 * which reconnects; the others have a plain connection, which waits for TCP.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { newKey } from '../../relay/index.js';
import type { Milliseconds } from '../../voice/units.js';
import { buildLink, type Link, type LinkSettings, withLink } from '../link/link.js';
import type { Trial } from '../result.js';
import {
  play,
  playAll,
  preferTalkers,
  type Run,
  rowsOf,
  type Scene,
  STOPPED,
  TROUBLE_MS,
  type Trouble,
  voidOf,
} from './scene.js';
import { PEERS } from './servers.js';

const RUNS = 5;
const DELAY_MS: Milliseconds = 10;
/** After a cut of 20 s, TCP tries again within 13 s. */
const AFTER_CUT_MS: Milliseconds = 15_000;
const MAX_MS: Milliseconds = 120_000;

interface LinkCase {
  readonly name: string;
  readonly talkers: number;
  readonly trouble: 'cut' | 'stopped';
  readonly settings: LinkSettings;
}

export const cut = trialOf('cut', `a listener whose network is cut for ${TROUBLE_MS / 1000} s`, {
  name: '1 talker, cut',
  talkers: 1,
  trouble: 'cut',
  settings: { delayMs: DELAY_MS },
});

export const slow = trialOf('slow', `a listener stopped for ${TROUBLE_MS / 1000} s behind 1 Mbit/s`, {
  name: '8 talkers, stopped, 1 Mbit/s',
  talkers: 8,
  trouble: 'stopped',
  settings: { delayMs: DELAY_MS, rateKbit: 1000, queueBytes: 32_768 },
});

/** What the process on the far side has to do. */
interface FarOrder {
  readonly peer: string;
  readonly case: LinkCase;
  /** What comes before the listener's command. */
  readonly inside: readonly string[];
  readonly found: string;
  readonly keepsAges: boolean;
}

function trialOf(name: string, about: string, one: LinkCase): Trial {
  return { name, about: `${about}, ${RUNS} runs`, run: () => measure(one) };
}

async function measure(one: LinkCase): ReturnType<Trial['run']> {
  const link = buildLink();
  if (link.kind === 'missing') return { rows: [], void: `there is no emulated network: ${link.reason}` };
  if (availableParallelism() < 2)
    return { rows: [], void: 'this machine has one core, expected at least two' };
  const skipped: string[] = [];
  const peers = PEERS.filter((peer) => {
    const missing = peer.missing();
    if (missing !== null) skipped.push(missing);
    return missing === null;
  });
  const runs: Run[] = [];
  let repeated = 0;
  for (let number = 0; number < RUNS; number++) {
    const scenes = peers.map((peer): Scene => ({ ...one, peer, tls: null, trouble: STOPPED }));
    const round = await playAll(scenes, number === 0, ({ peer }, keepsAges) =>
      playOverLink(one, peer.name, keepsAges),
    );
    runs.push(...round.runs);
    repeated += round.repeated;
  }
  if (repeated > 0) skipped.push(`${repeated} runs whose talkers were late, done again`);
  return { rows: rowsOf(runs), void: voidOf(runs), skipped, raw: runs };
}

function playOverLink(one: LinkCase, peer: string, keepsAges: boolean): Promise<Run> {
  return withLink({ seed: 1, maxMs: MAX_MS, ...one.settings }, async (link) => {
    const order: FarOrder = {
      ...{ peer, case: one, keepsAges },
      inside: link.inside('near'),
      found: link.addresses.far,
    };
    const [command, ...args] = [
      ...link.inside('far'),
      process.execPath,
      fileURLToPath(import.meta.url),
      JSON.stringify(order),
    ];
    const child = spawn(command!, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    try {
      return await servedBy(link, child);
    } finally {
      child.kill('SIGKILL');
    }
  });
}

/** Cuts and heals the link as the process on the far side says, until that has a result. */
async function servedBy(link: Link, child: ChildProcess): Promise<Run> {
  const gone = once(child, 'exit').then(() => {
    throw new Error('Cannot measure over a link: the process on its far side ended');
  });
  for (;;) {
    const [said] = (await Promise.race([once(child, 'message'), gone])) as ['cut' | 'heal' | Run];
    if (typeof said !== 'string') {
      gone.catch(() => undefined);
      return said;
    }
    await (said === 'cut' ? link.cut() : link.heal());
    child.send('done');
  }
}

/** Asks the process that holds the link. */
async function ask(what: 'cut' | 'heal'): Promise<void> {
  process.send?.(what);
  await once(process, 'message');
}

const CUT: Trouble = { begin: () => ask('cut'), end: () => ask('heal'), afterMs: AFTER_CUT_MS };

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send) {
  const order = JSON.parse(process.argv[2]!) as FarOrder;
  const { name, talkers, trouble } = order.case;
  preferTalkers();
  const scene: Scene = {
    ...{ name, talkers, tls: null, inside: order.inside },
    peer: PEERS.find((peer) => peer.name === order.peer)!,
    trouble: trouble === 'cut' ? CUT : STOPPED,
    host: { listens: '0.0.0.0', found: order.found },
  };
  process.send(await play(scene, await newKey('EdDSA', 'bench'), order.keepsAges));
  process.disconnect();
}
