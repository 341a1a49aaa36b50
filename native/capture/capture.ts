/**
 * The caller's end of a capture: starts it on a worker thread or on the caller's, keeps the ring's reading end, and passes key-down
 * and key-up on. docs/threads.md says which thread to choose.
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

/** Which Steam to record from: the URL of a module that exports `openVoiceSource`, and the options to call it with. */
export interface CaptureSteam {
  readonly module: string;
  readonly options: unknown;
  /** What it records from, if other readers on this thread share it. Default: one that nobody else reads. */
  readonly microphone?: Microphone;
}

/** How to capture. */
export interface CaptureOptions {
  /** `steam.capture` of an open Steam, `realSteam()`, `embeddedSteam(options)`, or your own module. */
  readonly steam: CaptureSteam;
  /** Where getVoice is called: on a worker thread (`worker`, the default) or on the caller's (`caller`). */
  readonly thread?: 'worker' | 'caller';
  /** Calls of getVoice per second, 4 to 1000. Default 60. */
  readonly frameHz?: number;
  /** Size of the ring in bytes, a power of two, at least 32768. Default 65536: about 9 s of one voice. */
  readonly ringBytes?: number;
  /** Called once when the input has ended, such as a WAV file. */
  readonly onInputEnded?: () => void;
  /** Called when the capture fails after it was ready. Nothing more will come; the ring is closed. */
  readonly onFailed?: (error: HotmicError) => void;
}

/** A running capture. */
export interface Capture {
  readonly steamId: bigint;
  /** The packets, each with a CaptureTag and the instant at which getVoice returned it. */
  readonly ring: RingConsumer;
  /** Key-down. Returns a number that the end entry of this recording will carry. */
  startVoiceRecording(): number;
  /** Key-up. The tail follows, then an entry with CaptureTag.end. */
  stopVoiceRecording(): void;
  /** Stops, drains the tail into the ring while it has space, closes the ring, ends the thread and frees the microphone. */
  close(): Promise<CaptureCounts>;
}

/** The embedded Steam, for `CaptureOptions.steam`. @throws RangeError for options out of range. */
export function embeddedSteam(options: EmbeddedSteamOptions): CaptureSteam {
  checkedPace(options);
  const module = packageFile('the embedded Steam', () => new URL('../embedded/steam.js', import.meta.url));
  return { module: module.href, options };
}

/**
 * The real Steam, for `CaptureOptions.steam`. If this process has it open already, the capture uses that. Open it on the main thread
 * first, with openSteam, so that its callbacks run there.
 */
export function realSteam(options: RealSteamOptions = {}): CaptureSteam {
  const module = packageFile('the real Steam', () => new URL('../real/open.js', import.meta.url));
  return { module: module.href, options, microphone: REAL_MICROPHONE };
}

/**
 * Starts a capture and waits until its Steam is open. Until it is closed or fails, nothing else can read the microphone.
 *
 * @throws HotmicError with the code of what failed, or ERR_HOTMIC_CAPTURE, also while another reader has the microphone.
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
  // A caller that never calls close() learns of a failure from onFailed.
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
    // The ring's reader must not wait for a capture that is gone.
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
  // A worker inherits the process's flags; the one for scripts of `node -e` would reject it, because it is a file.
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
  worker.on('exit', () => fail(captureError(null, 'the capture worker has exited')));
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
