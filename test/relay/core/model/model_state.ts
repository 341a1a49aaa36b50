/** What the model remembers of a relay. */

import type { Admitted } from '../../../../relay/core/credential.js';
import type { SanctionKind, Until } from '../../../../relay/core/sanctions.js';
import type { ModelHearing } from './model_hearing.js';
import type { ModelReading } from './model_reading.js';

export type ModelRights = Pick<Admitted, 'maySpeak' | 'mayListen' | 'moderator' | 'priority' | 'channels'>;

/** Someone who plays, and whose game. */
export interface Person {
  readonly steamId: string;
  readonly ownerSteamId: string | null;
}

/** `recorder`: was unlisted, and is listed since they announced a recording. */
export type ModelListing = 'listed' | 'unlisted' | 'recorder';

export interface Member extends Person {
  readonly lobby: ModelLobby;
  readonly kind: 'player' | 'guest';
  /** Null where addresses are not counted. */
  readonly address: string | null;
  readonly slot: number;
  readonly rights: ModelRights;
  /** When their credential expires and they are kicked. */
  readonly expiresAt: number;
  /** Null while they are away. */
  connection: number | null;
  resumeSecret: string | null;
  listing: ModelListing;
  recording: boolean;
  /** How far their connection has read; null when it does not acknowledge. */
  reading: ModelReading | null;
  /** The number of unlisted listeners that they heard last. */
  headcount: number;
  awayAt: number;
  name: string;
  priority: boolean;
  channels: Set<string>;
  whispers: Set<Member>;
  speakingTo: number | null;
  heardAt: number;
  /** The budget at `talkspurtsAt` for announced talkspurts: each costs 200, one is gained per ms, 2000 at most. */
  talkspurts: number;
  talkspurtsAt: number;
  /** By target: how many frames of theirs were published. Whispers: to this list. */
  readonly sent: Map<number, number>;
}

export interface ModelChannel {
  readonly number: number;
}

export interface ModelLobby {
  readonly name: string;
  readonly topic: string;
  readonly capacity: number;
  readonly mostUnlisted: number;
  /** The participant who made it by joining; null when an administrator did. */
  readonly maker: Pick<Entrant, 'kind' | 'address'> | null;
  /** The operator's channels, or null when the lobby ends with its last participant. */
  readonly plan: readonly string[] | null;
  readonly members: Map<string, Member>;
  readonly hearing: ModelHearing;
  readonly channels: Map<string, ModelChannel>;
  readonly slotFreedAt: Map<number, number>;
  readonly numberFreedAt: Map<number, number>;
  /** Whether the number of its unlisted listeners may differ from what its members heard, and when they heard it. */
  isRecounted: boolean;
  headcountAt: number;
}

export interface Entrant extends Person {
  readonly lobby: string;
  readonly proof: 'proven' | 'unproven';
  readonly kind: Member['kind'];
  readonly address: string | null;
  readonly rights: ModelRights;
}

/** The sanctions of one SteamID in one lobby, or in all. */
export type ModelSanction = Record<SanctionKind, Until>;

export function keyOf(lobby: string | null, steamId: string): string {
  return `${steamId}@${lobby ?? '*'}`;
}
