/** Reads a file that a person names, up to a bound: it may be a device without end. */

import { closeSync, openSync, readSync } from 'node:fs';
import { codeOf, HotmicError, systemReason } from '../voice/error.js';

/**
 * The file's text. `-` is standard input.
 *
 * @throws HotmicError ERR_HOTMIC_FILE when it cannot be read, is longer than `maxBytes`, or is no UTF-8.
 */
export function readBounded(path: string, maxBytes: number): string {
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  try {
    const file = path === '-' ? 0 : openSync(path, 'r');
    try {
      for (;;) {
        const read = readSync(file, bytes, length, bytes.length - length, null);
        length += read;
        if (read === 0 || length > maxBytes) break;
      }
    } catch (thrown) {
      // What Windows says at the end of a pipe.
      if (codeOf(thrown) !== 'EOF') throw thrown;
    } finally {
      if (file !== 0) closeSync(file);
    }
  } catch (cause) {
    throw new HotmicError('ERR_HOTMIC_FILE', `Cannot read ${path}: ${systemReason(cause)}`, { cause });
  }
  if (length > maxBytes)
    throw new HotmicError(
      'ERR_HOTMIC_FILE',
      `Cannot read ${path}: it is too long, wants at most ${maxBytes} bytes`,
    );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    throw new HotmicError('ERR_HOTMIC_FILE', `Cannot read ${path}: it is no text, wants UTF-8`);
  }
}
