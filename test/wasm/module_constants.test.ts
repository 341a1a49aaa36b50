/** The numbers that TypeScript and Rust must agree on, or one would write past what the other keeps: read from the sources. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { Step } from '../../wasm/codec.js';
import { STAGING } from '../../wasm/module.js';
import { MAX_STRETCH_SAMPLES } from '../../wasm/resampler.js';

t.test('staging areas, steps and limits are the same on both sides', async (t) => {
  const staging = constantsOf('staging.rs');
  t.equal(staging.get('PCM_SAMPLES'), STAGING.pcmSamples);
  t.equal(staging.get('PACKET_BYTES'), STAGING.packetBytes);
  t.equal(staging.get('IN_FLOATS'), STAGING.inFloats);
  t.equal(staging.get('OUT_FLOATS'), STAGING.outFloats);
  const steps = constantsOf('steps.rs');
  t.equal(steps.get('NOTHING'), Step.nothing);
  t.equal(steps.get('RESET'), Step.reset);
  t.equal(steps.get('CONCEAL'), Step.conceal);
  t.equal(steps.get('FEC'), Step.fec);
  t.equal(steps.get('SILENCE'), Step.silence);
  t.equal(constantsOf('resampler.rs').get('MAX_STRETCH'), MAX_STRETCH_SAMPLES);
});

/** `const NAME: type = number;` of a file in wasm/src. */
function constantsOf(file: string): Map<string, number> {
  const text = readFileSync(`wasm/src/${file}`, 'utf8');
  const found = text.matchAll(/^(?:pub )?const (\w+): \w+ = (\w+);$/gm);
  return new Map([...found].map(([, name, value]) => [name!, Number(value!.replaceAll('_', ''))]));
}
