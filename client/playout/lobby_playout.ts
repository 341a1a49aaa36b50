/**
 * What a player hears of a lobby: a jitter buffer and decoder for each speaker, and one mix.
 *
 * Push voice frames as they arrive, pull what the sound output asks for. Time is an argument: the same code plays live, in a worker, or
 * faster than real time from what was stored. docs/playout.md says when what is played, docs/mixing.md how it is mixed.
 *
 * Bounds: `maxSpeakers` speakers with a decoder. Settings and positions of 1000 people.
 */

import { readU32 } from '../../voice/bytes.js';
import type { Level } from '../../voice/mixing/level_meter.js';
import { type MixerOptions, PlayoutMixer } from '../../voice/mixing/mixer.js';
import type { SpeakerSettings } from '../../voice/mixing/speaker_settings.js';
import type { SoundKind } from '../../voice/mixing/speaker_strip.js';
import type { Pose, Vector } from '../../voice/mixing/vector.js';
import { JitterBuffer } from '../../voice/playout/jitter_buffer.js';
import type { DelayBounds } from '../../voice/playout/playout_delay.js';
import { type Milliseconds, type Samples, samplesOfMs } from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';
import type { FrameDecoding } from '../../wasm/frame_decoder.js';
import { type PlayoutCounts, SpeakerPlayout } from './speaker_playout.js';

/** The most people in a lobby: settings and positions are kept for as many, whether or not they speak. */
const MOST_PEOPLE = 1000;

/** How a lobby is played: the bounds of the delay, and the mix. */
export interface LobbyPlayoutOptions extends DelayBounds, Omit<MixerOptions, 'maxSpeakers'> {
  /** Speakers with a decoder at a time, 1 to 1000. Default 64. For one more, the speaker heard longest ago loses theirs. */
  readonly maxSpeakers?: number;
  /** Makes the decoder of a speaker, whose SteamID comes as two halves. Default: a `FrameDecoder`. */
  readonly makeDecoder?: (steamIdLow: number, steamIdHigh: number) => FrameDecoding;
}

interface Speaker {
  readonly steamIdLow: number;
  readonly steamIdHigh: number;
  readonly playout: SpeakerPlayout;
  /** `leaving`: heard once more, fading out. */
  state: 'here' | 'leaving';
}

/** A speaker who leaves in the middle of a word fades out over this, or over a pull if that is shorter. */
const LEAVING_FADE: Samples = samplesOfMs(10);

/** Plays all speakers of a lobby at 24 kHz. Call `initCodec` or `loadCodec` first. */
export class LobbyPlayout {
  readonly #options: LobbyPlayoutOptions;
  readonly #mixer: PlayoutMixer;
  readonly #maxSpeakers: number;
  /** By slot, the most recently heard last. */
  readonly #speakers = new Map<number, Speaker>();
  /** The counters of the latest `maxSpeakers` speakers who left. */
  readonly #retired = new Map<number, PlayoutCounts>();
  /** What one speaker adds to a pull. */
  #pcm = new Int16Array(0);
  /** The mix that `pullEach` gives to nobody. */
  #unheard = new Int16Array(0);
  #state: 'open' | 'closed' = 'open';
  /** How often a speaker lost their decoder to another speaker. */
  evictedSpeakers = 0;

  /** @throws RangeError for an option out of its range. */
  constructor(options: LobbyPlayoutOptions = {}) {
    this.#options = options;
    this.#maxSpeakers = options.maxSpeakers ?? 64;
    if (!(this.#maxSpeakers >= 1 && this.#maxSpeakers <= MOST_PEOPLE)) {
      throw new RangeError(`Cannot play: maxSpeakers is ${this.#maxSpeakers}, expected 1 to ${MOST_PEOPLE}`);
    }
    this.#mixer = new PlayoutMixer({ ...options, maxSpeakers: MOST_PEOPLE });
    // Wrong bounds must not wait for the first speaker.
    new JitterBuffer(options);
  }

  /** 1, or 2: then what `pull` writes is interleaved, left first. */
  get channels(): 1 | 2 {
    return this.#options.channels ?? 1;
  }

  /**
   * Takes a voice frame that arrived: of `onVoice` of a lobby. `packet` may be any bytes; it is copied. Nothing happens after `close`.
   *
   * @param arrivedAtMs On the clock of `pull`.
   */
  push(header: VoiceHeader, packet: Uint8Array, arrivedAtMs: Milliseconds): void {
    if (this.#state === 'closed') return;
    const { playout } = this.#speaker(header.slot, packet);
    if (this.#mixer.audibility(header.slot) === 'inaudible') playout.pass(header, packet, arrivedAtMs);
    else playout.push(header, packet, arrivedAtMs);
  }

  /**
   * Writes the mix of everybody to all of `out`; zeros where nobody speaks, and after `close`.
   *
   * Real-time: no allocation after warm-up, except for numbers that the engine boxes. About 0.05 ms for each speaker and 20 ms.
   *
   * @param out `channels` samples for each instant, 24,000 instants a second. 5 to 20 ms are usual; longer ones cost delay.
   * @param nowMs Instants never go back.
   * @returns `out`.
   */
  pull(out: Int16Array, nowMs: Milliseconds): Int16Array {
    const samples: Samples = out.length / this.channels;
    if (!Number.isInteger(samples)) {
      throw new RangeError(
        `Cannot play: out has ${out.length} samples, expected an even number for 2 channels`,
      );
    }
    this.#pullAll(samples, nowMs);
    this.#mixer.finish(out);
    return out;
  }

  /**
   * The next sound of each speaker, for engines that place and mix voices themselves: without volume, pan, distance and levelling. Who is muted
   * here, or out of range, is left out. Use this or `pull`, not both: each takes the sound away. Real-time as `pull`.
   *
   * @param samples How much: 24 kHz, 0 to 240,000.
   * @param take Called for each of `slots` who is to be heard, silent or not. `pcm` is mono, valid during the call.
   */
  pullEach(samples: Samples, nowMs: Milliseconds, take: (slot: number, pcm: Int16Array) => void): void {
    this.#pullAll(samples, nowMs, take);
    const mixed = samples * this.channels;
    if (this.#unheard.length !== mixed) this.#unheard = new Int16Array(mixed);
    // It also ends fades, and knows who has priority.
    this.#mixer.finish(this.#unheard);
  }

  /** Begins a mix and adds everybody. */
  #pullAll(samples: Samples, nowMs: Milliseconds, take?: (slot: number, pcm: Int16Array) => void): void {
    if (this.#pcm.length !== samples) this.#pcm = new Int16Array(samples);
    this.#mixer.begin(samples);
    for (const [slot, speaker] of this.#speakers) {
      const { playout } = speaker;
      const audibility = this.#mixer.audibility(slot);
      if (audibility === 'inaudible') {
        playout.abandon();
        if (speaker.state === 'leaving') this.#remove(slot);
        continue;
      }
      let kind: SoundKind = 'silence';
      for (const segment of playout.pull(this.#pcm, nowMs)) if (segment.kind !== 'silence') kind = 'voice';
      if (speaker.state === 'leaving') fadeOut(this.#pcm);
      this.#mixer.add(slot, this.#pcm, kind);
      if (take) {
        // The mix does it with its gain.
        if (audibility === 'fading') fadeOut(this.#pcm);
        take(slot, this.#pcm);
      }
      if (speaker.state === 'leaving') this.#remove(slot);
    }
  }

  /** Sets how a speaker is heard; what is not named stays. It may be set before they speak, and ends with `forget`. */
  set(slot: number, settings: SpeakerSettings): void {
    this.#mixer.set(slot, settings);
  }

  /** What is set for a speaker, with the defaults. */
  settings(slot: number): Required<SpeakerSettings> {
    return this.#mixer.settings(slot);
  }

  /** Where a speaker is; null for a voice that comes from nowhere, such as a team's radio. */
  setPosition(slot: number, position: Vector | null): void {
    this.#mixer.setPosition(slot, position);
  }

  /** Where we are, and where we look. */
  setListener(listener: Pose): void {
    this.#mixer.setListener(listener);
  }

  /** How loud a speaker is now, before volume and distance. */
  level(slot: number): Level {
    return this.#mixer.level(slot);
  }

  /** Samples that the limiter lowered, because the sum was above -3 dBFS. */
  get limitedSamples(): Samples {
    return this.#mixer.limitedSamples;
  }

  /** Counters of a speaker who was heard, otherwise null. After `retire` and `close` they are kept for the latest `maxSpeakers`. */
  counts(slot: number): PlayoutCounts | null {
    return this.#speakers.get(slot)?.playout.counts() ?? this.#retired.get(slot) ?? null;
  }

  /** Of everybody who is heard now. */
  get slots(): readonly number[] {
    return [...this.#speakers.keys()];
  }

  /**
   * Frees the decoder of a speaker who left, and forgets their settings, but keeps the counters. If they are heard at this moment, that is
   * at the end of the next pull, in which they fade out.
   */
  retire(slot: number): void {
    const speaker = this.#speakers.get(slot);
    if (speaker?.playout.isSounding && this.#mixer.audibility(slot) !== 'inaudible')
      speaker.state = 'leaving';
    else this.#remove(slot);
  }

  #remove(slot: number): void {
    const speaker = this.#speakers.get(slot);
    const counts = speaker?.playout.counts();
    this.forget(slot);
    if (!counts) return;
    this.#retired.set(slot, counts);
    if (this.#retired.size > this.#maxSpeakers) this.#retired.delete(this.#retired.keys().next().value!);
  }

  /** Forgets everything about a speaker: the slot now belongs to someone else. */
  forget(slot: number): void {
    this.#drop(slot);
    this.#retired.delete(slot);
    this.#mixer.forget(slot);
  }

  /** Frees all decoders. A second call does nothing. WebAssembly memory is not garbage-collected, so a playout that is never closed leaks it. */
  close(): void {
    for (const slot of this.slots) this.#remove(slot);
    this.#state = 'closed';
  }

  #drop(slot: number): void {
    this.#speakers.get(slot)?.playout.close();
    this.#speakers.delete(slot);
  }

  /** The speaker in `slot`, now the most recently heard. A packet with another SteamID is from another speaker; the settings stay. */
  #speaker(slot: number, packet: Uint8Array): Speaker {
    // Too short for a SteamID: refused when it is read, and nobody new.
    const known = this.#speakers.get(slot);
    const isReadable = packet.length >= 8;
    const steamIdLow = isReadable ? readU32(packet, 0) : (known?.steamIdLow ?? 0);
    const steamIdHigh = isReadable ? readU32(packet, 4) : (known?.steamIdHigh ?? 0);
    const isSame = known?.steamIdLow === steamIdLow && known.steamIdHigh === steamIdHigh;
    if (known && isSame && known.state === 'here') {
      this.#speakers.delete(slot);
      this.#speakers.set(slot, known);
      return known;
    }
    this.#drop(slot);
    this.#retired.delete(slot);
    if (this.#speakers.size >= this.#maxSpeakers) {
      this.#drop(this.#speakers.keys().next().value!);
      this.evictedSpeakers += 1;
    }
    const { makeDecoder } = this.#options;
    const speaker = {
      steamIdLow,
      steamIdHigh,
      playout: new SpeakerPlayout(this.#options, makeDecoder && (() => makeDecoder(steamIdLow, steamIdHigh))),
      state: 'here',
    } as const;
    this.#speakers.set(slot, speaker);
    return speaker;
  }
}

/** Fades the beginning of `pcm` out, and silences the rest. */
function fadeOut(pcm: Int16Array): void {
  const length = Math.min(LEAVING_FADE, pcm.length);
  for (let at = 0; at < length; at++) pcm[at] = Math.trunc((pcm[at]! * (length - at - 1)) / length);
  pcm.fill(0, length);
}
