/** The committed codec against native libopus: hashes of what it decodes and encodes, at every rate. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Golden, runGolden } from '../../wasm/golden.js';
import { loadCodec } from '../../wasm/load.js';

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

t.test('a change of one sample or one packet would be seen', async (t) => {
  const [stream] = golden.streams;
  const broken = { ...golden, encodings: [], streams: [{ ...stream!, steps: stream!.steps.slice(1) }] };
  t.equal(runGolden(broken).length > 0, true);
});
