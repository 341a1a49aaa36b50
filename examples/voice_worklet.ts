/** An AudioWorklet that plays one speaker's Steam Voice packets: post each to the node's port, and null at the end. */

import { initCodec, VoiceDecoder } from 'hotmic/codec';

declare class AudioWorkletProcessor {
  readonly port: { onmessage: unknown; postMessage(queued: number): void };
}
declare function registerProcessor(name: string, processor: unknown): void;

const ROOM = 6 * 48_000; // samples: 6 s; the longest packet takes half of it

class VoiceProcessor extends AudioWorkletProcessor {
  readonly #queue = new Float32Array(ROOM);
  #written = 0;
  #played = 0;
  #isOver = false;

  constructor(options: { processorOptions: { module: object } }) {
    super();
    initCodec(options.processorOptions.module); // what compileCodec() gave the page
    const decoder = new VoiceDecoder(48_000); // the page makes its AudioContext with this sampleRate
    const pcm = new Int16Array(ROOM / 2);
    this.port.onmessage = ({ data }: { data: Uint8Array | null }) => {
      this.#isOver ||= data === null;
      if (data === null) return decoder.free();
      const { samples } = decoder.decompress(data, pcm);
      const count = Math.min(samples, ROOM - this.#written + this.#played); // full: the rest is lost
      for (let i = 0; i < count; i++) this.#queue[this.#written++ % ROOM] = pcm[i]! / 32_768;
      this.port.postMessage(this.#written - this.#played); // how far the sound is behind, in samples
    };
  }

  process(_: unknown, [[out]]: [[Float32Array]]): boolean {
    for (let i = 0; i < out.length; i++)
      out[i] = this.#played < this.#written ? this.#queue[this.#played++ % ROOM]! : 0;
    return !this.#isOver || this.#played < this.#written;
  }
}
registerProcessor('voice', VoiceProcessor);
