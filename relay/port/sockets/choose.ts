/** Which layer holds the sockets of a relay. */

import type * as UWebSockets from 'uWebSockets.js';
import { missingError, missingReason, threadError } from '../start_error.js';
import { WS_COST } from './cost.js';
import type { SocketLayer, SocketLayerName } from './layer.js';
import { uwsLayer } from './uws/server.js';

/** `auto`: uWebSockets where it loads, otherwise ws. */
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

/** Where the relay runs, and the loaders of both layers. */
export interface SocketsPlace {
  readonly isMainThread: boolean;
  readonly nodeVersion: string;
  loadUws(): Promise<typeof UWebSockets>;
  loadWs(): Promise<SocketLayer>;
}

/** This process. */
export function thisPlace(isMainThread: boolean): SocketsPlace {
  return {
    isMainThread,
    nodeVersion: process.versions.node,
    // A CommonJS module: its exports are the default of its namespace.
    loadUws: async () =>
      ((await import('uWebSockets.js')) as unknown as { default: typeof UWebSockets }).default,
    loadWs: async () => (await import('./ws/server.js')).WS_LAYER,
  };
}

/**
 * Loads the layer.
 *
 * @throws HotmicError for `uws`: `ERR_HOTMIC_RELAY_MISSING` when it is not installed or does not load, `ERR_HOTMIC_THREAD` in a worker thread.
 */
export async function chooseSockets(wanted: SocketsOption, place: SocketsPlace): Promise<ChosenSockets> {
  const { isMainThread, nodeVersion, loadUws, loadWs } = place;
  if (wanted === 'ws') return { layer: await loadWs(), why: null };
  if (!isMainThread) {
    if (wanted === 'uws') throw threadError();
    return chosenWs(await loadWs(), 'uWebSockets does not run in a worker thread');
  }
  try {
    const layer = uwsLayer(await loadUws());
    const why = `uws, because uWebSockets.js loads here; --sockets ws needs no native code and takes ${cost()}`;
    return { layer, why: wanted === 'auto' ? why : null };
  } catch (thrown) {
    if (wanted === 'uws') throw missingError(thrown, nodeVersion);
    return chosenWs(await loadWs(), missingReason(thrown, nodeVersion));
  }
}

function chosenWs(layer: SocketLayer, reason: string): ChosenSockets {
  return { layer, why: `ws, because ${reason}; it takes ${cost()}` };
}

function cost(): string {
  return `${WS_COST.plain} times the processor time of uws per delivery (${WS_COST.tls} with TLS)`;
}
