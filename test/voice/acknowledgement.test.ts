import fc from 'fast-check';
import t from 'tap';
import {
  ACKNOWLEDGEMENT_BYTES,
  readAcknowledgement,
  writeAcknowledgement,
} from '../../voice/acknowledgement.js';

t.test('the bytes are those of docs/protocol.md', async (t) => {
  t.same([...writeAcknowledgement(0x0403_0201)], [0x10, 1, 2, 3, 4]);
});

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 0xffff_ffff }),
      (time) => readAcknowledgement(writeAcknowledgement(time)) === time,
    ),
  );
});

t.test('no other bytes are read: another length, or another first byte', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const isOurs = bytes.length === ACKNOWLEDGEMENT_BYTES && bytes[0] === 0x10;
      return (readAcknowledgement(bytes) !== null) === isOurs;
    }),
  );
});
