/** A Steam for the capture worker whose microphone always hears a tone: what is heard first was said right after the key went down. */

import { EmbeddedSteam } from '../../native/embedded/steam.js';
import type { VoiceInput } from '../../native/embedded/voice_input.js';
import type { VoiceSource } from '../../native/voice_source.js';
import { type Milliseconds, VOICE_RATE_HZ } from '../../voice/units.js';

const TONE_HZ = 1000;

class Tone implements VoiceInput {
  readonly ended = false;
  #at = 0;

  begin(): void {}

  read(target: Int16Array): number {
    for (let i = 0; i < target.length; i++, this.#at++)
      target[i] = Math.round(8000 * Math.sin((2 * Math.PI * TONE_HZ * this.#at) / VOICE_RATE_HZ));
    return target.length;
  }

  close(): void {}
}

export function openVoiceSource(
  { steamId }: { readonly steamId: bigint },
  clock: () => Milliseconds,
): VoiceSource {
  return new EmbeddedSteam({ steamId, hangoverMs: 0 }, { clock, input: new Tone() });
}
