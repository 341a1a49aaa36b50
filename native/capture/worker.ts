/**
 * The capture worker: on its own thread, opens the given Steam and runs the capture loop.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { codeOf, messageOf } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import { monotonicMs as clock } from '../clock.js';
import type { VoiceSource } from '../voice_source.js';
import { type CaptureCommand, type CaptureEvent, CaptureLoop } from './loop.js';

/** What the capture worker imports: an ES module that opens a VoiceSource, on the worker's own thread. */
export interface SteamModule {
  /** Opens the Steam to record from. `clock` is CLOCK_MONOTONIC in ms. */
  openVoiceSource(options: unknown, clock: () => Milliseconds): VoiceSource | Promise<VoiceSource>;
}

/** What the worker gets when it starts. */
export interface CaptureWorkerData {
  readonly ring: SharedArrayBuffer;
  /** URL of the SteamModule, and the options to call it with: anything that survives structured cloning. */
  readonly steamModule: string;
  readonly steamOptions: unknown;
  readonly frameHz: number;
}

/** Runs this thread as a capture worker. */
async function main(): Promise<void> {
  const port = parentPort;
  if (!port) return;
  const data = workerData as CaptureWorkerData;
  let loop: CaptureLoop | null = null;
  const onCommand = (command: CaptureCommand) => loop?.handle(command);
  const tell = (event: CaptureEvent) => {
    port.postMessage(event);
    // A port without listeners does not keep the thread alive. It is not closed, because Deno's has no close().
    if (event.kind === 'closed') port.off('message', onCommand);
  };
  try {
    const steam = (await import(data.steamModule)) as SteamModule;
    const source = await steam.openVoiceSource(data.steamOptions, clock);
    loop = new CaptureLoop(source, data, tell);
    port.on('message', onCommand);
    tell({ kind: 'ready', steamId: source.getSteamID() });
  } catch (thrown) {
    tell({ kind: 'failed', code: codeOf(thrown), message: messageOf(thrown) });
  }
}

await main();
