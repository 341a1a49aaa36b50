/**
 * Push-to-talk: takes packets from the capture ring, numbers them, hands them on to those they were meant for when they were captured,
 * and discards what has grown old.
 */

import { packetSamples, readPacket } from '../voice/packet.js';
import type { RingConsumer, RingEntry } from '../voice/ring.js';
import {
  CaptureTag,
  captureKind,
  endRequest,
  type NumberedPacket,
  TalkspurtNumberer,
} from '../voice/talkspurt.js';
import { type Milliseconds, msOfSamples } from '../voice/units.js';
import {
  CaptureTargets,
  type Destination,
  isSameDestination,
  type MeantSpan,
  type Publish,
} from './capture_targets.js';
import { monotonicMs } from './clock.js';
import { KeyTimes } from './key_times.js';
import { strictClock } from './strict_clock.js';
import type { VoiceTarget } from './voice_target.js';

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
   * sent, which is counted. Must not throw. To go on in another lobby, tell `speakTo`, so that what was said before does not go there.
   */
  readonly publish: Publish;
  /** Whom the voice is for: see `speakTo`. Default `lobby`. */
  readonly target?: VoiceTarget;
  /** The capture worker's clock, and the lobby's: what was said when is compared. Default CLOCK_MONOTONIC in ms. */
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
  /** Steam Voice packets sent to nobody, for they held sound for some and for others. */
  readonly withheld: number;
  /** Steam Voice packets that were not readable. */
  readonly malformed: number;
  /** Lost in this process: refused by a full ring, or discarded for their age. */
  readonly refused: number;
  readonly discarded: number;
}

/** How long one wait for the ring lasts at most, in ms: a bound, not a poll. */
const WAIT_MS = 1000;

/**
 * What microphone, driver and Steam may hold back beyond a packet's own sound, in ms. A guess on the safe side: all that anybody has
 * measured is a first packet with 160 ms of sound (docs/latency.md).
 */
const CAPTURE_LAG_MS: Milliseconds = 120;

/** The rings that have a publisher. */
const published = new WeakSet<RingConsumer>();

/** Publishes one player's voice. Make it once and press and release at will. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #clock: () => Milliseconds;
  readonly #moment: () => Milliseconds;
  readonly #maxAgeMs: Milliseconds;
  readonly #numberer: TalkspurtNumberer;
  readonly #targets: CaptureTargets;
  readonly #keyTimes = new KeyTimes();
  readonly #finished: Promise<void>;
  #talkspurts = 0;
  #packets = 0;
  #unsent = 0;
  #withheld = 0;
  #tellIdle: (() => void)[] = [];
  #recording = false;
  /** The number of the newest key-down. */
  #request = 0;
  /** Of the talkspurt that is read, or the last one. */
  #destination: Destination;
  /** What `speakTo` said last. */
  #wanted: Destination;

  /** @throws RangeError when the capture has a publisher already: its ring has one reader. */
  constructor(options: PublisherOptions) {
    const { ring } = options.capture;
    if (published.has(ring))
      throw new RangeError('Cannot publish: this capture has a publisher, wants one of its own');
    published.add(ring);
    this.#options = options;
    this.#clock = options.clock ?? monotonicMs;
    this.#moment = strictClock(this.#clock);
    this.#maxAgeMs = options.maxAgeMs ?? 500;
    this.#destination = { publish: options.publish, target: options.target ?? 'lobby' };
    this.#wanted = this.#destination;
    this.#targets = new CaptureTargets(this.#destination);
    this.#numberer = new TalkspurtNumberer(this.#clock());
    this.#finished = this.#run();
  }

  /**
   * Says whom the voice is for from now on, and `publish` through which lobby: by default the one before. What was captured until now
   * goes where it was meant, however late this thread comes to it. With the key down, the talkspurt under way ends, with its
   * terminator, and another begins; with the key up, its tail still goes where it went.
   *
   * When exactly a packet's sound was made is not known. For up to 120 ms and the packet's own length after a change, what may be from
   * before and after goes to those who were meant both times: the narrower target where one is within the other (a whisper or a
   * channel, and the lobby); else nobody (counted in `withheld`).
   */
  speakTo(target: VoiceTarget, publish: Publish = this.#wanted.publish): void {
    this.#wanted = { publish, target };
    if (this.#keyTimes.key === 'down') this.#targets.change(this.#wanted, this.#moment());
  }

  /** Key down. */
  press(): void {
    const now = this.#moment();
    this.#targets.keyDown(this.#wanted, now);
    this.#request = this.#options.capture.startVoiceRecording();
    this.#keyTimes.down(this.#request, now);
    // Nothing more comes from a ring that is over, so there would be no end to wait for.
    this.#recording = !this.#options.capture.ring.closed;
  }

  /**
   * Key up. The tail is still published; resolves when its last packet is. When the key goes down again during the tail the
   * recording goes on, and this resolves at its end.
   */
  async release(): Promise<void> {
    this.#keyTimes.up(this.#moment());
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
      withheld: this.#withheld,
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
      if (isEnd(entry.tag)) this.#end(endRequest(entry.tag));
      else this.#take(entry);
      ring.release();
    }
  }

  /** An end that does not know of the newest key-down is that of the recording before. */
  #end(request: number): void {
    this.#publish(this.#numberer.end());
    this.#keyTimes.ended(request);
    if (request === this.#request) this.#idle();
  }

  #take({ bytes, capturedAt, tag }: RingEntry): void {
    const read = readPacket(bytes);
    const samples = read.kind === 'packet' ? packetSamples(read) : 0;
    const { fromAt, toAt } = this.#meant(capturedAt, samples);
    const destination = this.#targets.during(fromAt, toAt);
    if (!isSameDestination(destination, this.#destination)) this.#publish(this.#numberer.cut());
    if (destination === null) {
      this.#withheld += 1;
      return;
    }
    this.#destination = destination;
    const phase = tag === CaptureTag.draining ? 'draining' : 'talking';
    this.#publish(this.#numberer.push(bytes, capturedAt, phase));
  }

  /** The span in which the sound of such a packet was meant. What ends a talkspurt without sound belongs to the sound before. */
  #meant(capturedAt: Milliseconds, samples: number): MeantSpan {
    const keyTimes = this.#keyTimes;
    const toAt = keyTimes.meantAt(capturedAt);
    if (samples === 0) return { fromAt: toAt, toAt };
    const earliest = capturedAt - msOfSamples(samples) - CAPTURE_LAG_MS;
    return { fromAt: keyTimes.meantAt(Math.max(earliest, keyTimes.recordingFrom)), toAt };
  }

  #publish(packets: readonly NumberedPacket[]): void {
    const { onTaken } = this.#options;
    const { publish, target } = this.#destination;
    for (const packet of packets) {
      if (packet.marker) this.#talkspurts += 1;
      this.#packets += 1;
      onTaken?.(packet.sequence, packet.capturedAt, this.#clock());
      const meant = this.#meant(packet.capturedAt, packet.samples ?? 0);
      if (publish({ ...packet, meant }, target) === false) this.#unsent += 1;
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
