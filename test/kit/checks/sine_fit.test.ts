/** The fit of a sine tells what was added to it. */

import t from 'tap';
import { fitSine } from '../sine_fit.js';

t.test('the signal-to-noise ratio of a sine is that of what was added to it', async (t) => {
  const step = (2 * Math.PI * 1000) / 24_000;
  // A second sine, 60 dB lower, apart in frequency.
  const noisy = Float32Array.from(
    { length: 48_000 },
    (_, i) => Math.sin(step * i + 1) + 0.001 * Math.sin(3 * step * i),
  );
  const { snrDb, amplitude, noise } = fitSine(noisy, 1000, 24_000);
  t.ok(Math.abs(snrDb - 60) < 0.1, `${snrDb} dB`);
  t.ok(Math.abs(amplitude - 1) < 1e-4, `amplitude ${amplitude}`);
  t.ok(Math.abs(noise - 0.5e-6) < 1e-8, `noise ${noise}`);
});
