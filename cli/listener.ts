/**
 * A listener in a lobby, as listen, record and demo use it: joins, decodes everyone, and tells who speaks.
 */

import { joinLobby, type Lobby } from '../client/lobby.js';
import { type DecodedVoice, Receiver, type ReceiverOptions } from '../client/receiver.js';
import type { Participant } from '../client/session.js';
import type { HotmicError } from '../voice/error.js';
import { loadCodec } from '../wasm/load.js';
import type { MemberOptions } from './options.js';

export interface ListenerOptions extends MemberOptions {
  readonly url: string;
  readonly onDecoded: (participant: Participant, voice: DecodedVoice) => void;
  /** Someone is there, or began or ceased to speak. */
  readonly onParticipant?: (participant: Participant) => void;
  readonly onLeft?: (participant: Participant) => void;
  /** We are in; before anything else is told. */
  readonly onWelcome?: (lobby: Lobby) => void;
  readonly onStages?: NonNullable<ReceiverOptions['onStages']>;
}

export interface Listener {
  readonly lobby: Lobby;
  readonly receiver: Receiver;
  /** Resolves when the connection is over: null when we left, else why. */
  readonly ended: Promise<HotmicError | null>;
}

/** Joins and listens. @throws as joinLobby. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  loadCodec();
  let speaker: Participant | null = null;
  const receiver = new Receiver({
    ...(options.onStages ? { onStages: options.onStages } : {}),
    onDecoded: (voice) => {
      if (speaker) options.onDecoded(speaker, voice);
    },
  });
  let sayEnd: (error: HotmicError | null) => void = () => undefined;
  const ended = new Promise<HotmicError | null>((resolve) => {
    sayEnd = resolve;
  });
  const lobby = await joinLobby({
    ...options,
    events: {
      onWelcome: (lobby) => options.onWelcome?.(lobby),
      onJoined: (participant) => {
        // The slot may have been someone else's, whose sequence says nothing about this one's.
        receiver.forget(participant.slot);
        options.onParticipant?.(participant);
      },
      onSpeaking: (participant) => options.onParticipant?.(participant),
      onLeft: (participant) => options.onLeft?.(participant),
      onVoice: (participant, header, packet) => {
        speaker = participant;
        receiver.take(header, packet);
      },
      onEnded: (error) => sayEnd(error),
    },
  });
  for (const participant of lobby.participants) options.onParticipant?.(participant);
  return { lobby, receiver, ended };
}
