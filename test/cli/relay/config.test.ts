/** The relay's settings from flags, environment and file: which overrides which, and how faults are reported. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { didYouMean } from '../../../cli/did_you_mean.js';
import { type ConfigOutcome, configError, readRelayConfig } from '../../../cli/relay/config.js';
import { printedConfig } from '../../../cli/relay/config_text.js';
import { relayOptionsOf } from '../../../cli/relay/options_of.js';
import { defaultOf, NAMED_SETTINGS, typeOf } from '../../../cli/relay/settings.js';
import type { Secret } from '../../../cli/secret.js';
import { relayLimits } from '../../../relay/core/limits.js';
import { jsonSchemaOf } from '../../../relay/option_types.js';
import { runCli, startCli } from '../../kit/cli.js';

interface Sources {
  readonly file?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly flags?: Readonly<Record<string, readonly string[]>>;
}

function read(t: Test, { file, env = {}, flags = {} }: Sources): ConfigOutcome {
  const folder = existsSync(t.testdirName) ? t.testdirName : t.testdir({});
  if (file !== undefined) writeFileSync(join(folder, 'relay.yaml'), file);
  const config = file === undefined ? [] : ([['--config', [join(folder, 'relay.yaml')]]] as const);
  return readRelayConfig({ flags: new Map([...config, ...Object.entries(flags)]), env, folder: '/work dir' });
}

function settingsOf(t: Test, sources: Sources) {
  const outcome = read(t, sources);
  if (outcome.kind === 'faulty') throw configError(outcome.problems);
  return outcome;
}

function problemsOf(t: Test, sources: Sources): string[] {
  const outcome = read(t, sources);
  if (outcome.kind === 'read') return [];
  return outcome.problems.map(({ subject, says }) =>
    `${subject} ${says}`.replace(/^\S*\/relay\.yaml/, 'relay.yaml'),
  );
}

t.test('without any source every setting has its default, and sections that are off are null', async (t) => {
  const { settings, origins } = settingsOf(t, {});
  t.match(settings, { dev: false, host: '127.0.0.1', port: 7800, tls: null, origins: [], operations: null });
  t.match(settings, {
    tokens: { keysFile: null, audience: 'hotmic', clockToleranceS: 5 },
    tickets: { web: null, app: null },
    webhooks: [],
  });
  t.same(settings.limits, relayLimits());
  t.equal(origins.size, 0);
});

t.test(
  'flags override variables, variables override the file, and the file overrides the default',
  async (t) => {
    const file = 'port: 1\nhost: 127.0.0.2\nlimits: {lobbies: 1, connections: 1}\nguests: listen';
    const env = { HOTMIC_RELAY_PORT: '2', HOTMIC_RELAY_GUESTS: 'speak', HOTMIC_RELAY_LIMITS_LOBBIES: '2' };
    const flags = { '--port': ['3'], '--limit': ['lobbies=3', 'frameBurst=7'] };
    const { settings, origins } = settingsOf(t, { file, env, flags });
    t.match(settings, { port: 3, host: '127.0.0.2', guests: 'speak', secondJoin: 'replace' });
    t.match(settings.limits, { lobbies: 3, connections: 1, frameBurst: 7, frames: undefined });
    t.match(Object.fromEntries(origins), {
      port: { from: 'flag', name: '--port' },
      guests: { from: 'environment', name: 'HOTMIC_RELAY_GUESTS' },
      host: { from: 'file', name: /relay\.yaml:2:1$/ },
      'limits.lobbies': { name: '--limit lobbies' },
    });
  },
);

/** A text for each setting that is not its default. */
const TEXTS: Readonly<Record<string, string>> = {
  dev: 'true',
  host: '::1',
  port: '1',
  path: '/voice',
  sockets: 'ws',
  page: 'true',
  origins: 'https://a.example',
  trustedProxies: '::1',
  'tokens.audience': 'other',
  'tickets.web.identity': 'other',
  'tickets.web.baseUrl': 'http://127.0.0.1:1',
  'tickets.web.vacBanned': 'admit',
  guests: 'speak',
  secondJoin: 'refuse',
  atTokenExpiry: 'keep',
  lobbies: 'by-admin',
  moderators: '76561197960265729',
  'operations.host': '::1',
  'admin.host': '::1',
  'drain.seconds': '0.5',
  'log.form': 'json',
  'log.level': 'error',
  'tickets.app.alone': 'trust-forgeable',
};

t.test('every setting can be set by its variable, and by its flag', async (t) => {
  for (const { path, setting, variable, flag } of NAMED_SETTINGS) {
    const fallback = defaultOf(setting);
    const { example } = setting;
    const most = jsonSchemaOf(typeOf(setting)).maximum;
    const text = TEXTS[path] ?? example ?? String(most);
    // With the rest of its section, and the limit that has to be above another.
    const section = path.slice(0, path.lastIndexOf('.') + 1);
    const rest = NAMED_SETTINGS.filter(
      (other) => other.setting.presence === 'required' && section !== '' && other.path.startsWith(section),
    ).map((other) => [other.variable, other.setting.example!]);
    const env = {
      ...Object.fromEntries(rest),
      ...(path === 'limits.resumeWithinMs' && { HOTMIC_RELAY_LIMITS_SLOT_REST_MS: '3600000' }),
    };
    const [name = '', prefix = ''] = flag.split(' ');
    const ways: readonly Sources[] = [
      { env: { ...env, [variable]: text } },
      { env: { ...env, [variable]: undefined }, flags: { [name]: [prefix + text] } },
    ];
    for (const sources of ways) {
      const { settings, origins } = settingsOf(t, sources);
      t.notSame(valueAt(settings, path), fallback, `${path} is set`);
      t.equal(origins.get(path)?.from, sources.flags ? 'flag' : 'environment');
    }
  }
});

function valueAt(settings: unknown, path: string): unknown {
  return path.split('.').reduce((value, name) => (value as Record<string, unknown>)[name], settings);
}

t.test(
  'lists are replaced as a whole; in a variable they have commas, as flags they are repeated',
  async (t) => {
    const file = 'origins: [https://a.example]\ntrustedProxies: ["::1"]';
    const env = { HOTMIC_RELAY_TRUSTED_PROXIES: '10.0.0.0/8, 192.0.2.1' };
    const flags = { '--origin': ['https://b.example', 'https://c.example'] };
    const { settings } = settingsOf(t, { file, env, flags });
    t.same(settings.origins, ['https://b.example', 'https://c.example']);
    t.same(settings.trustedProxies, ['10.0.0.0/8', '192.0.2.1']);
  },
);

t.test('an empty variable counts as not set', async (t) => {
  const { settings, origins } = settingsOf(t, {
    file: 'port: 5',
    env: { HOTMIC_RELAY_PORT: '', HOTMIC_RELAY_CONFIG: '' },
  });
  t.equal(settings.port, 5);
  t.equal(origins.size, 1);
});

t.test('paths are relative to the folder of the file, or to the working directory', async (t) => {
  const folder = t.testdirName;
  const { settings } = settingsOf(t, {
    file: 'sanctionsFile: bans.json\ntls: {certFile: ../a.pem, keyFile: /b.pem}',
    env: { HOTMIC_RELAY_TLS_PASSPHRASE_FILE: 'pass' },
  });
  t.equal(settings.sanctionsFile, join(folder, 'bans.json'));
  t.same(settings.tls, {
    certFile: join(folder, '../a.pem'),
    keyFile: '/b.pem',
    passphraseFile: '/work dir/pass',
  });
});

t.test('a variable can name the file, and a flag overrides it', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'port: 1', 'b.yaml': 'port: 2' });
  const env = { HOTMIC_RELAY_CONFIG: join(folder, 'a.yaml') };
  const port = (outcome: ConfigOutcome) => outcome.kind === 'read' && outcome.settings.port;
  t.equal(port(readRelayConfig({ flags: new Map(), env, folder })), 1);
  const flags = new Map([['--config', [join(folder, 'b.yaml')]]]);
  t.equal(port(readRelayConfig({ flags, env, folder })), 2);
  t.throws(() => readRelayConfig({ flags: new Map([['--config', ['no.yaml']]]), env, folder }), {
    code: 'ERR_HOTMIC_FILE',
    message: /no\.yaml: it does not exist/,
  });
});

t.test('a secret is in a file or in a variable, and is never printed', async (t) => {
  const folder = t.testdir({ key: ' from-a-file\n', empty: '\n' });
  const KEY = 'HOTMIC_RELAY_TICKETS_WEB_PUBLISHER_KEY';
  const web = (env: Readonly<Record<string, string>>): Secret =>
    settingsOf(t, { file: 'tickets: {web: {appId: 480}}', env }).settings.tickets.web!.publisherKeyFile;
  const inVariable = web({ [KEY]: ' hidden-text ' });
  t.equal(inVariable.read(), 'hidden-text');
  const shown = [
    inspect(inVariable, { showHidden: true }),
    JSON.stringify({ inVariable }),
    String(inVariable),
  ];
  for (const text of shown) t.notMatch(text, /hidden-text/);
  t.equal(web({ [`${KEY}_FILE`]: join(folder, 'key') }).read(), 'from-a-file');
  const empty = web({ [`${KEY}_FILE`]: join(folder, 'empty') });
  t.throws(() => empty.read(), { code: 'ERR_HOTMIC_CONFIG', message: /empty is empty/ });
  const both = { [KEY]: 'hidden-text', [`${KEY}_FILE`]: 'y' };
  t.throws(() => web(both), {
    message: new RegExp(`${KEY}_FILE and ${KEY} are both set, expected only one`),
  });
});

t.test(
  'what is missing from a section is named the way its other settings were given: as flag, variable or setting',
  async (t) => {
    t.same(problemsOf(t, { flags: { '--operations-host': ['::1'] } }), [
      'option --operations-host requires --operations-port as well',
    ]);
    t.same(problemsOf(t, { env: { HOTMIC_RELAY_ADMIN_PORT: '1' } }), [
      'HOTMIC_RELAY_ADMIN_PORT requires HOTMIC_RELAY_ADMIN_TOKEN_FILE as well',
    ]);
    t.same(problemsOf(t, { file: 'tls:\n  certFile: a' }), [
      'relay.yaml:2:3: tls.certFile requires tls.keyFile as well',
    ]);
    t.same(problemsOf(t, { file: 'tls:\n  certFile: a', flags: { '--tls-key': ['b'] } }), []);
    t.same(
      problemsOf(t, { file: 'operations:\n  host: 1' }).length,
      1,
      'a wrong setting is not also missing',
    );
  },
);

t.test('wrong flags and variables are reported all at once', async (t) => {
  const cases: readonly [sources: Sources, problem: RegExp][] = [
    [{ flags: { '--port': ['x'] } }, /^option --port is 'x', expected a whole number from 0 to 65535$/],
    [{ flags: { '--port': ['0x50'] } }, /option --port/],
    [{ flags: { '--drain': [''] } }, /option --drain is ''/],
    [{ flags: { '--origin': ['https://a.example', 'b'] } }, /^option --origin has 'b', expected an origin/],
    [{ flags: { '--moderator': ['0x1'] } }, /^option --moderator has '0x1'/],
    [{ flags: { '--moderator': ['42'] } }, /^option --moderator has '42'/],
    [{ flags: { '--limit': ['lobbis=1'] } }, /^option --limit has no 'lobbis', did you mean lobbies\?$/],
    [{ flags: { '--limit': ['zzz=1'] } }, /expected one of connections, lobbies/],
    [{ flags: { '--limit': ['lobbies'] } }, /^option --limit is 'lobbies', expected name=value$/],
    [
      { flags: { '--limit': ['lobbies=0'] } },
      /^option --limit lobbies is '0', expected a whole number from 1 to 100000$/,
    ],
    [{ flags: { '--limit': ['lobbies=1', 'lobbies=2'] } }, /^option --limit sets lobbies twice/],
    [{ flags: { '--address-limit': ['rooms=1'] } }, /^option --address-limit has no 'rooms'/],
    [
      { env: { HOTMIC_RELAY_PROT: '1' } },
      /^HOTMIC_RELAY_PROT is not a setting, did you mean HOTMIC_RELAY_PORT\?$/,
    ],
    [{ env: { HOTMIC_RELAY_TLS_CERTFILE: '1' } }, /did you mean HOTMIC_RELAY_TLS_CERT_FILE\?$/],
    [
      { env: { HOTMIC_RELAY_ZZZZZZZ: '1' } },
      /^HOTMIC_RELAY_ZZZZZZZ is not a setting, see hotmic relay --help/,
    ],
    [{ env: { HOTMIC_RELAY_WEBHOOKS: '[]' } }, /^HOTMIC_RELAY_WEBHOOKS is not a setting/],
    [{ env: { HOTMIC_RELAY_DEV: 'yes' } }, /^HOTMIC_RELAY_DEV is 'yes', expected true or false$/],
    [
      { env: { HOTMIC_RELAY_SERVICE_HOST: '10.0.0.1' } },
      /by Kubernetes for a service named hotmic-relay: set enableServiceLinks: false/,
    ],
    [
      { flags: { '--limit': ['slotRestMs=1'] } },
      /^limits\.slotRestMs is 1, expected more than resumeWithinMs, which is 30000$/,
    ],
  ];
  for (const [sources, problem] of cases) {
    const problems = problemsOf(t, sources);
    t.equal(problems.length, 1, problems.join(' | '));
    t.match(problems[0], problem);
  }
  t.same(
    problemsOf(t, { env: { HOTMIC: '1', HOTMIC_SEED: '1', HOTMIC_TOKEN: 'x', OTHER_HOTMIC_RELAY_X: '1' } }),
    [],
  );
  const all = {
    file: 'prot: 1',
    env: { HOTMIC_RELAY_PROT: '1' },
    flags: { '--port': ['x'], '--log': ['xml'] },
  };
  t.equal(problemsOf(t, all).length, 4);
});

t.test('if only flags are wrong it is a usage error, and each fault has its line', async (t) => {
  const errorOf = (sources: Sources) => {
    const outcome = read(t, sources);
    return outcome.kind === 'faulty' ? configError(outcome.problems) : null;
  };
  t.match(errorOf({ flags: { '--port': ['x'] } }), {
    code: 'ERR_HOTMIC_USAGE',
    message: /^Cannot configure the relay: option --port/,
  });
  t.match(errorOf({ env: { HOTMIC_RELAY_PORT: 'x' } }), { code: 'ERR_HOTMIC_CONFIG' });
  const both = errorOf({ env: { HOTMIC_RELAY_PORT: 'x\ny' }, flags: { '--port': ['x'] } });
  t.match(both, {
    code: 'ERR_HOTMIC_CONFIG',
    message: /^Cannot configure the relay for 2 reasons:\n[^\n]+\n[^\n]+$/,
  });
  const many = errorOf({ file: Array.from({ length: 60 }, (_, n) => `k${n}: 1`).join('\n') });
  t.equal(many!.message.split('\n').length, 52);
  t.match(many!.message, /for 60 reasons:\n[\s\S]*\nand 10 more$/);
});

t.test('settings of the log apply even if other settings are wrong', async (t) => {
  t.match(read(t, { file: 'log: {form: json}\nprot: 1' }), {
    kind: 'faulty',
    log: { form: 'json', level: 'info' },
  });
  t.match(read(t, { file: 'log: {form: xml}' }), { kind: 'faulty', log: { form: 'text' } });
});

t.test('the printed configuration can be read back, and contains no secret', async (t) => {
  const file =
    'tokens: {keysFile: keys.json}\nadmin: {port: 1}\nmoderators: [76561197960265729]\nwebhooks: [{url: https://a.example/x?y=1, secretFile: s}]\n' +
    'origins: [https://a.example]\ndrain: {seconds: 0.5, goTo: wss://b.example}\nlimits: {lobbies: 5}';
  const env = { HOTMIC_RELAY_ADMIN_TOKEN: 'hidden-text', HOTMIC_RELAY_TOKENS_AUDIENCE: '"# odd: [name]' };
  const config = settingsOf(t, { file, env });
  const text = printedConfig(config);
  t.notMatch(text, /hidden-text/);
  t.match(text, /\n {2}tokenFile: null # set by HOTMIC_RELAY_ADMIN_TOKEN\n/);
  t.match(text, /\n {2}lobbies: 5 # \S*relay\.yaml:7:10\n/);
  const again = settingsOf(t, { file: text, env: { HOTMIC_RELAY_ADMIN_TOKEN: 'hidden-text' } });
  t.same(JSON.parse(JSON.stringify(again.settings)), JSON.parse(JSON.stringify(config.settings)));
});

t.test('settings become options of a relay', async (t) => {
  const keys = { keys: [] };
  const file =
    'port: 0\ntokens: {keysFile: keys.json, audience: x}\natTokenExpiry: keep\nguests: speak\noperations: {port: 0}';
  const config = settingsOf(t, { file });
  writeFileSync(config.settings.tokens.keysFile!.path!, JSON.stringify(keys));
  t.match(relayOptionsOf(config), {
    dev: false,
    port: 0,
    tokens: { keys, audience: 'x' },
    atExpiry: 'keep',
    guests: 'speak',
    operations: { port: 0, host: '127.0.0.1' },
    limits: relayLimits(),
  });
  const { tokens: none, operations } = relayOptionsOf(settingsOf(t, { flags: { '--dev': ['true'] } }));
  t.same([none, operations], [undefined, undefined]);
  writeFileSync(config.settings.tokens.keysFile!.path!, 'secret-text {');
  t.throws(() => relayOptionsOf(config), { code: 'ERR_HOTMIC_FILE', message: /keys\.json: it is not JSON/ });
});

t.test('a similar name is suggested, and a different one is not', async (t) => {
  const names = ['port', 'host', 'certFile', 'keyFile', 'participantsPerLobby'];
  for (const [written, meant] of [
    ['prot', 'port'],
    ['Port', 'port'],
    ['cert_file', 'certFile'],
    ['cert-flie', 'certFile'],
    ['keyfil', 'keyFile'],
    ['participantPerLobbys', 'participantsPerLobby'],
    ['x', null],
    ['', null],
    ['zebra', null],
    ['p'.repeat(100_000), null],
  ] as const)
    t.equal(didYouMean(written, names), meant, written.slice(0, 30));
});

t.test('the command reads its file, reports all faults, and prints its settings', async (t) => {
  const folder = t.testdir({
    'good.yaml': 'dev: true\nport: 0\nlog: {form: json}',
    'bad.yaml': 'prot: 0\nlog: {level: loud}',
  });
  const [good, bad] = [join(folder, 'good.yaml'), join(folder, 'bad.yaml')];
  const printed = await runCli(t, ['relay', '--config', good, '--print-config'], {
    env: { HOTMIC_RELAY_HOST: '::1' },
  });
  t.match(printed, {
    code: 0,
    stderr: '',
    stdout: /\nhost: ::1 # HOTMIC_RELAY_HOST\nport: 0 # .*good\.yaml:2:1\n/,
  });
  const wrong = await runCli(t, ['relay', '-c', bad, '--port', '-1']);
  t.match(wrong, { code: 1, stdout: '' });
  t.match(
    wrong.stderr,
    /^hotmic: Cannot configure the relay for 3 reasons: \[ERR_HOTMIC_CONFIG\]\n( {2}[^\n]*bad\.yaml:\d+:\d+: [^\n]+\n){2} {2}option --port [^\n]+\n$/,
  );
  const json = await runCli(t, ['relay', '--config', bad, '--log', 'json']);
  t.match(json, { code: 1, stdout: '' });
  t.match(JSON.parse(json.stderr), {
    event: 'failed',
    code: 'ERR_HOTMIC_CONFIG',
    detail: /prot is not a setting.*; .*loud/,
  });
  const relay = startCli(t, ['relay'], { env: { HOTMIC_RELAY_CONFIG: good } });
  await relay.printed('stderr', /"event":"listening"/);
  relay.signal('SIGTERM');
  t.match(await relay.ended, { code: 0 });
});
