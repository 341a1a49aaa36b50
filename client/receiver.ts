/**
 * Turns voice frames back into sound: one decoder a speaker, in order, what is missing concealed.
 *
 * A WebSocket keeps order, so a frame that comes behind its successor was sent twice: it is counted and dropped. Smoothing
 * over time is the business of whoever plays the sound.
 *
 * Bounds: `maxSpeakers` decoders, and twice as much sound per second as so many speakers make. What comes beyond it is counted.
 */

import { readU32 } from '../voice/bytes.js';
import { sequenceAfter, sequenceDelta, timestampAfter } from '../voice/sequence.js';
import { TokenBucket } from '../voice/token_bucket.js';
import { FRAME_SAMPLES, type Milliseconds, type Samples, VOICE_RATE_HZ } from '../voice/units.js';
import { VoiceResult } from '../voice/voice_result.js';
import type { VoiceHeader } from '../voice/wire.js';
import { MAX_DECODED_SAMPLES, VoiceDecoder } from '../wasm/decompress.js';
import { monotonicMs } from './clock.js';

/** The sound of one voice frame. */
export interface DecodedVoice {
  readonly slot: number;
  readonly marker: boolean;
  readonly terminator: boolean;
  readonly sequence: number;
  /** Of the first sample of `pcm`, which is a concealed one after a loss. */
  readonly timestamp: number;
  readonly relayTimeMs: number;
  /** Mono at 24 kHz; valid during the call. */
  readonly pcm: Int16Array;
  readonly concealedFrames: number;
}

/** What a receiver has counted for one speaker. */
export interface SpeakerCounts {
  readonly packets: number;
  readonly decodedFrames: number;
  readonly concealedFrames: number;
  /**
   * Voice frames that never came, by the gaps in their sequence within talkspurts. Between talkspurts a gap is no loss: the target changes
   * only there, and what is missing may have been for others. `LobbyCounts.framesMissed` knows of those, too.
   */
  readonly lost: number;
  /** Voice frames that came behind their successor. */
  readonly late: number;
  /** Packets that decompressVoice refused. */
  readonly refused: number;
  readonly samples: number;
}

export interface ReceiverOptions {
  /** Takes the sound of each frame as soon as it is decoded. */
  readonly onDecoded: (voice: DecodedVoice) => void;
  /** Speakers at a time, 1 to 1000. Default 64: a whole lobby. The one silent for longest makes room. */
  readonly maxSpeakers?: number;
  /** Latency side channel: a frame arrived and was decoded at these instants. */
  readonly onStages?: (
    slot: number,
    sequence: number,
    arrivedAt: Milliseconds,
    decodedAt: Milliseconds,
  ) => void;
  /** For `onStages` and the bound of the sound per second. Default CLOCK_MONOTONIC in ms. */
  readonly clock?: () => Milliseconds;
}

/** Sound that is decoded for each of `maxSpeakers`, all together: 2 s per second, and 10 s at once after a network that stalled. */
const SOUND_PER_SECOND: Samples = 2 * VOICE_RATE_HZ;
const SOUND_AT_ONCE: Samples = 10 * VOICE_RATE_HZ;

interface Speaker {
  readonly steamIdLow: number;
  readonly steamIdHigh: number;
  readonly decoder: VoiceDecoder;
  expectedSequence: number | null;
  counts: { -readonly [name in keyof SpeakerCounts]: number };
}

/** Decodes all speakers of a lobby at 24 kHz. Wants `initCodec` or `loadCodec` before. */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #maxSpeakers: number;
  readonly #speakers = new Map<number, Speaker>();
  /** Of those who left, the latest `maxSpeakers`. */
  readonly #retired = new Map<number, SpeakerCounts>();
  readonly #pcm = new Int16Array(MAX_DECODED_SAMPLES);
  readonly #clock: () => Milliseconds;
  /** Samples that may be decoded. */
  readonly #budget: TokenBucket;
  /** Times that a speaker lost their decoder to another. */
  evictedSpeakers = 0;
  /** Voice frames that were not decoded, because more sound came than so many speakers make. */
  refusedFrames = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#maxSpeakers = options.maxSpeakers ?? 64;
    if (!(this.#maxSpeakers >= 1 && this.#maxSpeakers <= 1000)) {
      throw new RangeError(`Cannot receive: maxSpeakers is ${this.#maxSpeakers}, expected 1 to 1000`);
    }
    this.#clock = options.clock ?? monotonicMs;
    const perSecond = this.#maxSpeakers * SOUND_PER_SECOND;
    this.#budget = new TokenBucket(perSecond, this.#maxSpeakers * SOUND_AT_ONCE, this.#clock());
  }

  /** Takes one voice frame. `packet` is only read during the call. */
  take(header: VoiceHeader, packet: Uint8Array): void {
    const { onStages } = this.#options;
    const arrivedAt = this.#clock();
    // A frame of no sound is work, too.
    if (!this.#budget.has(1, arrivedAt)) {
      this.refusedFrames += 1;
      return;
    }
    this.#budget.take(FRAME_SAMPLES);
    const speaker = this.#speaker(header.slot, packet);
    const { counts } = speaker;
    counts.packets += 1;
    if (speaker.expectedSequence !== null) {
      const ahead = sequenceDelta(speaker.expectedSequence, header.sequence);
      if (ahead !== 0 && header.marker) {
        // Ahead: they spoke to others in between, as far as we can know. Behind: they left and came back, and count anew. Neither is to
        // be concealed.
        speaker.decoder.reset();
      } else if (ahead >= 0) {
        counts.lost += ahead;
      } else {
        counts.late += 1;
        return;
      }
    }
    speaker.expectedSequence = sequenceAfter(header.sequence);

    const decompressed = speaker.decoder.decompress(packet, this.#pcm);
    const { result, samples, concealedFrames, leadingConcealedFrames, decodedFrames } = decompressed;
    if (result !== VoiceResult.VOICE_RESULT_OK) {
      counts.refused += 1;
      return;
    }
    this.#budget.take(Math.max(0, samples - FRAME_SAMPLES));
    counts.decodedFrames += decodedFrames;
    counts.concealedFrames += concealedFrames;
    counts.samples += samples;
    onStages?.(header.slot, header.sequence, arrivedAt, this.#clock());
    const { slot, marker, terminator, sequence, relayTimeMs } = header;
    const timestamp = timestampAfter(header.timestamp, -leadingConcealedFrames * FRAME_SAMPLES);
    const pcm = this.#pcm.subarray(0, samples);
    this.#options.onDecoded({
      slot,
      marker,
      terminator,
      sequence,
      timestamp,
      relayTimeMs,
      pcm,
      concealedFrames,
    });
  }

  /** Counts of a speaker that was heard, or null. They stay after `retire` and `close`, those of the latest `maxSpeakers` speakers. */
  counts(slot: number): SpeakerCounts | null {
    const counts = this.#speakers.get(slot)?.counts ?? this.#retired.get(slot);
    return counts ? { ...counts } : null;
  }

  /** Frees the decoder of a speaker who left, and keeps the counts. The next frame from that slot counts as a first one. */
  retire(slot: number): void {
    const speaker = this.#speakers.get(slot);
    if (!speaker) return;
    this.forget(slot);
    this.#retired.set(slot, speaker.counts);
    if (this.#retired.size > this.#maxSpeakers) this.#retired.delete(this.#retired.keys().next().value!);
  }

  /** Frees a speaker's decoder and drops the counts: the slot is somebody else's now. */
  forget(slot: number): void {
    this.#speakers.get(slot)?.decoder.free();
    this.#speakers.delete(slot);
    this.#retired.delete(slot);
  }

  /** Frees all decoders. WebAssembly memory is not garbage-collected, so a receiver that is dropped unclosed keeps them for ever. */
  close(): void {
    for (const slot of [...this.#speakers.keys()]) this.retire(slot);
  }

  /** The speaker in `slot`, now the most recently heard. A slot that names another SteamID has another speaker. */
  #speaker(slot: number, packet: Uint8Array): Speaker {
    const steamIdLow = readU32(packet, 0);
    const steamIdHigh = readU32(packet, 4);
    let speaker = this.#speakers.get(slot);
    if (speaker && (speaker.steamIdLow !== steamIdLow || speaker.steamIdHigh !== steamIdHigh)) {
      this.forget(slot);
      speaker = undefined;
    }
    if (!speaker && this.#speakers.size >= this.#maxSpeakers) {
      this.forget(this.#speakers.keys().next().value!);
      this.evictedSpeakers += 1;
    }
    speaker ??= {
      steamIdLow,
      steamIdHigh,
      decoder: new VoiceDecoder(VOICE_RATE_HZ),
      expectedSequence: null,
      counts: {
        packets: 0,
        decodedFrames: 0,
        concealedFrames: 0,
        lost: 0,
        late: 0,
        refused: 0,
        samples: 0,
      },
    };
    this.#retired.delete(slot);
    this.#speakers.delete(slot);
    this.#speakers.set(slot, speaker);
    return speaker;
  }
}
