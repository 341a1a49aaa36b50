/**
 * Push-to-talk: reads packets from the capture ring, numbers them, publishes them to those they were meant for when they were captured,
 * and discards stale ones.
 */

import { PLATFORM } from '#platform';
import { CaptureTag, captureKind, endRequest } from '../voice/capture_tag.js';
import { packetSamples, readPacket } from '../voice/packet.js';
import type { RingConsumer, RingEntry } from '../voice/ring.js';
import { type NumberedPacket, TalkspurtNumberer } from '../voice/talkspurt.js';
import { type Milliseconds, msOfSamples } from '../voice/units.js';
import { CaptureTargets, type Destination, isSameDestination, type Publish } from './capture_targets.js';
import { KeyTimes } from './key_times.js';
import type { MeantSpan } from './session/captured_packet.js';
import type { VoiceTarget } from './session/voice_target.js';
import { strictClock } from './strict_clock.js';

/** What the publisher needs from a capture worker. */
export interface CaptureHandle {
  readonly ring: RingConsumer;
  /** Key-down. Returns a number that the end entry of the recording will carry. */
  startVoiceRecording(): number;
  stopVoiceRecording(): void;
}

export interface PublisherOptions {
  readonly capture: CaptureHandle;
  /**
   * Takes a packet ready for the wire: a lobby's `publish`. The packet's bytes are valid during the call. It returns false if the packet
   * was not sent, which is counted, and must not throw. To switch to another lobby, use `speakTo`, so that earlier voice does not go there.
   */
  readonly publish: Publish;
  /** Whom the voice is for: see `speakTo`. Default: `lobby`. */
  readonly target?: VoiceTarget;
  /** Must be the clock of the capture worker and of the lobby, because their instants are compared. Default: CLOCK_MONOTONIC in ms. */
  readonly clock?: () => Milliseconds;
  /** Packets older than this when they are read from the ring are discarded, in ms. Default: 500. */
  readonly maxAgeMs?: Milliseconds;
  /** Latency side channel: a packet was captured, and read from the ring, at these instants. */
  readonly onTaken?: (sequence: number, capturedAt: Milliseconds, takenAt: Milliseconds) => void;
}

/** Counters of a publisher. */
export interface PublisherCounts {
  readonly talkspurts: number;
  readonly packets: number;
  /** Of these, the packets for which `publish` returned false. */
  readonly unsent: number;
  /** Steam Voice packets sent to nobody, because they contained sound for different targets. */
  readonly withheld: number;
  /** Steam Voice packets that could not be read. */
  readonly malformed: number;
  /** Lost in this process: `refused` by a full ring, or `discarded` because of their age. */
  readonly refused: number;
  readonly discarded: number;
}

/** The longest single wait for the ring, in ms: a bound, not a polling interval. */
const WAIT_MS = 1000;

/**
 * How much microphone, driver and Steam may delay a packet beyond the length of its own sound, in ms. This is a cautious guess: the only
 * measurement is of a first packet with 160 ms of sound (docs/latency.md).
 */
const CAPTURE_LAG_MS: Milliseconds = 120;

/** The rings that already have a publisher. */
const published = new WeakSet<RingConsumer>();

/** Publishes one player's voice. Create it once, then press and release as often as needed. */
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
  #onIdle: (() => void)[] = [];
  #recording = false;
  /** The number of the newest key-down. */
  #request = 0;
  /** The destination of the current talkspurt, or of the last one. */
  #destination: Destination;
  /** What `speakTo` set last. */
  #wanted: Destination;

  /** @throws RangeError when the capture already has a publisher: its ring has one reader. */
  constructor(options: PublisherOptions) {
    const { ring } = options.capture;
    if (published.has(ring))
      throw new RangeError(
        'Cannot publish: this capture already has a publisher. Start one capture per publisher.',
      );
    published.add(ring);
    this.#options = options;
    this.#clock = options.clock ?? PLATFORM.now;
    this.#moment = strictClock(this.#clock);
    this.#maxAgeMs = options.maxAgeMs ?? 500;
    this.#destination = { publish: options.publish, target: options.target ?? 'lobby' };
    this.#wanted = this.#destination;
    this.#targets = new CaptureTargets(this.#destination);
    this.#numberer = new TalkspurtNumberer(this.#clock());
    this.#finished = this.#run();
  }

  /**
   * Sets whom the voice is for from now on, and with `publish` through which lobby (default: the same one). Voice captured until now
   * still goes where it was meant, however late this thread reads it. With the key down, the current talkspurt ends with its terminator
   * and another one begins. With the key up, the tail still goes to the previous target.
   *
   * The instant at which a packet's sound was made is not known exactly. For up to 120 ms plus the packet's own length after a change, a
   * packet that may hold sound from before and after it goes to those who were meant both times: to the narrower target if one contains
   * the other (the lobby contains channels and whispers), otherwise to nobody (counted in `withheld`).
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
    // A closed ring delivers no end entry to wait for.
    this.#recording = !this.#options.capture.ring.closed;
  }

  /**
   * Key up. The tail is still published; resolves when its last packet has been. If the key goes down again during the tail, the
   * recording continues and this resolves at its end.
   */
  async release(): Promise<void> {
    this.#keyTimes.up(this.#moment());
    this.#options.capture.stopVoiceRecording();
    if (this.#recording) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
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
    // A capture that failed wrote no end entry.
    this.#publish(this.#numberer.end());
    this.#idle();
  }

  #drain(): void {
    const { ring } = this.#options.capture;
    for (;;) {
      // Discard what became stale while this thread was busy.
      ring.discardOlderThan(this.#clock() - this.#maxAgeMs, isEnd);
      const entry = ring.read();
      if (entry === null) return;
      if (isEnd(entry.tag)) this.#end(endRequest(entry.tag));
      else this.#take(entry);
      ring.release();
    }
  }

  /** An end entry with an older number than the newest key-down belongs to the recording before. */
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
    this.#publish(this.#numberer.push(bytes, capturedAt, phase, read));
  }

  /** The span in which the sound of such a packet was meant. A packet without sound ends a talkspurt and belongs to the sound before. */
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
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function isEnd(tag: number): boolean {
  return captureKind(tag) === CaptureTag.end;
}
