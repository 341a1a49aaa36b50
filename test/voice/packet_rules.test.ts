/** The packet format rule by rule: what is read, what is refused, for which reason and where. */

import t, { type Test } from 'tap';
import {
  DECLARED_RATES_HZ,
  END_OF_RECORDING,
  MIN_PACKET_BYTES,
  Op,
  opusFrames,
  type Packet,
  type PacketFault,
  packetSamples,
  readPacket,
  relayFault,
  silenceSamples,
  steamIdOf,
} from '../../voice/packet.js';
import { PacketWriter } from '../../voice/packet_writer.js';
import { MAX_PACKET_BYTES } from '../../voice/units.js';
import { bytesOfHex } from '../kit/hex.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, sealPacket, u16Hex } from '../kit/raw_packet.js';

t.test('the op bytes and the limits are those of the format', async (t) => {
  t.strictSame(Op, {
    silence: 0x00,
    miles: 0x01,
    speex: 0x02,
    pcm: 0x03,
    silk: 0x04,
    opus: 0x05,
    opusPlc: 0x06,
    unknown10: 0x0a,
    sampleRate: 0x0b,
  });
  t.equal(END_OF_RECORDING, 0xffff);
  t.equal(MIN_PACKET_BYTES, 15);
  t.equal(MAX_PACKET_BYTES, 8192);
  t.strictSame([...DECLARED_RATES_HZ], [8000, 12000, 16000, 24000, 48000]);
});

t.test('length is checked before the CRC', async (t) => {
  for (let length = 0; length < 15; length += 1) {
    refused(t, new Uint8Array(length), 'too-short', null, `${length} bytes, CRC wrong`);
    if (length >= 12) {
      refused(t, sealPacket(new Uint8Array(length)), 'too-short', null, `${length} bytes, CRC right`);
    }
  }
});

t.test('fifteen bytes are enough', async (t) => {
  t.equal(readPacket(packetOfOps(RATE_24K)).kind, 'packet');
  t.equal(readPacket(packetOfOps('000000')).kind, 'packet');
  t.equal(readPacket(packetOfOps('030000')).kind, 'packet');
});

t.test('the CRC is checked before the ops', async (t) => {
  for (const ops of ['070000', '0b0000', '06ffff', '0b']) {
    const packet = packetOfOps(ops.padEnd(6, '0'));
    packet[packet.length - 1]! ^= 1;
    refused(t, packet, 'bad-crc', packet.length - 4, ops);
  }
});

t.test('each single wrong bit is a wrong CRC', async (t) => {
  const good = packetOfOps(`${RATE_24K}${opusOp(frameOf(0, '68') + frameOf(1, '68'))}`);
  const reasons = new Set<string>();
  for (let bit = 0; bit < good.length * 8; bit += 1) {
    const bad = good.slice();
    bad[bit >> 3]! ^= 1 << (bit & 7);
    const read = readPacket(bad);
    reasons.add(read.kind === 'malformed' ? read.reason : 'read');
  }
  t.strictSame([...reasons], ['bad-crc']);
});

t.test('ops are checked from the front and the first fault decides', async (t) => {
  const faults: [ops: string, reason: PacketFault][] = [
    ['0b0000', 'rate-unknown'],
    ['07', 'op-unknown'],
    [opusOp('0100'), 'frame-truncated'],
    [opusOp(frameOf(0, '6b')), 'frame-framing'],
  ];
  for (const [first, reason] of faults) {
    for (const [second] of faults) {
      refused(t, packetOfOps(RATE_24K + first + second), reason, null, `${first} ${second}`);
    }
  }
});

t.test('a fault in an op that cannot be walked past ends the packet with no ops lost', async (t) => {
  const read = refused(t, packetOfOps(`${RATE_24K}${opusOp(frameOf(0, '68'))}06ff`), 'op-truncated', 19);
  t.match(read.ops, [
    { kind: 'rate', offset: 8 },
    { kind: 'opus', offset: 11, frames: [{ sequence: 0 }] },
  ]);
  t.equal(read.ops.length, 2);
});

t.test('the valid frames of a payload with a fault are returned, and nothing behind the fault', async (t) => {
  const ops = RATE_24K + opusOp(`${frameOf(0, '68')}${frameOf(1, '6a')}${frameOf(2, '68')}`) + RATE_24K;
  const read = refused(t, packetOfOps(ops), 'frame-framing', 19);
  const sequences = read.ops.flatMap((op) =>
    op.kind === 'opus' ? op.frames.map((frame) => (frame.kind === 'frame' ? frame.sequence : 'end')) : [],
  );
  t.strictSame(sequences, [0]);
  t.notOk(read.ops.some((op) => op.offset > 19));
});

t.test('every fault has its reason, its place and a sentence', async (t) => {
  const table: [name: string, ops: string, reason: PacketFault, offset: number][] = [
    ['a rate op without its argument', `${RATE_24K}0b`, 'op-truncated', 11],
    ['a rate op with half of it', `${RATE_24K}0bc0`, 'op-truncated', 11],
    ['a silence op without its argument', `${RATE_24K}00`, 'op-truncated', 11],
    ['a silence op with half of it', `${RATE_24K}00ee`, 'op-truncated', 11],
    ['0x06 without a length', `${RATE_24K}06`, 'op-truncated', 11],
    ['0x06 with half a length', `${RATE_24K}0605`, 'op-truncated', 11],
    ['a payload one byte past n-4', `${RATE_24K}06060001000000 68`, 'op-truncated', 11],
    ['a payload of 65535', `${RATE_24K}06ffff0100000068`, 'op-truncated', 11],
    ['0x01 without a length', `${RATE_24K}01`, 'op-truncated', 11],
    ['0x02 with half a length', `${RATE_24K}0200`, 'op-truncated', 11],
    ['0x04 one byte past n-4', `${RATE_24K}0403000000`, 'op-truncated', 11],
    ['0x05 one byte past n-4', `${RATE_24K}050100`, 'op-truncated', 11],
    ['0x0A without its two bytes', `${RATE_24K}0a`, 'op-truncated', 11],
    ['0x0A with one', `${RATE_24K}0a00`, 'op-truncated', 11],
    ['an op not in the table', `${RATE_24K}07`, 'op-unknown', 11],
    ['a rate of 0', `${RATE_24K}0b0000`, 'rate-unknown', 11],
    ['one byte left in a payload', RATE_24K + opusOp(`${frameOf(0, '68')}01`), 'frame-truncated', 19],
    ['two bytes left', RATE_24K + opusOp(`${frameOf(0, '68')}0100`), 'frame-truncated', 19],
    ['three bytes left', RATE_24K + opusOp(`${frameOf(0, '68')}010001`), 'frame-truncated', 19],
    ['0xFF alone, no marker yet', RATE_24K + opusOp(`${frameOf(0, '68')}ff`), 'frame-truncated', 19],
    ['a byte behind the marker', RATE_24K + opusOp('ffff00'), 'frame-truncated', 16],
    ['a frame without its data', RATE_24K + opusOp('01000000'), 'frame-truncated', 14],
    ['a frame a byte past its payload', RATE_24K + opusOp('0200000068'), 'frame-truncated', 14],
    ['a frame past its payload, not past n-4', `${RATE_24K}060500 02000000 68 00ee02`, 'frame-truncated', 14],
    [
      'a second frame past its payload',
      RATE_24K + opusOp(`${frameOf(0, '68')}0200010068`),
      'frame-truncated',
      19,
    ],
    ['a frame of 0xFFFE', RATE_24K + opusOp('feff000068'), 'frame-truncated', 14],
    ['a lone TOC of code 2', RATE_24K + opusOp(frameOf(0, '6a')), 'frame-framing', 14],
    ['a lone TOC of code 3', RATE_24K + opusOp(frameOf(0, '6b')), 'frame-framing', 14],
    ['an odd packet of code 1', RATE_24K + opusOp(frameOf(0, '6900')), 'frame-framing', 14],
    ['code 3 with no frames', RATE_24K + opusOp(frameOf(0, '6b00')), 'frame-framing', 14],
    ['code 3 of 140 ms', RATE_24K + opusOp(frameOf(0, '6b07')), 'frame-framing', 14],
    ['a second frame malformed', RATE_24K + opusOp(frameOf(0, '68') + frameOf(1, '6a')), 'frame-framing', 19],
  ];
  for (const [name, ops, reason, offset] of table) {
    const read = refused(t, packetOfOps(ops), reason, offset, name);
    t.match(read.detail, /\S/, `${name}: in words`);
  }
});

t.test('every op outside the table is unknown, whatever follows it', async (t) => {
  const known = new Set<number>(Object.values(Op));
  for (let op = 0; op < 256; op += 1) {
    if (known.has(op)) continue;
    const opHex = Buffer.from([op]).toString('hex');
    refused(t, packetOfOps(`${RATE_24K}${opHex}`), 'op-unknown', 11, `${opHex} alone`);
    refused(t, packetOfOps(`${RATE_24K}${opHex}000000`), 'op-unknown', 11, `${opHex} with bytes behind`);
  }
});

t.test('0x01, 0x02, 0x04 and 0x05 are walked past by their length', async (t) => {
  for (const op of [0x01, 0x02, 0x04, 0x05]) {
    for (const bytes of [0, 1, 2, 300]) {
      const foreign = `0${op}${u16Hex(bytes)}${'ab'.repeat(bytes)}`;
      const packet = mustRead(`${RATE_24K}${foreign}00ee02`);
      t.strictSame(
        packet.ops,
        [
          { kind: 'rate', offset: 8, sampleRateHz: 24000 },
          { kind: 'foreign', offset: 11, op, start: 14, bytes },
          { kind: 'silence', offset: 14 + bytes, samples: 750, sampleRateHz: 24000 },
        ],
        `op ${op} of ${bytes}`,
      );
    }
  }
});

t.test('what is inside 0x04 and 0x05 is not looked at', async (t) => {
  for (const inside of ['ffff', '0500', '00', 'ffffff']) {
    const length = u16Hex(inside.length / 2);
    t.match(mustRead(`${RATE_24K}04${length}${inside}`).ops, [{}, { kind: 'foreign', op: 4 }], inside);
    t.match(mustRead(`${RATE_24K}05${length}${inside}`).ops, [{}, { kind: 'foreign', op: 5 }], inside);
  }
});

t.test('0x0A is walked past by two bytes', async (t) => {
  t.strictSame(mustRead(`${RATE_24K}0a020000ee02`).ops, [
    { kind: 'rate', offset: 8, sampleRateHz: 24000 },
    { kind: 'foreign', offset: 11, op: 0x0a, start: 12, bytes: 2 },
    { kind: 'silence', offset: 14, samples: 750, sampleRateHz: 24000 },
  ]);
});

t.test('0x03 swallows everything up to the CRC, at any length', async (t) => {
  for (const rest of ['', '00', '0b', '0b0000', '07', '06ffff', '00ee02', 'ab'.repeat(1001)]) {
    t.strictSame(
      mustRead(`${RATE_24K}03${rest}`).ops,
      [
        { kind: 'rate', offset: 8, sampleRateHz: 24000 },
        { kind: 'foreign', offset: 11, op: 3, start: 12, bytes: rest.length / 2 },
      ],
      rest.slice(0, 12) || 'nothing',
    );
  }
});

t.test('a foreign op before a fault is among the ops before the fault', async (t) => {
  const read = refused(t, packetOfOps(`0400000b0000`), 'rate-unknown', 11);
  t.strictSame(read.ops, [{ kind: 'foreign', offset: 8, op: 4, start: 11, bytes: 0 }]);
});

t.test('five rates are accepted and no other is', async (t) => {
  const accepted: number[] = [];
  for (let rate = 0; rate <= 65535; rate += 1) {
    const near = rate % 500 < 2 || rate % 500 === 499 || rate % 1025 === 0 || rate > 65530;
    if (!near) continue;
    const read = readPacket(packetOfOps(`0b${u16Hex(rate)}`));
    if (read.kind === 'packet') accepted.push(rate);
    else if (read.reason !== 'rate-unknown' || read.offset !== 8)
      t.fail(`${rate}: ${read.reason} ${read.offset}`);
  }
  t.strictSame(accepted, [8000, 12000, 16000, 24000, 48000]);
});

t.test('a packet starts at 24000, and a rate holds until the next one', async (t) => {
  const rate = (hz: number) => `0b${u16Hex(hz)}`;
  const packet = mustRead(`000a00${rate(48000)}000a00000a00${rate(8000)}${rate(16000)}000a00`);
  const silences = packet.ops.flatMap((op) => (op.kind === 'silence' ? [op.sampleRateHz] : []));
  t.strictSame(silences, [24000, 48000, 48000, 16000]);
});

t.test('a rate does not last into the next packet', async (t) => {
  mustRead(`0b${u16Hex(8000)}`);
  t.match(mustRead('00ee02').ops, [{ kind: 'silence', sampleRateHz: 24000 }]);
});

t.test('repeated and trailing rates are accepted', async (t) => {
  t.equal(mustRead(RATE_24K.repeat(5)).ops.length, 5);
  t.equal(packetSamples(mustRead(opusOp(frameOf(0, '68')) + RATE_24K)), 480);
});

t.test('silence is scaled from its rate to 24 kHz, rounded down', async (t) => {
  const table: [samples: number, rate: number, at24k: number][] = [
    [750, 24000, 750],
    [65535, 24000, 65535],
    [0, 24000, 0],
    [750, 48000, 375],
    [751, 48000, 375],
    [65535, 48000, 32767],
    [500, 8000, 1500],
    [65535, 8000, 196605],
    [65535, 12000, 131070],
    [1, 16000, 1],
    [2, 16000, 3],
    [65535, 16000, 98302],
  ];
  for (const [samples, rate, at24k] of table) {
    t.equal(silenceSamples(samples, rate), at24k, `${samples} at ${rate}`);
    t.equal(packetSamples(mustRead(`0b${u16Hex(rate)}00${u16Hex(samples)}`)), at24k, `${samples} at ${rate}`);
  }
});

t.test('a rate op leaves the length of Opus frames alone', async (t) => {
  t.equal(packetSamples(mustRead(`0b${u16Hex(8000)}${opusOp(frameOf(0, '68'))}`)), 480);
});

t.test('a packet with no audio is a packet of 0 samples', async (t) => {
  for (const ops of [RATE_24K, '060000', `${RATE_24K}060000`, RATE_24K + opusOp('ffff'), '000000']) {
    t.equal(packetSamples(mustRead(ops)), 0, ops);
    t.strictSame(opusFrames(mustRead(ops)), [], ops);
  }
});

t.test('the marker takes two bytes and no number', async (t) => {
  t.strictSame(mustRead(RATE_24K + opusOp('ffff')).ops[1], {
    kind: 'opus',
    offset: 11,
    frames: [{ kind: 'end', offset: 14 }],
  });
});

t.test('frames, another marker and more ops may follow a marker', async (t) => {
  t.strictSame(mustRead(`${RATE_24K}${opusOp(`ffffffff${frameOf(0, '68')}ffff`)}00ee02`).ops, [
    { kind: 'rate', offset: 8, sampleRateHz: 24000 },
    {
      kind: 'opus',
      offset: 11,
      frames: [
        { kind: 'end', offset: 14 },
        { kind: 'end', offset: 16 },
        { kind: 'frame', offset: 18, sequence: 0, start: 22, bytes: 1, samples: 480 },
        { kind: 'end', offset: 23 },
      ],
    },
    { kind: 'silence', offset: 25, samples: 750, sampleRateHz: 24000 },
  ]);
});

t.test('a DTX frame is a frame of 480 samples with a number', async (t) => {
  t.strictSame(opusFrames(mustRead(RATE_24K + opusOp(frameOf(9, '68')))), [
    { kind: 'frame', offset: 14, sequence: 9, start: 18, bytes: 1, samples: 480 },
  ]);
});

t.test('a frame of length 0 has a number and plays 480 samples', async (t) => {
  t.strictSame(opusFrames(mustRead(RATE_24K + opusOp(`00000900${frameOf(10, '68')}`))), [
    { kind: 'frame', offset: 14, sequence: 9, start: 18, bytes: 0, samples: 480 },
    { kind: 'frame', offset: 18, sequence: 10, start: 22, bytes: 1, samples: 480 },
  ]);
});

t.test('a frame plays what its TOC says', async (t) => {
  const table: [opus: string, samples: number, name: string][] = [
    ['68', 480, 'hybrid, 20 ms, DTX'],
    [`68${'ab'.repeat(80)}`, 480, 'hybrid, 20 ms'],
    ['60', 240, 'hybrid, 10 ms'],
    ['6c', 480, 'stereo'],
    ['18', 1440, 'SILK, 60 ms'],
    ['19', 2880, 'two of 60 ms'],
    ['e0', 60, 'CELT, 2.5 ms'],
    ['e8', 120, 'CELT, 5 ms'],
    ['6b06', 2880, 'six of 20 ms'],
    ['e330', 2880, '48 of 2.5 ms'],
  ];
  for (const [opus, samples, name] of table) {
    t.equal(packetSamples(mustRead(RATE_24K + opusOp(frameOf(0, opus)))), samples, name);
  }
});

t.test('a frame of one Opus frame is at most 1276 bytes', async (t) => {
  t.match(opusFrames(mustRead(RATE_24K + opusOp(frameOf(0, '68'.padEnd(2552, '0'))))), [{ bytes: 1276 }]);
  refused(t, packetOfOps(RATE_24K + opusOp(frameOf(0, '68'.padEnd(2554, '0')))), 'frame-framing', 14);
});

t.test('the reader takes packets longer than a relay does', async (t) => {
  const frame = frameOf(0, '68'.padEnd(2552, '0'));
  const packet = packetOfOps((RATE_24K + opusOp(frame.repeat(10))).repeat(3));
  t.ok(packet.length > 4 * MAX_PACKET_BYTES);
  t.equal(readPacket(packet).kind, 'packet');
});

t.test('a SteamID is an opaque key of 64 bits and none is rejected', async (t) => {
  for (const id of [0n, 1n, 0xffffffffn, 0x0110000100000001n, 0x8000000080000000n, 2n ** 64n - 1n]) {
    const bytes = packetOfOps(RATE_24K);
    new DataView(bytes.buffer).setBigUint64(0, id, true);
    const read = readPacket(sealPacket(bytes));
    if (read.kind === 'malformed') throw new Error(read.detail);
    t.equal(steamIdOf(read), id);
    t.equal(read.steamIdLow, Number(id & 0xffffffffn), 'low half is unsigned');
    t.equal(read.steamIdHigh, Number(id >> 32n), 'high half is unsigned');
  }
});

t.test('the CRC is reported unsigned', async (t) => {
  const bytes = packetOfOps(`${RATE_24K}00ee02`);
  t.equal(mustRead(`${RATE_24K}00ee02`).crc, new DataView(bytes.buffer).getUint32(14, true));
});

t.test('a relay passes up to 8192 bytes', async (t) => {
  // 12 bytes around, 3 of rate, 3 of head: the payload fills the rest.
  const room = MAX_PACKET_BYTES - 18;
  const frames = (bytes: number) => {
    const big = frameOf(0, '68'.padEnd(2552, '0'));
    const last = bytes - 6 * 1280;
    return big.repeat(6) + frameOf(6, '68'.padEnd((last - 4) * 2, '0'));
  };
  const limit = packetOfOps(RATE_24K + opusOp(frames(room)));
  t.equal(limit.length, 8192);
  t.equal(relayFault(readOf(limit), limit.length, MAX_PACKET_BYTES), null);
  const over = packetOfOps(RATE_24K + opusOp(frames(room + 1)));
  t.equal(over.length, 8193);
  t.equal(relayFault(readOf(over), over.length, MAX_PACKET_BYTES), 'too-long');
});

t.test('a relay passes silence, Opus with numbers and rates, and no other op', async (t) => {
  const table: [ops: string, fault: ReturnType<typeof relayFault>][] = [
    [RATE_24K, null],
    ['00ee02', null],
    [opusOp(frameOf(0, '68')), null],
    [opusOp(`${frameOf(0, '68')}ffff`), null],
    ['060000', null],
    ['010000', 'op-foreign'],
    ['020000', 'op-foreign'],
    [`${RATE_24K}03`, 'op-foreign'],
    ['040000', 'op-foreign'],
    ['050000', 'op-foreign'],
    ['0a0000', 'op-foreign'],
    [`${RATE_24K}${opusOp(frameOf(0, '68'))}040000`, 'op-foreign'],
    [opusOp('00000000'), 'frame-empty'],
    [opusOp(`${frameOf(0, '68')}00000100${frameOf(2, '68')}`), 'frame-empty'],
    [RATE_24K + opusOp(frameOf(0, '68')) + RATE_24K + opusOp('00000100'), 'frame-empty'],
    // With both faults, the order of the two checks decides, wherever they are in the packet.
    [`${opusOp('00000000')}0402006162`, 'op-foreign'],
    [`0402006162${opusOp('00000000')}`, 'op-foreign'],
  ];
  for (const [ops, fault] of table) {
    const bytes = packetOfOps(ops);
    t.equal(relayFault(readOf(bytes), bytes.length, MAX_PACKET_BYTES), fault, ops);
  }
});

t.test('a relay does not look at sequences', async (t) => {
  const bytes = packetOfOps(RATE_24K + opusOp(frameOf(9, '68') + frameOf(60000, '68') + frameOf(0, '68')));
  t.equal(relayFault(readOf(bytes), bytes.length, MAX_PACKET_BYTES), null);
});

t.test('the reader leaves the bytes alone and copies nothing', async (t) => {
  const bytes = packetOfOps(`${RATE_24K}${opusOp(`${frameOf(0, '68aa')}ffff`)}00ee02`);
  const before = bytes.slice();
  readPacket(bytes);
  t.strictSame(bytes, before);
});

t.test('a packet may be a view into larger memory', async (t) => {
  const bytes = packetOfOps(RATE_24K + opusOp(frameOf(0, '68')));
  const memory = new Uint8Array(100).fill(0xee);
  memory.set(bytes, 33);
  t.strictSame(readPacket(memory.subarray(33, 33 + bytes.length)), readPacket(bytes));
  t.strictSame(readPacket(Buffer.from(bytes)), readPacket(bytes), 'and a Buffer');
});

t.test('the writer refuses what no reader could read back', async (t) => {
  const dtx = Uint8Array.of(0x68);
  const table: [name: string, room: number, write: (writer: PacketWriter) => void][] = [
    ['a rate that no reader accepts', 64, (writer) => writer.sampleRate(44100)],
    ['a rate of 0', 64, (writer) => writer.sampleRate(0)],
    ['a rate op without room', 14, (writer) => writer.sampleRate(24000)],
    ['65536 samples of silence', 64, (writer) => writer.silence(65536)],
    ['negative silence', 64, (writer) => writer.silence(-1)],
    ['half a sample of silence', 64, (writer) => writer.silence(0.5)],
    ['silence without room', 14, (writer) => writer.silence(1)],
    ['a frame outside a payload', 64, (writer) => writer.frame(0, dtx, 0, 1)],
    ['a marker outside a payload', 64, (writer) => writer.endMarker()],
    ['the end of a payload that is not open', 64, (writer) => writer.endFrames()],
    ['a payload without room', 14, (writer) => closedPayload(writer, () => {})],
    ['a payload in a payload', 64, (writer) => inPayload(writer, () => writer.beginFrames())],
    ['a rate in a payload', 64, (writer) => inPayload(writer, () => writer.sampleRate(24000))],
    ['silence in a payload', 64, (writer) => inPayload(writer, () => writer.silence(1))],
    ['a foreign op in a payload', 64, (writer) => inPayload(writer, () => writer.foreign(4, dtx))],
    ['a packet with a payload open', 64, (writer) => writer.beginFrames()],
    ['a frame without room', 19, (writer) => closedPayload(writer, () => writer.frame(0, dtx, 0, 1))],
    ['a marker without room', 16, (writer) => closedPayload(writer, () => writer.endMarker())],
    [
      'a frame of 65535 bytes, which reads as a marker',
      70_000,
      (writer) => closedPayload(writer, () => writer.frame(0, new Uint8Array(65535), 0, 65535)),
    ],
    [
      'more bytes of a frame than there are',
      64,
      (writer) => closedPayload(writer, () => writer.frame(0, dtx, 0, 2)),
    ],
    [
      'a frame that starts behind its bytes',
      64,
      (writer) => closedPayload(writer, () => writer.frame(0, dtx, 2, 0)),
    ],
    [
      'a payload of more than 65535 bytes',
      100_000,
      (writer) => {
        const opus = new Uint8Array(1276).fill(0x68);
        writer.beginFrames();
        for (let sequence = 0; sequence < 60; sequence += 1) writer.frame(sequence, opus, 0, opus.length);
        writer.endFrames();
      },
    ],
    ['a frame of -1 bytes', 64, (writer) => closedPayload(writer, () => writer.frame(0, dtx, 0, -1))],
    ['a frame of half a byte', 64, (writer) => closedPayload(writer, () => writer.frame(0, dtx, 0, 0.5))],
    [
      'a frame of NaN bytes',
      64,
      (writer) => closedPayload(writer, () => writer.frame(0, dtx, 0, Number.NaN)),
    ],
    [
      'a frame that starts before its bytes',
      64,
      (writer) => closedPayload(writer, () => writer.frame(0, dtx, -1, 1)),
    ],
    ['an op that is not foreign', 64, (writer) => writer.foreign(0x0b, dtx)],
    ['an op that nobody knows', 64, (writer) => writer.foreign(0x07, dtx)],
    ['0x0A of 1 byte', 64, (writer) => writer.foreign(0x0a, dtx)],
    ['0x0A of 3 bytes', 64, (writer) => writer.foreign(0x0a, new Uint8Array(3))],
    ['0x04 of 65536 bytes', 100_000, (writer) => writer.foreign(0x04, new Uint8Array(65536))],
    ['0x04 without room', 16, (writer) => writer.foreign(0x04, new Uint8Array(2))],
    ['a packet without ops', 64, () => {}],
  ];
  for (const [name, room, write] of table) {
    const writer = new PacketWriter();
    const writePacket = () => {
      writer.begin(new Uint8Array(room), 1, 0x01100001);
      write(writer);
      writer.finish();
    };
    t.throws(writePacket, RangeError, name);
  }
  t.throws(
    () => new PacketWriter().begin(new Uint8Array(7), 1, 1),
    RangeError,
    'a target too small for a SteamID',
  );
  t.throws(() => new PacketWriter().sampleRate(24000), RangeError, 'an op before begin');
});

t.test('the writer lets go of its target when the packet is finished', async (t) => {
  const target = new Uint8Array(64);
  const writer = new PacketWriter();
  writer.begin(target, 1, 0x01100001);
  writer.sampleRate(24000);
  writer.finish();
  const before = target.slice();
  t.throws(() => writer.silence(750), RangeError, 'an op behind the CRC');
  t.strictSame(target, before, 'memory that is somebody else’s by now');
});

t.test('the writer fills a target to its last byte and touches nothing behind the packet', async (t) => {
  const target = new Uint8Array(24).fill(0xee);
  const writer = new PacketWriter();
  writer.begin(target.subarray(0, 23), 1, 0x01100001);
  writer.sampleRate(24000);
  writer.beginFrames();
  writer.frame(5, Uint8Array.of(0, 0x68, 0), 1, 1);
  writer.endFrames();
  const packet = writer.finish();
  t.equal(packet.buffer, target.buffer, 'a view of the target');
  t.strictSame(packet, packetOfOps(RATE_24K + opusOp(frameOf(5, '68'))));
  t.equal(target[23], 0xee);
});

t.test('the writer can be used again, also after it refused', async (t) => {
  const writer = new PacketWriter();
  const target = new Uint8Array(64);
  writer.begin(target, 9, 9);
  writer.beginFrames();
  t.throws(() => writer.finish(), RangeError);
  writer.begin(target, 1, 0x01100001);
  writer.sampleRate(24000);
  writer.silence(750);
  t.strictSame(writer.finish(), packetOfOps(`${RATE_24K}00ee02`));
});

t.test('the writer writes every foreign op as readers walk past it', async (t) => {
  const data = bytesOfHex('abcd');
  for (const [op, written] of [
    [0x01, '010200abcd'],
    [0x02, '020200abcd'],
    [0x03, '03abcd'],
    [0x04, '040200abcd'],
    [0x05, '050200abcd'],
    [0x0a, '0aabcd'],
  ] as const) {
    const writer = new PacketWriter();
    writer.begin(new Uint8Array(64), 1, 0x01100001);
    writer.foreign(op, data);
    t.strictSame(writer.finish(), packetOfOps(written), `op ${op}`);
  }
});

function inPayload(writer: PacketWriter, write: () => void): void {
  writer.beginFrames();
  write();
}

function closedPayload(writer: PacketWriter, write: () => void): void {
  writer.beginFrames();
  write();
  writer.endFrames();
}

/** Holds that `bytes` are malformed for `reason`, at `offset` unless that is null. */
function refused(
  t: Test,
  bytes: Uint8Array,
  reason: PacketFault,
  offset: number | null,
  name: string = reason,
) {
  const read = readPacket(bytes);
  if (read.kind === 'packet') throw new Error(`${name}: was read`);
  t.equal(read.reason, reason, name);
  if (offset !== null) t.equal(read.offset, offset, `${name}: where`);
  return read;
}

function mustRead(ops: string): Packet {
  return readOf(packetOfOps(ops));
}

function readOf(bytes: Uint8Array): Packet {
  const packet = readPacket(bytes);
  if (packet.kind === 'malformed') throw new Error(`cannot read: ${packet.reason}, ${packet.detail}`);
  return packet;
}
