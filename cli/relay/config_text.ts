/**
 * The relay's settings as texts for people and editors, all made from the one table: what `--print-config` prints, the example
 * file, its JSON Schema, and the table of docs/operating.md.
 */

import { stringify } from 'yaml';
import { Secret } from '../secret.js';
import type { RelayConfig } from './config.js';
import type { AnyKind } from './setting_kinds.js';
import {
  type AnySetting,
  type Members,
  NAMED_SETTINGS,
  type NamedSetting,
  type Node,
  RELAY_SETTINGS,
} from './settings.js';

const byPath: ReadonlyMap<string, NamedSetting> = new Map(NAMED_SETTINGS.map((named) => [named.path, named]));

/** The settings as a file that says the same, each value with where it is from. A secret's text is not in it. */
export function printedConfig({ settings, origins }: RelayConfig): string {
  const lines = ['# What this relay runs with, and where each value is from.'];
  const print = (
    members: Members,
    values: Readonly<Record<string, unknown>>,
    prefix: string,
    indent: string,
  ) => {
    for (const [name, node] of Object.entries(members)) {
      const path = prefix + name;
      const value = values[name];
      const origin = origins.get(path)?.name ?? 'default';
      if (node.type === 'section' && value !== null) {
        lines.push(`${indent}${name}:`);
        print(node.members, value as Readonly<Record<string, unknown>>, `${path}.`, `${indent}  `);
      } else if (value instanceof Secret && value.path === null)
        lines.push(`${indent}${name}: null # (set) by ${value.from}`);
      else lines.push(`${indent}${name}: ${yamlOf(value)} # ${origin}`);
    }
  };
  print(RELAY_SETTINGS.members, settings as unknown as Readonly<Record<string, unknown>>, '', '');
  return `${lines.join('\n')}\n`;
}

/**
 * A file with every setting: those with a default have it, the others an example behind a `#` at the beginning of the line.
 * Prose has a space behind its `#`.
 */
export function exampleConfig(): string {
  const lines = [
    '# yaml-language-server: $schema=relay.schema.json',
    '# Every setting of hotmic relay. Those that are set here have their default; the others are off, and show an example.',
    '# Flags go before environment variables, those before this file. Relative paths begin in the folder of this file.',
  ];
  const print = (members: Members, prefix: string, indent: string, off: '' | '#') => {
    for (const [name, node] of Object.entries(members)) {
      const path = prefix + name;
      if (indent === '') lines.push('');
      lines.push(`${indent}# ${node.help}`);
      if (node.type === 'setting') {
        const named = byPath.get(path);
        lines.push(`${indent}# ${[wantedOf(node), ...(named ? [namesOf(named)] : [])].join(' ')}`);
        const isOff = off !== '' || node.fallback === undefined || node.fallback === null;
        const value = isOff && (node.fallback ?? null) === null ? node.example! : yamlOf(node.fallback);
        lines.push(`${isOff ? '#' : ''}${indent}${name}: ${value}`);
      } else if (node.type === 'section') {
        const isOff = node.presence === 'optional' ? '#' : off;
        lines.push(`${isOff}${indent}${name}:`);
        print(node.members, `${path}.`, `${indent}  `, isOff);
      } else {
        lines.push(`#${indent}${name}:`);
        const first = lines.length;
        print(node.members, `${path}.`, `${indent}    `, '#');
        // The item's dash stands before its first member.
        const at = lines.findIndex(
          (line, index) => index >= first && line.startsWith('# '.padEnd(indent.length + 5)),
        );
        lines[at] = lines[at]!.replace(/^(#\s*)\s\s(\w)/, '$1- $2');
      }
    }
  };
  print(RELAY_SETTINGS.members, '', '', '');
  return `${lines.join('\n')}\n`;
}

/** For editors: draft-07, which they know best. */
export function configSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of hotmic relay',
    ...schemaOf(RELAY_SETTINGS),
  };
}

/** The rows of docs/operating.md, without a head. */
export function settingRows(): string[] {
  const rows: string[] = [];
  const row = (path: string, setting: AnySetting, named: NamedSetting | undefined) => {
    const fallback =
      setting.fallback === undefined
        ? 'wanted'
        : setting.fallback === null
          ? 'none'
          : yamlOf(setting.fallback);
    const flag = named ? `\`${named.flag}\`` : 'file only';
    const cells = [`\`${path}\``, flag, fallback, `${setting.help} ${wantedOf(setting)}`];
    rows.push(`| ${cells.join(' | ')} |`);
  };
  const walk = (members: Members, prefix: string) => {
    for (const [name, node] of Object.entries(members)) {
      const path = prefix + name;
      if (node.type === 'setting') row(path, node, byPath.get(path));
      else walk(node.members, node.type === 'sections' ? `${path}[].` : `${path}.`);
    }
  };
  walk(RELAY_SETTINGS.members, '');
  return rows;
}

function yamlOf(value: unknown): string {
  const plain = value instanceof Secret ? value.path : value;
  return stringify(plain, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim();
}

/** A sentence. */
function wantedOf({ kind }: AnySetting): string {
  return kind.shape === 'one'
    ? `Wants ${kind.wanted}.`
    : `A list, at most ${kind.max}; each ${kind.item.wanted}.`;
}

function namesOf({ variable, secretVariable, flag }: NamedSetting): string {
  const variables = secretVariable === null ? variable : `${variable}, ${secretVariable} (the secret itself)`;
  return `${variables}, ${flag}`;
}

function schemaOf(node: Node): Readonly<Record<string, unknown>> {
  if (node.type === 'setting') {
    const { kind, help, fallback } = node;
    const isOptional = fallback !== undefined;
    const schema = kindSchema(kind);
    const described = { description: `${help} ${wantedOf(node)}` };
    if (!isOptional) return { ...described, ...schema };
    const hasDefault = fallback !== null ? { default: fallback } : {};
    // A setting without value is one that is not given.
    return { ...described, ...hasDefault, anyOf: [schema, { type: 'null' }] };
  }
  const members = Object.entries(node.members);
  const properties = Object.fromEntries(members.map(([name, member]) => [name, schemaOf(member)]));
  const wanted = members
    .filter(([, member]) => member.type === 'setting' && member.fallback === undefined)
    .map(([name]) => name);
  const mayBeElsewhere = node.type === 'section';
  const object = {
    type: mayBeElsewhere ? ['object', 'null'] : 'object',
    additionalProperties: false,
    properties,
    // What is missing in a section of the file may come from the environment.
    ...(!mayBeElsewhere && wanted.length > 0 && { required: wanted }),
  };
  if (node.type === 'section') return { description: node.help, ...object };
  return { description: node.help, type: ['array', 'null'], maxItems: node.max, items: object };
}

function kindSchema(kind: AnyKind): Readonly<Record<string, unknown>> {
  return kind.shape === 'one' ? kind.schema : { type: 'array', maxItems: kind.max, items: kind.item.schema };
}
