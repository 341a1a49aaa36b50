/**
 * A microphone of your own: give it PCM as it comes, from a page's AudioWorklet, an engine or a bot, and it makes Steam Voice packets in this
 * thread. Steam's own microphone is captured by `startCapture` of `hotmic/steam` instead.
 */

import { PLATFORM } from '#platform';
import { CaptureTag, endTag, nextRequest } from '../../voice/capture_tag.js';
import { MAX_PACKET_BYTES, type Milliseconds, samplesOfMs, VOICE_RATE_HZ } from '../../voice/units.js';
import { VoiceEncoder, type VoiceEncoderOptions } from '../../wasm/compress.js';
import type { MicrophoneProcessor } from '../../wasm/processing.js';
import type { LobbyIo } from '../platform/platform.js';
import { PacketQueue } from './packet_queue.js';
import type { CaptureHandle } from './publisher.js';

/** Whose voice it is, and what kind of PCM will come. */
export interface PcmMicrophoneOptions {
  /** The player: `voice.you.steamId`. The relay drops packets of others. */
  readonly steamId: bigint;
  /** Samples per second of the PCM, 8000 to 48000. Default 48000. */
  readonly sampleRateHz?: number;
  /** How long it goes on recording after key-up, in ms, 0 to 2000: most people let go too early. Default 200. */
  readonly hangoverMs?: Milliseconds;
  /**
   * Echo cancellation, noise suppression and gain control: of `hotmic/codec`, at the rate of the PCM. It also processes what comes while
   * nothing is recorded, so that it knows the room when the key goes down.
   */
  readonly processor?: MicrophoneProcessor;
  /** How it is encoded. */
  readonly encoder?: Omit<VoiceEncoderOptions, 'sampleRateHz'>;
}

/** If no PCM comes any more, the recording ends this much after the hangover. */
const PATIENCE_MS: Milliseconds = 500;

/** Holds an encoder in the codec's memory until `close()`. */
export class PcmMicrophone implements CaptureHandle {
  readonly ring = new PacketQueue();
  readonly #io: Pick<LobbyIo, 'now' | 'after'>;
  readonly #encoder: VoiceEncoder;
  readonly #rateHz: number;
  readonly #hangoverMs: Milliseconds;
  readonly #packet = new Uint8Array(MAX_PACKET_BYTES);
  readonly #processor: MicrophoneProcessor | null;
  /** What waits to be processed: the first `#waiting` samples. */
  readonly #frame: Float32Array;
  #waiting = 0;
  /** Processed samples that are still from before the key went down. */
  #early = 0;
  #pcm = new Int16Array(0);
  #state: 'off' | 'recording' | 'tail' | 'closed' = 'off';
  /** What is left of the tail, in samples at `#rateHz`. */
  #tail = 0;
  #request = 0;
  #cancelEnd: () => void = () => undefined;

  /**
   * @param io Clock and timer, for tests. The clock must be that of the voice.
   * @throws RangeError for an option out of its range; HotmicError ERR_HOTMIC_CODEC before `initCodec`: `joinVoice` starts it.
   */
  constructor(options: PcmMicrophoneOptions, io: Pick<LobbyIo, 'now' | 'after'> = PLATFORM) {
    const { steamId, sampleRateHz = 48_000, hangoverMs = 200, processor = null, encoder = {} } = options;
    if (!(hangoverMs >= 0 && hangoverMs <= 2000))
      throw new RangeError(`Cannot record: hangoverMs is ${hangoverMs}, expected 0 to 2000`);
    if (processor && processor.sampleRateHz !== sampleRateHz)
      throw new RangeError(
        `Cannot record: the processor has ${processor.sampleRateHz} Hz, expected ${sampleRateHz}`,
      );
    this.#processor = processor;
    this.#frame = new Float32Array(processor?.frameSamples ?? 0);
    this.#encoder = new VoiceEncoder(steamId, { ...encoder, sampleRateHz });
    this.#rateHz = sampleRateHz;
    this.#hangoverMs = hangoverMs;
    this.#io = io;
  }

  /**
   * The next sound, mono, of any length; best 5 to 20 ms. It is only read. What comes while nothing is recorded is dropped: no sound from
   * before the key went down is ever sent.
   *
   * @param pcm Signed 16 bit, or floats of which 1 is full scale; louder ones are clipped.
   */
  write(pcm: Int16Array | Float32Array): void {
    if (this.#state === 'closed') return;
    if (this.#processor) this.#process(this.#processor, pcm);
    else this.#record(pcm);
  }

  /** Key-down. `Publisher` and the voice call it. */
  startVoiceRecording(): number {
    this.#request = nextRequest(this.#request);
    if (this.#state === 'off') this.#early = this.#behind;
    if (this.#state !== 'closed') this.#state = 'recording';
    this.#cancelEnd();
    return this.#request;
  }

  /** Key-up: the recording goes on for the hangover. */
  stopVoiceRecording(): void {
    if (this.#state !== 'recording') return;
    this.#state = 'tail';
    this.#tail = Math.round((samplesOfMs(this.#hangoverMs) * this.#rateHz) / VOICE_RATE_HZ) + this.#behind;
    if (this.#tail === 0) this.#end();
    else this.#cancelEnd = this.#io.after(this.#hangoverMs + PATIENCE_MS, () => this.#end());
  }

  /** Ends what is recorded, and frees the encoder. A second call does nothing. */
  close(): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'off') this.#end();
    this.#state = 'closed';
    this.ring.close();
    this.#encoder.free();
  }

  /** How many samples will be recorded of what was written already. */
  get #behind(): number {
    return this.#processor ? this.#processor.delaySamples + this.#waiting : 0;
  }

  #process(processor: MicrophoneProcessor, pcm: Int16Array | Float32Array): void {
    const scale = pcm instanceof Int16Array ? 1 / 32_768 : 1;
    for (const sample of pcm) {
      this.#frame[this.#waiting] = sample * scale;
      this.#waiting += 1;
      if (this.#waiting < this.#frame.length) continue;
      processor.process(this.#frame);
      this.#waiting = 0;
      const early = this.#state === 'off' ? 0 : Math.min(this.#early, this.#frame.length);
      this.#early -= early;
      this.#record(this.#frame.subarray(early));
    }
  }

  #record(pcm: Int16Array | Float32Array): void {
    if (this.#state === 'off') return;
    const samples = this.#state === 'tail' ? Math.min(pcm.length, this.#tail) : pcm.length;
    this.#encoder.write(this.#signed(pcm, samples));
    this.#queuePackets();
    if (this.#state !== 'tail') return;
    this.#tail -= samples;
    if (this.#tail <= 0) this.#end();
  }

  #end(): void {
    this.#cancelEnd();
    this.#encoder.end();
    this.#state = 'tail';
    this.#queuePackets();
    this.#state = 'off';
    this.ring.push(new Uint8Array(0), this.#io.now(), endTag(this.#request));
  }

  #queuePackets(): void {
    const tag = this.#state === 'tail' ? CaptureTag.draining : CaptureTag.talking;
    const capturedAt = this.#io.now();
    for (let bytes = this.#read(); bytes > 0; bytes = this.#read())
      this.ring.push(this.#packet.subarray(0, bytes), capturedAt, tag);
  }

  #read(): number {
    return this.#encoder.read(this.#packet);
  }

  #signed(pcm: Int16Array | Float32Array, samples: number): Int16Array {
    if (pcm instanceof Int16Array) return pcm.subarray(0, samples);
    if (this.#pcm.length < samples) this.#pcm = new Int16Array(samples);
    for (let at = 0; at < samples; at++)
      this.#pcm[at] = Math.round(32_767 * Math.max(-1, Math.min(1, pcm[at]!)));
    return this.#pcm.subarray(0, samples);
  }
}
