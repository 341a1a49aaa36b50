/** Joins a lobby and gives its voice to whatever decodes it. */

import { deferred } from '../voice/deferred.js';
import type { HotmicError } from '../voice/error.js';
import { joinLobby } from './lobby/join.js';
import type { Lobby, LobbyEvents, LobbyOptions } from './lobby/lobby.js';
import type { LobbyIo } from './platform/platform.js';

/** What decodes voice, with something to free for each speaker. */
export interface VoiceSink {
  readonly take: NonNullable<LobbyEvents['onVoice']>;
  /** The slot now belongs to someone else. */
  forget(slot: number): void;
  /** The speaker left; the counters are kept. */
  retire(slot: number): void;
  /** The membership ended. */
  close(): void;
}

/** A membership with a sink. */
export interface JoinedSink {
  readonly lobby: Lobby;
  /** Resolves when the membership ends: with null when we left, otherwise with the reason. */
  readonly ended: Promise<HotmicError | null>;
}

/** Joins a lobby. The sink is called before the callbacks of `options.events`. @throws the same errors as `joinLobby`. */
export async function joinWithSink(
  options: LobbyOptions,
  sink: VoiceSink,
  io?: LobbyIo,
): Promise<JoinedSink> {
  const { events = {} } = options;
  const ended = deferred<HotmicError | null>();
  const told: LobbyEvents = {
    ...events,
    onJoined: (participant) => {
      // The slot may have belonged to someone else: this is a new voice.
      sink.forget(participant.slot);
      events.onJoined?.(participant);
    },
    onLeft: (participant) => {
      sink.retire(participant.slot);
      events.onLeft?.(participant);
    },
    onVoice: (participant, header, packet, target) => {
      sink.take(participant, header, packet, target);
      events.onVoice?.(participant, header, packet, target);
    },
    onEnded: (error) => {
      sink.close();
      events.onEnded?.(error);
      ended.resolve(error);
    },
  };
  const lobby = await joinLobby({ ...options, events: told }, io);
  return { lobby, ended: ended.promise };
}
