/**
 * Steam's voice capture as the capture worker uses it, and what its functions return.
 */

import type { VoiceResult } from '../voice/voice_result.js';

/** Answer of getAvailableVoice. */
export interface AvailableVoice {
  readonly result: VoiceResult;
  /** Bytes that getVoice would write now: a size, despite its name. */
  readonly buffer: number;
}

/** Answer of getVoice. */
export interface CapturedVoice {
  readonly result: VoiceResult;
  /** Bytes in `buffer`; with VOICE_RESULT_BUFFER_TOO_SMALL the bytes that are needed. */
  readonly written: number;
  /** The Steam Voice packet, a copy that the caller owns. Empty unless `result` is OK. */
  readonly buffer: Uint8Array;
}

/** What the capture worker records from: the real Steam, the embedded one, or one for a test. */
export interface VoiceSource {
  /** Key-down. While a recording ends, it goes on. */
  startVoiceRecording(): void;
  /** Key-up. getVoice still gives the tail, until it answers VOICE_RESULT_NOT_RECORDING. */
  stopVoiceRecording(): void;

  /**
   * getVoice into the caller's memory, which may be shared. Returns the bytes written, or the negated VoiceResult, such as −3 for no
   * data. `target` is not kept.
   */
  getVoiceInto(target: Uint8Array): number;

  /** The player whose voice it records. */
  getSteamID(): bigint;

  /** True when no more sound will come: a file is at its end. Never true of a microphone. */
  readonly inputEnded: boolean;

  /** Sound that was due and never made, because getVoice was called too late, in ms. Default 0. */
  readonly skippedMs?: number;

  /** Frees what it holds. Nothing may be called afterwards. */
  close(): void;
}
