/** Levelling: speech of any loudness comes near the target, slowly, and what is not speech moves nothing. */

import t from 'tap';
import { dbOfFactor, dbOfPower, factorOfDb } from '../../../voice/mixing/decibels.js';
import { FULL_SCALE_POWER } from '../../../voice/mixing/level_meter.js';
import { LEVELLING_MOST_DB, LEVELLING_TARGET_DB, Levelling } from '../../../voice/mixing/levelling.js';
import { samplesOfMs, VOICE_RATE_HZ } from '../../../voice/units.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { pcmOfWav } from '../../kit/speech.js';

const FRAME = 480;
const SECOND = 50;
const VOICES = ['ada', 'ben', 'cleo'].map((name) => pcmOfWav(`examples/speech/${name}.wav`));

/** Level of the active speech, measured in another way: over the frames within 22 dB of the loudest. */
function activeDb(pcm: Int16Array): number {
  const powers: number[] = [];
  for (let at = 0; at + FRAME <= pcm.length; at += FRAME) {
    let energy = 0;
    for (const sample of pcm.subarray(at, at + FRAME)) energy += sample * sample;
    powers.push(energy / FRAME);
  }
  const loudest = Math.max(...powers);
  const active = powers.filter((power) => power > loudest * 10 ** -2.2);
  return dbOfPower(active.reduce((sum, power) => sum + power, 0) / active.length / FULL_SCALE_POWER);
}

const scaled = (pcm: Int16Array, db: number) =>
  pcm.map((x) => Math.max(-32_768, Math.min(32_767, x * factorOfDb(db))));

/** Gains in dB after each frame, over `seconds` of the sound, which is repeated. */
function gainsOver(levelling: Levelling, pcm: Int16Array, seconds: number): number[] {
  const frames = Math.floor(pcm.length / FRAME);
  return Array.from({ length: seconds * SECOND }, (_, i) => {
    const at = (i % frames) * FRAME;
    levelling.update(pcm.subarray(at, at + FRAME), FRAME);
    return dbOfFactor(levelling.factor);
  });
}

/** Even noise with this RMS level. */
function noise(db: number, ms: number): Int16Array {
  const random = new SeededRandom(SEED);
  const amplitude = Math.sqrt(3 * FULL_SCALE_POWER) * factorOfDb(db);
  return Int16Array.from({ length: samplesOfMs(ms) }, () => (random.below(20_001) / 10_000 - 1) * amplitude);
}

t.test('at first nothing is changed', async (t) => {
  t.equal(new Levelling().factor, 1);
});

t.test('speech from -30 to -12 dBFS comes within 1.5 dB of the target', async (t) => {
  for (const voice of VOICES) {
    for (const db of [-30, -24, -20, -16, -12]) {
      const pcm = scaled(voice, db - activeDb(voice));
      const gain = gainsOver(new Levelling(), pcm, 60).at(-1)!;
      const reached = activeDb(pcm) + gain;
      t.ok(Math.abs(reached - LEVELLING_TARGET_DB) < 1.5, `${db} dBFS comes to ${reached.toFixed(1)}`);
    }
  }
});

t.test('the gain is at most 12 dB, up or down', async (t) => {
  for (const [db, goal] of [
    [-40, LEVELLING_MOST_DB],
    [-1, -LEVELLING_MOST_DB],
  ] as const) {
    const pcm = scaled(VOICES[0]!, db - activeDb(VOICES[0]!));
    const gains = gainsOver(new Levelling(), pcm, 60);
    t.ok(
      gains.every((gain) => Math.abs(gain) <= LEVELLING_MOST_DB + 1e-9),
      `${db} dBFS`,
    );
    if (db < 0 && goal > 0) t.ok(Math.abs(gains.at(-1)! - goal) < 0.5, `${gains.at(-1)}`);
  }
});

t.test('the gain moves by at most 3 dB per second, 0.06 dB from one frame to the next', async (t) => {
  for (const db of [-40, -30, -12]) {
    const gains = gainsOver(new Levelling(), scaled(VOICES[1]!, db - activeDb(VOICES[1]!)), 30);
    for (const [i, gain] of gains.entries()) {
      const step = Math.abs(gain - (gains[i - 1] ?? 0));
      if (step > 0.06 + 1e-9) t.fail(`${step} dB at frame ${i}`);
    }
  }
});

t.test('once it is settled it does not pump: less than 1 dB within a second of speech', async (t) => {
  for (const voice of VOICES) {
    const gains = gainsOver(new Levelling(), scaled(voice, -28 - activeDb(voice)), 120).slice(60 * SECOND);
    for (let i = 0; i + SECOND < gains.length; i++) {
      const second = gains.slice(i, i + SECOND);
      const moved = Math.max(...second) - Math.min(...second);
      if (moved > 1) t.fail(`${moved.toFixed(2)} dB in the second from frame ${i}`);
    }
  }
});

t.test('the gain waits for half a second of speech', async (t) => {
  const gains = gainsOver(new Levelling(), scaled(VOICES[2]!, -30 - activeDb(VOICES[2]!)), 10);
  t.ok(gains.slice(0, 24).every((gain) => gain === 0));
  t.ok(gains.at(-1)! > 1);
});

t.test('silence moves nothing', async (t) => {
  const levelling = new Levelling();
  const before = gainsOver(levelling, scaled(VOICES[0]!, -30 - activeDb(VOICES[0]!)), 20).at(-1)!;
  t.ok(before > 3);
  t.ok(gainsOver(levelling, new Int16Array(FRAME), 60).every((gain) => gain === before));
});

t.test('quiet noise moves nothing, and neither does louder noise that is even', async (t) => {
  for (const db of [-60, -51])
    t.equal(gainsOver(new Levelling(), noise(db, 5000), 60).at(-1), 0, `${db} dBFS`);
  for (const db of [-45, -35]) {
    const levelling = new Levelling();
    const before = gainsOver(levelling, VOICES[1]!, 20).at(-1)!;
    // A window of the noise estimate may pass before it is known to be noise.
    const gains = gainsOver(levelling, noise(db, 5000), 60);
    t.ok(
      gains.slice(4 * SECOND).every((gain) => gain === gains[4 * SECOND]),
      `${db} dBFS`,
    );
    t.ok(Math.abs(gains.at(-1)! - before) < 4, `${db} dBFS: ${before} and then ${gains.at(-1)}`);
  }
});

t.test('noise that comes and goes with digital silence between moves nothing', async (t) => {
  const bursts = noise(-45, 5000).map((x, i) => (Math.floor(i / (10 * FRAME)) % 2 === 0 ? x : 0));
  t.equal(gainsOver(new Levelling(), bursts, 60).at(-1), 0);
});

/** Sine tones of 150 Hz, each after a while of quiet noise. */
function vowels(db: number, toneMs: number, pauseMs: number): Int16Array {
  const pause = noise(-65, pauseMs);
  const amplitude = 32_768 * factorOfDb(db);
  const tone = Int16Array.from(
    { length: samplesOfMs(toneMs) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * 150 * i) / VOICE_RATE_HZ),
  );
  return Int16Array.from([...pause, ...tone]);
}

t.test('what is below -50 dBFS moves nothing, even if it is no noise', async (t) => {
  t.equal(gainsOver(new Levelling(), vowels(-51, 400, 200), 30).at(-1), 0);
  t.ok(gainsOver(new Levelling(), vowels(-49, 400, 200), 30).at(-1)! > 6);
});

t.test('a long vowel counts as speech for at least 1.5 s, at whatever instant it begins', async (t) => {
  for (const pauseMs of [100, 700, 1300]) {
    const gains = gainsOver(new Levelling(), vowels(-30, 1500, pauseMs), (pauseMs + 1500) / 1000);
    const [first, last] = [pauseMs / 20 + 25, gains.length];
    for (let i = first; i < last; i++) if (gains[i]! <= gains[i - 1]!) t.fail(`${pauseMs} ms, frame ${i}`);
  }
});

t.test('near its goal the gain moves by a fiftieth of the rest per frame', async (t) => {
  const gains = gainsOver(new Levelling(), vowels(-30, 400, 200), 60);
  const goal = gains.at(-1)!;
  t.ok(Math.abs(goal - 10) < 0.1, `${goal}`);
  for (let i = 1; i < gains.length; i++) {
    const most = (goal - gains[i - 1]!) / 50 + 1e-3;
    if (gains[i]! - gains[i - 1]! > most) t.fail(`${gains[i - 1]} to ${gains[i]} at frame ${i}`);
  }
});

t.test('speech over noise is levelled by the speech', async (t) => {
  const pcm = scaled(VOICES[0]!, -30 - activeDb(VOICES[0]!));
  const room = noise(-55, 5000);
  const both = pcm.map((sample, i) => sample + room[i % room.length]!);
  const [clean, noisy] = [pcm, both].map((sound) => gainsOver(new Levelling(), sound, 60).at(-1)!);
  t.ok(Math.abs(clean! - noisy!) < 1, `${clean} and ${noisy}`);
});

t.test('how the sound is divided into pulls does not matter', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const pcm = scaled(VOICES[0]!, -8).subarray(0, 400 * FRAME);
  const [whole, pieces] = [new Levelling(), new Levelling()];
  whole.update(pcm, pcm.length);
  for (let at = 0; at < pcm.length; ) {
    const samples = Math.min(random.below(1000), pcm.length - at);
    pieces.update(pcm.subarray(at), samples);
    at += samples;
  }
  t.equal(pieces.factor, whole.factor);
  t.not(whole.factor, 1);
});

t.test('after a reset nothing is changed again', async (t) => {
  const levelling = new Levelling();
  const pcm = scaled(VOICES[0]!, -30 - activeDb(VOICES[0]!));
  const once = gainsOver(levelling, pcm, 10);
  levelling.reset();
  t.equal(levelling.factor, 1);
  t.strictSame(gainsOver(levelling, pcm, 10), once);
});
