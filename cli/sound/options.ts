/** Options of the commands that use a sound device. */

import { InvalidArgumentError, Option } from 'commander';
import { TOOL_NAMES } from './tools.js';

const MAX_DEVICE_CHARS = 256;

/** A device as a person writes it. It becomes an argument of a program, so it must not look like an option. */
export function deviceName(text: string): string {
  if (text.length > 0 && text.length <= MAX_DEVICE_CHARS && !/^-|\p{Cc}/u.test(text)) return text;
  throw new InvalidArgumentError(
    `Expected 1 to ${MAX_DEVICE_CHARS} characters without control characters, not beginning with "-".`,
  );
}

export function soundToolOption(): Option {
  return new Option('--sound-tool <name>', 'Which tool records or plays.')
    .choices(TOOL_NAMES)
    .default(undefined, 'the first that works');
}

/** The device of an option that may be left without a value. */
export function wantedDevice(option: string | true): string | null {
  return option === true ? null : option;
}
