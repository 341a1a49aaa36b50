/**
 * One recording on the thread that calls: an async iterator over the Steam Voice packets, from key-down until Steam has nothing
 * more. For a game without the capture worker, or where Steam is only called from the main thread.
 *
 * Steam goes on recording after key-up, so the iteration ends when getVoice answers NOT_RECORDING; also where somebody else
 * stopped the recording that had begun, or Steam is closed. Who breaks out of it early stops the recording; the tail is read
 * and thrown away, so that the next recording does not begin with it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { HotmicError } from '../voice/error.js';
import type { Milliseconds } from '../voice/units.js';
import { VoiceResult } from '../voice/voice_result.js';
import type { MicrophoneReader } from './capture/microphone.js';
import { SteamCallError } from './steam_call_error.js';
import { nameOf } from './value_name.js';
import type { CapturedVoice } from './voice_source.js';

export interface RecordVoiceOptions {
  /** Key-up when it is aborted, as by `stop()`. */
  readonly signal?: AbortSignal;
  /** Calls of getVoice a second while nothing is there, 4 to 1000. Default 60. */
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

/** How long we wait for the tail before we say that Steam never ends it. What its reader does meanwhile does not count. */
const MAX_TAIL_MS = 10_000;

/** The most packets after key-up, backlog and all. */
const MAX_TAIL_PACKETS = 65_536;

export class VoiceRecorder implements AsyncIterable<Uint8Array>, MicrophoneReader {
  readonly name = 'a recording';
  readonly #steam: RecordingSteam;
  readonly #clock: () => Milliseconds;
  readonly #frameMs: Milliseconds;
  readonly #wait: (ms: Milliseconds) => Promise<unknown>;
  #state: 'talking' | 'draining' | 'over' = 'talking';
  /** Steam has recorded: from then on NOT_RECORDING is an end, and not a slow start. */
  #hasBegun = false;
  #tailMs: Milliseconds = 0;
  #tailPackets = 0;
  readonly #signal: AbortSignal | undefined;
  readonly #onOver: () => void;
  readonly #onAbort = () => this.stop();

  /** Starts recording at once. @param onOver Called once, when it reads no more. */
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

  /** Key-up has come, or the end. */
  get isStopped(): boolean {
    return this.#state !== 'talking';
  }

  /** Gives up what is left of the tail: key-down came again and the next recording has it, or Steam is closed. The iteration ends. */
  handOver(): void {
    this.#end();
  }

  /** Key-up. The iteration goes on until Steam has given the tail. A second time does nothing. */
  stop(): void {
    if (this.#state !== 'talking') return;
    this.#state = 'draining';
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#steam.stopVoiceRecording();
  }

  /** The packets, each a copy of the caller's own. One iteration takes them all; a second one finds nothing. */
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

  /** Steam failed: the microphone goes off all the same. */
  #giveUp(): void {
    try {
      this.stop();
    } catch {
      // The failure that led here is the one to tell.
    }
    this.#end();
  }
}
