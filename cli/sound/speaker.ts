/**
 * Plays a lobby by a tool of this machine, which gets small blocks at the pace at which it plays. A device that is unplugged is waited for.
 *
 * Bounds: what the pacer allows, and the buffer of the pipe. A player that does not read is given nothing, and a full pipe empties by
 * starting the tool again: sound is left out and counted, and memory does not grow.
 */

import type { Writable } from 'node:stream';
import { monotonicMs } from '../../client/clock.js';
import type { Milliseconds, Samples } from '../../voice/units.js';
import { type ChosenSound, soundError } from './choose.js';
import type { SoundNotices } from './microphone.js';
import { BLOCK, PlayPacer } from './play_pacer.js';
import { ToolProcess } from './tool_process.js';

export interface SpeakerOptions extends SoundNotices {
  /** Fills `pcm` with what is to be heard next. Instants are even, and never go back. */
  readonly pull: (pcm: Int16Array, at: Milliseconds) => void;
}

const TICK_MS: Milliseconds = 5;

/** The most that is given at once: 200 ms. */
const MAX_BLOCKS = 40;

/** A full pipe is full of old sound after so long. */
const FULL_MS: Milliseconds = 1000;

/** A tool that ends within this time never worked. */
const OPEN_MS: Milliseconds = 500;

export class DeviceSpeaker {
  readonly #chosen: ChosenSound;
  readonly #pull: SpeakerOptions['pull'];
  readonly #tool: ToolProcess;
  #input: Writable | null = null;
  #pacer: PlayPacer | null = null;
  #fullSince: Milliseconds | null = null;
  #ticking: NodeJS.Timeout | undefined;
  #leftOut: Samples = 0;
  readonly #scratch = new Int16Array(MAX_BLOCKS * BLOCK);

  private constructor(chosen: ChosenSound, options: SpeakerOptions, opened: (error: string | null) => void) {
    const { tool } = chosen;
    this.#chosen = chosen;
    this.#pull = options.pull;
    let isOpen = false;
    const opening = setTimeout(() => {
      isOpen = true;
      opened(null);
      this.#tool.works();
    }, OPEN_MS);
    this.#tool = new ToolProcess(chosen.invocation, 'stdin', {
      onStart: (child) => {
        this.#input = child.stdin;
        this.#retirePacer();
        this.#pacer = new PlayPacer(monotonicMs(), tool.playedMs ? 'reports' : 'clock');
        this.#fullSince = null;
      },
      onText: (text) => {
        const playedMs = tool.playedMs?.(text) ?? null;
        if (playedMs === null) return;
        this.#pacer?.reported(playedMs, monotonicMs());
        if (isOpen && playedMs > 0) this.#tool.works();
      },
      onLost: (reason) => {
        this.#input = null;
        clearTimeout(opening);
        if (isOpen) options.onLost(reason);
        else opened(reason);
      },
      onBack: options.onBack,
    });
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Opens it. @throws HotmicError ERR_HOTMIC_SOUND when the tool ends at once. */
  static async open(chosen: ChosenSound, options: SpeakerOptions): Promise<DeviceSpeaker> {
    let speaker: DeviceSpeaker | null = null;
    const failed = await new Promise<string | null>((resolve) => {
      speaker = new DeviceSpeaker(chosen, options, resolve);
    });
    if (failed === null) return speaker!;
    speaker!.close();
    throw soundError('play', `${chosen.label}: ${failed}`);
  }

  /** Sound that was due and was not played: a stalled player, or this process was held up. */
  get leftOut(): Samples {
    return this.#leftOut + (this.#pacer?.leftOut ?? 0);
  }

  /** How much waits in the player, as far as is known. */
  get aheadMs(): Milliseconds {
    return this.#pacer?.aheadMs(monotonicMs()) ?? 0;
  }

  close(): void {
    clearInterval(this.#ticking);
    this.#tool.close();
  }

  #tick(): void {
    const now = monotonicMs();
    const input = this.#input;
    if (!input || !this.#pacer) return;
    const pcm = this.#scratch;
    let filled: Samples = 0;
    for (let at = this.#pacer.next(now); at !== null; at = this.#pacer.next(now)) {
      // What the pipe did not take waits in this process: give no more.
      if (input.writableLength > 0 || filled === pcm.length) this.#leftOut += BLOCK;
      else {
        this.#pull(pcm.subarray(filled, filled + BLOCK), at);
        filled += BLOCK;
      }
    }
    if (input.writableLength > 0) {
      this.#fullSince ??= now;
      if (now - this.#fullSince > FULL_MS) this.#tool.restart('it stopped reading');
      return;
    }
    this.#fullSince = null;
    if (filled === 0) return;
    input.write(littleEndian(pcm.slice(0, filled)));
    if (!this.#chosen.tool.playedMs) this.#tool.works();
  }

  #retirePacer(): void {
    this.#leftOut += this.#pacer?.leftOut ?? 0;
    this.#pacer = null;
  }
}

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function littleEndian(pcm: Int16Array): Uint8Array {
  const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  return IS_LITTLE_ENDIAN ? bytes : Buffer.from(bytes).swap16();
}
