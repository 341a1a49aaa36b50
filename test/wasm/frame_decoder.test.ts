/** Frames one by one: the same sound as whole packets, and the frames that are missing. */

import t, { type Test } from 'tap';
import { hasInbandFec } from '../../voice/opus_framing.js';
import { opusFrames, readPacket } from '../../voice/packet.js';
import { OpusDecoder } from '../../wasm/codec.js';
import { FrameDecoder } from '../../wasm/frame_decoder.js';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes } from '../../wasm/module.js';
import { newDecoder } from '../kit/decoders.js';
import { type TalkOptions, talk } from '../kit/playout/run.js';
import { pcmOfWav } from '../kit/speech.js';

loadCodec();

const FRAME = 480;
const ADA = pcmOfWav('examples/speech/ada.wav').subarray(0, 96_000);

/** The Opus packets of a talkspurt, each at the front of memory of its own. */
function opusPackets(options: TalkOptions = {}): Uint8Array[] {
  return talk(ADA, options).flatMap(({ packet }) => {
    const read = readPacket(packet);
    if (read.kind === 'malformed') throw new Error(read.detail);
    return opusFrames(read).map(({ start, bytes }) => packet.slice(start, start + bytes));
  });
}

function made(t: Test): FrameDecoder {
  const decoder = new FrameDecoder();
  t.teardown(() => decoder.free());
  return decoder;
}

t.test('frame by frame the sound is that of whole packets', async (t) => {
  const whole = newDecoder(t);
  const decoder = made(t);
  const out = new Int16Array(3 * FRAME);
  for (const { packet } of talk(ADA, { framesPerPacket: 3 })) {
    const read = readPacket(packet);
    if (read.kind === 'malformed') throw new Error(read.detail);
    let at = 0;
    for (const { start, bytes, samples } of opusFrames(read)) {
      decoder.decode(packet.subarray(start, start + bytes), bytes, samples, out, at);
      at += samples;
    }
    t.strictSame(out.subarray(0, at), whole.decompressPcm(packet).pcm);
  }
});

t.test('concealment is libopus’ own, in pieces or at once', async (t) => {
  const packets = opusPackets({ dtx: false });
  const opus = new OpusDecoder(24_000);
  t.teardown(() => opus.free());
  const decoder = made(t);
  const expected = new Int16Array(FRAME);
  const got = new Int16Array(FRAME);
  for (const [index, packet] of packets.entries()) {
    if (index % 7 === 3) {
      for (const at of [0, 240]) {
        opus.conceal(240, expected, at);
        decoder.conceal(240, got, at);
      }
    } else if (index % 7 === 5) {
      opus.conceal(480, expected, 0);
      decoder.conceal(480, got, 0);
    } else {
      opus.decode(packet, 0, packet.length, expected, 0);
      decoder.decode(packet, packet.length, FRAME, got, 0);
    }
    t.strictSame(got, expected, `frame ${index}`);
  }
});

t.test('in-band FEC is seen where the encoder was asked for it, and brings the frame back', async (t) => {
  const withFec = opusPackets({ dtx: false, inbandFec: true, expectedLossPercent: 20 });
  const share = withFec.filter((packet) => hasInbandFec(packet, packet.length)).length / withFec.length;
  t.ok(share > 0.5, `${share.toFixed(2)} of the packets`);
  t.notOk(opusPackets({ dtx: false }).some((packet) => hasInbandFec(packet, packet.length)));
  t.notOk(hasInbandFec(new Uint8Array([0x68]), 1), 'DTX');
  t.notOk(hasInbandFec(new Uint8Array([0xf8, 0xff]), 2), 'CELT');
  t.notOk(hasInbandFec(new Uint8Array([0x69, 0xff, 0xff]), 3), 'two frames');

  const decoder = made(t);
  const plain = made(t);
  const whole = made(t);
  const lost = withFec.findIndex((_, index) => index > 20 && hasInbandFec(withFec[index + 1]!, 2));
  const [recovered, concealed, original] = [
    new Int16Array(FRAME),
    new Int16Array(FRAME),
    new Int16Array(FRAME),
  ];
  for (const packet of withFec.slice(0, lost))
    for (const one of [decoder, plain, whole]) one.decode(packet, packet.length, FRAME, original, 0);
  const next = withFec[lost + 1]!;
  decoder.recover(next, next.length, recovered, 0);
  plain.conceal(FRAME, concealed, 0);
  whole.decode(withFec[lost]!, withFec[lost]!.length, FRAME, original, 0);
  t.ok(distance(recovered, original) < distance(concealed, original));
});

t.test('a frame on which libopus fails becomes zeros, as does one without bytes', async (t) => {
  const decoder = made(t);
  const out = new Int16Array(FRAME + 2).fill(7);
  decoder.decode(new Uint8Array(0), 0, FRAME, out, 1);
  t.ok(out.subarray(1, FRAME + 1).every((sample) => sample === 0));
  t.equal(out[0], 7);
  t.equal(out[FRAME + 1], 7);
  out.fill(7);
  // Two frames of different lengths in the framing that says equal ones.
  decoder.decode(new Uint8Array([0x69, 1, 2, 3]), 4, FRAME, out, 1);
  t.ok(out.subarray(1, FRAME + 1).every((sample) => sample === 0));
});

t.test('a decoder holds memory until it is freed', async (t) => {
  const before = codecLiveBytes();
  const decoder = new FrameDecoder();
  t.ok(codecLiveBytes() > before);
  decoder.free();
  t.equal(codecLiveBytes(), before);
  decoder.free();
  t.throws(() => decoder.conceal(240, new Int16Array(240), 0), { code: 'ERR_HOTMIC_CODEC' });
});

function distance(left: Int16Array, right: Int16Array): number {
  return left.reduce((sum, sample, at) => sum + (sample - right[at]!) ** 2, 0);
}
