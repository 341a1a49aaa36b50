/** What 0 dBFS is, and how a level rises and falls. */

import t from 'tap';
import { LevelMeter } from '../../../voice/mixing/level_meter.js';
import { samplesOfMs, VOICE_RATE_HZ } from '../../../voice/units.js';
import { SEED, SeededRandom } from '../../kit/random.js';

const sine = (amplitude: number, ms: number, hertz = 1000) =>
  Int16Array.from({ length: samplesOfMs(ms) }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hertz * i) / VOICE_RATE_HZ)),
  );

function levelOf(...sounds: Int16Array[]) {
  const meter = new LevelMeter();
  for (const sound of sounds) meter.update(sound);
  return meter.level();
}

const isNear = (db: number, wanted: number, tolerance = 0.05) => Math.abs(db - wanted) < tolerance;

t.test('a sine at full scale has 0 dBFS, both RMS and peak', async (t) => {
  const { rmsDb, peakDb } = levelOf(sine(32_767, 1000));
  t.ok(isNear(rmsDb, 0), `${rmsDb}`);
  t.ok(isNear(peakDb, 0), `${peakDb}`);
});

t.test('a tenth of it has -20 dBFS, and a square wave 3.01 dB more RMS than its peak', async (t) => {
  const { rmsDb, peakDb } = levelOf(sine(3277, 1000));
  t.ok(isNear(rmsDb, -20), `${rmsDb}`);
  t.ok(isNear(peakDb, -20), `${peakDb}`);
  const square = levelOf(Int16Array.from({ length: 24_000 }, (_, i) => (i % 48 < 24 ? 3277 : -3277)));
  t.ok(isNear(square.rmsDb, -20 + 3.01), `${square.rmsDb}`);
  t.ok(isNear(square.peakDb, -20), `${square.peakDb}`);
});

t.test('silence has -96 dBFS, from the beginning and after a long while', async (t) => {
  const meter = new LevelMeter();
  t.strictSame(meter.level(), { rmsDb: -96, peakDb: -96 });
  meter.update(sine(32_767, 100));
  meter.skip(samplesOfMs(60_000));
  t.strictSame(meter.level(), { rmsDb: -96, peakDb: -96 });
});

t.test('RMS integrates over 100 ms: 63 % of the power is there by then', async (t) => {
  const { rmsDb } = levelOf(sine(32_767, 100));
  t.ok(isNear(rmsDb, 10 * Math.log10(1 - 1 / Math.E)), `${rmsDb}`);
});

t.test('a peak shows at once and falls by 20 dB in 1.7 s', async (t) => {
  const meter = new LevelMeter();
  meter.update(Int16Array.of(-32_768));
  t.equal(meter.level().peakDb, 0);
  meter.skip(samplesOfMs(1700));
  t.ok(isNear(meter.level().peakDb, -20, 1e-6), `${meter.level().peakDb}`);
});

t.test('silence in one step is the silence of as many samples', async (t) => {
  const [skips, updates] = [new LevelMeter(), new LevelMeter()];
  for (const meter of [skips, updates]) meter.update(sine(20_000, 50));
  skips.skip(1234);
  updates.update(new Int16Array(1234));
  t.ok(isNear(skips.level().rmsDb, updates.level().rmsDb, 1e-6));
  t.ok(isNear(skips.level().peakDb, updates.level().peakDb, 1e-6));
});

t.test('how the sound is divided into pulls does not matter', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const sound = Int16Array.from({ length: 5000 }, () => random.below(65_536) - 32_768);
  const meter = new LevelMeter();
  for (let at = 0; at < sound.length; ) {
    const samples = Math.min(random.below(600), sound.length - at);
    meter.update(sound.subarray(at), samples);
    at += samples;
  }
  t.strictSame(meter.level(), levelOf(sound));
});

t.test('a meter that was reset has measured nothing', async (t) => {
  const meter = new LevelMeter();
  meter.update(sine(20_000, 50));
  meter.reset();
  t.strictSame(meter.level(), new LevelMeter().level());
});
