/** Cuts bytes that arrive in pieces into lines. Pure. Bounded: it keeps one piece and the beginning of one line. */

const NEWLINE = 0x0a;

export class Lines {
  readonly #most: number;
  /** What arrived and is not taken yet. */
  #rest: Buffer = Buffer.alloc(0);

  /** @param most The longest line, in bytes, without its end. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Another piece. To be called only when `next` has returned null. */
  push(piece: Buffer): void {
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
  }

  /** The next whole line, without its newline; null until it has arrived. */
  next(): Buffer | 'too-long' | null {
    const end = this.#rest.indexOf(NEWLINE);
    if ((end < 0 ? this.#rest.length : end) > this.#most) return 'too-long';
    if (end < 0) return null;
    const line = this.#rest.subarray(0, end);
    this.#rest = this.#rest.subarray(end + 1);
    return line;
  }

  /** What came after the last newline: a line, too, once nothing follows. */
  last(): Buffer {
    const line = this.#rest;
    this.#rest = Buffer.alloc(0);
    return line;
  }
}
