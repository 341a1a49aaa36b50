/** How clean a sine came through: the sine of its frequency that fits best, against all else. */

export interface SineFit {
  /** Of the sine that fits best, in the unit of the samples. */
  readonly amplitude: number;
  /** Mean square of what is left without it. */
  readonly noise: number;
  /** That sine against what is left. */
  readonly snrDb: number;
}

/** Fits a sine of `hertz` to `samples` at `rateHz`, whatever its phase: cut away what is not settled before. */
export function fitSine(samples: Float32Array, hertz: number, rateHz: number): SineFit {
  const step = (2 * Math.PI * hertz) / rateHz;
  // Least squares over cos and sin: the 2 × 2 normal equations.
  let [cc, ss, cs, xc, xs, xx] = [0, 0, 0, 0, 0, 0];
  samples.forEach((x, i) => {
    const [c, s] = [Math.cos(step * i), Math.sin(step * i)];
    cc += c * c;
    ss += s * s;
    cs += c * s;
    xc += x * c;
    xs += x * s;
    xx += x * x;
  });
  const determinant = cc * ss - cs * cs;
  const a = (xc * ss - xs * cs) / determinant;
  const b = (xs * cc - xc * cs) / determinant;
  let left = 0;
  samples.forEach((x, i) => {
    left += (x - a * Math.cos(step * i) - b * Math.sin(step * i)) ** 2;
  });
  return {
    amplitude: Math.hypot(a, b),
    noise: left / samples.length,
    snrDb: 10 * Math.log10((xx - left) / left),
  };
}
