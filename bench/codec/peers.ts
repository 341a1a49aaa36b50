/**
 * The codecs of npm, each through its own interface, with the settings of SETTINGS, which all support. Differences: opus-encdec and
 * opus-decoder use floats, and their input is converted before the clock starts. @discordjs/opus is made for music and switched to VOIP
 * by a control request. opus-decoder's decoder is created once, because creating it is asynchronous.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPeer, type PeerName, peerFolder, peerRequire } from './install.js';
import {
  batchesOf,
  type Caller,
  concat,
  type Decoding,
  decodeEach,
  type Encoding,
  encodeEach,
  framesOf,
  SETTINGS,
} from './subject.js';

export interface Peer {
  readonly name: PeerName;
  readonly encodings: readonly Encoding[];
  readonly decodings: readonly Decoding[];
  /** The WebAssembly modules that its users load. */
  readonly wasm: readonly { readonly what: string; readonly bytes: Uint8Array }[];
}

export interface Input {
  readonly pcm: Int16Array;
  readonly packets: readonly Uint8Array[];
}

/** OPUS_SET_APPLICATION, OPUS_SET_BITRATE and OPUS_SET_COMPLEXITY with their values. */
const VOIP = 2048;
const SET_APPLICATION = [4000, VOIP];
const SET_BITRATE = [4002, SETTINGS.bitrate];
const SET_COMPLEXITY = [4010, SETTINGS.complexity];

const LOADERS: Record<PeerName, (input: Input) => Promise<Omit<Peer, 'name'>>> = {
  opusscript,
  'opus-encdec': opusEncdec,
  '@evan/opus': evanOpus,
  'opus-decoder': opusDecoder,
  '@discordjs/opus': discordOpus,
};

/** Installs and loads all of them. Those that are not available are in `skipped` with a reason. */
export async function loadPeers(input: Input): Promise<{ peers: Peer[]; skipped: string[] }> {
  const peers: Peer[] = [];
  const skipped: string[] = [];
  for (const name of Object.keys(LOADERS) as PeerName[]) {
    const reason = installPeer(name);
    if (reason !== null) skipped.push(`${name}: ${reason}`);
    else peers.push({ name, ...(await LOADERS[name](input)) });
  }
  return { peers, skipped };
}

const buffersOf = (views: readonly (Int16Array | Uint8Array)[]): Buffer[] =>
  views.map((view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength));

/** Bytes as s16 samples, whatever their alignment. */
const samplesOf = (bytes: Uint8Array): Int16Array => new Int16Array(Uint8Array.from(bytes).buffer);

/** A codec with one method that takes bytes and returns new bytes. */
function bytesCaller<Out>(
  work: (input: Buffer) => Uint8Array,
  result: (made: Uint8Array) => Out,
  free: () => void,
): Caller<Buffer, Out> {
  let made = new Uint8Array();
  return {
    call(input) {
      made = work(input) as typeof made;
    },
    last: () => result(made),
    free,
  };
}

interface OpusScript {
  encoderCTL(request: number, value: number): void;
  encode(pcm: Buffer, samples: number): Buffer;
  decode(packet: Buffer): Buffer;
  delete(): void;
}

async function opusscript({ pcm, packets }: Input) {
  const Codec: new (rateHz: number, channels: number, application: number) => OpusScript =
    peerRequire('opusscript');
  const samples = SETTINGS.rateHz / 50;
  const encoding = encodeEach('opusscript', buffersOf(framesOf(pcm)), () => {
    const codec = new Codec(SETTINGS.rateHz, 1, VOIP);
    for (const [request, value] of [SET_BITRATE, SET_COMPLEXITY]) codec.encoderCTL(request!, value!);
    const encode = (frame: Buffer) => codec.encode(frame, samples);
    return bytesCaller(
      encode,
      (made) => made,
      () => codec.delete(),
    );
  });
  const decoding = decodeEach('opusscript', buffersOf(packets), () => {
    const codec = new Codec(SETTINGS.rateHz, 1, VOIP);
    const decode = (packet: Buffer) => codec.decode(packet);
    return bytesCaller(decode, samplesOf, () => codec.delete());
  });
  const bytes = readFileSync(join(peerFolder('opusscript'), 'build/opusscript_native_wasm.wasm'));
  return { encodings: [encoding], decodings: [decoding], wasm: [{ what: 'both', bytes }] };
}

interface EvanCodec {
  ctl(request: number, value: number): number;
  encode(pcm: Int16Array): Uint8Array;
  decode(packet: Uint8Array): Uint8Array;
  drop(): void;
}

async function evanOpus({ pcm, packets }: Input) {
  type Make = new (options: object) => EvanCodec;
  const { Encoder, Decoder } = peerRequire('@evan/opus/wasm/index.js') as { Encoder: Make; Decoder: Make };
  const options = { channels: 1, sample_rate: SETTINGS.rateHz, application: 'voip' };
  const encoding = encodeEach('@evan/opus', buffersOf(framesOf(pcm)), () => {
    const codec = new Encoder(options);
    for (const [request, value] of [SET_BITRATE, SET_COMPLEXITY]) codec.ctl(request!, value!);
    const encode = (frame: Buffer) => codec.encode(frame as unknown as Int16Array);
    return bytesCaller(
      encode,
      (made) => made,
      () => codec.drop(),
    );
  });
  const decoding = decodeEach('@evan/opus', buffersOf(packets), () => {
    const codec = new Decoder(options);
    const decode = (packet: Buffer) => codec.decode(packet);
    return bytesCaller(decode, samplesOf, () => codec.drop());
  });
  const bytes = readFileSync(join(peerFolder('@evan/opus'), 'wasm/simd.wasm'));
  return { encodings: [encoding], decodings: [decoding], wasm: [{ what: 'both', bytes }] };
}

interface DiscordCodec {
  applyEncoderCTL(request: number, value: number): void;
  encode(pcm: Buffer): Buffer;
  decode(packet: Buffer): Buffer;
}

async function discordOpus({ pcm, packets }: Input) {
  const { OpusEncoder } = peerRequire('@discordjs/opus') as {
    OpusEncoder: new (rateHz: number, channels: number) => DiscordCodec;
  };
  const subject = '@discordjs/opus (native)';
  const nothing = () => undefined;
  const encoding = encodeEach(subject, buffersOf(framesOf(pcm)), () => {
    const codec = new OpusEncoder(SETTINGS.rateHz, 1);
    for (const [request, value] of [SET_APPLICATION, SET_BITRATE, SET_COMPLEXITY])
      codec.applyEncoderCTL(request!, value!);
    const encode = (frame: Buffer) => codec.encode(frame);
    return bytesCaller(encode, (made) => made, nothing);
  });
  const decoding = decodeEach(subject, buffersOf(packets), () => {
    const codec = new OpusEncoder(SETTINGS.rateHz, 1);
    return bytesCaller((packet: Buffer) => codec.decode(packet), samplesOf, nothing);
  });
  return { encodings: [encoding], decodings: [decoding], wasm: [] };
}

interface EncdecLibrary {
  isReady: boolean;
  onready: (() => void) | null;
}
interface EncdecEncoder {
  readonly encodedData: Uint8Array[];
  encode(channels: Float32Array[]): void;
  destroy(): void;
}
interface EncdecDecoder {
  decodeRaw(packet: Uint8Array, take: (pcm: Float32Array) => void): void;
  destroy(): void;
}

async function opusEncdec({ pcm, packets }: Input) {
  const library = async (name: string) => {
    const loaded: EncdecLibrary = peerRequire(`opus-encdec/dist/libopus-${name}.wasm.min.js`);
    if (!loaded.isReady) await new Promise<void>((resolve) => (loaded.onready = resolve));
    return loaded;
  };
  const [encoderLibrary, decoderLibrary] = [await library('encoder'), await library('decoder')];
  const { OggOpusEncoder } = peerRequire('opus-encdec/src/oggOpusEncoder.js') as {
    OggOpusEncoder: new (config: object, library: EncdecLibrary) => EncdecEncoder;
  };
  const { OggOpusDecoder } = peerRequire('opus-encdec/src/oggOpusDecoder.js') as {
    OggOpusDecoder: new (config: object, library: EncdecLibrary) => EncdecDecoder;
  };
  const { rateHz } = SETTINGS;
  const encoderConfig = {
    rawOpus: true,
    encoderApplication: VOIP,
    encoderSampleRate: rateHz,
    originalSampleRate: rateHz,
    encoderBitRate: SETTINGS.bitrate,
    encoderComplexity: SETTINGS.complexity,
  };
  const encoding = encodeEach('opus-encdec', framesOf(concat([pcm])), () => {
    const codec = new OggOpusEncoder(encoderConfig, encoderLibrary);
    let made = new Uint8Array();
    return {
      call(frame: Float32Array) {
        codec.encode([frame]);
        made = codec.encodedData.pop() as typeof made;
      },
      last: () => made,
      free: () => codec.destroy(),
    };
  });
  const decoderConfig = {
    rawOpus: true,
    numberOfChannels: 1,
    decoderSampleRate: rateHz,
    outputBufferSampleRate: rateHz,
  };
  const decoding = decodeEach('opus-encdec', packets, () => {
    const codec = new OggOpusDecoder(decoderConfig, decoderLibrary);
    let made = new Float32Array();
    const take = (samples: Float32Array) => {
      made = samples as typeof made;
    };
    return {
      call: (packet: Uint8Array) => codec.decodeRaw(packet, take),
      last: () => made,
      free: () => codec.destroy(),
    };
  });
  const wasm = ['encoder', 'decoder'].map((what) => ({
    what,
    bytes: readFileSync(join(peerFolder('opus-encdec'), `dist/libopus-${what}.wasm.min.wasm`)),
  }));
  return { encodings: [encoding], decodings: [decoding], wasm };
}

interface DecoderResult {
  readonly channelData: readonly Float32Array[];
}
interface StreamDecoder {
  readonly ready: Promise<void>;
  decodeFrame(packet: Uint8Array): DecoderResult;
  decodeFrames(packets: readonly Uint8Array[]): DecoderResult;
}

async function opusDecoder({ packets }: Input) {
  const { OpusDecoder } = (await import(join(peerFolder('opus-decoder'), 'index.js'))) as {
    OpusDecoder: new (options: object) => StreamDecoder;
  };
  const { decoder, bytes } = await catchingWasm(async () => {
    const decoder = new OpusDecoder({ channels: 1, sampleRate: SETTINGS.rateHz });
    await decoder.ready;
    return decoder;
  });
  let made: DecoderResult = { channelData: [] };
  const single = decodeEach('opus-decoder', packets, () => ({
    call(packet: Uint8Array) {
      made = decoder.decodeFrame(packet);
    },
    last: () => made.channelData[0] ?? new Float32Array(),
    free: () => undefined,
  }));
  const batches = batchesOf(packets);
  const batched: Decoding = {
    subject: 'opus-decoder',
    form: 'batched',
    pass() {
      for (const batch of batches) made = decoder.decodeFrames(batch);
    },
    pcm: () => concat(batches.flatMap((batch) => decoder.decodeFrames(batch).channelData)),
  };
  return { encodings: [], decodings: [batched, single], wasm: [{ what: 'decoder', bytes }] };
}

/** opus-decoder unpacks its module from a string, so the bytes are captured when they are compiled. */
async function catchingWasm(open: () => Promise<StreamDecoder>) {
  const engine = (globalThis as unknown as { WebAssembly: { compile(bytes: Uint8Array): Promise<object> } })
    .WebAssembly;
  const { compile } = engine;
  let bytes = new Uint8Array();
  engine.compile = (source) => {
    bytes = new Uint8Array(source);
    return compile.call(engine, source);
  };
  try {
    return { decoder: await open(), bytes };
  } finally {
    engine.compile = compile;
  }
}
