/** The page's two AudioWorklets: one takes in what the microphone hears, the other plays what the worker made. */

import { PcmReader, PcmWriter, type PipeEnd } from './pcm_pipe.js';
import { PlaybackBuffer } from './playback_buffer.js';

declare const sampleRate: number;
declare const registerProcessor: (name: string, processor: unknown) => void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

const BLOCKS_PER_S = 100;
/** If what was asked for has not come after so many blocks, it is asked for again. */
const PATIENCE_BLOCKS = 100;

/** Posts blocks of 10 ms through the pipe that its port receives. */
class CaptureProcessor extends AudioWorkletProcessor {
  readonly #block = new Int16Array(Math.round(sampleRate / BLOCKS_PER_S));
  #filled = 0;
  #writer: PcmWriter | null = null;
  #state: 'running' | 'ended' = 'running';

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<PipeEnd | null>) => {
      if (data) this.#writer = new PcmWriter(data);
      else this.#state = 'ended';
    };
  }

  process([input]: [Float32Array[]]): boolean {
    const channels = input.length;
    const length = input[0]?.length ?? 0;
    for (let at = 0; at < length; at++) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += input[channel]![at]!;
      this.#block[this.#filled] = Math.max(-32_768, Math.min(32_767, Math.round((sum / channels) * 32_767)));
      this.#filled += 1;
      if (this.#filled < this.#block.length) continue;
      this.#filled = 0;
      this.#writer?.write(this.#block);
    }
    return this.#state === 'running';
  }
}

/** Plays what comes through the pipe that its port receives, and asks for more in time. */
class PlaybackProcessor extends AudioWorkletProcessor {
  readonly #buffer = new PlaybackBuffer(sampleRate);
  #reader: PcmReader | null = null;
  #state: 'running' | 'ended' = 'running';
  #silentBlocks = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<PipeEnd | null>) => {
      if (!data) {
        this.#state = 'ended';
        return;
      }
      this.#reader?.close();
      this.#buffer.forget();
      this.#reader = new PcmReader(data, (pcm) => {
        this.#silentBlocks = 0;
        this.#buffer.push(pcm);
      });
    };
  }

  process(_inputs: unknown, [output]: [Float32Array[]]): boolean {
    const [first, ...others] = output;
    if (!first) return this.#state === 'running';
    this.#buffer.pull(first);
    for (const other of others) other.set(first);
    this.#silentBlocks += first.length / (sampleRate / BLOCKS_PER_S);
    if (this.#silentBlocks > PATIENCE_BLOCKS) {
      this.#silentBlocks = 0;
      this.#buffer.forget();
    }
    const wanted = this.#buffer.wanted();
    if (wanted > 0) this.#reader?.want(wanted);
    return this.#state === 'running';
  }
}

registerProcessor('capture', CaptureProcessor);
registerProcessor('playback', PlaybackProcessor);
