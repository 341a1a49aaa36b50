/** The resampler: clean tones stay clean, what does not fit is taken out, and it does not matter how a stream is cut. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes } from '../../wasm/module.js';
import { MAX_STRETCH_SAMPLES, Resampler } from '../../wasm/resampler.js';
import { SEED } from '../kit/random.js';
import { fitSine } from '../kit/sine_fit.js';
import { seededRandom } from './random.js';

/** From and to, in Hz. The last ones have ratios of many fractions, whose filters are interpolated. */
const RATIOS = [
  [44_100, 24_000],
  [48_000, 24_000],
  [24_000, 48_000],
  [24_000, 44_100],
  [24_000, 11_025],
  [11_025, 24_000],
  [24_000, 16_000],
  [16_000, 24_000],
  [24_000, 22_050],
  [22_050, 24_000],
  [24_000, 32_000],
  [32_000, 24_000],
  [12_000, 24_000],
  [8000, 24_000],
  [96_000, 24_000],
  [192_000, 24_000],
  [192_000, 4000],
  [4000, 192_000],
  [24_000, 24_000],
  [44_101, 24_000],
  [24_000, 47_999],
  [191_999, 4001],
] as const;

t.before(() => loadCodec());

for (const [from, to] of RATIOS) {
  t.test(`from ${from} to ${to} Hz, tones below the lower Nyquist frequency stay clean`, async (t) => {
    const nyquist = Math.min(from, to) / 2;
    for (const hz of [Math.min(1000, nyquist * 0.5), nyquist * 0.8]) {
      const { snrDb, gainDb } = measure(from, to, hz);
      const wanted = hz <= 1000 ? 100 : 95;
      t.ok(snrDb >= wanted, `${hz} Hz: SNR ${snrDb.toFixed(1)} dB, expected ${wanted}`);
      const most = hz <= 1000 ? 0.01 : 0.35;
      t.ok(
        Math.abs(gainDb) < most,
        `${hz} Hz: level ${gainDb.toFixed(4)} dB, expected less than ${most} off`,
      );
    }
  });
}

for (const [from, to] of RATIOS.filter(([from, to]) => from > to)) {
  t.test(`from ${from} to ${to} Hz, tones above the new Nyquist frequency vanish`, async (t) => {
    for (const part of [1.002, 1.01, 1.05, 1.25, 1.5, 1.9]) {
      const hz = (to / 2) * part;
      if (hz >= from / 2) continue;
      const input = tone(from, hz, from);
      const output = whole(new Resampler(from, to), input).subarray(200, -200);
      const level = 10 * Math.log10(meanSquare(output) / meanSquare(input) + 1e-30);
      t.ok(level < -90, `${hz.toFixed(0)} Hz: ${level.toFixed(1)} dB, expected -90`);
    }
  });
}

for (const [from, to] of RATIOS.filter(([from, to]) => from < to)) {
  t.test(`from ${from} to ${to} Hz, tones have no images above the old Nyquist frequency`, async (t) => {
    for (const part of [0.5, 0.9, 0.95, 0.99]) {
      const level = measure(from, to, (from / 2) * part).errorDb;
      t.ok(level < -90, `${part} of it: ${level.toFixed(1)} dB, expected -90`);
    }
  });
}

// Two roundings are 95.1 dB below a full tone at worst; at 0.79 of the Nyquist frequency the tone itself is 0.3 dB down.
t.test('as s16, in and out, what is left is the two roundings: 95 dB of a full tone', async (t) => {
  for (const [from, to] of RATIOS.filter(([from, to]) => from >= 8000 && to >= 8000)) {
    const nyquist = Math.min(from, to) / 2;
    for (const hz of [997, nyquist * 0.79]) {
      const resampler = new Resampler(from, to);
      const input = Int16Array.from(tone(from, hz, from), (x) => Math.round(x * 2 * 32_767));
      const out = new Int16Array(to + 1);
      const made = resampler.streamPcm(input, out);
      resampler.free();
      const { snrDb } = fit(Float32Array.from(out.subarray(0, made)), to, hz);
      const wanted = hz < 1000 ? 95 : 94.7;
      t.ok(
        snrDb >= wanted,
        `${from} to ${to}, ${hz.toFixed(0)} Hz: ${snrDb.toFixed(2)} dB, expected ${wanted}`,
      );
    }
  }
});

t.test('the delay is the stated one', async (t) => {
  for (const [from, to] of RATIOS) {
    const resampler = new Resampler(from, to);
    const at = 2000;
    const input = new Float32Array(at * 2);
    // A smooth bump, centred at input time `at`.
    const width = 8 * Math.max(1, from / to);
    for (let i = 0; i < input.length; i++) input[i] = Math.exp(-(((i - at) / width) ** 2));
    const output = whole(resampler, input, resampler.delaySamples);
    const centre = output.reduce((sum, y, i) => sum + y * i, 0) / output.reduce((sum, y) => sum + y, 0);
    const wanted = ((at + resampler.delaySamples) * to) / from;
    t.ok(
      Math.abs(centre - wanted) < 0.01,
      `${from} to ${to}: ${centre.toFixed(3)}, expected ${wanted.toFixed(3)}`,
    );
  }
});

t.test('a constant stays that constant', async (t) => {
  for (const [from, to] of RATIOS) {
    const output = whole(new Resampler(from, to), new Float32Array(10_000).fill(0.5));
    const settled = output.subarray(Math.ceil((8000 * to) / from));
    const worst = settled.reduce((most, y) => Math.max(most, Math.abs(y - 0.5)), 0);
    t.ok(settled.length > 0 && worst < 1e-5, `${from} to ${to}: off by ${worst}`);
  }
});

t.test(`it does not matter how a stream is cut (seed ${SEED})`, async (t) => {
  const random = seededRandom(SEED);
  for (const [from, to] of RATIOS) {
    const input = Float32Array.from({ length: 20_000 }, () => random() * 2 - 1);
    const once = whole(new Resampler(from, to), input);
    t.equal(once.length, Math.ceil((input.length * to) / from), `${from} to ${to}: samples out`);
    const resampler = new Resampler(from, to);
    const parts: number[] = [];
    for (let at = 0; at < input.length; ) {
      const size = Math.floor(random() ** 3 * 6000);
      for (const y of resampler.process(input.subarray(at, at + size))) parts.push(y);
      at += size;
    }
    resampler.free();
    t.ok(
      parts.length === once.length && parts.every((y, i) => y === once[i]),
      `${from} to ${to}: the same samples`,
    );
  }
});

t.test(`s16 streams may be cut anywhere, too (seed ${SEED})`, async (t) => {
  const random = seededRandom(SEED);
  for (const [from, to] of RATIOS) {
    const input = Int16Array.from({ length: 20_000 }, () => random() * 65_536 - 32_768);
    const once = new Int16Array(Math.ceil((input.length * to) / from));
    const resampler = new Resampler(from, to);
    t.equal(resampler.streamPcm(input, once), once.length, `${from} to ${to}: samples out`);
    resampler.reset();
    // A call needs room for one more than it may return.
    const parts = new Int16Array(once.length + 1);
    let made = 0;
    for (let at = 0; at < input.length; ) {
      const pcm = input.subarray(at, at + Math.floor(random() ** 3 * 6000));
      made += resampler.streamPcm(pcm, parts, made);
      at += pcm.length;
    }
    resampler.free();
    t.ok(made === once.length && once.every((y, i) => y === parts[i]), `${from} to ${to}: the same samples`);
  }
});

t.test('whole frames stretched to 44100 Hz are what a stream gives', async (t) => {
  const random = seededRandom(SEED);
  const input = Int16Array.from({ length: 9600 }, () => random() * 65_536 - 32_768);
  const stream = new Int16Array(17_640);
  const stretched = new Int16Array(17_640);
  const resampler = new Resampler(24_000, 44_100);
  t.equal(resampler.streamPcm(input, stream), stream.length);
  resampler.reset();
  for (let frame = 0; frame < 20; frame += 4) {
    resampler.stretchPcm(input, frame * 480, 4 * 480, stretched, frame * 882, 4 * 882);
  }
  resampler.free();
  t.same(stretched, stream);
});

t.test('a stretched sine does not click at the border of two calls', async (t) => {
  for (const [to, frame] of [
    [11_025, 480],
    [11_025, 60],
    [22_050, 120],
    [44_100, 60],
    [47_999, 480],
  ] as const) {
    const resampler = new Resampler(24_000, to);
    const input = Int16Array.from(tone(24_000, 440, frame * 200), (x) => x * 2 * 30_000);
    const outFrame = Math.floor((frame * to) / 24_000);
    const out = new Int16Array(outFrame * 200);
    for (let i = 0; i < 200; i++) resampler.stretchPcm(input, i * frame, frame, out, i * outFrame, outFrame);
    resampler.free();
    let [inside, border] = [0, 0];
    for (let i = outFrame * 20; i < out.length - 1; i++) {
      const bend = Math.abs(out[i - 1]! - 2 * out[i]! + out[i + 1]!);
      if ((i + 1) % outFrame <= 1) border = Math.max(border, bend);
      else inside = Math.max(inside, bend);
    }
    t.ok(border < inside * 1.1 + 4, `${to} Hz, ${frame} samples: ${border} at borders, ${inside} elsewhere`);
  }
});

t.test('a stretch to counts between rows is as clean as a stream', async (t) => {
  const resampler = new Resampler(24_000, 11_025);
  for (const [samplesIn, samplesOut] of [
    [24_000, 11_024],
    [71_999, 33_074],
  ] as const) {
    const out = new Int16Array(samplesOut);
    const input = Int16Array.from(tone(24_000, 997, samplesIn), (x) => Math.round(x * 2 * 32_767));
    resampler.reset();
    resampler.stretchPcm(input, 0, samplesIn, out, 0, samplesOut);
    const { snrDb } = fit(Float32Array.from(out), (24_000 * samplesOut) / samplesIn, 997);
    t.ok(snrDb >= 95, `${samplesIn} to ${samplesOut}: ${snrDb.toFixed(2)} dB, expected 95`);
  }
  resampler.free();
});

t.test('s16 are saturated, and nothing traps on floats that are no numbers', async (t) => {
  const resampler = new Resampler(24_000, 44_100);
  const out = new Int16Array(882);
  const square = Int16Array.from({ length: 480 }, (_, i) => (i % 48 < 24 ? 32_767 : -32_768));
  resampler.streamPcm(square, out);
  t.ok(out.includes(32_767) && out.includes(-32_768), 'both ends are reached');
  // What overshoots stays at its end: it does not wrap around.
  t.ok(
    out.subarray(100).every((y, i, all) => i === 0 || Math.abs(y - all[i - 1]!) < 50_000),
    'no wrap-around',
  );
  resampler.process(Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, -1e38, 1e38));
  resampler.streamPcm(square, out);
  resampler.reset();
  t.same([...resampler.process(new Float32Array(480))], Array(882).fill(0), 'reset forgets them');
  resampler.free();
});

t.test('an instance is below 2 kB, the filter is shared, and all of it is given back', async (t) => {
  const start = codecLiveBytes();
  const first = new Resampler(24_000, 44_100);
  const withFilter = codecLiveBytes();
  t.ok(withFilter - start < 200_000, `filter and first: ${withFilter - start} bytes`);
  const more = Array.from({ length: 1000 }, () => new Resampler(24_000, 44_100));
  const each = (codecLiveBytes() - withFilter) / more.length;
  t.ok(each < 2000, `each: ${each} bytes`);
  first.free();
  for (const resampler of more) resampler.free();
  t.equal(codecLiveBytes(), start);
});

t.test('filters in use at once are bounded; freed ones make room', async (t) => {
  const many: Resampler[] = [];
  for (let i = 0; i < 64; i++) many.push(new Resampler(48_000, 4000 + i * 100));
  t.throws(() => new Resampler(48_000, 24_000), { code: 'ERR_HOTMIC_CODEC' });
  many.pop()?.free();
  many.push(new Resampler(48_000, 24_000));
  for (const resampler of many) resampler.free();
});

t.test('the module without SIMD gives the same bits', async (t) => {
  const [simd, scalar] = ['hotmic_wasm_bg.wasm', 'hotmic_wasm_scalar_bg.wasm'].map(rawModule);
  for (const [from, to] of RATIOS) {
    const results = [simd!, scalar!].map((glue) => {
      const random = seededRandom(SEED);
      const handle = glue.resampler_new!(from, to);
      const pcm = new Int16Array(glue.memory.buffer, glue.pcm_ptr!(), 144_000);
      const out = new Int16Array(glue.memory.buffer, glue.resampled_ptr!(), 144_000);
      const floats = new Float32Array(glue.memory.buffer, glue.in_ptr!(), 4096);
      const floatsOut = new Float32Array(glue.memory.buffer, glue.out_ptr!(), 8192);
      for (let i = 0; i < 2000; i++) pcm[i] = random() * 65_536;
      for (let i = 0; i < 4096; i++) floats[i] = random() * 2 - 1;
      const streamed = [...out.subarray(0, glue.resampler_stream!(handle, 2000))];
      const stretched = [
        ...out.subarray(0, glue.resampler_stretch!(handle, 777, Math.round((777 * to) / from))),
      ];
      const made = glue.resampler_process!(handle, Math.min(150, glue.resampler_max_input!(handle)));
      const processed = [...floatsOut.subarray(0, made)];
      glue.resampler_free!(handle);
      return [streamed, stretched, processed];
    });
    t.same(results[0], results[1], `${from} to ${to}`);
  }
});

t.test('numbers that no caller of ours sends are refused, and nothing traps', async (t) => {
  const glue = rawModule('hotmic_wasm_bg.wasm');
  for (const handle of [0, 1, 7, -1, 0x7fff_ffff]) {
    for (const call of ['process', 'stream', 'reset', 'delay', 'max_input', 'max_stream']) {
      t.ok(glue[`resampler_${call}`]!(handle, 480) < 0, `${call} of handle ${handle}`);
    }
    t.ok(glue.resampler_stretch!(handle, 480, 882) < 0);
    glue.resampler_free!(handle);
  }
  const handle = glue.resampler_new!(24_000, 44_100);
  for (const [samplesIn, samplesOut] of [
    [480, 880],
    [480, 884],
    [0, 1],
    [-1, -1],
    [72_001, 132_301],
    [0x7fff_ffff, 0x7fff_ffff],
  ]) {
    t.ok(glue.resampler_stretch!(handle, samplesIn!, samplesOut!) < 0, `${samplesIn} to ${samplesOut}`);
  }
  t.equal(glue.resampler_stretch!(handle, 0, 0), 0);
  t.equal(glue.resampler_stretch!(handle, 1, 1), 1);
  t.equal(glue.resampler_stretch!(handle, 72_000, 132_300), 132_300);
  t.ok(glue.resampler_stream!(handle, 144_000) < 0);
  t.ok(glue.resampler_process!(handle, 4097) < 0);
});

t.test('misuse is an error that names what is wanted', async (t) => {
  for (const rate of [3999, 192_001, 44_100.5, Number.NaN, -8000]) {
    t.throws(() => new Resampler(rate, 24_000), { name: 'RangeError', message: /from 4000 to 192000/ });
    t.throws(() => new Resampler(24_000, rate), RangeError);
  }
  const resampler = new Resampler(48_000, 24_000);
  const out = new Int16Array(240);
  t.throws(() => resampler.streamPcm(new Int16Array(482), out), {
    name: 'RangeError',
    message: /expected 241/,
  });
  t.throws(() => resampler.stretchPcm(new Int16Array(480), 1, 480, out, 0, 240), RangeError);
  t.throws(() => resampler.stretchPcm(new Int16Array(480), 0, 480, out, 1, 240), RangeError);
  t.throws(() => resampler.stretchPcm(new Int16Array(480), 0, 480, out, 0, 238), /480 samples to 238/);
  const long = MAX_STRETCH_SAMPLES + 2;
  t.throws(
    () => resampler.stretchPcm(new Int16Array(long), 0, long, new Int16Array(long / 2), 0, long / 2),
    RangeError,
  );
  resampler.free();
  resampler.free();
  t.throws(() => resampler.process(new Float32Array(1)), { code: 'ERR_HOTMIC_CODEC', message: /freed/ });
});

function tone(rate: number, hz: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));
}

/** Resamples all of `input` and `tail` zeros, and frees the resampler. */
function whole(resampler: Resampler, input: Float32Array, tail = 0): Float32Array {
  const padded = new Float32Array(input.length + tail);
  padded.set(input);
  const output = resampler.process(padded).slice();
  resampler.free();
  return output;
}

function meanSquare(samples: Float32Array): number {
  return samples.reduce((sum, y) => sum + y * y, 0) / samples.length;
}

interface Fit {
  /** The tone against all else. */
  readonly snrDb: number;
  /** The tone's level, and that of all else, against the input's. */
  readonly gainDb: number;
  readonly errorDb: number;
}

/** Half a second of tone through the resampler: its level, and what else is there. */
function measure(from: number, to: number, hz: number): Fit {
  return fit(whole(new Resampler(from, to), tone(from, hz, from >> 1)), to, hz);
}

/** The last three quarters of `output`, whose input was a tone of 0.5. */
function fit(output: Float32Array, to: number, hz: number): Fit {
  const { snrDb, amplitude, noise } = fitSine(output.subarray(Math.ceil(output.length / 4)), hz, to);
  return { snrDb, gainDb: 20 * Math.log10(amplitude / 0.5), errorDb: 10 * Math.log10(noise / 0.125) };
}

declare const WebAssembly: {
  readonly Module: {
    new (bytes: ArrayBufferView): object;
    imports(module: object): { readonly module: string; readonly name: string }[];
  };
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

type RawModule = Record<string, (...numbers: number[]) => number> & {
  readonly memory: { buffer: ArrayBuffer };
};

/** A separate module, without the glue: the resampler calls nothing outside. */
function rawModule(file: string): RawModule {
  const module = new WebAssembly.Module(readFileSync(new URL(`../../wasm/pkg/${file}`, import.meta.url)));
  const imports: Record<string, Record<string, () => void>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] = { ...imports[from], [name]: () => undefined };
  }
  return new WebAssembly.Instance(module, imports).exports as RawModule;
}
