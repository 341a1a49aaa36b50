/** A secret that an operator keeps in a file, or elsewhere: read when it is wanted, and again when it may have changed. */

import { closeSync, openSync, readSync } from 'node:fs';
import { HotmicError, systemReason } from '../../voice/error.js';

/** Where a secret is. Nothing of its text is in `from`. */
export interface SecretText {
  /** For messages: a file's path, or a variable's name. */
  readonly from: string;
  /** The text, as it is now. @throws HotmicError when it cannot be read. */
  read(): string;
}

const MAX_SECRET_BYTES = 65_536;

/** One in a file. Its `read` throws ERR_HOTMIC_FILE for a file that cannot be read, or of more than 64 KiB. */
export function secretInFile(path: string): SecretText {
  return { from: path, read: () => readFile(path) };
}

function readFile(path: string): string {
  const bytes = Buffer.alloc(MAX_SECRET_BYTES + 1);
  let length = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = readSync(file, bytes, length, bytes.length - length, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new HotmicError('ERR_HOTMIC_FILE', `Cannot read ${path}: ${systemReason(cause)}`, { cause });
  }
  if (length > MAX_SECRET_BYTES) {
    const message = `Cannot read ${path}: it is too long, wants at most ${MAX_SECRET_BYTES} bytes`;
    throw new HotmicError('ERR_HOTMIC_FILE', message);
  }
  // Editors that write a byte-order mark do not show it: it is no part of the secret.
  return bytes.toString('utf8', 0, length).replace(/^\uFEFF/, '');
}
