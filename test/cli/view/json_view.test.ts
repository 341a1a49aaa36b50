/** `--json`: one object per event, whose fields docs/terminal.md names. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { LineBudget } from '../../../cli/line_budget.js';
import { jsonView } from '../../../cli/view/json_view.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { memberOf } from '../../client/scripted_transport.js';
import { runCli, startCli, startRelayCli } from '../../kit/cli.js';

/** A view with a clock, and what it printed. */
function viewOf(writableLength = 0) {
  const clock = { now: 1000 };
  const lines = new LineBudget(() => clock.now);
  const printed: unknown[] = [];
  const output = { writableLength, write: (text: string) => printed.push(JSON.parse(text)) };
  const member = { lobby: 'den', name: 'ear', channel: [], reconnect: 'auto', redirectHosts: [] } as const;
  const view = jsonView(
    { member, doing: 'listening', now: () => clock.now, lines },
    output,
    () => 1_700_000_000_000,
  );
  return { view, printed, clock, lines };
}

t.test('events name people, times and units', async (t) => {
  const { view, printed, clock } = viewOf();
  const ada = { ...memberOf(1, 1, 'Ada\x1b[2J'), speaking: false };
  clock.now = 2500;
  view.events.onJoined?.(ada);
  view.heard(ada, { channel: 'red' });
  view.events.onSpeaking?.({ ...ada, speaking: true });
  view.sound({ kind: 'lost', device: 'USB, by pacat', reason: 'gone' });
  view.dropped({ 'voice frames (malformed)': 2, 'lines (too many)': 0 });
  const head = { unixMs: 1_700_000_000_000, elapsedMs: 1500 };
  const who = { slot: 1, steamId: String(ada.steamId), name: 'Ada\x1b[2J' };
  t.match(printed, [
    {
      event: 'joined',
      ...head,
      participant: { ...who, muted: false, channels: [], recordingSinceUnixS: null },
    },
    { event: 'speaking', ...head, ...who, speaking: true, to: 'channel', channel: 'red' },
    { event: 'sound', ...head, state: 'lost', device: 'USB, by pacat', reason: 'gone' },
    { event: 'dropped', ...head, counts: { 'voice frames (malformed)': 2 } },
  ]);
  t.notMatch(JSON.stringify(printed[0]), '\x1b', 'JSON escapes what could control a terminal');
});

t.test('a reader who does not read costs lines, not memory', async (t) => {
  const { view, printed, lines } = viewOf(2 ** 21);
  view.events.onJoined?.({ ...memberOf(1, 1, 'Ada'), speaking: false });
  t.strictSame(printed, []);
  t.equal(lines.leftOut, 1);
});

t.test('listen and record print JSON, and docs/terminal.md names every event', async (t) => {
  const { url } = await startRelayCli(t);
  const out = t.testdir();
  const listen = startCli(t, ['listen', url, '-l', 'den', '--json']);
  const record = startCli(t, ['record', url, '-l', 'den', '--json', '--out', out]);
  await Promise.all([listen.printed('stdout', /"welcome"/), record.printed('stdout', /"welcome"/)]);
  const steamId = String(personSteamId(7));
  const talk = [
    'talk',
    url,
    '-l',
    'den',
    '-n',
    'Ada',
    '--tone',
    '440',
    '--seconds',
    '2',
    '--steam-id',
    steamId,
  ];
  t.equal((await runCli(t, talk)).code, 0);
  await Promise.all([listen.printed('stdout', /"left"/), record.printed('stdout', /"left"/)]);
  listen.signal('SIGINT');
  record.signal('SIGINT');
  const doc = readFileSync(new URL('../../../../docs/terminal.md', import.meta.url), 'utf8');
  for (const running of [listen, record]) {
    const { code, stdout, stderr } = await running.ended;
    t.match({ code, stderr }, { code: 0, stderr: '' });
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.match(events, [{ event: 'welcome', lobby: 'den' }], 'first');
    t.ok(events.some(({ event, participant }) => event === 'joined' && participant.steamId === steamId));
    t.ok(events.some(({ event, speaking }) => event === 'speaking' && speaking));
    const kinds = new Set(events.map(({ event }) => event as string));
    t.equal(kinds.has('recorded'), running === record);
    for (const kind of kinds) t.ok(doc.includes(`| \`${kind}\``), kind);
  }
});
