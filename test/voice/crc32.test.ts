/** CRC-32/ISO-HDLC against published values and against the bit-by-bit definition. */

import fc from 'fast-check';
import t from 'tap';
import { crc32 } from '../../voice/crc32.js';
import { SEED } from '../kit/random.js';
import { crc32BitByBit } from '../kit/raw_packet.js';

t.test('the published values come out', async (t) => {
  const table: [name: string, bytes: Uint8Array, crc: number][] = [
    ['nothing', new Uint8Array(0), 0],
    ['the check value of ISO-HDLC', Buffer.from('123456789'), 0xcbf43926],
    ['a', Buffer.from('a'), 0xe8b7be43],
    ['the fox', Buffer.from('The quick brown fox jumps over the lazy dog'), 0x414fa339],
    ['32 bytes of 0x00', new Uint8Array(32), 0x190a55ad],
    ['32 bytes of 0xFF', new Uint8Array(32).fill(0xff), 0xff6cab0b],
  ];
  for (const [name, bytes, crc] of table) t.equal(crc32(bytes), crc, name);
});

t.test('a range is taken from start up to end', async (t) => {
  const bytes = Buffer.from('xx123456789yy');
  t.equal(crc32(bytes, 2, 11), 0xcbf43926);
  t.equal(crc32(bytes.subarray(2, 11)), 0xcbf43926, 'as a view');
  t.equal(crc32(bytes.subarray(2), 0, 9), 0xcbf43926, 'as a range of a view');
  t.equal(crc32(Buffer.from('xx123456789'), 2), 0xcbf43926, 'to the end');
  t.equal(crc32(bytes, 5, 5), 0, 'an empty range');
});

t.test('each length comes out, from each place in a buffer', async (t) => {
  const bytes = Uint8Array.from({ length: 64 }, (_, at) => (at * 89 + 7) ^ (at << 3));
  const wrong: string[] = [];
  for (let start = 0; start < 9; start++) {
    for (let end = start; end <= bytes.length; end++) {
      if (crc32(bytes, start, end) !== crc32BitByBit(bytes.subarray(start, end)))
        wrong.push(`${start} to ${end}`);
    }
  }
  t.same(wrong, []);
});

t.test('any bytes have the CRC of the definition, unsigned', async (t) => {
  t.comment(`seed ${SEED}`);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => crc32(bytes) === crc32BitByBit(bytes)),
    { seed: SEED, numRuns: 5000 },
  );
});
