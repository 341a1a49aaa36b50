/** Refuses settings that are out of their range, by name. Pure. */

/** @throws RangeError unless `value` is from `least` to `most`: `Cannot mix: duckDb is 61, expected 0 to 60`. */
export function checkRange(action: string, name: string, value: number, least: number, most: number): void {
  if (typeof value === 'number' && value >= least && value <= most) return;
  throw new RangeError(`Cannot ${action}: ${name} is ${value}, expected ${least} to ${most}`);
}

/** @throws RangeError unless `value` is a whole number from `least` to `most`. */
export function checkWhole(action: string, name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot ${action}: ${name} is ${value}, expected a whole number from ${least} to ${most}`,
  );
}

/** @throws RangeError unless `value` is one of `words`. */
export function checkWord(action: string, name: string, value: string, words: readonly string[]): void {
  if (words.includes(value)) return;
  throw new RangeError(`Cannot ${action}: ${name} is ${String(value)}, expected ${words.join(' or ')}`);
}
