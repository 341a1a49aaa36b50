/**
 * The capture worker: on its own thread it calls getVoice every game frame, straight into the ring's memory.
 *
 * It does not know which Steam it drives: it imports the module it is told and opens a VoiceSource there. A full ring never
 * keeps getVoice from being called: then it writes into scratch memory, and the packet is counted as refused. Between
 * recordings nothing runs.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { codeOf, HotmicError, messageOf } from '../voice/error.js';
import { RingProducer } from '../voice/ring.js';
import { CaptureTag, endTag, nextRequest } from '../voice/talkspurt.js';
import { MAX_PACKET_BYTES, type Milliseconds } from '../voice/units.js';
import { VoiceResult } from '../voice/voice_result.js';
import { monotonicMs as clock } from './clock.js';
import type { VoiceSource } from './voice_source.js';

/** What the capture worker imports: an ES module that opens a VoiceSource, on the worker's own thread. */
export interface SteamModule {
  openVoiceSource(options: unknown, clock: () => Milliseconds): VoiceSource | Promise<VoiceSource>;
}

/** What the worker is started with. */
export interface CaptureWorkerData {
  readonly ring: SharedArrayBuffer;
  /** URL of the SteamModule, and what to hand to it: anything that survives structured cloning. */
  readonly steamModule: string;
  readonly steamOptions: unknown;
  readonly frameHz: number;
}

/** To the worker. */
export type CaptureCommand = 'start' | 'stop' | 'close';

/** What a capture worker has counted. */
export interface CaptureCounts {
  /** Calls of getVoice. */
  readonly polls: number;
  /** Packets that Steam gave, those that found no room in the ring included. */
  readonly packets: number;
  /** Answers BUFFER_TOO_SMALL: packets of more than 8192 bytes, which no relay would pass. */
  readonly tooLarge: number;
  /** Game frames that began more than one frame late. */
  readonly lateFrames: number;
}

/** From the worker. */
export type CaptureEvent =
  | { readonly kind: 'ready'; readonly steamId: bigint }
  | { readonly kind: 'input-ended' }
  | { readonly kind: 'failed'; readonly code: string | null; readonly message: string }
  | { readonly kind: 'closed'; readonly counts: CaptureCounts };

/** Answers BUFFER_TOO_SMALL one after the other that are taken for a packet that will never go away. */
const MAX_TOO_LARGE = 60;

/** Calls of getVoice on top of a game frame's one while a recording ends. */
const MAX_DRAIN_POLLS = 4;

class CaptureLoop {
  readonly #source: VoiceSource;
  readonly #ring: RingProducer;
  readonly #frameMs: Milliseconds;
  readonly #tell: (event: CaptureEvent) => void;
  readonly #scratch = new Uint8Array(MAX_PACKET_BYTES);
  readonly #counts = { polls: 0, packets: 0, tooLarge: 0, lateFrames: 0 };

  #phase: 'idle' | 'talking' | 'draining' = 'idle';
  #timer: NodeJS.Timeout | null = null;
  #nextFrameAt: Milliseconds = 0;
  #closing = false;
  #toldInputEnded = false;
  #hadPacket = false;
  #starts = 0;
  #tooLargeInARow = 0;

  constructor(source: VoiceSource, data: CaptureWorkerData, tell: (event: CaptureEvent) => void) {
    this.#source = source;
    this.#ring = new RingProducer(data.ring);
    this.#frameMs = 1000 / data.frameHz;
    this.#tell = tell;
  }

  handle(command: CaptureCommand): void {
    try {
      this.#obey(command);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  #obey(command: CaptureCommand): void {
    switch (command) {
      case 'start':
        this.#starts = nextRequest(this.#starts);
        if (this.#closing) return;
        this.#source.startVoiceRecording();
        if (this.#phase === 'idle') {
          this.#nextFrameAt = clock();
          this.#schedule();
        }
        this.#phase = 'talking';
        break;
      case 'stop':
        if (this.#phase === 'talking') this.#stop();
        break;
      case 'close':
        this.#closing = true;
        if (this.#phase === 'talking') this.#stop();
        if (this.#phase === 'idle') this.#close();
    }
  }

  #stop(): void {
    this.#source.stopVoiceRecording();
    this.#phase = 'draining';
  }

  /** Frames keep to a fixed raster, so that their rate does not drift with the timer. */
  #schedule(): void {
    this.#nextFrameAt += this.#frameMs;
    const waitMs = this.#nextFrameAt - clock();
    if (waitMs < -this.#frameMs) {
      this.#counts.lateFrames += 1;
      this.#nextFrameAt = clock();
    }
    this.#timer = setTimeout(() => this.#frame(), Math.max(0, waitMs));
  }

  #frame(): void {
    this.#timer = null;
    try {
      this.#poll();
      // The end of a recording comes in several packets at once: read on, so that none has to wait for a frame.
      for (let more = 0; more < MAX_DRAIN_POLLS && this.#phase === 'draining' && this.#hadPacket; more++)
        this.#poll();
    } catch (thrown) {
      this.fail(thrown);
      return;
    }
    if (this.#source.inputEnded && !this.#toldInputEnded) {
      this.#toldInputEnded = true;
      this.#tell({ kind: 'input-ended' });
    }
    if (this.#phase !== 'idle') this.#schedule();
    else if (this.#closing) this.#close();
  }

  /** One getVoice. */
  #poll(): void {
    this.#counts.polls += 1;
    const room = this.#ring.reserve(MAX_PACKET_BYTES);
    const written = this.#source.getVoiceInto(room ?? this.#scratch);
    const capturedAt = clock();
    this.#hadPacket = written > 0;
    if (written > 0) {
      this.#counts.packets += 1;
      this.#tooLargeInARow = 0;
      const tag = this.#phase === 'draining' ? CaptureTag.draining : CaptureTag.talking;
      if (room) this.#ring.commit(written, tag, capturedAt);
      else this.#ring.refuse();
      return;
    }
    switch (-written) {
      case VoiceResult.VOICE_RESULT_NOT_RECORDING:
        // Without room the end waits for the next frame; Steam will say it again. When we close, the closed ring says it.
        if (this.#phase === 'draining' && (room || this.#closing)) {
          if (room) this.#ring.commit(0, endTag(this.#starts), capturedAt);
          this.#phase = 'idle';
        }
        break;
      case VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL:
        this.#counts.tooLarge += 1;
        this.#tooLargeInARow += 1;
        if (this.#tooLargeInARow === MAX_TOO_LARGE) {
          const detail = `a packet of more than ${MAX_PACKET_BYTES} bytes stands in the way`;
          throw new HotmicError('ERR_HOTMIC_CAPTURE', `Cannot capture: ${detail}`);
        }
        break;
    }
  }

  /** Nothing more will come: whatever Steam threw ends the capture. */
  fail(thrown: unknown): void {
    this.#tell({ kind: 'failed', code: codeOf(thrown), message: messageOf(thrown) });
    this.#close();
  }

  #close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#ring.close();
    this.#source.close();
    this.#tell({ kind: 'closed', counts: { ...this.#counts } });
    parentPort?.close();
  }
}

/** Runs this thread as a capture worker. */
async function main(): Promise<void> {
  const port = parentPort;
  if (!port) return;
  const data = workerData as CaptureWorkerData;
  const tell = (event: CaptureEvent) => port.postMessage(event);
  try {
    const steam = (await import(data.steamModule)) as SteamModule;
    const source = await steam.openVoiceSource(data.steamOptions, clock);
    const loop = new CaptureLoop(source, data, tell);
    port.on('message', (command: CaptureCommand) => loop.handle(command));
    tell({ kind: 'ready', steamId: source.getSteamID() });
  } catch (thrown) {
    tell({ kind: 'failed', code: codeOf(thrown), message: messageOf(thrown) });
  }
}

await main();
