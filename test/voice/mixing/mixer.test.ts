/** The mixer: what is heard of whom, from settings, places and priority. */

import t from 'tap';
import { factorOfDb } from '../../../voice/mixing/decibels.js';
import { RAMP } from '../../../voice/mixing/gain_ramp.js';
import { type MixerOptions, PlayoutMixer } from '../../../voice/mixing/mixer.js';
import type { SpeakerSettings } from '../../../voice/mixing/speaker_settings.js';
import type { SoundKind } from '../../../voice/mixing/speaker_strip.js';
import type { Vector } from '../../../voice/mixing/vector.js';
import { samplesOfMs } from '../../../voice/units.js';

/** 20 ms. */
const FRAME = 480;

const constant = (value: number, length = FRAME) => new Int16Array(length).fill(value);
const at = (x: number, y = 0, z = 0): Vector => ({ x, y, z });

/** One pull: each slot with a constant, or with samples. */
function pull(
  mixer: PlayoutMixer,
  sounds: Readonly<Record<number, number | Int16Array>>,
  { samples = FRAME, channels = 1, kind = 'voice' as SoundKind } = {},
): Int16Array {
  mixer.begin(samples);
  for (const [slot, sound] of Object.entries(sounds))
    mixer.add(Number(slot), typeof sound === 'number' ? constant(sound, samples) : sound, kind);
  // What is in the memory before must not matter.
  const out = new Int16Array(samples * channels).fill(0x5a5a);
  mixer.finish(out);
  return out;
}

const pullStereo = (mixer: PlayoutMixer, sounds: Readonly<Record<number, number>>) => {
  const out = pull(mixer, sounds, { channels: 2 });
  return { left: out.filter((_, i) => i % 2 === 0), right: out.filter((_, i) => i % 2 === 1) };
};

t.test('with nobody there a pull is silence', async (t) => {
  const mixer = new PlayoutMixer();
  t.strictSame(pull(mixer, {}), constant(0));
  t.strictSame(pull(mixer, {}, { samples: 0 }), constant(0, 0));
});

t.test('a speaker alone is heard bit for bit from the first sample', async (t) => {
  const pcm = Int16Array.from({ length: FRAME }, (_, i) => i * 48 - 11_520);
  t.strictSame(pull(new PlayoutMixer(), { 3: pcm }), pcm);
});

t.test('speakers are summed, and one who is not added is silent', async (t) => {
  const mixer = new PlayoutMixer();
  t.strictSame(pull(mixer, { 1: 100, 2: -7, 900: 5000 }), constant(5093));
  t.strictSame(pull(mixer, { 2: -7 }), constant(-7));
});

t.test('a longer buffer than the pull gives its first samples', async (t) => {
  const pcm = Int16Array.of(1, 2, 3, 4, 5);
  t.strictSame(pull(new PlayoutMixer(), { 1: pcm }, { samples: 3 }), Int16Array.of(1, 2, 3));
});

t.test('volume is a gain in dB, set before the first sound without a fade', async (t) => {
  for (const volumeDb of [-60, -20, -6, 0, 6, 20]) {
    const mixer = new PlayoutMixer();
    mixer.set(1, { volumeDb });
    t.strictSame(
      pull(mixer, { 1: 1000 }),
      constant(Math.round(1000 * factorOfDb(volumeDb))),
      `${volumeDb} dB`,
    );
  }
});

t.test('a new volume is reached along a line, within 10 ms', async (t) => {
  const mixer = new PlayoutMixer();
  pull(mixer, { 1: 10_000 });
  mixer.set(1, { volumeDb: -20 });
  const heard = pull(mixer, { 1: 10_000 });
  for (let i = 1; i < RAMP; i++) {
    const step = heard[i - 1]! - heard[i]!;
    if (Math.abs(step - 9000 / RAMP) > 1) t.fail(`a step of ${step} at ${i}`);
  }
  t.ok(heard.subarray(RAMP - 1).every((sample) => sample === 1000));
});

t.test('settings are merged: what is not named stays', async (t) => {
  const mixer = new PlayoutMixer();
  t.strictSame(mixer.settings(1), {
    volumeDb: 0,
    muted: 'heard',
    pan: 0,
    priority: 'none',
    levelling: 'off',
  });
  mixer.set(1, { volumeDb: -6, pan: 0.5 });
  mixer.set(1, { muted: 'muted' });
  mixer.set(1, { priority: 'priority', levelling: 'on' });
  t.strictSame(mixer.settings(1), {
    volumeDb: -6,
    muted: 'muted',
    pan: 0.5,
    priority: 'priority',
    levelling: 'on',
  });
  mixer.forget(1);
  t.match(mixer.settings(1), { volumeDb: 0, muted: 'heard' });
});

t.test(
  'a muted speaker fades out within 10 ms and is inaudible then, without any effect on others',
  async (t) => {
    const mixer = new PlayoutMixer();
    pull(mixer, { 1: 10_000, 2: 5 });
    t.equal(mixer.audibility(1), 'audible');
    mixer.set(1, { muted: 'muted' });
    t.equal(mixer.audibility(1), 'fading');
    const heard = pull(mixer, { 1: 10_000, 2: 5 });
    t.ok(heard[0]! > 9900 && heard[RAMP - 2]! > 5);
    t.ok(heard.subarray(RAMP - 1).every((sample) => sample === 5));
    t.equal(mixer.audibility(1), 'inaudible');
    t.equal(mixer.audibility(2), 'audible');
    mixer.set(1, { muted: 'heard' });
    t.equal(mixer.audibility(1), 'audible', 'at once, so that they are decoded again');
    const again = pull(mixer, { 1: 10_000, 2: 5 });
    t.ok(again[0]! < 100, 'and they fade in');
    t.equal(again[RAMP - 1], 10_005);
  },
);

t.test('a fade goes on over short pulls', async (t) => {
  const mixer = new PlayoutMixer();
  pull(mixer, { 1: 10_000 });
  mixer.set(1, { muted: 'muted' });
  for (let i = 0; i < RAMP; i += 60) {
    t.equal(mixer.audibility(1), 'fading', `${i}`);
    pull(mixer, { 1: 10_000 }, { samples: 60 });
  }
  t.equal(mixer.audibility(1), 'inaudible');
});

t.test('a muted speaker who is silent needs no fade', async (t) => {
  const mixer = new PlayoutMixer();
  mixer.set(1, { muted: 'muted' });
  t.equal(mixer.audibility(1), 'inaudible', 'never heard');
  mixer.set(2, {});
  pull(mixer, { 2: 100 });
  mixer.set(2, { muted: 'muted' });
  pull(mixer, {});
  t.equal(mixer.audibility(2), 'inaudible', 'silent in a pull');
});

t.test('a mute that is asked about before the next pull is complete after a silent one too', async (t) => {
  const mixer = new PlayoutMixer();
  pull(mixer, { 1: 100 });
  pull(mixer, {});
  mixer.set(1, { muted: 'muted' });
  t.equal(mixer.audibility(1), 'fading');
  pull(mixer, {});
  t.equal(mixer.audibility(1), 'inaudible');
});

t.test('nobody knows of an unknown speaker that they cannot be heard', async (t) => {
  t.equal(new PlayoutMixer().audibility(9), 'audible');
});

t.test('with one channel a position gives the distance gain and nothing else', async (t) => {
  const mixer = new PlayoutMixer();
  for (const position of [at(4), at(-4), at(0, 4), at(0, 0, 4)]) {
    mixer.setPosition(1, position);
    mixer.set(1, { pan: 1 });
    pull(mixer, {});
    t.strictSame(pull(mixer, { 1: 10_000 }), constant(2500));
  }
  mixer.setPosition(1, null);
  pull(mixer, {});
  t.strictSame(pull(mixer, { 1: 10_000 }), constant(10_000));
});

t.test(
  'beyond the maximum distance a speaker fades out and is inaudible, until one of the two comes nearer',
  async (t) => {
    const mixer = new PlayoutMixer({ spatial: { maxDistance: 50 } });
    mixer.setPosition(1, at(40));
    pull(mixer, { 1: 10_000 });
    mixer.setPosition(1, at(51));
    t.equal(mixer.audibility(1), 'fading');
    t.equal(pull(mixer, { 1: 10_000 })[RAMP - 1], 0);
    t.equal(mixer.audibility(1), 'inaudible');
    mixer.setListener({ position: at(10), forward: at(0, 0, -1), up: at(0, 1, 0) });
    t.equal(mixer.audibility(1), 'audible');
    t.equal(pull(mixer, { 1: 10_000 })[RAMP - 1], Math.round(10_000 / 41));
  },
);

t.test('with two channels pan is equal power, and the middle 3 dB lower on both sides', async (t) => {
  for (const [pan, left, right] of [
    [-1, 10_000, 0],
    [-0.5, 9239, 3827],
    [0, 7071, 7071],
    [1, 0, 10_000],
  ] as const) {
    const mixer = new PlayoutMixer({ channels: 2 });
    mixer.set(1, { pan });
    t.strictSame(pullStereo(mixer, { 1: 10_000 }), { left: constant(left), right: constant(right) });
  }
});

t.test('with two channels a position gives the side and the distance, and overrides pan', async (t) => {
  const mixer = new PlayoutMixer({ channels: 2 });
  mixer.set(1, { pan: -1 });
  mixer.setPosition(1, at(2));
  t.strictSame(pullStereo(mixer, { 1: 10_000 }), { left: constant(0), right: constant(5000) });
  mixer.setListener({ position: at(0), forward: at(0, 0, 1), up: at(0, 1, 0) });
  pullStereo(mixer, {});
  t.strictSame(
    pullStereo(mixer, { 1: 10_000 }),
    { left: constant(5000), right: constant(0) },
    'turned round',
  );
  mixer.setListener({ position: at(0), forward: at(1), up: at(0, 1, 0) });
  pullStereo(mixer, {});
  t.strictSame(
    pullStereo(mixer, { 1: 10_000 }),
    { left: constant(3536), right: constant(3536) },
    'face to face',
  );
});

t.test('positions and listeners are copied', async (t) => {
  const mixer = new PlayoutMixer();
  const position = { x: 2, y: 0, z: 0 };
  const pose = { position: { x: 0, y: 0, z: 0 }, forward: at(0, 0, -1), up: at(0, 1, 0) };
  mixer.setPosition(1, position);
  mixer.setListener(pose);
  position.x = 1000;
  pose.position.x = 1000;
  t.strictSame(pull(mixer, { 1: 10_000 }), constant(5000));
});

t.test(
  'while a priority speaker is heard the others are lowered by 12 dB, over 10 ms and without a step',
  async (t) => {
    const mixer = new PlayoutMixer();
    mixer.set(1, { priority: 'priority' });
    t.strictSame(pull(mixer, { 2: 10_000 }), constant(10_000), 'untouched until then');
    const lowered = pull(mixer, { 1: 0, 2: 10_000 });
    t.ok(lowered[0]! < 10_000 && lowered[0]! > 9960, `${lowered[0]} is the first`);
    for (let i = 1; i < FRAME; i++) {
      const step = lowered[i - 1]! - lowered[i]!;
      if (step < 0 || step > 40) t.fail(`a step of ${step} at ${i}`);
    }
    t.ok(lowered[RAMP - 2]! > 2512, 'it takes 10 ms');
    t.ok(lowered.subarray(RAMP - 1).every((sample) => sample === 2512));
  },
);

t.test(
  'the others are raised again 250 ms after a priority speaker was heard, whatever the length of a pull',
  async (t) => {
    for (const samples of [1, 100, FRAME, 7000]) {
      const mixer = new PlayoutMixer();
      mixer.set(1, { priority: 'priority' });
      pull(mixer, { 1: 5, 2: 10_000 });
      const heard: number[] = [];
      while (heard.length < samplesOfMs(300)) heard.push(...pull(mixer, { 2: 10_000 }, { samples }));
      const held = samplesOfMs(250);
      t.ok(
        heard.slice(0, held).every((sample) => sample === 2512),
        `${samples}: 250 ms`,
      );
      for (let i = held; i < heard.length; i++) {
        const step = heard[i]! - heard[i - 1]!;
        if (step < 0 || step > 40) t.fail(`a step of ${step} at ${i}`);
      }
      t.ok(
        heard.slice(held + RAMP - 1).every((sample) => sample === 10_000),
        `${samples}: as it was, to the bit`,
      );
    }
  },
);

t.test('a priority speaker is not lowered, not even by another one', async (t) => {
  const mixer = new PlayoutMixer();
  mixer.set(1, { priority: 'priority' });
  mixer.set(3, { priority: 'priority' });
  pull(mixer, { 1: 1000, 2: 10_000, 3: 200 });
  t.strictSame(pull(mixer, { 1: 1000, 2: 10_000, 3: 200 }), constant(1000 + 2512 + 200));
});

t.test(
  'a priority speaker who is not heard lowers nobody: silent, muted, out of range, forgotten, without priority',
  async (t) => {
    const table: [what: string, change: (mixer: PlayoutMixer) => void, kind: SoundKind][] = [
      ['silent', () => {}, 'silence'],
      ['muted', (mixer) => mixer.set(1, { muted: 'muted' }), 'voice'],
      ['out of range', (mixer) => mixer.setPosition(1, at(20_000)), 'voice'],
      ['forgotten', (mixer) => mixer.forget(1), 'voice'],
      ['without priority', (mixer) => mixer.set(1, { priority: 'none' }), 'voice'],
    ];
    for (const [what, change, kind] of table) {
      const mixer = new PlayoutMixer();
      mixer.set(1, { priority: 'priority' });
      change(mixer);
      t.strictSame(pull(mixer, { 1: 0, 2: 10_000 }, { kind }), constant(10_000), what);
    }
  },
);

t.test('by how much is chosen: 0 dB changes nothing, 20 dB leaves a tenth', async (t) => {
  for (const [duckDb, value] of [
    [0, 10_000],
    [20, 1000],
  ] as const) {
    const mixer = new PlayoutMixer({ duckDb });
    mixer.set(1, { priority: 'priority' });
    pull(mixer, { 1: 0, 2: 10_000 });
    t.strictSame(pull(mixer, { 1: 0, 2: 10_000 }), constant(value));
  }
});

t.test('who gets or loses priority while others have it changes without a step', async (t) => {
  const mixer = new PlayoutMixer();
  mixer.set(1, { priority: 'priority' });
  let heard = [...pull(mixer, { 1: 0, 2: 10_000 })];
  for (const priority of ['priority', 'none'] as const) {
    mixer.set(2, { priority });
    heard = [...heard.slice(-1), ...pull(mixer, { 1: 0, 2: 10_000 })];
    for (let i = 1; i < heard.length; i++) {
      const step = Math.abs(heard[i]! - heard[i - 1]!);
      if (step > 40) t.fail(`a step of ${step} at ${i}, ${priority}`);
    }
    t.equal(heard.at(-1), priority === 'priority' ? 10_000 : 2512);
  }
});

t.test('levelling raises a quiet speaker if it is on, and off is as before', async (t) => {
  const mixer = new PlayoutMixer();
  const loud = constant(500).map((x, i) => (i % 48 < 24 ? x : -x));
  const quiet = constant(20).map((x, i) => (i % 48 < 24 ? x : -x));
  mixer.set(1, { levelling: 'on' });
  const last = (kind: SoundKind) => {
    let heard: Int16Array = quiet;
    for (let i = 0; i < 1000; i++) {
      pull(mixer, { 1: quiet }, { kind });
      heard = pull(mixer, { 1: loud }, { kind });
    }
    return heard[FRAME - 1]! / loud[FRAME - 1]!;
  };
  t.equal(last('silence'), 1, 'silence does not count');
  t.ok(Math.abs(last('voice') - factorOfDb(12)) < 0.1);
  mixer.set(1, { levelling: 'off' });
  pull(mixer, { 1: loud });
  t.strictSame(pull(mixer, { 1: loud }), loud);
});

t.test('the level is what arrives, before volume, mute and distance', async (t) => {
  const mixer = new PlayoutMixer();
  t.strictSame(mixer.level(1), { rmsDb: -96, peakDb: -96 });
  mixer.set(1, { volumeDb: -40 });
  mixer.setPosition(1, at(1000));
  for (let i = 0; i < 100; i++) pull(mixer, { 1: constant(3277).map((x, i) => (i % 48 < 24 ? x : -x)) });
  const { rmsDb, peakDb } = mixer.level(1);
  t.ok(Math.abs(peakDb + 20) < 0.01 && Math.abs(rmsDb + 16.99) < 0.01, `${rmsDb}, ${peakDb}`);
  for (let i = 0; i < 50; i++) pull(mixer, {});
  t.ok(mixer.level(1).rmsDb < rmsDb - 40, 'and it falls while nothing is added');
  mixer.forget(1);
  t.strictSame(mixer.level(1), { rmsDb: -96, peakDb: -96 });
});

t.test('the loudest mix is limited, which is counted', async (t) => {
  const mixer = new PlayoutMixer();
  const everybody = Object.fromEntries(Array.from({ length: 64 }, (_, slot) => [slot, 32_767]));
  const heard = pull(mixer, everybody);
  t.ok(heard.every((sample) => sample > 20_000 && sample <= 32_767));
  t.equal(mixer.limitedSamples, FRAME);
});

t.test('a sum is limited once, not speaker by speaker', async (t) => {
  t.strictSame(pull(new PlayoutMixer(), { 1: 30_000, 2: 20_000, 3: -30_000 }), constant(20_000));
});

t.test('who was forgotten needs no place any more', async (t) => {
  const mixer = new PlayoutMixer({ maxSpeakers: 2 });
  for (let slot = 0; slot < 10; slot++) {
    mixer.set(slot, { volumeDb: -6 });
    mixer.forget(slot);
  }
  t.equal(mixer.evictedSpeakers, 0);
});

t.test('who takes the place of another has nothing to fade out', async (t) => {
  const mixer = new PlayoutMixer({ maxSpeakers: 1 });
  pull(mixer, { 1: 1000 });
  mixer.set(2, { muted: 'muted' });
  t.equal(mixer.audibility(2), 'inaudible');
});

t.test('after forget a slot is somebody else: no settings, no fade, no level', async (t) => {
  const mixer = new PlayoutMixer();
  mixer.set(1, { volumeDb: -20 });
  pull(mixer, { 1: 1000 });
  mixer.forget(1);
  mixer.forget(99);
  t.strictSame(pull(mixer, { 1: 1000 }), constant(1000));
});

t.test(
  'one speaker too many makes the mixer forget who was silent for longest, which is counted',
  async (t) => {
    const mixer = new PlayoutMixer({ maxSpeakers: 3 });
    mixer.set(1, { volumeDb: -20 });
    pull(mixer, { 2: 10 });
    pull(mixer, { 3: 10 });
    pull(mixer, { 2: 10 });
    t.equal(mixer.evictedSpeakers, 0);
    t.strictSame(pull(mixer, { 4: 10 }), constant(10));
    t.equal(mixer.evictedSpeakers, 1);
    t.equal(mixer.level(3).peakDb, -96, 'the third is forgotten');
    t.ok(mixer.level(2).peakDb > -96);
    t.equal(mixer.settings(1).volumeDb, -20, 'settings are kept while somebody without any can go');
    mixer.setPosition(4, at(1));
    pull(mixer, { 2: 10 });
    pull(mixer, { 5: 10 });
    t.equal(mixer.level(2).peakDb, -96, 'so is the second, rather than somebody with a position');
    mixer.set(5, { volumeDb: -6 });
    mixer.set(6, { volumeDb: -6 });
    t.equal(mixer.level(4).peakDb, -96, 'then who has only a position');
    mixer.set(1, { pan: 0.5 });
    mixer.set(6, { volumeDb: 0 });
    mixer.set(7, { volumeDb: -6 });
    t.equal(mixer.settings(5).volumeDb, -6, 'settings that are the defaults again are no reason to stay');
    pull(mixer, {});
    mixer.set(5, { pan: 1 });
    mixer.set(7, { pan: 1 });
    mixer.set(8, { pan: 1 });
    t.equal(mixer.settings(1).volumeDb, 0, 'and last the oldest');
    t.equal(mixer.evictedSpeakers, 5);
  },
);

t.test('with more speakers than it knows the mixer still plays each of them', async (t) => {
  const mixer = new PlayoutMixer({ maxSpeakers: 2 });
  for (let i = 0; i < 3; i++) t.strictSame(pull(mixer, { 1: 1, 2: 10, 3: 100, 4: 1000 }), constant(1111));
});

t.test('whoever names 65,536 slots makes the mixer keep 64 of them', async (t) => {
  const mixer = new PlayoutMixer();
  mixer.begin(1);
  const one = constant(1, 1);
  for (let slot = 0; slot < 65_536; slot++) {
    mixer.set(slot, { volumeDb: 6 });
    mixer.setPosition(slot, at(1));
    mixer.add(slot, one, 'voice');
  }
  mixer.finish(new Int16Array(1));
  t.equal(mixer.evictedSpeakers, 65_536 - 64);
  let kept = 0;
  for (let slot = 0; slot < 65_536; slot++) if (mixer.settings(slot).volumeDb === 6) kept += 1;
  t.equal(kept, 64);
});

t.test('options out of their range are refused by name', async (t) => {
  const table: [options: MixerOptions, named: RegExp][] = [
    [{ channels: 3 as never }, /channels is 3, expected a whole number from 1 to 2/],
    [{ channels: 1.5 as never }, /channels is 1.5/],
    [{ duckDb: -1 }, /Cannot mix: duckDb is -1, expected 0 to 60/],
    [{ duckDb: 61 }, /duckDb is 61/],
    [{ duckDb: Number.NaN }, /duckDb is NaN/],
    [{ maxSpeakers: 0 }, /maxSpeakers is 0/],
    [{ maxSpeakers: 1001 }, /maxSpeakers is 1001/],
    [{ maxSpeakers: 1.5 }, /maxSpeakers is 1.5/],
    [{ spatial: { rolloff: -1 } }, /rolloff is -1/],
  ];
  for (const [options, named] of table)
    t.throws(() => new PlayoutMixer(options), { name: 'RangeError', message: named });
});

t.test('settings out of their range are refused by name, and change nothing', async (t) => {
  const table: [settings: SpeakerSettings, named: RegExp][] = [
    [{ volumeDb: -60.1 }, /Cannot set a speaker: volumeDb is -60.1, expected -60 to 20/],
    [{ volumeDb: 20.1 }, /volumeDb is 20.1/],
    [{ volumeDb: Number.NaN }, /volumeDb is NaN/],
    [{ volumeDb: '3' as never }, /volumeDb is 3/],
    [{ pan: -1.1 }, /pan is -1.1, expected -1 to 1/],
    [{ pan: Number.NaN }, /pan is NaN/],
    [{ muted: true as never }, /muted is true, expected muted or heard/],
    [{ priority: 'high' as never }, /priority is high/],
    [{ levelling: false as never }, /levelling is false/],
  ];
  const mixer = new PlayoutMixer();
  for (const [settings, named] of table) {
    t.throws(() => mixer.set(1, { volumeDb: -6, ...settings }), { name: 'RangeError', message: named });
    t.equal(mixer.settings(1).volumeDb, 0);
  }
  for (const slot of [-1, 65_536, 0.5, Number.NaN]) {
    t.throws(() => mixer.set(slot, {}), { name: 'RangeError', message: new RegExp(`slot is ${slot}`) });
    t.throws(() => mixer.setPosition(slot, null), RangeError);
  }
  t.throws(() => mixer.setPosition(1, at(0, Number.NaN)), {
    name: 'RangeError',
    message: 'Cannot place a speaker: position.y is NaN, expected a finite number',
  });
});

t.test('a pull that is used wrongly is refused', async (t) => {
  const mixer = new PlayoutMixer({ channels: 2 });
  for (const samples of [-1, 0.5, 240_001, Number.NaN]) t.throws(() => mixer.begin(samples), RangeError);
  t.throws(() => mixer.add(1, constant(0), 'voice'), { message: /no pull was begun/ });
  t.throws(() => mixer.finish(constant(0)), { message: /no pull was begun/ });
  mixer.begin(FRAME);
  t.throws(() => mixer.add(1, constant(0, FRAME - 1), 'voice'), {
    message: /479 samples, expected at least 480/,
  });
  t.throws(() => mixer.add(1, constant(0), 'noise' as never), { message: /kind is noise/ });
  t.throws(() => mixer.add(-1, constant(0), 'voice'), { message: /slot is -1/ });
  mixer.add(1, constant(0), 'voice');
  t.throws(() => mixer.add(1, constant(0), 'voice'), { message: /added twice/ });
  t.throws(() => mixer.finish(constant(0)), { message: /room for 480 values, expected 960/ });
  mixer.finish(constant(0, 960));
  t.throws(() => mixer.finish(constant(0, 960)), { message: /no pull was begun/ });
});

t.test('a pull that was not finished leaves nothing in the next', async (t) => {
  const mixer = new PlayoutMixer();
  mixer.begin(FRAME);
  mixer.add(1, constant(1000), 'voice');
  t.strictSame(pull(mixer, { 1: 5 }), constant(5));
});
