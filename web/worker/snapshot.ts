/** What the page shows, read off the voice of a lobby. Pure. */

import type { Person, Voice, VoiceStatistics } from 'hotmic/client';
import type { Failure, Levels, LobbySnapshot, NetworkSample, PersonView } from './messages.js';

export function snapshotOf(voice: Voice): LobbySnapshot {
  const { state, you, participants, unlisted, channels, maySpeak, mayListen, isLive, isMuted, talkMode } =
    voice;
  return {
    ...{ state, unlisted, maySpeak, mayListen, isLive, isMuted, talkMode },
    you: { ...viewOf(you), speaking: isLive },
    people: participants.map((person) => {
      const { volumeDb, muted } = voice.settings(person.steamId);
      return {
        ...viewOf(person),
        speaking: person.speaking,
        blocked: person.blocked,
        volumeDb,
        silenced: muted === 'muted',
      };
    }),
    channels: [...channels],
  };
}

function viewOf(member: Voice['you'] | Person): PersonView {
  const { name, muted, deafened, away, moderator, guest, spectator } = member;
  return {
    ...{ name, muted, deafened, away, moderator, guest, spectator },
    steamId: String(member.steamId),
    channels: [...member.channels],
    recording: member.recordingSince !== null,
    ...{ speaking: false, blocked: false, volumeDb: 0, silenced: false },
  };
}

/** Of everybody who speaks. */
export function levelsOf(voice: Voice): Levels {
  const speaking = voice.participants.filter(({ speaking }) => speaking);
  return Object.fromEntries(speaking.map(({ steamId }) => [String(steamId), voice.level(steamId).rmsDb]));
}

/** The network since the last sample. */
export class NetworkMeter {
  #dueMs = 0;
  #lostMs = 0;
  #packets = 0;

  sample({ speakers }: VoiceStatistics): NetworkSample {
    const sum = (of: (speaker: (typeof speakers)[number]) => number) =>
      speakers.reduce((total, speaker) => total + of(speaker), 0);
    const packets = sum((speaker) => speaker.packets);
    const lostMs = sum(({ lostMs }) => lostMs);
    const PACKET_MS = 20;
    const dueMs = packets * PACKET_MS + lostMs;
    const isHeard = packets > this.#packets;
    const due = dueMs - this.#dueMs;
    const loss = due > 0 ? Math.max(0, (lostMs - this.#lostMs) / due) : 0;
    this.#dueMs = dueMs;
    this.#lostMs = lostMs;
    this.#packets = packets;
    if (!isHeard) return { delayMs: null, jitterMs: null, loss };
    return {
      delayMs: Math.max(...speakers.map(({ delayMs }) => delayMs)),
      jitterMs: Math.max(...speakers.map(({ jitterMs }) => jitterMs)),
      loss: Math.min(1, loss),
    };
  }
}

export function failureOf(thrown: unknown): Failure {
  const { code = 'ERR_HOTMIC', message = String(thrown) } = (thrown ?? {}) as {
    code?: string;
    message?: string;
  };
  return { code: String(code), message: String(message) };
}
