/** Which voice frames are forwarded, and which are dropped and why. */

import t from 'tap';
import { DROP_REASONS, type DropReason } from '../../../../relay/core/voice/drop_reason.js';
import { writeU16, writeU32 } from '../../../../voice/bytes.js';
import { crc32 } from '../../../../voice/crc32.js';
import { PacketWriter } from '../../../../voice/packet_writer.js';
import { personSteamId, steamIdHigh, steamIdLow } from '../../../../voice/steam_id.js';
import { MAX_VOICE_FRAME_BYTES, writeVoiceFrame } from '../../../../voice/wire.js';
import { Bench, fields, frameOf, helloOf, packetBy, refusalOf, steamIdOf } from '../../kit.js';

/** A packet of person 1 with these ops and a right CRC. */
function packetWith(ops: readonly number[]): Uint8Array {
  const packet = new Uint8Array(8 + ops.length + 4);
  packet.set(packetBy(personSteamId(1)).subarray(0, 8));
  packet.set(ops, 8);
  writeU32(packet, 8 + ops.length, crc32(packet, 0, 8 + ops.length));
  return packet;
}

/** Op 0x06 with an Opus frame of no bytes. */
const EMPTY_FRAME = [0x06, 4, 0, 0, 0, 0, 0];

const framed = (packet: Uint8Array) => writeVoiceFrame(fields(), packet);

function changed(frame: Uint8Array, at: number, value: number): Uint8Array {
  const copy = frame.slice();
  copy[at] = value;
  return copy;
}

t.test('a good frame goes to its lobby with the fields of the relay', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  bench.now = 1000 + 2 ** 32 + 77.9;
  const frame = frameOf(2, { sequence: 65535, marker: true });
  const before = frame.slice();
  t.match(bench.voice(2, frame), {
    kind: 'forward',
    topic: 'lobby/0',
    slot: 1,
    sequence: 65535,
    relaySequence: 0,
    relayTimeMs: 77,
    acknowledge: false,
  });
  t.same(frame, before, 'the frame itself is not changed');
  t.equal(bench.relay.counts().publishedFrames, 1);
  t.equal(bench.relay.counts().publishedBytes, frame.length);
});

t.test('the relay sequence counts per speaker, and wraps', async (t) => {
  const bench = new Bench({
    framesPerSecond: 10_000,
    frameBurst: 100_000,
    byteBurst: 67_108_864,
    soundBurstMs: 3_600_000,
  });
  bench.join(1);
  bench.join(2);
  bench.join(3, 'attic');
  const frames = [frameOf(1), frameOf(2)];
  let expected = 0;
  let wrong = 0;
  for (let i = 0; i < 65_540; i++) {
    for (const account of [1, 2]) {
      const verdict = bench.voice(account, frames[account - 1]!);
      if (verdict.kind !== 'forward' || verdict.relaySequence !== expected) wrong += 1;
    }
    expected = (expected + 1) & 0xffff;
  }
  t.equal(wrong, 0);
  t.equal(expected, 4);
  t.match(bench.voice(3, frameOf(3)), { relaySequence: 0, topic: 'lobby/1' });
});

t.test('a malformed frame is dropped, and counted under its reason', async (t) => {
  const good = frameOf(1);
  const cases: [reason: DropReason, frame: Uint8Array][] = [
    ['frame-too-short', new Uint8Array(0)],
    ['frame-too-short', good.subarray(0, 30)],
    ['frame-too-long', new Uint8Array(MAX_VOICE_FRAME_BYTES + 1)],
    ['frame-version-unknown', changed(good, 0, 0x20)],
    ['packet-bad-crc', changed(good, good.length - 1, good.at(-1)! ^ 1)],
    ['packet-bad-crc', good.subarray(0, good.length - 1)],
    ['packet-op-truncated', framed(packetWith([0x0b, 0xc0, 0x5d, 0x00, 0x01]))],
    ['packet-op-truncated', framed(packetWith([0x06, 0xff, 0x00, 1, 2]))],
    ['packet-op-unknown', framed(packetWith([0x0c, 0, 0]))],
    ['packet-op-foreign', framed(packetWith([0x04, 1, 0, 0]))],
    ['packet-rate-unknown', framed(packetWith([0x0b, 0x39, 0x30]))],
    ['packet-frame-truncated', framed(packetWith([0x06, 5, 0, 9, 0, 0, 0, 1]))],
    // Code 3, an unpadded count of 0 frames: no Opus packet.
    ['packet-frame-framing', framed(packetWith([0x06, 6, 0, 2, 0, 0, 0, 0x4b, 0x00]))],
    ['packet-frame-empty', framed(packetWith(EMPTY_FRAME))],
    ['steam-id-mismatch', frameOf(2)],
    ['target-unknown', frameOf(1, { target: 1 })],
    ['target-unknown', frameOf(1, { target: 255 })],
  ];
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  const expected = bench.relay.counts().drops as Record<DropReason, number>;
  for (const [reason, frame] of cases) {
    t.same(bench.voice(1, frame), { kind: 'drop', reason, outputs: [] }, reason);
    expected[reason] += 1;
  }
  t.same(bench.relay.counts().drops, expected);
  t.equal(bench.relay.counts().publishedFrames, 0);
  t.match(bench.voice(1, good), { kind: 'forward', relaySequence: 0 }, 'a drop leaves no gap');
  // Behind the header's own limits, and those that other tests have.
  const elsewhere = [
    'opaque-refused',
    'stale',
    'packet-too-short',
    'packet-too-long',
    'rate-frames',
    'rate-bytes',
    'rate-sound',
    'not-joined',
    'not-allowed',
    'muted',
  ];
  t.same(new Set([...cases.map(([reason]) => reason), ...elsewhere]), new Set(DROP_REASONS));
});

t.test('the SteamID is compared in all of its 64 bits', async (t) => {
  const bench = new Bench();
  bench.join(1);
  for (let bit = 0n; bit < 64n; bit++) {
    const verdict = bench.voice(1, framed(packetBy(personSteamId(1) ^ (1n << bit))));
    t.match(verdict, { kind: 'drop', reason: 'steam-id-mismatch' }, `bit ${bit}`);
  }
  t.equal(bench.voice(1, frameOf(1)).kind, 'forward');
});

t.test('a SteamID with its highest bit set can speak', async (t) => {
  const steamId = 0xffff_ffff_ffff_fffen;
  const bench = new Bench();
  bench.connect(1);
  bench.text(1, { ...helloOf(1), steamId: steamId.toString() });
  t.equal(bench.voice(1, framed(packetBy(steamId))).kind, 'forward');
});

t.test('when a frame has two faults, the earlier check decides', async (t) => {
  const order: [DropReason, Uint8Array][] = [
    ['frame-version-unknown', changed(changed(frameOf(2, { target: 1 }), 0, 0), 40, 0xff)],
    ['packet-bad-crc', changed(frameOf(2, { target: 1 }), 40, 0xff)],
    ['packet-op-foreign', writeVoiceFrame(fields({ target: 1 }), packetWith([0x05, 1, 0, 0]))],
    ['packet-op-foreign', framed(packetWith([...EMPTY_FRAME, 0x04, 2, 0, 9, 9]))],
    ['packet-frame-empty', writeVoiceFrame(fields({ target: 1 }), packetWith(EMPTY_FRAME))],
    ['steam-id-mismatch', frameOf(2, { target: 1 })],
    ['target-unknown', frameOf(1, { target: 1 })],
  ];
  const bench = new Bench({ frameBurst: order.length, framesPerSecond: 1 });
  bench.join(1);
  for (const [reason, frame] of order) t.match(bench.voice(1, frame), { reason });
  for (const [reason, frame] of order) {
    t.match(bench.voice(1, frame), { reason: 'rate-frames' }, `the rate comes before ${reason}`);
  }
});

t.test('a frame that is dropped is charged like any other', async (t) => {
  const cases: [DropReason, Uint8Array][] = [
    ['frame-too-short', new Uint8Array(7)],
    ['frame-too-short', new Uint8Array(0)],
    ['packet-bad-crc', changed(frameOf(1), 40, 0xff)],
    ['steam-id-mismatch', frameOf(2)],
    ['target-unknown', frameOf(1, { target: 1 })],
  ];
  for (const [reason, frame] of cases) {
    const bench = new Bench({ frameBurst: 3, framesPerSecond: 1 });
    bench.join(1);
    for (let i = 0; i < 3; i++) t.match(bench.voice(1, frame), { reason });
    t.match(bench.voice(1, frame), { reason: 'rate-frames' }, reason);
    t.match(bench.voice(1, frameOf(1)), { reason: 'rate-frames' }, 'nothing is left for a good one');
  }
  const long = new Uint8Array(8208);
  const bench = new Bench({ byteBurst: 2 * 8208, bytesPerSecond: 1024 });
  bench.join(1);
  for (let i = 0; i < 2; i++) t.match(bench.voice(1, long), { reason: 'frame-version-unknown' });
  t.match(bench.voice(1, long), { reason: 'rate-bytes' });
});

t.test('when a packet has two faults, the one nearer its front decides', async (t) => {
  const unknownRate = [0x0b, 0x39, 0x30];
  const cutOff = [0x06, 0xff, 0x00];
  const bench = new Bench();
  bench.join(1);
  const order: [DropReason, readonly number[]][] = [
    ['packet-rate-unknown', [...unknownRate, ...cutOff]],
    ['packet-frame-truncated', [0x06, 1, 0, 9, 0x0c]],
    ['packet-op-unknown', [0x0c, ...cutOff]],
    // A relay applies its further checks only to packets without faults.
    ['packet-op-truncated', [0x04, 1, 0, 9, ...EMPTY_FRAME, ...cutOff]],
  ];
  for (const [reason, ops] of order) t.match(bench.voice(1, framed(packetWith(ops))), { reason });
});

t.test('the longest packet passes', async (t) => {
  const writer = new PacketWriter();
  const steamId = personSteamId(1);
  writer.begin(new Uint8Array(8192), steamIdLow(steamId), steamIdHigh(steamId));
  let bytes = 12;
  for (let sequence = 0; bytes < 8192; sequence++) {
    // Frames of 1275 bytes are Opus's longest; the last fills what is left.
    const left = 8192 - bytes - 7;
    const size = Math.min(1275, left);
    writer.beginFrames();
    writer.frame(sequence, new Uint8Array(size).fill(0x48), 0, size);
    writer.endFrames();
    bytes += 7 + size;
  }
  const packet = writer.finish();
  t.equal(packet.length, 8192);
  const bench = new Bench();
  bench.join(1);
  t.equal(bench.voice(1, framed(packet)).kind, 'forward');
});

t.test('frames beyond the rate are dropped until it allows more', async (t) => {
  const bench = new Bench({ framesPerSecond: 50, frameBurst: 3 });
  bench.join(1);
  bench.join(2);
  const speak = () => {
    const verdict = bench.voice(1, frameOf(1));
    return verdict.kind === 'drop' ? verdict.reason : verdict.kind;
  };
  t.same([speak(), speak(), speak(), speak()], ['forward', 'forward', 'forward', 'rate-frames']);
  bench.now += 19;
  t.equal(speak(), 'rate-frames');
  bench.now += 1;
  t.same([speak(), speak()], ['forward', 'rate-frames'], 'what was dropped was not charged');
  bench.now += 1_000_000;
  t.same([speak(), speak(), speak(), speak()], ['forward', 'forward', 'forward', 'rate-frames']);
  t.equal(bench.voice(2, frameOf(2)).kind, 'forward', "another's rate is their own");
});

t.test('bytes beyond the rate are dropped until it allows more', async (t) => {
  const frame = frameOf(1);
  const fit = Math.floor(8208 / frame.length);
  const bench = new Bench({ bytesPerSecond: 1024, byteBurst: 8208, frameBurst: 10_000 });
  bench.join(1);
  for (let i = 0; i < fit; i++) t.equal(bench.voice(1, frame).kind, 'forward');
  t.match(bench.voice(1, frame), { kind: 'drop', reason: 'rate-bytes' });
  bench.now += (frame.length * 1000) / 1024;
  t.equal(bench.voice(1, frame).kind, 'forward');
});

t.test('sound beyond the rate is dropped, however few its bytes', async (t) => {
  const threeSeconds = framed(packetWith([0x00, 0xc0, 0x5d, 0x00, 0x80, 0xbb])); // 24000 and 48000 samples of silence
  const bench = new Bench({ soundMsPerSecond: 1000, soundBurstMs: 6000 });
  bench.join(1);
  const verdicts = [1, 2, 3].map(() => bench.voice(1, threeSeconds));
  t.match(verdicts, [{ kind: 'forward' }, { kind: 'forward' }, { kind: 'drop', reason: 'rate-sound' }]);
  bench.now += 2999;
  t.match(bench.voice(1, threeSeconds), { kind: 'drop', reason: 'rate-sound' });
  bench.now += 1;
  t.match(bench.voice(1, threeSeconds), { kind: 'forward' });
});

t.test('silence counts as sound, as long as it plays', async (t) => {
  const bench = new Bench();
  bench.join(1);
  // 65535 samples at 8000 Hz are 8.2 s of the 10 s that may come at once.
  const long = [0x0b, 0x40, 0x1f, 0x00, 0xff, 0xff];
  const verdicts = Array.from({ length: 20 }, () => bench.voice(1, framed(packetWith(long))));
  t.same(
    verdicts.map((verdict) => (verdict.kind === 'drop' ? verdict.reason : verdict.kind)),
    ['forward', ...new Array(19).fill('rate-sound')],
  );
});

t.test('a packet that plays longer than what may come at once never passes', async (t) => {
  const bench = new Bench();
  bench.join(1);
  const tooLong = framed(packetWith([0x0b, 0x40, 0x1f, 0x00, 0xff, 0xff, 0x00, 0xff, 0xff]));
  for (let minute = 0; minute < 3; minute += 1) {
    t.match(bench.voice(1, tooLong), { reason: 'rate-sound' });
    bench.now += 60_000;
  }
  t.match(bench.voice(1, frameOf(1)), { kind: 'forward' }, 'and is not charged');
});

t.test('voice before the hello is dropped and closes the connection', async (t) => {
  const bench = new Bench();
  bench.connect(1);
  const verdict = bench.voice(1, frameOf(1));
  t.match(verdict, { kind: 'drop', reason: 'not-joined' });
  t.equal(refusalOf(verdict.outputs), 'hello-expected');
  t.same(bench.voice(1, frameOf(1)), { kind: 'drop', reason: 'not-joined', outputs: [] });
  t.equal(bench.relay.counts().connections, 0);
});

t.test('a participant who has left cannot speak', async (t) => {
  const bench = new Bench();
  bench.join(1);
  bench.join(2);
  bench.text(1, { type: 'leave' });
  t.same(bench.voice(1, frameOf(1)), { kind: 'drop', reason: 'not-joined', outputs: [] });
});

t.test('nothing that a client puts into the fields of the relay matters', async (t) => {
  const bench = new Bench();
  bench.join(1);
  const frame = frameOf(1);
  frame[0] = frame[0]! | 0x04;
  writeU16(frame, 8, 4242);
  writeU16(frame, 10, 4242);
  writeU32(frame, 12, 4242);
  t.match(bench.voice(1, frame), { kind: 'forward', slot: 0, relaySequence: 0, relayTimeMs: 0 });
});

t.test(
  'an opaque frame is dropped and counted, whatever it holds, and is charged like any other',
  async (t) => {
    const bench = new Bench({ frameBurst: 4, framesPerSecond: 1 });
    bench.join(1);
    bench.join(2);
    const opaque = (frame: Uint8Array) => {
      frame[0]! |= 0x08;
      return bench.voice(1, frame);
    };
    const refused = { kind: 'drop', reason: 'opaque-refused', outputs: [] };
    t.same(opaque(frameOf(1)), refused, 'even with a good packet');
    const encrypted = frameOf(1).fill(0xa5, 16);
    t.same(opaque(encrypted), refused, 'the payload is not read');
    t.same(opaque(encrypted.subarray(0, 30)), { ...refused, reason: 'frame-too-short' });
    bench.moderate('den', { steamId: steamIdOf(1), action: 'mute' });
    t.same(opaque(frameOf(1)), refused, 'the relay says the same to the muted');
    t.same(opaque(frameOf(1)), { ...refused, reason: 'rate-frames' });
    t.match(bench.relay.counts().drops, { 'opaque-refused': 3, muted: 0 });
  },
);
