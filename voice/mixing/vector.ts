/** Vectors of a game's world, and their arithmetic for numbers of any size. Pure. */

/** A place or a direction. The unit of length is the game's. */
export interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** Where the listener is, and how their head is turned. `forward` and `up` may have any length. */
export interface Pose {
  readonly position: Vector;
  /** Where the nose points. */
  readonly forward: Vector;
  /** Where the top of the head points: best perpendicular to `forward`, but only its part that is perpendicular counts. */
  readonly up: Vector;
}

/** Below this a vector next to one of length 1 is only rounding errors. */
export const TINY = 1e-9;

/** @throws RangeError unless each coordinate is a finite number. */
export function checkVector(action: string, name: string, vector: Vector): void {
  for (const axis of ['x', 'y', 'z'] as const) {
    if (!Number.isFinite(vector[axis]))
      throw new RangeError(`Cannot ${action}: ${name}.${axis} is ${vector[axis]}, expected a finite number`);
  }
}

/** The largest coordinate, without its sign. */
export function largestOf(x: number, y: number, z: number): number {
  return Math.max(Math.abs(x), Math.abs(y), Math.abs(z));
}

/** A vector of the same direction and of length 1; of the zero vector, itself. */
export function unit({ x, y, z }: Vector): Vector {
  const largest = largestOf(x, y, z);
  if (largest === 0) return { x: 0, y: 0, z: 0 };
  // Dividing by the largest first keeps the squares from overflowing and from vanishing.
  const length = Math.sqrt((x / largest) ** 2 + (y / largest) ** 2 + (z / largest) ** 2);
  return { x: x / largest / length, y: y / largest / length, z: z / largest / length };
}

/** The cross product. */
export function cross(a: Vector, b: Vector): Vector {
  return { x: a.y * b.z - a.z * b.y, y: a.z * b.x - a.x * b.z, z: a.x * b.y - a.y * b.x };
}

/** How far two places are apart; infinity if that is more than a number can say. */
export function distanceBetween(a: Vector, b: Vector): number {
  const x = a.x - b.x;
  const y = a.y - b.y;
  const z = a.z - b.z;
  const largest = largestOf(x, y, z);
  if (largest === 0 || largest === Number.POSITIVE_INFINITY) return largest;
  return largest * Math.sqrt((x / largest) ** 2 + (y / largest) ** 2 + (z / largest) ** 2);
}
