/** The three captured endings, field by field, and written again byte for byte. */

import t from 'tap';
import { crc32 } from '../../voice/crc32.js';
import {
  opusFrames,
  type Packet,
  packetSamples,
  readPacket,
  relayFault,
  steamIdOf,
} from '../../voice/packet.js';
import { PacketWriter } from '../../voice/packet_writer.js';
import { MAX_PACKET_BYTES } from '../../voice/units.js';
import {
  END_OF_RECORDING_PACKET,
  goldenPackets,
  SILENCE_PACKET,
  TWO_GROUPS_OF_DTX,
} from '../kit/golden_packets.js';
import { hexOfBytes } from '../kit/hex.js';

const frame = (offset: number, sequence: number) => ({
  kind: 'frame',
  offset,
  sequence,
  start: offset + 4,
  bytes: 1,
  samples: 480,
});

t.test('two groups of DTX frames are read in full', async (t) => {
  t.strictSame(readPacket(TWO_GROUPS_OF_DTX), {
    kind: 'packet',
    steamIdLow: 1,
    steamIdHigh: 0x01100001,
    crc: 0x6d664382,
    ops: [
      { kind: 'rate', offset: 8, sampleRateHz: 24000 },
      { kind: 'opus', offset: 11, frames: [frame(14, 386)] },
      { kind: 'rate', offset: 19, sampleRateHz: 24000 },
      { kind: 'opus', offset: 22, frames: [frame(25, 387), frame(30, 388), frame(35, 389)] },
    ],
  });
});

t.test('the marker closes the last payload of a recording', async (t) => {
  t.strictSame(readPacket(END_OF_RECORDING_PACKET), {
    kind: 'packet',
    steamIdLow: 1,
    steamIdHigh: 0x01100001,
    crc: 0x44c79dbf,
    ops: [
      { kind: 'rate', offset: 8, sampleRateHz: 24000 },
      { kind: 'opus', offset: 11, frames: [frame(14, 390), frame(19, 391)] },
      { kind: 'rate', offset: 24, sampleRateHz: 24000 },
      {
        kind: 'opus',
        offset: 27,
        frames: [frame(30, 392), frame(35, 393), frame(40, 394), frame(45, 395), { kind: 'end', offset: 50 }],
      },
    ],
  });
});

t.test('the silence packet counts 750 samples', async (t) => {
  t.strictSame(readPacket(SILENCE_PACKET), {
    kind: 'packet',
    steamIdLow: 1,
    steamIdHigh: 0x01100001,
    crc: 0xedfcb939,
    ops: [
      { kind: 'rate', offset: 8, sampleRateHz: 24000 },
      { kind: 'silence', offset: 11, samples: 750, sampleRateHz: 24000 },
    ],
  });
});

t.test('they play 4 frames, 6 frames and 750 samples of silence', async (t) => {
  t.equal(packetSamples(read(TWO_GROUPS_OF_DTX)), 4 * 480);
  t.equal(packetSamples(read(END_OF_RECORDING_PACKET)), 6 * 480);
  t.equal(packetSamples(read(SILENCE_PACKET)), 750);
});

t.test('the frame sequences run on across groups and packets', async (t) => {
  const sequences = Object.values(goldenPackets).flatMap((bytes) =>
    opusFrames(read(bytes)).map((frame) => frame.sequence),
  );
  t.strictSame(sequences, [386, 387, 388, 389, 390, 391, 392, 393, 394, 395]);
});

t.test('each CRC is that of everything before it', async (t) => {
  for (const [name, bytes] of Object.entries(goldenPackets)) {
    t.equal(crc32(bytes, 0, bytes.length - 4), read(bytes).crc, name);
  }
});

t.test('the speaker is account 1', async (t) => {
  for (const [name, bytes] of Object.entries(goldenPackets)) {
    t.equal(steamIdOf(read(bytes)), 76561197960265729n, name);
  }
});

t.test('a relay passes all three', async (t) => {
  for (const [name, bytes] of Object.entries(goldenPackets)) {
    t.equal(relayFault(read(bytes), bytes.length, MAX_PACKET_BYTES), null, name);
  }
});

t.test('the writer reproduces two groups of DTX frames', async (t) => {
  const writer = begin();
  writer.sampleRate(24000);
  dtx(writer, [386]);
  writer.endFrames();
  writer.sampleRate(24000);
  dtx(writer, [387, 388, 389]);
  writer.endFrames();
  t.equal(hexOfBytes(writer.finish()), hexOfBytes(TWO_GROUPS_OF_DTX));
});

t.test('the writer reproduces the end of a recording', async (t) => {
  const writer = begin();
  writer.sampleRate(24000);
  dtx(writer, [390, 391]);
  writer.endFrames();
  writer.sampleRate(24000);
  dtx(writer, [392, 393, 394, 395]);
  writer.endMarker();
  writer.endFrames();
  t.equal(hexOfBytes(writer.finish()), hexOfBytes(END_OF_RECORDING_PACKET));
});

t.test('the writer reproduces the silence packet', async (t) => {
  const writer = begin();
  writer.sampleRate(24000);
  writer.silence(750);
  t.equal(hexOfBytes(writer.finish()), hexOfBytes(SILENCE_PACKET));
});

function begin(): PacketWriter {
  const writer = new PacketWriter();
  writer.begin(new Uint8Array(256), 1, 0x01100001);
  return writer;
}

function dtx(writer: PacketWriter, sequences: readonly number[]): void {
  writer.beginFrames();
  for (const sequence of sequences) writer.frame(sequence, Uint8Array.of(0x68), 0, 1);
}

function read(bytes: Uint8Array): Packet {
  const packet = readPacket(bytes);
  if (packet.kind === 'malformed') throw new Error(`golden packet is malformed: ${packet.detail}`);
  return packet;
}
