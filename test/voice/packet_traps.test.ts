/**
 * What known readers of Steam Voice get wrong, as far as it concerns reading and writing. The traps of decoding
 * (concealment, silence in the output, the size asked for) are tested where the decoder is.
 */

import t from 'tap';
import { opusFrames, type Packet, packetSamples, readPacket } from '../../voice/packet.js';
import { PacketWriter } from '../../voice/packet_writer.js';
import { sequenceAfter, sequenceDelta, sequenceDistance } from '../../voice/sequence.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, sealPacket, u16Hex } from '../kit/raw_packet.js';

t.test('a packet shorter than a CRC is too short and nothing worse', async (t) => {
  for (let length = 0; length < 4; length += 1) {
    const read = readPacket(new Uint8Array(length));
    t.match(read, { kind: 'malformed', reason: 'too-short', ops: [] }, `${length} bytes`);
  }
});

t.test('the reader gets past its error: the next packet is read as if nothing had been', async (t) => {
  const good = packetOfOps(RATE_24K + opusOp(frameOf(7, '68')));
  const before = readPacket(good);
  for (const bad of ['0b', '060500ffff', '07', '0b0000', `${RATE_24K}060400f0ff0000`]) {
    t.equal(readPacket(packetOfOps(`${RATE_24K}${bad}`)).kind, 'malformed', bad);
    t.strictSame(readPacket(good), before, `after ${bad}`);
  }
});

t.test('reading stops at the first fault and says what came before it', async (t) => {
  const read = readPacket(packetOfOps(`${RATE_24K}00ee0207${RATE_24K}`));
  t.match(read, { kind: 'malformed', reason: 'op-unknown', offset: 14 });
  t.strictSame(read.ops, [
    { kind: 'rate', offset: 8, sampleRateHz: 24000 },
    { kind: 'silence', offset: 11, samples: 750, sampleRateHz: 24000 },
  ]);
});

t.test('frame numbers run from 65535 to 0 inside a payload', async (t) => {
  const packet = mustRead(
    RATE_24K + opusOp(frameOf(65534, '68') + frameOf(65535, '68') + frameOf(0, '68') + frameOf(1, '68')),
  );
  t.strictSame(
    opusFrames(packet).map((frame) => frame.sequence),
    [65534, 65535, 0, 1],
  );
});

t.test('the writer numbers a frame 65535 and the next one 0', async (t) => {
  const writer = new PacketWriter();
  writer.begin(new Uint8Array(64), 1, 0x01100001);
  writer.sampleRate(24000);
  writer.beginFrames();
  writer.frame(65535, Uint8Array.of(0x68), 0, 1);
  writer.frame(sequenceAfter(65535), Uint8Array.of(0x68), 0, 1);
  writer.endFrames();
  t.strictSame(writer.finish(), packetOfOps(RATE_24K + opusOp(frameOf(65535, '68') + frameOf(0, '68'))));
});

t.test('a sequence of 65535 is a number, not an end marker', async (t) => {
  const packet = mustRead(RATE_24K + opusOp(frameOf(0xffff, '68')));
  t.match(opusFrames(packet), [{ kind: 'frame', sequence: 65535, bytes: 1 }]);
});

t.test('a wrap is one step ahead and a restart is not a wrap', async (t) => {
  t.equal(sequenceDistance(65535, 0), 1, 'in order');
  t.equal(sequenceDelta(65535, 0), 1, 'in order');
  t.equal(sequenceDelta(700, 0), -700, 'a new recording is behind');
});

t.test('a forged gap costs the reader nothing: it plays what is there', async (t) => {
  const packet = mustRead(RATE_24K + opusOp(frameOf(0, '68') + frameOf(65535, '68') + frameOf(32767, '68')));
  t.equal(packetSamples(packet), 3 * 480);
});

t.test('every group is read, not only the first', async (t) => {
  const groups = [0, 1, 2, 3, 4].map((sequence) => RATE_24K + opusOp(frameOf(sequence, '68')));
  const packet = mustRead(groups.join(''));
  t.equal(packet.ops.length, 10);
  t.strictSame(
    opusFrames(packet).map((frame) => frame.sequence),
    [0, 1, 2, 3, 4],
  );
  t.equal(packetSamples(packet), 5 * 480);
});

t.test('the number of groups has no limit of its own', async (t) => {
  const groups = Array.from({ length: 5000 }, (_, sequence) => RATE_24K + opusOp(frameOf(sequence, '68')));
  t.equal(opusFrames(mustRead(groups.join(''))).length, 5000);
});

t.test('the number of frames in a group has no limit of its own', async (t) => {
  const frames = Array.from({ length: 13_000 }, (_, sequence) => frameOf(sequence, '68'));
  t.equal(opusFrames(mustRead(RATE_24K + opusOp(frames.join('')))).length, 13_000);
});

t.test('a silence count is in samples, not in bytes', async (t) => {
  t.equal(packetSamples(mustRead(`${RATE_24K}00ee02`)), 750);
  t.equal(packetSamples(mustRead(`${RATE_24K}00ffff`)), 65535);
});

t.test('a silence count is followed by the next op, not by that much data', async (t) => {
  const packet = mustRead(`${RATE_24K}000400${RATE_24K}${opusOp(frameOf(0, '68'))}`);
  t.strictSame(
    packet.ops.map((op) => op.kind),
    ['rate', 'silence', 'rate', 'opus'],
  );
});

t.test('what stands behind an end marker is read', async (t) => {
  const packet = mustRead(`${RATE_24K}${opusOp(`ffff${frameOf(0, '68')}ffff`)}${opusOp(frameOf(1, '68'))}`);
  t.match(packet.ops, [
    { kind: 'rate' },
    { kind: 'opus', frames: [{ kind: 'end' }, { kind: 'frame', sequence: 0 }, { kind: 'end' }] },
    { kind: 'opus', frames: [{ kind: 'frame', sequence: 1 }] },
  ]);
});

t.test('a length field of 0xFFFE is a length, and too long', async (t) => {
  const read = readPacket(packetOfOps(`${RATE_24K}${opusOp(`feff0000${'68'.repeat(10)}`)}`));
  t.match(read, { kind: 'malformed', reason: 'frame-truncated' });
});

t.test('a CRC over the ops alone is a wrong one', async (t) => {
  const packet = packetOfOps(`${RATE_24K}00ee02`);
  const withoutId = sealPacket(packet.slice(8));
  packet.set(withoutId.subarray(-4), packet.length - 4);
  t.match(readPacket(packet), { kind: 'malformed', reason: 'bad-crc' });
});

t.test('integers are little-endian', async (t) => {
  t.match(mustRead(`${RATE_24K}000100`).ops, [{}, { samples: 1 }]);
  t.match(mustRead(`0b${u16Hex(8000)}000001`).ops, [{ sampleRateHz: 8000 }, { samples: 256 }]);
});

function mustRead(ops: string): Packet {
  const packet = readPacket(packetOfOps(ops));
  if (packet.kind === 'malformed') throw new Error(`cannot read: ${packet.reason}, ${packet.detail}`);
  return packet;
}
