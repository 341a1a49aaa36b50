/** Which layer holds the sockets of a relay. */

import type * as UWebSockets from 'uWebSockets.js';
import { addonReason, missingError, missingReason, threadError } from '../start_error.js';
import { loadSocketsAddon, type SocketsAddon } from './addon/binding.js';
import { addonLayer } from './addon/server.js';
import { WS_COST } from './cost.js';
import type { SocketLayer, SocketLayerName } from './layer.js';
import { uwsLayer } from './uws/server.js';

/** `auto`: uWebSockets where one of the two ways to it loads, otherwise ws. */
export type SocketsOption = 'auto' | SocketLayerName;

/** A loaded layer. */
export interface ChosenSockets {
  readonly layer: SocketLayer;
  /** Why it was taken, what it costs, and how to get the other one, in one line; null if it was not `auto` that took it. */
  readonly why: string | null;
}

/** The variable that says what `auto` is. */
const VARIABLE = 'HOTMIC_RELAY_SOCKETS';

/**
 * What a relay asks for: its option, or else the environment variable.
 *
 * @throws RangeError for any other word.
 */
export function socketsWanted(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): SocketsOption {
  const wanted = option === undefined || option === 'auto' ? env[VARIABLE] || 'auto' : option;
  if (wanted === 'auto' || wanted === 'uws' || wanted === 'ws') return wanted;
  const name = wanted === option ? 'sockets' : VARIABLE;
  throw new RangeError(
    `Cannot start the relay: ${name} is ${JSON.stringify(wanted)}, expected auto, uws or ws`,
  );
}

/** Where the relay runs, and the loaders of the layers. */
export interface SocketsPlace {
  readonly isMainThread: boolean;
  readonly nodeVersion: string;
  /** Which way to uWebSockets is looked for: both for undefined, in the order in which they stand. Only tests ask for one. */
  readonly uwsBy: 'package' | 'addon' | undefined;
  /** The relay serves a page: then the addon is looked for first, which serves several of its files on one connection. */
  readonly servesPage?: boolean;
  loadUws(): Promise<typeof UWebSockets>;
  loadAddon(): Promise<SocketsAddon>;
  loadWs(): Promise<SocketLayer>;
}

/** This process. */
export function thisPlace(isMainThread: boolean, servesPage = false): SocketsPlace {
  const { HOTMIC_UWS: uwsBy } = process.env;
  return {
    isMainThread,
    servesPage,
    nodeVersion: process.versions.node,
    uwsBy: uwsBy === 'package' || uwsBy === 'addon' ? uwsBy : undefined,
    // A CommonJS module: its exports are the default of its namespace.
    loadUws: async () =>
      ((await import('uWebSockets.js')) as unknown as { default: typeof UWebSockets }).default,
    loadAddon: async () => loadSocketsAddon(),
    loadWs: async () => (await import('./ws/server.js')).WS_LAYER,
  };
}

/**
 * Loads the layer. uWebSockets is taken from the package uWebSockets.js where that loads, and otherwise from our addon.
 *
 * @throws HotmicError for `uws`: `ERR_HOTMIC_RELAY_MISSING` when neither loads, `ERR_HOTMIC_THREAD` in a worker thread.
 */
export async function chooseSockets(wanted: SocketsOption, place: SocketsPlace): Promise<ChosenSockets> {
  const { isMainThread, loadWs } = place;
  if (wanted === 'ws') return { layer: await loadWs(), why: null };
  if (!isMainThread) {
    if (wanted === 'uws') throw threadError();
    return chosenWs(await loadWs(), 'uWebSockets does not run in a worker thread');
  }
  const uws = await findUws(place);
  if (uws.kind === 'found') {
    const why = `uws, because ${uws.because}; --sockets ws needs no native code and takes ${cost()}`;
    return { layer: uws.layer, why: wanted === 'auto' ? why : null };
  }
  if (wanted === 'uws') throw missingError(uws.reason, uws.thrown);
  return chosenWs(await loadWs(), uws.reason);
}

type FoundUws =
  | { readonly kind: 'found'; readonly layer: SocketLayer; readonly because: string }
  | { readonly kind: 'missing'; readonly reason: string; readonly thrown: unknown };

async function findUws(place: SocketsPlace): Promise<FoundUws> {
  const { uwsBy, servesPage = false } = place;
  const missing: { reason: string; brief: string; thrown: unknown }[] = [];
  const ways = servesPage ? (['addon', 'package'] as const) : (['package', 'addon'] as const);
  for (const way of ways) {
    if (uwsBy !== undefined && uwsBy !== way) continue;
    try {
      const layer = way === 'package' ? uwsLayer(await place.loadUws()) : addonLayer(await place.loadAddon());
      const also = missing.map(({ brief }) => ` (${brief})`).join('');
      return { kind: 'found', layer, because: `${LOADS[way]}${also}` };
    } catch (thrown) {
      const reasons = way === 'package' ? missingReason(thrown, place.nodeVersion) : addonReason(thrown);
      missing.push({ ...reasons, thrown });
    }
  }
  return {
    kind: 'missing',
    reason: missing.map(({ reason }) => reason).join('; and '),
    thrown: missing[0]?.thrown,
  };
}

const LOADS = {
  package: 'uWebSockets.js loads here',
  addon: "Hotmic's addon with uWebSockets loads here",
} as const;

function chosenWs(layer: SocketLayer, reason: string): ChosenSockets {
  return { layer, why: `ws, because ${reason}; it takes ${cost()}` };
}

function cost(): string {
  return `${WS_COST.plain} times the processor time of uws per delivery (${WS_COST.tls} with TLS)`;
}
