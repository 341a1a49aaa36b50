/**
 * Sequence numbers, rule by rule: order, gaps, steps backward, wrap-around, markers and first frames, and every way in which
 * readers are known to get them wrong. The expected output comes from an Opus decoder that is driven by hand.
 */

import t from 'tap';
import { FRAME, joined, MARKER, newDecoder } from '../kit/decoders.js';
import { SILENCE_PACKET } from '../kit/golden_packets.js';
import { conceal, frameAt, frames, led, numbered, play, type Step, speech } from '../kit/led_decoder.js';
import { opusOp, packetOfOps, RATE_24K, u16Hex } from '../kit/raw_packet.js';

t.test('frames in order are decoded one behind the other', async (t) => {
  const decoder = newDecoder(t);
  const heard = [speech(7, 8, 9), speech(10), speech(11, 12)].map((packet) => play(t, decoder, packet).pcm);
  t.strictSame(joined(heard), led(24_000, 7, 8, 9, 10, 11, 12));
});

t.test('a gap is concealed frame by frame, up to ten', async (t) => {
  for (const lost of [1, 2, 9, 10, 11, 40]) {
    const decoder = newDecoder(t);
    play(t, decoder, speech(0, 1));
    const concealed = Math.min(lost, 10);
    const heard = play(t, decoder, speech(2 + lost));
    t.equal(heard.concealedFrames, concealed, `${lost} are missing`);
    const wanted = led(24_000, 0, 1, ...conceal(concealed), 2 + lost);
    t.strictSame(heard.pcm, wanted.subarray(2 * FRAME));
  }
});

t.test('each gap of a packet has ten frames of its own', async (t) => {
  const decoder = newDecoder(t);
  const heard = play(t, decoder, packetOfOps(RATE_24K + opusOp(frames(0, 20) + frames(23, 50))));
  t.match(heard, { concealedFrames: 10 + 2 + 10, decodedFrames: 4 });
  t.strictSame(heard.pcm, led(24_000, 0, ...conceal(10), 20, ...conceal(2), 23, ...conceal(10), 50));
});

t.test('after a gap the stream is in step again', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, speech(0));
  play(t, decoder, speech(30));
  t.match(play(t, decoder, speech(31)), { concealedFrames: 0, samples: FRAME });
});

t.test('32767 ahead is a gap, 32768 ahead is a step backward', async (t) => {
  for (const [ahead, concealedFrames] of [
    [32_767, 10],
    [32_768, 0],
  ] as const) {
    const decoder = newDecoder(t);
    play(t, decoder, frameAt(100, 0));
    const heard = play(t, decoder, frameAt(101 + ahead, 1));
    t.equal(heard.concealedFrames, concealedFrames, `${ahead} ahead`);
    const steps: Step[] = ahead === 32_767 ? [0, ...conceal(10), 1] : [0, 'reset', 1];
    t.strictSame(heard.pcm, led(24_000, ...steps).subarray(FRAME));
  }
});

t.test('a forged gap of 65,535 frames is a step backward, and nothing is concealed', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, frameAt(0, 0));
  const heard = play(t, decoder, frameAt(0, 1));
  t.match(heard, { concealedFrames: 0, decodedFrames: 1, samples: FRAME });
  t.strictSame(heard.pcm, led(24_000, 'reset', 1), 'by a decoder that was reset');
  const forged = packetOfOps(
    RATE_24K + opusOp([1, 0, 0, 65_535, 65_534].map((s) => numbered(s, 2)).join('')),
  );
  t.match(play(t, decoder, forged), { concealedFrames: 0, samples: 5 * FRAME });
});

t.test('a step backward resets the decoder and goes on from there', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, speech(40, 41));
  t.strictSame(play(t, decoder, speech(10, 11)).pcm, led(24_000, 'reset', 10, 11));
  t.match(play(t, decoder, speech(14)), { concealedFrames: 2 }, 'from the earlier one, a gap counts again');
});

t.test('after 65535 comes 0, and that is in order', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, frameAt(65_534, 0));
  const heard = play(t, decoder, packetOfOps(RATE_24K + opusOp(numbered(65_535, 1) + numbered(0, 2))));
  t.equal(heard.concealedFrames, 0);
  t.strictSame(heard.pcm, led(24_000, 0, 1, 2).subarray(FRAME), 'no reset either');
});

t.test('a gap over the wrap is concealed like any other', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, frameAt(65_533, 0));
  t.match(play(t, decoder, frameAt(1, 1)), { concealedFrames: 3 });
});

t.test('a decoder that has had no frame takes any sequence and conceals nothing', async (t) => {
  for (const sequence of [0, 1, 5000, 32_768, 65_535]) {
    const decoder = newDecoder(t);
    t.match(play(t, decoder, SILENCE_PACKET), { samples: 750 });
    t.match(play(t, decoder, packetOfOps(RATE_24K + opusOp(MARKER))), { samples: 0 }, 'a marker is no frame');
    t.match(play(t, decoder, frameAt(sequence, 0)), { concealedFrames: 0, samples: FRAME });
  }
});

t.test('after a reset the next frame counts as the first', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, speech(0, 1));
  decoder.reset();
  const heard = play(t, decoder, speech(20));
  t.equal(heard.concealedFrames, 0);
  t.strictSame(heard.pcm, led(24_000, 20));
});

t.test('behind the marker the decoder is new and 0 is expected', async (t) => {
  const decoder = newDecoder(t);
  play(t, decoder, packetOfOps(RATE_24K + opusOp(frames(3, 4) + MARKER)));
  const heard = play(t, decoder, frameAt(0, 20));
  t.equal(heard.concealedFrames, 0);
  t.strictSame(heard.pcm, led(24_000, 'reset', 20));
});

t.test('a first frame behind the marker that is not 0 is a gap like any other', async (t) => {
  for (const [sequence, concealedFrames] of [
    [3, 3],
    [400, 10],
    [65_535, 0],
  ] as const) {
    const decoder = newDecoder(t);
    play(t, decoder, packetOfOps(RATE_24K + opusOp(frames(0) + MARKER)));
    t.match(play(t, decoder, frameAt(sequence, 1)), { concealedFrames }, `${sequence}`);
  }
});

t.test('frames, another marker and more ops may follow a marker', async (t) => {
  const decoder = newDecoder(t);
  const first =
    RATE_24K + opusOp(numbered(9, 9) + MARKER + MARKER + numbered(0, 20) + numbered(1, 21) + MARKER);
  const heard = play(t, decoder, packetOfOps(`${first}00${u16Hex(5)}${RATE_24K}${opusOp(numbered(0, 30))}`));
  t.match(heard, { decodedFrames: 4, concealedFrames: 0 });
  t.strictSame(heard.pcm, led(24_000, 9, 'reset', 20, 21, 'reset', { zeros: 5 }, 30));
});

t.test('two decoders know nothing of each other', async (t) => {
  const [a, b] = [newDecoder(t), newDecoder(t)];
  play(t, a, speech(0, 1));
  t.match(play(t, b, speech(30)), { concealedFrames: 0 });
  const heard = play(t, a, speech(2));
  t.strictSame(heard.pcm, led(24_000, 0, 1, 2).subarray(2 * FRAME));
});
