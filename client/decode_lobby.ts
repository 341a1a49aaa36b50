/**
 * Joins a lobby and decodes everyone in it, each frame as soon as it arrives: for recorders and analysis. To play the sound, use `joinVoice`.
 */

import { PLATFORM } from '#platform';
import type { HotmicError } from '../voice/error.js';
import type { Lobby, LobbyEvents, LobbyOptions } from './lobby/lobby.js';
import { type DecodedVoice, Receiver, type ReceiverOptions } from './receiver.js';
import type { Participant } from './session/lobby_state.js';
import type { VoiceTarget } from './session/voice_target.js';
import { joinWithSink } from './voice_sink.js';

/** How to join, and who gets the sound. */
export interface DecodeLobbyOptions extends Omit<LobbyOptions, 'events'> {
  /** A voice frame was decoded: who spoke, the sound, and whom it is for. `voice.pcm` is valid during the call. */
  readonly onDecoded: (participant: Participant, voice: DecodedVoice, target: VoiceTarget) => void;
  /** The other callbacks of the lobby. Its voice frames go to the receiver. */
  readonly events?: Omit<LobbyEvents, 'onVoice'>;
  /** Latency side channel: see `ReceiverOptions`. */
  readonly onStages?: NonNullable<ReceiverOptions['onStages']>;
}

/** A lobby, and what decodes it. */
export interface DecodedLobby {
  readonly lobby: Lobby;
  /** For its counters. It is closed when the membership ends. */
  readonly receiver: Receiver;
  /** Resolves when the membership ends: with null when we left, otherwise with the reason. */
  readonly ended: Promise<HotmicError | null>;
}

/** Joins a lobby and decodes its voice. @throws the same errors as `joinLobby`. */
export async function decodeLobby(options: DecodeLobbyOptions): Promise<DecodedLobby> {
  const starting = PLATFORM.startCodec();
  if (starting) await starting;
  let spoken: { readonly by: Participant; readonly target: VoiceTarget } | null = null;
  const receiver = new Receiver({
    ...(options.onStages ? { onStages: options.onStages } : {}),
    onDecoded: (voice) => {
      if (spoken) options.onDecoded(spoken.by, voice, spoken.target);
    },
  });
  const { lobby, ended } = await joinWithSink(
    { staleVoice: 'keep', ...options },
    {
      take: (participant, header, packet, target) => {
        spoken = { by: participant, target };
        receiver.take(header, packet);
      },
      forget: (slot) => receiver.forget(slot),
      retire: (slot) => receiver.retire(slot),
      close: () => receiver.close(),
    },
  );
  return { lobby, receiver, ended };
}
