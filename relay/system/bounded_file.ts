/** Reads a file up to a bound. What a person names may be a device or a pipe without end, so its size is not asked for. */

import { closeSync, openSync, readSync } from 'node:fs';
import { codeOf, HotmicError } from '../../voice/error.js';
import { systemReason } from '../../voice/system_reason.js';

/** Standard input, as a file to read. */
export const STANDARD_INPUT = 0;

/**
 * The bytes of a file.
 *
 * @throws HotmicError ERR_HOTMIC_FILE when it cannot be read or is longer than `maxBytes`.
 */
export function readBoundedFile(path: string | typeof STANDARD_INPUT, maxBytes: number): Buffer {
  const name = path === STANDARD_INPUT ? '-' : path;
  let bytes: Buffer | null;
  try {
    bytes = readUpTo(path, maxBytes);
  } catch (cause) {
    throw new HotmicError('ERR_HOTMIC_FILE', `Cannot read ${name}: ${systemReason(cause)}`, { cause });
  }
  if (bytes) return bytes;
  const message = `Cannot read ${name}: it is too long, expected at most ${maxBytes} bytes`;
  throw new HotmicError('ERR_HOTMIC_FILE', message);
}

/** The same with the system's own error, and null for a file that is longer than `maxBytes`. */
export function readUpTo(path: string | typeof STANDARD_INPUT, maxBytes: number): Buffer | null {
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  const file = path === STANDARD_INPUT ? STANDARD_INPUT : openSync(path, 'r');
  try {
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
  } catch (thrown) {
    // Windows reports the end of a pipe as an error.
    if (codeOf(thrown) !== 'EOF') throw thrown;
  } finally {
    if (file !== STANDARD_INPUT) closeSync(file);
  }
  return length > maxBytes ? null : bytes.subarray(0, length);
}
