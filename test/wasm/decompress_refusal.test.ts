/**
 * What decompression refuses, and that a refusal changes nothing: too little room, more than 3 s, damage, foreign ops, and
 * hostile Opus data in right framing.
 */

import t from 'tap';
import type { VoiceResult } from '../../voice/voice_result.js';
import type { OpusRateHz } from '../../wasm/codec.js';
import { MAX_DECODED_SAMPLES } from '../../wasm/decompress.js';
import {
  BUFFER_TOO_SMALL,
  CANARY,
  DATA_CORRUPTED,
  FRAME,
  MARKER,
  newDecoder,
  OK,
  UNSUPPORTED_CODEC,
} from '../kit/decoders.js';
import { SILENCE_PACKET } from '../kit/golden_packets.js';
import { bytesOfHex, hexOfBytes } from '../kit/hex.js';
import { frameAt, frames, led, numbered, play, SPEECH, speech } from '../kit/led_decoder.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, sealPacket, u16Hex } from '../kit/raw_packet.js';
import { verdictOf } from '../kit/reference_packet.js';

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
