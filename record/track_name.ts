/**
 * File names from the names that people give themselves, which are hostile now and then: paths, devices of Windows, controls
 * that turn the text around, a thousand letters, or nothing.
 */

/** Letters of the participant's name that a file name keeps: 40 code points, at most 160 bytes. A file system takes 255 in all. */
export const MAX_NAME_LETTERS = 40;

/**
 * The file name of a participant's track: `<name>-<SteamID>.wav`. Letters, marks and digits of any script stay; everything else
 * becomes `_`. The SteamID makes it unique, and keeps `CON` and its like from being the whole name.
 */
export function trackFileName(name: string, steamId: bigint): string {
  return `${safeName(name)}-${steamId}.wav`;
}

/**
 * `fileName`, or where it is taken, `fileName` with the first free number from 2 before its ending. Adds the result to `taken`,
 * which holds names as `foldedName` gives them.
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

/** What two names have in common that are one file on a disk that does not tell case or composition apart. */
export function foldedName(fileName: string): string {
  return fileName.normalize('NFC').toLowerCase();
}

function safeName(name: string): string {
  // What may grow under normalisation is cut first: a name may be of any length.
  const letters = name
    .slice(0, 8 * MAX_NAME_LETTERS)
    .normalize('NFKC')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '_')
    .replace(/^[_\p{M}]+|_+$/gu, '');
  return [...letters].slice(0, MAX_NAME_LETTERS).join('').replace(/_+$/, '') || 'participant';
}
