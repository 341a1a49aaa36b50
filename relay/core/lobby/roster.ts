/**
 * Who is in a lobby, by slot and by SteamID, and messages to all of them. Bounded by its slots.
 *
 * Everybody is listed, so that the others know them by name, except listeners beyond their share: those are counted only. Whether
 * somebody is listed is decided when they join. The one change after it: who announces a recording is listed from then on.
 */

import type { RelayMessageToWrite } from '../../../voice/control.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { ConnectionId } from '../io.js';
import type { Turn } from '../turn.js';
import { EMPTY, type Occupancy } from './listing.js';
import type { Listing, Member } from './member.js';
import { RestingNumbers } from './resting_numbers.js';

/** Slots per place: each rests after its member left, before another member gets it. */
export const SLOTS_PER_PLACE = 4;

export interface RosterPlaces {
  /** Of listed members, those for moderators included. */
  readonly listed: number;
  readonly spare: number;
  readonly unlisted: number;
}

export class Roster<Someone extends Member = Member> {
  readonly #bySlot = new Map<number, Someone>();
  readonly #bySteamId = new Map<string, Someone>();
  /** The ones among those whom the others know. */
  readonly #shown = new Set<Someone>();
  readonly #occupancy = { ...EMPTY };
  /** Slots of listed members come first and stay small: listeners use them as indices. */
  readonly #slots: RestingNumbers;
  readonly #unlistedSlots: RestingNumbers;
  readonly #firstUnlisted: number;

  /** Each slot rests for `slotRestMs`. */
  constructor({ listed, spare, unlisted }: RosterPlaces, slotRestMs: Milliseconds) {
    this.#firstUnlisted = SLOTS_PER_PLACE * listed + spare;
    this.#slots = new RestingNumbers(0, this.#firstUnlisted, slotRestMs);
    this.#unlistedSlots = new RestingNumbers(this.#firstUnlisted, SLOTS_PER_PLACE * unlisted, slotRestMs);
  }

  get size(): number {
    return this.#bySlot.size;
  }

  get all(): IterableIterator<Someone> {
    return this.#bySlot.values();
  }

  /** Those whom the others know. */
  get shown(): ReadonlySet<Someone> {
    return this.#shown;
  }

  get occupancy(): Occupancy {
    return this.#occupancy;
  }

  withSlot(slot: number): Someone | undefined {
    return this.#bySlot.get(slot);
  }

  withSteamId(steamId: string): Someone | undefined {
    return this.#bySteamId.get(steamId);
  }

  /** A slot for a new member; null when all are in use. */
  takeSlot(listing: Listing, now: Milliseconds): number | null {
    return (listing === 'listed' ? this.#slots : this.#unlistedSlots).take(now);
  }

  add(member: Someone): void {
    this.#bySlot.set(member.slot, member);
    this.#bySteamId.set(member.steamId, member);
    this.#count(member, 1);
    if (member.listing !== 'unlisted') this.#shown.add(member);
  }

  /** The member's slot begins to rest. */
  remove(member: Someone, now: Milliseconds): void {
    this.#bySlot.delete(member.slot);
    this.#bySteamId.delete(member.steamId);
    this.#count(member, -1);
    this.#shown.delete(member);
    (member.slot < this.#firstUnlisted ? this.#slots : this.#unlistedSlots).free(member.slot, now);
  }

  /** An unlisted member is listed from now on, because they record. */
  list(member: Someone): void {
    const own: { listing: Listing } = member;
    this.#count(member, -1);
    own.listing = 'recorder';
    this.#count(member, 1);
    this.#shown.add(member);
  }

  tellAll(message: RelayMessageToWrite, turn: Turn): void {
    const connections: ConnectionId[] = [];
    for (const { presence } of this.#bySlot.values()) {
      if (presence.kind === 'here') connections.push(presence.connection);
    }
    turn.tell(connections, message);
  }

  /** Tells everyone else about a member; nobody when the member is not listed. */
  tellOthers(member: Member, message: RelayMessageToWrite, turn: Turn): void {
    if (member.listing === 'unlisted') return;
    const connections: ConnectionId[] = [];
    for (const other of this.#bySlot.values()) {
      if (other !== member && other.presence.kind === 'here') connections.push(other.presence.connection);
    }
    turn.tell(connections, message);
  }

  /** Tells everyone who may know of a member: if they are not listed, only themselves. */
  tellOf(member: Member, message: RelayMessageToWrite, turn: Turn): void {
    if (member.listing !== 'unlisted') this.tellAll(message, turn);
    else if (member.presence.kind === 'here') turn.tell([member.presence.connection], message);
  }

  #count({ listing, rights }: Member, by: 1 | -1): void {
    this.#occupancy[listing] += by;
    if (listing === 'listed' && !rights.maySpeak) this.#occupancy.listedListeners += by;
  }
}
