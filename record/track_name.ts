/**
 * File names from the names that players choose, which are sometimes hostile: paths, Windows device names, control characters that
 * change the writing direction, a thousand letters, or nothing.
 */

/** How much of the participant's name a file name keeps: 40 code points, at most 160 bytes. File systems allow 255 in total. */
export const MAX_NAME_LETTERS = 40;

/**
 * The file name of a participant's track: `<name>-<SteamID>.wav`. Letters, marks and digits of any script stay; everything else
 * becomes `_`. The SteamID makes it unique, and so that a name such as `CON` is never the whole file name.
 */
export function trackFileName(name: string, steamId: bigint): string {
  return `${safeName(name)}-${steamId}.wav`;
}

/**
 * `fileName`, or, if it is taken, `fileName` with the first free number from 2 before its extension. Adds the result to `taken`, which
 * contains names as `foldedName` returns them.
 */
export function claimFileName(fileName: string, taken: Set<string>): string {
  const dot = fileName.lastIndexOf('.');
  let free = fileName;
  for (let number = 2; taken.has(foldedName(free)); number++) {
    free = `${fileName.slice(0, dot)}-${number}${fileName.slice(dot)}`;
  }
  taken.add(foldedName(free));
  return free;
}

/** Equal for two names that are the same file on a disk that ignores case and Unicode composition. */
export function foldedName(fileName: string): string {
  return fileName.normalize('NFC').toLowerCase();
}

function safeName(name: string): string {
  // Cut first, since a name may have any length and may grow when it is normalised.
  const letters = name
    .slice(0, 8 * MAX_NAME_LETTERS)
    .normalize('NFKC')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '_')
    .replace(/^[_\p{M}]+|_+$/gu, '');
  return [...letters].slice(0, MAX_NAME_LETTERS).join('').replace(/_+$/, '') || 'participant';
}
