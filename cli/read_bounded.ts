/** Reads a text file that a person names, up to a bound: it may be a device without end. */

import { readBoundedFile, STANDARD_INPUT } from '../relay/system/bounded_file.js';
import { HotmicError } from '../voice/error.js';

/**
 * The file's text. `-` is standard input.
 *
 * @throws HotmicError ERR_HOTMIC_FILE when it cannot be read, is longer than `maxBytes`, or is not UTF-8.
 */
export function readBounded(path: string, maxBytes: number): string {
  const bytes = readBoundedFile(path === '-' ? STANDARD_INPUT : path, maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HotmicError('ERR_HOTMIC_FILE', `Cannot read ${path}: expected UTF-8 text`);
  }
}
