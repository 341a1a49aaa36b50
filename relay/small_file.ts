/** Files that an operator writes by hand, such as those of tokens and secrets: read whole, and bounded. */

import { promises as fs } from 'node:fs';
import { HotmicError, systemReason } from '../voice/error.js';

/**
 * The text of a file.
 *
 * @param errorOf Makes what is thrown: it says what the file is for, and never what is in it.
 */
export async function readSmallFile(
  file: string,
  maxBytes: number,
  errorOf: (file: string, why: string, cause?: unknown) => HotmicError,
): Promise<string> {
  let handle: fs.FileHandle | null = null;
  try {
    handle = await fs.open(file, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0));
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
    if (bytesRead > maxBytes) throw errorOf(file, `it is longer than ${maxBytes} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (thrown) {
    throw thrown instanceof HotmicError ? thrown : errorOf(file, systemReason(thrown), thrown);
  } finally {
    await handle?.close();
  }
}
