/**
 * `--json`: one JSON object per line on standard output. docs/terminal.md has every event and field; both are append-only.
 *
 * Bounds: the budget of lines, and what a reader who does not read leaves in the pipe. Lines beyond are left out and counted.
 */

import type { Lobby } from '../../client/lobby/lobby.js';
import type { Member, Participant } from '../../client/session/lobby_state.js';
import type { VoiceTarget } from '../../client/session/voice_target.js';
import type { LobbyView, Measures, ViewOptions } from './view.js';

/** The most that waits for a reader. */
const MAX_WAITING_BYTES = 1024 * 1024;

const STATUS_MS = 1000;

export interface JsonView extends LobbyView {
  /** Prints an event of the command's own. */
  emit(event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Where the lines go: standard output. */
export interface JsonOutput {
  write(text: string): unknown;
  readonly writableLength: number;
}

export function jsonView(
  { member, now, lines }: ViewOptions,
  output: JsonOutput = process.stdout,
  unixMs: () => number = Date.now,
): JsonView {
  const startedAt = now();
  const targets = new Map<number, VoiceTarget>();
  const here = new Map<number, bigint>();
  let status: NodeJS.Timeout | undefined;

  const emit = (event: string, fields: Readonly<Record<string, unknown>>) => {
    if (output.writableLength > MAX_WAITING_BYTES) lines.leftOut += 1;
    else if (lines.take()) {
      const head = { event, unixMs: unixMs(), elapsedMs: Math.round(now() - startedAt) };
      output.write(`${JSON.stringify({ ...head, ...fields })}\n`);
    }
  };
  const present = ({ slot, steamId }: Participant) => here.set(slot, steamId);
  const emitStatus = (measures: Measures) => {
    const speakers = [...here].flatMap(([slot, steamId]) => {
      const levelDb = measures.levelDb(slot);
      if (levelDb === null) return [];
      const loss = measures.lossShare(slot);
      return {
        slot,
        steamId: String(steamId),
        levelDb: rounded(levelDb, 1),
        delayMs: rounded(measures.delayMs(slot), 1),
        lossPercent: loss === null ? null : rounded(100 * loss, 2),
      };
    });
    const sizeBytes = measures.sizeBytes();
    if (speakers.length > 0 || sizeBytes) emit('status', { speakers, sizeBytes });
  };

  return {
    emit,
    events: {
      onWelcome: (lobby: Lobby) => {
        if (member.channel.length > 0) lobby.enter(member.channel);
        for (const participant of lobby.participants) present(participant);
        const { slot, steamId } = lobby.you;
        const participants = lobby.participants.map(participantFields);
        emit('welcome', {
          lobby: member.lobby,
          name: member.name,
          slot,
          steamId: String(steamId),
          participants,
        });
      },
      onJoined: (participant) => {
        present(participant);
        emit('joined', { participant: participantFields(participant) });
      },
      onLeft: (participant) => {
        here.delete(participant.slot);
        targets.delete(participant.slot);
        emit('left', { participant: participantFields(participant) });
      },
      onSpeaking: ({ slot, steamId, name, speaking }) => {
        const target = targets.get(slot) ?? 'lobby';
        const to = typeof target === 'string' ? { to: target } : { to: 'channel', channel: target.channel };
        emit('speaking', { slot, steamId: String(steamId), name, speaking, ...to });
      },
      onChanged: (participant) => {
        present(participant);
        emit('changed', { participant: participantFields(participant) });
      },
      onFailed: (code, message) => emit('request-refused', { code, message }),
      onDraining: (withinMs, goTo) => emit('draining', { withinMs, goTo }),
      onRedirectRefused: (goTo, reason) => emit('redirect-refused', { goTo, reason }),
      onReconnecting: ({ message }) => emit('reconnecting', { message }),
      onResumed: (how) => emit('resumed', { as: how === 'resumed' ? 'same' : 'new' }),
    },
    heard: ({ slot }, target) => targets.set(slot, target),
    measure: (measures) => {
      clearInterval(status);
      status = setInterval(() => emitStatus(measures), STATUS_MS).unref();
    },
    sound: ({ kind, ...fields }) => emit('sound', { state: kind, ...fields }),
    trackFailed: (name, code, message) => emit('track-failed', { name, code, message }),
    end: () => clearInterval(status),
    dropped: (counts) => {
      const positive = Object.entries(counts).filter(([, count]) => count > 0);
      if (positive.length > 0) emit('dropped', { counts: Object.fromEntries(positive) });
    },
  };
}

function participantFields({ recordingSince, ...member }: Member & { readonly speaking?: boolean }) {
  const { slot, steamId, name, channels, speaking } = member;
  const { muted, deafened, away, priority, moderator, guest, spectator } = member;
  return {
    ...{ slot, steamId: String(steamId), name, channels, speaking },
    ...{ muted, deafened, away, priority, moderator, guest, spectator },
    recordingSinceUnixS: recordingSince,
  };
}

function rounded(value: number | null, digits: number): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toFixed(digits));
}
