/**
 * PCM from an AudioWorklet to a worker, or back: through shared memory where the page is cross-origin isolated, otherwise copied by messages
 * through a MessagePort. The page itself is not on the way, so that a blocked page stalls no voice.
 *
 * A block is 10 ms, mono, signed 16 bit. With shared memory the port only wakes the other side, and the audio thread allocates nothing.
 */

import { allocateRing, RingConsumer, RingProducer } from 'hotmic';

/** One end of a pipe, to be sent to its thread with `[port]` to transfer. */
export interface PipeEnd {
  readonly port: MessagePort;
  /** Null where memory cannot be shared. */
  readonly ring: SharedArrayBuffer | null;
}

/** Half a second at 48 kHz, and more than either side ever lets wait. */
const RING_BYTES = 65_536;

/** Makes a pipe: an end for who writes, and one for who reads. */
export function makePipe(): { readonly writer: PipeEnd; readonly reader: PipeEnd } {
  const { port1, port2 } = new MessageChannel();
  const ring = globalThis.crossOriginIsolated ? allocateRing(RING_BYTES) : null;
  return { writer: { port: port1, ring }, reader: { port: port2, ring } };
}

/** The end that writes. */
export class PcmWriter {
  readonly #port: MessagePort;
  readonly #ring: RingProducer | null;
  /** Blocks that did not fit, because the reader stands still. */
  dropped = 0;

  /** @param onWanted Called with how many samples the reader asks for. */
  constructor({ port, ring }: PipeEnd, onWanted: (samples: number) => void = () => undefined) {
    this.#port = port;
    this.#ring = ring && new RingProducer(ring);
    port.onmessage = ({ data }: MessageEvent<number>) => onWanted(data);
  }

  /** `pcm` is copied. */
  write(pcm: Int16Array): void {
    if (!this.#ring) {
      const copy = pcm.slice();
      this.#port.postMessage(copy, [copy.buffer]);
      return;
    }
    const space = this.#ring.reserve(pcm.byteLength);
    if (!space) {
      this.dropped += 1;
      return;
    }
    space.set(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
    this.#ring.commit(pcm.byteLength, 0, 0);
    this.#port.postMessage(null);
  }

  close(): void {
    this.#port.close();
  }
}

/** The end that reads. */
export class PcmReader {
  readonly #port: MessagePort;
  readonly #ring: RingConsumer | null;
  readonly #take: (pcm: Int16Array) => void;

  /** @param take Called with each block, which is lent until it returns. */
  constructor({ port, ring }: PipeEnd, take: (pcm: Int16Array) => void) {
    this.#port = port;
    this.#ring = ring && new RingConsumer(ring);
    this.#take = take;
    port.onmessage = ({ data }: MessageEvent<Int16Array | null>) => {
      if (data) take(data);
      else this.#drain();
    };
  }

  /** Asks the writer for so many samples. */
  want(samples: number): void {
    this.#port.postMessage(samples);
  }

  close(): void {
    this.#port.close();
  }

  #drain(): void {
    const ring = this.#ring;
    if (!ring) return;
    for (let entry = ring.read(); entry; entry = ring.read()) {
      const { bytes } = entry;
      this.#take(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1));
      ring.release();
    }
  }
}
