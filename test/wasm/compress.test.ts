/** Compression: the shape of the packets, how a recording ends and the next begins, what is lost and what is not. */

import t, { type Test } from 'tap';
import { opusFrames, type Packet, packetSamples, readPacket, steamIdOf } from '../../voice/packet.js';
import { MAX_PACKET_BYTES } from '../../voice/units.js';
import { VoiceResult } from '../../voice/voice_result.js';
import type { OpusEncoderOptions } from '../../wasm/codec.js';
import { VoiceEncoder } from '../../wasm/compress.js';
import { VoiceDecoder } from '../../wasm/decompress.js';
import { loadCodec } from '../../wasm/load.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { packetOfOps, RATE_24K } from '../kit/raw_packet.js';
import { compareSpeech, pcmOfWav } from '../kit/speech.js';

loadCodec();

const STEAM_ID = 0x0110000100000001n;
const FRAME = 480;
const ADA = pcmOfWav('examples/speech/ada.wav');
const SPEECH = ADA.subarray(24_000, 72_000);
/** The last packet of a recording, byte for byte, as a captured one of account 1. */
const CLOSING_SILENCE = packetOfOps(`${RATE_24K}00ee02`);

t.test('a packet is made of groups: a rate op, then a 0x06 of one to four frames', async (t) => {
  for (const frames of [1, 2, 3, 4, 5, 8, 9, 30]) {
    const encoder = newEncoder(t);
    encoder.write(SPEECH.subarray(0, frames * FRAME));
    const packet = mustRead(readOne(encoder));
    const kinds = packet.ops.map((op) => op.kind);
    t.strictSame(kinds, Array.from({ length: Math.ceil(frames / 4) }, () => ['rate', 'opus']).flat());
    const groups = packet.ops.flatMap((op) => (op.kind === 'opus' ? [op.frames.length] : []));
    t.strictSame(groups, [
      ...new Array<number>(Math.floor(frames / 4)).fill(4),
      ...(frames % 4 ? [frames % 4] : []),
    ]);
    t.ok(packet.ops.every((op) => op.kind !== 'rate' || op.sampleRateHz === 24_000));
    t.equal(steamIdOf(packet), STEAM_ID);
    t.equal(readOne(encoder).length, 0, 'and it was all');
  }
});

t.test('all 64 bits of the SteamID go into the packet', async (t) => {
  for (const id of [0n, 0xffff_ffffn, 0xfedc_ba98_7654_3210n, 2n ** 64n - 1n]) {
    const encoder = newEncoder(t, id);
    encoder.write(SPEECH.subarray(0, FRAME));
    t.equal(steamIdOf(mustRead(readOne(encoder))), id);
  }
});

t.test('sequences rise from 0 by one a frame, across groups and packets', async (t) => {
  const encoder = newEncoder(t);
  const seen: number[] = [];
  for (const frames of [8, 1, 2, 1, 5, 3]) {
    encoder.write(SPEECH.subarray(0, frames * FRAME));
    seen.push(...sequencesOf(readOne(encoder)));
  }
  t.strictSame(
    seen,
    Array.from({ length: 20 }, (_, sequence) => sequence),
  );
});

t.test('after 65535 comes 0', async (t) => {
  const encoder = newEncoder(t, STEAM_ID, { complexity: 0 });
  const silence = new Int16Array(256 * FRAME);
  let last: number[] = [];
  for (let written = 0; written < 65_536; written += 256) {
    encoder.write(silence);
    last = readAll(encoder).flatMap(sequencesOf);
  }
  t.equal(last.at(-1), 65_535);
  encoder.write(SPEECH.subarray(0, 2 * FRAME));
  t.strictSame(sequencesOf(readOne(encoder)), [0, 1]);
});

t.test('PCM of any length makes the same packets: the part-frame waits for its rest', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const whole = newEncoder(t);
  const pieces = newEncoder(t);
  whole.write(SPEECH);
  for (let at = 0; at < SPEECH.length; ) {
    const length = random.below(3) === 0 ? random.below(3) : random.below(1500);
    pieces.write(SPEECH.subarray(at, at + length));
    at += length;
  }
  t.strictSame(readAll(pieces), readAll(whole));
});

t.test('a part-frame alone is not a packet', async (t) => {
  const encoder = newEncoder(t);
  encoder.write(SPEECH.subarray(0, FRAME - 1));
  t.equal(encoder.available(), 0);
  t.equal(encoder.read(new Uint8Array(0)), 0, 'and asks for no room');
  encoder.write(SPEECH.subarray(FRAME - 1, FRAME));
  t.ok(encoder.available() > 0);
});

t.test('available says to the byte what read then writes', async (t) => {
  const encoder = newEncoder(t);
  t.equal(encoder.available(), 0);
  for (const frames of [1, 4, 5, 200]) {
    encoder.write(SPEECH.subarray(0, Math.min(100, frames) * FRAME));
    if (frames > 100) encoder.end();
    for (let bytes = encoder.available(); bytes > 0; bytes = encoder.available()) {
      t.equal(encoder.read(new Uint8Array(bytes)), bytes, 'room to the byte is room enough');
    }
  }
});

t.test('in silence frames of one byte come, numbered like others', async (t) => {
  const encoder = newEncoder(t);
  encoder.write(SPEECH.subarray(0, 50 * FRAME));
  encoder.write(new Int16Array(60 * FRAME));
  const frames = readAll(encoder).flatMap((packet) => opusFrames(mustRead(packet)));
  t.strictSame(
    frames.map(({ sequence }) => sequence),
    Array.from({ length: 110 }, (_, sequence) => sequence),
  );
  t.ok(
    frames.slice(0, 50).every(({ bytes }) => bytes > 1),
    'not in speech',
  );
  const dtx = frames.slice(50).filter(({ bytes }) => bytes === 1);
  t.ok(dtx.length > 30, `${dtx.length} of 60`);
});

t.test('dtxRun counts the DTX frames without a break', async (t) => {
  const encoder = newEncoder(t);
  encoder.write(SPEECH.subarray(0, 20 * FRAME));
  t.equal(encoder.dtxRun, 0);
  const frame = new Int16Array(FRAME);
  for (let run = 0; run < 5; ) {
    encoder.write(frame);
    const bytes = opusFrames(mustRead(readOne(encoder))).at(-1)!.bytes;
    run = bytes === 1 ? run + 1 : 0;
    t.equal(encoder.dtxRun, run);
  }
  encoder.write(SPEECH.subarray(0, FRAME * 3));
  t.equal(encoder.dtxRun, 0);
});

t.test(
  'speech is as Steam’s at the defaults: TOC 0x68, a little under a hundred bytes a frame',
  async (t) => {
    const encoder = newEncoder(t);
    encoder.write(ADA);
    const tocs = new Map<number, number>();
    const sizes: number[] = [];
    for (const bytes of readAll(encoder)) {
      for (const frame of opusFrames(mustRead(bytes))) {
        const toc = bytes[frame.start]!;
        tocs.set(toc, (tocs.get(toc) ?? 0) + 1);
        if (frame.bytes > 1) sizes.push(frame.bytes);
      }
    }
    const share = (tocs.get(0x68) ?? 0) / [...tocs.values()].reduce((sum, count) => sum + count, 0);
    const mean = sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length;
    t.comment(
      [...tocs].map(([toc, count]) => `0x${toc.toString(16)}: ${count}`).join(', '),
      `mean ${mean} bytes`,
    );
    t.ok(share > 0.95, `${share} of the frames are hybrid, super-wideband, 20 ms, mono`);
    t.ok(mean > 40 && mean < 100, `${mean} bytes a frame`);
  },
);

t.test('a recording ends with the marker in its last payload, then 750 samples of silence', async (t) => {
  for (const frames of [1, 4, 6]) {
    const encoder = newEncoder(t);
    encoder.write(SPEECH.subarray(0, frames * FRAME));
    encoder.end();
    const packets = readAll(encoder);
    t.equal(packets.length, 2);
    const last = mustRead(packets[0]!).ops.at(-1);
    t.equal(last?.kind, 'opus');
    const items = last?.kind === 'opus' ? last.frames.map(({ kind }) => kind) : [];
    t.strictSame(items, [...new Array<string>(frames % 4 || 4).fill('frame'), 'end']);
    t.strictSame(packets[1], CLOSING_SILENCE);
    t.equal(packets[1]?.length, 18);
  }
});

t.test('the part-frame at the end is filled with zeros and sent', async (t) => {
  const padded = newEncoder(t);
  const exact = newEncoder(t);
  padded.write(SPEECH.subarray(0, 3 * FRAME + 100));
  const filled = new Int16Array(4 * FRAME);
  filled.set(SPEECH.subarray(0, 3 * FRAME + 100));
  exact.write(filled);
  padded.end();
  exact.end();
  t.strictSame(readAll(padded), readAll(exact));
});

t.test('with nothing queued the marker comes alone', async (t) => {
  const encoder = newEncoder(t);
  encoder.write(SPEECH.subarray(0, 2 * FRAME));
  readOne(encoder);
  encoder.end();
  t.strictSame(readAll(encoder), [packetOfOps(`${RATE_24K}060200ffff`), CLOSING_SILENCE]);
  encoder.end();
  t.strictSame(
    readAll(encoder),
    [packetOfOps(`${RATE_24K}060200ffff`), CLOSING_SILENCE],
    'nor without sound',
  );
});

t.test('the next recording starts at 0 and, for the same sound, is the same', async (t) => {
  const encoder = newEncoder(t);
  const record = () => {
    encoder.write(SPEECH);
    encoder.write(SPEECH.subarray(0, 77));
    encoder.end();
    return readAll(encoder);
  };
  const first = record();
  t.equal(sequencesOf(first[0]!)[0], 0);
  t.equal(encoder.dtxRun, 0);
  t.strictSame(record(), first, 'the encoder was reset and no part-frame is left');
  t.strictSame(record(), first);
});

t.test('a packet has at most 8192 bytes, and what does not fit stays for the next', async (t) => {
  const encoder = newEncoder(t, STEAM_ID, { bitrate: 64_000 });
  encoder.write(ADA.subarray(0, 200 * FRAME));
  encoder.end();
  const packets = readAll(encoder);
  t.ok(packets.length > 4, `${packets.length} packets`);
  for (const packet of packets) t.ok(packet.length <= MAX_PACKET_BYTES, `${packet.length} bytes`);
  t.ok(packets[0]!.length > MAX_PACKET_BYTES - 400, 'and is filled up before another is begun');
  t.strictSame(
    packets.flatMap(sequencesOf),
    Array.from({ length: 200 }, (_, sequence) => sequence),
  );
  const markers = packets.map((packet) => mustRead(packet).ops.some(hasMarker));
  t.strictSame(markers.indexOf(true), packets.length - 2, 'the marker is in the last one with frames');
  t.equal(markers.filter(Boolean).length, 1);
});

t.test('whatever the frames’ sizes, no packet passes 8192 bytes and the marker finds room', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  for (let recording = 0; recording < 30; recording += 1) {
    const encoder = newEncoder(t, STEAM_ID, { bitrate: 20_000 + random.below(44_000), complexity: 0 });
    const frames = 60 + random.below(120);
    encoder.write(ADA.subarray(0, frames * FRAME));
    encoder.end();
    const packets = readAll(encoder);
    if (packets.some((packet) => packet.length > MAX_PACKET_BYTES)) t.fail(`recording ${recording}`);
    t.equal(packets.flatMap(sequencesOf).length, frames);
    t.ok(mustRead(packets.at(-2)!).ops.some(hasMarker));
  }
});

t.test('ten seconds are kept for a reader that is away, then the oldest frames go, counted', async (t) => {
  const encoder = newEncoder(t, STEAM_ID, { complexity: 0 });
  const second = ADA.subarray(0, 24_000);
  for (let n = 0; n < 10; n += 1) encoder.write(second);
  t.equal(encoder.droppedFrames, 0);
  encoder.write(second.subarray(0, 7 * FRAME));
  t.equal(encoder.droppedFrames, 7);
  encoder.end();
  t.strictSame(
    readAll(encoder).flatMap(sequencesOf),
    Array.from({ length: 500 }, (_, n) => n + 7),
    'what is left is the newest, under its own numbers',
  );
  t.equal(encoder.droppedFrames, 7);
  encoder.write(second.subarray(0, FRAME));
  t.strictSame(sequencesOf(readOne(encoder)), [0]);
});

t.test('a target that is too small throws, and nothing is lost', async (t) => {
  const plain = newEncoder(t);
  const tried = newEncoder(t);
  for (const encoder of [plain, tried]) {
    encoder.write(SPEECH.subarray(0, 10 * FRAME));
    encoder.end();
  }
  for (let bytes = tried.available(); bytes > 0; bytes = tried.available()) {
    const target = new Uint8Array(bytes - 1).fill(0xee);
    t.throws(() => tried.read(target), { name: 'RangeError', message: `expected ${bytes}` });
    t.throws(() => tried.read(new Uint8Array(0)), RangeError);
    t.ok(
      target.every((byte) => byte === 0xee),
      'nothing was written',
    );
    t.strictSame(readOne(tried), readOne(plain));
  }
});

t.test('read writes to the front of a larger target and touches nothing behind the packet', async (t) => {
  const encoder = newEncoder(t);
  encoder.write(SPEECH.subarray(0, 3 * FRAME));
  const target = new Uint8Array(9000).fill(0xee);
  const bytes = encoder.read(target);
  t.equal(readPacket(target.subarray(0, bytes)).kind, 'packet');
  t.ok(target.subarray(bytes).every((byte) => byte === 0xee));
});

t.test('a new recording may begin before the ended one was read', async (t) => {
  const encoder = newEncoder(t);
  encoder.write(SPEECH.subarray(0, FRAME));
  encoder.end();
  encoder.write(SPEECH.subarray(0, 2 * FRAME));
  t.strictSame(sequencesOf(readOne(encoder)), [0], 'the marker closes the packet');
  t.strictSame(sequencesOf(readOne(encoder)), [], 'the silence');
  t.strictSame(sequencesOf(readOne(encoder)), [0, 1], 'counted from 0 again');
});

t.test('options go to the encoder, and unknown ones are refused by name', async (t) => {
  t.throws(() => new VoiceEncoder(1n, { bitrate: 100 }), { name: 'RangeError', message: /bitrate/ });
  t.throws(() => new VoiceEncoder(1n, { bitRate: 100 } as OpusEncoderOptions), {
    name: 'TypeError',
    message: /bitRate/,
  });
  const noDtx = newEncoder(t, STEAM_ID, { dtx: false });
  noDtx.write(new Int16Array(100 * FRAME));
  t.ok(readAll(noDtx).every((packet) => opusFrames(mustRead(packet)).every(({ bytes }) => bytes > 1)));
});

t.test(
  'what is compressed decompresses to the same length, padded to a frame, and says the same',
  async (t) => {
    for (const extra of [0, 1, 479]) {
      const said = ADA.subarray(0, 84_000 + extra);
      const encoder = newEncoder(t);
      const decoder = new VoiceDecoder(24_000);
      t.teardown(() => decoder.free());
      const out = new Int16Array(100_000);
      let samples = 0;
      const listen = (packet: Uint8Array) => {
        const answer = decoder.decompress(packet, out, samples);
        t.match(answer, { result: VoiceResult.VOICE_RESULT_OK, concealedFrames: 0 });
        t.equal(answer.samples, packetSamples(mustRead(packet)));
        samples += answer.samples;
      };
      for (let at = 0; at < said.length; at += 401) {
        encoder.write(said.subarray(at, at + 401));
        for (const packet of readAll(encoder)) listen(packet);
      }
      encoder.end();
      for (const packet of readAll(encoder)) listen(packet);
      t.equal(samples, Math.ceil(said.length / FRAME) * FRAME + 750);
      const comparison = compareSpeech(said, out.subarray(0, samples));
      t.equal(comparison.verdict, 'same', JSON.stringify(comparison));
    }
  },
);

function newEncoder(t: Test, steamId = STEAM_ID, options: OpusEncoderOptions = {}): VoiceEncoder {
  const encoder = new VoiceEncoder(steamId, options);
  t.teardown(() => encoder.free());
  return encoder;
}

/** The next packet, or no bytes. */
function readOne(encoder: VoiceEncoder): Uint8Array {
  const target = new Uint8Array(MAX_PACKET_BYTES);
  return target.slice(0, encoder.read(target));
}

function readAll(encoder: VoiceEncoder): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let packet = readOne(encoder); packet.length > 0; packet = readOne(encoder)) packets.push(packet);
  return packets;
}

function mustRead(bytes: Uint8Array): Packet {
  const packet = readPacket(bytes);
  if (packet.kind === 'malformed') throw new Error(`cannot read: ${packet.reason}, ${packet.detail}`);
  return packet;
}

function sequencesOf(bytes: Uint8Array): number[] {
  return opusFrames(mustRead(bytes)).map(({ sequence }) => sequence);
}

function hasMarker(op: Packet['ops'][number]): boolean {
  return op.kind === 'opus' && op.frames.some(({ kind }) => kind === 'end');
}
