/**
 * What the ops and frames of a packet become, rule by rule, and every way in which readers are known to get it wrong. The expected
 * sound comes from an Opus decoder that is taken by hand through the steps that the rule asks for.
 */

import t from 'tap';
import { CANARY, FRAME, MARKER, newDecoder, OK } from '../kit/decoders.js';
import { END_OF_RECORDING_PACKET, SILENCE_PACKET, TWO_GROUPS_OF_DTX } from '../kit/golden_packets.js';
import { conceal, frameAt, frames, led, play, SPEECH, speech } from '../kit/led_decoder.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, u16Hex } from '../kit/raw_packet.js';

t.test('the three packets of a real ending are 4 frames, 6 frames and the marker, 750 zeros', async (t) => {
  const decoder = newDecoder(t);
  t.match(play(t, decoder, TWO_GROUPS_OF_DTX), { samples: 4 * FRAME, decodedFrames: 4, concealedFrames: 0 });
  t.match(play(t, decoder, END_OF_RECORDING_PACKET), {
    samples: 6 * FRAME,
    decodedFrames: 6,
    concealedFrames: 0,
  });
  const silence = play(t, decoder, SILENCE_PACKET);
  t.match(silence, { samples: 750, decodedFrames: 0, concealedFrames: 0 });
  t.strictSame(silence.pcm, new Int16Array(750), 'silence is zeros, not only counted');
  t.match(play(t, decoder, speech(0)), { concealedFrames: 0 }, 'and the next recording starts at 0');
});

t.test('every group of a packet is decoded, not only the first', async (t) => {
  const decoder = newDecoder(t);
  const ops = [frames(0), frames(1, 2, 3, 4), frames(5, 6, 7)].map((payload) => RATE_24K + opusOp(payload));
  const heard = play(t, decoder, packetOfOps(ops.join('')));
  t.equal(heard.decodedFrames, 8);
  t.strictSame(heard.pcm, led(24_000, 0, 1, 2, 3, 4, 5, 6, 7));
});

t.test('a packet may hold more groups and frames than Steam sends', async (t) => {
  const decoder = newDecoder(t);
  const groups = Array.from({ length: 30 }, (_, n) => RATE_24K + opusOp(frames(2 * n, 2 * n + 1)));
  t.match(play(t, decoder, packetOfOps(groups.join(''))), { samples: 60 * FRAME, decodedFrames: 60 });
});

t.test('silence is zeros and changes neither the decoder nor the expected sequence', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, speech(0, 1));
  t.strictSame(play(t, decoder, SILENCE_PACKET).pcm, new Int16Array(750));
  const within = packetOfOps(`${RATE_24K}${opusOp(frames(2))}00${u16Hex(100)}${opusOp(frames(3))}`);
  const heard = play(t, decoder, within);
  t.equal(heard.concealedFrames, 0);
  t.strictSame(heard.pcm, led(24_000, 0, 1, 2, { zeros: 100 }, 3).subarray(2 * FRAME));
});

t.test('silence is counted in samples at its declared rate, and scaled from there', async (t) => {
  const decoder = newDecoder(t);
  for (const [samples, rate, wanted] of [
    [750, 24_000, 750],
    [751, 48_000, 375],
    [500, 8000, 1500],
    [1, 16_000, 1],
    [1000, 12_000, 2000],
    [0, 24_000, 0],
  ] as const) {
    const { pcm } = play(t, decoder, packetOfOps(`0b${u16Hex(rate)}00${u16Hex(samples)}`));
    t.strictSame(pcm, new Int16Array(wanted), `${samples} at ${rate}`);
  }
  const twoRates = packetOfOps(`000a00${`0b${u16Hex(48_000)}`}000a00`);
  t.equal(play(t, decoder, twoRates).samples, 10 + 5, '24000 until told otherwise');
});

t.test('a change of rate leaves the Opus decoder alone', async (t) => {
  const decoder = newDecoder(t);
  const ops = `${opusOp(frames(0))}0b${u16Hex(8000)}${opusOp(frames(1))}0b${u16Hex(48_000)}${opusOp(frames(2))}`;
  t.strictSame(play(t, decoder, packetOfOps(ops)).pcm, led(24_000, 0, 1, 2));
});

t.test('a frame of length 0 is 480 zeros that Opus never hears of, and has a number', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, speech(0, 1));
  const heard = play(t, decoder, packetOfOps(`${RATE_24K}${opusOp(`00000200${frames(3)}`)}`));
  t.equal(heard.concealedFrames, 0);
  t.strictSame(heard.pcm, led(24_000, 0, 1, { zeros: FRAME }, 3).subarray(2 * FRAME));
  t.match(play(t, decoder, packetOfOps(opusOp('00000700'))), { concealedFrames: 3, samples: 4 * FRAME });
});

t.test('a DTX frame goes to the decoder and yields 480 samples', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, speech(0, 1, 2, 3));
  const heard = play(t, decoder, packetOfOps(RATE_24K + opusOp(frameOf(4, '68'))));
  t.match(heard, { samples: FRAME, decodedFrames: 1, concealedFrames: 0 });
  t.strictSame(heard.pcm, led(24_000, 0, 1, 2, 3, { opus: '68' }).subarray(4 * FRAME));
  t.ok(
    heard.pcm.some((sample) => sample !== 0),
    'speech fades out in it: it is not zeros',
  );
});

t.test('a frame yields what its TOC says, up to 120 ms, and its sequence rises by one', async (t) => {
  const [one, two] = [SPEECH[0]!, SPEECH[1]!];
  const both = `6b82${vbrLength(one)}${one.slice(2)}${two.slice(2)}`;
  const decoder = newDecoder(t);
  const heard = play(t, decoder, packetOfOps(RATE_24K + opusOp(frameOf(0, both))));
  t.match(heard, { samples: 2 * FRAME, decodedFrames: 1 });
  t.strictSame(heard.pcm, led(24_000, 0, 1));
  t.match(play(t, decoder, frameAt(1, 2)), { concealedFrames: 0 });
  for (const [opus, samples] of [
    ['60', 240],
    ['e0', 60],
    ['18', 1440],
    ['6b06', 2880],
    ['6c', 480],
  ] as const) {
    t.equal(play(t, newDecoder(t), packetOfOps(opusOp(frameOf(0, opus)))).samples, samples, opus);
  }
});

t.test('packets without audio are OK with 0 samples', async (t) => {
  const decoder = newDecoder(t);
  for (const ops of [RATE_24K, '060000', `${RATE_24K}060000`, RATE_24K + opusOp(MARKER), '000000']) {
    t.match(play(t, decoder, packetOfOps(ops)), { result: OK, samples: 0 }, ops);
  }
});

t.test('nothing is written behind the samples that are counted, nor before the offset', async (t) => {
  // `play` holds the tail for every packet of this file; here the front.
  const decoder = newDecoder(t);
  const out = new Int16Array(3000).fill(CANARY);
  const { samples } = decoder.decompress(speech(0, 1), out, 1000);
  t.equal(samples, 2 * FRAME);
  t.ok(out.subarray(0, 1000).every((sample) => sample === CANARY));
  t.ok(out.subarray(1000 + samples).every((sample) => sample === CANARY));
  t.strictSame(out.slice(1000, 1000 + samples), led(24_000, 0, 1));
});

t.test('at another rate a packet gives floor(sum × rate / 24000) samples', async (t) => {
  for (const rate of [12_000, 16_000, 24_000, 48_000] as const) {
    const decoder = newDecoder(t, rate);
    const at = (samples24k: number) => Math.floor((samples24k * rate) / 24_000);
    const heard = play(t, decoder, speech(0, 1, 4));
    t.match(heard, { samples: at(5 * FRAME), concealedFrames: 2 }, `${rate} Hz`);
    t.strictSame(heard.pcm, led(rate, 0, 1, ...conceal(2), 4), `${rate} Hz`);
    t.equal(play(t, decoder, packetOfOps(`00${u16Hex(751)}`)).samples, at(751), `${rate} Hz, 751 of silence`);
    const uneven = packetOfOps(`00${u16Hex(1)}${opusOp(frames(5))}00${u16Hex(1)}`);
    const framed = play(t, decoder, uneven);
    t.equal(framed.samples, at(482), `${rate} Hz: the packet is summed, then rounded`);
    const frameAtRate = led(rate, 0, 1, ...conceal(2), 4, 5).subarray(at(5 * FRAME));
    t.strictSame(framed.pcm.subarray(at(1), at(1) + at(FRAME)), frameAtRate);
  }
});

t.test('no remainder is carried from packet to packet', async (t) => {
  const decoder = newDecoder(t, 12_000);
  const oneSample = packetOfOps('000100');
  for (let n = 0; n < 5; n += 1) t.equal(play(t, decoder, oneSample).samples, 0);
  t.equal(play(t, decoder, packetOfOps('000100000100000100')).samples, 1, 'but within one they add up');
});

/** Length of the frame behind the TOC of `opus`, as code 3 writes it: one byte up to 251, else two. */
function vbrLength(opus: string): string {
  const bytes = opus.length / 2 - 1;
  if (bytes > 251) throw new Error(`${bytes} bytes want two`);
  return bytes.toString(16).padStart(2, '0');
}
