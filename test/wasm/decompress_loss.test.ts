/**
 * Loss: in-band FEC and concealment, written from the format and not from the code. The expected output comes from an Opus
 * decoder that is led by hand.
 */

import t, { type Test } from 'tap';
import { opusFrames, readPacket } from '../../voice/packet.js';
import { MAX_PACKET_BYTES } from '../../voice/units.js';
import { OpusDecoder, type OpusRateHz } from '../../wasm/codec.js';
import { VoiceEncoder, type VoiceEncoderOptions } from '../../wasm/compress.js';
import { VoiceDecoder } from '../../wasm/decompress.js';
import { loadCodec } from '../../wasm/load.js';
import { FRAME, joined, newDecoder } from '../kit/decoders.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../kit/raw_packet.js';
import { pcmOfWav } from '../kit/speech.js';

loadCodec();

const ADA = pcmOfWav('examples/speech/ada.wav');

t.test('in-band FEC brings a lost frame back from the packet behind it, at every rate', async (t) => {
  const sent = sentOf({ inbandFec: true, expectedLossPercent: 20 });
  for (const rate of [12_000, 16_000, 24_000, 48_000] as const) {
    const { decoder, fec, plain } = byHand(t, everyTenthLost(sent), rate);
    const whole = hear(sent, rate);
    t.strictSame([decoder.concealed, decoder.leading, decoder.decoded], [30, 30, 270]);
    t.equal(decoder.pcm.length, whole.length, `${rate} Hz`);
    t.ok(equal(decoder.pcm, fec), `${rate} Hz: as decodeFec`);
    const share = distance(decoder.pcm, whole) / distance(plain, whole);
    t.ok(share < 0.3, `${rate} Hz: ${share.toFixed(3)} of the error of concealment`);
  }
  const errorDb = (rate: number) => {
    const whole = hear(sent, rate);
    return 10 * Math.log10(distance(hear(everyTenthLost(sent), rate), whole) / energy(whole));
  };
  for (const rate of [22_050, 44_100]) {
    t.ok(Math.abs(errorDb(rate) - errorDb(24_000)) < 1, `${rate} Hz: ${errorDb(rate).toFixed(1)} dB`);
  }
});

t.test('of a longer gap only its last frame comes back, and ten are made at most', async (t) => {
  const sent = sentOf({ inbandFec: true, expectedLossPercent: 20 }).slice(0, 200);
  for (const lost of [2, 3, 9, 10, 11, 30]) {
    const lossy = sent.filter((_, at) => at % 50 < 40 - lost || at % 50 >= 40);
    const { decoder, fec } = byHand(t, lossy, 24_000);
    t.equal(decoder.concealed, 4 * Math.min(10, lost));
    t.ok(equal(decoder.pcm, fec), `${lost} lost`);
  }
});

t.test('where no FEC was sent a lost frame is plainly concealed', async (t) => {
  for (const options of [
    {},
    { bitrate: 64_000 },
    { bitrate: 8000 },
    { inbandFec: true },
    { expectedLossPercent: 20 },
  ]) {
    const sent = sentOf(options);
    for (const rate of [16_000, 24_000, 48_000] as const) {
      const { decoder, plain } = byHand(t, everyTenthLost(sent), rate);
      t.ok(equal(decoder.pcm, plain), `${JSON.stringify(options)}, ${rate} Hz`);
      t.equal(decoder.concealed, 30);
    }
  }
});

t.test('a step back, a marker and a first frame lose nothing, whatever the packet repeats', async (t) => {
  const sent = sentOf({ inbandFec: true, expectedLossPercent: 20 });
  for (const rate of [24_000, 44_100]) {
    const { concealed, pcm } = listen(sent.slice(40, 60), rate);
    t.equal(concealed, 0, 'in mid-stream');
    const decoder = newDecoder(t, rate);
    for (const packet of sent.slice(100, 120)) decoder.decompressPcm(packet);
    const behind = sent.slice(40, 60).map((packet) => decoder.decompressPcm(packet));
    t.ok(behind.every(({ concealedFrames }) => concealedFrames === 0));
    if (rate === 24_000) t.ok(equal(joined(behind.map((answer) => answer.pcm)), pcm), 'as a new decoder');
  }
});

t.test('leading concealed frames are those before the first sample of the packet itself', async (t) => {
  for (const rate of [24_000, 44_100]) {
    const decoder = newDecoder(t, rate);
    const say = (ops: string) => decoder.decompressPcm(packetOfOps(RATE_24K + ops));
    const dtx = (...sequences: number[]) =>
      opusOp(sequences.map((sequence) => frameOf(sequence, '68')).join(''));
    say(dtx(0));
    t.match(say(dtx(3, 6)), { concealedFrames: 4, leadingConcealedFrames: 2, decodedFrames: 2 });
    t.match(say(dtx(7, 9)), { concealedFrames: 1, leadingConcealedFrames: 0, decodedFrames: 2 });
    t.match(
      say(`00e001${dtx(12)}`),
      { concealedFrames: 2, leadingConcealedFrames: 0 },
      'silence comes first',
    );
    t.match(
      say(opusOp('00000f00')),
      { concealedFrames: 2, leadingConcealedFrames: 2 },
      'a frame of length 0',
    );
    t.match(say(dtx(90)), { concealedFrames: 10, leadingConcealedFrames: 10, decodedFrames: 1 });
    t.match(say(dtx(80)), { concealedFrames: 0, leadingConcealedFrames: 0 }, 'a step backward');
    t.match(say(opusOp('ffff') + dtx(3)), { concealedFrames: 3, leadingConcealedFrames: 3 }, 'a marker');
  }
});

t.test('a frame of length 0 is not decoded, and not counted so', async (t) => {
  const decoder = newDecoder(t);
  t.match(decoder.decompressPcm(packetOfOps(opusOp('00000000'))), { samples: FRAME, decodedFrames: 0 });
});

/** One frame a packet, of the first 300. */
function sentOf(options: VoiceEncoderOptions): Uint8Array[] {
  const encoder = new VoiceEncoder(1n, { ...options, framesPerPacket: 1 });
  encoder.write(ADA.subarray(0, 300 * FRAME));
  const target = new Uint8Array(MAX_PACKET_BYTES);
  const packets = Array.from({ length: 300 }, () => target.slice(0, encoder.read(target)));
  encoder.free();
  return packets;
}

function framesOf(packet: Uint8Array) {
  const read = readPacket(packet);
  if (read.kind === 'malformed') throw new Error(`cannot read: ${read.reason}, ${read.detail}`);
  return opusFrames(read);
}

function hear(packets: readonly Uint8Array[], rate = 24_000): Int16Array {
  return listen(packets, rate).pcm;
}

function listen(packets: readonly Uint8Array[], rate: number) {
  const decoder = new VoiceDecoder(rate);
  const answers = packets.map((packet) => decoder.decompressPcm(packet));
  decoder.free();
  const sum = (of: (answer: (typeof answers)[number]) => number) =>
    answers.reduce((total, answer) => total + of(answer), 0);
  return {
    pcm: joined(answers.map(({ pcm }) => pcm)),
    concealed: sum(({ concealedFrames }) => concealedFrames),
    leading: sum(({ leadingConcealedFrames }) => leadingConcealedFrames),
    decoded: sum(({ decodedFrames }) => decodedFrames),
  };
}

/** What VoiceDecoder makes of `packets`, and what a decoder led by hand does, with and without FEC. */
function byHand(t: Test, packets: readonly Uint8Array[], rate: OpusRateHz) {
  const frame = (FRAME * rate) / 24_000;
  const [fec, plain] = [true, false].map((usesFec) => {
    const opus = new OpusDecoder(rate);
    t.teardown(() => opus.free());
    const parts: Int16Array[] = [];
    let expected = 0;
    for (const packet of packets) {
      for (const { start, bytes, sequence } of framesOf(packet)) {
        for (let left = Math.min(10, sequence - expected); left > 0; left -= 1) {
          const out = new Int16Array(frame);
          if (usesFec && left === 1) opus.decodeFec(packet, start, bytes, out, 0);
          else opus.conceal(frame, out, 0);
          parts.push(out);
        }
        const out = new Int16Array(frame);
        opus.decode(packet, start, bytes, out, 0);
        parts.push(out);
        expected = sequence + 1;
      }
    }
    return joined(parts);
  });
  return { decoder: listen(packets, rate), fec: fec!, plain: plain! };
}

function everyTenthLost(packets: readonly Uint8Array[]): Uint8Array[] {
  return packets.filter((_, at) => at % 10 !== 5);
}

function equal(a: Int16Array, b: Int16Array): boolean {
  return a.length === b.length && a.every((sample, at) => sample === b[at]);
}

function energy(pcm: Int16Array): number {
  return pcm.reduce((sum, sample) => sum + sample ** 2, 0);
}

function distance(a: Int16Array, b: Int16Array): number {
  return a.reduce((sum, sample, at) => sum + (sample - (b[at] ?? 0)) ** 2, 0);
}
