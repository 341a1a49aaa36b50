/**
 * One lobby: who is in it under which slot, and how many voice frames went to its topic.
 *
 * Bounded: participants by `participantsPerLobby`, slots by four times that.
 */

import type { ParticipantInfo } from '../voice/control.js';
import { sequenceAfter } from '../voice/sequence.js';
import { parseSteamId, steamIdHigh, steamIdLow } from '../voice/steam_id.js';
import type { Milliseconds } from '../voice/units.js';
import type { ConnectionId } from './io.js';
import type { RelayLimits } from './limits.js';
import { TokenBucket } from './token_bucket.js';

/** Someone in a lobby. The relay alone changes what is not readonly. */
export interface Participant {
  readonly connection: ConnectionId;
  readonly lobby: Lobby;
  readonly slot: number;
  /** In decimal; the halves are what the frame path compares. */
  readonly steamId: string;
  readonly steamIdLow: number;
  readonly steamIdHigh: number;
  readonly name: string;
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  speaking: boolean;
  /** When the last voice frame that went through came. */
  heardAt: Milliseconds;
  readonly frames: TokenBucket;
  readonly bytes: TokenBucket;
  readonly soundMs: TokenBucket;
}

/** Who asks to join: what a hello says of them, and what they were granted. */
export interface Joiner {
  readonly connection: ConnectionId;
  readonly steamId: string;
  readonly name: string;
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
}

export class Lobby {
  readonly name: string;
  /** Where its voice frames are published. Unique among all lobbies that a relay ever had. */
  readonly topic: string;
  readonly #limits: RelayLimits;
  readonly #bySlot = new Map<number, Participant>();
  readonly #steamIds = new Set<string>();
  /** When each slot below the highest one ever used was freed; a slot in use keeps its last value. */
  readonly #freedAt: Milliseconds[] = [];
  #relaySequence = 0;

  constructor(name: string, topic: string, limits: RelayLimits) {
    this.name = name;
    this.topic = topic;
    this.#limits = limits;
  }

  get size(): number {
    return this.#bySlot.size;
  }

  /** Adds a participant under a free slot, or says why not. */
  join(joiner: Joiner, now: Milliseconds): Participant | 'lobby-full' | 'steam-id-in-use' {
    const steamId = parseSteamId(joiner.steamId);
    if (steamId === null)
      throw new TypeError(`Cannot join: SteamID is ${joiner.steamId}, wants a decimal one`);
    // In this order: who is already here learns more from this answer than from the other.
    if (this.#steamIds.has(joiner.steamId)) return 'steam-id-in-use';
    if (this.#bySlot.size >= this.#limits.participantsPerLobby) return 'lobby-full';
    const participant: Participant = {
      ...joiner,
      lobby: this,
      slot: this.#freeSlot(now),
      steamIdLow: steamIdLow(steamId),
      steamIdHigh: steamIdHigh(steamId),
      speaking: false,
      heardAt: now,
      frames: new TokenBucket(this.#limits.framesPerSecond, this.#limits.frameBurst, now),
      bytes: new TokenBucket(this.#limits.bytesPerSecond, this.#limits.byteBurst, now),
      soundMs: new TokenBucket(this.#limits.soundMsPerSecond, this.#limits.soundBurstMs, now),
    };
    this.#bySlot.set(participant.slot, participant);
    this.#steamIds.add(participant.steamId);
    return participant;
  }

  /** Removes a participant; its slot begins to rest. */
  leave(participant: Participant, now: Milliseconds): void {
    this.#bySlot.delete(participant.slot);
    this.#steamIds.delete(participant.steamId);
    this.#freedAt[participant.slot] = now;
  }

  /** The number of the next voice frame to the topic: 0 first, 16 bit. */
  nextRelaySequence(): number {
    const relaySequence = this.#relaySequence;
    this.#relaySequence = sequenceAfter(relaySequence);
    return relaySequence;
  }

  /** The connections of everyone but `participant`. */
  connectionsBut(participant: Participant): ConnectionId[] {
    const connections: ConnectionId[] = [];
    for (const other of this.#bySlot.values()) {
      if (other !== participant) connections.push(other.connection);
    }
    return connections;
  }

  /** Everyone but `participant`, as a welcome lists them. */
  infoBut(participant: Participant): ParticipantInfo[] {
    const info: ParticipantInfo[] = [];
    for (const other of this.#bySlot.values()) if (other !== participant) info.push(participantInfo(other));
    return info;
  }

  /**
   * The lowest slot that is free and either was never used or has rested for `slotRestMs`: a frame of the one
   * who left may still be on its way to a listener, who would play it as the newcomer's. Slots stay small,
   * below four times the participants a lobby may have, for listeners index by them; when so many came and
   * went that none has rested, it is the one that has rested longest.
   */
  #freeSlot(now: Milliseconds): number {
    const slots = this.#limits.participantsPerLobby * 4;
    let longestRested = -1;
    for (let slot = 0; slot < slots; slot++) {
      if (this.#bySlot.has(slot)) continue;
      const freedAt = this.#freedAt[slot];
      if (freedAt === undefined || now - freedAt >= this.#limits.slotRestMs) return slot;
      if (longestRested < 0 || freedAt < this.#freedAt[longestRested]!) longestRested = slot;
    }
    return longestRested;
  }
}

/** A participant as the relay tells of it. */
export function participantInfo({ slot, steamId, name, speaking }: Participant): ParticipantInfo {
  return { slot, steamId, name, speaking };
}
