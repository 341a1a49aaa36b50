/**
 * Someone in a lobby: what the relay knows of them, as data.
 *
 * Each record is written by one file only, which is named above it; `readonly` stops all others. That file takes a writable view, such as
 * `const own: { presence: Presence } = member`.
 */

import { parseSteamId, steamIdHigh, steamIdLow } from '../../../voice/steam_id.js';
import { TokenBucket } from '../../../voice/token_bucket.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { AddressKey } from '../address_key.js';
import type { Rights } from '../credential.js';
import type { ConnectionId } from '../io.js';
import type { RelayLimits } from '../limits.js';
import type { Sanctioned } from '../sanctions.js';
import type { Lateness } from '../staleness/lateness.js';
import type { Reading } from '../staleness/reading.js';
import { VoiceRates } from '../voice/voice_rates.js';
import { firstStreams, type Stream, type Topic } from './topics.js';

/** What a member knows of their lobby. */
export interface LobbyIdentity {
  readonly name: string;
  /** Where voice for everyone is published. */
  readonly topic: Topic;
}

/** Part of a lobby. Its members hear what is said to it, besides what is said to the lobby. */
export interface Channel {
  /** The target of voice frames to it. */
  readonly number: number;
  readonly name: string;
  readonly topic: Topic;
  readonly members: ReadonlySet<Member>;
}

/** Whether they have a connection. */
export type Presence =
  | {
      readonly kind: 'here';
      readonly connection: ConnectionId;
      /** What the connection is subscribed to, and how many flagged frames were published there before. */
      readonly topics: Map<Topic, number>;
      /** How far it has been read; null when the client does not acknowledge. */
      readonly reading: Reading | null;
      /** How late its frames come; null when the client does not measure staleness. */
      readonly lateness: Lateness | null;
    }
  /** The connection is gone; the place is kept until then. */
  | { readonly kind: 'away'; readonly until: Milliseconds };

/**
 * How they count in the lobby. `listed`: they have one of its places, and the others know them. `unlisted`: a listener who is only
 * counted. `recorder`: such a listener who has said that they record, and whom the others know since then.
 */
export type Listing = 'listed' | 'unlisted' | 'recorder';

/** How the others see them. */
export interface Profile {
  name: string;
  priority: boolean;
  /** Since when they record, in seconds of unix time; null while they do not. */
  recordingSince: number | null;
}

export interface Speech {
  /** The target of the talkspurt under way; null while they are silent. */
  target: number | null;
  /** When the last voice frame that was forwarded came. */
  heardAt: Milliseconds;
  /** Limits how often the others hear that they begin to speak. */
  readonly announcements: TokenBucket;
}

export interface Whisper {
  /** The members who hear the frames with the whisper target. */
  to: readonly Member[];
  /** The members who whisper to this one: the same, seen from there. */
  by: readonly Member[];
}

export interface Member {
  readonly lobby: LobbyIdentity;
  readonly slot: number;
  /** In decimal; the frame path compares the halves. */
  readonly steamId: string;
  readonly steamIdLow: number;
  readonly steamIdHigh: number;
  readonly rights: Rights;
  readonly kind: 'player' | 'guest';
  /** The address of the connection that joined, for which their place is counted. Null where addresses are not counted. */
  readonly address: AddressKey | null;
  /** The owner of the game, in decimal, when that is another account: sanctions of the owner also apply to this member. */
  readonly ownerSteamId: string | null;
  /** When their credential ends; infinite without an end. */
  readonly expiresAt: Milliseconds;
  /** Charged by voice/verdict.ts. */
  readonly voiceRates: VoiceRates;
  /** Limits how often they may change. Charged by commands.ts. */
  readonly changes: TokenBucket;
  /** Written by presence.ts. */
  readonly presence: Presence;
  /** Written by roster.ts. */
  readonly listing: Listing;
  /** Written by lobby.ts. */
  readonly profile: Readonly<Profile>;
  /** Written by lobby.ts. */
  readonly sanctioned: Sanctioned;
  /** The channels that they are in. Written by channels.ts. */
  readonly channels: readonly Channel[];
  /** Written by whispers.ts. */
  readonly whisper: Readonly<Whisper>;
  /** By target: the lobby, their whispers, and each channel that they have been in. Written by streams.ts. */
  readonly streams: ReadonlyMap<number, Stream>;
  /** The members whom they hear, of those who are there and may speak; null when they hear everyone. Written by hearing.ts. */
  readonly heard: Set<Member> | null;
  /** The members who hear this one by a set: the same, seen from there. Written by hearing.ts. */
  readonly heardBy: Set<Member>;
  /** Written by speaking.ts. */
  readonly speech: Readonly<Speech>;
}

/** A player or guest about to join. */
export interface Joiner {
  readonly connection: ConnectionId;
  readonly steamId: string;
  readonly kind: Member['kind'];
  readonly name: string;
  readonly rights: Rights;
  /** Infinite without an end. */
  readonly expiresAt: Milliseconds;
  readonly address: Member['address'];
  readonly ownerSteamId: Member['ownerSteamId'];
}

/**
 * Changes of a participant per second and at once, such as names and channels. Each costs a message to everyone in the lobby, so the
 * rate of control messages alone would let one person keep the relay busy.
 */
export const CHANGES_PER_SECOND = 4;
export const CHANGES_AT_ONCE = 40;

/** Talkspurts per participant that the others hear about, per second and at once. */
const TALKSPURTS_PER_SECOND = 5;
const TALKSPURTS_AT_ONCE = 10;

/** A new member with this place. @throws RangeError when the SteamID is invalid. */
export function newMember<Home extends LobbyIdentity>(
  lobby: Home,
  { slot, listing }: Pick<Member, 'slot' | 'listing'>,
  joiner: Joiner,
  sanctioned: Sanctioned,
  limits: RelayLimits,
  now: Milliseconds,
): Member & { readonly lobby: Home } {
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
    expiresAt: joiner.expiresAt,
    voiceRates: new VoiceRates(limits, now),
    changes: new TokenBucket(CHANGES_PER_SECOND, CHANGES_AT_ONCE, now),
    presence: {
      kind: 'here',
      connection: joiner.connection,
      topics: new Map(),
      reading: null,
      lateness: null,
    },
    listing,
    profile: { name: joiner.name, priority: joiner.rights.priority, recordingSince: null },
    sanctioned,
    channels: [],
    whisper: { to: [], by: [] },
    streams: firstStreams(lobby.topic, slot),
    heard: null,
    heardBy: new Set(),
    speech: {
      target: null,
      heardAt: now,
      announcements: new TokenBucket(TALKSPURTS_PER_SECOND, TALKSPURTS_AT_ONCE, now),
    },
  };
}
