/** The committed codec against native libopus: hashes of what it decodes and encodes, at every rate. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Golden, runGolden } from '../../wasm/golden.js';
import { loadCodec } from '../../wasm/load.js';
import { hasFec, modeOf } from '../kit/opus/oracle_compare.js';
import { referenceSamples48k } from '../kit/opus/reference_opus.js';

const golden = JSON.parse(
  readFileSync(new URL('../../../test/wasm/golden/golden.json', import.meta.url), 'utf8'),
) as Golden;

t.test('every golden vector decodes and encodes to the recorded hash', async (t) => {
  loadCodec();
  t.same(runGolden(golden), []);
});

t.test('every recorded hash is that of native libopus itself', async (t) => {
  for (const { name, outputs } of golden.streams) {
    for (const [rate, output] of Object.entries(outputs))
      t.equal(output.fromNativeLsb, 0, `${name} at ${rate} Hz`);
  }
  for (const { name, fromNativePackets } of golden.encodings) t.equal(fromNativePackets, 0, name);
});

t.test('the vectors hold DTX frames, concealment and a reset', async (t) => {
  const steps = golden.streams.flatMap((stream) => stream.steps);
  t.ok(steps.filter((step) => Buffer.from(step, 'base64').length === 1).length >= 20);
  t.ok(steps.includes('conceal'));
  t.ok(steps.includes('reset'));
});

t.test('the vectors hold in-band FEC, all bandwidths of all modes, and packets of 5 to 120 ms', async (t) => {
  const packets = golden.streams.flatMap(({ steps }) =>
    steps.map((step, i) => ({
      packet: Buffer.from(step === 'fec' ? steps[i + 1]! : step, 'base64'),
      isFec: step === 'fec',
      isPacket: !['fec', 'conceal', 'reset'].includes(step),
    })),
  );
  t.ok(packets.filter(({ packet, isFec }) => isFec && hasFec(packet)).length >= 6);
  const heard = packets.filter(({ isPacket }) => isPacket).map(({ packet }) => packet);
  // A configuration's number names mode and bandwidth, and in its last two bits (hybrid: one bit) the length of a frame.
  const kinds = new Set(heard.map((packet) => `${modeOf(packet)} ${bandwidthOf(packet)}`));
  t.equal(kinds.size, 3 + 2 + 4);
  const lengths = new Set(heard.map((packet) => referenceSamples48k(packet) / 48));
  t.same(
    [...lengths].sort((a, b) => a - b),
    [5, 10, 20, 60, 120],
  );
});

t.test('a change of one sample or one packet would be seen', async (t) => {
  const [stream] = golden.streams;
  const broken = { ...golden, encodings: [], streams: [{ ...stream!, steps: stream!.steps.slice(1) }] };
  t.equal(runGolden(broken).length > 0, true);
});

/** As the configuration's number tells it from others of its mode: the rest of the number is the length of a frame. */
function bandwidthOf(packet: Uint8Array): number {
  return packet[0]! >> (modeOf(packet) === 'hybrid' ? 4 : 5);
}
