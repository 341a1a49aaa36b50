/** An input of a native fuzz target, read as native/fuzz.h does. */

/** Takes bytes from the front; zeros when none are left. */
export class Input {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  u16(): number {
    return this.u8() + this.u8() * 256;
  }

  bytes(count: number): Uint8Array {
    const taken = this.#bytes.slice(this.#at, this.#at + Math.min(count, Math.max(0, this.left)));
    this.#at += taken.length;
    return taken;
  }
}

/** The next state of the generator that the C files use for noise. */
export function nextState(state: number): number {
  return (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
}
