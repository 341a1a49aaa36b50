/** Suggestions for misspelled names. */

/**
 * The name among `names` that is nearest to `written`, if it is near enough: at most one letter in three is wrong, missing, added or
 * swapped. Case, `_` and `-` do not count. Null if no name is near enough.
 */
export function didYouMean(written: string, names: Iterable<string>): string | null {
  // Longer texts are not misspellings, and comparing takes quadratic time.
  if (written.length > 80) return null;
  const plain = plainly(written);
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const steps = distance(plain, plainly(name));
    if (steps < least && steps <= Math.max(plain.length, name.length) / 3) {
      best = name;
      least = steps;
    }
  }
  return best;
}

function plainly(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

/** Optimal string alignment: swapped neighbours are one step. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let steps = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) steps = Math.min(steps, before[j - 2]! + 1);
      row.push(steps);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
