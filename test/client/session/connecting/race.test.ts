/** New connections race against one that has gone silent: when, how many, and what becomes of the old one. */

import t from 'tap';
import { Race } from '../../../../client/session/connecting/race.js';
import type { SessionOutput } from '../../../../client/session/session_io.js';
import { UpgradeRefusedError } from '../../../../client/transport/upgrade_refusal.js';
import { type RelayMessageToWrite, writeMessage } from '../../../../voice/control.js';
import { RESUME, welcomeOf } from '../../scripted_transport.js';
import { drive } from '../drive.js';
import { World } from '../world.js';

const CAN_RACE = { capabilities: ['heartbeat'], resume: RESUME };

/** A session in a lobby whose relay sends heartbeats. Random numbers are 0: the first attempt is 50 ms after a second of silence. */
function joined(changed: Parameters<typeof welcomeOf>[0] = {}, settings: Parameters<typeof drive>[0] = {}) {
  const session = drive({ rejoin: 'may', ...settings });
  const say = (message: RelayMessageToWrite, attempt?: number) =>
    session.handle({ kind: 'text', text: writeMessage(message), ...(attempt !== undefined && { attempt }) });
  session.open();
  say(welcomeOf({ ...CAN_RACE, ...changed }));
  /** Lets time pass until a connection is opened beside the present one. */
  const raced = (): number => {
    for (let deadlines = 0; deadlines < 10; deadlines++) {
      const opened = session.wait().find((output) => output.kind === 'open');
      if (opened?.kind === 'open' && opened.beside) return opened.attempt;
    }
    throw new Error('no connection was opened beside the present one');
  };
  return { ...session, say, raced };
}

const kinds = (outputs: readonly SessionOutput[]) => outputs.map(({ kind }) => kind);
const HEARTBEAT = { type: 'heartbeat', relayTimeMs: 1 } as const;

t.test('after a second of silence a connection is opened beside the silent one', async (t) => {
  const { raced, now, handle, session } = joined();
  const attempt = raced();
  t.equal(now(), 1050);
  t.equal(session.state, 'joined', 'nobody notices anything yet');
  const won = handle({ kind: 'opened', attempt });
  t.same(kinds(won), ['away', 'switch', 'send']);
  t.match(won, [{ error: { code: 'ERR_HOTMIC_CONNECTION_LOST', message: /silent for 1050 ms/ } }]);
  t.match(won[2], { data: /"type":"resume"/ });
  const resumed = handle({ kind: 'text', attempt, text: writeMessage(welcomeOf(CAN_RACE)) });
  t.same(kinds(resumed), ['resumed']);
});

t.test('heartbeats, other messages and voice each put off the race', async (t) => {
  const { wait, say, sleep, now, raced } = joined();
  for (let beat = 0; beat < 20; beat++) {
    sleep(500);
    say(HEARTBEAT);
  }
  const heardAt = now();
  t.same(wait(), [], 'the deadline of an earlier message');
  t.equal(raced(), 2);
  t.equal(now(), heardAt + 1050);
});

t.test(
  'if the silent one speaks again, the other one is given up, and the next silence begins another race',
  async (t) => {
    const { raced, say, handle, now } = joined();
    const attempt = raced();
    const outputs = say(HEARTBEAT, 1);
    t.same(outputs, [{ kind: 'abandon', attempt }]);
    t.same(handle({ kind: 'opened', attempt }), [], 'too late');
    const heardAt = now();
    t.equal(raced(), 3);
    t.equal(now(), heardAt + 1050);
  },
);

t.test('each attempt takes the place of the one before, about four times per second', async (t) => {
  const { raced, now, handle } = joined();
  handle({ kind: 'connected' });
  const instants = [raced(), raced(), raced()].map(() => now());
  t.equal(instants.at(-1), 1050 + 2 * 200);
});

t.test('an attempt that has reached the relay gets three seconds', async (t) => {
  const { raced, now, handle } = joined();
  const attempt = raced();
  handle({ kind: 'connected', attempt });
  raced();
  t.equal(now(), 1050 + 3000);
});

t.test('where connects are not seen, some attempts get two and four times as long', async (t) => {
  const { raced, now } = joined();
  const instants = Array.from({ length: 9 }, () => {
    raced();
    return now();
  });
  t.same(
    instants.slice(1).map((at, index) => at - instants[index]!),
    [1, 1, 1, 2, 1, 1, 1, 4].map((times) => times * 200),
  );
});

t.test('a relay with many connections asks for longer waits, the first one included', async (t) => {
  const { raced, now, handle } = joined({ raceMs: 2500 });
  handle({ kind: 'connected' });
  raced();
  t.equal(now(), 1000 + 500);
  raced();
  t.equal(now(), 1500 + 2000);
});

t.test('a slow network gets half as long again as it took the last time', async (t) => {
  const session = drive({ rejoin: 'may' });
  session.handle({ kind: 'join' });
  session.handle({ kind: 'credential', credential: { kind: 'none' } });
  session.handle({ kind: 'connected' });
  session.sleep(600);
  session.handle({ kind: 'opened' });
  session.handle({ kind: 'text', text: writeMessage(welcomeOf(CAN_RACE)) });
  const opens: number[] = [];
  while (opens.length < 2) {
    if (session.wait().some(({ kind }) => kind === 'open')) opens.push(session.now());
  }
  t.equal(opens[1]! - opens[0]!, 720, '900 ms, less a fifth');
});

t.test('an attempt that opens late lets the silent connection speak first', async (t) => {
  const late = () => {
    const session = joined();
    const attempt = session.raced();
    session.handle({ kind: 'connected', attempt });
    session.sleep(1000);
    t.same(session.handle({ kind: 'opened', attempt }), []);
    return { ...session, attempt };
  };
  const spoken = late();
  t.same(spoken.say(HEARTBEAT, 1), [{ kind: 'abandon', attempt: spoken.attempt }]);
  const silent = late();
  t.same(kinds(silent.wait()), ['away', 'switch', 'send']);
  t.equal(silent.now(), 1050 + 1000 + 250);
  const broken = late();
  t.same(broken.handle({ kind: 'closed', attempt: broken.attempt, code: 1006, reason: '' }), []);
  t.same(kinds(broken.wait()), ['open'], 'the next attempt');
});

t.test('the race goes on when the silent connection breaks, until the place is gone', async (t) => {
  const { raced, handle, session, wait, now } = joined();
  raced();
  const lost = handle({ kind: 'closed', attempt: 1, code: 1006, reason: '' });
  t.same(kinds(lost), ['away']);
  const lostAt = now();
  let attempts = 0;
  let ended: SessionOutput | undefined;
  while (ended === undefined) {
    const outputs = wait();
    attempts += outputs.filter(({ kind }) => kind === 'open').length;
    ended = outputs.find(({ kind }) => kind === 'ended');
  }
  t.match(ended, { error: { code: 'ERR_HOTMIC_CONNECTION_LOST' } });
  t.ok(
    now() - lostAt >= RESUME.withinMs && now() - lostAt < RESUME.withinMs + 1000,
    `after ${now() - lostAt} ms`,
  );
  t.ok(attempts > 50, `${attempts} attempts`);
  t.equal(session.deadline(), null);
});

t.test('an attempt that fails at once is not made again before its time is over', async (t) => {
  const { raced, handle, now } = joined();
  const failure = new Error('connect ENETUNREACH');
  const first = raced();
  t.same(handle({ kind: 'closed', attempt: first, code: 1006, reason: '', failure }), []);
  raced();
  t.equal(now(), 1050 + 200);
});

t.test('a refusal by the relay is honored: beside a silent connection, and without one', async (t) => {
  const refusal = new UpgradeRefusedError(new URL('ws://relay'), {
    ...{ status: 503, text: 'full', retryAfter: '7', date: undefined },
  });
  const closed = { kind: 'closed', code: 1006, reason: '', failure: refusal } as const;
  await t.test('beside it', async (t) => {
    const { raced, handle, now } = joined();
    handle({ ...closed, attempt: raced() });
    raced();
    t.equal(now(), 1050 + 5600, 'seven seconds, less a fifth');
  });
  await t.test('without it', async (t) => {
    const { raced, handle, now, wait } = joined();
    const attempt = raced();
    handle({ kind: 'closed', attempt: 1, code: 1006, reason: '' });
    handle({ ...closed, attempt });
    t.match(wait(), [{ kind: 'open' }]);
    t.equal(now(), 1050 + 7000, 'as after any lost connection');
  });
});

t.test('the old connection may say what it likes once the other one has won', async (t) => {
  const { raced, handle, say } = joined();
  const attempt = raced();
  handle({ kind: 'opened', attempt });
  t.same(say({ type: 'refused', code: 'replaced', message: 'You are elsewhere' }, 1), []);
  t.same(handle({ kind: 'closed', attempt: 1, code: 4012, reason: 'replaced' }), []);
  t.same(kinds(handle({ kind: 'text', attempt, text: writeMessage(welcomeOf(CAN_RACE)) })), ['resumed']);
});

t.test('whoever leaves during a race gives the attempt up', async (t) => {
  const { raced, handle } = joined();
  const attempt = raced();
  t.same(kinds(handle({ kind: 'leave' })), ['abandon', 'send']);
  t.same(handle({ kind: 'opened', attempt }), []);
});

type Joined = Parameters<typeof joined>;
const NO_RACE: readonly [why: string, changed: NonNullable<Joined[0]>, settings?: Joined[1]][] = [
  ['the relay sends no heartbeats', { capabilities: [] }],
  ['there is no place to resume', { resume: undefined }],
  ['the application does not reconnect', {}, { reconnect: 'never' }],
];
for (const [why, changed, settings] of NO_RACE) {
  t.test(`there is no race if ${why}`, async (t) => {
    const { session } = joined(changed, settings);
    t.equal(session.deadline(), null);
  });
}

t.test('a race slows down after half a minute, to four seconds', async (t) => {
  const race = new Race(() => 0.5);
  race.watch(0, 0, 0);
  race.connected(0);
  let attempts = 0;
  const raced = { heardAt: 0, fork: () => attempts++ };
  const at: number[] = [];
  while (at.length < 600) {
    const now = race.deadline!;
    if (race.time(now, raced, new URL('ws://relay')).some(({ kind }) => kind === 'open')) at.push(now);
  }
  const gaps = at.slice(1).map((now, index) => [at[index]!, Math.round(now - at[index]!)] as const);
  t.ok(gaps.filter(([now]) => now < 30_000).every(([, gap]) => gap === 250));
  t.equal(Math.max(...gaps.map(([, gap]) => gap)), 4000);
});

t.test(
  'a relay that pauses for two seconds gets at most one new connection of each client, and keeps all old ones',
  async (t) => {
    const opened = new Map<number, number>();
    const told: string[] = [];
    const world = new World(1, {
      onOutput: ({ account }, output) => {
        if (output.kind === 'open' && output.beside) opened.set(account, (opened.get(account) ?? 0) + 1);
        if (output.kind === 'switch' || output.kind === 'away') told.push(output.kind);
      },
    });
    for (let account = 1; account <= 200; account++) world.add(account, { lobby: `den ${account % 10}` });
    world.agenda.runUntil(5000);
    world.pauseRelay(2000);
    world.agenda.runUntil(20_000);
    t.equal(opened.size, 200);
    t.same([...new Set(opened.values())], [1]);
    t.same(told, []);
  },
);
