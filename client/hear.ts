/** Joins a lobby and plays everyone in it: a lobby combined with a playout. This is what most games embed. */

import { PLATFORM } from '#platform';
import type { HotmicError } from '../voice/error.js';
import type { Lobby, LobbyOptions } from './lobby/lobby.js';
import { LobbyPlayout, type LobbyPlayoutOptions } from './playout/lobby_playout.js';
import type { Participant } from './session/lobby_state.js';
import { joinWithSink } from './voice_sink.js';

export interface HearLobbyOptions extends LobbyOptions {
  /** How it is played and mixed. */
  readonly playout?: LobbyPlayoutOptions;
}

/** What we hear of a lobby. */
export interface Hearing {
  readonly lobby: Lobby;
  /** To set volumes, positions and so on, and for its counters. Whoever has priority in the lobby has it here. It closes with the membership. */
  readonly playout: LobbyPlayout;
  /**
   * Fills `out` with what is to be heard next, at 24 kHz, and returns it: call it whenever the sound output needs samples, best every 5 to 20 ms.
   * Interleaved with two channels. Real-time. After the end it gives silence.
   */
  pull(out: Int16Array): Int16Array;
  /** Resolves when the membership ends: with null when we left, otherwise with the reason. */
  readonly ended: Promise<HotmicError | null>;
}

/** Joins a lobby to hear it. @throws the same errors as `joinLobby`; RangeError for a playout option out of its range. */
export async function hearLobby(options: HearLobbyOptions): Promise<Hearing> {
  const starting = PLATFORM.startCodec();
  if (starting) await starting;
  const playout = new LobbyPlayout(options.playout);
  const { events = {} } = options;
  const note = ({ slot, priority }: Participant) => {
    if (priority || playout.settings(slot).priority === 'priority')
      playout.set(slot, { priority: priority ? 'priority' : 'none' });
  };
  try {
    const { lobby, ended } = await joinWithSink(
      {
        ...options,
        events: {
          ...events,
          onWelcome: (lobby) => {
            for (const participant of lobby.participants) note(participant);
            events.onWelcome?.(lobby);
          },
          onJoined: (participant) => {
            note(participant);
            events.onJoined?.(participant);
          },
          onChanged: (participant, before) => {
            note(participant);
            events.onChanged?.(participant, before);
          },
        },
      },
      {
        take: (_, header, packet) => playout.push(header, packet, PLATFORM.now()),
        forget: (slot) => playout.forget(slot),
        retire: (slot) => playout.retire(slot),
        close: () => playout.close(),
      },
    );
    return { lobby, playout, pull: (out) => playout.pull(out, PLATFORM.now()), ended };
  } catch (thrown) {
    playout.close();
    throw thrown;
  }
}
