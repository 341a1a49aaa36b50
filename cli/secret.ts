/**
 * A secret of the relay: in a file, or in an environment variable. Its text does not show up by accident, not even when the object is
 * printed or inspected; `read` returns it.
 */

import { HotmicError } from '../voice/error.js';
import { readBounded } from './read_bounded.js';

/** Key sets are the longest: 64 keys. */
const MAX_SECRET_BYTES = 256 * 1024;

export class Secret {
  /** The file, or null if it is from the environment. `-` is standard input. */
  readonly path: string | null;
  /** Its source, for messages: a file's path or a variable's name. */
  readonly from: string;
  readonly #text: string | null;

  private constructor(from: string, text: string | null) {
    this.from = from;
    this.path = text === null ? from : null;
    this.#text = text;
  }

  static inFile(path: string): Secret {
    return new Secret(path, null);
  }

  static inVariable(name: string, text: string): Secret {
    return new Secret(name, text);
  }

  /**
   * The text, without surrounding white space. A file is read again each time.
   *
   * @throws HotmicError ERR_HOTMIC_FILE for a file that cannot be read or is too long; ERR_HOTMIC_CONFIG for an empty one.
   */
  read(): string {
    const text = (this.#text ?? readBounded(this.from, MAX_SECRET_BYTES)).trim();
    if (text === '')
      throw new HotmicError(
        'ERR_HOTMIC_CONFIG',
        `Cannot configure the relay: ${this.from} is empty, expected a secret`,
      );
    return text;
  }

  toJSON(): string {
    return this.path ?? '(set)';
  }
}
