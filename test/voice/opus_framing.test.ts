/** RFC 6716 section 3, by table and against a plain second implementation. */

import fc from 'fast-check';
import t from 'tap';
import { MAX_OPUS_FRAME_BYTES, opusPacketSamples48k } from '../../voice/opus_framing.js';
import { referenceSamples48k } from '../kit/opus/reference_opus.js';
import { SEED, SeededRandom } from '../kit/random.js';

/** Table 2 of the RFC: a frame of each configuration, in samples at 48 kHz. */
const SAMPLES_OF_CONFIG = [
  ...[480, 960, 1920, 2880], // 0: SILK, narrowband
  ...[480, 960, 1920, 2880], // 4: SILK, medium band
  ...[480, 960, 1920, 2880], // 8: SILK, wideband
  ...[480, 960], // 12: hybrid, super-wideband
  ...[480, 960], // 14: hybrid, fullband
  ...[120, 240, 480, 960], // 16: CELT, narrowband
  ...[120, 240, 480, 960], // 20: CELT, wideband
  ...[120, 240, 480, 960], // 24: CELT, super-wideband
  ...[120, 240, 480, 960], // 28: CELT, fullband
];

const HYBRID_20_MS = 13;

t.test('each of the 32 configurations has its length, mono and stereo', async (t) => {
  t.equal(SAMPLES_OF_CONFIG.length, 32);
  for (const [config, samples] of SAMPLES_OF_CONFIG.entries()) {
    t.equal(samplesOf([toc(config, 0)]), samples, `config ${config}, mono`);
    t.equal(samplesOf([toc(config, 0) | 4]), samples, `config ${config}, stereo`);
    t.equal(samplesOf([toc(config, 1)]), 2 * samples, `config ${config}, two frames`);
    t.equal(samplesOf([toc(config, 2), 0]), 2 * samples, `config ${config}, two frames of two sizes`);
    t.equal(samplesOf([toc(config, 3), 1]), samples, `config ${config}, one counted frame`);
  }
});

t.test('the TOC of Steam plays 20 ms', async (t) => {
  t.equal(samplesOf([0x68]), 960);
});

t.test('a packet of no bytes is broken', async (t) => {
  t.equal(samplesOf([]), 0);
});

t.test('the limit of a frame is 1275 bytes in every code', async (t) => {
  t.equal(MAX_OPUS_FRAME_BYTES, 1275);
  const size1275 = [255, 255];
  const table: [name: string, head: number[], bytes: number, samples: number][] = [
    ['code 0 of 1275', [toc(HYBRID_20_MS, 0)], 1275, 960],
    ['code 0 of 1276', [toc(HYBRID_20_MS, 0)], 1276, 0],
    ['code 1 of twice 1275', [toc(HYBRID_20_MS, 1)], 2550, 1920],
    ['code 1 of twice 1276', [toc(HYBRID_20_MS, 1)], 2552, 0],
    ['code 2, first 1275, second 1275', [toc(HYBRID_20_MS, 2), ...size1275], 2550, 1920],
    ['code 2, first 1275, second 1276', [toc(HYBRID_20_MS, 2), ...size1275], 2551, 0],
    ['code 2, first 0, second 1275', [toc(HYBRID_20_MS, 2), 0], 1275, 1920],
    ['code 2, first 0, second 1276', [toc(HYBRID_20_MS, 2), 0], 1276, 0],
    ['code 3 CBR, 3 of 1275', [toc(HYBRID_20_MS, 3), 3], 3825, 2880],
    ['code 3 CBR, 3 of 1276', [toc(HYBRID_20_MS, 3), 3], 3828, 0],
    ['code 3 VBR, 1275 and 1275', [toc(HYBRID_20_MS, 3), 0x82, ...size1275], 2550, 1920],
    ['code 3 VBR, 1275 and 1276', [toc(HYBRID_20_MS, 3), 0x82, ...size1275], 2551, 0],
    ['code 3 VBR, one of 1275', [toc(HYBRID_20_MS, 3), 0x81], 1275, 960],
    ['code 3 VBR, one of 1276', [toc(HYBRID_20_MS, 3), 0x81], 1276, 0],
  ];
  for (const [name, head, bytes, samples] of table) t.equal(samplesOf(head, bytes), samples, name);
});

t.test('code 1 needs an even number of bytes', async (t) => {
  t.equal(samplesOf([0x69], 2), 1920);
  t.equal(samplesOf([0x69], 1), 0);
  t.equal(samplesOf([0x69], 3), 0);
});

t.test('code 2 needs a whole length that does not pass the end', async (t) => {
  t.equal(samplesOf([0x6a]), 0, 'no length');
  t.equal(samplesOf([0x6a, 252]), 0, 'half a length');
  t.equal(samplesOf([0x6a, 5], 5), 1920, 'the second frame empty');
  t.equal(samplesOf([0x6a, 6], 5), 0, 'one byte past the end');
  t.equal(samplesOf([0x6a, 251], 251), 1920, 'the longest length of one byte');
  t.equal(samplesOf([0x6a, 252, 0], 252), 1920, 'the shortest length of two');
  t.equal(samplesOf([0x6a, 252, 0], 251), 0, 'which has to be there in full');
  t.equal(samplesOf([0x6a, 253, 1], 257), 1920, '253 + 4 × 1');
  t.equal(samplesOf([0x6a, 253, 1], 256), 0);
});

t.test('code 3 needs a count of 1 to 120 ms', async (t) => {
  t.equal(samplesOf([0x6b]), 0, 'no count');
  t.equal(samplesOf([0x6b, 0]), 0, 'a count of 0');
  for (const [config, samples] of SAMPLES_OF_CONFIG.entries()) {
    const most = 5760 / samples;
    t.equal(samplesOf([toc(config, 3), most]), 5760, `config ${config}: ${most}`);
    t.equal(samplesOf([toc(config, 3), most + 1]), 0, `config ${config}: ${most + 1}`);
  }
});

t.test('code 3 CBR needs a multiple of the count', async (t) => {
  t.equal(samplesOf([0x6b, 3], 9), 2880);
  t.equal(samplesOf([0x6b, 3], 8), 0);
  t.equal(samplesOf([0x6b, 3], 10), 0);
});

t.test('code 3 VBR has a length for each frame but the last', async (t) => {
  t.equal(samplesOf([0x6b, 0x83, 1, 2], 3), 2880, 'the last frame empty');
  t.equal(samplesOf([0x6b, 0x83, 1, 2], 40), 2880);
  t.equal(samplesOf([0x6b, 0x83, 1, 2], 2), 0, 'a byte short');
  t.equal(samplesOf([0x6b, 0x83, 1]), 0, 'a length missing');
  t.equal(samplesOf([0x6b, 0x83, 0, 252]), 0, 'half a length');
});

t.test('padding is counted with its own bytes and taken off the end', async (t) => {
  t.equal(samplesOf([0x6b, 0x41, 0]), 960, 'none');
  t.equal(samplesOf([0x6b, 0x41, 5], 5), 960, 'five, and an empty frame');
  t.equal(samplesOf([0x6b, 0x41, 5], 4), 0, 'five that are four');
  t.equal(samplesOf([0x6b, 0x41]), 0, 'no count of padding');
  t.equal(samplesOf([0x6b, 0x41, 255]), 0, 'a count that goes on and ends');
  t.equal(samplesOf([0x6b, 0x41, 255, 0], 254), 960, '255 is 254 and more to come');
  t.equal(samplesOf([0x6b, 0x41, 255, 0], 253), 0);
  t.equal(samplesOf([0x6b, 0x41, 255, 255, 3], 511), 960, '254 + 254 + 3');
  t.equal(samplesOf([0x6b, 0x41, 255, 255, 3], 510), 0);
  t.equal(samplesOf([0x6b, 0x43, 2], 11), 2880, 'CBR: nine bytes and two of padding');
  t.equal(samplesOf([0x6b, 0x43, 2], 12), 0, 'CBR: ten bytes and two of padding');
  t.equal(samplesOf([0x6b, 0xc2, 2, 1], 3), 1920, 'VBR: an empty last frame and two of padding');
  t.equal(samplesOf([0x6b, 0xc2, 2, 1], 2), 0, 'VBR: no room for the first frame');
  t.equal(samplesOf([0x6b, 0x41, 254], 254 + 1275), 960, 'padding does not count to the 1275');
  t.equal(samplesOf([0x6b, 0x41, 254], 254 + 1276), 0);
});

t.test('a packet in the middle of memory is judged by its own bytes', async (t) => {
  const memory = new Uint8Array(40).fill(0x6a);
  memory.set([0x6a, 2, 0, 0, 0], 10);
  t.equal(opusPacketSamples48k(memory, 10, 15), 1920);
  t.equal(opusPacketSamples48k(memory, 10, 13), 0, 'the end is the end');
  t.equal(opusPacketSamples48k(memory, 10, 11), 0);
  t.equal(opusPacketSamples48k(memory, 10, 10), 0);
});

t.test('every packet of one and of two bytes is judged as the RFC says', async (t) => {
  const bytes = new Uint8Array(2);
  for (let value = 0; value < 65536; value += 1) {
    bytes[0] = value >> 8;
    bytes[1] = value;
    if (opusPacketSamples48k(bytes, 0, 2) !== referenceSamples48k(bytes)) t.fail(`${bytes[0]}, ${bytes[1]}`);
    const one = bytes.subarray(0, 1);
    if (opusPacketSamples48k(one, 0, 1) !== referenceSamples48k(one)) t.fail(`${bytes[0]}`);
  }
});

t.test('every count byte with every short rest is judged as the RFC says', async (t) => {
  for (const config of [3, 12, 13, 16, 31]) {
    for (let count = 0; count < 256; count += 1) {
      for (const fill of [0, 1, 3, 255]) {
        for (let length = 0; length < 24; length += 1) {
          const bytes = new Uint8Array(2 + length).fill(fill);
          bytes[0] = toc(config, 3);
          bytes[1] = count;
          const wanted = referenceSamples48k(bytes);
          if (opusPacketSamples48k(bytes, 0, bytes.length) !== wanted) {
            t.fail(`config ${config}, count byte ${count}, ${length} bytes of ${fill}: expected ${wanted}`);
          }
        }
      }
    }
  }
});

t.test('any bytes are judged as the RFC says', async (t) => {
  t.comment(`seed ${SEED}`);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 4 }), (bytes, around) =>
      agrees(bytes, around),
    ),
    { seed: SEED, numRuns: 20_000 },
  );
});

t.test('packets built to the RFC, and packets nearly so, are judged as the RFC says', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  let whole = 0;
  for (let run = 0; run < 20_000; run += 1) {
    const bytes = buildPacket(random);
    if (random.below(4) === 0 && bytes.length > 0)
      bytes[random.below(Math.min(bytes.length, 6))] = random.next();
    const cut = random.below(4) === 0 ? random.below(bytes.length + 1) : bytes.length;
    const packet = bytes.subarray(0, cut);
    if (!agrees(packet, random.bytes(3))) t.fail(`run ${run}: ${Buffer.from(packet).toString('hex')}`);
    if (referenceSamples48k(packet) > 0) whole += 1;
  }
  t.ok(whole > 5000, `${whole} of them were whole`);
  t.ok(whole < 19_000, `${20_000 - whole} were not`);
});

/** Both implementations agree on `bytes`, in separate memory and between `around`. */
function agrees(bytes: Uint8Array, around: Uint8Array): boolean {
  const wanted = referenceSamples48k(bytes);
  const memory = new Uint8Array(around.length * 2 + bytes.length);
  memory.set(around);
  memory.set(bytes, around.length);
  memory.set(around, around.length + bytes.length);
  const end = around.length + bytes.length;
  return (
    opusPacketSamples48k(bytes, 0, bytes.length) === wanted &&
    opusPacketSamples48k(memory, around.length, end) === wanted
  );
}

/** A packet of random code and sizes, most of them right. */
function buildPacket(random: SeededRandom): Uint8Array {
  const code = random.below(4);
  const size = () => (random.below(8) === 0 ? random.below(1300) : random.below(20));
  const lengthOf = (bytes: number) => (bytes < 252 ? [bytes] : [252 + (bytes & 3), (bytes - 252) >> 2]);
  const head = [(random.below(64) << 2) | code];
  if (code === 0) return packetOf(head, size());
  if (code === 1) return packetOf(head, 2 * size());
  if (code === 2) {
    const first = size();
    return packetOf([...head, ...lengthOf(first)], first + size());
  }
  const count = random.below(3) === 0 ? random.below(64) : 1 + random.below(4);
  const isVbr = random.below(2) === 1;
  const padding = random.below(2) === 0 ? null : random.below(600);
  head.push(count | (isVbr ? 0x80 : 0) | (padding === null ? 0 : 0x40));
  if (padding !== null) {
    // n bytes of 255 stand for 254 each; the padding itself comes last.
    for (let left = padding; ; left -= 254) {
      head.push(left > 254 ? 255 : left);
      if (left <= 254) break;
    }
  }
  if (!isVbr) return packetOf(head, count * size() + (padding ?? 0));
  let total = size();
  for (let frame = 1; frame < count; frame += 1) {
    const bytes = size();
    head.push(...lengthOf(bytes));
    total += bytes;
  }
  return packetOf(head, total + (padding ?? 0));
}

function packetOf(head: number[], rest: number): Uint8Array {
  const bytes = new Uint8Array(head.length + rest);
  bytes.set(head);
  return bytes;
}

function toc(config: number, code: number): number {
  return (config << 3) | code;
}

function samplesOf(head: number[], rest = 0): number {
  const bytes = packetOf(head, rest);
  return opusPacketSamples48k(bytes, 0, bytes.length);
}
