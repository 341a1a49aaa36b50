/**
 * Opus through WebAssembly: what goes in comes out, silence is cheap, loss is concealed, hostile bytes get a number and
 * misuse an error. The proof that it is libopus to the bit is in golden.test.ts.
 */

import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { HotmicError } from '../../voice/error.js';
import {
  OPUS_FRAME_SAMPLES,
  OPUS_MAX_PACKET_BYTES,
  OPUS_RATES_HZ,
  OpusDecoder,
  OpusEncoder,
  OpusError,
  type OpusRateHz,
} from '../../wasm/codec.js';
import { encodeFrames, goldenSignal } from '../../wasm/golden.js';
import { loadCodec } from '../../wasm/load.js';
import { codecMemoryBytes, initCodec } from '../../wasm/module.js';
import { Resampler } from '../../wasm/resampler.js';
import { SEED } from '../kit/random.js';
import { seededRandom } from './random.js';

const codecCode = { code: 'ERR_HOTMIC_CODEC' };

t.test('before it is started, the codec says how to start it', async (t) => {
  for (const make of [
    () => new OpusEncoder(),
    () => new OpusDecoder(24_000),
    () => new Resampler(48_000, 24_000),
  ]) {
    t.throws(make, { ...codecCode, message: /initCodec/ });
  }
  t.equal(codecMemoryBytes(), 0);
});

t.test('what is no codec does not start', async (t) => {
  t.throws(() => initCodec({}), { name: 'TypeError', message: /WebAssembly\.Module/ });
  t.throws(() => initCodec(new Uint8Array([0, 1, 2, 3])), codecCode);
  t.throws(() => initCodec(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])), codecCode);
});

t.test('it starts, and starting it again does nothing', async (t) => {
  loadCodec();
  loadCodec();
  initCodec(new Uint8Array(0));
  t.ok(codecMemoryBytes() > 0);
});

t.test('speech survives encoding and decoding', async (t) => {
  const frames = 100;
  const signal = goldenSignal(frames);
  const packets = encodeFrames(signal, frames, {});
  const decoded = decodeAll(packets, 24_000);
  const encoder = new OpusEncoder();
  const delay = encoder.lookaheadSamples;
  encoder.free();
  t.equal(delay, 156, '6.5 ms at 24 kHz');
  // The encoder's high-pass turns phases, so the best match lies a little before the stated delay.
  const matches = Array.from({ length: 41 }, (_, i) => ({
    at: delay - 20 + i,
    ...compare(signal, decoded, delay - 20 + i),
  }));
  const best = matches.reduce((a, b) => (b.correlation > a.correlation ? b : a));
  t.ok(Math.abs(best.at - delay) <= 3, `best match at ${best.at}, expected ${delay} within 3`);
  t.ok(best.correlation > 0.94, `correlation ${best.correlation.toFixed(4)}, expected more than 0.94`);
  t.ok(best.snrDb > 9, `SNR ${best.snrDb.toFixed(1)} dB, expected more than 9`);
});

t.test('at the defaults, packets look like those of Steam', async (t) => {
  const packets = encodeFrames(goldenSignal(90), 90, {});
  t.ok(
    packets.every((packet) => packet[0] === 0x68),
    'hybrid, super-wideband, 20 ms, mono',
  );
  const mean = packets.reduce((sum, packet) => sum + packet.length, 0) / packets.length;
  t.ok(mean > 60 && mean < 100, `${mean.toFixed(1)} bytes a packet, expected about 80 for 32 kbit/s`);
});

t.test('options do what they say', async (t) => {
  const signal = goldenSignal(90);
  const size = (options: object) =>
    encodeFrames(signal, 90, options).reduce((sum, packet) => sum + packet.length, 0);
  t.ok(size({ bitrate: 12_000 }) < size({ bitrate: 24_000 }));
  t.ok(size({ bitrate: 24_000 }) < size({ bitrate: 64_000 }));
  const at = { bitrate: 24_000, expectedLossPercent: 20 };
  t.not(size({ ...at, inbandFec: true }), size(at));
  t.not(size({ complexity: 0 }), size({ complexity: 10 }));
});

t.test('silence becomes frames of one byte, unless DTX is off', async (t) => {
  const silence = new Int16Array(50 * OPUS_FRAME_SAMPLES);
  const lengths = encodeFrames(silence, 50, {}).map((packet) => packet.length);
  t.ok(lengths.slice(15).filter((length) => length === 1).length >= 30, lengths.join(' '));
  t.ok(encodeFrames(silence, 50, { dtx: false }).every((packet) => packet.length > 1));
  const decoder = new OpusDecoder(24_000);
  t.equal(decoder.decode(new Uint8Array([0x68]), 0, 1, new Int16Array(480), 0), 480, 'and play 20 ms each');
  decoder.free();
});

t.test('encoder and decoder agree on the final range of every packet', async (t) => {
  const signal = goldenSignal(60);
  const encoder = new OpusEncoder();
  const decoder = new OpusDecoder(48_000);
  const out = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  const pcm = new Int16Array(960);
  for (let i = 0; i < 60; i++) {
    const bytes = encoder.encode(signal, i * OPUS_FRAME_SAMPLES, out, 0);
    decoder.decode(out, 0, bytes, pcm, 0);
    if (encoder.finalRange !== decoder.finalRange) t.fail(`packet ${i}`);
  }
  encoder.free();
  decoder.free();
});

t.test('offsets are honoured, and nothing outside is touched', async (t) => {
  const signal = goldenSignal(3);
  const encoder = new OpusEncoder();
  const out = new Uint8Array(OPUS_MAX_PACKET_BYTES + 20).fill(0xaa);
  const bytes = encoder.encode(signal, 480, out, 10);
  const fresh = encodeFrames(signal.slice(480), 1, {})[0]!;
  t.same(out.slice(10, 10 + bytes), fresh);
  t.ok(
    out.subarray(0, 10).every((byte) => byte === 0xaa) &&
      out.subarray(10 + bytes).every((byte) => byte === 0xaa),
  );
  const decoder = new OpusDecoder(24_000);
  const pcm = new Int16Array(500).fill(777);
  t.equal(decoder.decode(out, 10, bytes, pcm, 10), 480);
  t.ok(
    pcm.subarray(0, 10).every((sample) => sample === 777) &&
      pcm.subarray(490).every((sample) => sample === 777),
  );
  encoder.free();
  decoder.free();
});

t.test('concealment makes the samples that are asked for, at every rate', async (t) => {
  const packets = encodeFrames(goldenSignal(20), 20, {});
  for (const rate of OPUS_RATES_HZ) {
    const decoder = new OpusDecoder(rate);
    const out = new Int16Array(rate);
    for (const packet of packets) decoder.decode(packet, 0, packet.length, out, 0);
    for (const units of [1, 2, 4, 8, 16, 24, 48]) {
      const samples = (units * rate) / 400;
      t.equal(decoder.conceal(samples, out, 0), samples, `${units * 2.5} ms at ${rate} Hz`);
    }
    decoder.free();
  }
});

t.test('a lost frame is filled with sound, and a long loss fades', async (t) => {
  const decoder = new OpusDecoder(24_000);
  const pcm = new Int16Array(480);
  for (const packet of encodeFrames(goldenSignal(10), 10, {}))
    decoder.decode(packet, 0, packet.length, pcm, 0);
  decoder.conceal(480, pcm, 0);
  const first = energy(pcm);
  for (let i = 0; i < 20; i++) decoder.conceal(480, pcm, 0);
  t.ok(first > 1e5 && energy(pcm) < first / 100, `${first} then ${energy(pcm)}`);
  decoder.free();
});

t.test('reset makes encoder and decoder as new', async (t) => {
  const signal = goldenSignal(40);
  const encoder = new OpusEncoder();
  const out = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  for (let i = 0; i < 20; i++) encoder.encode(signal, i * 480, out, 0);
  encoder.reset();
  const packets = Array.from({ length: 20 }, (_, i) => out.slice(0, encoder.encode(signal, i * 480, out, 0)));
  t.same(packets, encodeFrames(signal, 20, {}));
  encoder.free();

  const decoder = new OpusDecoder(16_000);
  const pcm = new Int16Array(320);
  for (const packet of packets) decoder.decode(packet, 0, packet.length, pcm, 0);
  decoder.conceal(320, pcm, 0);
  decoder.reset();
  const again = packets.flatMap((packet) => {
    decoder.decode(packet, 0, packet.length, pcm, 0);
    return [...pcm];
  });
  t.same(again, [...decodeAll(packets, 16_000)]);
  decoder.free();
});

t.test(
  `hostile bytes give samples or a libopus error, and never harm the decoder (seed ${SEED})`,
  async (t) => {
    const random = seededRandom(SEED);
    const real = encodeFrames(goldenSignal(100), 100, {});
    const decoders = OPUS_RATES_HZ.map((rate) => new OpusDecoder(rate));
    const out = new Int16Array(5760);
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      let bytes: Uint8Array;
      if (i % 2 === 0)
        bytes = Uint8Array.from({ length: Math.floor(random() ** 2 * 400) }, () => random() * 256);
      else {
        bytes = real[i % real.length]!.slice(0, 1 + Math.floor(random() * 120));
        for (let flips = 1 + Math.floor(random() * 8); flips > 0; flips--) {
          bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
        }
      }
      const decoder = decoders[i % decoders.length]!;
      const samples = decoder.decode(bytes, 0, bytes.length, out, 0);
      if (samples < 0) refused++;
      const legal = samples > 0 ? samples <= (decoder.sampleRateHz * 3) / 25 : samples >= -7 && samples !== 0;
      if (!legal)
        t.fail(`${samples} for ${Buffer.from(bytes).toString('hex')} at ${decoder.sampleRateHz} Hz`);
    }
    t.ok(refused > 1000 && refused < 19_000, `${refused} of 20000 refused`);
    for (const decoder of decoders) {
      decoder.reset();
      const packet = real[50]!;
      const fresh = decodeAll([packet], decoder.sampleRateHz);
      const samples = decoder.decode(packet, 0, packet.length, out, 0);
      t.same(out.slice(0, samples), fresh, `after reset, ${decoder.sampleRateHz} Hz decodes as ever`);
      decoder.free();
    }
  },
);

t.test('a packet that plays longer than the room changes nothing', async (t) => {
  const [first, second] = encodeFrames(goldenSignal(2), 2, {});
  const decoder = new OpusDecoder(24_000);
  const out = new Int16Array(480);
  decoder.decode(first!, 0, first!.length, out, 0);
  // Code 3, six empty frames of 20 ms.
  t.equal(decoder.decode(new Uint8Array([0x6b, 6]), 0, 2, out, 0), OpusError.bufferTooSmall);
  decoder.decode(second!, 0, second!.length, out, 0);
  t.same(out, decodeAll([first!, second!], 24_000).slice(480));
  decoder.free();
});

t.test('no bytes, or more than any packet has, are no packet', async (t) => {
  const decoder = new OpusDecoder(24_000);
  const out = new Int16Array(480);
  t.equal(decoder.decode(new Uint8Array(0), 0, 0, out, 0), OpusError.invalidPacket);
  t.equal(decoder.decode(new Uint8Array(70_000), 0, 70_000, out, 0), OpusError.invalidPacket);
  decoder.free();
});

t.test('misuse is an error that names what is wanted', async (t) => {
  const wrongOptions: [object, string, RegExp][] = [
    [{ bitrate: 5999 }, 'RangeError', /bitrate is 5999, expected .* 6000 to 64000/],
    [{ bitrate: '32000' }, 'RangeError', /bitrate/],
    [{ complexity: 11 }, 'RangeError', /complexity is 11/],
    [{ complexity: 1.5 }, 'RangeError', /complexity/],
    [{ expectedLossPercent: Number.NaN }, 'RangeError', /expectedLossPercent is NaN/],
    [{ dtx: 1 }, 'TypeError', /dtx is number, expected true or false/],
    [{ bitRate: 6000 }, 'TypeError', /unknown option "bitRate", expected one of bitrate/],
  ];
  for (const [options, name, message] of wrongOptions)
    t.throws(() => new OpusEncoder(options), { name, message });
  t.throws(() => new OpusDecoder(44_100 as OpusRateHz), {
    name: 'RangeError',
    message: /44100 Hz, expected one of 8000/,
  });

  const encoder = new OpusEncoder();
  const packet = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  t.throws(() => encoder.encode(new Int16Array(479), 0, packet, 0), {
    name: 'RangeError',
    message: /pcm holds 479/,
  });
  t.throws(() => encoder.encode(new Int16Array(480), 1, packet, 0), RangeError);
  t.throws(() => encoder.encode(new Int16Array(480), 0, packet, 1), {
    message: /out holds 1276, expected 1276 from offset 1/,
  });
  t.throws(() => encoder.encode(new Int16Array(960), -1, packet, 0), RangeError);
  t.throws(() => encoder.encode(new Int16Array(960), 0.5, packet, 0), RangeError);

  const decoder = new OpusDecoder(24_000);
  const pcm = new Int16Array(480);
  t.throws(() => decoder.decode(packet, 1270, 10, pcm, 0), RangeError);
  t.throws(() => decoder.decode(packet, 0, 10, pcm, 480), RangeError);
  for (const samples of [0, -480, 61, 2880 + 60, Number.NaN])
    t.throws(() => decoder.conceal(samples, pcm, 0), RangeError);
  t.throws(() => decoder.conceal(480, pcm, 1), RangeError);

  encoder.free();
  decoder.free();
  encoder.free();
  decoder.free();
  for (const use of [
    () => encoder.encode(pcm, 0, packet, 0),
    () => encoder.reset(),
    () => encoder.finalRange,
    () => decoder.decode(packet, 0, 1, pcm, 0),
    () => decoder.conceal(480, pcm, 0),
    () => decoder.reset(),
  ]) {
    t.throws(use, { ...codecCode, message: /freed/ });
  }
  t.ok(new HotmicError('ERR_HOTMIC_CODEC', '') instanceof Error);
});

t.test('many instances made and freed leave the memory as it was', async (t) => {
  const signal = goldenSignal(1);
  const packet = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  const pcm = new Int16Array(480);
  const round = () => {
    const all = Array.from(
      { length: 10 },
      () => [new OpusEncoder(), new OpusDecoder(24_000), new Resampler(44_100, 24_000)] as const,
    );
    for (const [encoder, decoder, resampler] of all) {
      decoder.decode(packet, 0, encoder.encode(signal, 0, packet, 0), pcm, 0);
      resampler.process(new Float32Array(441));
    }
    for (const instances of all) for (const instance of instances) instance.free();
  };
  round();
  const before = codecMemoryBytes();
  for (let i = 0; i < 50; i++) round();
  t.equal(codecMemoryBytes(), before);
});

t.test('instances go on when the memory grows under them', async (t) => {
  const signal = goldenSignal(10);
  const encoder = new OpusEncoder();
  const out = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  const before = codecMemoryBytes();
  const others: OpusDecoder[] = [];
  const packets = Array.from({ length: 10 }, (_, i) => {
    for (let n = 0; n < 20; n++) others.push(new OpusDecoder(48_000));
    return out.slice(0, encoder.encode(signal, i * 480, out, 0));
  });
  t.ok(codecMemoryBytes() > before, 'it grew');
  t.same(packets, encodeFrames(signal, 10, {}));
  encoder.free();
  for (const other of others) other.free();
});

t.test('a compiled module starts it in a thread that has neither fetch nor TextDecoder', async (t) => {
  const wasm = readFileSync(new URL('../../wasm/pkg/hotmic_wasm_bg.wasm', import.meta.url));
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Module: new (bytes: Uint8Array) => object };
  };
  const code = `
    import { parentPort, workerData } from 'node:worker_threads';
    const codec = await import(workerData.codec);
    delete globalThis.fetch;
    delete globalThis.TextDecoder;
    (await import(workerData.start)).initCodec(workerData.module);
    const decoder = new codec.OpusDecoder(24000);
    parentPort.postMessage(decoder.decode(new Uint8Array([0x68]), 0, 1, new Int16Array(480), 0));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: {
      codec: new URL('../../wasm/codec.js', import.meta.url).href,
      start: new URL('../../wasm/module.js', import.meta.url).href,
      module: new WebAssembly.Module(wasm),
    },
  });
  const samples = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  t.equal(samples, 480);
  await worker.terminate();
});

function decodeAll(packets: readonly Uint8Array[], rate: OpusRateHz): Int16Array {
  const decoder = new OpusDecoder(rate);
  const frame = rate / 50;
  const pcm = new Int16Array(packets.length * frame);
  packets.forEach((packet, i) => {
    decoder.decode(packet, 0, packet.length, pcm, i * frame);
  });
  decoder.free();
  return pcm;
}

function energy(pcm: Int16Array): number {
  return pcm.reduce((sum, sample) => sum + sample * sample, 0);
}

/** How much of `signal`, `delay` samples later, is in `decoded`. */
function compare(
  signal: Int16Array,
  decoded: Int16Array,
  delay: number,
): { correlation: number; snrDb: number } {
  let [xx, yy, xy, ee] = [0, 0, 0, 0];
  for (let i = 0; i + delay < decoded.length; i++) {
    const x = signal[i]!;
    const y = decoded[i + delay]!;
    xx += x * x;
    yy += y * y;
    xy += x * y;
    ee += (x - y) ** 2;
  }
  return { correlation: xy / Math.sqrt(xx * yy), snrDb: 10 * Math.log10(xx / ee) };
}
