/**
 * The relay's configuration file: YAML 1.2, read into the values of settings, each with its line, and into everything that
 * is wrong with it.
 *
 * Of YAML only what a configuration needs is taken: no aliases (they make a few lines into gigabytes), no tags, no directives, one document, no
 * key twice. What is not known is a misspelling, and named.
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
import { didYouMean } from '../did_you_mean.js';
import { readBounded } from '../read_bounded.js';
import type { Kind, Place, Scalar } from './setting_kinds.js';
import { type AnySetting, type Members, NAMED_SETTINGS, type Node, RELAY_SETTINGS } from './settings.js';

/** 10,000 moderators take less. */
export const MAX_CONFIG_BYTES = 512 * 1024;

/** Something that is wrong, as `subject says`: `relay.yaml:3:7: port is 99999, wants …`. */
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
  /** Settings that are there and wrong: nobody is to be told that they are missing. */
  readonly faulty: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** @throws HotmicError ERR_HOTMIC_FILE when the file cannot be read. */
export function readConfigFile(path: string): ConfigFile {
  const folder = path === '-' ? process.cwd() : dirname(resolve(path));
  return readConfigText(readBounded(path, MAX_CONFIG_BYTES), path, folder);
}

/** @param name The file's, for messages. @param folder Where its relative paths begin. */
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
      // Ours does not take time by the square.
      uniqueKeys: false,
      logLevel: 'error',
    });
    for (const { pos, message } of document.errors)
      problems.push({ from: 'file', subject: `${at(pos[0])}:`, says: message.replace(/\s+/g, ' ') });
    if (document.errors.length === 0) reader.document(document);
  } catch (thrown) {
    // Nested so deeply that the parser's stack ends.
    if (!(thrown instanceof RangeError)) throw thrown;
    problems.push({
      from: 'file',
      subject: `${name}:`,
      says: 'is nested too deeply, wants sections in sections at most',
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
      this.#refuse(0, '', 'has directives (%), wants none');
    else this.#section(contents, RELAY_SETTINGS.members, '', (path, found) => this.found.set(path, found));
  }

  /** Reads the settings of a section, and hands each on. */
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
      const says = 'is no section, wants settings, each on a line as name: value';
      this.#refuse(node?.range[0] ?? offset, path, says);
      this.faulty.add(path);
      return;
    }
    const places = new Map<string, number>();
    for (const { key, value } of node.items as { key: ParsedNode; value: Json }[]) {
      const place = key.range[0];
      const name = isScalar(key) && typeof key.value === 'string' ? key.value : null;
      if (name === null || this.#isMarked(key, path)) {
        if (name === null) this.#refuse(place, path, 'has a key that is no name, wants names of settings');
        continue;
      }
      const before = places.get(name);
      if (before !== undefined) {
        this.#refuse(
          place,
          prefix + shownName(name),
          `stands there twice, wants one, such as that at ${this.#at(before)}`,
        );
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
    switch (member.type) {
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
          for (const [name, setting] of Object.entries(member.members) as [string, AnySetting][]) {
            if (givenNames.has(name)) continue;
            if (setting.fallback === undefined)
              this.#refuse(item?.range[0] ?? offset, itemPath, `wants ${name} as well`);
            values[name] = setting.fallback;
          }
          return { value: values };
        });
        if (each) take(path, { value: each, where: this.#at(offset) });
        return;
      }
      case 'setting': {
        if (isNothing(value)) return;
        const { kind } = member;
        const read =
          kind.shape === 'list'
            ? this.#items(value, path, kind.max, (item, itemPath) =>
                this.#scalar(item, kind.item, itemPath, offset),
              )
            : this.#scalar(value, kind, path, offset)?.value;
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
      this.#refuse(node!.range[0], path, 'is no list, wants one, such as [a, b]');
      return undefined;
    }
    if (node.items.length > max) {
      this.#refuse(node.range[0], path, `is a list of ${node.items.length}, wants at most ${max}`);
      return undefined;
    }
    const each = (node.items as Json[]).map((item, index) => read(item, `${path}[${index}]`));
    return each.includes(undefined) ? undefined : each.map((item) => item!.value);
  }

  #scalar(
    node: Json,
    kind: Kind<unknown>,
    path: string,
    offset: number,
  ): { readonly value: unknown } | undefined {
    if (node && this.#isMarked(node, path)) return undefined;
    const value = isScalar(node) ? (node.value as Scalar | null) : null;
    const read = value === null ? undefined : kind.read(value, this.#place);
    if (read && 'value' in read) return read;
    const seen = isScalar(node)
      ? value === null
        ? 'nothing'
        : shown(node.source ?? String(value))
      : 'no single value';
    const present = kind.use === 'secret' ? 'cannot be taken' : `is ${seen}`;
    this.#refuse(
      node?.range[0] ?? offset,
      path,
      read ? read.fault : `${present}, wants ${kind.wanted}${hint(value, kind)}`,
    );
    return undefined;
  }

  /** Whether there is something about a node that we do not take; it is said then. */
  #isMarked(node: ParsedNode, path: string): boolean {
    if (isAlias(node)) this.#refuse(node.range[0], path, 'is an alias (*), wants the value itself');
    else if (node.tag !== undefined) this.#refuse(node.range[0], path, 'has a tag (!), wants none');
    else return false;
    return true;
  }

  #refuse(offset: number, path: string, says: string): void {
    const what = path === '' ? 'the file' : path;
    this.#problems.push({ from: 'file', subject: `${this.#at(offset)}: ${what}`, says });
  }

  #refuseName(offset: number, name: string, members: Members, prefix: string): void {
    const here = Object.keys(members);
    // Perhaps it is right, and in the wrong place.
    const elsewhere = NAMED_SETTINGS.find(({ path }) => path.endsWith(`.${name}`) || path === name)?.path;
    const near = didYouMean(name, here);
    const meant = near !== null ? prefix + near : elsewhere;
    const known = here.length > 12 ? '' : `, wants ${here.join(', ')}`;
    this.#problems.push({
      from: 'file',
      subject: `${this.#at(offset)}: ${prefix}${shownName(name)}`,
      says: `is no setting${meant === undefined ? known : `, did you mean ${meant}?`}`,
    });
  }
}

/** Left out, or empty: `port:` alone. */
function isNothing(node: Json): boolean {
  return node === null || (isScalar(node) && node.value === null && node.tag === undefined);
}

/** A value for a message: not endless. */
export function shown(value: string): string {
  return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`;
}

export function shownName(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}

/** What trips people who know YAML 1.1, or write a number where text is wanted. */
function hint(value: Scalar | null, { schema }: Kind<unknown>): string {
  if (schema.type === 'boolean' && typeof value === 'string' && /^(yes|no|on|off)$/i.test(value))
    return ' (YAML 1.2 has no yes and no)';
  return schema.type === 'string' && value !== null && typeof value !== 'string'
    ? ' (text: put it in quotes)'
    : '';
}
