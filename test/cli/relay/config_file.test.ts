/** The relay's configuration file: which part of YAML is accepted, and that each fault is reported with its place. */

import fc from 'fast-check';
import t from 'tap';
import { MAX_CONFIG_BYTES, readConfigFile, readConfigText } from '../../../cli/relay/config_file.js';
import { SEED } from '../../kit/random.js';

t.comment(`seed ${SEED}`);

const read = (text: string) => readConfigText(text, 'relay.yaml', '/etc/hotmic');
const valuesOf = (text: string) => {
  const { found, problems } = read(text);
  return { values: Object.fromEntries([...found].map(([path, { value }]) => [path, value])), problems };
};
const said = (text: string) => read(text).problems.map(({ subject, says }) => `${subject} ${says}`);

t.test('values are read with their line and column', async (t) => {
  const { found, problems } = read(
    'port: 80\n\ntls:\n  certFile: a.pem\n  keyFile: /b.pem\nlog: {level: warn}\ndrain:\n  seconds: 0.5\n',
  );
  t.same(problems, []);
  t.same(Object.fromEntries(found), {
    port: { value: 80, where: 'relay.yaml:1:1' },
    'tls.certFile': { value: '/etc/hotmic/a.pem', where: 'relay.yaml:4:3' },
    'tls.keyFile': { value: '/b.pem', where: 'relay.yaml:5:3' },
    'log.level': { value: 'warn', where: 'relay.yaml:6:7' },
    'drain.seconds': { value: 0.5, where: 'relay.yaml:8:3' },
  });
});

t.test('an empty value counts as not given', async (t) => {
  for (const text of [
    '',
    '\n# nothing\n',
    '---\n',
    'port:\n',
    'tls:\n',
    'tls: {}\n',
    'limits:\n  lobbies:\n',
    'webhooks:\n',
    '~',
  ])
    t.same(valuesOf(text), { values: {}, problems: [] }, JSON.stringify(text));
});

t.test('a SteamID without quotes keeps all its digits', async (t) => {
  const { values } = valuesOf('moderators: [76561197960265729, "76561197960265731"]');
  t.same(values.moderators, ['76561197960265729', '76561197960265731']);
});

t.test('a webhook has its defaults, and missing settings are reported', async (t) => {
  const { values } = valuesOf('webhooks:\n- url: https://a.example\n  secretFile: key\n');
  t.match(values.webhooks, [
    { url: 'https://a.example', secretFile: { path: '/etc/hotmic/key' }, events: [] },
  ]);
  t.same(said('webhooks:\n- url: https://a.example\n'), [
    'relay.yaml:2:3: webhooks[0] requires secretFile as well',
  ]);
});

t.test('each fault is reported with its place and what is expected', async (t) => {
  const cases: readonly [text: string, problem: RegExp][] = [
    ['prot: 1', /^relay.yaml:1:1: prot is not a setting, did you mean port\?$/],
    ['tls:\n  certfile: x', /^relay.yaml:2:3: tls.certfile is not a setting, did you mean tls.certFile\?$/],
    ['trusted_proxies: []', /did you mean trustedProxies\?$/],
    ['limits:\n  lobises: 1', /did you mean limits.lobbies\?$/],
    ['keysFile: x', /^relay.yaml:1:1: keysFile is not a setting, did you mean tokens.keysFile\?$/],
    ['drain: {grace: 3}', /^relay.yaml:1:9: drain.grace is not a setting, expected one of seconds, goTo$/],
    ['port: 65536', /^relay.yaml:1:7: port is '65536', expected a whole number from 0 to 65535$/],
    ['port: 1.5', /port is '1.5'/],
    ['port: "80"', /port is '80', expected a whole number/],
    ['port: [80]', /^relay.yaml:1:7: port is not a single value, expected/],
    ['port: {a: 1}', /port is not a single value/],
    ['drain: {seconds: .inf}', /drain.seconds is '.inf', expected a number from 0 to 86400/],
    ['drain: {seconds: .nan}', /drain.seconds is '.nan'/],
    ['dev: yes', /dev is 'yes', expected true or false \(YAML 1.2 has no yes and no\)$/],
    ['host: 1', /host is '1', expected an address or localhost \(text: put it in quotes\)/],
    ['log: {form: xml}', /log.form is 'xml', expected one of text, json/],
    ['origins: https://a.example', /origins is not a list, expected one/],
    [
      'origins: [https://a.example/]',
      /origins\[0\] is not an origin as browsers write it, expected https:\/\/a.example$/,
    ],
    ['origins: [https://A.example:443]', /expected https:\/\/a.example$/],
    ['origins: [https://a.example, ~]', /origins\[1\] is nothing/],
    ['trustedProxies: [10.0.0.1/8]', /trustedProxies\[0\] is not a proxy to trust: there are bits after/],
    ['moderators: [x]', /moderators\[0\] is 'x', expected a SteamID64/],
    [`moderators: [${'1,'.repeat(10_001)}]`, /moderators has 10001 items, expected at most 10000/],
    ['tickets: {web: {baseUrl: ftp://x}}', /tickets.web.baseUrl is 'ftp:\/\/x'/],
    [
      'drain: {goTo: wss://kim:pw@x}',
      /drain.goTo has a user name or a password, expected a URL without them$/,
    ],
    ['tls: cert.pem', /^relay.yaml:1:6: tls is not a section/],
    ['- port: 1', /^relay.yaml:1:1: the file is not a section/],
    ['hello', /^relay.yaml:1:1: the file is not a section/],
    ['? [a]\n: 1', /has a key that is not a name/],
    ['1: 2', /has a key that is not a name/],
    ['__proto__: 1', /__proto__ is not a setting/],
    ['constructor: 1', /constructor is not a setting/],
    ['tls: {toString: 1}', /tls.toString is not a setting/],
    ['port: 1\nport: 2', /^relay.yaml:2:1: port is set twice, the first time at relay.yaml:1:1$/],
    ['port: 1\n---\nport: 2', /^relay.yaml:2:1: Source contains multiple documents/],
    ['port: [1', /^relay.yaml:1:9: /],
    ['\tport: 1', /^relay.yaml:1:1: /],
    [
      'port: &p 80\noperations: {port: *p}',
      /^relay.yaml:2:20: operations.port is an alias \(\*\), expected the value itself$/,
    ],
    ['tls: &t {}\nadmin: *t', /^relay.yaml:2:8: admin is an alias/],
    ['tls: {<<: *x}', /Unresolved alias|alias|<<|anchor/],
    ['host: !!str 1', /^relay.yaml:1:13: host has a tag \(!\), expected none$/],
    ['host: !js/function x', /host has a tag/],
    ['log: !!map {form: json}', /log has a tag/],
    ['origins: !!set {a, b}', /origins has a tag/],
    ['%YAML 1.1\n---\ndev: yes', /the file has directives \(%\), expected none/],
    ['%TAG ! tag:x,2000:\n---\nport: 1', /the file has directives/],
  ];
  for (const [text, problem] of cases) {
    const problems = said(text);
    t.equal(problems.length, 1, `${text.slice(0, 50)}: ${problems.join(' | ').slice(0, 400)}`);
    t.match(problems[0], problem);
  }
});

t.test('all faults are reported, not only the first', async (t) => {
  const problems = said(
    'prot: 1\nhost: 2\nlog:\n  form: xml\n  level: loud\norigins: [1, https://a.example, x]\n',
  );
  t.equal(problems.length, 6, problems.join('\n'));
});

t.test('a secret given instead of its file name is not quoted', async (t) => {
  const key = '0123456789abcdefDEADBEEF0123456789abcdef0123456789abcdef01234567';
  for (const text of [
    `tickets: {app: {keyFile: ${key}}}`,
    `tickets: {app: {keyFile: [${key}]}}`,
    `tickets: {app: {keyFile: {${key}: 1}}}`,
    `tickets: {app: {key: ${key}}}`,
    `publisherKey: ${key}`,
    `tokens: {keysFile: '{"keys": ["${key}"]}'}`,
    `tokens: {keysFile: "${key}\\n"}`,
  ]) {
    const [problem = '', ...more] = said(text);
    t.same(more, []);
    t.not(problem, '');
    t.notMatch(problem, /DEADBEEF/, problem);
  }
  t.match(said('tickets: {web: {publisherKey: x}}')[0], /did you mean tickets.web.publisherKeyFile\?/);
});

t.test('a YAML bomb is refused, in little time and memory', async (t) => {
  const laughs = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (let n = 1; n < 10; n += 1) {
    const [name, before] = ['abcdefghij'[n]!, 'abcdefghij'[n - 1]!];
    laughs.push(`${name}: &${name} [${`*${before},`.repeat(9)}*${before}]`);
  }
  laughs.push('moderators: *j');
  const problems = said(laughs.join('\n'));
  t.match(problems.at(-1), /moderators is an alias/);
  for (const deep of [
    '['.repeat(100_000),
    '{a: '.repeat(50_000),
    '- '.repeat(100_000),
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  ])
    t.ok(said(`port: ${deep}`).length >= 1, deep.slice(0, 10));
  t.ok(said(Array.from({ length: 20_000 }, (_, n) => `k${n}: 1`).join('\n')).length === 20_000);
});

t.test('a file may be as long as its bound, and must be text', async (t) => {
  const folder = t.testdir({
    'long.yaml': `# ${'x'.repeat(MAX_CONFIG_BYTES)}`,
    'whole.yaml': `#${'x'.repeat(MAX_CONFIG_BYTES - 1)}`,
    'bytes.yaml': Buffer.from([0xff, 0xfe, 0x80]),
  });
  t.throws(() => readConfigFile(`${folder}/long.yaml`), { code: 'ERR_HOTMIC_FILE', message: /too long/ });
  t.throws(() => readConfigFile(`${folder}/bytes.yaml`), { code: 'ERR_HOTMIC_FILE', message: /UTF-8/ });
  t.throws(() => readConfigFile(`${folder}/none.yaml`), { code: 'ERR_HOTMIC_FILE', message: /ENOENT/ });
  t.throws(() => readConfigFile(folder), { code: 'ERR_HOTMIC_FILE', message: /folder/ });
  t.same(readConfigFile(`${folder}/whole.yaml`).problems, []);
});

t.test('reading never throws, whatever the text', async (t) => {
  const piece = fc.constantFrom(
    ...['port', 'tls', 'certFile', 'limits', 'lobbies', 'webhooks', 'url', 'origins', 'moderators', 'log'],
    ...[
      ': ',
      ':\n  ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '&a ',
      '*a',
      '!x ',
      '"',
      "'",
      '|\n',
      '? ',
      '# ',
      '%',
      '<<',
      '---\n',
      '\t',
      '1',
      'true',
      'x',
    ],
  );
  const text = fc.oneof(
    { weight: 3, arbitrary: fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')) },
    { weight: 1, arbitrary: fc.string({ maxLength: 100 }) },
  );
  let whole = 0;
  fc.assert(
    fc.property(text, (text) => {
      const { problems } = read(text);
      if (problems.length === 0) whole += 1;
      return problems.every(({ subject }) => subject.startsWith('relay.yaml:'));
    }),
    { seed: SEED, numRuns: 10_000 },
  );
  t.ok(whole > 0 && whole < 10_000, `${whole} were valid`);
});
