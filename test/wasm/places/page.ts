/**
 * The page that browser.test.ts opens: runs the codec in the place that the test names and answers with hashes. The functions
 * at its end are for the test to call.
 */

import { compileCodec, hasWasmSimd, initCodec, loadCodec } from 'hotmic/codec';
import { type Answer, fromBase64, type GoldenStreams, type Job, jobsOf, runAll } from './jobs.js';
import type { WorkerTask } from './worker.js';
import type { WorkletOptions } from './worklet.js';

/** Where in a browser the codec runs, and who started it there. */
export type Place =
  | 'page'
  | 'worker that fetches'
  | 'worker that is handed a module'
  | 'worklet that is handed a module'
  | 'worklet that is handed bytes';

/** What `runPlace` answers. */
export interface Hashes {
  readonly hasWasmSimd: boolean;
  /** SHA-256 of the samples of each stream at each rate, by the job's name. */
  readonly streams: Readonly<Record<string, string>>;
  readonly roundTrip: string;
}

type Simd = 'auto' | 'off';
type Message<T> = { readonly data: T | { readonly error: string } };

/** The parts of the DOM used here. */
declare class Worker {
  constructor(url: string | URL, options: { type: 'module' });
  onmessage: (message: Message<Answer>) => void;
  onerror: (event: { readonly message: string }) => void;
  postMessage(task: WorkerTask): void;
  terminate(): void;
}
declare class OfflineAudioContext {
  constructor(channels: number, frames: number, sampleRateHz: number);
  readonly audioWorklet: { addModule(url: string | URL): Promise<void> };
  readonly destination: object;
  startRendering(): Promise<{ getChannelData(channel: number): Float32Array }>;
}
declare class AudioWorkletNode<T> {
  constructor(context: OfflineAudioContext, name: string, options: { processorOptions: object });
  readonly port: { onmessage: (message: Message<T>) => void; postMessage(message: unknown): void };
  onprocessorerror: (event: { readonly message?: string }) => void;
  connect(target: object): void;
}

const RENDER_QUANTUM_FRAMES = 128;

async function run(place: Place, simd: Simd, jobs: readonly Job[]): Promise<Answer> {
  switch (place) {
    case 'page':
      await loadCodec({ simd });
      return runAll(jobs);
    case 'worker that fetches':
      return inWorker({ jobs, start: { simd } });
    case 'worker that is handed a module':
      return inWorker({ jobs, start: { module: await compileCodec({ simd }) } });
    case 'worklet that is handed a module':
      return inWorklet({ jobs, module: await compileCodec({ simd }) });
    case 'worklet that is handed bytes': {
      const name = simd === 'auto' && hasWasmSimd() ? 'hotmic_wasm_bg' : 'hotmic_wasm_scalar_bg';
      const response = await fetch(`/wasm/pkg/${name}.wasm`);
      return inWorklet({ jobs, module: await response.arrayBuffer() });
    }
  }
}

async function inWorker(task: WorkerTask): Promise<Answer> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const answer = await new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data));
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
    worker.postMessage(task);
  });
  worker.terminate();
  return answer;
}

async function inWorklet(options: WorkletOptions): Promise<Answer> {
  // A job a render quantum, and one for the answer.
  const context = new OfflineAudioContext(1, (options.jobs.length + 1) * RENDER_QUANTUM_FRAMES, 48_000);
  await context.audioWorklet.addModule(new URL('./worklet.js', import.meta.url));
  const node = new AudioWorkletNode<Answer>(context, 'golden', { processorOptions: options });
  node.connect(context.destination);
  return new Promise<Answer>((resolve, reject) => {
    node.port.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data));
    node.onprocessorerror = ({ message }) => reject(new Error(`the processor failed: ${message}`));
    context.startRendering().catch(reject);
  });
}

async function sha256(pcm: Int16Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', pcm.slice());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function runPlace(place: Place, simd: Simd): Promise<Hashes> {
  const golden = (await (await fetch('/golden.json')).json()) as GoldenStreams;
  const jobs = jobsOf(golden);
  const answer = await run(place, simd, jobs);
  const streams: Record<string, string> = {};
  for (const [at, { name }] of jobs.entries()) streams[name] = await sha256(answer.pcm[at]!);
  return { hasWasmSimd: answer.hasWasmSimd, streams, roundTrip: await sha256(answer.roundTrip) };
}

/** How loading from `url` ends: `ready`, or the error's code and message. */
async function loadFrom(url: string): Promise<string> {
  try {
    // The type of this door is Node's here: its options know no url.
    await loadCodec({ url } as object);
    initCodec(await compileCodec({ url } as object));
    return 'ready';
  } catch (error) {
    return `${(error as { code?: string }).code} ${(error as Error).message}`;
  }
}

/** Loads three times at once. */
async function loadAtOnce(): Promise<void> {
  await Promise.all([loadCodec(), loadCodec(), loadCodec()]);
}

/** What examples/voice_worklet.ts plays, packets in base64: SHA-256 of the sound as s16, and the samples it said were queued. */
async function play(packets: readonly string[], seconds: number): Promise<{ pcm: string; queued: number[] }> {
  const context = new OfflineAudioContext(1, seconds * 48_000, 48_000);
  await context.audioWorklet.addModule('/examples/voice_worklet.js');
  const processorOptions = { module: await compileCodec() };
  const node = new AudioWorkletNode<number>(context, 'voice', { processorOptions });
  node.connect(context.destination);
  const queued = await new Promise<number[]>((resolve, reject) => {
    const answers: number[] = [];
    node.onprocessorerror = ({ message }) => reject(new Error(`the processor failed: ${message}`));
    node.port.onmessage = ({ data }) => {
      if (typeof data === 'number') answers.push(data);
      if (answers.length === packets.length) resolve(answers);
    };
    for (const packet of packets) node.port.postMessage(fromBase64(packet));
  });
  node.port.postMessage(null);
  const sound = await context.startRendering();
  const pcm = await sha256(Int16Array.from(sound.getChannelData(0), (sample) => sample * 32_768));
  return { pcm, queued };
}

Object.assign(globalThis, { runPlace, loadFrom, loadAtOnce, play });
