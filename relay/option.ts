/**
 * An option of the relay, defined once: its type, its default, and what help and documents say of it. TypeScript's types of the options
 * are derived from such definitions, and so are the settings of `hotmic relay`.
 */

import type { LimitsOf, LimitTable } from './core/limits.js';
import { type AnyType, type ListType, limitType, type OptionType } from './option_types.js';

/** `required`: where its group is given. `optional`: off unless it is given. `defaulted`: has a default. */
export type Presence = 'required' | 'optional' | 'defaulted';

type Default<T, P extends Presence> = { required: undefined; optional: null; defaulted: T }[P];

interface Described {
  /** One sentence. */
  readonly description: string;
  /** Instead of the flag that follows from its name, such as `--tls-cert`. */
  readonly flag?: string;
  /** In YAML, for an option without a default. */
  readonly example?: string;
}

/** One value; `T` is the option's. */
export interface Option<T, P extends Presence = Presence> extends Described {
  readonly node: 'option';
  readonly type: AnyType;
  readonly presence: P;
  readonly default: Default<T, P>;
}

/** A secret: `T` for a program; on the command line and in the file the path of a file with it. */
export interface SecretOption<T, P extends Presence = Presence> extends Described {
  readonly node: 'secret';
  readonly presence: P;
  /** Not a value: it carries the type. */
  readonly value?: T;
}

/** Options that belong together. `V` is what they are together. */
export interface Group<M, V = OptionsOf<M>> {
  readonly node: 'group';
  readonly description: string;
  readonly members: M;
  /** Not a value: it carries the type. */
  readonly value?: V;
  /** One flag for all of its members, given as name=value; repeatable. */
  readonly flag?: string;
}

/** Any number of such groups, up to `max`. */
export interface Groups<M, V = OptionsOf<M>> {
  readonly node: 'groups';
  readonly description: string;
  readonly members: M;
  readonly value?: V;
  readonly max: number;
}

type ValueOf<N> =
  N extends Option<infer T>
    ? T
    : N extends SecretOption<infer T>
      ? T
      : N extends Group<infer _, infer V>
        ? V
        : N extends Groups<infer _, infer V>
          ? readonly V[]
          : never;

type RequiredKeys<M> = {
  [K in keyof M]: M[K] extends { readonly presence: 'required' } ? K : never;
}[keyof M];
type Required<M, K extends keyof M> = { readonly [P in K]: ValueOf<M[P]> };
type Optional<M, K extends keyof M> = { readonly [P in K]?: ValueOf<M[P]> };

/** The options that definitions make, with their docstrings. */
export type OptionsOf<M> = Required<M, RequiredKeys<M>> & Optional<M, Exclude<keyof M, RequiredKeys<M>>>;

type More = Pick<Described, 'flag' | 'example'>;

export function option<T>(
  type: OptionType<T>,
  fallback: NoInfer<T>,
  description: string,
  more: More = {},
): Option<T, 'defaulted'> {
  return { node: 'option', type, presence: 'defaulted', default: fallback, description, ...more };
}

export function optional<T>(
  type: OptionType<T>,
  example: string,
  description: string,
  more: More = {},
): Option<T, 'optional'> {
  return { node: 'option', type, presence: 'optional', default: null, description, example, ...more };
}

export function required<T>(
  type: OptionType<T>,
  example: string,
  description: string,
  more: More = {},
): Option<T, 'required'> {
  return { node: 'option', type, presence: 'required', default: undefined, description, example, ...more };
}

/** Empty by default. */
export function list<T>(
  type: ListType<T>,
  example: string,
  description: string,
  more: More = {},
): Option<readonly T[], 'defaulted'> {
  return { node: 'option', type, presence: 'defaulted', default: [], description, example, ...more };
}

/** A required one, of type `T` for a program. */
export function secret<T>(
  example: string,
  description: string,
  more: More = {},
): SecretOption<T, 'required'> {
  return { node: 'secret', presence: 'required', description, example, ...more };
}

export function group<M>(description: string, members: M): Group<M> {
  return { node: 'group', description, members };
}

/** What the definitions of a type's members have to be. */
export type DefinitionsOf<V> = {
  readonly [K in keyof V]?: Option<NonNullable<V[K]>> | SecretOption<NonNullable<V[K]>>;
};

/** A group whose type a part of the relay declares. The compiler checks the definitions against it. */
export function groupOf<V>() {
  return <M extends DefinitionsOf<V>>(description: string, members: M): Group<M, V> => ({
    node: 'group',
    description,
    members,
  });
}

export function groupsOf<V>() {
  return <M extends DefinitionsOf<V>>(description: string, max: number, members: M): Groups<M, V> => ({
    node: 'groups',
    description,
    max,
    members,
  });
}

/** What a table of limits is as options. */
export type LimitOptions<Table extends LimitTable> = {
  readonly [Name in keyof Table]: Option<number, 'defaulted'>;
};

export function limits<Table extends LimitTable>(
  description: string,
  flag: string,
  table: Table,
): Group<LimitOptions<Table>, Partial<LimitsOf<Table>>> {
  const members = Object.entries<LimitTable[string]>(table).map(
    ([name, limit]) => [name, option(limitType(limit), limit.default, limit.description)] as const,
  );
  return { node: 'group', description, flag, members: Object.fromEntries(members) as LimitOptions<Table> };
}
