/**
 * Push-to-talk: takes packets from the capture ring, numbers them, hands them on, and discards what has grown old.
 */

import type { RingConsumer } from '../voice/ring.js';
import {
  CaptureTag,
  captureKind,
  endRequest,
  type NumberedPacket,
  TalkspurtNumberer,
} from '../voice/talkspurt.js';
import type { Milliseconds } from '../voice/units.js';
import { monotonicMs } from './clock.js';
import { isSameTarget, type VoiceTarget } from './voice_target.js';

/** What the publisher asks of a capture worker. */
export interface CaptureHandle {
  readonly ring: RingConsumer;
  /** Key-down; the end entry of the recording carries the number that this returns. */
  startVoiceRecording(): number;
  stopVoiceRecording(): void;
}

export interface PublisherOptions {
  readonly capture: CaptureHandle;
  /**
   * Takes a packet ready for the wire: a lobby's `publish`. Its bytes are valid during the call. False says that it was not
   * sent, which is counted. Must not throw. To go on in another lobby after a lost one, hand over a function that picks it.
   */
  readonly publish: (packet: NumberedPacket, target: VoiceTarget) => unknown;
  /** Whom the voice is for: see `speakTo`. Default `lobby`. */
  readonly target?: VoiceTarget;
  /** The capture worker's clock. Default CLOCK_MONOTONIC in ms. */
  readonly clock?: () => Milliseconds;
  /** Packets older than this when they are taken from the ring are discarded, in ms. Default 500. */
  readonly maxAgeMs?: Milliseconds;
  /** Latency side channel: a packet was captured and taken from the ring at these instants. */
  readonly onTaken?: (sequence: number, capturedAt: Milliseconds, takenAt: Milliseconds) => void;
}

/** What a publisher has counted. */
export interface PublisherCounts {
  readonly talkspurts: number;
  readonly packets: number;
  /** Of these, the ones that `publish` did not take. */
  readonly unsent: number;
  /** Steam Voice packets that were not readable. */
  readonly malformed: number;
  /** Lost in this process: refused by a full ring, or discarded for their age. */
  readonly refused: number;
  readonly discarded: number;
}

/** How long one wait for the ring lasts at most, in ms: a bound, not a poll. */
const WAIT_MS = 1000;

/** The rings that have a publisher. */
const published = new WeakSet<RingConsumer>();

/** Publishes one player's voice. Make it once and press and release at will. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #clock: () => Milliseconds;
  readonly #maxAgeMs: Milliseconds;
  readonly #numberer: TalkspurtNumberer;
  readonly #finished: Promise<void>;
  #talkspurts = 0;
  #packets = 0;
  #unsent = 0;
  #tellIdle: (() => void)[] = [];
  #recording = false;
  /** The number of the newest key-down. */
  #request = 0;
  /** Of the talkspurt under way, or the last one. */
  #target: VoiceTarget;
  /** Of the next. */
  #nextTarget: VoiceTarget;

  /** @throws RangeError when the capture has a publisher already: its ring has one reader. */
  constructor(options: PublisherOptions) {
    const { ring } = options.capture;
    if (published.has(ring))
      throw new RangeError('Cannot publish: this capture has a publisher, wants one of its own');
    published.add(ring);
    this.#options = options;
    this.#clock = options.clock ?? monotonicMs;
    this.#maxAgeMs = options.maxAgeMs ?? 500;
    this.#target = options.target ?? 'lobby';
    this.#nextTarget = this.#target;
    this.#numberer = new TalkspurtNumberer(this.#clock());
    this.#finished = this.#run();
  }

  /**
   * Says whom the voice is for from now on. A talkspurt under way with the key down ends here, with its terminator, and another begins.
   * After key-up the tail still goes where the talkspurt went.
   */
  speakTo(target: VoiceTarget): void {
    this.#nextTarget = target;
  }

  /** Key down. */
  press(): void {
    this.#request = this.#options.capture.startVoiceRecording();
    // Nothing more comes from a ring that is over, so there would be no end to wait for.
    this.#recording = !this.#options.capture.ring.closed;
  }

  /**
   * Key up. The tail is still published; resolves when its last packet is. When the key goes down again during the tail the
   * recording goes on, and this resolves at its end.
   */
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
    return {
      talkspurts: this.#talkspurts,
      packets: this.#packets,
      unsent: this.#unsent,
      malformed,
      refused,
      discarded,
    };
  }

  async #run(): Promise<void> {
    const { ring } = this.#options.capture;
    while (!ring.closed) {
      this.#drain();
      if (!ring.closed) await ring.waitAsync(WAIT_MS);
    }
    // A capture that failed has not said its end.
    this.#publish(this.#numberer.end());
    this.#idle();
  }

  #drain(): void {
    const { ring } = this.#options.capture;
    for (;;) {
      // What piled up while this thread was busy is old by now: what follows has to be fresh.
      ring.discardOlderThan(this.#clock() - this.#maxAgeMs, isEnd);
      const entry = ring.read();
      if (entry === null) return;
      if (isEnd(entry.tag)) {
        this.#publish(this.#numberer.end());
        // An end that does not know of the newest key-down is that of the recording before.
        if (endRequest(entry.tag) === this.#request) this.#idle();
      } else {
        const phase = entry.tag === CaptureTag.draining ? 'draining' : 'talking';
        if (phase === 'talking' || !this.#numberer.inTalkspurt) this.#turn();
        this.#publish(this.#numberer.push(entry.bytes, entry.capturedAt, phase));
      }
      ring.release();
    }
  }

  /** To whom `speakTo` said, if that is somebody else. */
  #turn(): void {
    if (isSameTarget(this.#target, this.#nextTarget)) return;
    this.#publish(this.#numberer.cut());
    this.#target = this.#nextTarget;
  }

  #publish(packets: readonly NumberedPacket[]): void {
    const { onTaken, publish } = this.#options;
    for (const packet of packets) {
      if (packet.marker) this.#talkspurts += 1;
      this.#packets += 1;
      onTaken?.(packet.sequence, packet.capturedAt, this.#clock());
      if (publish(packet, this.#target) === false) this.#unsent += 1;
    }
  }

  #idle(): void {
    this.#recording = false;
    for (const tell of this.#tellIdle.splice(0)) tell();
  }
}

function isEnd(tag: number): boolean {
  return captureKind(tag) === CaptureTag.end;
}
