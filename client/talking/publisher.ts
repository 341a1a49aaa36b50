/**
 * Push-to-talk: reads packets from the capture ring, numbers them, publishes them to those they were meant for when they were captured,
 * and discards stale ones.
 */

import { PLATFORM } from '#platform';
import { CaptureTag, captureKind, endRequest } from '../../voice/capture_tag.js';
import { type Decibels, SILENCE_DB } from '../../voice/mixing/decibels.js';
import { packetSamples, readPacket } from '../../voice/packet.js';
import type { RingEntry } from '../../voice/ring.js';
import { type NumberedPacket, TalkspurtNumberer } from '../../voice/talkspurt.js';
import { type Milliseconds, msOfSamples } from '../../voice/units.js';
import { PacketMeter } from '../playout/packet_meter.js';
import type { MeantSpan } from '../session/captured_packet.js';
import type { VoiceTarget } from '../session/voice_target.js';
import { strictClock } from '../strict_clock.js';
import { CaptureTargets, type Destination, isSameDestination, type Publish } from './capture_targets.js';
import { KeyTimes } from './key_times.js';
import type { PacketSource } from './packet_source.js';
import { type CaptureCommand, checkMode, TalkKey, type TalkMode } from './talk_key.js';
import { type GatedPacket, VoiceGate, type VoiceGateOptions } from './voice_gate.js';

/** What the publisher needs from a capture worker. */
export interface CaptureHandle {
  readonly ring: PacketSource;
  /** Key-down. Returns a number that the end entry of the recording will carry. */
  startVoiceRecording(): number;
  /** Key-up. The tail follows, then the end entry. */
  stopVoiceRecording(): void;
}

/** Where the voice comes from and goes to, and when the microphone records. */
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
  /** When the microphone records. Default `push-to-talk`. It can be changed: `setMode`. */
  readonly mode?: TalkMode;
  /** Whether it begins muted: see `mute`. Default false. */
  readonly muted?: boolean;
  /** Goes on with the numbers of an earlier microphone of the same player in the same lobby. Default: a new one. */
  readonly numberer?: TalkspurtNumberer;
  /** For the mode `voice-activation`. */
  readonly voiceActivation?: VoiceGateOptions;
  /**
   * How loud a packet is, in dBFS, for `voice-activation`. Default: it is decoded, for which the codec must be started, in some 0.05 ms per
   * 20 ms of sound.
   */
  readonly loudnessOf?: (packet: Uint8Array) => Decibels;
  /** Called when `isLive` changes. Must not throw. */
  readonly onLive?: (isLive: boolean) => void;
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
  /** Steam Voice packets sent to nobody, because they contained sound from before or while we were muted. */
  readonly muted: number;
  /** Those sent to nobody because voice activation found them quiet. The pre-roll of a word is among them until the word begins. */
  readonly quiet: number;
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
const published = new WeakSet<PacketSource>();

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
  readonly #talk: TalkKey;
  readonly #gate: VoiceGate;
  /** Made for voice activation, where no `loudnessOf` is given. */
  #meter: PacketMeter | null = null;
  #muted = 0;
  #quiet = 0;
  /** No sound from before this instant is sent. */
  #unmutedAt: Milliseconds = Number.NEGATIVE_INFINITY;
  #toldLive = false;
  /** The number of the newest key-down. */
  #request = 0;
  /** The destination of the current talkspurt, or of the last one. */
  #destination: Destination;
  /** What `speakTo` set last. */
  #wanted: Destination;

  /**
   * @throws RangeError when the capture already has a publisher: its ring has one reader; or for a wrong mode or option of voice activation.
   * @throws HotmicError ERR_HOTMIC_CODEC when the mode is `voice-activation` and the codec is not started.
   */
  constructor(options: PublisherOptions) {
    const { ring } = options.capture;
    if (published.has(ring))
      throw new RangeError(
        'Cannot publish: this capture already has a publisher. Start one capture per publisher.',
      );
    const { mode = 'push-to-talk' } = options;
    checkMode(mode);
    this.#talk = new TalkKey(mode);
    this.#gate = new VoiceGate(options.voiceActivation);
    this.#options = options;
    if (mode === 'voice-activation') this.#startMeter();
    published.add(ring);
    this.#clock = options.clock ?? PLATFORM.now;
    this.#moment = strictClock(this.#clock);
    this.#maxAgeMs = options.maxAgeMs ?? 500;
    this.#destination = { publish: options.publish, target: options.target ?? 'lobby' };
    this.#wanted = this.#destination;
    this.#targets = new CaptureTargets(this.#destination);
    this.#numberer = options.numberer ?? new TalkspurtNumberer(this.#clock());
    if (options.muted) this.#talk.setMute('muted');
    this.#finished = this.#run();
    this.#command(this.#talk.setMode(mode));
  }

  /** Whether the microphone is live: what is said now is sent. With voice activation that is only while it finds voice. */
  get isLive(): boolean {
    const isHeard = this.#talk.mode !== 'voice-activation' || this.#gate.isOpen;
    return this.#talk.isLive && isHeard;
  }

  /** We are muted by `mute`. */
  get isMuted(): boolean {
    return this.#talk.isMuted;
  }

  /** When the microphone records: the mode of the options, or that of the last `setMode`. */
  get mode(): TalkMode {
    return this.#talk.mode;
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

  /** Key down: the recording begins, or in the mode `toggle` begins or ends. Nothing happens if it is down already. */
  press(): void {
    this.#command(this.#talk.press());
  }

  /**
   * Key up. With push-to-talk the recording ends. The tail is still published; resolves when its last packet has been, and at once if
   * nothing ends. If the key goes down again during the tail, the recording continues and this resolves at its end.
   */
  async release(): Promise<void> {
    this.#command(this.#talk.release());
    if (this.#talk.isRecording && this.#talk.mode === 'push-to-talk') {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    }
  }

  /**
   * Mutes the microphone: from this moment on nothing that was captured is sent, not even what waits in the ring, and the recording ends.
   * Nothing said before `unmute` is ever sent. No key and no mode ends it.
   */
  mute(): void {
    if (this.#talk.isMuted) return;
    this.#publish(this.#numberer.cut());
    this.#gate.reset();
    this.#command(this.#talk.setMute('muted'));
  }

  /** Ends `mute`. If the key is down, the toggle on, or the mode `voice-activation`, recording begins again. */
  unmute(): void {
    if (!this.#talk.isMuted) return;
    this.#unmutedAt = this.#moment();
    this.#command(this.#talk.setMute('not-muted'));
  }

  /**
   * Changes when the microphone records. A toggle begins switched off.
   *
   * @throws RangeError for another word; HotmicError ERR_HOTMIC_CODEC for `voice-activation` when the codec is not started.
   */
  setMode(mode: TalkMode): void {
    checkMode(mode);
    if (mode === this.#talk.mode) return;
    if (mode === 'voice-activation') this.#startMeter();
    this.#gate.reset();
    this.#command(this.#talk.setMode(mode));
  }

  /** Resolves when the capture's ring is closed and read to its end. Close the capture first. */
  async finished(): Promise<void> {
    await this.#finished;
  }

  /** Counters since it was made. A copy. */
  counts(): PublisherCounts {
    const { refused, discarded } = this.#options.capture.ring.counts();
    const { malformed } = this.#numberer;
    return {
      talkspurts: this.#talkspurts,
      packets: this.#packets,
      unsent: this.#unsent,
      withheld: this.#withheld,
      muted: this.#muted,
      quiet: this.#quiet,
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
    this.#talk.lost();
    this.#meter?.close();
    this.#idle();
  }

  /** Tells the capture what the key asks for. */
  #command(command: CaptureCommand): void {
    const { capture } = this.#options;
    if (command === 'start') {
      const now = this.#moment();
      this.#targets.keyDown(this.#wanted, now);
      this.#request = capture.startVoiceRecording();
      this.#keyTimes.down(this.#request, now);
    } else if (command === 'stop') {
      this.#keyTimes.up(this.#moment());
      capture.stopVoiceRecording();
    }
    // A closed ring delivers no end entry to wait for.
    if (capture.ring.closed) this.#talk.lost();
    this.#tellLive();
  }

  #tellLive(): void {
    const { isLive } = this;
    if (isLive === this.#toldLive) return;
    this.#toldLive = isLive;
    this.#options.onLive?.(isLive);
  }

  #startMeter(): void {
    if (!this.#options.loudnessOf) this.#meter ??= new PacketMeter();
  }

  #drain(): void {
    const { ring } = this.#options.capture;
    for (;;) {
      // Discard what became stale while this thread was busy.
      ring.discardOlderThan(this.#clock() - this.#maxAgeMs, isEnd);
      const entry = ring.read();
      if (entry === null) return;
      if (isEnd(entry.tag)) this.#end(endRequest(entry.tag));
      else if (this.#talk.mode === 'voice-activation' && !this.#talk.isMuted) this.#listen(entry);
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

  /** Voice activation: sends the packet if there is voice in it, with those just before. */
  #listen(entry: RingEntry): void {
    const { loudnessOf } = this.#options;
    const loudness = loudnessOf?.(entry.bytes) ?? this.#meter?.take(entry.bytes).rmsDb ?? SILENCE_DB;
    const wasOpen = this.#gate.isOpen;
    const due = this.#gate.push(entry, loudness);
    if (due.length === 0) this.#quiet += 1;
    else this.#quiet -= due.length - 1;
    if (wasOpen && !this.#gate.isOpen) this.#publish(this.#numberer.cut());
    for (const packet of due) this.#take(packet);
    this.#tellLive();
  }

  #take({ bytes, capturedAt, tag }: GatedPacket): void {
    const read = readPacket(bytes);
    const samples = read.kind === 'packet' ? packetSamples(read) : 0;
    const { fromAt, toAt } = this.#meant(capturedAt, samples);
    if (this.#talk.isMuted || fromAt < this.#unmutedAt) {
      this.#muted += 1;
      return;
    }
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
    this.#talk.ended();
    this.#tellLive();
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function isEnd(tag: number): boolean {
  return captureKind(tag) === CaptureTag.end;
}
