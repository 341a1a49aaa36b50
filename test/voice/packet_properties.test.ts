/**
 * Properties of reader and writer: what is written is read back, and no bytes whatever make the reader throw, hang, look
 * outside its packet or judge otherwise than the format says.
 *
 * A hang would end at the runner's limit of time. Reads out of bounds show as an answer that depends on the surroundings.
 */

import fc from 'fast-check';
import t from 'tap';
import {
  type MalformedPacket,
  opusFrames,
  type Packet,
  type PacketOp,
  packetSamples,
  readPacket,
  relayFault,
  silenceSamples,
} from '../../voice/packet.js';
import { PacketWriter } from '../../voice/packet_writer.js';
import { RelayCheck } from '../../voice/relay_check.js';
import { goldenPackets } from '../kit/golden_packets.js';
import { hexOfBytes } from '../kit/hex.js';
import { configSamples48k } from '../kit/opus/reference_opus.js';
import { SEED, SeededRandom } from '../kit/random.js';
import { sealPacket } from '../kit/raw_packet.js';
import { verdictOf } from '../kit/reference_packet.js';

/** What a test writes: the ops of a packet, without their positions. */
type WantedOp =
  | { kind: 'rate'; sampleRateHz: number }
  | { kind: 'silence'; samples: number }
  | { kind: 'foreign'; op: number; data: Uint8Array }
  | { kind: 'opus'; frames: WantedFrame[] };

type WantedFrame = { kind: 'end' } | { kind: 'frame'; sequence: number; opus: Uint8Array };

const check = new RelayCheck();
const RATES_HZ = [8000, 12000, 16000, 24000, 48000];

const u16 = fc.integer({ min: 0, max: 65535 });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** An Opus packet of code 0: any configuration, mono or stereo, mostly short, up to 1275 bytes behind the TOC. */
const opusData = fc
  .tuple(
    fc.integer({ min: 0, max: 63 }),
    fc.oneof(
      { weight: 8, arbitrary: fc.uint8Array({ maxLength: 90 }) },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 0, max: 1275 }).map((bytes) => new Uint8Array(bytes).fill(0xff)),
      },
    ),
  )
  .map(([head, data]) => Uint8Array.of(head << 2, ...data));

const wantedFrame: fc.Arbitrary<WantedFrame> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('frame' as const), sequence: u16, opus: opusData }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('frame' as const),
      sequence: u16,
      opus: fc.constantFrom(new Uint8Array(0), Uint8Array.of(0x68)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
);

const wantedOp: fc.Arbitrary<WantedOp> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('opus' as const),
      frames: fc.array(wantedFrame, { maxLength: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('rate' as const),
      sampleRateHz: fc.constantFrom(...RATES_HZ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('silence' as const), samples: u16 }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('foreign' as const),
      op: fc.constantFrom(1, 2, 4, 5),
      data: fc.uint8Array({ maxLength: 40 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('foreign' as const),
      op: fc.constant(0x0a),
      data: fc.uint8Array({ minLength: 2, maxLength: 2 }),
    }),
  },
);

const wantedPacket = fc.record({
  low: u32,
  high: u32,
  ops: fc.array(wantedOp, { minLength: 1, maxLength: 8 }),
  /** A 0x03 at the end, where it may swallow. */
  tail: fc.option(fc.uint8Array({ maxLength: 30 })),
});

t.test('any packet that is written is read back', async (t) => {
  t.comment(`seed ${SEED}`);
  const writer = new PacketWriter();
  const target = new Uint8Array(80_000);
  fc.assert(
    fc.property(wantedPacket, ({ low, high, ops, tail }) => {
      const wanted: WantedOp[] = tail === null ? ops : [...ops, { kind: 'foreign', op: 3, data: tail }];
      writer.begin(target, low, high);
      for (const op of wanted) write(writer, op);
      const bytes = writer.finish();
      const read = readPacket(bytes);
      if (read.kind === 'malformed') throw new Error(`${read.reason} at ${read.offset}: ${read.detail}`);
      same([read.steamIdLow, read.steamIdHigh], [low, high]);
      same(
        read.ops.map((op) => withoutPlaces(bytes, op)),
        wanted.map(comparable),
      );
      same(packetSamples(read), samplesOf(wanted));
      same(opusFrames(read).length, framesOf(wanted).length);
      const isForeign = wanted.some((op) => op.kind === 'foreign');
      const hasEmpty = framesOf(wanted).some((frame) => frame.opus.length === 0);
      const fault = relayFault(read, bytes.length, bytes.length);
      same(fault !== null, isForeign || hasEmpty);
      same(relayFault(read, bytes.length, bytes.length - 1) !== null, true);
      accountsForEveryByte(bytes, read);
      sameInOnePass(bytes, 3);
    }),
    { seed: SEED, numRuns: 4000 },
  );
});

t.test('random bytes are refused, never more', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  for (let run = 0; run < 10_000; run += 1) {
    const bytes = random.bytes(random.below(64));
    if (run % 2 === 0) bytes.fill(run % 4 === 0 ? 0x00 : 0xff);
    judge(t, bytes, random);
  }
});

t.test('random bytes with a right CRC are judged as the format says', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED + 1);
  const verdicts = new Map<string, number>();
  for (let run = 0; run < 30_000; run += 1) {
    const bytes = random.bytes(15 + random.below(random.below(10) === 0 ? 600 : 40));
    // Small numbers and op bytes are more interesting than noise: most of the bytes become such.
    const crcAt = bytes.length - 4;
    for (let at = 8; at < crcAt; at += 1) {
      if (random.below(4) > 0)
        bytes[at] = [0, 0, 1, 2, 3, 4, 5, 6, 0x0a, 0x0b, 0x68, 0xff][random.below(12)]!;
      if (random.below(6) === 0 && at + 3 <= crcAt) bytes.set([0x0b, 0xc0, 0x5d], at);
    }
    const verdict = judge(t, sealPacket(bytes), random);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  for (const verdict of ['packet', 'op-truncated', 'op-unknown', 'rate-unknown', 'frame-truncated']) {
    t.ok((verdicts.get(verdict) ?? 0) > 50, `${verdict}: ${verdicts.get(verdict)} of them`);
  }
});

t.test('good packets with a few bytes changed are judged as the format says', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED + 2);
  const good = goodPackets();
  const verdicts = new Map<string, number>();
  for (let run = 0; run < 30_000; run += 1) {
    const verdict = judge(t, sealPacket(mutated(good[run % good.length]!, random)), random);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  const wanted = ['packet', 'op-truncated', 'op-unknown', 'rate-unknown', 'frame-truncated', 'frame-framing'];
  for (const verdict of wanted) {
    t.ok((verdicts.get(verdict) ?? 0) > 50, `${verdict}: ${verdicts.get(verdict)} of them`);
  }
});

t.test('every truncation of a good packet is judged as the format says', async (t) => {
  const random = new SeededRandom(SEED + 3);
  for (const good of goodPackets()) {
    for (let length = 0; length < good.length; length += 1) {
      judge(t, good.slice(0, length), random);
      if (length >= 4) judge(t, sealPacket(good.slice(0, length)), random);
      judge(t, good.slice(good.length - length), random);
    }
  }
});

t.test('the time that reading takes is linear: the worst packets of a megabyte are read', async (t) => {
  const fill = (ops: number[]) => {
    const bytes = new Uint8Array(12 + ops.length * Math.floor(2 ** 20 / ops.length));
    for (let at = 8; at < bytes.length - 4; at += ops.length) bytes.set(ops, at);
    // Not the slow CRC of the kit: the writer's own reader finds this one out.
    const wrong = readPacket(bytes);
    const crc =
      wrong.kind === 'malformed' ? /expected (?:0x)?([0-9a-f]{8})/i.exec(wrong.detail)?.[1] : undefined;
    if (crc === undefined) throw new Error('the fault of a CRC names the right one');
    new DataView(bytes.buffer).setUint32(bytes.length - 4, Number.parseInt(crc, 16), true);
    return bytes;
  };
  const rates = readPacket(fill([0x0b, 0xc0, 0x5d]));
  t.equal(rates.kind === 'packet' && rates.ops.length, Math.floor(2 ** 20 / 3));
  const empty = readPacket(fill([0x06, 0x00, 0x00]));
  t.equal(empty.kind === 'packet' && empty.ops.length, Math.floor(2 ** 20 / 3));
  const markers = readPacket(fill([0x06, 0x04, 0x00, 0xff, 0xff, 0xff, 0xff]));
  t.equal(markers.kind === 'packet' && markers.ops.length, Math.floor(2 ** 20 / 7));
});

/** Reads `bytes` alone and between two different surroundings; checks that all agree with the format. */
function judge(t: { fail(name: string): unknown }, bytes: Uint8Array, random: SeededRandom): string {
  const wanted = verdictOf(bytes);
  let read: Packet | MalformedPacket;
  let verdict: string;
  try {
    const before = hexOfBytes(bytes);
    read = readPacket(bytes);
    verdict = read.kind === 'packet' ? 'packet' : read.reason;
    if (verdict !== wanted) t.fail(`${before}: ${verdict}, expected ${wanted}`);
    if (hexOfBytes(bytes) !== before) t.fail(`${before}: changed`);
    if (read.kind === 'packet') accountsForEveryByte(bytes, read);
    else if (read.offset < 0 || read.offset > bytes.length) t.fail(`${before}: fault at ${read.offset}`);
    const alone = JSON.stringify(read);
    const front = random.below(9);
    sameInOnePass(bytes, front);
    const memory = new Uint8Array(front + bytes.length + 9);
    for (const canary of [0x00, 0x68, 0xff]) {
      memory.fill(canary);
      memory.set(bytes, front);
      const between = readPacket(memory.subarray(front, front + bytes.length));
      if (JSON.stringify(between) !== alone) t.fail(`${before}: depends on what surrounds it (${canary})`);
    }
  } catch (thrown) {
    t.fail(`${hexOfBytes(bytes)}: threw ${String(thrown)}`);
    return 'threw';
  }
  return verdict;
}

/** The relay's one pass over the packet, with so many bytes before it, comes to what the list of its ops says. */
function sameInOnePass(bytes: Uint8Array, front: number): void {
  const memory = new Uint8Array(front + bytes.length + 9).fill(0x68);
  memory.set(bytes, front);
  const read = readPacket(bytes);
  for (const most of [bytes.length, bytes.length - 1]) {
    const fault = check.faultIn(memory, front, front + bytes.length, most);
    same(fault, read.kind === 'packet' ? relayFault(read, bytes.length, most) : read.reason, 'the fault');
    if (read.kind === 'packet') same(check.samples, packetSamples(read), 'its samples');
  }
}

/** Holds that the ops of `packet` cover its bytes without a hole or an overlap. */
function accountsForEveryByte(bytes: Uint8Array, packet: Packet): void {
  let at = 8;
  for (const op of packet.ops) {
    same(op.offset, at, 'an op begins where the one before it ended');
    if (op.kind === 'foreign') {
      at = op.start + op.bytes;
      continue;
    }
    at += 3;
    if (op.kind !== 'opus') continue;
    const end = at + bytes[at - 2]! + bytes[at - 1]! * 256;
    for (const frame of op.frames) {
      same(frame.offset, at, 'a frame begins where the one before it ended');
      if (frame.kind === 'frame') same(frame.start, at + 4, 'its data behind length and sequence');
      at = frame.kind === 'frame' ? frame.start + frame.bytes : at + 2;
    }
    same(at, end, 'the last frame ends with its payload');
  }
  same(at, bytes.length - 4, 'the last op ends where the CRC begins');
}

/** The real endings, and one packet of everything. */
function goodPackets(): Uint8Array[] {
  const writer = new PacketWriter();
  writer.begin(new Uint8Array(1000), 77, 0x01100001);
  const voice = Uint8Array.of(0x68, ...new SeededRandom(SEED).bytes(40));
  const counted = Uint8Array.of(0x6b, 0xc3, 2, 1, 2, 10, 11, 12, 13, 14, 15, 0, 0);
  const ops: WantedOp[] = [
    { kind: 'rate', sampleRateHz: 24000 },
    {
      kind: 'opus',
      frames: [
        { kind: 'frame', sequence: 65535, opus: voice },
        { kind: 'frame', sequence: 0, opus: counted },
        { kind: 'frame', sequence: 1, opus: Uint8Array.of(0x69, 1, 2, 3, 4) },
      ],
    },
    { kind: 'silence', samples: 480 },
    { kind: 'foreign', op: 4, data: Uint8Array.of(1, 2, 3) },
    { kind: 'rate', sampleRateHz: 48000 },
    {
      kind: 'opus',
      frames: [{ kind: 'frame', sequence: 2, opus: Uint8Array.of(0x6a, 1, 9, 9) }, { kind: 'end' }],
    },
    { kind: 'foreign', op: 0x0a, data: Uint8Array.of(6, 6) },
  ];
  for (const op of ops) write(writer, op);
  return [...Object.values(goldenPackets), writer.finish()];
}

/** A copy of `good` with one to four changes: bytes set, bits flipped, bytes taken out or put in. */
function mutated(good: Uint8Array, random: SeededRandom): Uint8Array {
  const bytes = [...good.subarray(0, -4)];
  for (let change = random.below(4); change >= 0; change -= 1) {
    const at = 8 + random.below(bytes.length - 8);
    const kind = random.below(5);
    if (kind === 0) bytes[at] = random.below(256);
    if (kind === 1) bytes[at]! ^= 1 << random.below(8);
    if (kind === 2 && bytes.length > 12) bytes.splice(at, 1 + random.below(3));
    if (kind === 3) bytes.splice(at, 0, ...random.bytes(1 + random.below(3)));
    if (kind === 4) bytes[at] = [0x00, 0x01, 0x03, 0x06, 0x0b, 0xff][random.below(6)]!;
  }
  return Uint8Array.of(...bytes, 0, 0, 0, 0);
}

function write(writer: PacketWriter, op: WantedOp): void {
  if (op.kind === 'rate') writer.sampleRate(op.sampleRateHz);
  if (op.kind === 'silence') writer.silence(op.samples);
  if (op.kind === 'foreign') writer.foreign(op.op, op.data);
  if (op.kind !== 'opus') return;
  writer.beginFrames();
  for (const frame of op.frames) {
    if (frame.kind === 'end') writer.endMarker();
    else writer.frame(frame.sequence, frame.opus, 0, frame.opus.length);
  }
  writer.endFrames();
}

/** A wanted op in a form that compares. */
function comparable(op: WantedOp): unknown {
  if (op.kind === 'foreign') return { ...op, data: hexOfBytes(op.data) };
  if (op.kind !== 'opus') return op;
  return {
    kind: 'opus',
    frames: op.frames.map((frame) =>
      frame.kind === 'end' ? frame : { ...frame, opus: hexOfBytes(frame.opus) },
    ),
  };
}

/** What was read, in the same form. */
function withoutPlaces(bytes: Uint8Array, op: PacketOp): unknown {
  const data = (start: number, length: number) => hexOfBytes(bytes.subarray(start, start + length));
  if (op.kind === 'rate') return { kind: 'rate', sampleRateHz: op.sampleRateHz };
  if (op.kind === 'silence') return { kind: 'silence', samples: op.samples };
  if (op.kind === 'foreign') return { kind: 'foreign', op: op.op, data: data(op.start, op.bytes) };
  return {
    kind: 'opus',
    frames: op.frames.map((frame) =>
      frame.kind === 'end'
        ? { kind: 'end' }
        : { kind: 'frame', sequence: frame.sequence, opus: data(frame.start, frame.bytes) },
    ),
  };
}

function framesOf(ops: readonly WantedOp[]) {
  return ops.flatMap((op) =>
    op.kind === 'opus' ? op.frames.flatMap((frame) => (frame.kind === 'frame' ? [frame] : [])) : [],
  );
}

function samplesOf(ops: readonly WantedOp[]): number {
  let rate = 24000;
  let silence = 0;
  for (const op of ops) {
    if (op.kind === 'rate') rate = op.sampleRateHz;
    if (op.kind === 'silence') silence += silenceSamples(op.samples, rate);
  }
  const played = framesOf(ops).map(({ opus }) =>
    opus.length === 0 ? 480 : configSamples48k(opus[0]! >> 3) / 2,
  );
  return played.reduce((sum, samples) => sum + samples, silence);
}

/** Equality that throws, for use inside of properties and of loops too long for an assertion each. */
function same(got: unknown, wanted: unknown, name = 'what was read'): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) {
    throw new Error(`${name}: ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`);
  }
}
