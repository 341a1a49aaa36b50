/** The click detector finds cuts and pulses where they are, and nothing in speech. */

import t from 'tap';
import { ClickDetector, clicksIn } from '../../../bench/playout/clicks.js';
import { speak, speechScript } from '../../../bench/playout/source.js';
import { VoiceDecoder } from '../../../wasm/decompress.js';
import { loadCodec } from '../../../wasm/load.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { pcmOfWav } from '../../kit/speech.js';

loadCodec();
const clips = ['ada', 'ben', 'cleo'].map((name) => pcmOfWav(`examples/speech/${name}.wav`));
const PLACES = 60;
const BEFORE = 1200;
const LENGTH = 3600;

/** Pieces of loud speech. */
function* places(): Generator<Int16Array> {
  const random = new SeededRandom(SEED);
  for (let found = 0; found < PLACES; ) {
    const clip = clips[found % clips.length]!;
    const from = random.below(clip.length - LENGTH);
    const piece = clip.slice(from, from + LENGTH);
    const energy = piece.subarray(BEFORE - 240, BEFORE + 240).reduce((sum, sample) => sum + sample ** 2, 0);
    if (Math.sqrt(energy / 480) < 1000) continue;
    found += 1;
    yield piece;
  }
}

/** In how many of the places the change is found, at its position. */
function found(change: (piece: Int16Array) => Int16Array): number {
  let count = 0;
  for (const piece of places()) {
    if (clicksIn(change(piece)).some((at) => Math.abs(at - BEFORE) <= 4)) count += 1;
  }
  return count;
}

t.comment(`seed ${SEED}`);

t.test('speech has no clicks, as it was recorded and as Opus decodes it', async (t) => {
  for (const clip of clips) t.same(clicksIn(clip), []);
  const source = speak(speechScript(40, SEED), { microphone: 'push-to-talk' });
  const decoder = new VoiceDecoder(24_000);
  const detector = new ClickDetector();
  for (const { packet } of source.packets) detector.push(decoder.decompressPcm(packet).pcm);
  detector.finish();
  decoder.free();
  t.same(detector.clicks, []);
});

t.test('a pulse in loud speech is found almost always', async (t) => {
  const pulses = found((piece) => {
    piece[BEFORE] = Math.max(-32_768, Math.min(32_767, piece[BEFORE]! + 6000));
    return piece;
  });
  t.ok(pulses >= 0.9 * PLACES, `${pulses} of ${PLACES}`);
});

t.test('of hard cuts in loud speech a good part is found', async (t) => {
  const cut = found((piece) =>
    Int16Array.from([...piece.subarray(0, BEFORE), ...piece.subarray(BEFORE + 175)]),
  );
  const silenced = found((piece) => piece.fill(0, BEFORE, BEFORE + 480));
  const repeated = found((piece) =>
    Int16Array.from([...piece.subarray(0, BEFORE), ...piece.subarray(BEFORE - 480)]),
  );
  for (const [what, count] of Object.entries({ cut, silenced, repeated }))
    t.ok(count >= 0.25 * PLACES, `${what}: ${count} of ${PLACES}`);
});

t.test('a cut with a cross-fade of 5 ms is not a click', async (t) => {
  const fade = 120;
  const faded = found((piece) => {
    const later = piece.subarray(480);
    return Int16Array.from({ length: LENGTH - 480 }, (_, at) => {
      const share = Math.max(0, Math.min(1, (at - BEFORE + fade / 2) / fade));
      return piece[at]! * (1 - share) + later[at]! * share;
    });
  });
  t.equal(faded, 0);
});

t.test('the pieces in which sound comes make no difference', async (t) => {
  const pcm = clips[0]!.slice(0, 24_000);
  for (const at of [5000, 12_000, 20_000]) pcm[at] = 20_000;
  const whole = clicksIn(pcm);
  t.same(whole, [5000, 12_000, 20_000]);
  const detector = new ClickDetector();
  for (let from = 0; from < pcm.length; from += 77) detector.push(pcm.subarray(from, from + 77));
  detector.finish();
  t.same(detector.clicks, whole);
});
