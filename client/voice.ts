/**
 * Joins a lobby and decodes everyone in it: a lobby combined with a receiver. This is what most games embed.
 */

import { deferred } from '../voice/deferred.js';
import type { HotmicError } from '../voice/error.js';
import { loadCodec } from '../wasm/load.js';
import { joinLobby } from './lobby/join.js';
import type { Lobby, LobbyEvents, LobbyOptions } from './lobby/lobby.js';
import type { Participant } from './lobby_state.js';
import { type DecodedVoice, Receiver, type ReceiverOptions } from './receiver.js';
import type { VoiceTarget } from './voice_target.js';

export interface JoinVoiceOptions extends Omit<LobbyOptions, 'events'> {
  /**
   * A voice frame was decoded: who spoke, the sound, and whom it is for. `voice.pcm` is valid during the call. A `Mixer` of `hotmic`
   * sums the speakers for a sound output.
   */
  readonly onDecoded: (participant: Participant, voice: DecodedVoice, target: VoiceTarget) => void;
  /** The other callbacks of the lobby. Its voice frames go to the receiver. */
  readonly events?: Omit<LobbyEvents, 'onVoice'>;
  /** Latency side channel: see `ReceiverOptions`. */
  readonly onStages?: NonNullable<ReceiverOptions['onStages']>;
}

export interface Voice {
  readonly lobby: Lobby;
  /** For its counters. It is closed when the membership ends. */
  readonly receiver: Receiver;
  /** Resolves when the membership ends: with null when we left, otherwise with the reason. */
  readonly ended: Promise<HotmicError | null>;
}

/** Joins a lobby and decodes its voice. @throws the same errors as `joinLobby`. */
export async function joinVoice(options: JoinVoiceOptions): Promise<Voice> {
  loadCodec();
  const { events = {} } = options;
  let spoken: { readonly by: Participant; readonly target: VoiceTarget } | null = null;
  const receiver = new Receiver({
    ...(options.onStages ? { onStages: options.onStages } : {}),
    onDecoded: (voice) => {
      if (spoken) options.onDecoded(spoken.by, voice, spoken.target);
    },
  });
  const ended = deferred<HotmicError | null>();
  const lobby = await joinLobby({
    ...options,
    events: {
      ...events,
      onJoined: (participant) => {
        // The slot may have belonged to someone else, whose sequence does not continue.
        receiver.forget(participant.slot);
        events.onJoined?.(participant);
      },
      onLeft: (participant) => {
        receiver.retire(participant.slot);
        events.onLeft?.(participant);
      },
      onVoice: (participant, header, packet, target) => {
        spoken = { by: participant, target };
        receiver.take(header, packet);
      },
      onEnded: (error) => {
        events.onEnded?.(error);
        receiver.close();
        ended.resolve(error);
      },
    },
  });
  return { lobby, receiver, ended: ended.promise };
}
