/**
 * What the codec has to do in each place where it runs: every golden stream at every rate, and a recording through VoiceEncoder
 * and VoiceDecoder. Node, page, worker and AudioWorklet all run this file, so it uses nothing but the language.
 */

import { type DecoderStep, decodeStream } from '../../../wasm/golden_steps.js';
import {
  hasWasmSimd,
  OPUS_RATES_HZ,
  type OpusRateHz,
  VoiceDecoder,
  VoiceEncoder,
} from '../../../wasm/portable.js';

/** One stream for one new decoder; can be posted to another thread. */
export interface Job {
  /** As in `golden.json`, with the rate. */
  readonly name: string;
  readonly sampleRateHz: OpusRateHz;
  readonly steps: readonly DecoderStep[];
}

/** The part of `golden.json` that is used here. */
export interface GoldenStreams {
  readonly streams: readonly {
    readonly name: string;
    readonly steps: readonly string[];
    readonly outputs: Readonly<Record<`${OpusRateHz}`, { readonly sha256: string }>>;
  }[];
}

/** What a place answers. */
export interface Answer {
  readonly hasWasmSimd: boolean;
  /** The samples of each job. */
  readonly pcm: readonly Int16Array[];
  readonly roundTrip: Int16Array;
}

/** Every stream at every rate. Needs `atob`, which a worklet does not have: send it the jobs. */
export function jobsOf(golden: GoldenStreams): Job[] {
  return golden.streams.flatMap(({ name, steps }) =>
    OPUS_RATES_HZ.map((sampleRateHz) => ({
      name: `${name} at ${sampleRateHz} Hz`,
      sampleRateHz,
      steps: steps.map(readStep),
    })),
  );
}

function readStep(step: string): DecoderStep {
  if (step === 'conceal' || step === 'fec' || step === 'reset') return step;
  return fromBase64(step);
}

/** Needs `atob`. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Decodes one stream. @throws Error where a packet is refused. */
export function runJob({ name, sampleRateHz, steps }: Job): Int16Array {
  const { pcm, refused } = decodeStream(steps, sampleRateHz);
  if (refused < 0) throw new Error(`${name}: the decoder answers ${refused}`);
  return pcm;
}

/** Two seconds of a sweeping triangle in packets as Steam would record it. */
export function recordPackets(): Uint8Array[] {
  const encoder = new VoiceEncoder(76561197960265729n, { complexity: 5 });
  const packet = new Uint8Array(8192);
  const burst = new Int16Array(800);
  const packets: Uint8Array[] = [];
  let phase = 0;
  for (let written = 0; written < 48_000; written += burst.length) {
    for (let i = 0; i < burst.length; i++) {
      phase = (phase + (150 + (written + i) / 200) / 24_000) % 1;
      burst[i] = Math.round((Math.abs(phase - 0.5) * 4 - 1) * 9000);
    }
    encoder.write(burst);
    if (written + burst.length === 48_000) encoder.end();
    for (let bytes = encoder.read(packet); bytes > 0; bytes = encoder.read(packet)) {
      packets.push(packet.slice(0, bytes));
    }
  }
  encoder.free();
  return packets;
}

/** What is heard of `recordPackets`. */
export function hear(sampleRateHz: number): Int16Array {
  const decoder = new VoiceDecoder(sampleRateHz);
  const out = new Int16Array(4 * 48_000);
  let at = 0;
  for (const packet of recordPackets()) {
    const { result, samples } = decoder.decompress(packet, out, at);
    if (result !== 0) throw new Error(`decompress answers ${result}`);
    at += samples;
  }
  decoder.free();
  return out.slice(0, at);
}

/** A recording as it is heard at a rate of Opus, and behind it at one of the resampler. */
export function roundTrip(): Int16Array {
  return Int16Array.from([...hear(48_000), ...hear(44_100)]);
}

/** All of it, in a place that may take its time. */
export function runAll(jobs: readonly Job[]): Answer {
  return { hasWasmSimd: hasWasmSimd(), pcm: jobs.map(runJob), roundTrip: roundTrip() };
}
