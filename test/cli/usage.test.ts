/** The command line itself: help, version, and errors of usage. */

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { runCli } from '../kit/cli.js';
import { toneWav } from '../kit/tone.js';

const COMMANDS = [
  'relay',
  'talk',
  'listen',
  'record',
  'devices',
  'inspect',
  'token',
  'steam',
  'demo',
  'bench',
  'completion',
];

/** Nobody listens at port 1 of loopback. */
const NOWHERE = 'ws://127.0.0.1:1';

t.test('hotmic and every command have help that fits 80 columns', async (t) => {
  const { code, stdout, stderr } = await runCli(t, ['--help']);
  t.match({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, /^Usage: hotmic /);
  for (const command of COMMANDS) {
    t.match(stdout, new RegExp(`^ {2}${command} `, 'm'));
    const help = await runCli(t, [command, '--help']);
    t.match(help, { code: 0, stderr: '' }, command);
    t.ok(help.stdout.startsWith(`Usage: hotmic ${command} `), `${command} prints its usage`);
    for (const line of help.stdout.split('\n')) t.ok(line.length <= 80, line);
  }
});

t.test('the version is that of package.json', async (t) => {
  const manifest = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  t.match(await runCli(t, ['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
});

t.test('without a command, or with help for an unknown one, the help is printed with an error', async (t) => {
  for (const args of [[], ['help', 'speak']]) {
    const { code, stderr, stdout } = await runCli(t, args);
    t.equal(code, 2);
    t.equal(stdout, '');
    t.match(stderr, /^Usage: hotmic /);
    t.match(stderr, /\nhotmic: expected one of the commands above \[ERR_HOTMIC_USAGE\]\n$/);
  }
});

t.test('bad input is one line, with a stable code, and an exit code', async (t) => {
  const folder = t.testdir({ 'no.wav': 'I am a text', 'yes.wav': '', file: '' });
  writeFileSync(join(folder, 'yes.wav'), toneWav(0.1));
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const port = String((server.address() as net.AddressInfo).port);
  const wav = join(folder, 'yes.wav');
  const out = join(folder, 'out');

  const cases: readonly [name: string, args: readonly string[], exit: number, code: string, text: RegExp][] =
    [
      [
        'not a WebSocket URL',
        ['listen', 'http://127.0.0.1', '-l', 'den'],
        1,
        'URL',
        /"http:\/\/127.0.0.1".*ws:\/\//,
      ],
      ['no URL at all', ['listen', 'den', '-l', 'den'], 1, 'URL', /"den"/],
      [
        'a URL that nobody listens at',
        ['listen', NOWHERE, '-l', 'den'],
        1,
        'CONNECT',
        /127.0.0.1:1\/: nothing listens at this address. Is the relay running\? \(ECONNREFUSED\)/,
      ],
      ['the same, to record', ['record', NOWHERE, '-l', 'den', '-o', out], 1, 'CONNECT', /ECONNREFUSED/],
      ['the same, to talk', ['talk', NOWHERE, '-l', 'den', '--wav', wav], 1, 'CONNECT', /ECONNREFUSED/],
      ['a port in use', ['relay', '--dev', '--port', port], 1, 'PORT_IN_USE', new RegExp(`port ${port} `)],
      ['port 99999', ['relay', '--dev', '--port', '99999'], 2, 'USAGE', /'99999'.*0 to 65535/],
      ['a relay without --dev', ['relay'], 1, 'ADMISSION', /or use --dev/],
      ['a relay for everyone', ['relay', '--dev', '--host', '0.0.0.0'], 1, 'ADMISSION', /host is 0\.0\.0\.0/],
      [
        'a WAV that is text',
        ['talk', NOWHERE, '-l', 'x', '--wav', join(folder, 'no.wav')],
        1,
        'WAV',
        /not RIFF|expected/,
      ],
      [
        'a WAV that is not there',
        ['talk', NOWHERE, '-l', 'x', '--wav', join(folder, 'a.wav')],
        1,
        'INPUT',
        /ENOENT/,
      ],
      [
        'PCM that is not there',
        ['talk', NOWHERE, '-l', 'x', '--pcm', join(folder, 'a.pcm')],
        1,
        'INPUT',
        /ENOENT/,
      ],
      ['nothing to say', ['talk', NOWHERE, '-l', 'den'], 2, 'USAGE', /--wav, --pcm, --tone/],
      [
        'two things to say',
        ['talk', NOWHERE, '-l', 'x', '--wav', wav, '--tone', '440'],
        2,
        'USAGE',
        /--tone/,
      ],
      [
        'a tone again and again',
        ['talk', NOWHERE, '-l', 'x', '--tone', '440', '--loop'],
        2,
        'USAGE',
        /--loop.*--wav/,
      ],
      [
        'the rate of a WAV',
        ['talk', NOWHERE, '-l', 'x', '--wav', wav, '--rate', '8000'],
        2,
        'USAGE',
        /--rate.*--pcm/,
      ],
      ['a live tone', ['talk', NOWHERE, '-l', 'x', '--tone', '440', '--live'], 2, 'USAGE', /--live.*--pcm/],
      [
        'a name of 65 letters',
        ['talk', NOWHERE, '-l', 'x', '--tone', '440', '--name', 'n'.repeat(65)],
        2,
        'USAGE',
        /--name.*1 to 64 characters/,
      ],
      [
        'a lobby of 65 letters',
        ['record', NOWHERE, '--lobby', 'n'.repeat(65)],
        2,
        'USAGE',
        /--lobby.*1 to 64 characters/,
      ],
      [
        'a name with control characters',
        ['listen', NOWHERE, '-l', 'x', '-n', '\u001b[2J'],
        2,
        'USAGE',
        /--name.*control/,
      ],
      [
        'a tone that is not a number',
        ['talk', NOWHERE, '-l', 'x', '--tone', 'A'],
        2,
        'USAGE',
        /Expected a number from 20/,
      ],
      [
        'keys without a terminal',
        ['talk', NOWHERE, '-l', 'x', '--tone', '440', '--push-to-talk'],
        2,
        'USAGE',
        /terminal/,
      ],
      [
        'a misspelled option',
        ['record', NOWHERE, '--lobbby', 'den'],
        2,
        'USAGE',
        /--lobbby.*Did you mean --lobby\?/,
      ],
      ['a misspelled command', ['recrd'], 2, 'USAGE', /recrd.*Did you mean record\?/],
      ['an unknown command', ['sing'], 2, 'USAGE', /unknown command 'sing'/],
      ['one argument too many', ['relay', '--dev', 'now'], 2, 'USAGE', /too many arguments/],
      ['no lobby', ['record', NOWHERE], 2, 'USAGE', /--lobby/],
      ['no URL', ['record', '--lobby', 'den'], 2, 'USAGE', /'url'/],
      [
        'a SteamID in hexadecimal',
        ['listen', NOWHERE, '-l', 'x', '--steam-id', '0x1'],
        2,
        'USAGE',
        /decimal/,
      ],
      [
        'negative seconds',
        ['listen', NOWHERE, '-l', 'x', '--seconds', '-1'],
        2,
        'USAGE',
        /Expected a number/,
      ],
      [
        'a file to inspect that is not there',
        ['inspect', join(folder, 'a.bin')],
        1,
        'INPUT',
        /a\.bin: it does not exist \(ENOENT\)/,
      ],
      ['nothing to inspect', ['inspect'], 2, 'USAGE', /'packet'/],
      [
        'a folder that cannot be made',
        ['record', NOWHERE, '-l', 'x', '-o', join(folder, 'file/out')],
        1,
        'FILE',
        /ENOTDIR/,
      ],
    ];
  t.jobs = 2;
  for (const [name, args, exit, wanted, text] of cases) {
    t.test(name, { buffered: true }, async (t) => {
      const { code, stdout, stderr } = await runCli(t, args);
      t.equal(code, exit, stderr);
      t.equal(stdout, '');
      t.match(stderr, /^hotmic: [^\n]+ \[ERR_HOTMIC_[A-Z_]+\]\n$/, 'one line');
      t.ok(stderr.endsWith(`[ERR_HOTMIC_${wanted}]\n`), `${stderr} has ${wanted}`);
      t.match(stderr, text);
    });
  }
});
