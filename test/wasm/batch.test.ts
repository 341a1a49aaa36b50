/**
 * Batches and in-band FEC: one call for many steps makes the same sound, to the bit, as a call for each; and a frame that
 * was lost comes back from the packet behind it.
 */

import t from 'tap';
import {
  MAX_BATCH,
  OPUS_MAX_PACKET_BYTES,
  OPUS_RATES_HZ,
  OpusDecoder,
  OpusEncoder,
  type OpusEncoderOptions,
  OpusError,
  type OpusRateHz,
  Step,
} from '../../wasm/codec.js';
import { encodeFrames, goldenSignal } from '../../wasm/golden.js';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes } from '../../wasm/module.js';
import { SEED, SeededRandom } from '../kit/random.js';

loadCodec();

const FRAMES = 140;
const SIGNAL = goldenSignal(FRAMES);
const WITH_FEC: OpusEncoderOptions = { bitrate: 24_000, expectedLossPercent: 20, inbandFec: true };
const PACKETS = encodeFrames(SIGNAL, FRAMES, WITH_FEC);

t.test('a batch of packets is encoded as frame by frame', async (t) => {
  const encoder = new OpusEncoder(WITH_FEC);
  const out = new Uint8Array(FRAMES * (2 + OPUS_MAX_PACKET_BYTES));
  // A part-frame at the end is not encoded.
  const pcm = new Int16Array(SIGNAL.length + 479);
  pcm.set(SIGNAL);
  const bytes = encoder.encodeBatch(pcm, out);
  t.strictSame(out.subarray(0, bytes), batchOf(PACKETS));
  t.ok(out.subarray(bytes).every((byte) => byte === 0));
  t.equal(encoder.encodeBatch(new Int16Array(479), out), 0, 'no frame, no packet');
  t.throws(() => encoder.encodeBatch(SIGNAL, new Uint8Array(1000)), RangeError);
  encoder.free();
});

t.test('a batch of steps sounds as the calls one by one, at each rate', async (t) => {
  t.comment(`seed ${SEED}`);
  for (const rate of OPUS_RATES_HZ) {
    const random = new SeededRandom(SEED);
    const byCalls = new OpusDecoder(rate);
    const byBatch = new OpusDecoder(rate);
    const frame = rate / 50;
    const wanted = new Int16Array(FRAMES * 3 * frame);
    const steps: Uint8Array[] = [];
    let at = 0;
    // With what is made up between them, less than 3 s.
    for (const packet of PACKETS.slice(0, 110)) {
      const kind = random.below(12);
      if (kind === 0) {
        byCalls.reset();
        steps.push(words(Step.reset));
      } else if (kind === 1) {
        at += byCalls.conceal(frame, wanted, at);
        steps.push(words(Step.conceal));
      } else if (kind === 2) {
        at += byCalls.decodeFec(packet, 0, packet.length, wanted, at);
        steps.push(words(Step.fec));
      } else if (kind === 3) {
        at += frame;
        steps.push(words(Step.nothing));
      } else if (kind === 4) {
        at += 7;
        steps.push(words(Step.silence, 7, 0));
      }
      at += byCalls.decode(packet, 0, packet.length, wanted, at);
      steps.push(words(packet.length), packet);
    }
    const got = new Int16Array(wanted.length).fill(77);
    const samples = byBatch.decodeBatch(concat(steps), got, 3);
    t.equal(samples, at, `${rate} Hz`);
    t.ok(isSame(got.subarray(3, 3 + at), wanted.subarray(0, at)), `${rate} Hz, to the bit`);
    t.ok(got.subarray(0, 3).every((v) => v === 77) && got.subarray(3 + samples).every((v) => v === 77));
    t.equal(byBatch.finalRange, byCalls.finalRange);
    byCalls.free();
    byBatch.free();
  }
});

t.test('a batch that is refused changes nothing', async (t) => {
  const good = batchOf(PACKETS.slice(0, 3));
  const table: [name: string, steps: Uint8Array, error: number][] = [
    ['a length with one byte', concat([good, new Uint8Array(1)]), OpusError.badArgument],
    ['a packet that ends early', good.subarray(0, good.length - 1), OpusError.badArgument],
    ['FEC of nothing', concat([good, words(Step.fec)]), OpusError.badArgument],
    ['FEC of what is no packet', concat([good, words(Step.fec, Step.reset)]), OpusError.badArgument],
    ['FEC words without end', concat(Array(32_000).fill(words(Step.fec))), OpusError.badArgument],
    ['silence without a count', concat([good, words(Step.silence, 1)]), OpusError.badArgument],
    ['a packet of code 3 alone', concat([good, words(1), new Uint8Array([0x6b])]), OpusError.invalidPacket],
    ['more than 3 s', words(Step.silence, MAX_BATCH.samples + 1, 2), OpusError.bufferTooSmall],
    ['silence without end', words(Step.silence, 0xffff, 0xffff), OpusError.bufferTooSmall],
  ];
  const wanted = decodeAll(PACKETS.slice(0, 6), 24_000);
  for (const [name, steps, error] of table) {
    const decoder = new OpusDecoder(24_000);
    const out = new Int16Array(150_000);
    decoder.decodeBatch(good, out, 0);
    const rest = new Int16Array(3 * 480).fill(5);
    t.equal(decoder.decodeBatch(steps, out, 0), error, name);
    t.equal(decoder.decodeBatch(batchOf(PACKETS.slice(3, 6)), rest.subarray(1), 0), OpusError.bufferTooSmall);
    t.ok(rest.every((value) => value === 5));
    t.equal(decoder.decodeBatch(batchOf(PACKETS.slice(3, 6)), rest, 0), 3 * 480);
    t.strictSame(rest, wanted.subarray(3 * 480), `${name}: the decoder goes on as if nothing had been`);
    decoder.free();
  }
  const decoder = new OpusDecoder(24_000);
  t.equal(decoder.decodeBatch(new Uint8Array(0), new Int16Array(0), 0), 0, 'no steps, no samples');
  t.throws(() => decoder.decodeBatch(new Uint8Array(MAX_BATCH.bytes + 1), new Int16Array(1), 0), RangeError);
  t.throws(() => decoder.decodeBatch(good, new Int16Array(1), 2), RangeError);
  decoder.free();
});

t.test('a lost frame comes back from the FEC of the next, nearer than concealment does', async (t) => {
  const clean = decodeAll(PACKETS, 24_000);
  let fecError = 0;
  let concealError = 0;
  for (let lost = 10; lost < 90; lost += 5) {
    const truth = clean.subarray(lost * 480, (lost + 1) * 480);
    fecError += squaredError(truth, afterLoss(lost, 'fec'));
    concealError += squaredError(truth, afterLoss(lost, 'conceal'));
  }
  t.ok(
    fecError < concealError / 2,
    `error ${fecError.toExponential(2)}, concealed ${concealError.toExponential(2)}`,
  );
});

t.test('where a packet holds no FEC, the lost frame is concealed', async (t) => {
  const plain = encodeFrames(SIGNAL, 20, {});
  const [byFec, byConceal] = [new OpusDecoder(24_000), new OpusDecoder(24_000)];
  const [a, b] = [new Int16Array(480), new Int16Array(480)];
  for (const decoder of [byFec, byConceal])
    for (const packet of plain.slice(0, 10)) decoder.decode(packet, 0, packet.length, a, 0);
  byFec.decodeFec(plain[11]!, 0, plain[11]!.length, a, 0);
  byConceal.conceal(480, b, 0);
  t.strictSame(a, b);
  t.equal(byFec.decodeFec(new Uint8Array(0), 0, 0, a, 0), OpusError.invalidPacket);
  t.equal(byFec.decodeFec(new Uint8Array([0x6b]), 0, 1, a, 0), OpusError.invalidPacket, 'what is no packet');
  t.throws(() => byFec.decodeFec(plain[0]!, 0, 1, a, 1), RangeError, 'no room for 20 ms');
  byFec.free();
  byConceal.free();
});

t.test('what is no array of the right kind is named', async (t) => {
  const encoder = new OpusEncoder();
  const decoder = new OpusDecoder(24_000);
  const floats = new Float32Array(480) as unknown as Int16Array;
  const bytes = new Uint8Array(2000);
  const pcm = new Int16Array(480);
  for (const use of [
    () => encoder.encode(floats, 0, bytes, 0),
    () => encoder.encodeBatch(floats, bytes),
    () => decoder.decode(bytes, 0, 1, floats, 0),
    () => decoder.decodeFec(bytes, 0, 1, floats, 0),
    () => decoder.decodeBatch(bytes, floats, 0),
    () => decoder.conceal(480, floats, 0),
  ]) {
    t.throws(use, { name: 'TypeError', message: /is Float32Array, expected Int16Array/ });
  }
  t.throws(() => decoder.decode('h' as unknown as Uint8Array, 0, 1, pcm, 0), {
    name: 'TypeError',
    message: 'Cannot decode: bytes is string, expected Uint8Array',
  });
  encoder.free();
  decoder.free();
});

t.test('the encoder tells when nobody speaks', async (t) => {
  const encoder = new OpusEncoder();
  const out = new Uint8Array(OPUS_MAX_PACKET_BYTES);
  // Two seconds of voice, one of digital silence.
  const quiet = Array.from({ length: 140 }, (_, i) => {
    encoder.encode(SIGNAL, i * 480, out, 0);
    return encoder.inDtx;
  });
  t.notOk(quiet.slice(0, 100).includes(true), 'not while it hears voice');
  const first = quiet.indexOf(true);
  t.ok(first >= 108 && first <= 114, `from frame ${first} on, 200 ms into the silence`);
  t.notOk(quiet.slice(first).includes(false), 'and on, through the frames that refresh the noise');
  encoder.free();
});

t.test('what instances hold is live, and freed it is not', async (t) => {
  const before = codecLiveBytes();
  const encoder = new OpusEncoder();
  const decoder = new OpusDecoder(48_000);
  t.ok(codecLiveBytes() > before + 40_000, `${codecLiveBytes() - before} bytes`);
  encoder.free();
  decoder.free();
  t.equal(codecLiveBytes(), before);
});

/** Quick, and quick to say so, on long arrays. */
function isSame(a: Int16Array, b: Int16Array): boolean {
  return a.length === b.length && a.every((sample, i) => sample === b[i]);
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(values.flatMap((value) => [value & 0xff, (value >> 8) & 0xff]));
}

function batchOf(packets: readonly Uint8Array[]): Uint8Array {
  return concat(packets.flatMap((packet) => [words(packet.length), packet]));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function decodeAll(packets: readonly Uint8Array[], rate: OpusRateHz): Int16Array {
  const decoder = new OpusDecoder(rate);
  const pcm = new Int16Array(packets.length * (rate / 50));
  decoder.decodeBatch(batchOf(packets), pcm, 0);
  decoder.free();
  return pcm;
}

/** What is heard in place of the frame `lost`. */
function afterLoss(lost: number, how: 'fec' | 'conceal'): Int16Array {
  const decoder = new OpusDecoder(24_000);
  const pcm = new Int16Array(480);
  for (const packet of PACKETS.slice(0, lost)) decoder.decode(packet, 0, packet.length, pcm, 0);
  const next = PACKETS[lost + 1]!;
  if (how === 'fec') decoder.decodeFec(next, 0, next.length, pcm, 0);
  else decoder.conceal(480, pcm, 0);
  decoder.free();
  return pcm;
}

function squaredError(a: Int16Array, b: Int16Array): number {
  return a.reduce((sum, sample, i) => sum + (sample - b[i]!) ** 2, 0);
}
