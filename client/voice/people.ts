/**
 * How we hear the people of a lobby, by SteamID: settings and positions stay when somebody leaves and comes back, or gets another slot after
 * a reconnection. Who is blocked is not heard at all. Pure.
 *
 * Bounds: settings and positions of 2000 people; beyond them those set longest ago are forgotten, of people who are not here. 10,000 blocked.
 */

import {
  DEFAULT_SETTINGS,
  mergedSettings,
  type SpeakerSettings,
} from '../../voice/mixing/speaker_settings.js';
import { checkVector, type Vector } from '../../voice/mixing/vector.js';
import { MAX_STEAM_ID } from '../../voice/steam_id.js';
import type { Participant } from '../session/lobby_state.js';

/** Someone else in the lobby, as we see them. */
export interface Person extends Participant {
  /** We block them: they are never heard, and not shown as speaking. */
  readonly blocked: boolean;
}

/** What plays people, by slot: of `LobbyPlayout`. */
export interface PeoplePlayout {
  set(slot: number, settings: SpeakerSettings): void;
  setPosition(slot: number, position: Vector | null): void;
}

/** The most people whose settings and positions are kept: twice the people of a lobby. */
const MAX_KEPT = 2000;

/** The most people whom one can block. */
export const MAX_BLOCKED = 10_000;

interface Kept {
  settings: Required<SpeakerSettings>;
  position: Vector | null;
}

export class People {
  readonly #playout: PeoplePlayout;
  /** By SteamID, those set longest ago first. */
  readonly #kept = new Map<bigint, Kept>();
  readonly #present = new Map<bigint, Person>();
  readonly #bySlot = new Map<number, Person>();
  readonly #blocked: Set<bigint>;

  /** @throws TypeError or RangeError for anything but SteamIDs, or more than 10,000. */
  constructor(playout: PeoplePlayout, blocked: Iterable<bigint>) {
    this.#playout = playout;
    this.#blocked = new Set(blocked);
    for (const steamId of this.#blocked) checkSteamId('block', steamId);
    if (this.#blocked.size > MAX_BLOCKED) throw tooManyBlocked(this.#blocked.size);
  }

  get blocked(): readonly bigint[] {
    return [...this.#blocked];
  }

  /** As we see them. */
  person(participant: Participant): Person {
    const blocked = this.#blocked.has(participant.steamId);
    return { ...participant, blocked, speaking: participant.speaking && !blocked };
  }

  /** Everyone who is here. */
  get present(): readonly Person[] {
    return [...this.#bySlot.values()];
  }

  withSteamId(steamId: bigint): Person | undefined {
    return this.#present.get(steamId);
  }

  withSlot(slot: number): Person | undefined {
    return this.#bySlot.get(slot);
  }

  /** They joined, or something about them changed. */
  here(participant: Participant): Person {
    const isNew = !this.#present.has(participant.steamId);
    const person = this.person(participant);
    this.#present.set(person.steamId, person);
    this.#bySlot.set(person.slot, person);
    this.#apply(person);
    const position = this.#kept.get(person.steamId)?.position;
    if (isNew && position) this.#playout.setPosition(person.slot, position);
    return person;
  }

  left(participant: Participant): Person {
    const { steamId, slot } = participant;
    if (this.#bySlot.get(slot)?.steamId === steamId) this.#bySlot.delete(slot);
    if (this.#present.get(steamId)?.slot === slot) this.#present.delete(steamId);
    return this.person(participant);
  }

  /** @throws RangeError for a value out of its range; then nothing is changed. */
  set(steamId: bigint, settings: SpeakerSettings): void {
    checkSteamId('set a volume', steamId);
    const merged = mergedSettings(this.settings(steamId), settings);
    this.#keep(steamId).settings = merged;
    const person = this.#present.get(steamId);
    if (person) this.#apply(person);
  }

  settings(steamId: bigint): Required<SpeakerSettings> {
    return this.#kept.get(steamId)?.settings ?? DEFAULT_SETTINGS;
  }

  setPosition(steamId: bigint, position: Vector | null): void {
    checkSteamId('place a speaker', steamId);
    if (position) checkVector('place a speaker', 'position', position);
    this.#keep(steamId).position = position && { x: position.x, y: position.y, z: position.z };
    const person = this.#present.get(steamId);
    if (person) this.#playout.setPosition(person.slot, position);
  }

  /** Whether that changed something. @throws RangeError beyond 10,000. */
  block(steamId: bigint): boolean {
    checkSteamId('block', steamId);
    if (this.#blocked.has(steamId)) return false;
    if (this.#blocked.size >= MAX_BLOCKED) throw tooManyBlocked(MAX_BLOCKED + 1);
    this.#blocked.add(steamId);
    return true;
  }

  /** Whether that changed something. */
  unblock(steamId: bigint): boolean {
    return this.#blocked.delete(steamId);
  }

  #apply({ steamId, slot, blocked, priority }: Person): void {
    const settings = this.settings(steamId);
    this.#playout.set(slot, {
      ...settings,
      muted: blocked ? 'muted' : settings.muted,
      priority: priority ? 'priority' : settings.priority,
    });
  }

  #keep(steamId: bigint): Kept {
    const kept = this.#kept.get(steamId) ?? { settings: DEFAULT_SETTINGS, position: null };
    this.#kept.delete(steamId);
    this.#kept.set(steamId, kept);
    if (this.#kept.size > MAX_KEPT) this.#forgetOldest();
    return kept;
  }

  #forgetOldest(): void {
    for (const steamId of this.#kept.keys()) {
      if (this.#present.has(steamId)) continue;
      this.#kept.delete(steamId);
      return;
    }
  }
}

function checkSteamId(action: string, steamId: bigint): void {
  if (typeof steamId !== 'bigint')
    throw new TypeError(
      `Cannot ${action}: the SteamID is a ${typeof steamId}, expected a bigint (a number cannot represent every SteamID)`,
    );
  if (steamId < 1n || steamId > MAX_STEAM_ID)
    throw new RangeError(`Cannot ${action}: the SteamID is ${steamId}, expected 1 to ${MAX_STEAM_ID}`);
}

function tooManyBlocked(people: number): RangeError {
  return new RangeError(`Cannot block: ${people} people, expected at most ${MAX_BLOCKED}`);
}
