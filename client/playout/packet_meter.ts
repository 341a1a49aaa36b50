/**
 * How loud a player is, from their Steam Voice packets: for the microphone, which Steam gives as packets only. What others say has its level
 * in `LobbyPlayout.level`.
 */

import { type Level, LevelMeter } from '../../voice/mixing/level_meter.js';
import { VOICE_RATE_HZ } from '../../voice/units.js';
import { MAX_DECODED_SAMPLES, VoiceDecoder } from '../../wasm/decompress.js';

/** About 18 kB of the codec's memory until `close()`. Call `initCodec` or `loadCodec` first. */
export class PacketMeter {
  readonly #decoder = new VoiceDecoder(VOICE_RATE_HZ);
  readonly #meter = new LevelMeter();
  readonly #pcm = new Int16Array(MAX_DECODED_SAMPLES);

  /** Measures the next packet, as `Publisher`'s `publish` gets it; what cannot be read is left out. Takes some 0.05 ms per 20 ms of sound. */
  take(packet: Uint8Array): Level {
    const { samples } = this.#decoder.decompress(packet, this.#pcm);
    this.#meter.update(this.#pcm, samples);
    return this.level();
  }

  /** The level after the last packet. It falls only with packets: with the key up, show nothing. */
  level(): Level {
    return this.#meter.level();
  }

  /** Frees the decoder. A second call does nothing; `take` throws afterwards. */
  close(): void {
    this.#decoder.free();
  }
}
