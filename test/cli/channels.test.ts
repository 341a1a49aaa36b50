/** `--channel`, `--guest` and reconnecting, in the commands that join. */

import t from 'tap';
import { SpeakerLine } from '../../cli/speaker_line.js';
import { joinLobby } from '../../client/lobby/join.js';
import { startRelay } from '../../relay/index.js';
import { personSteamId } from '../../voice/steam_id.js';
import { memberOf } from '../client/scripted_transport.js';
import { tcpProxy } from '../client/tcp_proxy.js';
import { runCli, startCli } from '../kit/cli.js';

t.test('talk speaks to its channel, and a listener in it shows that', async (t) => {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  const inside = startCli(t, ['listen', relay.url, '-l', 'den', '-n', 'Ben', '-c', 'red', '-c', 'blue']);
  const outside = startCli(t, ['listen', relay.url, '-l', 'den', '-n', 'Cleo']);
  await Promise.all([inside.printed('stderr', /In lobby/), outside.printed('stderr', /In lobby/)]);
  await outside.printed('stderr', /Ben is in red, blue\n|1 other/);
  const talk = [
    'talk',
    relay.url,
    '-l',
    'den',
    '-n',
    'Ada',
    '-c',
    'red',
    '--tone',
    '440',
    '--seconds',
    '0.3',
  ];
  t.match(await runCli(t, talk), {
    code: 0,
    stderr: /Sent \d+ voice packets in 1 talkspurt; 0 dropped as too late/,
  });
  await inside.printed('stderr', /Ada is in red\n.*Ada speaks to red\n(?:.*\n)*.*Ada left/);
  await outside.printed('stderr', /Ada is in red\n.*Ada left/);
  for (const listen of [inside, outside]) listen.signal('SIGINT');
  t.equal((await inside.ended).code, 0);
  t.notMatch((await outside.ended).stderr, /Ada speaks/);
});

t.test('a guest may speak where guests are admitted, and is refused elsewhere', async (t) => {
  const open = await startRelay({ dev: true, guests: 'speak' });
  const strict = await startRelay({ dev: true });
  t.teardown(() => Promise.all([open.close(), strict.close()]));
  const talk = (url: string, ...more: string[]) =>
    runCli(t, ['talk', url, '-l', 'den', '--guest', '--tone', '440', '--seconds', '0.3', ...more]);
  t.match(await talk(open.url), { code: 0, stderr: /Sent \d+ voice packets/ });
  // How many depends on how busy the machine is.
  t.ok(open.counts().publishedFrames > 0);
  t.equal(open.counts().drops['steam-id-mismatch'], 0);
  t.match(await talk(strict.url), { code: 1, stderr: /credential-expected.*\[ERR_HOTMIC_REFUSED\]/ });
  const refused = await talk(open.url, '--channel', 'red');
  t.match(refused, { code: 1, stderr: /Cannot enter the channel \(channel-not-allowed\)/ });
  t.match(await talk(open.url, '--steam-id', '76561197960265729'), { code: 2, stderr: /--guest/ });
});

t.test('listen reconnects and says so; with --no-reconnect it ends', async (t) => {
  const relay = await startRelay({ dev: true });
  t.teardown(() => relay.close());
  const line = await tcpProxy(t, new URL(relay.url));
  const listen = startCli(t, ['listen', line.url.href, '-l', 'den']);
  const once = startCli(t, ['listen', line.url.href, '-l', 'den', '--no-reconnect']);
  await Promise.all([listen.printed('stderr', /In lobby/), once.printed('stderr', /In lobby/)]);
  line.cut();
  await listen.printed(
    'stderr',
    /Connection to the relay broke \(1006.*\); trying to reconnect\nReconnected to the lobby\n/,
  );
  t.match(await once.ended, { code: 1, stderr: /\[ERR_HOTMIC_CONNECTION_LOST\]\n$/ });
  const lobby = await joinLobby({ url: relay.url, lobby: 'den', steamId: personSteamId(2), name: 'Ben' });
  t.ok(lobby.participants.some(({ name, away }) => name === 'listener' && !away));
  await lobby.leave();
  listen.signal('SIGINT');
  t.equal((await listen.ended).code, 0);
});

t.test('each change of a participant is shown in words, on a line', async (t) => {
  let text = '';
  const line = new SpeakerLine({ write: (more) => (text += more) }, () => 1500);
  const ada = { ...memberOf(1, 1, 'Ada'), speaking: false };
  line.show(ada);
  for (const changed of [
    { away: true },
    {},
    { muted: true, priority: true },
    {},
    { channels: ['red', 'blue'] },
    {},
  ]) {
    line.show({ ...ada, ...changed });
  }
  line.show({ ...ada, name: 'Eve\u202e' });
  line.heard(ada, 'whisper');
  line.show({ ...ada, name: 'Eve', speaking: true });
  t.same(
    text.split('\n').map((shown) => shown.slice('   1.5 s  '.length)),
    [
      'Ada is away',
      'Ada is back',
      'Ada is muted',
      'Ada has priority',
      'Ada is no longer muted',
      'Ada no longer has priority',
      'Ada is in red, blue',
      'Ada is in no channel',
      'Ada is now Eve',
      'Eve whispers',
      '',
    ],
  );
});

t.test('on a terminal the states of a participant follow the name', async (t) => {
  let text = '';
  const line = new SpeakerLine({ write: (more) => (text += more), isTTY: true }, () => 1500);
  line.show({ ...memberOf(1, 1, 'Ada', { away: true, muted: true }), speaking: false });
  line.end();
  t.match(text, /○ Ada \(away, muted\)/);
});
