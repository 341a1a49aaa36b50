/** What is true of every mix: never above full scale, exact where nothing has to be changed, and without clicks while people move. */

import fc from 'fast-check';
import t from 'tap';
import { RAMP } from '../../../voice/mixing/gain_ramp.js';
import { PlayoutMixer } from '../../../voice/mixing/mixer.js';
import type { Vector } from '../../../voice/mixing/vector.js';
import { VOICE_RATE_HZ } from '../../../voice/units.js';
import { SEED, SeededRandom } from '../../kit/random.js';

t.comment(`HOTMIC_SEED=${SEED}`);

const FORWARD = { x: 0, y: 0, z: -1 };
const UP = { x: 0, y: 1, z: 0 };

const coordinate = fc.integer({ min: -6000, max: 6000 }).map((hundredths) => hundredths / 100);
const vector = fc.record({ x: coordinate, y: coordinate, z: coordinate });
const slot = fc.nat(5);
const settings = fc.record(
  {
    volumeDb: fc.integer({ min: -60, max: 20 }),
    muted: fc.constantFrom('muted' as const, 'heard' as const),
    pan: fc.integer({ min: -4, max: 4 }).map((quarters) => quarters / 4),
    priority: fc.constantFrom('priority' as const, 'none' as const),
    levelling: fc.constantFrom('on' as const, 'off' as const),
  },
  { requiredKeys: [] },
);
const kind = fc.constantFrom('voice' as const, 'silence' as const);
const step = fc.oneof(
  fc.record({ do: fc.constant('set' as const), slot, settings }),
  fc.record({ do: fc.constant('place' as const), slot, position: fc.option(vector) }),
  fc.record({ do: fc.constant('listen' as const), position: vector, forward: vector, up: vector }),
  fc.record({ do: fc.constant('forget' as const), slot }),
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pull' as const),
      samples: fc.nat(600),
      speakers: fc.uniqueArray(fc.record({ slot, kind }), { selector: (speaker) => speaker.slot }),
    }),
  },
);

t.test(
  'through any history of settings, places and pulls the mix is below full scale and has no wrap-around',
  async (t) => {
    const random = new SeededRandom(SEED);
    const loud = Int16Array.from({ length: 600 }, () => (random.below(2) === 0 ? 32_767 : -32_768));
    let pulls = 0;
    const isSound = fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom(1 as const, 2 as const),
      (steps, channels) => {
        const mixer = new PlayoutMixer({ channels, maxSpeakers: 4, spatial: { maxDistance: 50 } });
        for (const step of steps) {
          if (step.do === 'set') mixer.set(step.slot, step.settings);
          else if (step.do === 'place') mixer.setPosition(step.slot, step.position);
          else if (step.do === 'listen') mixer.setListener(step);
          else if (step.do === 'forget') mixer.forget(step.slot);
          else {
            const out = new Int16Array(step.samples * channels);
            mixer.begin(step.samples);
            for (const speaker of step.speakers) mixer.add(speaker.slot, loud, speaker.kind);
            mixer.finish(out);
            pulls += 1;
            // All speakers say the same, so a sample with the other sign would be a wrap-around.
            if (out.some((x, i) => x * loud[Math.floor(i / channels)]! < 0 || x < -32_767)) return false;
            for (const { slot } of step.speakers) {
              const { rmsDb, peakDb } = mixer.level(slot);
              if (!(rmsDb >= -96 && rmsDb <= 3.02 && peakDb >= -96 && peakDb <= 0)) return false;
            }
          }
        }
        return true;
      },
    );
    fc.assert(isSound, { seed: SEED, numRuns: 1000 });
    t.ok(pulls > 2000, `${pulls} pulls`);
  },
);

t.test('with one channel and default settings the mix of quiet speakers is exactly their sum', async () => {
  // 23,197 is the largest sample below the limiter's threshold.
  const speaker = fc.array(fc.integer({ min: -2000, max: 2000 }), { minLength: 300, maxLength: 300 });
  const isExact = fc.property(
    fc.array(speaker, { maxLength: 11 }),
    fc.array(fc.nat(300), { maxLength: 5 }),
    (speakers, pulls) => {
      const mixer = new PlayoutMixer();
      const sounds = speakers.map((samples) => Int16Array.from(samples));
      return pulls.every((samples) => {
        mixer.begin(samples);
        for (const [slot, pcm] of sounds.entries()) mixer.add(slot, pcm, 'voice');
        const out = new Int16Array(samples);
        mixer.finish(out);
        return out.every((x, i) => x === sounds.reduce((sum, pcm) => sum + pcm[i]!, 0));
      });
    },
  );
  fc.assert(isExact, { seed: SEED, numRuns: 300 });
});

const AMPLITUDE = 8000;
/** Not a divisor of a pull: gains then change at any phase of the tone. */
const HERTZ = 207;
const OMEGA = (2 * Math.PI * HERTZ) / VOICE_RATE_HZ;

/**
 * The most that the second difference of a tone can be while its gain g changes along lines, within 0 and 1. With x the tone, it is
 * g·Δ²x + 2·Δg·Δx + Δ²g·x. A line's slope is at most 1 / RAMP, so it changes by at most 2 / RAMP; rounding adds 2.
 */
const BOUND = AMPLITUDE * (OMEGA ** 2 + (2 * OMEGA) / RAMP + 2 / RAMP) + 2;

const SECONDS = 3;

/** The largest second difference of any channel, over some seconds of a tone, while `move` changes the mixer before each pull. */
function roughness(
  samples: number,
  channels: 1 | 2,
  move: (mixer: PlayoutMixer, pull: number) => void,
): number {
  const mixer = new PlayoutMixer({ channels, spatial: { referenceDistance: 20, maxDistance: 50 } });
  const tone = new Int16Array(samples);
  const out = new Int16Array(samples * channels);
  const heard = new Int16Array((2 + SECONDS * VOICE_RATE_HZ) * channels);
  let written = 0;
  for (let pull = 0; written + out.length <= heard.length; pull++) {
    move(mixer, pull);
    for (let i = 0; i < samples; i++)
      tone[i] = Math.round(AMPLITUDE * Math.sin(OMEGA * (pull * samples + i)));
    mixer.begin(samples);
    mixer.add(1, tone, 'voice');
    mixer.finish(out);
    heard.set(out, written);
    written += out.length;
  }
  let largest = 0;
  for (let i = 2 * channels; i < written; i++) {
    const difference = heard[i]! - 2 * heard[i - channels]! + heard[i - 2 * channels]!;
    largest = Math.max(largest, Math.abs(difference));
  }
  return largest;
}

const random = new SeededRandom(SEED);
const anywhere = (): Vector => ({
  x: random.below(121) - 60,
  y: random.below(121) - 60,
  z: random.below(121) - 60,
});

const MOVES: Record<string, (mixer: PlayoutMixer, pull: number) => void> = {
  'a circle, five times a second': (mixer, pull) => {
    const angle = pull * 0.628;
    mixer.setPosition(1, { x: Math.cos(angle), y: 0, z: Math.sin(angle) });
  },
  'jumps to anywhere, in and out of range': (mixer) => mixer.setPosition(1, anywhere()),
  'a listener who turns at random': (mixer) => {
    mixer.setPosition(1, { x: 1, y: 0, z: 0 });
    mixer.setListener({ position: { x: 0, y: 0, z: 0 }, forward: anywhere(), up: anywhere() });
  },
  'from one ear to the other through the head': (mixer, pull) => {
    mixer.setPosition(1, { x: (pull % 3) - 1, y: 0, z: 0 });
    mixer.setListener({ position: { x: 0, y: 0, z: 0 }, forward: FORWARD, up: UP });
  },
  'muted and heard': (mixer, pull) => mixer.set(1, { muted: pull % 2 === 0 ? 'heard' : 'muted' }),
  'pan from side to side': (mixer, pull) => mixer.set(1, { pan: pull % 2 === 0 ? -1 : 1 }),
  'priority now and then, below another': (mixer, pull) =>
    mixer.set(1, { priority: pull % 2 === 0 ? 'none' : 'priority' }),
};

t.test('the bound is less than a fiftieth of what a click would be', async (t) => {
  // From full gain to nothing between two samples, or back.
  t.ok(BOUND < AMPLITUDE / 50, `${BOUND.toFixed(1)} of ${AMPLITUDE}`);
});

for (const [what, move] of Object.entries(MOVES)) {
  t.test(`no click in a tone: ${what}`, async (t) => {
    for (const channels of [1, 2] as const) {
      for (const samples of [37, 240, 480, 960]) {
        const largest = roughness(samples, channels, move);
        t.ok(
          largest <= BOUND,
          `${channels} channels, ${samples} per pull: ${largest} of ${BOUND.toFixed(1)}`,
        );
      }
    }
  });
}

t.test('the measure finds a click: a speaker who is left out of one pull', async (t) => {
  const mixer = new PlayoutMixer();
  const heard: number[] = [];
  for (const isThere of [true, false, true]) {
    const out = new Int16Array(480);
    mixer.begin(480);
    if (isThere) mixer.add(1, new Int16Array(480).fill(AMPLITUDE), 'voice');
    mixer.finish(out);
    heard.push(...out);
  }
  t.ok(heard.some((x, i) => i >= 2 && Math.abs(x - 2 * heard[i - 1]! + heard[i - 2]!) > 10 * BOUND));
});
