/**
 * The relay's configuration file: YAML 1.2, read into the values of settings, each with its line and column, and a list of all faults.
 *
 * Only the part of YAML that a configuration needs is accepted: no aliases (they turn a few lines into gigabytes), no tags, no directives,
 * one document, no key twice. Unknown names are reported as misspellings.
 */

import { dirname, resolve } from 'node:path';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
} from 'yaml';
import { type OptionType, readValue } from '../../relay/option_types.js';
import { didYouMean } from '../did_you_mean.js';
import { readBounded } from '../read_bounded.js';
import { type Place, readSetting, type Scalar } from './setting_value.js';
import {
  defaultOf,
  type Members,
  NAMED_SETTINGS,
  type Node,
  RELAY_SETTINGS,
  type Setting,
  typeOf,
} from './settings.js';

/** 10,000 moderators take less. */
export const MAX_CONFIG_BYTES = 512 * 1024;

/** A fault, as `subject says`: `relay.yaml:3:7: port is '99999', expected …`. */
export interface Problem {
  readonly from: 'file' | 'environment' | 'flag';
  readonly subject: string;
  readonly says: string;
}

/** A value and where it stands. */
export interface Found {
  readonly value: unknown;
  /** Such as `relay.yaml:3:7`. */
  readonly where: string;
}

export interface ConfigFile {
  /** By the setting's path. Lists of sections are whole, under their own. */
  readonly found: ReadonlyMap<string, Found>;
  /** Settings that are present but wrong, so not missing. */
  readonly faulty: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** @throws HotmicError ERR_HOTMIC_FILE when the file cannot be read. */
export function readConfigFile(path: string): ConfigFile {
  const folder = path === '-' ? process.cwd() : dirname(resolve(path));
  return readConfigText(readBounded(path, MAX_CONFIG_BYTES), path, folder);
}

/** @param name The file's, for messages. @param folder What its relative paths are relative to. */
export function readConfigText(text: string, name: string, folder: string): ConfigFile {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const reader = new Reader({ form: 'yaml', folder }, at, problems);
  try {
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      intAsBigInt: true,
      lineCounter: lines,
      prettyErrors: false,
      resolveKnownTags: false,
      // Ours does not take quadratic time.
      uniqueKeys: false,
      logLevel: 'error',
    });
    for (const { pos, message } of document.errors)
      problems.push({ from: 'file', subject: `${at(pos[0])}:`, says: message.replace(/\s+/g, ' ') });
    if (document.errors.length === 0) reader.document(document);
  } catch (thrown) {
    // Nested so deeply that the parser's stack overflowed.
    if (!(thrown instanceof RangeError)) throw thrown;
    problems.push({
      from: 'file',
      subject: `${name}:`,
      says: 'is nested too deeply, expected at most sections within sections',
    });
  }
  return { found: reader.found, faulty: reader.faulty, problems };
}

type Json = ParsedNode | null;

class Reader {
  readonly found = new Map<string, Found>();
  readonly faulty = new Set<string>();
  readonly #place: Place;
  readonly #at: (offset: number) => string;
  readonly #problems: Problem[];

  constructor(place: Place, at: (offset: number) => string, problems: Problem[]) {
    this.#place = place;
    this.#at = at;
    this.#problems = problems;
  }

  document({ contents, directives }: Document.Parsed): void {
    if (directives.yaml.explicit || Object.keys(directives.tags).length > 1)
      this.#refuse(0, '', 'has directives (%), expected none');
    else this.#section(contents, RELAY_SETTINGS.members, '', (path, found) => this.found.set(path, found));
  }

  /** Reads the settings of a section, and passes each to `take`. */
  #section(
    node: Json,
    members: Members,
    prefix: string,
    take: (path: string, found: Found) => void,
    offset = 0,
  ): void {
    const path = prefix.slice(0, -1);
    if (isNothing(node)) return;
    if (node && this.#isMarked(node, path)) {
      this.faulty.add(path);
      return;
    }
    if (!isMap(node)) {
      const says = 'is not a section, expected one setting per line, as name: value';
      this.#refuse(node?.range[0] ?? offset, path, says);
      this.faulty.add(path);
      return;
    }
    const places = new Map<string, number>();
    for (const { key, value } of node.items as { key: ParsedNode; value: Json }[]) {
      const place = key.range[0];
      const name = isScalar(key) && typeof key.value === 'string' ? key.value : null;
      if (name === null || this.#isMarked(key, path)) {
        if (name === null)
          this.#refuse(place, path, 'has a key that is not a name, expected names of settings');
        continue;
      }
      const before = places.get(name);
      if (before !== undefined) {
        this.#refuse(place, prefix + shownName(name), `is set twice, the first time at ${this.#at(before)}`);
        continue;
      }
      places.set(name, place);
      const member = Object.hasOwn(members, name) ? members[name] : undefined;
      if (!member) this.#refuseName(place, name, members, prefix);
      else this.#member(value, member, prefix + name, take, place);
    }
  }

  #member(
    value: Json,
    member: Node,
    path: string,
    take: (path: string, found: Found) => void,
    offset: number,
  ): void {
    switch (member.node) {
      case 'section':
        this.#section(value, member.members, `${path}.`, take, offset);
        return;
      case 'sections': {
        const each = this.#items(value, path, member.max, (item, itemPath) => {
          const before = this.#problems.length;
          const values: Record<string, unknown> = {};
          const givenNames = new Set<string>();
          this.#section(item, member.members, `${itemPath}.`, (inner, found) => {
            const name = inner.slice(itemPath.length + 1);
            givenNames.add(name);
            values[name] = found.value;
          });
          if (this.#problems.length > before) return undefined;
          for (const [name, setting] of Object.entries(member.members) as [string, Setting][]) {
            if (givenNames.has(name)) continue;
            if (setting.presence === 'required')
              this.#refuse(item?.range[0] ?? offset, itemPath, `requires ${name} as well`);
            values[name] = defaultOf(setting);
          }
          return { value: values };
        });
        if (each) take(path, { value: each, where: this.#at(offset) });
        return;
      }
      case 'option':
      case 'secret': {
        if (isNothing(value)) return;
        const type = typeOf(member);
        const read =
          type.shape === 'list'
            ? this.#items(value, path, type.max, (item, itemPath) =>
                this.#scalar(item, type.item, itemPath, offset),
              )
            : this.#scalar(value, type, path, offset)?.value;
        if (read === undefined) this.faulty.add(path);
        else take(path, { value: read, where: this.#at(offset) });
      }
    }
  }

  /** Undefined when one of them is wrong. */
  #items(
    node: Json,
    path: string,
    max: number,
    read: (item: Json, path: string) => { readonly value: unknown } | undefined,
  ): unknown[] | undefined {
    if (isNothing(node)) return undefined;
    if (this.#isMarked(node!, path)) return undefined;
    if (!isSeq(node)) {
      this.#refuse(node!.range[0], path, 'is not a list, expected one such as [a, b]');
      return undefined;
    }
    if (node.items.length > max) {
      this.#refuse(node.range[0], path, `has ${node.items.length} items, expected at most ${max}`);
      return undefined;
    }
    const each = (node.items as Json[]).map((item, index) => read(item, `${path}[${index}]`));
    return each.includes(undefined) ? undefined : each.map((item) => item!.value);
  }

  #scalar(
    node: Json,
    type: OptionType<unknown>,
    path: string,
    offset: number,
  ): { readonly value: unknown } | undefined {
    if (node && this.#isMarked(node, path)) return undefined;
    const value = isScalar(node) ? (node.value as Scalar | null) : null;
    const read = value === null ? null : readSetting(type, value, this.#place);
    if (read?.kind === 'read') return read;
    const seen = isScalar(node)
      ? value === null
        ? 'nothing'
        : shown(node.source ?? String(value))
      : 'not a single value';
    const found = type.form === 'secret' ? 'is not usable' : `is ${seen}`;
    this.#refuse(
      node?.range[0] ?? offset,
      path,
      read?.fault ?? `${found}, expected ${type.expected}${hint(value, type)}`,
    );
    return undefined;
  }

  /** Whether a node is an alias or has a tag, which is refused. */
  #isMarked(node: ParsedNode, path: string): boolean {
    if (isAlias(node)) this.#refuse(node.range[0], path, 'is an alias (*), expected the value itself');
    else if (node.tag !== undefined) this.#refuse(node.range[0], path, 'has a tag (!), expected none');
    else return false;
    return true;
  }

  #refuse(offset: number, path: string, says: string): void {
    const what = path === '' ? 'the file' : path;
    this.#problems.push({ from: 'file', subject: `${this.#at(offset)}: ${what}`, says });
  }

  #refuseName(offset: number, name: string, members: Members, prefix: string): void {
    const here = Object.keys(members);
    // The name may be right and the place wrong.
    const elsewhere = NAMED_SETTINGS.find(({ path }) => path.endsWith(`.${name}`) || path === name)?.path;
    const near = didYouMean(name, here);
    const meant = near !== null ? prefix + near : elsewhere;
    const known = here.length > 12 ? '' : `, expected one of ${here.join(', ')}`;
    this.#problems.push({
      from: 'file',
      subject: `${this.#at(offset)}: ${prefix}${shownName(name)}`,
      says: `is not a setting${meant === undefined ? known : `, did you mean ${meant}?`}`,
    });
  }
}

/** Left out, or empty: `port:` alone. */
function isNothing(node: Json): boolean {
  return node === null || (isScalar(node) && node.value === null && node.tag === undefined);
}

/** A value for a message, shortened. */
export function shown(value: string): string {
  return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
}

export function shownName(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}

/** For people who know YAML 1.1, or wrote a number where text is expected. */
function hint(value: Scalar | null, type: OptionType<unknown>): string {
  if (type.form === 'boolean' && typeof value === 'string' && /^(yes|no|on|off)$/i.test(value))
    return ' (YAML 1.2 has no yes and no)';
  return typeof value !== 'string' && type.form === 'text' && readValue(type, String(value)).kind === 'read'
    ? ' (text: put it in quotes)'
    : '';
}
