/** Requests to the relay. They are checked before they are sent, because the relay disconnects a client whose message it cannot read. */

import {
  LABEL,
  MAX_CHANNELS_ENTERED,
  MAX_SANCTION_S,
  MAX_WHISPERED,
  type ModerateMessage,
} from '../../voice/control.js';
import type { SessionRequest } from './session_io.js';
import type { VoiceTarget } from './voice_target.js';

/** What a moderator does to a player, whether or not that player is in the lobby. docs/protocol.md describes each action. */
export type Moderation =
  /** `seconds` until it expires, 1 to 315360000. Default: 30 days. */
  | { readonly action: 'mute' | 'deafen' | 'ban'; readonly steamId: bigint; readonly seconds?: number }
  | {
      readonly action: 'unmute' | 'undeafen' | 'unban' | 'kick' | 'prioritize' | 'unprioritize';
      readonly steamId: bigint;
    }
  /** Moves the player into exactly these channels, at most 16. */
  | { readonly action: 'move'; readonly steamId: bigint; readonly channels: readonly string[] };

const ACTIONS: readonly Moderation['action'][] = [
  'mute',
  'deafen',
  'ban',
  'unmute',
  'undeafen',
  'unban',
  'kick',
  'prioritize',
  'unprioritize',
  'move',
];

/** @param what What cannot be done, as in `join: name`. @throws RangeError for an invalid label. */
export function checkLabel(what: string, text: string): void {
  if (typeof text === 'string' && LABEL.test(text)) return;
  throw new RangeError(
    `Cannot ${what} is ${JSON.stringify(text)}, expected 1 to 64 characters without control characters`,
  );
}

/** @throws TypeError for an invalid target. */
export function checkTarget(target: VoiceTarget): void {
  if (target === 'lobby' || target === 'whisper') return;
  if (typeof target === 'object' && target !== null && typeof target.channel === 'string') return;
  throw new TypeError(
    `Cannot speak: the target is ${JSON.stringify(target)}, expected 'lobby', 'whisper' or { channel }`,
  );
}

export function channelsRequest(channels: readonly string[]): SessionRequest {
  return { type: 'channels', channels: checkedChannels('enter', channels) };
}

export function whisperRequest(slots: readonly number[]): Extract<SessionRequest, { type: 'whisper' }> {
  if (slots.length > MAX_WHISPERED) {
    throw new RangeError(`Cannot whisper: ${slots.length} slots, expected at most ${MAX_WHISPERED}`);
  }
  const wrong = slots.find((slot) => !Number.isInteger(slot) || slot < 0 || slot > 0xffff);
  if (wrong !== undefined) throw new RangeError(`Cannot whisper: slot is ${wrong}, expected 0 to 65535`);
  return { type: 'whisper', slots: [...slots] };
}

export function renameRequest(name: string): SessionRequest {
  checkLabel('rename: name', name);
  return { type: 'rename', name };
}

/** @throws TypeError unless it is a boolean. */
export function recordingRequest(recording: boolean): SessionRequest {
  if (typeof recording !== 'boolean') {
    throw new TypeError(`Cannot announce a recording: ${JSON.stringify(recording)}, expected true or false`);
  }
  return { type: 'recording', recording };
}

export function moderateRequest(moderation: Moderation): ModerateMessage {
  const { action, steamId } = moderation;
  if (!ACTIONS.includes(action)) {
    throw new TypeError(
      `Cannot moderate: action is ${JSON.stringify(action)}, expected one of ${ACTIONS.join(', ')}`,
    );
  }
  if (typeof steamId !== 'bigint') {
    throw new TypeError(`Cannot moderate: steamId is a ${typeof steamId}, expected a bigint`);
  }
  if (steamId < 1n || BigInt.asUintN(64, steamId) !== steamId) {
    throw new RangeError(`Cannot moderate: steamId is ${steamId}, expected 1 to 2^64 - 1`);
  }
  const whom = { type: 'moderate', steamId: String(steamId) } as const;
  switch (moderation.action) {
    case 'move':
      return { ...whom, action: 'move', channels: checkedChannels('move', moderation.channels) };
    case 'mute':
    case 'deafen':
    case 'ban': {
      const { seconds } = moderation;
      if (seconds === undefined) return { ...whom, action: moderation.action };
      if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SANCTION_S) {
        throw new RangeError(`Cannot moderate: seconds is ${seconds}, expected 1 to ${MAX_SANCTION_S}`);
      }
      return { ...whom, action: moderation.action, seconds };
    }
    default:
      return { ...whom, action: moderation.action };
  }
}

function checkedChannels(what: string, channels: readonly string[]): string[] {
  if (channels.length > MAX_CHANNELS_ENTERED) {
    throw new RangeError(
      `Cannot ${what}: ${channels.length} channels, expected at most ${MAX_CHANNELS_ENTERED}`,
    );
  }
  for (const channel of channels) checkLabel(`${what}: channel`, channel);
  if (new Set(channels).size !== channels.length) {
    throw new RangeError(`Cannot ${what}: channels are ${channels.join(', ')}, expected each only once`);
  }
  return [...channels];
}
