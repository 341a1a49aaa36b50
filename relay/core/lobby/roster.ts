/** Who is in a lobby, by slot and by SteamID, and messages to all of them. Bounded by its slots. */

import type { RelayMessageToWrite } from '../../../voice/control.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { ConnectionId } from '../io.js';
import type { Turn } from '../turn.js';
import type { Member } from './member.js';
import { RestingNumbers } from './resting_numbers.js';

export class Roster<Someone extends Member = Member> {
  readonly #bySlot = new Map<number, Someone>();
  readonly #bySteamId = new Map<string, Someone>();
  readonly #slots: RestingNumbers;

  /** Slots are numbers below `slots`; each rests for `slotRestMs` before another member gets it. */
  constructor(slots: number, slotRestMs: Milliseconds) {
    this.#slots = new RestingNumbers(0, slots, slotRestMs);
  }

  get size(): number {
    return this.#bySlot.size;
  }

  get all(): IterableIterator<Someone> {
    return this.#bySlot.values();
  }

  withSlot(slot: number): Someone | undefined {
    return this.#bySlot.get(slot);
  }

  withSteamId(steamId: string): Someone | undefined {
    return this.#bySteamId.get(steamId);
  }

  /** A slot for a new member; null when all are in use. */
  takeSlot(now: Milliseconds): number | null {
    return this.#slots.take(now);
  }

  add(member: Someone): void {
    this.#bySlot.set(member.slot, member);
    this.#bySteamId.set(member.steamId, member);
  }

  /** The member's slot begins to rest. */
  remove(member: Member, now: Milliseconds): void {
    this.#bySlot.delete(member.slot);
    this.#bySteamId.delete(member.steamId);
    this.#slots.free(member.slot, now);
  }

  tellAll(message: RelayMessageToWrite, turn: Turn): void {
    const connections: ConnectionId[] = [];
    for (const { presence } of this.#bySlot.values()) {
      if (presence.kind === 'here') connections.push(presence.connection);
    }
    turn.tell(connections, message);
  }

  tellOthers(member: Member, message: RelayMessageToWrite, turn: Turn): void {
    const connections: ConnectionId[] = [];
    for (const other of this.#bySlot.values()) {
      if (other !== member && other.presence.kind === 'here') connections.push(other.presence.connection);
    }
    turn.tell(connections, message);
  }
}
