/** How the value of a setting is read from text or from YAML. */

import { isAbsolute, resolve } from 'node:path';
import { type OptionType, type ReadValue, readValue } from '../../relay/option_types.js';
import { Secret } from '../secret.js';

/** A scalar of YAML; whole numbers as bigint, since SteamIDs do not fit a number. */
export type Scalar = string | number | bigint | boolean;

/** Where a value stands. */
export interface Place {
  /** `text`: an environment variable or a flag, where everything is text. */
  readonly form: 'text' | 'yaml';
  /** What relative paths are relative to. */
  readonly folder: string;
}

/** The value; paths are made absolute, and a secret's path becomes the secret. */
export function readSetting(
  type: OptionType<unknown>,
  scalar: Scalar,
  { form, folder }: Place,
): ReadValue<unknown> {
  const read = readValue(type, form === 'text' ? fromText(type, String(scalar)) : fromYaml(type, scalar));
  if (read.kind === 'refused') return read;
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(folder, path));
  if (type.form === 'file') return { kind: 'read', value: absolute(read.value as string) };
  if (type.form !== 'secret') return read;
  const path = read.value as string;
  return { kind: 'read', value: Secret.inFile(path === '-' ? path : absolute(path)) };
}

/** Undefined is refused by every type. */
function fromText({ form }: OptionType<unknown>, text: string): unknown {
  switch (form) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'integer':
      return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
    case 'number':
      return text.trim() === '' ? undefined : Number(text);
    default:
      return text;
  }
}

function fromYaml({ form, acceptsIntegers }: OptionType<unknown>, scalar: Scalar): unknown {
  if (form === 'integer') return typeof scalar === 'bigint' ? Number(scalar) : undefined;
  if (form === 'number' && typeof scalar === 'bigint') return Number(scalar);
  return acceptsIntegers && typeof scalar === 'bigint' ? String(scalar) : scalar;
}
