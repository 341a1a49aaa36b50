/**
 * Steam's voice capture as the capture worker drives it, and what its functions answer.
 */

import type { VoiceResult } from '../voice/voice_result.js';

/** Answer of getAvailableVoice. */
export interface AvailableVoice {
  readonly result: VoiceResult;
  /** Bytes that getVoice would write now: a size, in spite of its name. */
  readonly buffer: number;
}

/** Answer of getVoice. */
export interface CapturedVoice {
  readonly result: VoiceResult;
  /** Bytes in `buffer`; with VOICE_RESULT_BUFFER_TOO_SMALL the bytes that were wanted. */
  readonly written: number;
  /** The Steam Voice packet: the caller's own copy. Empty unless `result` is OK. */
  readonly buffer: Uint8Array;
}

/** What the capture worker drives: the real Steam, the embedded one, or a test's. */
export interface VoiceSource {
  startVoiceRecording(): void;
  stopVoiceRecording(): void;

  /**
   * getVoice into the caller's memory, which may be shared: the bytes written, or the VoiceResult with its sign turned, such
   * as −3 for no data. `target` is not kept.
   */
  getVoiceInto(target: Uint8Array): number;

  getSteamID(): bigint;

  /** True when no more sound will come: a file is at its end. Never true of a microphone. */
  readonly inputEnded: boolean;

  /** Sound that was due and never made, because nobody asked for it in time, in ms. Left out: 0. */
  readonly skippedMs?: number;

  /** Gives back what it holds. Nothing may be called afterwards. */
  close(): void;
}
