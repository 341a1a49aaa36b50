/**
 * Joins a lobby and decodes everyone in it: a lobby and a receiver, tied together. This is what a game embeds.
 */

import type { HotmicError } from '../voice/error.js';
import { loadCodec } from '../wasm/load.js';
import { deferred } from './deferred.js';
import { joinLobby } from './lobby/join.js';
import type { Lobby, LobbyEvents, LobbyOptions } from './lobby/lobby.js';
import type { Participant } from './lobby_state.js';
import { type DecodedVoice, Receiver, type ReceiverOptions } from './receiver.js';
import type { VoiceTarget } from './voice_target.js';

export interface JoinVoiceOptions extends Omit<LobbyOptions, 'events'> {
  /** The sound of one voice frame, who spoke it, and whom it is for. `voice.pcm` is valid during the call. */
  readonly onDecoded: (participant: Participant, voice: DecodedVoice, target: VoiceTarget) => void;
  /** What else the lobby tells; its voice frames go to the receiver. */
  readonly events?: Omit<LobbyEvents, 'onVoice'>;
  /** Latency side channel: see `ReceiverOptions`. */
  readonly onStages?: NonNullable<ReceiverOptions['onStages']>;
}

export interface Voice {
  readonly lobby: Lobby;
  /** For its counts. Closed when the lobby is over. */
  readonly receiver: Receiver;
  /** Resolves when the connection is over: null when we left, else why. */
  readonly ended: Promise<HotmicError | null>;
}

/** Joins and listens. @throws as `joinLobby` does. */
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
        // The slot may have been someone else's, whose sequence says nothing about this one's.
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
