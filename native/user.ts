/**
 * The voice part of Steam's `User` class, under the class reference's names, arguments, defaults and keys.
 *
 * Whoever knows GodotSteam's `User` knows this one. Where the reference hands out a buffer longer than what was written, ours
 * is cut to it.
 */

import type { VoiceResult } from '../voice/voice_result.js';
import type { DecompressedVoice } from '../wasm/voice_decompressor.js';

export type { DecompressedVoice } from '../wasm/voice_decompressor.js';
export { DECOMPRESS_BUFFER_BYTES } from '../wasm/voice_decompressor.js';

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

/** The class reference's `User`, as far as voice goes. */
export interface User {
  /** Starts recording. While it records already, or still records the tail, it goes on. */
  startVoiceRecording(): void;

  /** Key-up. Recording goes on a little: call getVoice until it answers VOICE_RESULT_NOT_RECORDING. */
  stopVoiceRecording(): void;

  /** How much getVoice would give now. VOICE_RESULT_OK, NO_DATA or NOT_RECORDING. */
  getAvailableVoice(): AvailableVoice;

  /**
   * The next Steam Voice packet. Call it once a game frame, never less than four times a second.
   * VOICE_RESULT_OK, NO_DATA (normal in silence), NOT_RECORDING, or BUFFER_TOO_SMALL, which takes nothing away.
   *
   * @param buffer_size_override Bytes of room; 0, the default, makes as much as is there.
   */
  getVoice(buffer_size_override?: number): CapturedVoice;

  /**
   * Decodes a packet of getVoice. One decoder a speaker and rate lives across calls, so pass each packet once and in order.
   * VOICE_RESULT_OK, BUFFER_TOO_SMALL (nothing is changed: call again with room for `size`), DATA_CORRUPTED,
   * UNSUPPORTED_CODEC, or NOT_INITIALIZED.
   *
   * @param sample_rate In Hz, 11025 to 48000.
   * @param buffer_size_override Bytes of room for PCM; 20480 by default.
   * @throws HotmicError ERR_HOTMIC_SAMPLE_RATE for a rate out of range.
   */
  decompressVoice(voice: Uint8Array, sample_rate: number, buffer_size_override?: number): DecompressedVoice;

  /** The rate at which decompressVoice does the least work, in Hz: 24000. */
  getVoiceOptimalSampleRate(): number;

  /** The SteamID of the player who is logged on. */
  getSteamID(): bigint;
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

  /** Gives back what it holds. Nothing may be called afterwards. */
  close(): void;
}
