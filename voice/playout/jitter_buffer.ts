/**
 * Decides what of one speaker is played when: orders their packets, declares losses, and keeps the delay as small as the network allows.
 *
 * Push packets as they arrive, pop what is due. Pure: instants are arguments, and no sound passes through here: what is popped says what to
 * decode, to conceal and to skip. The length of a gap comes from timestamps.
 *
 * - A talkspurt begins when its first sample has the target delay.
 * - Sound that is due and missing is concealed at once. If it then comes, it is played after all, and the delay has grown by the wait.
 *   If it is later than the largest delay, it is skipped up to what is live. If what comes next shows that it was lost, its concealment stands for it.
 * - Within a talkspurt, `excess` asks to shorten or stretch what is played. DTX and silence are skipped, or made longer, first.
 *
 * Bounds: MAX_QUEUED frames; a packet of at most 3 s.
 */

import { hasInbandFec } from '../opus_framing.js';
import type { Packet } from '../packet.js';
import {
  FRAME_SAMPLES,
  type Milliseconds,
  msOfSamples,
  type Samples,
  samplesOfMs,
  VOICE_RATE_HZ,
} from '../units.js';
import type { SpeakerFields } from '../wire.js';
import { FrameQueue, type QueuedEntry } from './frame_queue.js';
import { PacketIntake } from './packet_intake.js';
import { type DelayBounds, PlayoutDelay } from './playout_delay.js';
import { fillPopped, newPopped, type Popped } from './popped.js';
import { queuePacket } from './queue_packet.js';
import { RecordingOrder } from './recording_order.js';

/** Missing sound is concealed in pieces: then the next packet may have come. */
const CONCEALED_AT_ONCE: Samples = FRAME_SAMPLES / 2;

/** After so long without sound, a talkspurt counts as over. */
const GIVE_UP: Samples = VOICE_RATE_HZ;

/** Frames before a jump that the decoder gets for its state. */
const FED_FRAMES = 3;

/** Concealed sound that goes on this long has faded out: 100 ms. */
export const FADED: Samples = samplesOfMs(100);

/** A frame of at most so many bytes is DTX. */
const DTX_BYTES = 2;

export class JitterBuffer {
  readonly #queue = new FrameQueue();
  readonly #delay: PlayoutDelay;
  readonly #intake: PacketIntake;
  #state: 'idle' | 'playing' = 'idle';
  /** How the talkspurt before ended, when idle. */
  #ending: 'ended' | 'broke off' = 'ended';
  /** Next sample to be played. */
  #next: Samples = 0;
  /** Everything before is over: heard, skipped, or lost. Between it and `#next` lies what was concealed and may still come. */
  #over: Samples = Number.NEGATIVE_INFINITY;
  /** Whether there is such sound that has not been decided about. */
  #mayResume: 'yes' | 'no' = 'no';
  /** Concealed in a row. */
  #concealed: Samples = 0;
  #seam: Popped['seam'] = 'jump';
  #lastFrame: Popped['sound'] = 'speech';
  readonly #recordings = new RecordingOrder();
  readonly #popped: Popped = newPopped();
  /** They came after their time. */
  latePackets = 0;
  /** Frames dropped because the queue was full. */
  overflowedFrames = 0;
  /** Missing for good. */
  lostSamples: Samples = 0;
  /** Arrived and not played. */
  skippedSamples: Samples = 0;
  underruns = 0;
  /** Media time of what came and was not wanted. */
  passedSamples: Samples = 0;

  /** @throws RangeError for a bound out of its range. */
  constructor(bounds: DelayBounds = {}) {
    this.#delay = new PlayoutDelay(bounds);
    this.#intake = new PacketIntake(this.#delay);
  }

  /** The wanted delay. */
  get targetMs(): Milliseconds {
    return this.#delay.targetMs;
  }

  /** How much the delay differs from packet to packet. */
  get jitterMs(): Milliseconds {
    return this.#delay.arrivals.jitterMs;
  }

  /** How often the speaker's media clock jumped. */
  get restarts(): number {
    return this.#intake.jumps;
  }

  get duplicatePackets(): number {
    return this.#intake.duplicatePackets;
  }

  /** Longer than 3 s. */
  get refusedPackets(): number {
    return this.#intake.refusedPackets;
  }

  /** Delay of what is played at `now`; the target outside a talkspurt. */
  delayMs(now: Milliseconds): Milliseconds {
    return this.#state === 'playing' ? this.#delay.of(this.#next, now, 0) : this.targetMs;
  }

  /** Takes a packet. Its frames are copied from `bytes`, which `packet` was read from. Never throws on input. */
  push(header: SpeakerFields, packet: Packet, bytes: Uint8Array, arrivedAt: Milliseconds): void {
    if (this.#place(header, packet, arrivedAt) === 'dropped') return;
    const { position, samples } = this.#intake;
    const end = position + samples;
    if (end < this.#over || (samples > 0 && end === this.#over)) {
      this.latePackets += 1;
      return;
    }
    queuePacket(this.#queue, header, packet, bytes, position, this.#makeRoom);
  }

  /**
   * Takes a packet that is not to be heard, as of a speaker who is out of earshot. It and everything that waits are left out, and count as
   * neither lost nor skipped. The arrival still counts for the delay, so that it fits when the speaker is heard again. Never throws on input.
   */
  pass(header: SpeakerFields, packet: Packet, arrivedAt: Milliseconds): void {
    this.abandon();
    if (this.#place(header, packet, arrivedAt) === 'dropped') return;
    const { position, samples } = this.#intake;
    this.#over = Math.max(this.#over, position + samples);
    this.passedSamples += samples;
  }

  /** Forgets what waits, uncounted. The next frame is the first one of a recording. */
  abandon(): void {
    this.#queue.clear();
    this.#mayResume = 'no';
    this.#recordings.restart();
    this.#stop('ended');
  }

  /**
   * What to play next. Call it until the sound output has what it needs.
   *
   * @param now When the output asked.
   * @param at Samples that it already has, from this pull: they are played first.
   * @param room Samples that it still needs, at least 1. What is popped may be longer.
   */
  pop(now: Milliseconds, at: Samples, room: Samples): Popped {
    if (at === 0) this.#delay.pulled(room);
    for (;;) {
      const first = this.#queue.first;
      if (this.#state === 'idle') {
        if (first === null) return this.#silence(room, null, 0);
        if (first.kind === 'end' || first.position + first.samples <= this.#over) {
          if (first.kind === 'end') this.#ending = 'ended';
          this.#queue.dropFirst();
          continue;
        }
        const wait = this.#delay.wait(Math.max(first.position, this.#over), now, at, room);
        if (wait > 0) return this.#silence(wait, null, 0);
        this.#begin(first, now, at);
        continue;
      }
      if (first === null) {
        if (this.#concealed < GIVE_UP) return this.#concealMissing();
        this.#stop('broke off');
        continue;
      }
      if (this.#mayResume === 'yes') this.#resume(first, now, at);
      if (first.kind === 'end' && first.position <= this.#next) {
        this.#queue.dropFirst();
        this.#stop('ended');
        continue;
      }
      if (first.position + first.samples <= this.#next) {
        const fed = this.#skip(first);
        if (fed) return fed;
        continue;
      }
      const gap = first.position - this.#next;
      if (gap > 0) {
        if (first.starts === 'nothing' && gap <= GIVE_UP) return this.#concealGap(first, gap, now, at);
        this.#stop('broke off');
        continue;
      }
      if (this.#isFarBehind(first, now, at)) continue;
      if (first.kind === 'frame') return this.#playFrame(first, now, at);
      const silence = this.#playSilence(first, now, at, room);
      if (silence) return silence;
    }
  }

  #place(header: SpeakerFields, packet: Packet, arrivedAt: Milliseconds): 'placed' | 'dropped' {
    return this.#intake.place(header, packet, arrivedAt, this.#over, this.#restart);
  }

  #begin(first: QueuedEntry, now: Milliseconds, at: Samples): void {
    this.lostSamples += this.#missingBefore(first);
    this.#state = 'playing';
    this.#over = Math.max(first.position, this.#over);
    this.#next = this.#over;
    this.#concealed = 0;
    this.#seam = 'jump';
    if (this.#isFarBehind(first, now, at)) return;
    const next = this.#next + this.#delay.excessAtStart(this.#delay.of(this.#next, now, at));
    // What is live may not have come yet.
    if (next < this.#queue.end) this.#next = next;
  }

  #stop(ending: 'ended' | 'broke off'): void {
    this.#state = 'idle';
    this.#ending = ending;
    this.#concealed = 0;
  }

  /** Concealed sound has come after all: goes back to it, as far as it is not too old. */
  #resume(first: QueuedEntry, now: Milliseconds, at: Samples): void {
    this.#mayResume = 'no';
    const from = Math.max(first.position, this.#over);
    if (from >= this.#next) return;
    const delay = this.#delay.of(from, now, at);
    const isTooOld = this.#delay.isTooOld(delay);
    if (isTooOld) this.#seam = 'jump';
    this.#next = Math.min(this.#next, from + (isTooOld ? this.#delay.excessAge(delay) : 0));
  }

  /** Whether what is next was far too old, as after the fastest path became much faster; it then goes forward to what is not. */
  #isFarBehind(first: QueuedEntry, now: Milliseconds, at: Samples): boolean {
    const delay = this.#delay.of(this.#next, now, at);
    if (!this.#delay.isFarBehind(delay)) return false;
    const next = this.#next + this.#delay.excessAge(delay);
    if (next < this.#queue.end) {
      this.#next = next;
      this.#seam = 'jump';
      return next >= first.position + first.samples;
    }
    // What is live has not come yet.
    while (this.#queue.first) this.#drop();
    this.#next = this.#over;
    this.#stop('broke off');
    return true;
  }

  /** Leaves out the first entry, whose time is over. The decoder still gets what comes just before the next sound. */
  #skip(first: QueuedEntry): Popped | null {
    const end = first.position + first.samples;
    const isFed = first.kind === 'frame' && this.#next - end < FED_FRAMES * FRAME_SAMPLES;
    this.#drop();
    return isFed ? this.#frame(first, 'feed', 0) : null;
  }

  #drop(): void {
    const first = this.#queue.first!;
    const end = first.position + first.samples;
    if (end > this.#over) {
      this.lostSamples += this.#missingBefore(first);
      this.skippedSamples += end - Math.max(first.position, this.#over);
      this.#over = end;
    }
    this.#queue.dropFirst();
  }

  /** What is missing for good, now that `first` is played or left out. The time between talkspurts is not. */
  #missingBefore(first: QueuedEntry): Samples {
    if (first.starts === 'talkspurt' || (this.#state === 'idle' && this.#ending === 'ended')) return 0;
    return Math.max(0, first.position - this.#over);
  }

  #playFrame(first: QueuedEntry, now: Milliseconds, at: Samples): Popped {
    const end = first.position + first.samples;
    const start = this.#next;
    const delay = this.#delay.of(start, now, at);
    this.lostSamples += this.#missingBefore(first);
    this.skippedSamples += start - Math.max(first.position, this.#over);
    if (start > first.position) this.#seam = 'jump';
    this.#next = end;
    this.#over = end;
    this.#queue.dropFirst();
    this.#lastFrame = first.bytes <= DTX_BYTES ? 'dtx' : 'speech';

    if (
      this.#lastFrame === 'dtx' &&
      this.#delay.spareMs(delay, at, first.samples) >= msOfSamples(end - start)
    ) {
      this.skippedSamples += end - start;
      this.#seam = 'jump';
      return this.#frame(first, 'feed', 0);
    }
    const popped = this.#frame(first, 'frame', end - start);
    popped.position = start;
    popped.seam = this.#seam;
    popped.concealedBefore = this.#concealed;
    popped.excess = this.#delay.excess(delay, at, first.samples);
    this.#seam = 'none';
    this.#concealed = 0;
    return popped;
  }

  /** @returns null when all of it was left out. */
  #playSilence(first: QueuedEntry, now: Milliseconds, at: Samples, room: Samples): Popped | null {
    this.lostSamples += this.#missingBefore(first);
    this.#queue.cutFirst(this.#next - first.position);
    this.#over = this.#next;
    const spare = samplesOfMs(this.#delay.spareMs(this.#delay.of(this.#next, now, at), at, FRAME_SAMPLES));
    if (spare < 0) return this.#silence(Math.min(room, -spare), this.#next, 0);
    const cut = Math.min(first.samples, spare);
    const played = Math.min(room, first.samples - cut);
    this.#next += cut + played;
    this.#over = this.#next;
    this.#queue.cutFirst(cut + played);
    if (first.samples === 0) this.#queue.dropFirst();
    return played > 0 ? this.#silence(played, this.#next - played, played) : null;
  }

  /** Nothing is there, and something is due. */
  #concealMissing(): Popped {
    if (this.#concealed === 0 && this.#lastFrame === 'speech') this.underruns += 1;
    this.#mayResume = 'yes';
    const popped = this.#conceal(CONCEALED_AT_ONCE, null);
    popped.sound = this.#lastFrame;
    return popped;
  }

  /** What is due was lost: what comes after it is there. */
  #concealGap(first: QueuedEntry, gap: Samples, now: Milliseconds, at: Samples): Popped {
    let left = gap;
    if (this.#concealed >= FADED) {
      // Nothing is heard any more: a good place to catch up.
      const spare = samplesOfMs(this.#delay.spareMs(this.#delay.of(this.#next, now, at), at, FRAME_SAMPLES));
      const cut = Math.max(0, Math.min(gap - 1, spare));
      this.#next += cut;
      left -= cut;
    }
    const samples = left % FRAME_SAMPLES || FRAME_SAMPLES;
    const isRepeated =
      left === FRAME_SAMPLES && first.follows === 'frame' && hasInbandFec(first.data, first.bytes);
    const popped = this.#conceal(samples, isRepeated ? first : null);
    this.lostSamples += this.#next - this.#over;
    this.#over = this.#next;
    return popped;
  }

  #conceal(samples: Samples, next: QueuedEntry | null): Popped {
    const popped = fillPopped(this.#popped, 'conceal', next, this.#next, samples);
    popped.sound = 'speech';
    popped.seam = this.#seam;
    popped.concealedBefore = this.#concealed;
    this.#seam = 'none';
    this.#next += samples;
    this.#concealed += samples;
    return popped;
  }

  #silence(samples: Samples, position: Samples | null, mediaSamples: Samples): Popped {
    const popped = fillPopped(this.#popped, 'silence', null, position, samples);
    popped.mediaSamples = mediaSamples;
    popped.seam = 'jump';
    this.#seam = 'jump';
    this.#lastFrame = 'dtx';
    return popped;
  }

  #frame(frame: QueuedEntry, kind: 'frame' | 'feed', samples: Samples): Popped {
    const popped = fillPopped(this.#popped, kind, frame, frame.position, samples);
    popped.sound = frame.bytes <= DTX_BYTES ? 'dtx' : 'speech';
    if (!this.#recordings.beginsWith(frame)) return popped;
    popped.decoder = 'resets';
    this.#seam = 'jump';
    return popped;
  }

  readonly #restart = (): void => {
    while (this.#queue.first) this.#drop();
    this.#over = Number.NEGATIVE_INFINITY;
    this.#recordings.restart();
    this.#stop('ended');
  };

  readonly #makeRoom = (): void => {
    this.overflowedFrames += 1;
    this.#drop();
    this.#next = Math.max(this.#next, this.#over);
    this.#seam = 'jump';
  };
}
