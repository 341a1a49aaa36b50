/**
 * The near end of a capture: starts it on a thread of its own or on the caller's, holds the ring's reading end, passes key-down
 * and key-up on. docs/threads.md says when to take which.
 */

import { Worker } from 'node:worker_threads';
import { nextRequest } from '../../voice/capture_tag.js';
import { deferred } from '../../voice/deferred.js';
import { codeOf, type ErrorCode, HotmicError, messageOf } from '../../voice/error.js';
import { allocateRing, RingConsumer, RingProducer } from '../../voice/ring.js';
import { packageFile } from '../../wasm/package_file.js';
import { monotonicMs } from '../clock.js';
import { checkedPace, type EmbeddedSteamOptions } from '../embedded/steam.js';
import type { RealSteamOptions } from '../real/open.js';
import { type CaptureCommand, type CaptureCounts, type CaptureEvent, CaptureLoop } from './loop.js';
import { type Microphone, type MicrophoneReader, REAL_MICROPHONE } from './microphone.js';
import type { CaptureWorkerData, SteamModule } from './worker.js';

export type { CaptureCounts } from './loop.js';

/** Which Steam to drive: the URL of a module that exports `openVoiceSource`, and what to hand to it. */
export interface CaptureSteam {
  readonly module: string;
  readonly options: unknown;
  /** What it records from, where others on this thread do, too. Default one that nobody else reads. */
  readonly microphone?: Microphone;
}

/** How to capture. */
export interface CaptureOptions {
  /** `steam.capture` of an open Steam, `realSteam()`, `embeddedSteam(options)`, or a module of one's own. */
  readonly steam: CaptureSteam;
  /** Where getVoice is called: on a thread of its own (`worker`, the default) or on the caller's (`caller`). */
  readonly thread?: 'worker' | 'caller';
  /** Calls of getVoice a second, 4 to 1000. Default 60. */
  readonly frameHz?: number;
  /** Bytes of the ring, a power of two from 32768. Default 65536: about 9 s of one voice. */
  readonly ringBytes?: number;
  /** Called once when the input has no more to give: a WAV is at its end. */
  readonly onInputEnded?: () => void;
  /** Called when the worker fails after it was ready. Nothing more will come; the ring is closed. */
  readonly onFailed?: (error: HotmicError) => void;
}

/** A running capture worker. */
export interface Capture {
  readonly steamId: bigint;
  /** The packets, each with a CaptureTag and the instant at which getVoice returned it. */
  readonly ring: RingConsumer;
  /** Key-down. Returns a number that the end entry of this recording will carry. */
  startVoiceRecording(): number;
  /** Key-up. The tail still comes, then an entry with CaptureTag.end. */
  stopVoiceRecording(): void;
  /** Stops, drains the tail into the ring as far as it has room, closes the ring, ends the thread and frees the microphone. */
  close(): Promise<CaptureCounts>;
}

/** The embedded Steam, for `CaptureOptions.steam`. @throws RangeError for options out of range. */
export function embeddedSteam(options: EmbeddedSteamOptions): CaptureSteam {
  checkedPace(options);
  const module = packageFile('the embedded Steam', () => new URL('../embedded/steam.js', import.meta.url));
  return { module: module.href, options };
}

/**
 * The real Steam, for `CaptureOptions.steam`. Where this process has it open already, the capture uses that; open it on the
 * main thread first, with openSteam, so that the callbacks are run there.
 */
export function realSteam(options: RealSteamOptions = {}): CaptureSteam {
  const module = packageFile('the real Steam', () => new URL('../real/open.js', import.meta.url));
  return { module: module.href, options, microphone: REAL_MICROPHONE };
}

/**
 * Starts a capture and waits until its Steam is open. Until it is closed or has failed, it alone reads the microphone.
 *
 * @throws HotmicError with the code of what failed, or ERR_HOTMIC_CAPTURE, also while somebody else reads the microphone.
 */
export async function startCapture(options: CaptureOptions): Promise<Capture> {
  const { frameHz = 60, ringBytes = 65_536, thread = 'worker' } = options;
  if (!(frameHz >= 4 && frameHz <= 1000)) {
    throw new RangeError(`Cannot capture: frameHz is ${frameHz}, expected 4 to 1000`);
  }
  if (ringBytes < 32_768)
    throw new RangeError(`Cannot capture: ringBytes is ${ringBytes}, expected at least 32768`);
  if (thread !== 'worker' && thread !== 'caller')
    throw new TypeError(`Cannot capture: thread is ${thread}, expected worker or caller`);
  const storage = allocateRing(ringBytes);
  const data: CaptureWorkerData = {
    ring: storage,
    steamModule: options.steam.module,
    steamOptions: options.steam.options,
    frameHz,
  };
  const ring = new RingConsumer(storage);

  const ready = deferred<bigint>();
  const closed = deferred<CaptureCounts>();
  // Whoever never calls close() is told of a failure by onFailed.
  closed.promise.catch(() => undefined);
  let state: 'opening' | 'ready' | 'over' = 'opening';
  let started: Started | null = null;
  const reader: MicrophoneReader = {
    name: 'a capture',
    isStopped: false,
    stop: () => started?.command('stop'),
    handOver: () => undefined,
  };
  const { microphone } = options.steam;
  microphone?.take(reader, 'capture');
  const fail = (error: HotmicError) => {
    if (state === 'over') return;
    const wasReady = state === 'ready';
    state = 'over';
    microphone?.giveBack(reader);
    // Whoever reads the ring is not to wait for a capture that is gone.
    new RingProducer(storage).close();
    ready.reject(error);
    closed.reject(error);
    if (wasReady) options.onFailed?.(error);
  };
  const tell = (event: CaptureEvent) => {
    switch (event.kind) {
      case 'ready':
        state = 'ready';
        ready.resolve(event.steamId);
        break;
      case 'input-ended':
        options.onInputEnded?.();
        break;
      case 'failed':
        fail(captureError(event.code, event.message));
        break;
      case 'closed':
        state = 'over';
        microphone?.giveBack(reader);
        closed.resolve(event.counts);
    }
  };

  const run = thread === 'worker' ? runOnWorker : runHere;
  try {
    started = run(data, tell, fail);
  } catch (thrown) {
    microphone?.giveBack(reader);
    throw thrown;
  }
  const { command, abandon } = started;
  let starts = 0;
  let steamId: bigint;
  try {
    steamId = await ready.promise;
  } catch (error) {
    await abandon();
    throw error;
  }
  return {
    steamId,
    ring,
    startVoiceRecording: () => {
      starts = nextRequest(starts);
      command('start');
      return starts;
    },
    stopVoiceRecording: () => command('stop'),
    close: async () => {
      command('close');
      return await closed.promise;
    },
  };
}

/** A capture that was started and is not ready yet. */
interface Started {
  readonly command: (command: CaptureCommand) => void;
  /** Undoes the start. */
  readonly abandon: () => Promise<unknown>;
}

type Run = (
  data: CaptureWorkerData,
  tell: (event: CaptureEvent) => void,
  fail: (error: HotmicError) => void,
) => Started;

const runOnWorker: Run = (data, tell, fail) => {
  // A worker takes over the process's flags; the one for scripts of `node -e` would refuse it, for it is a file.
  const isInline = process.execArgv.some((flag) => flag.startsWith('--input-type'));
  const worker = new Worker(
    packageFile('the capture worker', () => new URL('./worker.js', import.meta.url)),
    {
      workerData: data,
      ...(isInline ? { execArgv: [] } : {}),
    },
  );
  worker.on('message', tell);
  worker.on('error', (cause: unknown) => fail(captureError(codeOf(cause), messageOf(cause))));
  worker.on('exit', () => fail(captureError(null, 'the capture worker is gone')));
  return {
    command: (command) => worker.postMessage(command),
    abandon: () => worker.terminate(),
  };
};

const runHere: Run = (data, tell, fail) => {
  let loop: CaptureLoop | null = null;
  const open = async () => {
    const steam = (await import(data.steamModule)) as SteamModule;
    const source = await steam.openVoiceSource(data.steamOptions, monotonicMs);
    loop = new CaptureLoop(source, data, tell);
    tell({ kind: 'ready', steamId: source.getSteamID() });
  };
  open().catch((thrown: unknown) => {
    if (loop) loop.fail(thrown);
    else fail(captureError(codeOf(thrown), messageOf(thrown)));
  });
  return {
    command: (command) => loop?.handle(command),
    abandon: async () => undefined,
  };
};

function captureError(code: string | null, message: string): HotmicError {
  if (code?.startsWith('ERR_HOTMIC_')) return new HotmicError(code as ErrorCode, message);
  return new HotmicError('ERR_HOTMIC_CAPTURE', `Cannot capture: ${message}`);
}
