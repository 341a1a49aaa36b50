/** An AudioWorklet that plays one speaker's Steam Voice packets: post each packet to the node's port, and null at the end. */

import { initCodec, VoiceDecoder } from 'hotmic/codec';

declare class AudioWorkletProcessor {
  readonly port: { onmessage: unknown; postMessage(queued: number): void };
}
declare function registerProcessor(name: string, processor: unknown): void;

const CAPACITY = 6 * 48_000; // in samples: 6 s, twice the longest packet

class VoiceProcessor extends AudioWorkletProcessor {
  readonly #queue = new Float32Array(CAPACITY);
  #written = 0;
  #played = 0;
  #isOver = false;

  constructor(options: { processorOptions: { module: object } }) {
    super();
    initCodec(options.processorOptions.module); // from compileCodec() in the page
    const decoder = new VoiceDecoder(48_000); // the page creates its AudioContext with this sampleRate
    const pcm = new Int16Array(CAPACITY / 2);
    this.port.onmessage = ({ data }: { data: Uint8Array | null }) => {
      this.#isOver ||= data === null;
      if (data === null) return decoder.free();
      const { samples } = decoder.decompress(data, pcm);
      const count = Math.min(samples, CAPACITY - this.#written + this.#played); // full: the rest is lost
      for (let i = 0; i < count; i++) this.#queue[this.#written++ % CAPACITY] = pcm[i]! / 32_768;
      this.port.postMessage(this.#written - this.#played); // samples that are queued
    };
  }

  process(_: unknown, [[out]]: [[Float32Array]]): boolean {
    for (let i = 0; i < out.length; i++)
      out[i] = this.#played < this.#written ? this.#queue[this.#played++ % CAPACITY]! : 0;
    return !this.#isOver || this.#played < this.#written;
  }
}
registerProcessor('voice', VoiceProcessor);
