/**
 * Decodes voice frames to sound as they arrive, in order, with one decoder per speaker: for recorders and analysis. Missing frames are
 * concealed when the frame behind them arrives.
 *
 * A WebSocket keeps order, so a frame that arrives after its successor was sent twice: it is counted and dropped. To play the sound in
 * time, use a `LobbyPlayout`.
 *
 * Bounds: `maxSpeakers` decoders, and twice as much sound per second as that many speakers make. Anything beyond is counted.
 */

import { PLATFORM } from '#platform';
import { readU32 } from '../voice/bytes.js';
import { FrameOrder } from '../voice/recording/frame_order.js';
import { timestampAfter } from '../voice/sequence.js';
import { TokenBucket } from '../voice/token_bucket.js';
import { FRAME_SAMPLES, type Milliseconds, type Samples, VOICE_RATE_HZ } from '../voice/units.js';
import { VoiceResult } from '../voice/voice_result.js';
import type { VoiceHeader } from '../voice/wire.js';
import { MAX_DECODED_SAMPLES, VoiceDecoder } from '../wasm/decompress.js';

/** The sound of one voice frame. */
export interface DecodedVoice {
  readonly slot: number;
  readonly marker: boolean;
  readonly terminator: boolean;
  readonly sequence: number;
  /** Timestamp of the first sample of `pcm`, which is a concealed sample after a loss. */
  readonly timestamp: number;
  readonly relayTimeMs: number;
  /** Mono at 24 kHz; valid during the call. */
  readonly pcm: Int16Array;
  readonly concealedFrames: number;
}

/** Counters of one speaker. */
export interface SpeakerCounts {
  readonly packets: number;
  readonly decodedFrames: number;
  readonly concealedFrames: number;
  /**
   * Voice frames that never arrived, by the gaps in their sequence within talkspurts. A gap between talkspurts does not count: the target
   * may have changed there, so the missing frames may have been for others. `LobbyCounts.framesMissed` includes losses there.
   */
  readonly lost: number;
  /** Voice frames that arrived after their successor. */
  readonly late: number;
  /** Packets that decompressVoice refused. */
  readonly refused: number;
  readonly samples: number;
}

/** Who gets the sound, and how many speakers are decoded. */
export interface ReceiverOptions {
  /** Called with the sound of each frame as soon as it is decoded. */
  readonly onDecoded: (voice: DecodedVoice) => void;
  /** Speakers at a time, 1 to 1000. Default 64: a whole lobby. One more replaces the speaker who has been silent for longest. */
  readonly maxSpeakers?: number;
  /** Latency side channel: a frame arrived and was decoded at these instants. */
  readonly onStages?: (
    slot: number,
    sequence: number,
    arrivedAt: Milliseconds,
    decodedAt: Milliseconds,
  ) => void;
  /** Clock for `onStages` and for the bound on sound per second. Default: CLOCK_MONOTONIC in ms. */
  readonly clock?: () => Milliseconds;
}

/** Bound on decoded sound, times `maxSpeakers`, for all speakers together: 2 s per second, and 10 s at once after the network stalled. */
const SOUND_PER_SECOND: Samples = 2 * VOICE_RATE_HZ;
const SOUND_AT_ONCE: Samples = 10 * VOICE_RATE_HZ;

interface Speaker {
  readonly steamIdLow: number;
  readonly steamIdHigh: number;
  readonly decoder: VoiceDecoder;
  readonly order: FrameOrder;
  counts: { -readonly [name in keyof SpeakerCounts]: number };
}

/** Decodes all speakers of a lobby at 24 kHz. Call `initCodec` or `loadCodec` first. */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #maxSpeakers: number;
  readonly #speakers = new Map<number, Speaker>();
  /** The counters of the latest `maxSpeakers` speakers who left. */
  readonly #retired = new Map<number, SpeakerCounts>();
  readonly #pcm = new Int16Array(MAX_DECODED_SAMPLES);
  readonly #clock: () => Milliseconds;
  /** The samples that may be decoded now. */
  readonly #budget: TokenBucket;
  /** How often a speaker lost their decoder to another speaker. */
  evictedSpeakers = 0;
  /** Voice frames that were not decoded, because more sound arrived than that many speakers make. */
  refusedFrames = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#maxSpeakers = options.maxSpeakers ?? 64;
    if (!(this.#maxSpeakers >= 1 && this.#maxSpeakers <= 1000)) {
      throw new RangeError(`Cannot receive: maxSpeakers is ${this.#maxSpeakers}, expected 1 to 1000`);
    }
    this.#clock = options.clock ?? PLATFORM.now;
    const perSecond = this.#maxSpeakers * SOUND_PER_SECOND;
    this.#budget = new TokenBucket(perSecond, this.#maxSpeakers * SOUND_AT_ONCE, this.#clock());
  }

  /** Decodes one voice frame. `packet` is only read during the call. */
  take(header: VoiceHeader, packet: Uint8Array): void {
    const { onStages } = this.#options;
    const arrivedAt = this.#clock();
    // A frame without sound costs work too.
    if (!this.#budget.has(1, arrivedAt)) {
      this.refusedFrames += 1;
      return;
    }
    this.#budget.take(FRAME_SAMPLES);
    const speaker = this.#speaker(header.slot, packet);
    const { counts } = speaker;
    counts.packets += 1;
    const taken = speaker.order.take(header);
    counts.lost = speaker.order.lost;
    counts.late = speaker.order.late;
    if (taken === 'late') return;
    if (taken === 'restart') speaker.decoder.reset();

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

  /**
   * Counters of a speaker that was heard, otherwise null. After `retire` and `close` they are kept for the latest `maxSpeakers` speakers.
   */
  counts(slot: number): SpeakerCounts | null {
    const counts = this.#speakers.get(slot)?.counts ?? this.#retired.get(slot);
    return counts ? { ...counts } : null;
  }

  /** Frees the decoder of a speaker who left, but keeps the counters. The next frame from that slot counts as its first. */
  retire(slot: number): void {
    const speaker = this.#speakers.get(slot);
    if (!speaker) return;
    this.forget(slot);
    this.#retired.set(slot, speaker.counts);
    if (this.#retired.size > this.#maxSpeakers) this.#retired.delete(this.#retired.keys().next().value!);
  }

  /** Frees a speaker's decoder and drops the counters: the slot now belongs to someone else. */
  forget(slot: number): void {
    this.#speakers.get(slot)?.decoder.free();
    this.#speakers.delete(slot);
    this.#retired.delete(slot);
  }

  /** Frees all decoders. WebAssembly memory is not garbage-collected, so a receiver that is never closed leaks it. */
  close(): void {
    for (const slot of [...this.#speakers.keys()]) this.retire(slot);
  }

  /** The speaker in `slot`, now the most recently heard. A packet with another SteamID is from another speaker. */
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
      order: new FrameOrder(),
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
