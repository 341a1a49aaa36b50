/** The measure of test/kit/speech.ts fails on real degradation, and not on a harmless change. */

import t from 'tap';
import { VoiceEncoder } from '../../../wasm/compress.js';
import { VoiceDecoder } from '../../../wasm/decompress.js';
import { loadCodec } from '../../../wasm/load.js';
import { SeededRandom } from '../random.js';
import { compareSpeech, pcmOfWav, SPEECH_THRESHOLDS } from '../speech.js';

loadCodec();
const sentence = (name: string) => pcmOfWav(`examples/speech/${name}.wav`).subarray(0, 84_000);
const said = sentence('ada');
const heard = throughTheCodec(said);

function throughTheCodec(pcm: Int16Array): Int16Array {
  const encoder = new VoiceEncoder(1n);
  const decoder = new VoiceDecoder(24_000);
  const out = new Int16Array(pcm.length + 24_000);
  const packet = new Uint8Array(8192);
  let samples = 0;
  for (let at = 0; at < pcm.length; at += 480) {
    encoder.write(pcm.subarray(at, at + 480));
    const bytes = encoder.read(packet);
    samples += decoder.decompress(packet.subarray(0, bytes), out, samples).samples;
  }
  encoder.free();
  decoder.free();
  return out.subarray(0, samples);
}

/** `pcm` with white noise, `snrDb` below its mean level. */
function withNoise(pcm: Int16Array, snrDb: number): Int16Array {
  const random = new SeededRandom(7);
  const rms = Math.sqrt(pcm.reduce((sum, x) => sum + x * x, 0) / pcm.length);
  const amplitude = rms * 10 ** (-snrDb / 20) * Math.sqrt(3);
  return pcm.map((x) =>
    Math.max(-32_768, Math.min(32_767, x + amplitude * (random.below(20_001) / 10_000 - 1))),
  );
}

function resampled(pcm: Int16Array, ratio: number): Int16Array {
  return Int16Array.from({ length: Math.floor(pcm.length / ratio) }, (_, i) => {
    const at = Math.floor(i * ratio);
    const part = i * ratio - at;
    return (1 - part) * (pcm[at] ?? 0) + part * (pcm[at + 1] ?? 0);
  });
}

t.test('speech that only went through the codec is the same', async (t) => {
  const comparison = compareSpeech(said, heard);
  t.equal(comparison.verdict, 'same', JSON.stringify(comparison));
  t.ok(comparison.segments > 40, `${comparison.segments} segments say something`);
});

t.test('later, quieter, or between other sound it is still the same', async (t) => {
  const later = new Int16Array(heard.length + 50_000);
  later.set(heard, 31_234);
  t.equal(compareSpeech(said, later).verdict, 'same');
  t.ok(Math.abs(compareSpeech(said, later).lag - compareSpeech(said, heard).lag - 31_234) <= 1);
  t.equal(
    compareSpeech(
      said,
      heard.map((x) => x / 2),
    ).verdict,
    'same',
  );
});

t.test('noise 5 dB below the voice is real degradation', async (t) => {
  const comparison = compareSpeech(said, withNoise(heard, 5));
  t.equal(comparison.verdict, 'different', JSON.stringify(comparison));
});

t.test('a wrong rate is real degradation, even one that is 1 % off', async (t) => {
  for (const ratio of [24_000 / 22_050, 0.5, 1.01]) {
    const comparison = compareSpeech(said, resampled(heard, ratio));
    t.equal(comparison.verdict, 'different', `${ratio}: ${JSON.stringify(comparison)}`);
  }
});

t.test('200 ms that were dropped are real degradation, cut out or silenced', async (t) => {
  const at = 24_000;
  const cut = Int16Array.from([...heard.subarray(0, at), ...heard.subarray(at + 4800)]);
  t.equal(compareSpeech(said, cut).verdict, 'different', JSON.stringify(compareSpeech(said, cut)));
  t.ok(Math.abs(compareSpeech(said, cut).stretchSamples) > SPEECH_THRESHOLDS.maxStretchSamples);
  const silenced = heard.slice().fill(0, at, at + 4800);
  t.equal(compareSpeech(said, silenced).verdict, 'different', JSON.stringify(compareSpeech(said, silenced)));
});

t.test('40 ms that were played twice are real degradation', async (t) => {
  const at = 40_000;
  const doubled = Int16Array.from([...heard.subarray(0, at), ...heard.subarray(at - 960)]);
  t.equal(compareSpeech(said, doubled).verdict, 'different');
});

t.test('swapped speakers are real degradation', async (t) => {
  for (const other of ['ben', 'cleo']) {
    const comparison = compareSpeech(said, throughTheCodec(sentence(other)));
    t.equal(comparison.verdict, 'different', `${other}: ${JSON.stringify(comparison)}`);
  }
});

t.test('silence is not the same as anything', async (t) => {
  t.equal(compareSpeech(said, new Int16Array(said.length)).verdict, 'different');
});
