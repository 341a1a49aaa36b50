/**
 * decompressVoice for many speakers, written from the class reference and the format and not from the code: what it answers,
 * whose state a packet touches, and what of it stays in memory.
 */

import t from 'tap';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes, isCodecReady } from '../../wasm/module.js';
import { DECOMPRESS_BUFFER_BYTES, type DecompressedVoice } from '../../wasm/voice_decompressor.js';
import {
  BUFFER_TOO_SMALL,
  digest,
  FRAME,
  MARKER,
  NOT_INITIALIZED,
  newDecoder,
  newDecompressor,
  OK,
} from '../kit/decoders.js';
import { SILENCE_PACKET } from '../kit/golden_packets.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, u16Hex } from '../kit/raw_packet.js';
import { ADA, BEN, packet, SOUND } from '../kit/speakers.js';

const FRAME_BYTES = 2 * FRAME;

t.test('before the codec is started the answer is NOT_INITIALIZED, and afterwards it works', async (t) => {
  t.equal(isCodecReady(), false);
  const voice = newDecompressor(t);
  t.strictSame(
    voice.decompressVoice(packet(ADA, 0), 24_000),
    { result: NOT_INITIALIZED, size: 0, uncompressed: new Uint8Array(0) },
    'a value, not an error',
  );
  t.throws(() => voice.decompressPcm(packet(ADA, 0), 24_000), { code: 'ERR_HOTMIC_CODEC' });
  t.equal(voice.decoders, 0);
  loadCodec();
  t.match(voice.decompressVoice(packet(ADA, 0), 24_000), { result: OK, size: FRAME_BYTES });
});

t.test('size is the bytes of PCM, and uncompressed holds just them, as a decoder gives them', async (t) => {
  for (const rate of [11_025, 16_000, 22_050, 24_000, 44_100, 48_000]) {
    const voice = newDecompressor(t);
    const decoder = newDecoder(t, rate);
    for (const bytes of [packet(ADA, 0, 1), packet(ADA, 4), SILENCE_PACKET, packet(ADA), packet(ADA, 2)]) {
      const { pcm, samples } = decoder.decompressPcm(bytes);
      const answer = voice.decompressVoice(bytes, rate);
      t.match(answer, { result: OK, size: 2 * samples }, `${rate} Hz`);
      t.equal(answer.uncompressed.length, answer.size);
      t.equal(answer.uncompressed.constructor, Uint8Array);
      const view = new DataView(answer.uncompressed.buffer, answer.uncompressed.byteOffset, answer.size);
      const wrong = pcm.findIndex((sample, at) => sample !== view.getInt16(2 * at, true));
      t.equal(wrong, -1, 'little-endian samples');
    }
  }
});

t.test('uncompressed is the caller’s own: later calls and writes to the packet leave it alone', async (t) => {
  const voice = newDecompressor(t);
  const bytes = packet(ADA, 0, 1, 2);
  const first = voice.decompressVoice(bytes, 24_000).uncompressed;
  const before = first.slice();
  bytes.fill(0xff);
  const second = voice.decompressVoice(packet(ADA, 3, 4, 5), 24_000).uncompressed;
  voice.decompressVoice(packet(BEN, 0, 1, 2), 48_000);
  t.strictSame(first, before);
  const wanted = second.slice();
  first.fill(0x11);
  t.strictSame(second, wanted, 'no two answers share memory');
  t.equal(first.buffer.byteLength, first.length, 'and nothing else lies in it');
});

t.test('a buffer of 20480 bytes is the default', async (t) => {
  t.equal(DECOMPRESS_BUFFER_BYTES, 20_480);
  const voice = newDecompressor(t);
  const silence = (samples: number) => packetOfOps(`00${u16Hex(samples)}`);
  t.match(voice.decompressVoice(silence(10_240), 24_000), { result: OK, size: 20_480 });
  const more = voice.decompressVoice(silence(10_241), 24_000);
  t.match(more, { result: BUFFER_TOO_SMALL, size: 20_482 });
  t.equal(more.uncompressed.length, 0);
});

t.test('what fits to the byte is OK, else the answer is BUFFER_TOO_SMALL and the bytes needed', async (t) => {
  const tooSmall = [0, 1, FRAME_BYTES - 2, FRAME_BYTES - 1];
  const enough = [
    FRAME_BYTES,
    FRAME_BYTES + 1,
    2 ** 32 - 1,
    Number.MAX_SAFE_INTEGER,
    Number.POSITIVE_INFINITY,
  ];
  for (const bytes of [...tooSmall, ...enough]) {
    const voice = newDecompressor(t);
    const answer = voice.decompressVoice(packet(ADA, 0), 24_000, bytes);
    const isEnough = enough.includes(bytes);
    t.match(answer, { result: isEnough ? OK : BUFFER_TOO_SMALL, size: FRAME_BYTES }, `${bytes} bytes`);
    t.equal(answer.uncompressed.length, isEnough ? FRAME_BYTES : 0);
    t.match(
      voice.decompressVoice(packet(BEN), 24_000, bytes),
      { result: OK, size: 0 },
      'without sound any will do',
    );
  }
});

t.test('an invalid size gives no sound and changes nothing', async (t) => {
  for (const bytes of [Number.NaN, -1, -20_480, Number.NEGATIVE_INFINITY]) {
    const voice = newDecompressor(t);
    try {
      const answer = voice.decompressVoice(packet(ADA, 0, 1), 24_000, bytes);
      t.match(answer, { result: BUFFER_TOO_SMALL, size: 2 * FRAME_BYTES }, `${bytes}`);
      t.equal(answer.uncompressed.length, 0);
    } catch (error) {
      t.ok(error instanceof RangeError || error instanceof TypeError, `${error}`);
    }
    t.equal(voice.decoders, 0);
    t.match(voice.decompressPcm(packet(ADA, 7), 24_000), { result: OK, concealedFrames: 0 });
  }
});

t.test('a second call with that size gives what a first call with room had given', async (t) => {
  const marked = packetOfOps(RATE_24K + opusOp(frameOf(4, SOUND) + MARKER));
  const stream = [
    packet(ADA, 0, 1),
    packet(ADA, 5),
    packet(ADA, 2, 3),
    marked,
    packet(ADA, 2),
    SILENCE_PACKET,
  ];
  for (const rate of [11_025, 24_000, 32_000, 44_100]) {
    const tried = newDecompressor(t);
    const twin = newDecompressor(t);
    for (const bytes of [...stream, packet(ADA, 3, 30)]) {
      const wanted = twin.decompressVoice(bytes, rate, 1e6);
      for (const room of [0, 1, wanted.size - 1]) {
        const { result, size, uncompressed } = tried.decompressVoice(bytes, rate, room);
        t.strictSame([result, size, uncompressed.length], [BUFFER_TOO_SMALL, wanted.size, 0], `${rate} Hz`);
      }
      t.equal(digestOf(tried.decompressVoice(bytes, rate, wanted.size)), digestOf(wanted), `${rate} Hz`);
    }
  }
});

t.test('every speaker has a decoder of its own at each rate', async (t) => {
  const voice = newDecompressor(t);
  const alone = new Map(
    [ADA, BEN].flatMap((id) =>
      [24_000, 44_100].map((rate) => [`${id} ${rate}`, newDecoder(t, rate)] as const),
    ),
  );
  // Both miss frames, at other places; each rate hears every packet of its own only.
  const heard: [bigint, number, number][] = [
    [ADA, 24_000, 0],
    [BEN, 24_000, 9],
    [ADA, 44_100, 4],
    [ADA, 24_000, 1],
    [BEN, 44_100, 200],
    [BEN, 24_000, 12],
    [ADA, 44_100, 6],
    [BEN, 44_100, 100],
    [ADA, 24_000, 3],
  ];
  for (const [id, rate, sequence] of heard) {
    const bytes = packet(id, sequence);
    const wanted = alone.get(`${id} ${rate}`)!.decompressPcm(bytes);
    const answer = voice.decompressPcm(bytes, rate);
    t.equal(answer.concealedFrames, wanted.concealedFrames, `${id} at ${rate} Hz: ${sequence}`);
    t.strictSame(answer, wanted);
  }
  t.equal(voice.decoders, 4);
});

t.test('all 64 bits of the SteamID tell speakers apart, and none is refused', async (t) => {
  const ids = [0n, 1n, ADA, ADA ^ (1n << 63n), ADA ^ (1n << 32n), ADA ^ (1n << 31n), 2n ** 64n - 1n];
  const voice = newDecompressor(t);
  for (const [sequence, concealedFrames] of [
    [500, 0],
    [502, 1],
  ] as const) {
    for (const id of ids) {
      t.match(voice.decompressPcm(packet(id, sequence), 24_000), { result: OK, concealedFrames });
    }
    t.equal(voice.decoders, ids.length);
  }
});

t.test('the typed forms grow by themselves, or write into the caller’s memory', async (t) => {
  const voice = newDecompressor(t);
  const long = packetOfOps(`0b${u16Hex(8000)}00${u16Hex(24_000)}`);
  for (const [room, result] of [
    [undefined, OK],
    [143_999, BUFFER_TOO_SMALL],
    [144_000, OK],
  ] as const) {
    const { pcm, ...answer } = voice.decompressPcm(long, 48_000, room);
    t.match(answer, { result, samples: 144_000 });
    t.equal(pcm.length, result === OK ? 144_000 : 0);
    if (room === undefined) continue;
    const out = new Int16Array(10 + room).fill(0x5a5a);
    t.match(voice.decompress(long, 48_000, out, 10), { result, samples: 144_000 });
    t.ok(out.subarray(0, 10).every((sample) => sample === 0x5a5a));
    t.ok(out.subarray(10).every((sample) => sample === (result === OK ? 0 : 0x5a5a)));
  }
  for (const offset of [-1, 3, 0.5, Number.NaN]) {
    t.throws(() => voice.decompress(long, 24_000, new Int16Array(2), offset), RangeError);
  }
  t.equal(voice.decoders, 1, 'none at 24 kHz');
});

t.test('after free the answer is NOT_INITIALIZED, and all memory is back', async (t) => {
  const before = codecLiveBytes();
  const voice = newDecompressor(t);
  for (const rate of [24_000, 44_100]) voice.decompressPcm(packet(ADA, 0), rate);
  voice.free();
  voice.free();
  t.equal(voice.decoders, 0);
  t.match(voice.decompressVoice(packet(ADA, 1), 24_000), { result: NOT_INITIALIZED, size: 0 });
  t.throws(() => voice.decompressPcm(packet(ADA, 0), 24_000), { code: 'ERR_HOTMIC_CODEC' });
  t.throws(() => voice.decompress(packet(ADA, 0), 24_000, new Int16Array(FRAME)), {
    code: 'ERR_HOTMIC_CODEC',
  });
  t.equal(codecLiveBytes(), before);
});

t.test('a rate out of range is an error', async (t) => {
  const voice = newDecompressor(t);
  for (const rate of [0, 8000, 11_024, 48_001, -24_000, 24_000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    const wanted = { code: 'ERR_HOTMIC_SAMPLE_RATE', message: String(rate) };
    t.throws(() => voice.decompressVoice(packet(ADA, 0), rate), wanted);
    t.throws(() => voice.decompressVoice(new Uint8Array(3), rate), wanted, 'whatever the packet');
    t.throws(() => voice.decompressPcm(new Uint8Array(3), rate), wanted);
  }
  t.equal(voice.decoders, 0);
});

function digestOf({ result, size, uncompressed }: DecompressedVoice): string {
  return `${result} ${size} ${digest(uncompressed)}`;
}
