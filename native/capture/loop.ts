/**
 * The capture loop: calls getVoice every game frame, straight into the ring's memory.
 *
 * It knows neither which Steam it records from nor on which thread: the capture worker runs it on its own thread, startCapture on
 * the caller's if asked to. When the ring is full, getVoice is still called: it writes into scratch memory, and the packet is counted
 * as refused. Between recordings nothing runs.
 */

import { CaptureTag, endTag, nextRequest } from '../../voice/capture_tag.js';
import { codeOf, HotmicError, messageOf } from '../../voice/error.js';
import { RingProducer } from '../../voice/ring.js';
import { MAX_PACKET_BYTES, type Milliseconds } from '../../voice/units.js';
import { VoiceResult } from '../../voice/voice_result.js';
import { monotonicMs as clock } from '../clock.js';
import { nameOf } from '../value_name.js';
import type { VoiceSource } from '../voice_source.js';

/** To the loop. */
export type CaptureCommand = 'start' | 'stop' | 'close';

/** What a capture has counted. */
export interface CaptureCounts {
  /** Calls of getVoice. */
  readonly polls: number;
  /** Packets that Steam gave, including those that did not fit into the ring. */
  readonly packets: number;
  /** Packets of more than 8192 bytes, which no relay would pass: read from Steam and lost. The ring counts them as refused. */
  readonly tooLarge: number;
  /** Game frames that began more than one frame late. */
  readonly lateFrames: number;
  /** Sound that the embedded Steam left out because the thread or the machine was stopped for over a second, in ms. */
  readonly skippedMs: number;
}

/** From the loop. */
export type CaptureEvent =
  | { readonly kind: 'ready'; readonly steamId: bigint }
  | { readonly kind: 'input-ended' }
  | { readonly kind: 'failed'; readonly code: string | null; readonly message: string }
  | { readonly kind: 'closed'; readonly counts: CaptureCounts };

/** Space for a packet that is too large, so that it does not block the next ones: about a minute of Steam's best voice. */
const LARGE_SCRATCH_BYTES = 512 * 1024;

/** After so many BUFFER_TOO_SMALL in a row, even with that much space, the packet will never go away. */
const MAX_TOO_LARGE = 60;

/** How long the end of a recording may take before the capture fails. */
const MAX_TAIL_MS = 60_000;

/** Extra calls of getVoice per game frame while a recording ends. */
const MAX_DRAIN_POLLS = 4;

export class CaptureLoop {
  readonly #source: VoiceSource;
  readonly #ring: RingProducer;
  readonly #frameMs: Milliseconds;
  readonly #tell: (event: CaptureEvent) => void;
  readonly #scratch = new Uint8Array(MAX_PACKET_BYTES);
  readonly #counts = { polls: 0, packets: 0, tooLarge: 0, lateFrames: 0 };

  #phase: 'idle' | 'talking' | 'draining' | 'over' = 'idle';
  #timer: NodeJS.Timeout | null = null;
  #nextFrameAt: Milliseconds = 0;
  #closing = false;
  #toldInputEnded = false;
  #hadPacket = false;
  /** Steam has recorded since key-down: from then on NOT_RECORDING is the end, and not a slow start. */
  #hasBegun = false;
  #starts = 0;
  #tooLargeInARow = 0;
  #largeScratch: Uint8Array | null = null;
  #stoppedAt: Milliseconds = 0;

  constructor(
    source: VoiceSource,
    { ring, frameHz }: { readonly ring: SharedArrayBuffer; readonly frameHz: number },
    tell: (event: CaptureEvent) => void,
  ) {
    this.#source = source;
    this.#ring = new RingProducer(ring);
    this.#frameMs = 1000 / frameHz;
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
    if (this.#phase === 'over') return;
    switch (command) {
      case 'start':
        this.#starts = nextRequest(this.#starts);
        if (this.#closing) return;
        this.#source.startVoiceRecording();
        if (this.#phase === 'idle') {
          this.#hasBegun = false;
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
    this.#stoppedAt = clock();
  }

  /** Frames keep to a fixed grid, so that their rate does not drift with the timer. */
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
      // A recording ends with several packets at once: read on, so that none has to wait for the next frame.
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
    if (this.#phase === 'talking' || this.#phase === 'draining') this.#schedule();
    else if (this.#phase === 'idle' && this.#closing) this.#close();
  }

  /** One getVoice. */
  #poll(): void {
    this.#counts.polls += 1;
    const room = this.#ring.reserve(MAX_PACKET_BYTES);
    const written = this.#source.getVoiceInto(room ?? this.#scratch);
    const capturedAt = clock();
    this.#hadPacket = written > 0;
    this.#hasBegun ||= -written !== VoiceResult.VOICE_RESULT_NOT_RECORDING;
    if (written > 0) {
      this.#counts.packets += 1;
      this.#tooLargeInARow = 0;
      const tag = this.#phase === 'draining' ? CaptureTag.draining : CaptureTag.talking;
      if (room) this.#ring.commit(written, tag, capturedAt);
      else this.#ring.refuse();
      return;
    }
    switch (-written) {
      case VoiceResult.VOICE_RESULT_OK:
      case VoiceResult.VOICE_RESULT_NO_DATA:
        break;
      case VoiceResult.VOICE_RESULT_NOT_RECORDING:
        // Somebody else stopped it: that is key-up here, too.
        if (this.#phase === 'talking' && this.#hasBegun) this.#stop();
        // If the ring is full, the end waits for the next frame; Steam will repeat it. When we close, the closed ring says it.
        if (this.#phase === 'draining' && (room || this.#closing)) {
          if (room) this.#ring.commit(0, endTag(this.#starts), capturedAt);
          this.#phase = 'idle';
        }
        break;
      case VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL:
        this.#passOver();
        break;
      default:
        throw new HotmicError(
          'ERR_HOTMIC_CAPTURE',
          `Cannot capture: getVoice returned ${nameOf(VoiceResult, -written)} (${-written})`,
        );
    }
    if (this.#phase === 'draining' && capturedAt - this.#stoppedAt > MAX_TAIL_MS) {
      const detail = `Steam still records ${MAX_TAIL_MS} ms after key-up`;
      throw new HotmicError('ERR_HOTMIC_CAPTURE', `Cannot end a recording: ${detail}`);
    }
  }

  /** Removes a packet that is too large. */
  #passOver(): void {
    this.#counts.tooLarge += 1;
    this.#largeScratch ??= new Uint8Array(LARGE_SCRATCH_BYTES);
    const isTaken = this.#source.getVoiceInto(this.#largeScratch) > 0;
    if (isTaken) this.#ring.refuse();
    this.#tooLargeInARow = isTaken ? 0 : this.#tooLargeInARow + 1;
    if (this.#tooLargeInARow === MAX_TOO_LARGE) {
      const detail = `a packet of more than ${LARGE_SCRATCH_BYTES} bytes blocks the next ones`;
      throw new HotmicError('ERR_HOTMIC_CAPTURE', `Cannot capture: ${detail}`);
    }
  }

  /** Nothing more will come: anything that Steam throws ends the capture. */
  fail(thrown: unknown): void {
    this.#tell({ kind: 'failed', code: codeOf(thrown), message: messageOf(thrown) });
    this.#close();
  }

  #close(): void {
    this.#phase = 'over';
    if (this.#timer) clearTimeout(this.#timer);
    this.#ring.close();
    this.#source.close();
    this.#tell({ kind: 'closed', counts: { ...this.#counts, skippedMs: this.#source.skippedMs ?? 0 } });
  }
}
