/** The export through audiobuffer-to-wav is bit-exact, and would not be without the bias. */

import audioBufferToWav from 'audiobuffer-to-wav';
import t from 'tap';
import { exportWav, MAX_EXPORT_SAMPLES } from '../../record/export_wav.js';
import { readWav, wavHeader } from '../../voice/wav.js';

const EVERY_VALUE = Int16Array.from({ length: 65_536 }, (_, at) => at - 32_768);

function samplesOf(bytes: Uint8Array): Int16Array {
  const wav = readWav(bytes);
  if (wav.kind === 'malformed') throw new Error(wav.reason);
  return wav.samplesInt16();
}

t.test('all 65,536 values come out as they went in', async (t) => {
  const bytes = exportWav(EVERY_VALUE, 24_000);
  const wrong = samplesOf(bytes).findIndex((value, at) => value !== EVERY_VALUE[at]);
  t.equal(wrong, -1);
  t.equal(bytes.length, 44 + 2 * 65_536);
});

t.test('the header is the one that the live writer writes', async (t) => {
  for (const [samples, rateHz] of [
    [0, 24_000],
    [3, 11_025],
    [480, 48_000],
  ] as const) {
    const bytes = exportWav(new Int16Array(samples), rateHz);
    t.same(bytes.subarray(0, 44), wavHeader(rateHz, 2 * samples), `${samples} samples at ${rateHz} Hz`);
  }
});

t.test('the package alone is not exact, whichever way 16 bit is made floats', async (t) => {
  for (const scale of [32_767, 32_768]) {
    const samples = Float32Array.from(EVERY_VALUE, (value) => value / scale);
    const buffer = {
      numberOfChannels: 1,
      sampleRate: 24_000,
      length: samples.length,
      duration: samples.length / 24_000,
      getChannelData: () => samples,
    } as unknown as Parameters<typeof audioBufferToWav>[0];
    const out = samplesOf(new Uint8Array(audioBufferToWav(buffer)));
    const wrong = out.filter((value, at) => value !== EVERY_VALUE[at]).length;
    t.ok(wrong > 1000, `v / ${scale}: ${wrong} of 65536 values are changed`);
  }
});

t.test('an impossible rate or length is refused', async (t) => {
  t.throws(() => exportWav(new Int16Array(1), 1_000), { name: 'RangeError' });
  const long = Object.defineProperty(new Int16Array(0), 'length', { value: MAX_EXPORT_SAMPLES + 1 });
  t.throws(() => exportWav(long, 24_000), { code: 'ERR_HOTMIC_WAV_FULL' });
});
