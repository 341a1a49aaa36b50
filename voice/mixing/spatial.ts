/**
 * How loud a speaker in the game's world is at a distance, and from which side they are heard. Pure.
 *
 * Distance models, azimuth and equal-power panning are those of the W3C's Web Audio API (PannerNode, StereoPannerNode), with the same
 * defaults. One thing differs: beyond the maximum distance nothing is heard, with every model.
 *
 * Real-time: nothing is allocated except by `setListener`.
 */

import { checkRange, checkWord } from './setting_range.js';
import {
  checkVector,
  cross,
  distanceBetween,
  largestOf,
  type Pose,
  TINY,
  unit,
  type Vector,
} from './vector.js';

/** How the gain falls with distance. */
export type DistanceModel = 'linear' | 'inverse' | 'exponential';

/** How distance makes a voice quieter. */
export interface SpatialOptions {
  /** Default 'inverse'. */
  readonly distanceModel?: DistanceModel;
  /** Up to here a speaker is at full volume. Above 0, up to 1e9. Default 1. */
  readonly referenceDistance?: number;
  /** Beyond this nothing is heard. Above `referenceDistance`, up to 1e9. Default 10,000. */
  readonly maxDistance?: number;
  /** How fast the gain falls, 0 (not at all) to 100; 'linear': 0 to 1. Default 1. */
  readonly rolloff?: number;
  /**
   * Of the game's coordinates. Default 'right', as in OpenGL, Web Audio, three.js and Godot. Unity and Unreal have 'left'; with the wrong one,
   * left and right are exchanged.
   */
  readonly handedness?: 'right' | 'left';
}

/** The listener before `setListener`, as in Web Audio: in the origin, looking along -z, y up. */
const FIRST_POSE: Pose = {
  position: { x: 0, y: 0, z: 0 },
  forward: { x: 0, y: 0, z: -1 },
  up: { x: 0, y: 1, z: 0 },
};

const MOST = 1e9;

/** One listener among speakers. */
export class SpatialField {
  readonly #options: Required<SpatialOptions>;
  #position: Vector = FIRST_POSE.position;
  #forward: Vector = FIRST_POSE.forward;
  /** Of length 1, or zero if forward and up do not say what is left and right. */
  #right: Vector = { x: 1, y: 0, z: 0 };
  /** Counts the listener's poses: what was computed for another number is out of date. */
  version = 0;

  /** @throws RangeError for an option out of its range. */
  constructor(options: SpatialOptions = {}) {
    this.#options = checkedSpatialOptions(options);
    this.setListener(FIRST_POSE);
  }

  /**
   * Moves the listener. The vectors are copied.
   *
   * @throws RangeError for a coordinate that is not a finite number.
   */
  setListener({ position, forward, up }: Pose): void {
    checkVector('place the listener', 'position', position);
    checkVector('place the listener', 'forward', forward);
    checkVector('place the listener', 'up', up);
    this.#position = { x: position.x, y: position.y, z: position.z };
    this.#forward = unit(forward);
    const side = cross(this.#forward, unit(up));
    const isParallel = largestOf(side.x, side.y, side.z) < TINY;
    const { x, y, z } = isParallel ? { x: 0, y: 0, z: 0 } : unit(side);
    this.#right = this.#options.handedness === 'right' ? { x, y, z } : { x: -x, y: -y, z: -z };
    this.version += 1;
  }

  /** The factor for a speaker at `position`, 0 to 1. */
  distanceGain(position: Vector): number {
    return distanceGain(this.#options, distanceBetween(position, this.#position));
  }

  /**
   * The angle to a speaker at `position`, in degrees: 0 is ahead, 90 right, -90 left, 180 or -180 behind. Height does not count. It is 0 where
   * no angle is defined: at the listener's own place, right above or below them, and if `forward` or `up` is zero or both are parallel.
   */
  azimuth(position: Vector): number {
    // Halves, so that a difference cannot overflow.
    const x = position.x / 2 - this.#position.x / 2;
    const y = position.y / 2 - this.#position.y / 2;
    const z = position.z / 2 - this.#position.z / 2;
    const largest = largestOf(x, y, z);
    const { x: rightX, y: rightY, z: rightZ } = this.#right;
    if (largest === 0 || (rightX === 0 && rightY === 0 && rightZ === 0)) return 0;
    const right = (x / largest) * rightX + (y / largest) * rightY + (z / largest) * rightZ;
    const { x: forwardX, y: forwardY, z: forwardZ } = this.#forward;
    const ahead = (x / largest) * forwardX + (y / largest) * forwardY + (z / largest) * forwardZ;
    if (Math.abs(right) < TINY && Math.abs(ahead) < TINY) return 0;
    return (Math.atan2(right, ahead) * 180) / Math.PI;
  }

  /** From where between left (-1) and right (1) a speaker at `position` is heard. What is behind is heard as if it were ahead. */
  pan(position: Vector): number {
    const azimuth = this.azimuth(position);
    if (azimuth < -90) return (-180 - azimuth) / 90;
    if (azimuth > 90) return (180 - azimuth) / 90;
    return azimuth / 90;
  }
}

/**
 * The factor at a distance, 0 to 1, and 0 beyond `maxDistance`. With d the distance, but at least the reference distance r, the maximum distance
 * m and the roll-off f:
 *
 *     linear       1 - f · (d - r) / (m - r)
 *     inverse      r / (r + f · (d - r))
 *     exponential  (d / r)^-f
 */
export function distanceGain(options: Required<SpatialOptions>, distance: number): number {
  const { distanceModel, referenceDistance, maxDistance, rolloff } = options;
  if (distance > maxDistance) return 0;
  const beyond = Math.max(0, distance - referenceDistance);
  switch (distanceModel) {
    case 'linear':
      return 1 - (rolloff * beyond) / (maxDistance - referenceDistance);
    case 'inverse':
      return referenceDistance / (referenceDistance + rolloff * beyond);
    case 'exponential':
      return (Math.max(distance, referenceDistance) / referenceDistance) ** -rolloff;
  }
}

/** The left factor of a mono source at `pan`, -1 to 1: cos(x · π / 2) with x = (pan + 1) / 2. */
export function leftGain(pan: number): number {
  return Math.cos(((pan + 1) * Math.PI) / 4);
}

/** The right factor: sin(x · π / 2). The squares of both add up to 1, so the power is equal everywhere. */
export function rightGain(pan: number): number {
  return Math.sin(((pan + 1) * Math.PI) / 4);
}

/** @throws RangeError for an option out of its range. */
function checkedSpatialOptions(options: SpatialOptions): Required<SpatialOptions> {
  const { distanceModel = 'inverse', referenceDistance = 1, maxDistance = 10_000 } = options;
  const { rolloff = 1, handedness = 'right' } = options;
  const action = 'place speakers';
  checkWord(action, 'distanceModel', distanceModel, ['linear', 'inverse', 'exponential']);
  checkWord(action, 'handedness', handedness, ['right', 'left']);
  checkRange(action, 'rolloff', rolloff, 0, distanceModel === 'linear' ? 1 : 100);
  if (!(referenceDistance > 0 && referenceDistance < MOST)) {
    throw new RangeError(
      `Cannot ${action}: referenceDistance is ${referenceDistance}, expected above 0 and below ${MOST}`,
    );
  }
  if (!(maxDistance > referenceDistance && maxDistance <= MOST)) {
    throw new RangeError(
      `Cannot ${action}: maxDistance is ${maxDistance}, expected above ${referenceDistance} up to ${MOST}`,
    );
  }
  return { distanceModel, referenceDistance, maxDistance, rolloff, handedness };
}
