/** A secret that an operator keeps in a file or elsewhere. It is read when it is needed, and again when it may have changed. */

import { readBoundedFile } from '../system/bounded_file.js';

/** Where a secret is kept. `from` contains no part of the secret. */
export interface SecretText {
  /** For messages: a file's path, or a variable's name. */
  readonly from: string;
  /** The text, as it is now. @throws HotmicError when it cannot be read. */
  read(): string;
}

const MAX_SECRET_BYTES = 65_536;

/** A secret in a file. `read` throws ERR_HOTMIC_FILE when the file cannot be read or is longer than 64 KiB. */
export function secretInFile(path: string): SecretText {
  return { from: path, read: () => readFile(path) };
}

function readFile(path: string): string {
  // Editors that write a byte-order mark do not show it, so it is not part of the secret.
  return readBoundedFile(path, MAX_SECRET_BYTES)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}
