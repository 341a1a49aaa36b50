/**
 * What a setting may hold: how it is read from text or from YAML, what is wanted where it cannot be, and its JSON Schema.
 */

import { isAbsolute, resolve } from 'node:path';
import { trustedProxyFault } from '../../relay/addresses/trusted_proxies.js';
import { readVoicePath, VOICE_PATH, VOICE_PATH_EXPECTED } from '../../relay/port/voice_path.js';
import { LABEL } from '../../voice/control.js';
import { isPerson, parseSteamId } from '../../voice/steam_id.js';
import { Secret } from '../secret.js';

/** A scalar of YAML; whole numbers as bigint, since SteamIDs do not fit a number. */
export type Scalar = string | number | bigint | boolean;

/** Where a value stands. */
export interface Place {
  /** `text`: an environment variable or a flag, where everything is text. */
  readonly form: 'text' | 'yaml';
  /** Relative paths begin there. */
  readonly folder: string;
}

/** One value. */
export interface Kind<T> {
  readonly shape: 'one';
  /** For messages, such as `a whole number from 0 to 65535`. */
  readonly wanted: string;
  readonly schema: Readonly<Record<string, unknown>>;
  /** `secret`: the value names a file with a secret, and is itself in no message, for it may be the secret by mistake. */
  readonly use?: 'secret';
  /** Undefined for what is none; a text where there is more to say than what is wanted. */
  read(value: Scalar, place: Place): { readonly value: T } | { readonly fault: string } | undefined;
}

/** Several values. In an environment variable they are separated by commas, as flags they are repeated. */
export interface ListKind<T> {
  readonly shape: 'list';
  readonly item: Kind<T>;
  readonly max: number;
}

export type AnyKind = Kind<unknown> | ListKind<unknown>;

export const bool: Kind<boolean> = {
  shape: 'one',
  wanted: 'true or false',
  schema: { type: 'boolean' },
  read: (value, { form }) => {
    if (form === 'text')
      return value === 'true' ? { value: true } : value === 'false' ? { value: false } : undefined;
    return typeof value === 'boolean' ? { value } : undefined;
  },
};

export function wholeNumber(min: number, max: number): Kind<number> {
  return {
    shape: 'one',
    wanted: `a whole number from ${min} to ${max}`,
    schema: { type: 'integer', minimum: min, maximum: max },
    read: (value, { form }) => {
      const isWhole = form === 'text' ? /^\d{1,16}$/.test(String(value)) : typeof value === 'bigint';
      const number = Number(value);
      return isWhole && number >= min && number <= max ? { value: number } : undefined;
    },
  };
}

export function anyNumber(min: number, max: number): Kind<number> {
  return {
    shape: 'one',
    wanted: `a number from ${min} to ${max}`,
    schema: { type: 'number', minimum: min, maximum: max },
    read: (value, { form }) => {
      const isNumber = form === 'text' ? String(value).trim() !== '' : /number|bigint/.test(typeof value);
      const number = Number(value);
      return isNumber && number >= min && number <= max ? { value: number } : undefined;
    },
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  return {
    shape: 'one',
    wanted: `one of ${choices.join(', ')}`,
    schema: { enum: choices },
    read: (value) => {
      const choice = choices.find((known) => known === value);
      return choice === undefined ? undefined : { value: choice };
    },
  };
}

/** Text that `pattern` takes. */
export function text(wanted: string, pattern: RegExp): Kind<string> {
  return {
    shape: 'one',
    wanted,
    schema: { type: 'string', pattern: pattern.source },
    read: (value) => (typeof value === 'string' && pattern.test(value) ? { value } : undefined),
  };
}

export const label: Kind<string> = {
  shape: 'one',
  wanted: '1 to 64 characters, none of them a control character',
  schema: { type: 'string', minLength: 1, maxLength: 64 },
  read: (value) => (typeof value === 'string' && LABEL.test(value) ? { value } : undefined),
};

/** An address or a name, as one would listen at. Whether it is there shows when the relay listens. */
export const host: Kind<string> = text('an address or localhost', /^[0-9A-Za-z.:[\]-]{1,255}$/);

/** The path at which players reach the relay. */
export const voicePath: Kind<string> = {
  shape: 'one',
  wanted: VOICE_PATH_EXPECTED,
  schema: { type: 'string', pattern: VOICE_PATH.source },
  read: (value) => {
    const path = typeof value === 'string' ? readVoicePath(value) : null;
    return path === null ? undefined : { value: path };
  },
};

/** What a URL has to be: with one of these schemes, nothing in it that is secret, nothing behind the path. */
export function url(schemes: readonly string[], wanted: string): Kind<string> {
  return {
    shape: 'one',
    wanted,
    schema: { type: 'string', pattern: `^(?:${schemes.join('|')})://` },
    read: (value) => {
      if (typeof value !== 'string' || value.length > 2048 || !URL.canParse(value)) return undefined;
      const { protocol, username, password, hash } = new URL(value);
      if (!schemes.includes(protocol.slice(0, -1))) return undefined;
      if (username !== '' || password !== '')
        return { fault: 'has a user or a password, wants a URL without' };
      return hash === '' ? { value } : undefined;
    },
  };
}

/** As a browser names it in Origin: compared letter by letter, so it must be as a browser writes it. */
export const origin: Kind<string> = {
  shape: 'one',
  wanted: 'an origin as browsers write it, such as https://game.example',
  schema: { type: 'string', pattern: '^[a-z][a-z0-9+.-]*://[^/]+$' },
  read: (value) => {
    if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
    const { protocol, host: hostOf } = new URL(value);
    const written = `${protocol}//${hostOf}`;
    if (hostOf === '') return undefined;
    return written === value ? { value } : { fault: `is no origin as browsers write it, wants ${written}` };
  },
};

/** In decimal; in YAML also without quotes, where other readers would round it. */
export const steamId: Kind<string> = {
  shape: 'one',
  wanted: 'a SteamID64 in decimal, such as 76561197960265729',
  schema: { type: ['string', 'integer'], pattern: '^[0-9]{1,20}$' },
  read: (value) => {
    const parsed =
      typeof value === 'string' || typeof value === 'bigint' ? parseSteamId(String(value)) : null;
    return parsed === null || !isPerson(parsed) ? undefined : { value: String(parsed) };
  },
};

export const proxy: Kind<string> = {
  shape: 'one',
  wanted: 'an address or a block, such as 10.0.0.0/8',
  schema: { type: 'string' },
  read: (value) => {
    if (typeof value !== 'string') return undefined;
    const fault = trustedProxyFault(value);
    return fault === null ? { value } : { fault: `is no proxy to trust: ${fault}` };
  },
};

/** The path of a file. Made absolute; whether it is there shows when it is opened. */
export const path: Kind<string> = {
  shape: 'one',
  wanted: 'the path of a file',
  schema: { type: 'string', minLength: 1 },
  read: (value, place) => (isPath(value) ? { value: absolute(value, place) } : undefined),
};

/** The path of a file with a secret in it; `-` is standard input. In the environment the secret itself may stand. */
export const secret: Kind<Secret> = {
  shape: 'one',
  use: 'secret',
  wanted: 'the path of a file with the secret in it',
  schema: { type: 'string', minLength: 1 },
  read: (value, place) => {
    if (!isPath(value)) return undefined;
    if (/^[0-9A-Fa-f]{32,}$/.test(value) || value.trimStart().startsWith('{'))
      return { fault: 'seems to be the secret itself, wants the path of a file with the secret in it' };
    return { value: Secret.inFile(value === '-' ? value : absolute(value, place)) };
  },
};

export function listOf<T>(item: Kind<T>, max: number): ListKind<T> {
  return { shape: 'list', item, max };
}

function isPath(value: Scalar): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 4096 && !/\p{Cc}/u.test(value);
}

function absolute(value: string, { folder }: Place): string {
  return isAbsolute(value) ? value : resolve(folder, value);
}
