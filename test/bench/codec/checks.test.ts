/** When the codec benchmark decides that a subject did not do its work. */

import t from 'tap';
import { decodeFaults, encodeFaults } from '../../../bench/codec/checks.js';
import { scalarCodec } from '../../../bench/codec/scalar.js';
import { ownDecodings, ownEncodings, ownVoice } from '../../../bench/codec/subject.js';
import { goldenSignal } from '../../../wasm/golden.js';
import { loadCodec } from '../../../wasm/load.js';

loadCodec();
const pcm = goldenSignal(100);
const [batched, single] = ownEncodings(pcm);
const packets = batched!.packets();
const own = ownDecodings(packets)[0]!.pcm();
const peer = { subject: 'peer', form: 'one frame per call' };

t.test('batches and single frames produce the same packets and the same sound', async (t) => {
  t.same(single!.packets(), packets);
  t.same(decodeFaults(peer, ownDecodings(packets)[1]!.pcm(), own), []);
});

t.test('getVoice and decompressVoice do the same work around the same Opus packets', async (t) => {
  const { encoding, decoding } = ownVoice(pcm);
  t.same(encoding.packets(), packets);
  t.same(decodeFaults(decoding, decoding.pcm(), own), []);
});

t.test('the build without SIMD runs in its own thread, and is timed while this thread waits', async (t) => {
  const scalar = await scalarCodec(pcm, packets);
  t.teardown(() => scalar.end());
  t.same(encodeFaults(scalar, scalar.packets(), packets, own), []);
  t.same(decodeFaults(scalar, scalar.pcm(), own), []);
  for (const { measure } of [scalar.encode, scalar.decode]) t.ok(measure() > 0);
});

t.test('an encoder that omits frames or saves bits did not do the work', async (t) => {
  t.match(encodeFaults(peer, packets.slice(1), packets, own), [/99 packets, expected 100/]);
  const dtx = packets.map((packet) => packet.subarray(0, 1));
  t.match(encodeFaults(peer, dtx, packets, own), [/400 bit\/s, expected about 32000/, /dB from our level/]);
});

t.test('a decoder that produces different or less sound did not do the work', async (t) => {
  t.match(decodeFaults(peer, own.subarray(1), own), [/47999 samples, expected 48000/]);
  t.match(decodeFaults(peer, new Int16Array(own.length), own), [/dB from ours/]);
});
