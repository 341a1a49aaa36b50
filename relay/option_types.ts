/** The types of the relay's options: for each a zod schema, and what messages, help and documents call it. */

import * as z from 'zod/mini';
import { LABEL } from '../voice/control.js';
import { isPerson, parseSteamId } from '../voice/steam_id.js';
import { trustedProxyFault } from './addresses/trusted_proxies.js';
import type { Limit } from './core/limits.js';
import { readVoicePath, VOICE_PATH, VOICE_PATH_EXPECTED } from './port/voice_path.js';

/** One value. */
export interface OptionType<T> {
  readonly shape: 'one';
  /** What it is in JSON. `file`: the path of a file. `secret`: the path of a file with a secret in it. */
  readonly form: 'boolean' | 'integer' | 'number' | 'text' | 'file' | 'secret';
  readonly schema: z.ZodMiniType<T>;
  /** For messages, such as `a whole number from 0 to 65535`. */
  readonly expected: string;
  /** For help, such as `port`. */
  readonly placeholder: string;
  /** All values, if they are a fixed set. */
  readonly choices?: readonly string[];
  /** In YAML a whole number is accepted as well; it is read with all its digits. */
  readonly acceptsIntegers?: true;
}

/** Several values of one type. */
export interface ListType<T> {
  readonly shape: 'list';
  readonly item: OptionType<T>;
  readonly max: number;
}

/** Like OptionType<unknown>, whatever T is. */
// biome-ignore lint/suspicious/noExplicitAny: T is in a schema, which is invariant in it.
export type AnyType = OptionType<any> | ListType<any>;

function one<T>(
  form: OptionType<T>['form'],
  placeholder: string,
  schema: z.ZodMiniType<T>,
  expected: string,
): OptionType<T> {
  return { shape: 'one', form, placeholder, schema, expected };
}

export const bool: OptionType<boolean> = one('boolean', '', z.boolean(), 'true or false');

export function integer(min: number, max: number, placeholder: string): OptionType<number> {
  const schema = z.int().check(z.gte(min), z.lte(max));
  return one('integer', placeholder, schema, `a whole number from ${min} to ${max}`);
}

export function number(min: number, max: number, placeholder: string): OptionType<number> {
  const schema = z.number().check(z.gte(min), z.lte(max));
  return one('number', placeholder, schema, `a number from ${min} to ${max}`);
}

export function limitType({ min, max }: Limit): OptionType<number> {
  return integer(min, max, 'value');
}

export function oneOf<const T extends readonly string[]>(
  placeholder: string,
  choices: T,
): OptionType<T[number]> {
  return {
    ...one<T[number]>('text', placeholder, z.enum([...choices]), `one of ${choices.join(', ')}`),
    choices,
  };
}

export const port = integer(0, 65_535, 'port');
export const appId = integer(1, 4_294_967_295, 'id');

/** A name of at most 64 characters. */
export const label = one(
  'text',
  'name',
  z.string().check(
    z.minLength(1),
    z.maxLength(64),
    z.refine((text) => LABEL.test(text)),
  ),
  '1 to 64 characters, none of them a control character',
);

/** An address or a name to bind. Whether it exists shows when the relay listens. */
export const host = one(
  'text',
  'host',
  z.string().check(z.regex(/^[0-9A-Za-z.:[\]-]{1,255}$/)),
  'an address or localhost',
);

/** The path at which players reach the relay. */
export const voicePath = one(
  'text',
  'path',
  parsed(z.string().check(z.regex(VOICE_PATH)), readVoicePath),
  VOICE_PATH_EXPECTED,
);

/** A URL with one of these schemes, without user, password and fragment. */
export function url(schemes: readonly string[], example: string): OptionType<string> {
  const schema = z.string().check(
    z.maxLength(2048),
    z.regex(new RegExp(`^(?:${schemes.join('|')})://`)),
    fault((text) => {
      if (!URL.canParse(text)) return 'unexpected';
      const { username, password, hash } = new URL(text);
      if (username !== '' || password !== '')
        return 'has a user name or a password, expected a URL without them';
      return hash === '' ? null : 'unexpected';
    }),
  );
  return one('text', 'url', schema, `a URL such as ${example}`);
}

/** As a browser names it in Origin: compared letter by letter, so it must be as a browser writes it. */
export const origin = one(
  'text',
  'origin',
  z.string().check(
    z.regex(/^[a-z][a-z0-9+.-]*:\/\/[^/]+$/),
    fault((text) => {
      const { protocol, host: hostOf } = URL.canParse(text) ? new URL(text) : { protocol: '', host: '' };
      const written = `${protocol}//${hostOf}`;
      if (hostOf === '') return 'unexpected';
      return written === text ? null : `is not an origin as browsers write it, expected ${written}`;
    }),
  ),
  'an origin as browsers write it, such as https://game.example',
);

/** A person's, in decimal. */
export const steamId: OptionType<string> = {
  ...one(
    'text',
    'id',
    parsed(z.string().check(z.regex(/^[0-9]{1,20}$/)), (text) => {
      const id = parseSteamId(text);
      return id === null || !isPerson(id) ? null : String(id);
    }),
    'a SteamID64 in decimal, such as 76561197960265729',
  ),
  acceptsIntegers: true,
};

export const proxy = one(
  'text',
  'address',
  z.string().check(
    fault((text) => {
      const why = trustedProxyFault(text);
      return why === null ? null : `is not a proxy to trust: ${why}`;
    }),
  ),
  'an address or a block, such as 10.0.0.0/8',
);

const path = z.string().check(
  z.minLength(1),
  z.maxLength(4096),
  z.refine((text) => !/\p{Cc}/u.test(text)),
);

/** Whether the file exists shows when it is opened. */
export const file = one('file', 'file', path, 'the path of a file');

/** The path of a file with a secret in it; `-` is standard input. */
export const secretFile = one(
  'secret',
  'file',
  path.check(
    fault((text) =>
      /^[0-9A-Fa-f]{32,}$/.test(text) || text.trimStart().startsWith('{')
        ? 'seems to be the secret itself, expected the path of a file with the secret in it'
        : null,
    ),
  ),
  'the path of a file with the secret in it',
);

export function listOf<T>(item: OptionType<T>, max: number): ListType<T> {
  return { shape: 'list', item, max };
}

/** The value, or what is wrong with it. `fault` is null if `expected` says everything. */
export type ReadValue<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'refused'; readonly fault: string | null };

export function readValue<T>({ schema }: OptionType<T>, value: unknown): ReadValue<T> {
  const result = schema.safeParse(value);
  if (result.success) return { kind: 'read', value: result.data };
  for (const issue of result.error.issues)
    if (issue.code === 'custom' && typeof issue.params?.fault === 'string')
      return { kind: 'refused', fault: issue.params.fault };
  return { kind: 'refused', fault: null };
}

/** Refuses text unless `faultOf` returns null. `unexpected`: `expected` says everything. */
function fault(faultOf: (text: string) => string | null): z.core.CheckFn<string> {
  return ({ value, issues }) => {
    const found = faultOf(value);
    if (found === null) return;
    issues.push({
      code: 'custom',
      input: value,
      ...(found !== 'unexpected' && { params: { fault: found } }),
    });
  };
}

/** Text as `read` returns it; null is refused. */
function parsed(text: z.ZodMiniType<string>, read: (text: string) => string | null): z.ZodMiniType<string> {
  return z.pipe(
    text,
    z.transform((value: string, { issues }) => {
      const result = read(value);
      if (result === null) issues.push({ code: 'custom', input: value });
      return result ?? z.NEVER;
    }),
  );
}

/** Draft-07, which editors know best. */
export function jsonSchemaOf(type: AnyType): Readonly<Record<string, unknown>> {
  if (type.shape === 'list') return { type: 'array', maxItems: type.max, items: jsonSchemaOf(type.item) };
  const { $schema: _, ...schema } = z.toJSONSchema(type.schema, { io: 'input', target: 'draft-07' });
  return type.acceptsIntegers ? { ...schema, type: ['string', 'integer'] } : schema;
}
