/** The microphone's processing: what it removes, what it leaves, and by how much it is late. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { compileProcessing } from '../../wasm/load.js';
import {
  type MicrophoneProcessing,
  MicrophoneProcessor,
  PROCESSING_RATES_HZ,
} from '../../wasm/processing.js';
import { SeededRandom } from '../kit/random.js';
import { pcmOfWav } from '../kit/speech.js';

const RATE = 24_000;
const FRAME = RATE / 100;
const module = compileProcessing();
const floats = (name: string) =>
  Float32Array.from(
    pcmOfWav(`examples/speech/${name}.wav`).subarray(0, 10 * RATE),
    (sample) => sample / 32_768,
  );
const ADA = floats('ada');
const BEN = floats('ben');
/** Noise of about -45 dBFS. */
const random = new SeededRandom(1);
const NOISE = Float32Array.from({ length: ADA.length }, () => (random.next() / 2 ** 32 - 0.5) * 0.0195);

const energyDb = (pcm: Float32Array) =>
  10 * Math.log10(pcm.reduce((sum, sample) => sum + sample * sample, 1e-12) / pcm.length);

/** What is left of `pcm`, while `played` comes out of the loudspeaker. */
function processed(pcm: Float32Array, what: MicrophoneProcessing, played?: Float32Array): Float32Array {
  const processor = new MicrophoneProcessor(module, { sampleRateHz: RATE, ...what });
  const out = pcm.slice();
  for (let at = 0; at + FRAME <= out.length; at += FRAME) {
    if (played) processor.notePlayed(played.subarray(at, at + FRAME));
    processor.process(out.subarray(at, at + FRAME));
  }
  return out;
}

/** The tenth of the blocks of 100 ms that is quietest, or loudest, in `pcm` after its first two seconds. */
function blocks(pcm: Float32Array, which: 'quiet' | 'loud'): number[] {
  const length = RATE / 10;
  const all = Array.from(
    { length: Math.floor(pcm.length / length) - 21 },
    (_, block) => (block + 20) * length,
  );
  const level = (at: number) => energyDb(pcm.subarray(at, at + length));
  all.sort((one, other) => (which === 'quiet' ? level(one) - level(other) : level(other) - level(one)));
  return all.slice(0, all.length / 10);
}

const levelIn = (pcm: Float32Array, places: readonly number[]) =>
  energyDb(Float32Array.from(places.flatMap((at) => [...pcm.subarray(at, at + RATE / 10)])));

t.test('noise suppression lowers the noise in pauses and leaves speech', async (t) => {
  const noisy = ADA.map((sample, at) => sample + NOISE[at]!);
  const out = processed(noisy, { noiseSuppression: true });
  const pauses = blocks(ADA, 'quiet');
  const lowered = levelIn(noisy, pauses) - levelIn(out, pauses);
  t.ok(lowered > 8, `${lowered.toFixed(1)} dB less in pauses`);
  const speech = blocks(ADA, 'loud');
  const lost = levelIn(noisy, speech) - levelIn(out, speech);
  t.ok(Math.abs(lost) < 2, `${lost.toFixed(1)} dB less of speech`);
});

t.test('gain control makes a soft voice louder', async (t) => {
  const soft = ADA.map((sample) => sample / 10);
  const out = processed(soft, { gainControl: true });
  const speech = blocks(ADA, 'loud');
  t.ok(levelIn(out, speech) - levelIn(soft, speech) > 8);
});

t.test('echo cancellation removes what was played, and not who speaks', async (t) => {
  const delay = 0.06 * RATE;
  const echo = BEN.map((_, at) => (at >= delay ? 0.25 * BEN[at - delay]! : 0));
  const left = processed(echo, { echoCancellation: true }, BEN);
  const half = echo.length / 2;
  const removed = energyDb(echo.subarray(half)) - energyDb(left.subarray(half));
  t.ok(removed > 20, `${removed.toFixed(1)} dB`);
  const alone = processed(ADA, { echoCancellation: true }, new Float32Array(ADA.length));
  const speech = blocks(ADA, 'loud');
  t.ok(Math.abs(levelIn(alone, speech) - levelIn(ADA, speech)) < 2);
});

t.test('what comes out is as late as delaySamples says', async (t) => {
  for (const sampleRateHz of PROCESSING_RATES_HZ) {
    const pcm = Float32Array.from(
      { length: 3 * sampleRateHz },
      (_, at) => ADA[Math.floor((at * RATE) / sampleRateHz)]!,
    );
    for (const what of [
      {},
      { echoCancellation: true },
      { noiseSuppression: true },
      { gainControl: true },
      { echoCancellation: true, noiseSuppression: true, gainControl: true },
    ]) {
      const processor = new MicrophoneProcessor(module, { sampleRateHz, ...what });
      const out = pcm.slice();
      const { frameSamples } = processor;
      const silence = new Float32Array(frameSamples);
      for (let at = 0; at + frameSamples <= out.length; at += frameSamples) {
        processor.notePlayed(silence);
        processor.process(out.subarray(at, at + frameSamples));
      }
      let best = { likeness: 0, delay: -1 };
      for (let delay = 0; delay < 2 * frameSamples; delay++) {
        let likeness = 0;
        for (let at = sampleRateHz; at < 2 * sampleRateHz; at++) likeness += pcm[at - delay]! * out[at]!;
        if (likeness > best.likeness) best = { likeness, delay };
      }
      const off = Math.abs(best.delay - processor.delaySamples);
      t.ok(off <= 2, `${sampleRateHz} Hz, ${Object.keys(what)}: ${best.delay} of ${processor.delaySamples}`);
    }
  }
});

t.test('wrong rates, lengths and modules are refused', async (t) => {
  t.throws(() => new MicrophoneProcessor(module, { sampleRateHz: 44_100 }), RangeError);
  const processor = new MicrophoneProcessor(module, { sampleRateHz: RATE });
  t.throws(() => processor.process(new Float32Array(FRAME - 1)), RangeError);
  t.throws(() => processor.notePlayed(new Float32Array(0)), RangeError);
  const codec = readFileSync('wasm/pkg/hotmic_wasm_bg.wasm');
  for (const wrong of [codec, new Uint8Array(3)])
    t.throws(() => new MicrophoneProcessor(wrong, { sampleRateHz: RATE }), { code: 'ERR_HOTMIC_CODEC' });
});
