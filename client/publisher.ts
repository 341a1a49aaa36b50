/**
 * Push-to-talk: takes packets from the capture ring, numbers them, hands them on, and discards what has grown old.
 */

import type { RingConsumer } from '../voice/ring.js';
import { CaptureTag, type NumberedPacket, TalkspurtNumberer } from '../voice/talkspurt.js';
import type { Milliseconds } from '../voice/units.js';

/** What the publisher asks of a capture worker. */
export interface CaptureHandle {
  readonly ring: RingConsumer;
  startVoiceRecording(): void;
  stopVoiceRecording(): void;
}

export interface PublisherOptions {
  readonly capture: CaptureHandle;
  /** Monotonic, the same clock as the capture worker's. */
  readonly clock: () => Milliseconds;
  /** Takes a packet ready for the wire. Its bytes are valid during the call. */
  readonly publish: (packet: NumberedPacket) => void;
  /** Packets older than this when they are taken from the ring are discarded, in ms. Default 500. */
  readonly maxAgeMs?: Milliseconds;
  /** Latency side channel: a packet was captured and taken from the ring at these instants. */
  readonly onTaken?: (sequence: number, capturedAt: Milliseconds, takenAt: Milliseconds) => void;
}

/** What a publisher has counted. */
export interface PublisherCounts {
  readonly talkspurts: number;
  readonly packets: number;
  /** Steam Voice packets that were not readable. */
  readonly malformed: number;
  /** Lost in this process: refused by a full ring, or discarded for their age. */
  readonly refused: number;
  readonly discarded: number;
}

/** How long one wait for the ring lasts at most, in ms: a bound, not a poll. */
const WAIT_MS = 1000;

/** Publishes one player's voice. Make it once and press and release at will. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #maxAgeMs: Milliseconds;
  readonly #numberer: TalkspurtNumberer;
  readonly #finished: Promise<void>;
  #talkspurts = 0;
  #packets = 0;
  #tellIdle: (() => void)[] = [];
  #recording = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#maxAgeMs = options.maxAgeMs ?? 500;
    this.#numberer = new TalkspurtNumberer(options.clock());
    this.#finished = this.#run();
  }

  /** Key down. */
  press(): void {
    this.#recording = true;
    this.#options.capture.startVoiceRecording();
  }

  /** Key up. The tail is still published; resolves when its last packet is. */
  async release(): Promise<void> {
    this.#options.capture.stopVoiceRecording();
    if (this.#recording) await new Promise<void>((resolve) => this.#tellIdle.push(resolve));
  }

  /** Resolves when the capture's ring is closed and read to its end. Close the capture first. */
  async finished(): Promise<void> {
    await this.#finished;
  }

  counts(): PublisherCounts {
    const { refused, discarded } = this.#options.capture.ring.counts();
    const { malformed } = this.#numberer;
    return { talkspurts: this.#talkspurts, packets: this.#packets, malformed, refused, discarded };
  }

  async #run(): Promise<void> {
    const { ring } = this.#options.capture;
    while (!ring.closed) {
      this.#drain();
      if (!ring.closed) await ring.waitAsync(WAIT_MS);
    }
    this.#idle();
  }

  #drain(): void {
    const { capture, clock } = this.#options;
    const { ring } = capture;
    for (;;) {
      // What piled up while this thread was busy is old by now: what follows has to be fresh.
      ring.discardOlderThan(clock() - this.#maxAgeMs, CaptureTag.end);
      const entry = ring.read();
      if (entry === null) return;
      if (entry.tag === CaptureTag.end) {
        this.#publish(this.#numberer.end());
        this.#idle();
      } else {
        const phase = entry.tag === CaptureTag.draining ? 'draining' : 'talking';
        this.#publish(this.#numberer.push(entry.bytes, entry.capturedAt, phase));
      }
      ring.release();
    }
  }

  #publish(packets: readonly NumberedPacket[]): void {
    const { clock, onTaken, publish } = this.#options;
    for (const packet of packets) {
      if (packet.marker) this.#talkspurts += 1;
      this.#packets += 1;
      onTaken?.(packet.sequence, packet.capturedAt, clock());
      publish(packet);
    }
  }

  #idle(): void {
    this.#recording = false;
    for (const tell of this.#tellIdle.splice(0)) tell();
  }
}
