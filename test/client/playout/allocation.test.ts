/**
 * What a pull of a lobby allocates after warm-up: no object, array or view. The engine itself boxes some of the fractional numbers that one function
 * returns to another, 16 bytes each.
 */

import t, { type Test } from 'tap';
import { runProbe } from '../../kit/allocation.js';

t.setTimeout(600_000);

const SPEAKERS = 8;
const BOXED_NUMBER = 16;
/** Pulls are half a frame long. */
const BOXED_PER_SPEAKER = 12;

/** Bytes per pull in each round, by `allocation_probe.ts`; only rounds in which nothing was collected. */
function measure(t: Test, control: 'bytes' | 'nothing'): number[] {
  const args = ['dist/test/client/playout/allocation_probe.js', control];
  const { bytesPerPull, concealedSamples, decodedFrames, made } = runProbe(64, args);
  t.ok(Number(concealedSamples) > 10_000 && Number(decodedFrames) > 2000, 'sound was decoded and concealed');
  t.equal(made, control);
  const rounds = bytesPerPull.filter((bytes) => bytes >= 0);
  t.ok(rounds.length >= 6, `${rounds.length} rounds without a collection`);
  return rounds;
}

t.test('a pull of eight speakers allocates nothing but boxed numbers', async (t) => {
  const [plain, control] = [measure(t, 'nothing'), measure(t, 'bytes')];
  const most = SPEAKERS * BOXED_PER_SPEAKER * BOXED_NUMBER;
  t.ok(Math.min(...plain) <= most, `${plain.join(', ')} bytes per pull, expected at most ${most}`);
  const found = Math.min(...control) - Math.min(...plain);
  t.ok(found >= 16, `one small object per pull adds ${found} bytes`);
});
