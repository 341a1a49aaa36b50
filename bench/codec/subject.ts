/**
 * What the compared codecs share: the settings, running a frame-by-frame codec over the whole input, and our own codec.
 */

import { opusFrames, readPacket } from '../../voice/packet.js';
import { MAX_PACKET_BYTES } from '../../voice/units.js';
import { OPUS_FRAME_SAMPLES, OPUS_MAX_PACKET_BYTES, OpusDecoder, OpusEncoder } from '../../wasm/codec.js';
import { VoiceEncoder } from '../../wasm/compress.js';
import { MAX_DECODED_SAMPLES, VoiceDecoder } from '../../wasm/decompress.js';

/** Steam's settings, except that DTX is off, so that every frame is the same work for all. VOIP, VBR, frames of 20 ms. */
export const SETTINGS = { rateHz: 24_000, bitrate: 32_000, complexity: 9, dtx: false } as const;

export const FRAME = OPUS_FRAME_SAMPLES;

/** Frames per batch: one second. */
const BATCH_FRAMES = 50;

/** One way to encode the whole input. */
export interface Encoding {
  readonly subject: string;
  readonly form: string;
  pass(): void;
  /** The output of a pass, not timed. */
  packets(): Uint8Array[];
}

/** One way to decode all packets. */
export interface Decoding {
  readonly subject: string;
  readonly form: string;
  pass(): void;
  /** The output of a pass, not timed. Floats have a full scale of 1. */
  pcm(): Int16Array | Float32Array;
}

/** A codec that processes one `In` per call; `last` returns the output of the latest call. */
export interface Caller<In, Out> {
  call(input: In): void;
  last(): Out;
  free(): void;
}

function each<In, Out>(open: () => Caller<In, Out>, inputs: readonly In[]) {
  return {
    form: 'one frame per call',
    pass() {
      const caller = open();
      for (const input of inputs) caller.call(input);
      caller.free();
    },
    all(copy: (out: Out) => Out): Out[] {
      const caller = open();
      const made = inputs.map((input) => {
        caller.call(input);
        return copy(caller.last());
      });
      caller.free();
      return made;
    },
  };
}

/** `open` creates a new encoder; `frames` have the type that it works on directly. */
export function encodeEach<In>(
  subject: string,
  frames: readonly In[],
  open: () => Caller<In, Uint8Array>,
): Encoding {
  const { form, pass, all } = each(open, frames);
  return { subject, form, pass, packets: () => all((packet) => Uint8Array.from(packet)) };
}

export function decodeEach<In>(
  subject: string,
  packets: readonly In[],
  open: () => Caller<In, Int16Array | Float32Array>,
): Decoding {
  const { form, pass, all } = each(open, packets);
  return { subject, form, pass, pcm: () => concat(all((pcm) => pcm.slice())) };
}

/** The parts one after another, as floats. */
export function concat(parts: readonly (Int16Array | Float32Array)[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    const scale = part instanceof Int16Array ? 1 / 32_768 : 1;
    for (const sample of part) whole[at++] = sample * scale;
  }
  return whole;
}

/** The whole frames of `pcm`, as views. */
export function framesOf<T extends Int16Array | Float32Array>(pcm: T): T[] {
  return Array.from(
    { length: Math.floor(pcm.length / FRAME) },
    (_, frame) => pcm.subarray(frame * FRAME, (frame + 1) * FRAME) as T,
  );
}

/** Packets a second at a time. */
export function batchesOf(packets: readonly Uint8Array[]): Uint8Array[][] {
  return Array.from({ length: Math.ceil(packets.length / BATCH_FRAMES) }, (_, i) =>
    packets.slice(i * BATCH_FRAMES, (i + 1) * BATCH_FRAMES),
  );
}

/** Packets, each after its length in 16 bits: what OpusDecoder.decodeBatch takes. */
export function stepsOf(packets: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(packets.flatMap((packet) => [packet.length & 255, packet.length >> 8, ...packet]));
}

/** The packets in `steps`. */
export function packetsOf(steps: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < steps.length; ) {
    const length = steps[at]! | (steps[at + 1]! << 8);
    packets.push(steps.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return packets;
}

/** The part of SETTINGS for our encoders. */
const OPTIONS = { bitrate: SETTINGS.bitrate, complexity: SETTINGS.complexity, dtx: SETTINGS.dtx };

/** Our codec: batched, then one frame per call. */
export function ownEncodings(pcm: Int16Array): Encoding[] {
  const out = new Uint8Array(BATCH_FRAMES * (2 + OPUS_MAX_PACKET_BYTES));
  const single = encodeEach('hotmic', framesOf(pcm), () => {
    const encoder = new OpusEncoder(OPTIONS);
    let bytes = 0;
    return {
      call: (frame: Int16Array) => {
        bytes = encoder.encode(frame, 0, out, 0);
      },
      last: () => out.subarray(0, bytes),
      free: () => encoder.free(),
    };
  });
  const batches = Array.from({ length: Math.ceil(pcm.length / FRAME / BATCH_FRAMES) }, (_, i) =>
    pcm.subarray(i * BATCH_FRAMES * FRAME, (i + 1) * BATCH_FRAMES * FRAME),
  );
  const batched = (take: (steps: Uint8Array) => void) => {
    const encoder = new OpusEncoder(OPTIONS);
    for (const batch of batches) take(out.subarray(0, encoder.encodeBatch(batch, out)));
    encoder.free();
  };
  return [
    {
      subject: 'hotmic',
      form: 'batched',
      pass: () => batched(() => undefined),
      packets() {
        const packets: Uint8Array[] = [];
        batched((steps) => packets.push(...packetsOf(steps)));
        return packets;
      },
    },
    single,
  ];
}

/** Our codec: batched, then one frame per call. */
export function ownDecodings(packets: readonly Uint8Array[]): Decoding[] {
  const frame = new Int16Array(FRAME);
  const single = decodeEach('hotmic', packets, () => {
    const decoder = new OpusDecoder(SETTINGS.rateHz);
    return {
      call: (packet: Uint8Array) => void decoder.decode(packet, 0, packet.length, frame, 0),
      last: () => frame,
      free: () => decoder.free(),
    };
  });
  const out = new Int16Array(packets.length * FRAME);
  const batches = batchesOf(packets).map(stepsOf);
  const pass = () => {
    const decoder = new OpusDecoder(SETTINGS.rateHz);
    let at = 0;
    for (const batch of batches) at += decoder.decodeBatch(batch, out, at);
    decoder.free();
    if (at !== out.length) throw new Error(`Cannot decode: ${at} samples, expected ${out.length}`);
  };
  const batched: Decoding = {
    subject: 'hotmic',
    form: 'batched',
    pass,
    pcm() {
      pass();
      return out;
    },
  };
  return [batched, single];
}

/** getVoice and decompressVoice: whole Steam Voice packets of one frame each, one per call. Their output is the Opus frames inside. */
export function ownVoice(pcm: Int16Array): { encoding: Encoding; decoding: Decoding } {
  const named = { subject: 'hotmic', form: 'one packet per call' };
  const frames = framesOf(pcm);
  const scratch = new Uint8Array(MAX_PACKET_BYTES);
  const encode = (take: (packet: Uint8Array) => void) => {
    const encoder = new VoiceEncoder(76561197960265729n, OPTIONS);
    for (const frame of frames) {
      encoder.write(frame);
      take(scratch.subarray(0, encoder.read(scratch)));
    }
    encoder.free();
  };
  const packets: Uint8Array[] = [];
  encode((packet) => packets.push(packet.slice()));
  const out = new Int16Array(MAX_DECODED_SAMPLES);
  const decode = (take: (samples: number) => void) => {
    const decoder = new VoiceDecoder(SETTINGS.rateHz);
    for (const packet of packets) take(decoder.decompress(packet, out).samples);
    decoder.free();
  };
  return {
    encoding: { ...named, pass: () => encode(() => undefined), packets: () => packets.flatMap(opusOf) },
    decoding: {
      ...named,
      pass: () => decode(() => undefined),
      pcm() {
        const parts: Int16Array[] = [];
        decode((samples) => parts.push(out.slice(0, samples)));
        return concat(parts);
      },
    },
  };
}

/** The Opus packets in a Steam Voice packet. */
function opusOf(packet: Uint8Array): Uint8Array[] {
  const read = readPacket(packet);
  if (read.kind === 'malformed') throw new Error(`Cannot read the packet of VoiceEncoder: ${read.detail}`);
  return opusFrames(read).map(({ start, bytes }) => packet.subarray(start, start + bytes));
}
