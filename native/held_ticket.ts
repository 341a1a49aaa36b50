/**
 * A ticket that Steam has made for this player. It is valid until it is cancelled: by `cancel()`, by `using`, or when its Steam is
 * closed.
 */

export class HeldTicket implements Disposable {
  /** Steam's handle, as cancelAuthTicket takes it. */
  readonly handle: number;
  /** The ticket, exactly as long as it is. */
  readonly bytes: Uint8Array;
  readonly #cancel: (ticket: HeldTicket) => void;

  constructor(handle: number, bytes: Uint8Array, cancel: (ticket: HeldTicket) => void) {
    this.handle = handle;
    this.bytes = bytes;
    this.#cancel = cancel;
  }

  /** The ticket as Steam's Web API accepts it: two lower-case hex digits per byte. */
  get hex(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length).toString('hex');
  }

  /** Cancels the ticket; Steam tells everyone who began a session with it. A second call does nothing. */
  cancel(): void {
    this.#cancel(this);
  }

  /** Cancels the ticket: for `using`. */
  [Symbol.dispose](): void {
    this.cancel();
  }
}

/** The tickets of one Steam that are not cancelled. */
export class HeldTickets {
  readonly #steam: { cancelAuthTicket(handle: number): void };
  readonly #tickets = new Set<HeldTicket>();

  constructor(steam: { cancelAuthTicket(handle: number): void }) {
    this.#steam = steam;
  }

  hold(handle: number, bytes: Uint8Array): HeldTicket {
    const ticket = new HeldTicket(handle, bytes, (it) => {
      if (this.#tickets.delete(it)) this.#steam.cancelAuthTicket(it.handle);
    });
    this.#tickets.add(ticket);
    return ticket;
  }

  all(): readonly HeldTicket[] {
    return [...this.#tickets];
  }
}
