/**
 * Decompression rule by rule, and every way in which readers are known to get it wrong. What must come out is told by an Opus
 * decoder that is led by hand through the steps that the rule asks for.
 */

import t, { type Test } from 'tap';
import { VoiceResult } from '../../voice/voice_result.js';
import { OpusDecoder, OpusEncoder, type OpusRateHz } from '../../wasm/codec.js';
import { MAX_DECODED_SAMPLES, VoiceDecoder } from '../../wasm/decompress.js';
import { loadCodec } from '../../wasm/load.js';
import { END_OF_RECORDING_PACKET, SILENCE_PACKET, TWO_GROUPS_OF_DTX } from '../kit/golden_packets.js';
import { bytesOfHex, hexOfBytes } from '../kit/hex.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, sealPacket, u16Hex } from '../kit/raw_packet.js';
import { verdictOf } from '../kit/reference_packet.js';
import { pcmOfWav } from '../kit/speech.js';

loadCodec();

const OK = VoiceResult.VOICE_RESULT_OK;
const BUFFER_TOO_SMALL = VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL;
const DATA_CORRUPTED = VoiceResult.VOICE_RESULT_DATA_CORRUPTED;
const UNSUPPORTED_CODEC = VoiceResult.VOICE_RESULT_UNSUPPORTED_CODEC;

const FRAME = 480;
const MARKER = 'ffff';
/** What is in `out` where nothing was written. */
const CANARY = 0x5a5a;

/** Opus frames of speech, in hexadecimal: 20 ms each, from the middle of a sentence. */
const SPEECH = encodeSpeech(60);

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

t.test('frames in order are decoded one behind the other', async (t) => {
  const decoder = newDecoder(t);
  const heard = [speech(7, 8, 9), speech(10), speech(11, 12)].map((packet) => play(t, decoder, packet).pcm);
  t.strictSame(joined(heard), led(24_000, 7, 8, 9, 10, 11, 12));
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

t.test('without room the answer is the samples needed, and a retry gives what room had given', async (t) => {
  const table: [name: string, packet: Uint8Array][] = [
    ['frames in order', speech(2, 3)],
    ['a gap', speech(9)],
    ['a step backward', frameAt(40_000, 9)],
    [
      'a marker and frames',
      packetOfOps(RATE_24K + opusOp(frames(2) + MARKER + numbered(0, 3) + numbered(4, 4))),
    ],
    ['silence', SILENCE_PACKET],
    ['a frame of length 0', packetOfOps(opusOp('00000200'))],
  ];
  for (const [name, packet] of table) {
    const roomy = newDecoder(t);
    const tight = newDecoder(t);
    for (const decoder of [roomy, tight]) play(t, decoder, speech(0, 1));
    const wanted = play(t, roomy, packet);
    for (const room of [0, 1, wanted.samples - 1]) {
      const out = new Int16Array(room).fill(CANARY);
      const answer = tight.decompress(packet, out);
      t.match(
        answer,
        { result: BUFFER_TOO_SMALL, samples: wanted.samples, concealedFrames: 0, decodedFrames: 0 },
        name,
      );
      t.ok(
        out.every((sample) => sample === CANARY),
        `${name}: nothing is written`,
      );
    }
    t.match(tight.decompress(packet, new Int16Array(5000), 4999), { result: BUFFER_TOO_SMALL }, 'by offset');
    const exact = new Int16Array(wanted.samples);
    t.equal(tight.decompress(packet, exact).result, OK, `${name}: the size named is enough`);
    t.strictSame(exact, wanted.pcm, name);
    t.strictSame(
      play(t, tight, speech(30)).pcm,
      play(t, roomy, speech(30)).pcm,
      `${name}: and so does the next`,
    );
  }
});

t.test('a packet of more than 3 s is corrupted: silence, frames and concealment counted', async (t) => {
  t.equal(MAX_DECODED_SAMPLES, 72_000);
  const silenceAt8k = (samples: number) => `0b${u16Hex(8000)}00${u16Hex(samples)}`;
  const longFrames = (count: number) =>
    opusOp(Array.from({ length: count }, (_, sequence) => frameOf(sequence, '6b06')).join(''));
  const farApart = (count: number) =>
    Array.from({ length: count }, (_, n) => frameOf(n * 100, '68')).join('');
  // 4 frames of 480 samples leave 70,080: 23,360 at 8 kHz.
  const besidesFrames = silenceAt8k(23_360);
  const table: [name: string, ops: string, samples: number | null][] = [
    ['3 s of silence', silenceAt8k(24_000), 72_000],
    ['a sample more', silenceAt8k(24_000) + silenceAt8k(1), null],
    ['65535 samples at 8 kHz', silenceAt8k(65_535), null],
    ['25 frames of 120 ms', longFrames(25), 72_000],
    ['26 of them', longFrames(26), null],
    [
      'silence, two frames and a gap of 2',
      besidesFrames + opusOp(frameOf(0, '68') + frameOf(3, '68')),
      72_000,
    ],
    ['a gap of 3', besidesFrames + opusOp(frameOf(0, '68') + frameOf(4, '68')), null],
    ['14 frames and 13 gaps', opusOp(farApart(14)), (14 + 130) * FRAME],
    ['15 frames and 14 gaps', opusOp(farApart(15)), null],
  ];
  for (const [name, ops, samples] of table) {
    const answer = newDecoder(t).decompress(packetOfOps(ops), new Int16Array(72_000));
    const wanted = samples === null ? { result: DATA_CORRUPTED, samples: 0 } : { result: OK, samples };
    t.match(answer, wanted, name);
    const sized = newDecoder(t).decompress(packetOfOps(ops), new Int16Array(0));
    t.equal(
      sized.result,
      samples === null ? DATA_CORRUPTED : BUFFER_TOO_SMALL,
      `${name}: found while sizing`,
    );
  }
});

t.test('the 3 s are of sound, at any output rate', async (t) => {
  for (const [rate, samples] of [
    [12_000, 36_000],
    [48_000, 144_000],
  ] as const) {
    const decoder = newDecoder(t, rate);
    t.match(play(t, decoder, packetOfOps(`0b${u16Hex(8000)}00${u16Hex(24_000)}`)), { result: OK, samples });
    t.match(play(t, decoder, packetOfOps(`0b${u16Hex(8000)}00${u16Hex(24_001)}`)), {
      result: DATA_CORRUPTED,
    });
  }
});

t.test('a packet that is refused gives no sound and changes nothing', async (t) => {
  const flipped = speech(40).slice();
  flipped[20]! ^= 1;
  const badTail = speech(2, 3).slice();
  badTail[badTail.length - 1]! ^= 0x80;
  const good = RATE_24K + opusOp(frames(40) + MARKER);
  const table: [name: string, packet: Uint8Array, result: VoiceResult][] = [
    ['a flipped bit', flipped, DATA_CORRUPTED],
    ['a wrong CRC', badTail, DATA_CORRUPTED],
    [
      'a truncated frame in the second group',
      packetOfOps(`${good}${RATE_24K}060500ff00000068`),
      DATA_CORRUPTED,
    ],
    ['three bytes left in the second payload', packetOfOps(`${good}0603000100ff`), DATA_CORRUPTED],
    ['broken Opus framing in the second group', packetOfOps(good + opusOp(frameOf(0, '6a'))), DATA_CORRUPTED],
    ['an unknown rate behind a good group', packetOfOps(`${good}0b44ac`), DATA_CORRUPTED],
    ['a truncated op behind a good group', packetOfOps(`${good}00`), DATA_CORRUPTED],
    ['a foreign op behind a good group', packetOfOps(`${good}040000`), UNSUPPORTED_CODEC],
    ['an unknown op behind a good group', packetOfOps(`${good}070000`), UNSUPPORTED_CODEC],
    ['a marker and too much silence', packetOfOps(`${good}0b401f00ffff`), DATA_CORRUPTED],
    [
      'too many gaps',
      packetOfOps(opusOp(Array.from({ length: 20 }, (_, n) => numbered(n * 99, 0)).join(''))),
      DATA_CORRUPTED,
    ],
  ];
  const untouched = newDecoder(t);
  const tried = newDecoder(t);
  for (const decoder of [untouched, tried]) play(t, decoder, speech(0, 1));
  for (const [name, packet, result] of table) {
    t.match(play(t, tried, packet), { result, samples: 0, concealedFrames: 0, decodedFrames: 0 }, name);
  }
  t.strictSame(play(t, tried, speech(2, 5)), play(t, untouched, speech(2, 5)));
});

t.test('what is too short is corrupted, whatever its CRC', async (t) => {
  const decoder = newDecoder(t);
  for (let length = 0; length < 15; length += 1) {
    t.equal(play(t, decoder, new Uint8Array(length)).result, DATA_CORRUPTED, `${length} bytes`);
    if (length >= 4) t.equal(play(t, decoder, sealPacket(new Uint8Array(length))).result, DATA_CORRUPTED);
  }
});

t.test('a foreign or unknown op is an unsupported codec; a malformed one is corrupted', async (t) => {
  const table: [ops: string, result: VoiceResult][] = [
    ['010000', UNSUPPORTED_CODEC],
    ['020100ab', UNSUPPORTED_CODEC],
    ['030000', UNSUPPORTED_CODEC],
    [`${RATE_24K}03`, UNSUPPORTED_CODEC],
    ['040200ffff', UNSUPPORTED_CODEC],
    ['050000', UNSUPPORTED_CODEC],
    ['0a0000', UNSUPPORTED_CODEC],
    ['070000', UNSUPPORTED_CODEC],
    ['0c0000', UNSUPPORTED_CODEC],
    ['ff0000', UNSUPPORTED_CODEC],
    [`${RATE_24K}07`, UNSUPPORTED_CODEC],
    ['010100', DATA_CORRUPTED],
    ['02ffff00', DATA_CORRUPTED],
    [`${RATE_24K}0400`, DATA_CORRUPTED],
    [`${RATE_24K}05`, DATA_CORRUPTED],
    [`${RATE_24K}0a00`, DATA_CORRUPTED],
  ];
  const decoder = newDecoder(t);
  for (const [ops, result] of table) t.equal(play(t, decoder, packetOfOps(ops)).result, result, ops);
});

t.test('of two faults the first decides', async (t) => {
  const table: [name: string, ops: string, result: VoiceResult][] = [
    ['foreign, then a truncated op', '04000006ff', UNSUPPORTED_CODEC],
    ['foreign, then a bad rate', '0a00000b0000', UNSUPPORTED_CODEC],
    ['foreign, then broken Opus framing', `050000${opusOp(frameOf(0, '6a'))}`, UNSUPPORTED_CODEC],
    ['foreign, then a malformed foreign one', '0100000401ff', UNSUPPORTED_CODEC],
    ['raw PCM, which swallows the rest', '030b000006ffff', UNSUPPORTED_CODEC],
    ['unknown, then anything', '0706ffff', UNSUPPORTED_CODEC],
    ['a bad rate, then foreign', '0b0000040000', DATA_CORRUPTED],
    ['a truncated frame, then foreign', '060400ffee0000040000', DATA_CORRUPTED],
    ['broken Opus framing, then unknown', `${opusOp(frameOf(0, '6a'))}070000`, DATA_CORRUPTED],
    ['more than 3 s, then foreign', `0b${u16Hex(8000)}00ffff040000`, UNSUPPORTED_CODEC],
  ];
  const decoder = newDecoder(t);
  for (const [name, ops, result] of table) t.equal(play(t, decoder, packetOfOps(ops)).result, result, name);
  const badCrc = packetOfOps('040000');
  badCrc[0]! ^= 1;
  t.equal(play(t, decoder, badCrc).result, DATA_CORRUPTED, 'a wrong CRC before any op');
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

t.test('two decoders know nothing of each other', async (t) => {
  const [a, b] = [newDecoder(t), newDecoder(t)];
  play(t, a, speech(0, 1));
  t.match(play(t, b, speech(30)), { concealedFrames: 0 });
  const heard = play(t, a, speech(2));
  t.strictSame(heard.pcm, led(24_000, 0, 1, 2).subarray(2 * FRAME));
});

t.test(
  'hostile Opus payloads in right framing give their samples or a refusal, and never throw',
  async (t) => {
    t.comment(`seed ${SEED}`);
    const random = new SeededRandom(SEED);
    const rates: OpusRateHz[] = [12_000, 24_000, 48_000];
    const decoders = rates.map((rate) => newDecoder(t, rate));
    const out = new Int16Array(144_000);
    const seen = { ok: 0, refused: 0 };
    let sequence = 0;
    for (let sent = 0; sent < 8000; sent += 1) {
      let payload = '';
      for (let n = random.below(4); n >= 0; n -= 1) {
        const opus = bytesOfHex(SPEECH[random.below(SPEECH.length)]!);
        const kind = random.below(8);
        const hostile = kind === 0 ? random.bytes(1 + random.below(200)) : mutated(random, opus, kind);
        sequence = random.below(12) === 0 ? random.below(65_536) : (sequence + 1) & 0xffff;
        payload += frameOf(sequence, hexOfBytes(hostile)) + (random.below(40) === 0 ? MARKER : '');
      }
      const packet = packetOfOps(RATE_24K + opusOp(payload));
      const isWellFramed = verdictOf(packet) === 'packet';
      const answers = decoders.map((decoder) => decoder.decompress(packet, out));
      for (const [at, answer] of answers.entries()) {
        const wanted = isWellFramed ? OK : DATA_CORRUPTED;
        if (answer.result !== wanted) t.fail(`packet ${sent}: ${answer.result}, ${hexOfBytes(packet)}`);
        const scaled = Math.floor((answers[1]!.samples * rates[at]!) / 24_000);
        if (answer.samples !== scaled) t.fail(`packet ${sent}: ${answer.samples} at ${rates[at]} Hz`);
      }
      seen[isWellFramed ? 'ok' : 'refused'] += 1;
    }
    t.comment(seen);
    t.ok(seen.ok >= 5000, 'most are framed well enough to reach the decoder');
    t.ok(seen.refused > 0, 'and some are not');
    for (const [at, decoder] of decoders.entries()) {
      play(t, decoder, packetOfOps(RATE_24K + opusOp(MARKER)));
      t.strictSame(play(t, decoder, speech(0, 1, 2)).pcm, led(rates[at]!, 0, 1, 2), 'nothing of it is left');
    }
  },
);

/** One step of a decoder that is led by hand: the speech frame with this index, or what else there is. */
type Step = number | 'reset' | 'conceal' | { readonly zeros: number } | { readonly opus: string };

function conceal(frames: number): Step[] {
  return new Array<Step>(frames).fill('conceal');
}

/** What an Opus decoder gives that is led through `steps`. */
function led(rate: OpusRateHz, ...steps: Step[]): Int16Array {
  const opus = new OpusDecoder(rate);
  const parts: Int16Array[] = [];
  const room = new Int16Array(5760);
  const decode = (hex: string) => {
    const bytes = bytesOfHex(hex);
    return opus.decode(bytes, 0, bytes.length, room, 0);
  };
  for (const step of steps) {
    let samples = 0;
    if (step === 'reset') opus.reset();
    else if (step === 'conceal') samples = opus.conceal((FRAME * rate) / 24_000, room, 0);
    else if (typeof step === 'number') samples = decode(SPEECH[step]!);
    else if ('opus' in step) samples = decode(step.opus);
    else samples = room.fill(0, 0, step.zeros) && step.zeros;
    if (samples < 0) throw new Error(`libopus answered ${samples}`);
    parts.push(room.slice(0, samples));
  }
  opus.free();
  return joined(parts);
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function newDecoder(t: Test, rate: OpusRateHz = 24_000): VoiceDecoder {
  const decoder = new VoiceDecoder(rate);
  t.teardown(() => decoder.free());
  return decoder;
}

/** Decompresses with plenty of room; holds that nothing behind the samples was written. */
function play(t: Test, decoder: VoiceDecoder, packet: Uint8Array) {
  const out = new Int16Array(150_000).fill(CANARY);
  const before = packet.slice();
  const answer = decoder.decompress(packet, out);
  if (out.subarray(answer.samples).some((sample) => sample !== CANARY)) t.fail('a tail was written');
  if (Buffer.compare(before, packet) !== 0) t.fail('the packet was changed');
  return { ...answer, pcm: out.slice(0, answer.samples) };
}

/** A packet of the speech frames with these indices, each under its index as its sequence. */
function speech(...indices: number[]): Uint8Array {
  return packetOfOps(RATE_24K + opusOp(frames(...indices)));
}

function frames(...indices: number[]): string {
  return indices.map((index) => numbered(index, index)).join('');
}

/** The speech frame `index` under `sequence`. */
function numbered(sequence: number, index: number): string {
  return frameOf(sequence & 0xffff, SPEECH[index]!);
}

function frameAt(sequence: number, index: number): Uint8Array {
  return packetOfOps(RATE_24K + opusOp(numbered(sequence, index)));
}

/** Length of the frame behind the TOC of `opus`, as code 3 writes it: one byte up to 251, else two. */
function vbrLength(opus: string): string {
  const bytes = opus.length / 2 - 1;
  if (bytes > 251) throw new Error(`${bytes} bytes want two`);
  return bytes.toString(16).padStart(2, '0');
}

/** `opus` with a few bytes changed; the TOC too where `kind` is 1, so that other modes of Opus are met. */
function mutated(random: SeededRandom, opus: Uint8Array, kind: number): Uint8Array {
  const hostile = opus.slice(0, kind === 2 ? 1 + random.below(opus.length) : opus.length);
  for (let n = 1 + random.below(6); n > 0; n -= 1) {
    const at = 1 + random.below(hostile.length - 1);
    if (at < hostile.length) hostile[at] = random.next();
  }
  if (kind === 1) hostile[0] = random.next();
  return hostile;
}

function encodeSpeech(count: number): string[] {
  const pcm = pcmOfWav('examples/speech/ada.wav').subarray(24_000);
  const encoder = new OpusEncoder();
  const out = new Uint8Array(2000);
  const encoded = Array.from({ length: count }, (_, n) =>
    hexOfBytes(out.subarray(0, encoder.encode(pcm, n * FRAME, out, 0))),
  );
  encoder.free();
  return encoded;
}
