/**
 * One recording on the calling thread: an async iterator over the Steam Voice packets, from key-down until Steam has nothing more.
 * For a game without the capture worker, or one that calls Steam from the main thread only.
 *
 * Steam goes on recording after key-up, so the iteration ends when getVoice returns NOT_RECORDING. It also ends when somebody else
 * stops the recording, or Steam is closed. Breaking out of the iteration stops the recording; the tail is then read and thrown away,
 * so that the next recording does not begin with it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import { VoiceResult } from '../voice/voice_result.js';
import type { MicrophoneReader } from './capture/microphone.js';
import { SteamCallError } from './steam_call_error.js';
import { nameOf } from './value_name.js';
import type { CapturedVoice } from './voice_source.js';

/** How often getVoice is called, and who gets the packets. */
export interface RecordVoiceOptions {
  /** Aborting it is key-up, like `stop()`. */
  readonly signal?: AbortSignal;
  /** Calls of getVoice per second while there is no packet, 4 to 1000. Default 60. */
  readonly frameHz?: number;
  /** How to wait for the next frame. Default: node:timers. For tests and game loops. */
  readonly wait?: (ms: Milliseconds) => Promise<unknown>;
}

/** What a recording needs of Steam. */
export interface RecordingSteam {
  startVoiceRecording(): void;
  stopVoiceRecording(): void;
  getVoice(): CapturedVoice;
}

/** How long to wait for the tail before giving up. Time that the reader spends between packets does not count. */
const MAX_TAIL_MS = 10_000;

/** The most packets after key-up, including a backlog. */
const MAX_TAIL_PACKETS = 65_536;

/** The player's packets as an async iterator, read on this thread. */
export class VoiceRecorder implements AsyncIterable<Uint8Array>, MicrophoneReader {
  readonly name = 'a recording';
  readonly #steam: RecordingSteam;
  readonly #clock: () => Milliseconds;
  readonly #frameMs: Milliseconds;
  readonly #wait: (ms: Milliseconds) => Promise<unknown>;
  #state: 'talking' | 'draining' | 'over' = 'talking';
  /** Steam has recorded: from then on NOT_RECORDING is the end, and not a slow start. */
  #hasBegun = false;
  #tailMs: Milliseconds = 0;
  #tailPackets = 0;
  readonly #signal: AbortSignal | undefined;
  readonly #onOver: () => void;
  readonly #onAbort = () => this.stop();

  /** Starts recording at once. @param onOver Called once, when it no longer reads the microphone. */
  constructor(
    steam: RecordingSteam,
    clock: () => Milliseconds,
    options: RecordVoiceOptions,
    onOver: () => void = () => undefined,
  ) {
    const { signal, frameHz = 60, wait = sleep } = options;
    if (!(frameHz >= 4 && frameHz <= 1000)) {
      throw new RangeError(`Cannot record: frameHz is ${frameHz}, expected 4 to 1000`);
    }
    signal?.throwIfAborted();
    this.#steam = steam;
    this.#clock = clock;
    this.#frameMs = 1000 / frameHz;
    this.#wait = wait;
    this.#onOver = onOver;
    steam.startVoiceRecording();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#signal = signal;
  }

  /** Whether key-up or the end has come. */
  get isStopped(): boolean {
    return this.#state !== 'talking';
  }

  /** Leaves the rest of the tail to the next recording, or ends because Steam is closed. The iteration ends. */
  handOver(): void {
    this.#end();
  }

  /** Key-up. The iteration goes on until Steam has given the tail. A second call does nothing. */
  stop(): void {
    if (this.#state !== 'talking') return;
    this.#state = 'draining';
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#steam.stopVoiceRecording();
  }

  /** The packets, each a copy that the caller owns. The first iteration takes them all; a second one finds nothing. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const packet = await this.#next();
        if (packet === null) return;
        yield packet;
      }
    } finally {
      this.stop();
      while ((await this.#next()) !== null);
    }
  }

  /** The next packet, or null when the recording is over. */
  async #next(): Promise<Uint8Array | null> {
    while (this.#state !== 'over') {
      const { result, buffer } = this.#poll();
      this.#hasBegun ||= result !== VoiceResult.VOICE_RESULT_NOT_RECORDING;
      switch (result) {
        case VoiceResult.VOICE_RESULT_OK:
          if (buffer.length === 0) break;
          this.#countTail();
          return buffer;
        case VoiceResult.VOICE_RESULT_NOT_RECORDING:
          if (this.#hasBegun || this.#state === 'draining') {
            this.stop();
            this.#end();
            return null;
          }
          break;
        case VoiceResult.VOICE_RESULT_NO_DATA:
        case VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL:
          break;
        default:
          this.#giveUp();
          throw new SteamCallError('record', result, nameOf(VoiceResult, result));
      }
      if (this.#tailMs > MAX_TAIL_MS) {
        throw this.#endless(`Steam still records ${MAX_TAIL_MS} ms after key-up`);
      }
      const from = this.#clock();
      await this.#wait(this.#frameMs);
      if (this.#state === 'draining') this.#tailMs += this.#clock() - from;
    }
    return null;
  }

  #end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onOver();
  }

  #poll(): CapturedVoice {
    try {
      return this.#steam.getVoice();
    } catch (thrown) {
      this.#giveUp();
      throw thrown;
    }
  }

  #countTail(): void {
    if (this.#state !== 'draining') return;
    this.#tailPackets += 1;
    if (this.#tailPackets > MAX_TAIL_PACKETS) {
      throw this.#endless(`${MAX_TAIL_PACKETS} packets came after key-up`);
    }
  }

  #endless(why: string): HotmicError {
    this.#end();
    return new HotmicError(
      'ERR_HOTMIC_CAPTURE',
      `Cannot end a recording: ${why}, expected VOICE_RESULT_NOT_RECORDING`,
    );
  }

  /** Steam failed: the microphone still goes off. */
  #giveUp(): void {
    try {
      this.stop();
    } catch {
      // The failure that led here is the one to report.
    }
    this.#end();
  }
}
