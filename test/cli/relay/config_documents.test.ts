/** The documents derived from the relay's settings are up to date and correct: schema, example, docs. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { readConfigText } from '../../../cli/relay/config_file.js';
import { exampleConfig } from '../../../cli/relay/config_text.js';
import { CONFIG_VARIABLE, defaultOf, NAMED_SETTINGS } from '../../../cli/relay/settings.js';
import { EXAMPLE_FILE, relayDocuments, SCHEMA_FILE, SETTINGS_PAGE } from './write_relay_documents.js';

const UPDATE = 'to update: node dist/test/cli/relay/write_relay_documents.js';
const schema = JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as Schema;

/** With every commented-out example switched on. */
const whole = exampleConfig().replace(/^#(?! \S)/gm, '');

t.test(`${SCHEMA_FILE}, ${EXAMPLE_FILE} and the table in ${SETTINGS_PAGE} are up to date`, async (t) => {
  const wanted = relayDocuments();
  t.same(schema, JSON.parse(wanted[SCHEMA_FILE]!), UPDATE);
  for (const file of [EXAMPLE_FILE, SETTINGS_PAGE]) t.equal(readFileSync(file, 'utf8'), wanted[file], UPDATE);
  t.match(wanted[SETTINGS_PAGE], /\| `limits.lobbies` \| `--limit lobbies=` \| 1000 \|/, 'there is a table');
});

t.test('the example is valid, and sets every setting to its default', async (t) => {
  const { found, problems } = readConfigText(exampleConfig(), 'example', '/');
  t.same(problems, []);
  for (const { path, setting } of NAMED_SETTINGS) {
    const isOff = (defaultOf(setting) ?? null) === null || /^(tls|tickets|operations|admin)\./.test(path);
    t.same(found.get(path)?.value, isOff ? undefined : defaultOf(setting), path);
  }
});

t.test('uncommented, the example has every setting and is valid', async (t) => {
  const { found, problems } = readConfigText(whole, 'example', '/');
  t.same(problems, []);
  t.same(
    [...found.keys()].filter((path) => path !== 'webhooks'),
    NAMED_SETTINGS.map(({ path }) => path),
  );
  t.match(found.get('webhooks')?.value, [{ url: /^https:/, events: [] }]);
});

t.test('names are unique and well-formed', async (t) => {
  const variables = NAMED_SETTINGS.flatMap(({ variable, secretVariable }) => [
    variable,
    ...(secretVariable ? [secretVariable] : []),
  ]);
  const flags = NAMED_SETTINGS.map(({ flag }) => flag);
  for (const names of [
    [CONFIG_VARIABLE, ...variables],
    ['--config', '--print-config', '--help', ...flags],
  ])
    t.equal(new Set(names).size, names.length);
  for (const variable of variables) t.match(variable, /^HOTMIC_RELAY_[A-Z]+(_[A-Z]+)*$/);
  for (const flag of flags) t.match(flag, /^--[a-z]+(-[a-z]+)*( [a-zA-Z]+=)?$/);
  for (const { setting, path } of NAMED_SETTINGS) {
    t.match(setting.description, /^[A-Z].*[.]$/, path);
    t.notMatch(setting.description, /\|/, 'it is in a table');
  }
});

t.test('the schema accepts what the relay accepts, and refuses what it refuses', async (t) => {
  for (const text of [
    exampleConfig(),
    whole,
    'moderators: ["76561197960265729"]',
    'tls: {certFile: a}',
    'port:',
  ])
    t.same(faults(schema, parse(text), 'file'), [], text.slice(0, 40));
  const wrong = [
    ...[
      'prot: 1',
      'port: 65536',
      'port: x',
      'tls: {certfile: a}',
      'tls: x',
      'dev: "yes"',
      'limits: {lobbies: 0}',
    ],
    ...[
      'origins: x',
      'origins: [1]',
      'log: {form: xml}',
      'webhooks: [{url: https://a.example}]',
      'drain: {seconds: -1}',
    ],
    ...['limits: {lobbies: 1.5}', 'webhooks: [{url: ftp://x, secretFile: s}]', 'addressLimits: {rooms: 1}'],
  ];
  for (const text of wrong) {
    t.not(faults(schema, parse(text), 'file').length, 0, `the schema refuses ${text}`);
    t.not(readConfigText(text, 'file', '/').problems.length, 0, `the relay refuses ${text}`);
  }
});

interface Schema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly required?: readonly string[];
}

const KEYWORDS = new Set([
  '$schema',
  'title',
  'description',
  'default',
  'type',
  'anyOf',
  'enum',
  'minimum',
  'maximum',
  'minLength',
]);
for (const word of [
  'maxLength',
  'pattern',
  'maxItems',
  'items',
  'properties',
  'additionalProperties',
  'required',
])
  KEYWORDS.add(word);

/** What JSON Schema refuses, for the keywords that ours uses. */
function faults(schema: Schema, value: unknown, at: string): string[] {
  for (const word of Object.keys(schema))
    if (!KEYWORDS.has(word)) throw new Error(`the test does not know ${word}`);
  if (schema.anyOf)
    return schema.anyOf.some((one) => faults(one, value, at).length === 0) ? [] : [`${at}: none of anyOf`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at}: not in enum`];
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const types = [schema.type ?? []].flat();
  const fits = types.some((one) => one === type || (one === 'integer' && Number.isInteger(value)));
  if (types.length > 0 && !fits) return [`${at}: is ${type}`];
  if (typeof value === 'number')
    return value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity)
      ? [`${at}: out of range`]
      : [];
  if (typeof value === 'string') {
    const { minLength = 0, maxLength = Infinity, pattern = '' } = schema;
    const isRight =
      value.length >= minLength && value.length <= maxLength && new RegExp(pattern, 'u').test(value);
    return isRight ? [] : [`${at}: not of its form`];
  }
  if (Array.isArray(value)) {
    const each = value.flatMap((item, index) => faults(schema.items ?? {}, item, `${at}[${index}]`));
    return value.length > (schema.maxItems ?? Infinity) ? [`${at}: too many`] : each;
  }
  if (typeof value !== 'object' || value === null) return [];
  const entries = Object.entries(value);
  return [
    ...(schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}: ${name} is missing`),
    ...entries.flatMap(([name, inner]) => {
      const property = schema.properties?.[name];
      if (!property) return schema.additionalProperties === false ? [`${at}.${name}: not known`] : [];
      return faults(property, inner, `${at}.${name}`);
    }),
  ];
}
