/** Distance, azimuth and panning against the formulas of the Web Audio API, and for vectors that make no sense. */

import fc from 'fast-check';
import t from 'tap';
import {
  type DistanceModel,
  leftGain,
  rightGain,
  SpatialField,
  type SpatialOptions,
} from '../../../voice/mixing/spatial.js';
import type { Pose, Vector } from '../../../voice/mixing/vector.js';
import { SEED } from '../../kit/random.js';

const at = (x: number, y = 0, z = 0): Vector => ({ x, y, z });
const ORIGIN = at(0);
const AHEAD = at(0, 0, -1);
const UP = at(0, 1, 0);

function field(pose: Partial<Pose> = {}, options: SpatialOptions = {}): SpatialField {
  const made = new SpatialField(options);
  made.setListener({ position: ORIGIN, forward: AHEAD, up: UP, ...pose });
  return made;
}

const isNear = (a: number, b: number, tolerance = 1e-9) => Math.abs(a - b) <= tolerance;

t.test(
  'the distance models are those of the Web Audio API, and silent beyond the maximum distance',
  async (t) => {
    const table: [
      DistanceModel,
      reference: number,
      max: number,
      rolloff: number,
      distance: number,
      gain: number,
    ][] = [
      ['inverse', 1, 10_000, 1, 0, 1],
      ['inverse', 1, 10_000, 1, 1, 1],
      ['inverse', 1, 10_000, 1, 2, 1 / 2],
      ['inverse', 1, 10_000, 1, 10, 1 / 10],
      ['inverse', 2, 50, 3, 10, 2 / (2 + 3 * 8)],
      ['inverse', 2, 50, 3, 50, 2 / (2 + 3 * 48)],
      ['inverse', 2, 50, 3, 50.001, 0],
      ['linear', 1, 11, 1, 0.5, 1],
      ['linear', 1, 11, 1, 6, 1 / 2],
      ['linear', 1, 11, 0.5, 6, 3 / 4],
      ['linear', 1, 11, 1, 11, 0],
      ['linear', 1, 11, 0.5, 11, 1 / 2],
      ['linear', 1, 11, 0.5, 11.001, 0],
      ['exponential', 1, 100, 1, 0.5, 1],
      ['exponential', 1, 100, 2, 4, 1 / 16],
      ['exponential', 2, 100, 1.5, 8, 1 / 8],
      ['exponential', 2, 100, 1.5, 100, 50 ** -1.5],
      ['exponential', 2, 100, 1.5, 100.001, 0],
      ['inverse', 1, 100, 0, 99, 1],
      ['exponential', 1, 100, 0, 99, 1],
    ];
    for (const [distanceModel, referenceDistance, maxDistance, rolloff, distance, gain] of table) {
      const made = field(
        { position: at(3, -4, 5) },
        { distanceModel, referenceDistance, maxDistance, rolloff },
      );
      // A direction with a length of exactly 1.
      const heard = made.distanceGain(at(3 + distance * 0.6, -4 + distance * 0.8, 5));
      t.ok(
        isNear(heard, gain),
        `${distanceModel}, ${distance} of ${referenceDistance} to ${maxDistance}: ${heard}`,
      );
    }
  },
);

t.test('the gain is from 0 to 1 and never rises with the distance', async (t) => {
  t.comment(`seed ${SEED}`);
  const options = fc.record({
    distanceModel: fc.constantFrom<DistanceModel>('linear', 'inverse', 'exponential'),
    referenceDistance: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
    maxDistance: fc.double({ min: 1001, max: 1e9, noNaN: true }),
    rolloff: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const distances = fc.array(fc.double({ min: 0, max: 1e10, noNaN: true }), { minLength: 2, maxLength: 20 });
  const falls = fc.property(options, distances, (options, distances) => {
    const made = field({}, options);
    let before = 1;
    for (const distance of distances.sort((a, b) => a - b)) {
      const gain = made.distanceGain(at(0, distance, 0));
      if (!(gain >= 0 && gain <= before)) return false;
      before = gain;
    }
    return true;
  });
  fc.assert(falls, { seed: SEED, numRuns: 1000 });
});

t.test('azimuth: ahead is 0, right 90, left -90, behind 180', async (t) => {
  const made = field();
  t.equal(made.azimuth(at(0, 0, -5)), 0);
  t.equal(made.azimuth(at(5, 0, 0)), 90);
  t.equal(made.azimuth(at(-5, 0, 0)), -90);
  t.equal(Math.abs(made.azimuth(at(0, 0, 5))), 180);
  t.ok(isNear(made.azimuth(at(3, 7, -3)), 45), 'height does not count');
});

t.test('a listener who was never placed is in the origin and looks along -z', async (t) => {
  t.equal(new SpatialField().azimuth(at(5, 0, 0)), 90);
  t.equal(new SpatialField().distanceGain(at(0, 4, 0)), 1 / 4);
});

t.test('in left-handed coordinates left and right are exchanged', async (t) => {
  // Unity: x right, y up, z ahead.
  const made = field({ forward: at(0, 0, 1) }, { handedness: 'left' });
  t.equal(made.azimuth(at(5, 0, 0)), 90);
  t.equal(made.azimuth(at(0, 0, 5)), 0);
  // Unreal: x ahead, y right, z up.
  t.equal(field({ forward: at(1), up: at(0, 0, 1) }, { handedness: 'left' }).azimuth(at(0, 5, 0)), 90);
  t.equal(field({ forward: at(0, 0, 1) }).azimuth(at(5, 0, 0)), -90);
});

/** The algorithm as the Web Audio API writes it down, in vectors and arc cosines. */
function azimuthOfWebAudio(source: Vector, { position, forward, up }: Pose): number {
  const diff = (a: Vector, b: Vector) => at(a.x - b.x, a.y - b.y, a.z - b.z);
  const dot = (a: Vector, b: Vector) => a.x * b.x + a.y * b.y + a.z * b.z;
  const scale = (a: Vector, by: number) => at(a.x * by, a.y * by, a.z * by);
  const normalize = (a: Vector) => scale(a, 1 / Math.hypot(a.x, a.y, a.z));
  const cross = (a: Vector, b: Vector) =>
    at(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
  const sourceListener = normalize(diff(source, position));
  const right = normalize(cross(forward, up));
  const ahead = normalize(forward);
  const top = cross(right, ahead);
  const projected = normalize(diff(sourceListener, scale(top, dot(sourceListener, top))));
  const cosine = Math.max(-1, Math.min(1, dot(projected, right)));
  let azimuth = (180 * Math.acos(cosine)) / Math.PI;
  if (dot(projected, ahead) < 0) azimuth = 360 - azimuth;
  return azimuth <= 270 ? 90 - azimuth : 450 - azimuth;
}

/** Equal-power panning of a mono source, as written there: with an azimuth. */
function gainsOfWebAudio(azimuth: number): readonly [left: number, right: number] {
  let folded = Math.min(180, Math.max(-180, azimuth));
  if (folded < -90) folded = -180 - folded;
  else if (folded > 90) folded = 180 - folded;
  const x = (folded + 90) / 180;
  return [Math.cos((x * Math.PI) / 2), Math.sin((x * Math.PI) / 2)];
}

const coordinate = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((thousandths) => thousandths / 1000);
const vector = fc.record({ x: coordinate, y: coordinate, z: coordinate });

t.test('azimuth and panning are those of the Web Audio API, for any pose', async (t) => {
  t.comment(`seed ${SEED}`);
  let compared = 0;
  const agrees = fc.property(vector, vector, vector, vector, (source, position, forward, up) => {
    const made = field({ position, forward, up });
    const wanted = azimuthOfWebAudio(source, { position, forward, up });
    // Not near the degenerate cases, where rounding decides.
    if (!isWellDefined(source, position, forward, up)) return true;
    compared += 1;
    // -180 and 180 are one direction.
    const difference = Math.abs(made.azimuth(source) - wanted) % 360;
    const [left, right] = gainsOfWebAudio(wanted);
    const pan = made.pan(source);
    return (
      Math.min(difference, 360 - difference) < 1e-4 &&
      isNear(leftGain(pan), left, 1e-6) &&
      isNear(rightGain(pan), right, 1e-6)
    );
  });
  fc.assert(agrees, { seed: SEED, numRuns: 3000 });
  t.ok(compared > 1000, `${compared} poses`);
});

/** Whether forward and up are apart, and the speaker neither at the listener's place nor right above or below. */
function isWellDefined(source: Vector, position: Vector, forward: Vector, up: Vector): boolean {
  const dot = (a: Vector, b: Vector) => a.x * b.x + a.y * b.y + a.z * b.z;
  const length = (a: Vector) => Math.hypot(a.x, a.y, a.z);
  const without = (a: Vector, b: Vector) => {
    const share = dot(a, b) / dot(b, b);
    return at(a.x - share * b.x, a.y - share * b.y, a.z - share * b.z);
  };
  const apart = at(source.x - position.x, source.y - position.y, source.z - position.z);
  if (![apart, forward, up].every((it) => length(it) > 1e-3)) return false;
  const top = without(up, forward);
  return length(top) > 1e-3 * length(up) && length(without(apart, top)) > 1e-3 * length(apart);
}

t.test('the power is equal from left to right', async (t) => {
  for (let pan = -1; pan <= 1; pan += 0.01)
    t.ok(isNear(leftGain(pan) ** 2 + rightGain(pan) ** 2, 1), `${pan}`);
  t.equal(leftGain(-1), 1);
  t.ok(isNear(rightGain(-1), 0) && isNear(leftGain(1), 0) && isNear(rightGain(1), 1));
  t.ok(isNear(leftGain(0), Math.SQRT1_2) && isNear(rightGain(0), Math.SQRT1_2));
});

t.test('where no angle is defined a speaker is heard in the middle', async (t) => {
  const table: [what: string, pose: Partial<Pose>, source: Vector][] = [
    ['the same place', { position: at(7, 8, 9) }, at(7, 8, 9)],
    ['right above', {}, at(0, 5, 0)],
    ['right below', { position: at(1, 1, 1) }, at(1, -5, 1)],
    ['forward parallel to up', { forward: UP }, at(5)],
    ['forward against up', { forward: at(0, -3, 0) }, at(5)],
    ['parallel, but for rounding', { forward: at(0.1, 0.2, 0.3), up: at(0.3, 0.6, 0.9) }, at(5)],
    ['no forward', { forward: ORIGIN }, at(5)],
    ['no up', { up: ORIGIN }, at(5)],
    ['nothing at all', { forward: ORIGIN, up: ORIGIN }, ORIGIN],
  ];
  for (const [what, pose, source] of table) {
    const made = field(pose);
    t.equal(made.azimuth(source), 0, what);
    t.equal(made.pan(source), 0, what);
  }
});

t.test('right above a listener who leans is the middle, whatever is rounded', async (t) => {
  for (const [forward, up] of [
    [at(0.1, 0.2, 0.2), at(0.2, 0.1, -0.2)],
    [at(0.3, 0.7, 0.1), at(0.7, -0.3, 0)],
    [at(1, 2, 3), at(0.3, 0, -0.1)],
    [at(0.7, 0.1, 0.4), at(-0.1, 0.7, 0)],
  ] as const) {
    for (let height = -10; height <= 10; height += 0.37) {
      const source = at(up.x * height, up.y * height, up.z * height);
      t.equal(field({ forward, up }).azimuth(source), 0, `${height}`);
    }
  }
});

t.test('numbers of any size give a pan and a gain', async (t) => {
  t.comment(`seed ${SEED}`);
  const any = fc.double({ noNaN: true, noDefaultInfinity: true });
  const anywhere = fc.record({ x: any, y: any, z: any });
  const isSound = fc.property(anywhere, anywhere, anywhere, anywhere, (source, position, forward, up) => {
    const made = field({ position, forward, up });
    const pan = made.pan(source);
    const gain = made.distanceGain(source);
    return pan >= -1 && pan <= 1 && gain >= 0 && gain <= 1;
  });
  fc.assert(isSound, { seed: SEED, numRuns: 3000 });
  const far = field({ position: at(-1.7e308), forward: at(0, 0, -1e300), up: at(0, 1e-300, 0) });
  t.equal(far.azimuth(at(1.7e308)), 90);
  t.equal(far.distanceGain(at(1.7e308)), 0);
});

t.test('a coordinate that is not a finite number is refused by name', async (t) => {
  for (const bad of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    '1' as never,
    undefined as never,
  ]) {
    for (const name of ['position', 'forward', 'up'] as const) {
      const made = field();
      t.throws(
        () => made.setListener({ position: ORIGIN, forward: AHEAD, up: UP, [name]: { x: 0, y: bad, z: 0 } }),
        {
          name: 'RangeError',
          message: `Cannot place the listener: ${name}.y is ${bad}, expected a finite number`,
        },
      );
      t.equal(made.azimuth(at(5)), 90, 'and the listener stays where they were');
    }
  }
});

t.test('options out of their range are refused by name', async (t) => {
  const table: [options: SpatialOptions, named: RegExp][] = [
    [
      { distanceModel: 'cubic' as never },
      /distanceModel is cubic, expected linear or inverse or exponential/,
    ],
    [{ handedness: 'both' as never }, /handedness is both/],
    [{ referenceDistance: 0 }, /referenceDistance is 0/],
    [{ referenceDistance: -1 }, /referenceDistance is -1/],
    [{ referenceDistance: Number.NaN }, /referenceDistance is NaN/],
    [{ referenceDistance: 10, maxDistance: 10 }, /maxDistance is 10, expected above 10/],
    [{ maxDistance: Number.POSITIVE_INFINITY }, /maxDistance is Infinity/],
    [{ maxDistance: Number.NaN }, /maxDistance is NaN/],
    [{ rolloff: -0.1 }, /rolloff is -0.1, expected 0 to 100/],
    [{ rolloff: 101 }, /rolloff is 101/],
    [{ rolloff: Number.NaN }, /rolloff is NaN/],
    [{ rolloff: 1.1, distanceModel: 'linear' }, /rolloff is 1.1, expected 0 to 1/],
  ];
  for (const [options, named] of table)
    t.throws(() => new SpatialField(options), { name: 'RangeError', message: named });
});
