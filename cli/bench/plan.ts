/** What `hotmic bench relay` is asked for, and which parts of it cannot go together. */

import { type Crowd, intervalMs } from '../../bench/load/players.js';
import { HotmicError } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';

/** As typed. */
export interface BenchOptions {
  readonly lobbies: number;
  readonly members: number;
  readonly talkers: number;
  /** Duration of a packet, in ms. */
  readonly packet: Milliseconds;
  readonly seconds: number;
  readonly warmUp: number;
  /** People per second who leave and join again. */
  readonly leaves: number;
  /** Shares of the listeners, in percent. */
  readonly stalling: number;
  readonly slow: number;
  /** Seconds, from and to. */
  readonly stall: readonly [least: number, most: number];
  /** Bytes per second. */
  readonly slowRate: number;
  readonly delay: Milliseconds;
  readonly jitter: Milliseconds;
  readonly loss: number;
  /** Seconds. */
  readonly cut: number;
  readonly tls?: true;
  readonly acknowledge: boolean;
  readonly guests?: true;
  readonly tokenKeyFile?: string;
  readonly audience: string;
  readonly seed: number;
  readonly json?: true;
}

/** What the relay under test is: ours, started for this, or that at a URL. */
export type Target =
  | { readonly kind: 'own'; readonly tls: boolean; readonly link: LinkPlan | null }
  | { readonly kind: 'url'; readonly url: URL };

/** The emulated link between relay and clients. Delays are of one way. */
export interface LinkPlan {
  readonly delayMs: Milliseconds;
  readonly jitterMs: Milliseconds;
  readonly lossPercent: number;
  readonly cutSeconds: number;
}

export interface BenchPlan {
  readonly target: Target;
  readonly crowd: Crowd;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly stallingListeners: number;
  readonly slowListeners: number;
  readonly options: BenchOptions;
}

/** When the link is cut, after the warm-up, and how long the measurement goes on after it is healed, at least. */
export const CUT_AFTER_S = 5;
const AFTER_CUT_S = 5;
/** More people of a lobby than this cannot be listed: the others may only listen. */
const MAX_LISTED = 500;
const MAX_PEOPLE = 20_000;
/** The bench's lobbies: nobody's game has such a name. */
const LOBBY_NAME = 'hotmic bench';
export const CAPABILITIES = ['stale', 'heartbeat'] as const;

/** @throws HotmicError (ERR_HOTMIC_USAGE, ERR_HOTMIC_URL) if parts do not go together. */
export function planOf(url: string | undefined, options: BenchOptions): BenchPlan {
  const { lobbies, members, talkers, packet, seconds, cut } = options;
  if (talkers > members) throw usage(`--talkers is ${talkers}, expected at most --members, ${members}`);
  if (lobbies * members > MAX_PEOPLE)
    throw usage(
      `${lobbies} lobbies of ${members} are ${lobbies * members} people, expected at most ${MAX_PEOPLE}`,
    );
  if (packet % 20 !== 0) throw usage(`--packet is ${packet}, expected a multiple of 20 ms`);
  if (options.stalling + options.slow > 100)
    throw usage('--stalling and --slow are more than 100 % of the listeners together');
  if (options.guests && options.tokenKeyFile !== undefined)
    throw usage('--guests and --token-key-file exclude each other');
  if (cut > 0 && seconds < CUT_AFTER_S + cut + AFTER_CUT_S)
    throw usage(`--cut ${cut} requires --seconds of at least ${CUT_AFTER_S + cut + AFTER_CUT_S}`);
  const crowd: Crowd = {
    lobbies,
    lobbySize: members,
    talkers,
    opusFrames: packet / 20,
    others: members > MAX_LISTED ? 'listen' : 'speak',
    lobbyName: LOBBY_NAME,
    ...(options.acknowledge && { capabilities: CAPABILITIES }),
  };
  const listeners = lobbies * (members - talkers);
  return {
    target: targetOf(url, options),
    crowd,
    seconds,
    warmUpSeconds: options.warmUp,
    stallingListeners: Math.round((listeners * options.stalling) / 100),
    slowListeners: Math.round((listeners * options.slow) / 100),
    options,
  };
}

function targetOf(url: string | undefined, options: BenchOptions): Target {
  const { delay, jitter, loss, cut } = options;
  const hasLink = delay > 0 || jitter > 0 || loss > 0 || cut > 0;
  if (url === undefined) {
    if (options.guests || options.tokenKeyFile !== undefined)
      throw usage('--guests and --token-key-file are for the relay at a URL; the own relay has its own key');
    const link = hasLink ? { delayMs: delay, jitterMs: jitter, lossPercent: loss, cutSeconds: cut } : null;
    return { kind: 'own', tls: options.tls === true, link };
  }
  if (hasLink) throw usage('--delay, --jitter, --loss and --cut require the own relay: leave out the URL');
  if (options.tls) throw usage('--tls is for the own relay; a URL that begins with wss:// has TLS');
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (!parsed || !['ws:', 'wss:'].includes(parsed.protocol) || parsed.username !== '' || parsed.hash !== '')
    throw new HotmicError(
      'ERR_HOTMIC_URL',
      `Cannot use "${url}": expected a URL such as ws://127.0.0.1:7800 or wss://relay.example`,
    );
  return { kind: 'url', url: parsed };
}

/** One line: what is measured. */
export function planText({ crowd, seconds, options }: BenchPlan): string {
  const people = `${crowd.lobbies} ${crowd.lobbies === 1 ? 'lobby' : 'lobbies'} of ${crowd.lobbySize}, ${crowd.talkers} of them talking`;
  return `${people}, a packet every ${intervalMs(crowd)} ms, for ${seconds} s; seed ${options.seed}`;
}

function usage(message: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_USAGE', message);
}
