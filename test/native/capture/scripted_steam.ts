/**
 * A Steam that does what the test says: the capture worker opens it like any other, and must not care.
 *
 * It keeps its counts on a board of shared memory, so that the test sees from its own thread what was asked of it, and may
 * wait until it was.
 */

import type { VoiceSource } from '../../../native/voice_source.js';
import { HotmicError } from '../../../voice/error.js';
import { VoiceResult } from '../../../voice/voice_result.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../../kit/raw_packet.js';

/** What one getVoice does. */
export type Answer =
  | { readonly kind: 'packet'; readonly bytes: Uint8Array }
  | { readonly kind: 'result'; readonly result: VoiceResult }
  | { readonly kind: 'throw'; readonly message: string; readonly code?: string };

export interface ScriptedSteamOptions {
  readonly board: SharedArrayBuffer;
  readonly steamId?: bigint;
  /** What getVoice answers, call by call, from key-down on. Then `afterwards`. */
  readonly talking?: readonly Answer[];
  /** `numbered` packets hold one frame each, of 80 bytes, numbered on through all recordings. */
  readonly afterwards?: 'no-data' | 'numbered';
  /** What getVoice answers from key-up on, then NOT_RECORDING. */
  readonly tail?: readonly Answer[];
  /** Functions that throw. */
  readonly broken?: readonly ('open' | 'start' | 'stop')[];
  /** Is the input at its end after `talking`? Default false. */
  readonly endsInput?: boolean;
}

const Word = {
  calls: 0,
  given: 1,
  intoShared: 2,
  intoScratch: 3,
  starts: 4,
  stops: 5,
  closes: 6,
  late: 7,
} as const;

/** What was asked of a scripted Steam. */
export class Board {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(memory = new SharedArrayBuffer(64)) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  count(name: keyof typeof Word): number {
    return Atomics.load(this.#words, Word[name]);
  }

  add(name: keyof typeof Word): void {
    Atomics.add(this.#words, Word[name], 1);
    Atomics.notify(this.#words, Word[name]);
  }

  /** Until `name` has gone up to `count`. */
  async reaches(name: keyof typeof Word, count: number): Promise<void> {
    for (let now = this.count(name); now < count; now = this.count(name)) {
      await Atomics.waitAsync(this.#words, Word[name], now).value;
    }
  }
}

/** The packet of `numbered` with this number: one frame, whose sequence is the number's lower half. */
export function numberedPacket(number: number): Uint8Array {
  return packetOfOps(RATE_24K + opusOp(frameOf(number & 0xffff, `68${'ab'.repeat(79)}`)));
}

export function openVoiceSource(options: ScriptedSteamOptions): VoiceSource {
  if (options.broken?.includes('open')) throw brokenError('open');
  return new ScriptedSteam(options);
}

class ScriptedSteam implements VoiceSource {
  readonly #options: ScriptedSteamOptions;
  readonly #board: Board;
  #script: Answer[] = [];
  #state: 'idle' | 'talking' | 'tail' = 'idle';
  #number = 0;
  #closed = false;
  inputEnded = false;

  constructor(options: ScriptedSteamOptions) {
    this.#options = options;
    this.#board = new Board(options.board);
  }

  startVoiceRecording(): void {
    this.#note('starts');
    if (this.#options.broken?.includes('start')) throw brokenError('start');
    this.#state = 'talking';
    this.#script = [...(this.#options.talking ?? [])];
  }

  stopVoiceRecording(): void {
    this.#note('stops');
    if (this.#options.broken?.includes('stop')) throw brokenError('stop');
    this.#state = 'tail';
    this.#script = [...(this.#options.tail ?? [])];
  }

  getVoiceInto(target: Uint8Array): number {
    this.#note(target.buffer instanceof SharedArrayBuffer ? 'intoShared' : 'intoScratch');
    // Last, so that who waits for a call finds everything else counted.
    try {
      return this.#answer(target);
    } finally {
      this.#note('calls');
    }
  }

  getSteamID(): bigint {
    return this.#options.steamId ?? 1n;
  }

  close(): void {
    this.#note('closes');
    this.#closed = true;
  }

  #answer(target: Uint8Array): number {
    const answer = this.#script.shift();
    if (this.#state === 'talking' && this.#script.length === 0)
      this.inputEnded = this.#options.endsInput ?? false;
    if (answer === undefined) return this.#unscripted(target);
    switch (answer.kind) {
      case 'packet':
        return this.#give(target, answer.bytes);
      case 'result':
        return -answer.result;
      case 'throw':
        if (answer.code === undefined) throw new Error(answer.message);
        throw new HotmicError(answer.code as HotmicError['code'], answer.message);
    }
  }

  #unscripted(target: Uint8Array): number {
    if (this.#state !== 'talking') {
      this.#state = 'idle';
      return -VoiceResult.VOICE_RESULT_NOT_RECORDING;
    }
    if (this.#options.afterwards !== 'numbered') return -VoiceResult.VOICE_RESULT_NO_DATA;
    this.#number += 1;
    return this.#give(target, numberedPacket(this.#number - 1));
  }

  #give(target: Uint8Array, bytes: Uint8Array): number {
    if (bytes.length > target.length) {
      this.#script.unshift({ kind: 'packet', bytes });
      return -VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL;
    }
    target.set(bytes);
    this.#note('given');
    return bytes.length;
  }

  #note(name: keyof typeof Word): void {
    if (this.#closed) this.#board.add('late');
    this.#board.add(name);
  }
}

function brokenError(what: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_INPUT', `Cannot ${what}: so says the script`);
}
