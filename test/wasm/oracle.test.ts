/**
 * The codec against native libopus of the same source, sample by sample and packet by packet, on more than 100,000 frames.
 *
 * Native is built twice (test/kit/opus/native_opus.ts). `plain` is libopus' portable C: what the wasm build is, and must equal to the
 * bit. `dispatch` has its SIMD for this processor: the same sums in another order and fused, so the last bit may differ, and
 * where CELT makes up lost sound out of a fit to what came before, more may. The figures are printed; docs/codec.md tells them.
 */

import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  OPUS_FRAME_SAMPLES,
  OPUS_MAX_PACKET_BYTES,
  OPUS_RATES_HZ,
  OpusEncoder,
  type OpusEncoderOptions,
  type OpusRateHz,
} from '../../wasm/codec.js';
import { encodeFrames, goldenSignal, sha256 } from '../../wasm/golden.js';
import { loadCodec } from '../../wasm/load.js';
import { type DecoderStep, type Oracle, oracle, packetsOf, packSteps } from '../kit/opus/oracle.js';
import {
  compare,
  decodeInBatches,
  decodeOneByOne,
  distanceDb,
  hasFec,
  type Kind,
  kindsOf,
  type Mode,
  modeOf,
  noTally,
  segmentalSnrDb,
  type Tally,
  tell,
} from '../kit/opus/oracle_compare.js';
import { ScalarCodec } from '../kit/opus/oracle_scalar.js';
import { losePackets, mixedSignal, pcmOfPlan, streamPlans } from '../kit/opus/oracle_streams.js';
import { pcmOfWav } from '../kit/speech.js';

/** Some 80 s of processor time, on two of them. The limit is for machines that do much else. */
t.setTimeout(3_600_000);

interface Findings {
  packets: number;
  /** Steps with sound, each counted once, and once for each rate that it was decoded at. */
  frames: number;
  decodings: number;
  /** First bytes of packets without their frame count code: configuration and channels. */
  configurations: Set<number>;
  codes: Set<number>;
  dtxPackets: number;
  /** Of the FEC steps, those whose packet holds FEC. */
  fecFrames: number;
  /** The rates at which packets of a mode were decoded. */
  rates: Record<Mode, Set<number>>;
  /** Lengths of runs of lost frames, by the mode that they broke into. */
  runs: Record<Mode, Set<number>>;
  /** Streams, at a rate, in which wasm differs from plain. */
  unlikePlain: string[];
  /** The same of the wasm build without SIMD, at 24 kHz. */
  scalarUnlikePlain: string[];
  unlikeDispatch: Record<Kind, Tally>;
}

/** Bitrate, complexity, DTX, expected loss in percent: with loss goes in-band FEC. */
const ENCODINGS = [
  [6000, 9, 1, 0],
  [8000, 5, 1, 0],
  [12_000, 9, 1, 10],
  [16_000, 10, 0, 0],
  [20_000, 0, 1, 0],
  [24_000, 9, 1, 20],
  [32_000, 9, 1, 0],
  [32_000, 5, 1, 0],
  [48_000, 3, 0, 0],
  [64_000, 10, 1, 5],
] as const;

const OTHER_RATES_HZ = [8000, 12_000, 16_000, 48_000] as const;

const plain = await oracle('plain');
const dispatch = await oracle('dispatch');
const natives =
  plain.kind === 'built' && dispatch.kind === 'built'
    ? { plain, dispatch }
    : { reason: [plain, dispatch].flatMap((one) => (one.kind === 'skipped' ? [one.reason] : []))[0]! };
const options = 'reason' in natives ? { skip: natives.reason } : {};

t.before(() => loadCodec());

t.test('the native build uses what SIMD this processor has', options, async (t) => {
  const { plain, dispatch } = nativesOrThrow();
  t.comment(`${dispatch.build.compiler}, SIMD ${dispatch.build.simd}, level ${dispatch.arch} of 4 in use`);
  t.equal(plain.arch, 0, 'plain uses none');
  if (dispatch.build.simd === 'none') return;
  t.ok(dispatch.arch >= 2, 'all x86-64 processors have SSE2');
  if (process.platform !== 'linux') return;
  const flags = new Set(
    readFileSync('/proc/cpuinfo', 'utf8')
      .match(/^flags\s*:(.*)$/m)![1]!
      .split(' '),
  );
  const hasAvx2 = ['avx', 'avx2', 'fma'].every((flag) => flags.has(flag));
  t.equal(dispatch.arch, hasAvx2 ? 4 : flags.has('sse4_1') ? 3 : 2);
});

t.test('100,000 frames decode as native libopus decodes them', options, async (t) => {
  const findings = await decodeAll(nativesOrThrow());
  const { unlikeDispatch } = findings;

  t.test('the streams hold what they should', async (t) => {
    t.comment(`${findings.packets} packets, ${findings.frames} frames, ${findings.decodings} decodings`);
    t.comment(`${findings.dtxPackets} packets of one byte, ${findings.fecFrames} frames from in-band FEC`);
    t.ok(findings.frames >= 100_000);
    t.equal(findings.configurations.size, 64, 'all 32 configurations, mono and stereo');
    t.equal(findings.codes.size, 4, 'all codes for the number of frames');
    t.ok(findings.dtxPackets >= 1000);
    t.ok(findings.fecFrames >= 200);
    for (const mode of ['SILK', 'hybrid', 'CELT'] as const) {
      t.equal(findings.rates[mode].size, OPUS_RATES_HZ.length, `${mode} at all five rates`);
      t.equal(findings.runs[mode].size, 10, `1 to 10 frames lost of ${mode}`);
    }
  });

  t.test('every sample equals that of portable libopus, at every rate', async (t) => {
    t.same(findings.unlikePlain, []);
  });

  t.test('every sample of the codec without SIMD does so, too', async (t) => {
    t.same(findings.scalarUnlikePlain, []);
  });

  t.test(
    'SILK equals libopus with SIMD, but for the few ms of CELT that its packets may carry',
    async (t) => {
      t.comment(tell(unlikeDispatch.SILK));
      t.ok(unlikeDispatch.SILK.largest <= 1);
      t.ok(unlikeDispatch.SILK.differing < 1e-4 * unlikeDispatch.SILK.samples);
    },
  );

  t.test('where CELT made nothing up, none is further than 1 from it', async (t) => {
    t.comment(tell(unlikeDispatch.floats));
    t.ok(unlikeDispatch.floats.largest <= 1);
  });

  t.test('what CELT made up is as loud, and nearly the same', async (t) => {
    const tally = unlikeDispatch['made up'];
    t.comment(tell(tally));
    t.ok(tally.beyond < 0.05 * tally.samples);
    // One other choice of a pitch, which is rare, costs some 20 dB of the 57 measured.
    t.ok(distanceDb(tally) > 25);
  });
});

t.test('10,000 frames of voice encode to the packets of native libopus', options, async (t) => {
  const { plain, dispatch } = nativesOrThrow();
  const said = speech();
  const frames = Math.floor(said.length / OPUS_FRAME_SAMPLES);
  const encoder = new OpusEncoder();
  const lag = encoder.lookaheadSamples;
  encoder.free();
  let packets = 0;
  let unlikePlain = 0;
  let unlikeDispatch = 0;
  let widestDb = 0;
  for (const [i, [bitrate, complexity, dtx, loss]] of ENCODINGS.entries()) {
    const fec = loss > 0 ? 1 : 0;
    const how = { bitrate, complexity, dtx, loss, fec };
    const running = Promise.all([plain.encode(said, how), dispatch.encode(said, how)]);
    const options = {
      bitrate,
      complexity,
      dtx: dtx === 1,
      expectedLossPercent: loss,
      inbandFec: fec === 1,
    };
    const wasm = i % 2 ? encodeFrames(said, frames, options) : encodeInOneBatch(said, options);
    const [fromPlain, fromDispatch] = await running;
    t.equal(wasm.length, frames);
    packets += frames;
    unlikePlain += countDifferent(wasm, fromPlain);
    unlikeDispatch += countDifferent(wasm, fromDispatch);
    const [oursDb, nativeDb] = [wasm, fromDispatch].map((packets) =>
      segmentalSnrDb(said, decodeInBatches(packets, 24_000).pcm, lag),
    ) as [number, number];
    widestDb = Math.max(widestDb, Math.abs(oursDb - nativeDb));
  }
  const share = (count: number) => `${(100 * (1 - count / packets)).toFixed(2)} %`;
  t.comment(`${packets} packets: equal to portable libopus ${share(unlikePlain)}`);
  t.comment(
    `equal to libopus with SIMD ${share(unlikeDispatch)}, quality at most ${widestDb.toPrecision(2)} dB apart`,
  );
  t.ok(packets >= 10_000);
  t.equal(unlikePlain, 0, 'every packet equals that of portable libopus');
  t.ok(widestDb <= 0.1, 'and is as good as that of libopus with SIMD');
});

/** Three voices and the golden signal, half a minute at 24 kHz. */
function speech(): Int16Array {
  const voices = ['ada', 'ben', 'cleo'].map((name) => pcmOfWav(`examples/speech/${name}.wav`));
  return Int16Array.from([...voices, goldenSignal(450)].flatMap((pcm) => [...pcm]));
}

function encodeInOneBatch(pcm: Int16Array, options: OpusEncoderOptions): Uint8Array[] {
  const encoder = new OpusEncoder(options);
  const frames = Math.floor(pcm.length / OPUS_FRAME_SAMPLES);
  const out = new Uint8Array(frames * (2 + OPUS_MAX_PACKET_BYTES));
  const bytes = encoder.encodeBatch(pcm, out);
  encoder.free();
  return packetsOf(out.subarray(0, bytes));
}

function countDifferent(ours: readonly Uint8Array[], native: readonly Uint8Array[]): number {
  return ours.filter((packet, i) => Buffer.compare(packet, native[i] ?? new Uint8Array(0)) !== 0).length;
}

function nativesOrThrow(): { plain: Oracle; dispatch: Oracle } {
  if ('reason' in natives) throw new Error(`no oracle: ${natives.reason}`);
  return natives;
}

async function decodeAll({ plain, dispatch }: { plain: Oracle; dispatch: Oracle }): Promise<Findings> {
  const findings: Findings = {
    packets: 0,
    frames: 0,
    decodings: 0,
    configurations: new Set(),
    codes: new Set(),
    dtxPackets: 0,
    fecFrames: 0,
    rates: { SILK: new Set(), hybrid: new Set(), CELT: new Set() },
    runs: { SILK: new Set(), hybrid: new Set(), CELT: new Set() },
    unlikePlain: [],
    scalarUnlikePlain: [],
    unlikeDispatch: { SILK: noTally(), floats: noTally(), 'made up': noTally() },
  };
  const scalar = new ScalarCodec();
  const signal = mixedSignal();
  const plans = streamPlans();
  const encode = (plan: (typeof plans)[number]) => plain.encode(pcmOfPlan(signal, plan), plan.how);
  let next = encode(plans[0]!);
  for (const [i, plan] of plans.entries()) {
    const packets = await next;
    // While this stream is decoded, the next one is encoded.
    if (i + 1 < plans.length) next = encode(plans[i + 1]!);
    const steps = losePackets(packets, packets.length >> 1, i + 1);
    findings.packets += packets.length;
    // At 24 kHz, as all of Steam's voice, and at another rate: in turns that do not keep step with the lengths of frames.
    const rates = [24_000, OTHER_RATES_HZ[(i + (i >> 2)) % OTHER_RATES_HZ.length]!] as const;
    countSteps(findings, steps, rates);
    const kinds = kindsOf(steps);
    const packed = packSteps(steps);
    const fromScalar = scalar.decode(steps);
    for (const [k, rate] of rates.entries()) {
      const running = Promise.all([plain.decode(packed, rate), dispatch.decode(packed, rate)]);
      const wasm = (i + k) % 2 ? decodeOneByOne(steps, rate) : decodeInBatches(steps, rate);
      const [fromPlain, fromDispatch] = await running;
      if (!isSame(wasm.pcm, fromPlain.pcm) || wasm.finalRange !== fromPlain.finalRange) {
        findings.unlikePlain.push(`${plan.name} at ${rate} Hz`);
      }
      if (rate === 24_000 && (await fromScalar) !== sha256(fromPlain.pcm)) {
        findings.scalarUnlikePlain.push(plan.name);
      }
      compare(findings.unlikeDispatch, steps, kinds, rate, wasm.pcm, fromDispatch.pcm);
      findings.decodings += steps.filter((step) => step !== 'reset').length;
    }
  }
  await scalar.close();
  return findings;
}

function countSteps(findings: Findings, steps: readonly DecoderStep[], rates: readonly OpusRateHz[]): void {
  let mode: Mode = 'SILK';
  let run = 0;
  steps.forEach((step, i) => {
    if (step === 'reset') return;
    findings.frames += 1;
    if (typeof step === 'string') {
      run += 1;
      if (step === 'fec' && hasFec(steps[i + 1] as Uint8Array)) findings.fecFrames += 1;
      return;
    }
    if (run > 0) findings.runs[mode].add(run);
    run = 0;
    mode = modeOf(step);
    for (const rate of rates) findings.rates[mode].add(rate);
    findings.configurations.add(step[0]! >> 2);
    findings.codes.add(step[0]! & 3);
    if (step.length === 1) findings.dtxPackets += 1;
  });
}

function isSame(a: Int16Array, b: Int16Array): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Int16Array) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}
