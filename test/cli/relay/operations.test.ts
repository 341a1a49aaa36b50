/** `hotmic relay` for operators: the second port, stopping with a drain, and the log. */

import { once } from 'node:events';
import net from 'node:net';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { writeMessage } from '../../../voice/control.js';
import { type Running, runCli, startCli } from '../../kit/cli.js';
import { helloOf, steamIdOf } from '../../relay/kit.js';

const FREE = ['relay', '--dev', '--port', '0'];

/** A relay with an operator's port, logging text, and where both ports are. */
async function relayWith(t: Test, ...args: string[]) {
  const relay = startCli(t, [...FREE, '--operations-port', '0', ...args]);
  const [, url, operations] = await relay.printed('stdout', /listens at (\S+) .* Operations at (\S+)\. /);
  return { relay, url: url!, operations: operations! };
}

/** The same, logging JSON. */
async function jsonRelayWith(t: Test, ...args: string[]) {
  const relay = startCli(t, [...FREE, '--operations-port', '0', '--log', 'json', ...args]);
  const [line] = await relay.printed('stderr', /^\{.*"event":"listening".*\}\n/m);
  const { url, operationsUrl } = JSON.parse(line) as { url: string; operationsUrl: string };
  return { relay, url, operations: operationsUrl };
}

async function joined(url: string, changed: Partial<ReturnType<typeof helloOf>> = {}): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const welcome = once(socket, 'message');
  socket.send(writeMessage({ ...helloOf(1), ...changed }));
  await welcome;
  return socket;
}

/** A port that is taken until the test is over. */
async function takenPort(t: Test): Promise<string> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return String((server.address() as net.AddressInfo).port);
}

/** Every line of a log in JSON. Throws at the first that is not JSON. */
function entriesOf(text: string): Record<string, unknown>[] {
  t.match(text, /\n$/);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function end(relay: Running, signal: NodeJS.Signals = 'SIGTERM') {
  relay.signal(signal);
  return relay.ended;
}

t.test('the operations port is where the relay prints it, and closes with the relay', async (t) => {
  const { relay, operations } = await relayWith(t);
  t.equal((await fetch(`${operations}readyz`)).status, 200);
  t.match(await (await fetch(`${operations}metrics`)).text(), /\nhotmic_connections 0\n/);
  t.match(await end(relay), { code: 0, stderr: '', stdout: /Relay ended: 0 voice frames published/ });
  await t.rejects(fetch(`${operations}healthz`));
});

t.test('without --drain, SIGTERM ends it at once and notifies everyone', async (t) => {
  const { relay, url } = await relayWith(t);
  const socket = await joined(url);
  const closed = once(socket, 'close');
  const { code, stdout } = await end(relay);
  t.equal(code, 0);
  t.notMatch(stdout, /drains/);
  t.equal((await closed)[0], 1001);
});

t.test('with --drain, SIGTERM waits for connected players and admits no others', async (t) => {
  const { relay, url, operations } = await relayWith(t, '--drain', '25');
  const socket = await joined(url);
  relay.signal('SIGTERM');
  await relay.printed('stdout', /Relay drains: waits at most 25 s for 1 connections/);
  const ready = await fetch(`${operations}readyz`);
  t.match({ status: ready.status, text: await ready.text() }, { status: 503, text: 'draining\n' });
  const late = new WebSocket(url);
  const [error] = await once(late, 'error');
  t.match(error, { message: /503/ });
  const closed = once(socket, 'close');
  socket.send(writeMessage({ type: 'leave' }));
  t.equal((await closed)[0], 1000, 'it was not cut off');
  t.match(await relay.ended, { code: 0, signal: null, stderr: /not admitted \(draining\)/ });
});

t.test('a drain ends when its seconds are over', async (t) => {
  const { relay, url } = await relayWith(t, '--drain', '0.05');
  const closed = once(await joined(url), 'close');
  t.match(await end(relay), { code: 0, signal: null });
  t.equal((await closed)[0], 1001);
});

t.test('SIGTERM ends a longer drain that an administrator began', async (t) => {
  const token = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const file = `${t.testdir({ 'admin.token': token })}/admin.token`;
  const { relay, url } = await relayWith(
    t,
    '--admin-port',
    '0',
    '--admin-token-file',
    file,
    '--drain',
    '0.05',
  );
  const [, admin] = await relay.printed('stdout', /Admin at (\S+)\. /);
  const socket = await joined(url);
  const told = once(socket, 'message');
  const asked = await fetch(`${admin}v1/drain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ withinMs: 86_400_000 }),
  });
  t.equal(asked.status, 202);
  t.match(String((await told)[0]), /"withinMs":86400000/);
  const closed = once(socket, 'close');
  const missing = await fetch(`${admin}v1/lobbies/hidden%20den`, {
    headers: { authorization: `Bearer ${token}` },
  });
  t.equal(missing.status, 404);
  t.match(await end(relay), {
    code: 0,
    signal: null,
    stdout: /waits at most 0.05 s/,
    stderr: /^admin drain: 202, from 127\.0\.0\.1\nadmin getLobby hidden den: 404, from 127\.0\.0\.1\n/m,
  });
  t.equal((await closed)[0], 1001);
});

t.test('SIGHUP without TLS logs nothing about a certificate', async (t) => {
  const { relay } = await relayWith(t);
  relay.signal('SIGHUP');
  t.match(await end(relay), { code: 0, stderr: '' });
});

t.test('a second signal ends a drain at once', async (t) => {
  const { relay, url } = await relayWith(t, '--drain', '25');
  const closed = once(await joined(url), 'close');
  relay.signal('SIGTERM');
  await relay.printed('stdout', /drains/);
  t.match(await end(relay), { code: 130, signal: null });
  t.equal((await closed)[0], 1006);
});

t.test('a log in JSON has one object per line, with time, level and event', async (t) => {
  const { relay, url } = await jsonRelayWith(t, '--drain', '25');
  const ticket = 'c0ffee'.repeat(40);
  const hostile = new WebSocket(url);
  await once(hostile, 'open');
  hostile.send(writeMessage({ ...helloOf(9), ticket: { kind: 'web', ticket, identity: 'x' } } as never));
  await once(hostile, 'close');
  const denied = new WebSocket(url, { headers: { origin: 'http://evil.example' } });
  await once(denied, 'error');
  // An override that turns the line around is no control character to the protocol.
  const socket = await joined(url, { name: 'Kim\u202e"\\', lobby: 'den' });
  relay.signal('SIGTERM');
  await relay.printed('stderr', /"event":"draining"/);
  socket.close();
  const { code, stdout, stderr } = await relay.ended;
  t.match({ code, stdout }, { code: 0, stdout: '' });
  const entries = entriesOf(stderr);
  for (const { time, level } of entries) {
    t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    t.match(level, /^(info|warn|error)$/);
  }
  // Only where the relay chose them itself.
  const sockets = {
    event: 'sockets',
    level: 'info',
    layer: /^(uws|ws)$/,
    detail: /times the processor time/,
  };
  const isForced = /^(uws|ws)$/.test(process.env.HOTMIC_RELAY_SOCKETS ?? '');
  const expected = [
    { event: 'listening', level: 'info', url },
    ...(isForced ? [] : [sockets]),
    { event: 'refused', level: 'warn', code: /^(message-malformed|ticket-refused)$/ },
    { event: 'not-admitted', level: 'warn', reason: 'origin-remote' },
    { event: 'lobby-opened', level: 'info', lobby: 'den' },
    { event: 'joined', level: 'info', lobby: 'den', slot: 0, steamId: steamIdOf(1), name: 'Kim"\\' },
    { event: 'draining', level: 'info', connections: 1, withinSeconds: 25 },
    { event: 'away', level: 'info', lobby: 'den', slot: 0 },
    { event: 'ended', level: 'info', publishedFrames: 0, drops: {}, lostLines: 0 },
  ];
  t.match(entries, expected);
  t.equal(entries.length, expected.length);
  t.notMatch(stderr, /c0ffee/, 'a ticket is in no log');
});

t.test('a level hides less severe entries, in both forms', async (t) => {
  const json = await jsonRelayWith(t).then(async ({ relay, url }) => {
    (await joined(url)).terminate();
    await relay.printed('stderr', /"event":"away"/);
    return end(relay);
  });
  t.match(json.stderr, /"event":"joined"/);
  for (const level of ['warn', 'error']) {
    const { relay, url } = await relayWith(t, '--log-level', level);
    const socket = await joined(url);
    await once(new WebSocket(url, { headers: { origin: 'http://evil.example' } }), 'error');
    socket.terminate();
    const { stderr, stdout } = await end(relay);
    t.notMatch(stderr, /joined|away/, level);
    t.equal(/not admitted \(origin-remote\)/.test(stderr), level === 'warn', level);
    t.match(stdout, /Relay ended/);
  }
  const quiet = startCli(t, [...FREE, '--log', 'json', '--log-level', 'error', '--operations-port', '0']);
  // Nothing says that it listens: the first signal may come before that, and ends it as well.
  t.match(await end(quiet), { stderr: '', stdout: '' });
});

t.test('a port in use is reported in the form of the log', async (t) => {
  const port = await takenPort(t);
  t.match(await runCli(t, [...FREE, '--operations-port', port]), {
    code: 1,
    stdout: '',
    stderr: new RegExp(`^hotmic: [^\n]*operations port ${port} of [^\n]* \\[ERR_HOTMIC_PORT_IN_USE\\]\n$`),
  });
  const json = await runCli(t, [...FREE, '--operations-port', port, '--log', 'json']);
  t.match(json, { code: 1, stdout: '' });
  t.match(entriesOf(json.stderr), [
    { event: 'failed', level: 'error', code: 'ERR_HOTMIC_PORT_IN_USE', detail: /operations port/ },
  ]);
});

t.test('wrong options are reported in one line', async (t) => {
  const cases: readonly [args: readonly string[], text: RegExp][] = [
    [['--operations-port', '65536'], /--operations-port.*0 to 65535/],
    [['--operations-host', '127.0.0.1'], /--operations-host requires --operations-port/],
    [['--drain', '-1'], /--drain.*0 to 86400/],
    [['--drain', '86401'], /--drain.*0 to 86400/],
    [['--log', 'xml'], /--log.*text, json/],
    [['--log-level', 'loud'], /--log-level.*info, warn, error/],
  ];
  for (const [args, text] of cases) {
    const { code, stdout, stderr } = await runCli(t, [...FREE, ...args]);
    t.match({ code, stdout }, { code: 2, stdout: '' }, args.join(' '));
    t.match(stderr, /^hotmic: [^\n]+ \[ERR_HOTMIC_USAGE\]\n$/);
    t.match(stderr, text);
  }
});

t.test('a log that nobody reads does not stall the relay; dropped lines are counted', async (t) => {
  const { relay, url } = await jsonRelayWith(t);
  relay.child.stderr.pause();
  // Each of these is four lines of 2 kB together: 1.6 MB, more than the pipe and the log's own bound hold.
  const wanted = 800;
  const long = '\u{1f3a4}'.repeat(62);
  for (let done = 0; done < wanted; done += 50) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const socket = await joined(url, { lobby: `${long}${index}`, name: long });
        socket.send(writeMessage({ type: 'leave' }));
        await once(socket, 'close');
      }),
    );
  }
  relay.child.stderr.resume();
  const { code, stderr } = await end(relay);
  t.equal(code, 0);
  const entries = entriesOf(stderr);
  const written = entries.filter(({ event }) => /^(?:joined|left|lobby-)/.test(String(event))).length;
  const { lostLines } = entries.at(-1) as { lostLines: number };
  t.ok(lostLines > 0, `${lostLines} lines given up`);
  t.equal(written + lostLines, 4 * wanted, 'every line was written or counted');
});
