/** `joinVoice`: what a game embeds. */

import { PLATFORM } from '#platform';
import type { LobbyIo } from './platform/platform.js';
import { LobbyVoice } from './voice/lobby_voice.js';
import type { Voice, VoiceOptions } from './voice/voice.js';

/**
 * Joins a lobby to hear everyone in it and to talk. Resolves when the relay has admitted us and the microphone is open. From then on it
 * reconnects by itself.
 *
 * ```ts
 * const voice = await joinVoice({ url, lobby: 'den', name: 'Ada', token, microphone: capture });
 * voice.on('speaking', ({ participant }) => light(participant.name, participant.speaking));
 * sound.onSamplesNeeded = (out) => voice.pull(out);
 * key.onDown = () => voice.press();
 * key.onUp = () => voice.release();
 * ```
 *
 * @param io Clock, timer and randomness, for tests.
 * @throws RangeError or TypeError for an option out of its range.
 * @throws HotmicError ERR_HOTMIC_CODEC when the codec cannot be started, and the errors of `joinLobby`. What a function of the application
 *   throws, for a credential or the microphone, is passed on; then we have left again.
 */
export async function joinVoice(options: VoiceOptions, io: LobbyIo = PLATFORM): Promise<Voice> {
  const starting = PLATFORM.startCodec();
  if (starting) await starting;
  const voice = new LobbyVoice(options, io);
  await voice.join();
  return voice;
}
