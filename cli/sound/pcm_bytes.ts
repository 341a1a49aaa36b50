/** Bytes from a pipe as samples: a chunk may end in the middle of one. */

export class PcmBytes {
  #odd: number | null = null;

  /** The whole samples in it, little-endian. */
  samples(chunk: Uint8Array): Int16Array {
    const bytes = new Uint8Array(chunk.length + (this.#odd === null ? 0 : 1));
    if (this.#odd !== null) bytes[0] = this.#odd;
    bytes.set(chunk, bytes.length - chunk.length);
    this.#odd = bytes.length % 2 === 1 ? bytes[bytes.length - 1]! : null;
    const view = new DataView(bytes.buffer);
    return Int16Array.from({ length: bytes.length >> 1 }, (_, at) => view.getInt16(2 * at, true));
  }

  /** Another stream begins. */
  reset(): void {
    this.#odd = null;
  }
}
