/** Our voice frame: golden bytes of the header, its faults, and what the relay may write. */

import fc from 'fast-check';
import t from 'tap';
import {
  MAX_VOICE_FRAME_BYTES,
  MIN_VOICE_FRAME_BYTES,
  packetOf,
  readVoiceHeader,
  stampVoiceFrame,
  Target,
  WIRE_HEADER_BYTES,
  WIRE_VERSION,
  WireFlag,
  writeVoiceFrame,
} from '../../voice/wire.js';
import { SILENCE_PACKET, TWO_GROUPS_OF_DTX } from '../kit/golden_packets.js';
import { bytesOfHex, hexOfBytes } from '../kit/hex.js';
import { SEED } from '../kit/random.js';

const FIELDS = { marker: true, terminator: false, target: 0, sequence: 0x1234, timestamp: 0x89abcdef };

t.test('the numbers of the wire', async (t) => {
  t.equal(WIRE_VERSION, 1);
  t.equal(WIRE_HEADER_BYTES, 16);
  t.equal(MIN_VOICE_FRAME_BYTES, 16 + 15);
  t.equal(MAX_VOICE_FRAME_BYTES, 16 + 8192);
  t.strictSame(WireFlag, { marker: 1, terminator: 2, acknowledge: 4, opaque: 8 });
  t.strictSame(Target, { lobby: 0, whisper: 255 });
});

t.test('a frame leaves the speaker byte for byte so, the relay’s fields zero', async (t) => {
  t.equal(
    hexOfBytes(writeVoiceFrame(FIELDS, SILENCE_PACKET)),
    `1100 3412 efcdab89 0000 0000 00000000 ${hexOfBytes(SILENCE_PACKET)}`.replaceAll(' ', ''),
  );
});

t.test('each flag has its bit', async (t) => {
  const first = (marker: boolean, terminator: boolean) =>
    writeVoiceFrame({ ...FIELDS, marker, terminator }, SILENCE_PACKET)[0];
  t.equal(first(false, false), 0x10);
  t.equal(first(true, false), 0x11);
  t.equal(first(false, true), 0x12);
  t.equal(first(true, true), 0x13);
});

t.test('a frame as it leaves the relay is read field by field', async (t) => {
  const frame = bytesOfHex(`1607 feff 00000080 3412 0102 efcdab89 ${hexOfBytes(SILENCE_PACKET)}`);
  t.strictSame(readVoiceHeader(frame), {
    kind: 'header',
    marker: false,
    terminator: true,
    acknowledge: true,
    opaque: false,
    target: 7,
    sequence: 0xfffe,
    timestamp: 0x80000000,
    slot: 0x1234,
    relaySequence: 0x0201,
    relayTimeMs: 0x89abcdef,
  });
});

t.test('the packet behind the header is a view of the frame, unchanged', async (t) => {
  const frame = writeVoiceFrame(FIELDS, TWO_GROUPS_OF_DTX);
  t.strictSame(packetOf(frame), TWO_GROUPS_OF_DTX);
  t.equal(packetOf(frame).buffer, frame.buffer);
});

t.test('a frame is made of new bytes', async (t) => {
  const packet = TWO_GROUPS_OF_DTX.slice();
  const frame = writeVoiceFrame(FIELDS, packet);
  packet.fill(0);
  t.strictSame(packetOf(frame), TWO_GROUPS_OF_DTX);
});

t.test('a frame is refused for its length or its version', async (t) => {
  const frameOf = (bytes: number, first = 0x10) => {
    const frame = new Uint8Array(bytes);
    if (bytes > 0) frame[0] = first;
    return frame;
  };
  for (const bytes of [0, 1, 15, 16, 30]) {
    t.match(readVoiceHeader(frameOf(bytes)), { kind: 'malformed', reason: 'too-short' }, `${bytes} bytes`);
  }
  t.match(readVoiceHeader(frameOf(31)), { kind: 'header' });
  t.match(readVoiceHeader(frameOf(16 + 8192)), { kind: 'header' });
  t.match(readVoiceHeader(frameOf(16 + 8193)), { kind: 'malformed', reason: 'too-long' });
  for (let version = 0; version < 16; version += 1) {
    if (version === 1) continue;
    const read = readVoiceHeader(frameOf(31, (version << 4) | 0xf));
    t.match(read, { kind: 'malformed', reason: 'version-unknown', detail: /\d/ }, `version ${version}`);
  }
});

t.test('the flag opaque is written 0, read, and kept by the relay', async (t) => {
  const frame = writeVoiceFrame(FIELDS, SILENCE_PACKET);
  t.equal(frame[0]! & 0x08, 0);
  t.match(readVoiceHeader(frame), { opaque: false });
  frame[0]! |= 0x08;
  stampVoiceFrame(frame, { slot: 1, relaySequence: 2, relayTimeMs: 3, acknowledge: false });
  t.match(readVoiceHeader(frame), { opaque: true, acknowledge: false, slot: 1 });
});

t.test('every target is read: what is not assigned is for the relay to judge', async (t) => {
  for (const target of [0, 1, 255]) {
    const read = readVoiceHeader(writeVoiceFrame({ ...FIELDS, target }, SILENCE_PACKET));
    t.match(read, { kind: 'header', target });
  }
});

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const speakerFields = fc.record({
  marker: fc.boolean(),
  terminator: fc.boolean(),
  target: fc.integer({ min: 0, max: 255 }),
  sequence: u16,
  timestamp: u32,
});
const relayFields = fc.record({ slot: u16, relaySequence: u16, relayTimeMs: u32, acknowledge: fc.boolean() });
const packets = fc.uint8Array({ minLength: 15, maxLength: 100 });

t.test('whatever the speaker and the relay write is read back', async (t) => {
  t.comment(`seed ${SEED}`);
  fc.assert(
    fc.property(speakerFields, relayFields, packets, (speaker, relay, packet) => {
      const frame = writeVoiceFrame(speaker, packet);
      t.strictSame(readVoiceHeader(frame), {
        kind: 'header',
        ...speaker,
        slot: 0,
        relaySequence: 0,
        relayTimeMs: 0,
        acknowledge: false,
        opaque: false,
      });
      stampVoiceFrame(frame, relay);
      t.strictSame(readVoiceHeader(frame), { kind: 'header', ...speaker, ...relay, opaque: false });
      t.strictSame(packetOf(frame), packet);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

t.test('stamping overwrites the relay’s fields and nothing else', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 31, maxLength: 60 }), relayFields, (frame, relay) => {
      const before = frame.slice();
      stampVoiceFrame(frame, relay);
      const changed = frame.map((byte, at) => byte ^ before[at]!);
      // Bytes 8 to 15 and the acknowledge flag are the relay's.
      changed.fill(0, 8, 16);
      changed[0]! &= ~WireFlag.acknowledge;
      t.ok(
        changed.every((byte) => byte === 0),
        'what the speaker wrote',
      );
      t.equal((frame[0]! & WireFlag.acknowledge) !== 0, relay.acknowledge, 'the flag, set or cleared');
      const view = new DataView(frame.buffer, frame.byteOffset);
      t.equal(view.getUint16(8, true), relay.slot);
      t.equal(view.getUint16(10, true), relay.relaySequence);
      t.equal(view.getUint32(12, true), relay.relayTimeMs);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

t.test('no bytes whatever make the header’s reader throw', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const read = readVoiceHeader(bytes);
      const isFrame = bytes.length >= 31 && bytes[0]! >> 4 === 1;
      return (read.kind === 'header') === isFrame;
    }),
    { seed: SEED, numRuns: 10_000 },
  );
});
