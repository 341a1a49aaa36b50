/**
 * What the embedded Steams of one process know about each other: whose ticket was cancelled or used, who went offline.
 *
 * It stands for Steam's servers. A ticket that no Steam of this world issued is judged by its seal alone, so that a server in another
 * process can check what this one issued.
 */

/** A Steam, as the world sees it. */
export interface WorldMember {
  readonly steamId: bigint;
  readonly loggedOn: boolean;
  /** For a Steam that has a session with this ticket. */
  ticketCancelled(ticketId: string): void;
  /** For a Steam that has a session with a ticket of this player. */
  playerOffline(steamId: bigint): void;
}

const MAX_MEMBERS = 1024;

/** The most tickets remembered as cancelled, as invalid and as used; beyond it the oldest is forgotten. */
const MAX_REMEMBERED = 16_384;

/** What the world holds against a ticket, the first that applies; null for nothing. */
export type TicketFault = 'offline' | 'invalid' | 'cancelled' | 'used' | null;

/** Steams that share it see each other's tickets. Make one for a test with two players. */
export class EmbeddedWorld {
  readonly #members = new Set<WorldMember>();
  readonly #cancelled = new Set<string>();
  readonly #invalid = new Set<string>();
  readonly #used = new Set<string>();

  /** @throws RangeError beyond 1024 Steams. */
  join(member: WorldMember): void {
    if (this.#members.size >= MAX_MEMBERS) {
      throw new RangeError(`Cannot join the world: it has ${MAX_MEMBERS} Steams already, the most it takes`);
    }
    this.#members.add(member);
  }

  /** A Steam was closed. */
  leave(member: WorldMember): void {
    this.#members.delete(member);
  }

  /** This ticket was cancelled by its owner: whoever accepted it learns so. */
  cancelTicket(ticketId: string): void {
    remember(this.#cancelled, ticketId);
    for (const member of this.#members) member.ticketCancelled(ticketId);
  }

  /** The ticket's response was a failure: it will never be good. */
  invalidateTicket(ticketId: string): void {
    remember(this.#invalid, ticketId);
  }

  /** A player's last Steam lost its connection: whoever authenticated them learns so. */
  wentOffline(member: WorldMember): void {
    if (!this.#isOffline(member.steamId)) return;
    for (const other of this.#members) if (other !== member) other.playerOffline(member.steamId);
  }

  /** Uses a ticket and returns what is held against it. From then on it counts as used. */
  useTicket(ticketId: string, issuer: bigint): TicketFault {
    const usedBefore = this.#used.has(ticketId);
    remember(this.#used, ticketId);
    if (this.#isOffline(issuer)) return 'offline';
    if (this.#invalid.has(ticketId)) return 'invalid';
    if (this.#cancelled.has(ticketId)) return 'cancelled';
    return usedBefore ? 'used' : null;
  }

  /** Whether a player is in the world with no Steam logged on; about others nothing is known. */
  #isOffline(player: bigint): boolean {
    const steams = [...this.#members].filter(({ steamId }) => steamId === player);
    return steams.length > 0 && steams.every(({ loggedOn }) => !loggedOn);
  }
}

function remember(set: Set<string>, id: string): void {
  set.add(id);
  for (const oldest of set) {
    if (set.size <= MAX_REMEMBERED) break;
    set.delete(oldest);
  }
}
