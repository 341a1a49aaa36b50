/**
 * A ticket of this player that Steam has made and that lives until it is cancelled: by `cancel()`, by `using`, or when its
 * Steam is closed.
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

  /** The ticket as Steam's Web API takes it: two lower-case hex digits a byte. */
  get hex(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length).toString('hex');
  }

  /** Takes the ticket back; whoever began a session with it is told. A second time does nothing. */
  cancel(): void {
    this.#cancel(this);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}
