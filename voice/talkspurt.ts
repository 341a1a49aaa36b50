/**
 * Numbers a speaker's packets and finds the first and the last of each talkspurt.
 *
 * Steam ends a recording simply by having no more packets, so the last one is recognised one poll too late. But the packets that
 * end a recording make no sound: the one with the end marker, and the silence behind it. Only such a packet is held back until the
 * next one or the end shows what it is. A Steam that sent neither would have no terminator; listeners then go by the silence.
 */

import { type MalformedPacket, type Packet, packetSamples, readPacket, silenceSamples } from './packet.js';
import { OP_BYTES, PACKET_OVERHEAD_BYTES, PacketWriter } from './packet_writer.js';
import { sequenceAfter, sequenceDelta, timestampAfter } from './sequence.js';
import { FRAME_SAMPLES, type Milliseconds, samplesOfMs, VOICE_RATE_HZ } from './units.js';

/** A packet with its place in the stream: everything that the speaker writes into the wire header, except the target. */
export interface NumberedPacket {
  /** The caller's bytes, or a copy of them if they were held back. */
  readonly packet: Uint8Array;
  readonly capturedAt: Milliseconds;
  readonly marker: boolean;
  readonly terminator: boolean;
  /** Counts voice frames, 16 bit, on through all talkspurts. */
  readonly sequence: number;
  /** Of the packet's first sample, in 24 kHz samples, 32 bit, on through silence and gaps. */
  readonly timestamp: number;
  /** Length of its sound at 24 kHz. Left out if unknown. */
  readonly samples?: number;
}

/** Whether the speaker's key is down, or up with Steam still recording the tail. */
export type TalkspurtPhase = 'talking' | 'draining';

/** Numbers the packets of one speaker. Pure: instants come in with the packets. */
export class TalkspurtNumberer {
  readonly #originAt: Milliseconds;
  #sequence = 0;
  #inTalkspurt = false;
  /** The media clock after the newest packet: unwrapped, in samples. */
  #nextTimestamp = 0;
  /** Opus sequence that the next frame should carry. */
  #nextOpusSequence = 0;
  #held: NumberedPacket | null = null;
  /** Of the newest packet. */
  #steamIdLow = 0;
  #steamIdHigh = 0;
  #capturedAt: Milliseconds = 0;
  /** Packets that could not be read, and so were not numbered. */
  malformed = 0;

  /** `originAt` is the instant at which the media clock was 0. */
  constructor(originAt: Milliseconds) {
    this.#originAt = originAt;
  }

  /** Whether the next packet belongs to a talkspurt that has begun. */
  get inTalkspurt(): boolean {
    return this.#inTalkspurt;
  }

  /**
   * Takes one packet of getVoice and returns what is ready to go out, zero to two packets. What is returned refers to `packet`; a
   * packet that is held back is copied.
   *
   * @param read What readPacket returned for `packet`, where the caller has it already.
   */
  push(
    packet: Uint8Array,
    capturedAt: Milliseconds,
    phase: TalkspurtPhase,
    read: Packet | MalformedPacket = readPacket(packet),
  ): NumberedPacket[] {
    if (read.kind === 'malformed') {
      this.malformed += 1;
      return [];
    }
    const ready = this.#flush('more follows');
    const samples = packetSamples(read);
    if (!this.#inTalkspurt) this.#nextTimestamp = this.#startOfTalkspurt(capturedAt, samples);
    const { timestamp, mayBeLast } = this.#advance(read);
    const numbered: NumberedPacket = {
      packet,
      capturedAt,
      marker: !this.#inTalkspurt,
      terminator: false,
      sequence: this.#sequence,
      timestamp: timestampAfter(0, timestamp),
      samples,
    };
    this.#inTalkspurt = true;
    this.#steamIdLow = read.steamIdLow;
    this.#steamIdHigh = read.steamIdHigh;
    this.#capturedAt = capturedAt;
    this.#sequence = sequenceAfter(this.#sequence);
    if (phase === 'draining' && mayBeLast) this.#held = { ...numbered, packet: new Uint8Array(packet) };
    else ready.push(numbered);
    return ready;
  }

  /** Ends the talkspurt: returns the packet that was held back, now as its terminator, if there was one. */
  end(): NumberedPacket[] {
    this.#inTalkspurt = false;
    return this.#flush('that was all');
  }

  /**
   * Ends the talkspurt although the speaker goes on, for example to speak to others: the next packet begins a new one. Returns its
   * terminator: the packet that was held back, or, since the last one is already sent, a packet without sound that is made here.
   * Returns nothing outside a talkspurt.
   */
  cut(): NumberedPacket[] {
    if (!this.#inTalkspurt) return [];
    if (this.#held) return this.end();
    this.#inTalkspurt = false;
    const terminator: NumberedPacket = {
      packet: soundless(this.#steamIdLow, this.#steamIdHigh),
      capturedAt: this.#capturedAt,
      marker: false,
      terminator: true,
      sequence: this.#sequence,
      timestamp: timestampAfter(0, this.#nextTimestamp),
      samples: 0,
    };
    this.#sequence = sequenceAfter(this.#sequence);
    return [terminator];
  }

  #flush(reason: 'more follows' | 'that was all'): NumberedPacket[] {
    const held = this.#held;
    this.#held = null;
    return held ? [{ ...held, terminator: reason === 'that was all' }] : [];
  }

  /** The packet ends at its capture time. Never goes back into what was already numbered. */
  #startOfTalkspurt(capturedAt: Milliseconds, samples: number): number {
    return Math.max(this.#nextTimestamp, samplesOfMs(capturedAt - this.#originAt) - samples);
  }

  /** Moves the media clock past a packet. Frames that were lost on the way still take up time. */
  #advance(packet: Packet): { timestamp: number; mayBeLast: boolean } {
    let timestamp: number | null = null;
    let hasFrames = false;
    let hasEnd = false;
    for (const op of packet.ops) {
      if (op.kind === 'silence') {
        timestamp ??= this.#nextTimestamp;
        this.#nextTimestamp += silenceSamples(op.samples, op.sampleRateHz);
      }
      if (op.kind !== 'opus') continue;
      for (const item of op.frames) {
        if (item.kind === 'end') {
          hasEnd = true;
          this.#nextOpusSequence = 0;
          continue;
        }
        const lost =
          this.#inTalkspurt || hasFrames ? sequenceDelta(this.#nextOpusSequence, item.sequence) : 0;
        this.#nextTimestamp += Math.max(0, lost) * FRAME_SAMPLES;
        timestamp ??= this.#nextTimestamp;
        this.#nextTimestamp += item.samples;
        this.#nextOpusSequence = sequenceAfter(item.sequence);
        hasFrames = true;
      }
    }
    return { timestamp: timestamp ?? this.#nextTimestamp, mayBeLast: hasEnd || !hasFrames };
  }
}

/** A packet without sound, in the form of Steam's smallest: a rate and a silence, here of zero samples. */
function soundless(steamIdLow: number, steamIdHigh: number): Uint8Array {
  const writer = new PacketWriter();
  writer.begin(new Uint8Array(PACKET_OVERHEAD_BYTES + 2 * OP_BYTES), steamIdLow, steamIdHigh);
  writer.sampleRate(VOICE_RATE_HZ);
  writer.silence(0);
  return writer.finish();
}
