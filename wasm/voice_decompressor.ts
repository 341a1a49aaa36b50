/**
 * decompressVoice for everyone: packets of any speakers, one decoder per SteamID and rate.
 *
 * The class reference's function, and a typed form. Decoders that are no longer used are dropped, and their number is bounded, because a
 * SteamID costs its sender nothing.
 */

import { readU32 } from '../voice/bytes.js';
import { steamIdHigh, steamIdLow } from '../voice/steam_id.js';
import { BYTES_PER_SAMPLE, type Milliseconds } from '../voice/units.js';
import { VoiceResult } from '../voice/voice_result.js';
import { checkDecompressRate, type Decompressed, type DecompressedPcm, VoiceDecoder } from './decompress.js';
import { checkArray, freed, isCodecReady } from './module.js';

/** Answer of the class reference's decompressVoice. */
export interface DecompressedVoice {
  readonly result: VoiceResult;
  /** Bytes in `uncompressed`; with VOICE_RESULT_BUFFER_TOO_SMALL the bytes that a second call must allow. */
  readonly size: number;
  /** PCM, mono, signed 16 bit little-endian: a copy that the caller owns. Empty unless `result` is OK. */
  readonly uncompressed: Uint8Array;
}

/** Default of decompressVoice's `buffer_size_override`, in bytes: 0.43 s at 24 kHz. */
export const DECOMPRESS_BUFFER_BYTES = 20_480;

/** The clock, and how many decoders are kept for how long. */
export interface VoiceDecompressorOptions {
  /** The monotonic clock that decides when decoders are idle. */
  readonly clock: () => Milliseconds;
  /**
   * Decoders at a time (one more while a new one decodes its first packet), 1 to 65536. Default 64; beyond it the one idle for longest is
   * dropped. Each takes about 20 kB; those of a resampled rate share a filter.
   */
  readonly maxDecoders?: number;
  /** A decoder unused for this long, in ms, is dropped with one of the next packets, 1000 to 3600000. Default 60000. */
  readonly idleMs?: Milliseconds;
}

interface Entry {
  readonly decoder: VoiceDecoder;
  /** When it last decoded a packet; refused ones do not count. */
  readonly usedAt: Milliseconds;
}

/**
 * Decodes the packets of any number of speakers. Pass each packet once and in its speaker's order. Dropping a decoder does no harm: the
 * speaker's next frame counts as its first.
 */
export class VoiceDecompressor {
  readonly #clock: () => Milliseconds;
  readonly #maxDecoders: number;
  readonly #idleMs: Milliseconds;
  /** In order of use, the least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Idle ones are looked for only now and then: a map from whose front entries are always deleted is slow to read there. */
  #sweepAt: Milliseconds = Number.NEGATIVE_INFINITY;
  #isFreed = false;

  /** @throws TypeError for an unknown option or a wrong clock; RangeError for an option out of range. */
  constructor(options: VoiceDecompressorOptions) {
    const { clock, maxDecoders = 64, idleMs = 60_000, ...unknown } = options ?? {};
    for (const name of Object.keys(unknown)) {
      const wanted = 'expected one of clock, maxDecoders, idleMs';
      throw new TypeError(`Cannot make VoiceDecompressor: unknown option "${name}", ${wanted}`);
    }
    if (!(Number.isInteger(maxDecoders) && maxDecoders >= 1 && maxDecoders <= 65_536)) {
      throw new RangeError(
        `Cannot make VoiceDecompressor: maxDecoders is ${maxDecoders}, expected 1 to 65536`,
      );
    }
    if (!(idleMs >= 1000 && idleMs <= 3_600_000)) {
      throw new RangeError(`Cannot make VoiceDecompressor: idleMs is ${idleMs}, expected 1000 to 3600000`);
    }
    if (typeof clock !== 'function') {
      throw new TypeError(`Cannot make VoiceDecompressor: clock is ${typeof clock}, expected a function`);
    }
    this.#clock = clock;
    this.#maxDecoders = maxDecoders;
    this.#idleMs = idleMs;
  }

  /** Decoders held now. */
  get decoders(): number {
    return this.#entries.size;
  }

  /**
   * The class reference's function: one call, one packet. Its result is VOICE_RESULT_OK, BUFFER_TOO_SMALL (nothing has changed: call again
   * with room for `size`), DATA_CORRUPTED, UNSUPPORTED_CODEC, or NOT_INITIALIZED before `initCodec` and after `free()`.
   *
   * @param sample_rate In Hz, 11025 to 48000.
   * @param buffer_size_override Bytes of room for PCM; anything but a number above 0 counts as 0.
   * @throws TypeError unless `voice` is a Uint8Array; HotmicError ERR_HOTMIC_SAMPLE_RATE for any other rate.
   */
  decompressVoice(
    voice: Uint8Array,
    sample_rate: number,
    buffer_size_override = DECOMPRESS_BUFFER_BYTES,
  ): DecompressedVoice {
    checkDecompressRate(sample_rate);
    checkArray('decompress voice: voice', voice, Uint8Array);
    if (!isCodecReady() || this.#isFreed) {
      return {
        result: VoiceResult.VOICE_RESULT_NOT_INITIALIZED,
        size: 0,
        uncompressed: new Uint8Array(0),
      };
    }
    const maxSamples = Math.max(0, Math.floor(buffer_size_override / BYTES_PER_SAMPLE)) || 0;
    const { result, samples, pcm } = this.decompressPcm(voice, sample_rate, maxSamples);
    return { result, size: samples * BYTES_PER_SAMPLE, uncompressed: new Uint8Array(pcm.buffer) };
  }

  /**
   * Decodes a packet into `out` from `outOffset`, as `VoiceDecoder.decompress` does: for callers with their own memory.
   *
   * @throws RangeError for an offset outside `out`; HotmicError ERR_HOTMIC_SAMPLE_RATE unless the rate is a whole number from 11025 to
   *   48000, ERR_HOTMIC_CODEC before `initCodec` and after `free()`.
   */
  decompress(packet: Uint8Array, sampleRateHz: number, out: Int16Array, outOffset = 0): Decompressed {
    return this.#with(packet, sampleRateHz, (decoder) => decoder.decompress(packet, out, outOffset));
  }

  /**
   * Decodes a packet into new memory of the right size, as `VoiceDecoder.decompressPcm` does.
   *
   * @param maxSamples More than this is BUFFER_TOO_SMALL. Default: the limit of 3 s per packet.
   * @throws As `decompress`.
   */
  decompressPcm(packet: Uint8Array, sampleRateHz: number, maxSamples?: number): DecompressedPcm {
    return this.#with(packet, sampleRateHz, (decoder) => decoder.decompressPcm(packet, maxSamples));
  }

  /** Drops the decoders of a speaker who has left. */
  forget(steamId: bigint): void {
    const speaker = `${steamIdLow(steamId)}:${steamIdHigh(steamId)}:`;
    for (const key of this.#entries.keys()) if (key.startsWith(speaker)) this.#drop(key);
  }

  /** Frees all memory. */
  free(): void {
    for (const key of this.#entries.keys()) this.#drop(key);
    this.#isFreed = true;
  }

  /** Decodes with the packet's decoder: the one kept from before, or a new one, which is kept if it decodes. */
  #with<Answer extends Decompressed>(
    packet: Uint8Array,
    sampleRateHz: number,
    decompress: (decoder: VoiceDecoder) => Answer,
  ): Answer {
    if (this.#isFreed) throw freed('VoiceDecompressor');
    checkArray('decompress: packet', packet, Uint8Array);
    const now = this.#clock();
    this.#dropIdle(now);
    const key = packet.length < 8 ? '' : `${readU32(packet, 0)}:${readU32(packet, 4)}:${sampleRateHz}`;
    let known = this.#entries.get(key);
    if (known !== undefined && now - known.usedAt > this.#idleMs) {
      this.#drop(key);
      known = undefined;
    }
    // A new one checks the rate, and uses none of the codec's memory before it decodes.
    const decoder = known?.decoder ?? new VoiceDecoder(sampleRateHz);
    const answer = decompress(decoder);
    if (answer.result === VoiceResult.VOICE_RESULT_OK) {
      this.#entries.delete(key);
      this.#entries.set(key, { decoder, usedAt: now });
      if (this.#entries.size > this.#maxDecoders) this.#drop(this.#entries.keys().next().value!);
    }
    return answer;
  }

  #dropIdle(now: Milliseconds): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + this.#idleMs / 8;
    for (const [key, { usedAt }] of this.#entries) {
      if (now - usedAt <= this.#idleMs) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#entries.get(key)?.decoder.free();
    this.#entries.delete(key);
  }
}
