/**
 * The relay's settings as texts for people and editors, all derived from the one table: what `--print-config` prints, the example file,
 * its JSON Schema, and the table in docs/operating.md.
 */

import { stringify } from 'yaml';
import { jsonSchemaOf } from '../../relay/option_types.js';
import { Secret } from '../secret.js';
import type { RelayConfig } from './config.js';
import {
  defaultOf,
  type Members,
  NAMED_SETTINGS,
  type NamedSetting,
  type Node,
  RELAY_SETTINGS,
  type Setting,
  typeOf,
} from './settings.js';

const byPath: ReadonlyMap<string, NamedSetting> = new Map(NAMED_SETTINGS.map((named) => [named.path, named]));

/** The settings as a file that sets the same, each value with its origin. It does not contain secrets. */
export function printedConfig({ settings, origins }: RelayConfig): string {
  const lines = ['# The settings of this relay, and where each value comes from.'];
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
      if (node.node === 'section' && value !== null) {
        lines.push(`${indent}${name}:`);
        print(node.members, value as Readonly<Record<string, unknown>>, `${path}.`, `${indent}  `);
      } else if (value instanceof Secret && value.path === null)
        lines.push(`${indent}${name}: null # set by ${value.from}`);
      else lines.push(`${indent}${name}: ${yamlOf(value)} # ${origin}`);
    }
  };
  print(RELAY_SETTINGS.members, settings as unknown as Readonly<Record<string, unknown>>, '', '');
  return `${lines.join('\n')}\n`;
}

/**
 * A file with every setting: those with a default have it, the others an example after a `#` at the beginning of the line.
 * Prose has a space after its `#`.
 */
export function exampleConfig(): string {
  const lines = [
    '# yaml-language-server: $schema=relay.schema.json',
    '# Every setting of hotmic relay. Those that are set here have their default; the others are off and show an example.',
    '# Flags override environment variables, which override this file. Relative paths are relative to the folder of this file.',
  ];
  const print = (members: Members, prefix: string, indent: string, off: '' | '#') => {
    for (const [name, node] of Object.entries(members)) {
      const path = prefix + name;
      if (indent === '') lines.push('');
      lines.push(`${indent}# ${node.description}`);
      if (node.node === 'option' || node.node === 'secret') {
        const named = byPath.get(path);
        lines.push(`${indent}# ${[expectedOf(node), ...(named ? [namesOf(named)] : [])].join(' ')}`);
        const fallback = defaultOf(node) ?? null;
        const isOff = off !== '' || fallback === null;
        const value = fallback === null ? node.example! : yamlOf(fallback);
        lines.push(`${isOff ? '#' : ''}${indent}${name}: ${value}`);
      } else if (node.node === 'section') {
        const isOff = node.presence === 'optional' ? '#' : off;
        lines.push(`${isOff}${indent}${name}:`);
        print(node.members, `${path}.`, `${indent}  `, isOff);
      } else {
        lines.push(`#${indent}${name}:`);
        const first = lines.length;
        print(node.members, `${path}.`, `${indent}    `, '#');
        // The item's dash is before its first member.
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

/** For editors, in draft-07, which they know best. */
export function configSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of hotmic relay',
    ...schemaOf(RELAY_SETTINGS),
  };
}

/** The rows of the table in docs/operating.md, without its head. */
export function settingRows(): string[] {
  const rows: string[] = [];
  const row = (path: string, setting: Setting, named: NamedSetting | undefined) => {
    const value = defaultOf(setting);
    const fallback = value === undefined ? 'required' : value === null ? 'none' : yamlOf(value);
    const flag = named ? `\`${named.flag}\`` : 'file only';
    const cells = [`\`${path}\``, flag, fallback, `${setting.description} ${expectedOf(setting)}`];
    rows.push(`| ${cells.join(' | ')} |`);
  };
  const walk = (members: Members, prefix: string) => {
    for (const [name, node] of Object.entries(members)) {
      const path = prefix + name;
      if (node.node === 'option' || node.node === 'secret') row(path, node, byPath.get(path));
      else walk(node.members, node.node === 'sections' ? `${path}[].` : `${path}.`);
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
function expectedOf(setting: Setting): string {
  const type = typeOf(setting);
  if (type.shape === 'list') return `A list of at most ${type.max}; each is ${type.item.expected}.`;
  return `${type.expected.charAt(0).toUpperCase()}${type.expected.slice(1)}.`;
}

function namesOf({ variable, secretVariable, flag }: NamedSetting): string {
  const variables = secretVariable === null ? variable : `${variable}, ${secretVariable} (the secret itself)`;
  return `${variables}, ${flag}`;
}

function schemaOf(node: Node): Readonly<Record<string, unknown>> {
  if (node.node === 'option' || node.node === 'secret') {
    const described = { description: `${node.description} ${expectedOf(node)}` };
    const schema = jsonSchemaOf(typeOf(node));
    if (node.presence === 'required') return { ...described, ...schema };
    const fallback = defaultOf(node);
    const hasDefault = fallback !== null ? { default: fallback } : {};
    // A setting without a value counts as not given.
    return { ...described, ...hasDefault, anyOf: [schema, { type: 'null' }] };
  }
  const members = Object.entries(node.members);
  const properties = Object.fromEntries(members.map(([name, member]) => [name, schemaOf(member)]));
  const required = members
    .filter(([, member]) => member.node !== 'sections' && member.presence === 'required')
    .map(([name]) => name);
  const mayBeElsewhere = node.node === 'section';
  const object = {
    type: mayBeElsewhere ? ['object', 'null'] : 'object',
    additionalProperties: false,
    properties,
    // Settings that a section of the file does not have may be in the environment.
    ...(!mayBeElsewhere && required.length > 0 && { required }),
  };
  if (node.node === 'section') return { description: node.description, ...object };
  return { description: node.description, type: ['array', 'null'], maxItems: node.max, items: object };
}
