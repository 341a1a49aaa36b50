/**
 * The settings of `hotmic relay` from flags, environment and file; the first of these that has a setting overrides the others. All faults
 * are reported at once, each with its flag, variable or line, and with the name that may have been meant.
 */

import { relayLimits } from '../../relay/core/limits.js';
import { HotmicError, messageOf } from '../../voice/error.js';
import { printable } from '../../voice/printable.js';
import { didYouMean } from '../did_you_mean.js';
import { Secret } from '../secret.js';
import { type ConfigFile, type Problem, readConfigFile, shown, shownName } from './config_file.js';
import { type Place, readSetting } from './setting_value.js';
import {
  CONFIG_VARIABLE,
  defaultOf,
  type Members,
  NAMED_SETTINGS,
  type NamedSetting,
  RELAY_SETTINGS,
  type RelaySettings,
  typeOf,
} from './settings.js';

/** Where a value is from. */
export interface Origin {
  readonly from: 'file' | 'environment' | 'flag';
  /** Such as `relay.yaml:3:7`, `HOTMIC_RELAY_PORT` or `--port`. */
  readonly name: string;
}

export interface RelayConfig {
  readonly settings: RelaySettings;
  /** By path, where it is not the default. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** The values of flags, by flag, such as `--port` or `--limit`, in the order in which they were given. */
export type Flags = ReadonlyMap<string, readonly string[]>;

export interface ConfigSources {
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working directory, to which paths in flags and variables are relative. */
  readonly folder: string;
}

/** Listed in one message; more are counted. */
const MAX_PROBLEMS = 50;
const PREFIX = 'HOTMIC_RELAY_';
/** Lists of sections have no variables. A secret has two: for the path of its file, and for the secret itself. */
const VARIABLES: ReadonlySet<string> = new Set([
  CONFIG_VARIABLE,
  ...NAMED_SETTINGS.flatMap(({ variable, secretVariable }) => [
    variable,
    ...(secretVariable ? [secretVariable] : []),
  ]),
]);

interface Given {
  readonly value: unknown;
  readonly origin: Origin;
}

/** The settings, or all problems and, as far as it is known, how to log them. */
export type ConfigOutcome =
  | ({ readonly kind: 'read' } & RelayConfig)
  | { readonly kind: 'faulty'; readonly problems: readonly Problem[]; readonly log: RelaySettings['log'] };

/** @throws HotmicError ERR_HOTMIC_FILE when the file cannot be read. */
export function readRelayConfig({ flags, env, folder }: ConfigSources): ConfigOutcome {
  const configPath = flags.get('--config')?.at(-1) ?? (env[CONFIG_VARIABLE] || undefined);
  const file: ConfigFile =
    configPath === undefined
      ? { found: new Map(), faulty: new Set(), problems: [] }
      : readConfigFile(configPath);
  const problems: Problem[] = [...file.problems];
  const faulty = new Set(file.faulty);
  const given = new Map<string, Given>();
  for (const [path, { value, where }] of file.found)
    given.set(path, { value, origin: { from: 'file', name: where } });

  const take = (named: NamedSetting, texts: readonly string[], origin: Origin): void => {
    const read = readTexts(named, texts, { form: 'text', folder });
    if (read.kind === 'read') {
      given.set(named.path, { value: read.value, origin });
      return;
    }
    faulty.add(named.path);
    const subject = origin.from === 'flag' ? `option ${origin.name}` : origin.name;
    problems.push({ from: origin.from, subject, says: read.says });
  };

  problems.push(...unknownVariables(env));
  for (const named of NAMED_SETTINGS) {
    const { variable, secretVariable } = named;
    const text = env[variable] ?? '';
    const secret = secretVariable === null ? '' : (env[secretVariable] ?? '');
    if (text !== '' && secret !== '') {
      faulty.add(named.path);
      problems.push({
        from: 'environment',
        subject: variable,
        says: `and ${secretVariable} are both set, expected only one`,
      });
    } else if (secret !== '') {
      const name = secretVariable!;
      given.set(named.path, {
        value: Secret.inVariable(name, secret),
        origin: { from: 'environment', name },
      });
    } else if (text !== '') {
      const isList = typeOf(named.setting).shape === 'list';
      const texts = isList ? text.split(',').map((part) => part.trim()) : [text];
      take(named, texts, { from: 'environment', name: variable });
    }
  }

  for (const named of NAMED_SETTINGS) {
    const { flag } = named;
    if (flag.endsWith('=')) continue;
    const texts = flags.get(flag);
    if (texts !== undefined) take(named, texts, { from: 'flag', name: flag });
  }
  for (const flag of NAMED_FLAGS) takeNamed(flag, flags.get(flag) ?? [], take, problems);

  const settings = build(RELAY_SETTINGS.members, '', given, faulty, problems) as RelaySettings;
  if (problems.length === 0) {
    try {
      // Bounds that depend on each other.
      relayLimits(settings.limits);
    } catch (thrown) {
      const says = messageOf(thrown).replace(/^Cannot set the relay's limit slotRestMs: it /, '');
      problems.push({ from: 'file', subject: 'limits.slotRestMs', says });
    }
  }
  if (problems.length > 0) return { kind: 'faulty', problems, log: settings.log };
  return { kind: 'read', settings, origins: new Map([...given].map(([path, { origin }]) => [path, origin])) };
}

/** One error for all of them: of the command line if only flags are wrong. If there are several, each has a line. */
export function configError(problems: readonly Problem[]): HotmicError {
  // Quoted text must not break lines.
  const lines = problems.slice(0, MAX_PROBLEMS).map(({ subject, says }) => printable(`${subject} ${says}`));
  if (problems.length > MAX_PROBLEMS) lines.push(`and ${problems.length - MAX_PROBLEMS} more`);
  const code = problems.every(({ from }) => from === 'flag') ? 'ERR_HOTMIC_USAGE' : 'ERR_HOTMIC_CONFIG';
  const head = 'Cannot configure the relay';
  const message =
    lines.length === 1
      ? `${head}: ${lines[0]}`
      : [`${head} for ${problems.length} reasons:`, ...lines].join('\n');
  return new HotmicError(code, message);
}

/** Flags that take name=value, such as `--limit`. */
export const NAMED_FLAGS: readonly string[] = [
  ...new Set(NAMED_SETTINGS.filter(({ flag }) => flag.endsWith('=')).map(({ flag }) => flag.split(' ')[0]!)),
];

function takeNamed(
  flag: string,
  texts: readonly string[],
  take: (named: NamedSetting, texts: readonly string[], origin: Origin) => void,
  problems: Problem[],
): void {
  const seen = new Set<string>();
  for (const text of texts) {
    const [, name = '', value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    const named = NAMED_SETTINGS.find((known) => known.flag === `${flag} ${name}=`);
    const refuse = (says: string) => problems.push({ from: 'flag', subject: `option ${flag}`, says });
    if (value === undefined) refuse(`is ${shown(text)}, expected name=value`);
    else if (!named) {
      const names = NAMED_SETTINGS.filter((known) => known.flag.startsWith(`${flag} `)).map(
        (known) => known.path.split('.').at(-1)!,
      );
      const meant = didYouMean(name, names);
      refuse(
        `has no ${shown(name)}, ${meant ? `did you mean ${meant}?` : `expected one of ${names.join(', ')}`}`,
      );
    } else if (seen.has(name)) refuse(`sets ${name} twice, expected once`);
    else take(named, [value], { from: 'flag', name: `${flag} ${name}` });
    seen.add(name);
  }
}

type ReadTexts =
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly says: string };

function readTexts({ setting }: NamedSetting, texts: readonly string[], place: Place): ReadTexts {
  const type = typeOf(setting);
  if (type.shape === 'one') {
    const text = texts.at(-1)!;
    const read = readSetting(type, text, place);
    if (read.kind === 'read') return read;
    const found = type.form === 'secret' ? 'is not usable' : `is ${shown(text)}`;
    return { kind: 'refused', says: read.fault ?? `${found}, expected ${type.expected}` };
  }
  if (texts.length > type.max)
    return { kind: 'refused', says: `has ${texts.length} values, expected at most ${type.max}` };
  const values: unknown[] = [];
  for (const text of texts) {
    const read = readSetting(type.item, text, place);
    if (read.kind === 'refused') {
      const why = read.fault === null ? `, expected ${type.item.expected}` : `, which ${read.fault}`;
      return { kind: 'refused', says: `has ${shown(text)}${why}` };
    }
    values.push(read.value);
  }
  return { kind: 'read', value: values };
}

function unknownVariables(env: ConfigSources['env']): Problem[] {
  const names = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !VARIABLES.has(name));
  return names.sort().map((name) => {
    const from = 'environment';
    if (/^HOTMIC_RELAY_(SERVICE|PORT)_/.test(name) && 'HOTMIC_RELAY_SERVICE_HOST' in env) {
      const says =
        'is set by Kubernetes for a service named hotmic-relay: set enableServiceLinks: false, or rename the service';
      return { from, subject: name, says };
    }
    const meant = didYouMean(
      name.slice(PREFIX.length),
      [...VARIABLES].map((known) => known.slice(PREFIX.length)),
    );
    const hint = meant === null ? 'see hotmic relay --help' : `did you mean ${PREFIX}${meant}?`;
    return { from, subject: shownName(name), says: `is not a setting, ${hint}` };
  });
}

/** The settings of a section and below. Reports what is missing from a section that is given in part. */
function build(
  members: Members,
  prefix: string,
  given: ReadonlyMap<string, Given>,
  faulty: ReadonlySet<string>,
  problems: Problem[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, node] of Object.entries(members)) {
    const path = prefix + name;
    if (node.node === 'sections') {
      values[name] = given.get(path)?.value ?? [];
    } else if (node.node !== 'section') {
      values[name] = given.has(path) ? given.get(path)!.value : defaultOf(node);
    } else {
      const mentioned = [...given.keys(), ...faulty].find(
        (known) => known === path || known.startsWith(`${path}.`),
      );
      const isThere = node.presence === 'always' || mentioned !== undefined;
      values[name] = isThere ? build(node.members, `${path}.`, given, faulty, problems) : null;
      const first = given.get(mentioned ?? '');
      if (node.presence === 'optional' && mentioned !== undefined && first && !faulty.has(path))
        problems.push(...missing(node.members, path, mentioned, first.origin, given, faulty));
    }
  }
  return values;
}

function missing(
  members: Members,
  path: string,
  mentioned: string,
  { from, name }: Origin,
  given: ReadonlyMap<string, Given>,
  faulty: ReadonlySet<string>,
): Problem[] {
  const missingPaths = Object.entries(members)
    .filter(([, node]) => node.node !== 'sections' && node.presence === 'required')
    .map(([member]) => `${path}.${member}`)
    .filter((required) => !given.has(required) && !faulty.has(required));
  return missingPaths.map((required) => {
    const { variable, flag } = NAMED_SETTINGS.find((known) => known.path === required)!;
    const other = from === 'flag' ? flag : from === 'environment' ? variable : required;
    const subject =
      from === 'flag' ? `option ${name}` : from === 'environment' ? name : `${name}: ${mentioned}`;
    return { from, subject, says: `requires ${other} as well` };
  });
}
