/**
 * Someone in a lobby: what the relay knows of them, and how it tells of them. Lobby alone changes what is not readonly.
 */

import type { ParticipantInfo, RelayMessageToWrite } from '../../voice/control.js';
import { parseSteamId, steamIdHigh, steamIdLow } from '../../voice/steam_id.js';
import { TokenBucket } from '../../voice/token_bucket.js';
import type { Milliseconds } from '../../voice/units.js';
import { Target } from '../../voice/wire.js';
import type { AddressKey } from './address_key.js';
import type { Rights } from './credential.js';
import type { ConnectionId } from './io.js';
import type { RelayLimits } from './limits.js';
import type { Channel, Lobby } from './lobby.js';
import type { Sanctioned } from './sanctions.js';

export interface Participant {
  readonly lobby: Lobby;
  readonly slot: number;
  /** In decimal; the halves are what the frame path compares. */
  readonly steamId: string;
  readonly steamIdLow: number;
  readonly steamIdHigh: number;
  readonly rights: Rights;
  readonly kind: 'player' | 'guest';
  /** Their place is counted for this address: that of the connection which joined. Null where addresses are not counted. */
  readonly address: AddressKey | null;
  /** Who owns the game, in decimal, when that is another account: what is set against the owner holds for them as well. */
  readonly ownerSteamId: string | null;
  /** Null while they are away. */
  connection: ConnectionId | null;
  name: string;
  muted: boolean;
  deafened: boolean;
  priority: boolean;
  channels: readonly Channel[];
  /** To whom their frames with the whisper target go. */
  whisperTo: readonly Participant[];
  /** Who whispers to them: the same, seen from there. */
  whisperedBy: readonly Participant[];
  /** What their connection is subscribed to. */
  topics: readonly string[];
  /** The target of the talkspurt under way; null while they are silent. */
  speakingTo: number | null;
  /** When the last voice frame that went through came. */
  heardAt: Milliseconds;
  /** When the next change of theirs that everyone is told of would be due if they came evenly. */
  changeDueAt: Milliseconds;
  /** When the next of their talkspurts would be due if they came evenly. */
  talkspurtDueAt: Milliseconds;
  /** Of the frames that they whispered. */
  whisperSequence: number;
  /** When they went away; of no meaning while they are here. */
  awaySince: Milliseconds;
  /** Gets them their place back; null where there is no resuming. Secret. */
  resumeSecret: string | null;
  /** When their credential ends; infinite without an end. */
  readonly expiresAt: Milliseconds;
  readonly frames: TokenBucket;
  readonly bytes: TokenBucket;
  readonly soundMs: TokenBucket;
}

/** Who joins. */
export interface Joiner {
  readonly connection: ConnectionId;
  readonly steamId: string;
  readonly kind: Participant['kind'];
  readonly name: string;
  readonly rights: Rights;
  /** Infinite without an end. */
  readonly expiresAt: Milliseconds;
  readonly address: Participant['address'];
  readonly ownerSteamId: Participant['ownerSteamId'];
}

/** Somebody who comes in under this slot. @throws RangeError for a SteamID that is none. */
export function newParticipant(
  lobby: Lobby,
  slot: number,
  joiner: Joiner,
  sanctioned: Sanctioned,
  limits: RelayLimits,
  now: Milliseconds,
): Participant {
  const steamId = parseSteamId(joiner.steamId);
  if (steamId === null) {
    throw new RangeError(`Cannot join ${lobby.name}: SteamID is ${joiner.steamId}, expected it in decimal`);
  }
  return {
    lobby,
    slot,
    steamId: joiner.steamId,
    steamIdLow: steamIdLow(steamId),
    steamIdHigh: steamIdHigh(steamId),
    rights: joiner.rights,
    kind: joiner.kind,
    address: joiner.address,
    ownerSteamId: joiner.ownerSteamId,
    connection: joiner.connection,
    name: joiner.name,
    muted: sanctioned.muted,
    deafened: sanctioned.deafened,
    priority: joiner.rights.priority,
    channels: NO_CHANNELS,
    whisperTo: NOBODY,
    whisperedBy: NOBODY,
    topics: NO_TOPICS,
    speakingTo: null,
    heardAt: now,
    changeDueAt: now,
    talkspurtDueAt: now,
    whisperSequence: 0,
    awaySince: now,
    resumeSecret: null,
    expiresAt: joiner.expiresAt,
    frames: new TokenBucket(limits.framesPerSecond, limits.frameBurst, now),
    bytes: new TokenBucket(limits.bytesPerSecond, limits.byteBurst, now),
    soundMs: new TokenBucket(limits.soundMsPerSecond, limits.soundBurstMs, now),
  };
}

const NOBODY: readonly Participant[] = [];
const NO_CHANNELS: readonly Channel[] = [];
const NO_TOPICS: readonly string[] = [];

type StateToWrite = Extract<RelayMessageToWrite, { type: 'joined' }>['participant'];

/** A participant as the relay tells of it: what is so by default is left out. */
export function stateOf(participant: Participant): StateToWrite {
  const { slot, steamId, name, channels, muted, deafened, connection, priority, rights, kind } = participant;
  return {
    slot,
    steamId,
    name,
    ...(channels.length > 0 && { channels: channels.map(({ number }) => number) }),
    ...(muted && { muted }),
    ...(deafened && { deafened }),
    ...(connection === null && { away: true }),
    ...(priority && { priority }),
    ...(rights.moderator && { moderator: true }),
    ...(kind === 'guest' && { guest: true }),
    ...(!rights.maySpeak && { spectator: true }),
  };
}

/** The same for a welcome: and whether they speak to this viewer. */
export function infoFor(
  viewer: Participant,
  participant: Participant,
): StateToWrite & Pick<ParticipantInfo, 'speaking'> {
  return { ...stateOf(participant), speaking: speaksTo(participant, viewer) };
}

/** Whether `listener` is told that `speaker` speaks: who is where their frames go, deafened or not. */
export function speaksTo({ speakingTo, whisperTo }: Participant, listener: Participant): boolean {
  switch (speakingTo) {
    case null:
      return false;
    case Target.lobby:
      return true;
    case Target.whisper:
      return whisperTo.includes(listener);
    default:
      return listener.channels.some(({ number }) => number === speakingTo);
  }
}
