/**
 * A lobby and its playout, by slot: what `hotmic listen` shows and plays. It needs the counters of each, which `joinVoice`, what games embed, has
 * in another form.
 */

import { monotonicMs } from '../client/clock.js';
import type { Lobby, LobbyOptions } from '../client/lobby/lobby.js';
import { LobbyPlayout, type LobbyPlayoutOptions } from '../client/playout/lobby_playout.js';
import type { Participant } from '../client/session/lobby_state.js';
import { joinWithSink } from '../client/voice_sink.js';
import type { HotmicError } from '../voice/error.js';
import { loadCodec } from '../wasm/load.js';

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
  loadCodec();
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
        take: (_, header, packet) => playout.push(header, packet, monotonicMs()),
        forget: (slot) => playout.forget(slot),
        retire: (slot) => playout.retire(slot),
        close: () => playout.close(),
      },
    );
    return { lobby, playout, pull: (out) => playout.pull(out, monotonicMs()), ended };
  } catch (thrown) {
    playout.close();
    throw thrown;
  }
}
