/** Steam slow, broken, busy or gone: every judgement ends in time, and what is asked stays bounded. Time is the test's. */

import t from 'tap';
import type { SteamWebTickets } from '../../../../relay/admission/steam_web/tickets.js';
import type { CredentialVerdict } from '../../../../relay/core/credential.js';
import {
  errorAnswer,
  FakeWeb,
  hang,
  playerAnswer,
  type SentRequest,
  statusAnswer,
  ticketOf,
} from './fake_web.js';

const down = (): Response => {
  throw new TypeError('fetch failed');
};

/** Judges that many different tickets, from number `first` on, all of them now. */
function flood(tickets: SteamWebTickets, count: number, first = 0): Promise<CredentialVerdict>[] {
  return Array.from({ length: count }, (_, at) => tickets.judge(ticketOf(first + at), null));
}

/** How many there are of each reason. */
function tally(verdicts: readonly CredentialVerdict[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const verdict of verdicts) {
    const name = verdict.kind === 'denied' ? verdict.reason : verdict.kind;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

t.test('a failed question is retried after a pause, three attempts in all', async (t) => {
  for (const failure of [down, () => statusAnswer(500), () => statusAnswer(503), () => statusAnswer(408)]) {
    const web = new FakeWeb();
    web.answer = failure;
    const verdict = await web.verdictOf(web.tickets().judge(ticketOf(1), null));
    t.match(verdict, { code: 'admission-unavailable', reason: 'steam-down' });
    const [first = 0, second = 0, third = 0] = web.sent.map(({ at }) => at);
    t.equal(web.sent.length, 3);
    t.ok(second - first >= 125 && second - first <= 250, `then ${second - first} ms`);
    t.ok(third - second >= 250 && third - second <= 500, `then ${third - second} ms`);
    t.equal(web.timers, 0, 'no timer is left');
  }
});

t.test('questions that fail together are not retried together', async (t) => {
  const web = new FakeWeb();
  web.answer = down;
  const verdicts = flood(web.tickets(), 7);
  await web.pass(4000);
  await Promise.all(verdicts);
  const second = web.sent.slice(7).map(({ at }) => at);
  t.ok(new Set(second).size === second.length && second.length > 0, `again at ${second.join(', ')} ms`);
});

t.test('while one question probes a Steam that was down, the others fail at once', async (t) => {
  const web = new FakeWeb();
  web.answer = down;
  const tickets = web.tickets({ atOnce: 1 });
  for (const verdict of flood(tickets, 4)) await web.verdictOf(verdict);
  t.equal(tickets.counts().breakerOpened, 1);
  web.answer = hang;
  await web.pass(1000);
  const probe = tickets.judge(ticketOf(100), null);
  await web.pass(10);
  const other = await web.verdictOf(tickets.judge(ticketOf(101), null));
  t.match(other, { reason: 'steam-down', tookMs: 0 });
  t.match(await web.verdictOf(probe), { reason: 'steam-slow' });
});

t.test('when Steam is back at the second attempt, nobody notices', async (t) => {
  const web = new FakeWeb();
  const tickets = web.tickets();
  web.answer = () => (web.sent.length === 1 ? down() : playerAnswer());
  const verdict = await web.verdictOf(tickets.judge(ticketOf(1), null));
  t.match(verdict, { kind: 'admitted' });
  t.match(tickets.counts(), { requests: 2, retries: 1, turnedAway: 0, breakerOpened: 0 });
});

t.test('a ticket that Steam refuses is asked about once', async (t) => {
  const web = new FakeWeb();
  web.answer = () => errorAnswer(101);
  await web.verdictOf(web.tickets().judge(ticketOf(1), null));
  t.equal(web.sent.length, 1);
});

t.test('a server that hangs costs each judgement its deadline at most', async (t) => {
  const web = new FakeWeb();
  web.answer = hang;
  const verdict = await web.verdictOf(web.tickets().judge(ticketOf(1), null));
  t.match(verdict, { code: 'admission-unavailable', reason: 'steam-slow' });
  t.ok(verdict.tookMs <= 4000, `${verdict.tookMs} ms`);
  t.equal(web.sent.length, 2, 'there was time for a second attempt');
  t.ok(
    web.sent.every(({ signal }) => signal.aborted),
    'the requests were given up',
  );
  t.equal(web.timers, 0);
});

t.test('a fetch that ignores its abort costs no more', async (t) => {
  const web = new FakeWeb();
  web.answer = () => new Promise(() => undefined);
  const tickets = web.tickets({ atOnce: 1, waiting: 1, deadlineMs: 1000 });
  const verdicts = flood(tickets, 2);
  for (const judged of verdicts) {
    const verdict = await web.verdictOf(judged);
    t.match(verdict, { code: 'admission-unavailable' });
    t.ok(web.now <= 1000, `at ${web.now} ms`);
  }
  t.equal(web.timers, 0);
});

t.test('an answer that never ends costs no more', async (t) => {
  const web = new FakeWeb();
  web.answer = () =>
    new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(9)) }));
  const verdict = await web.verdictOf(web.tickets().judge(ticketOf(1), null));
  t.match(verdict, { code: 'admission-unavailable', reason: 'steam-slow' });
  t.ok(verdict.tookMs <= 4000, `${verdict.tookMs} ms`);
});

t.test(
  'no more than 32 questions are asked at once, 512 wait, and the rest fails at once as busy',
  async (t) => {
    const web = new FakeWeb();
    let underWay = 0;
    let most = 0;
    web.answer = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise<void>((resolve) => web.io.after(100, resolve));
      underWay -= 1;
      return playerAnswer();
    };
    const tickets = web.tickets();
    const verdicts = flood(tickets, 1000);
    const early: CredentialVerdict[] = [];
    for (const judged of verdicts) void judged.then((verdict) => early.push(verdict));
    await web.pass(0);
    t.same(tally(early), { busy: 456 }, 'before any time went by');
    await web.pass(4000);
    t.same(tally(await Promise.all(verdicts)), { admitted: 544, busy: 456 });
    t.equal(most, 32);
    t.equal(tickets.counts().turnedAway, 456);
  },
);

t.test('a question that waits longer than the deadline fails as busy', async (t) => {
  const web = new FakeWeb();
  web.answer = async () => {
    await new Promise<void>((resolve) => web.io.after(1500, resolve));
    return playerAnswer();
  };
  const verdicts = flood(web.tickets({ atOnce: 1, waiting: 10 }), 5);
  await web.pass(4000);
  t.same(tally(await Promise.all(verdicts)), { admitted: 2, busy: 2, 'steam-slow': 1 });
  t.equal(web.sent.length, 3);
});

t.test(
  '1000 tickets while Steam refuses connections make no more requests than are asked at once',
  async (t) => {
    const web = new FakeWeb();
    web.answer = down;
    const tickets = web.tickets();
    const verdicts = flood(tickets, 1000);
    await web.pass(4000);
    t.same(tally(await Promise.all(verdicts)), { busy: 456, 'steam-down': 544 });
    t.ok(web.sent.length <= 32, `${web.sent.length} requests`);
    t.equal(tickets.counts().breakerOpened, 1);
  },
);

t.test('1000 tickets while Steam hangs make no more either, and all end in time', async (t) => {
  const web = new FakeWeb();
  web.answer = hang;
  const verdicts = flood(web.tickets(), 1000);
  await web.pass(4000);
  t.same(tally(await Promise.all(verdicts)), { busy: 456, 'steam-slow': 544 });
  t.ok(web.sent.length <= 32, `${web.sent.length} requests`);
});

t.test('in ten minutes of outage, with 100 tickets a second, Steam gets a probe now and then', async (t) => {
  const web = new FakeWeb();
  web.answer = () => statusAnswer(503);
  const tickets = web.tickets();
  for (let second = 0; second < 600; second++) {
    const verdicts = flood(tickets, 100, 100 * second);
    await web.pass(1000);
    const counts = tally(await Promise.all(verdicts));
    if (counts['steam-down'] !== 100) t.fail(`second ${second}: ${JSON.stringify(counts)}`);
  }
  t.ok(web.sent.length > 600 / 16, `${web.sent.length} requests of 60000`);
  t.ok(web.sent.length < 150, `${web.sent.length} requests of 60000`);
});

t.test('when Steam is back, one request notices it within 16 s', async (t) => {
  const web = new FakeWeb();
  web.answer = down;
  const tickets = web.tickets();
  for (let second = 0; second < 60; second++) {
    flood(tickets, 10, 10 * second);
    await web.pass(1000);
  }
  web.answer = () => playerAnswer();
  const before = web.sent.length;
  const back = web.now;
  let first: CredentialVerdict | undefined;
  for (let step = 0; step < 160 && first?.kind !== 'admitted'; step++) {
    const verdicts = await Promise.all(flood(tickets, 10, 100_000 + 10 * step));
    t.ok(web.sent.length - before <= 1, 'one probe');
    first = verdicts.find(({ kind }) => kind === 'admitted') ?? first;
    await web.pass(100);
  }
  t.equal(first?.kind, 'admitted', `after ${web.now - back} ms`);
  t.same(tally(await Promise.all(flood(tickets, 10, 200_000))), { admitted: 10 }, 'and all come in again');
});

t.test('one bad attempt among good ones does not keep anybody out', async (t) => {
  const web = new FakeWeb();
  const seen = new Set<string>();
  web.answer = ({ url }) => {
    const ticket = url.searchParams.get('ticket') ?? '';
    const isFirst = !seen.has(ticket);
    seen.add(ticket);
    return isFirst && seen.size % 4 === 0 ? down() : playerAnswer();
  };
  const tickets = web.tickets();
  for (let second = 0; second < 20; second++) {
    const verdicts = flood(tickets, 16, 16 * second);
    await web.pass(1000);
    t.same(tally(await Promise.all(verdicts)), { admitted: 16 });
  }
  t.equal(tickets.counts().breakerOpened, 0);
});

t.test('a ticket that always makes Steam fail keeps nobody else out', async (t) => {
  const web = new FakeWeb();
  const bad = ticketOf(666);
  web.answer = ({ url }) => (url.searchParams.get('ticket') === bad ? statusAnswer(500) : playerAnswer());
  const tickets = web.tickets();
  for (let second = 0; second < 20; second++) {
    const verdicts = [
      tickets.judge(bad, null),
      tickets.judge(bad, null),
      ...flood(tickets, 3, 1000 + 3 * second),
    ];
    await web.pass(1000);
    t.same(tally(await Promise.all(verdicts)), { admitted: 3, 'steam-down': 2 });
  }
});

t.test('Retry-After is followed, in seconds and as a date, and nobody asks before', async (t) => {
  const date = 'Mon, 23 Nov 2026 07:00:00 GMT';
  const later = 'Mon, 23 Nov 2026 07:00:30 GMT';
  for (const headers of [{ 'retry-after': '30' }, { 'retry-after': later, date }] as Record<
    string,
    string
  >[]) {
    for (const [status, reason] of [
      [429, 'rate-limited'],
      [503, 'steam-down'],
    ] as const) {
      const web = new FakeWeb();
      web.answer = () => statusAnswer(status, headers);
      const tickets = web.tickets();
      const verdict = await web.verdictOf(tickets.judge(ticketOf(1), null));
      t.match(verdict, { code: 'admission-unavailable', reason, tookMs: 0 }, 'it is not waited for in vain');
      web.answer = () => playerAnswer();
      await web.pass(29_000);
      t.match(await tickets.judge(ticketOf(2), null), { reason });
      t.equal(web.sent.length, 1);
      await web.pass(1000);
      t.match(await tickets.judge(ticketOf(3), null), { kind: 'admitted' });
    }
  }
});

t.test('a Retry-After of a second is waited for; an absurd one is bounded', async (t) => {
  const web = new FakeWeb();
  const once = (headers: Record<string, string>) => (_: SentRequest) =>
    web.sent.length === 1 ? statusAnswer(429, headers) : playerAnswer();
  web.answer = once({ 'retry-after': '1' });
  const waited = await web.verdictOf(web.tickets().judge(ticketOf(1), null));
  t.match(waited, { kind: 'admitted' });
  t.ok(waited.tookMs > 1000 && waited.tookMs < 1500, `${waited.tookMs} ms`);
  for (const [value, longestMs] of [
    ['999999999', 300_000],
    ['999999999999', 1000],
    ['soon', 1000],
    ['-5', 1000],
  ] as const) {
    const absurd = new FakeWeb();
    absurd.answer = () => statusAnswer(429, { 'retry-after': value });
    const tickets = absurd.tickets();
    await absurd.verdictOf(tickets.judge(ticketOf(1), null));
    absurd.answer = () => playerAnswer();
    // What was asked again meanwhile made it more patient.
    await absurd.pass(4 * longestMs);
    t.match(await tickets.judge(ticketOf(2), null), { kind: 'admitted' }, value);
  }
});

t.test('a key that Steam refuses is not tried over and over', async (t) => {
  const web = new FakeWeb();
  web.answer = () => statusAnswer(403);
  const tickets = web.tickets();
  for (let second = 0; second < 300; second++) {
    t.same(tally(await Promise.all(flood(tickets, 10, 10 * second))), { 'key-refused': 10 });
    await web.pass(1000);
  }
  t.ok(web.sent.length < 100, `${web.sent.length} requests of 3000`);
});

t.test('closing ends at once what is under way, and later questions fail', async (t) => {
  const web = new FakeWeb();
  web.answer = hang;
  const tickets = web.tickets({ atOnce: 2, waiting: 2 });
  const verdicts = flood(tickets, 4);
  await web.pass(10);
  tickets.close();
  t.same(tally(await Promise.all(verdicts)), { closing: 4 });
  t.match(await tickets.judge(ticketOf(9), null), { code: 'admission-unavailable', reason: 'closing' });
  t.equal(web.now, 10);
  t.equal(web.timers, 0);
  t.ok(web.sent.every(({ signal }) => signal.aborted));
});

t.test('invented tickets from everywhere cause no more requests than the budget allows', async (t) => {
  const web = new FakeWeb();
  web.answer = () => errorAnswer(101);
  const tickets = web.tickets({ requestsPerSecond: 20, requestsPerDay: 500 });
  const verdicts: Promise<CredentialVerdict>[] = [];
  for (let second = 0; second < 30; second++) {
    verdicts.push(...flood(tickets, 200, 200 * second));
    await web.pass(1000);
  }
  await web.pass(4000);
  const reasons = tally(await Promise.all(verdicts));
  t.equal(web.sent.length, 500);
  for (const { at } of web.sent) {
    const within = web.sent.filter((sent) => sent.at >= at && sent.at < at + 1000).length;
    t.ok(within <= 120, `${within} in a second`);
  }
  t.ok((reasons['rate-budget-spent'] ?? 0) > 1000, JSON.stringify(reasons));
  t.ok((reasons['daily-budget-spent'] ?? 0) > 100);
  t.equal(reasons['invalid-ticket'], 500);
  t.match(tickets.counts(), { requestsInDay: 500, requestsPerDay: 500 });
});

t.test('within the budget a ticket waits for its turn and is judged, retries counted', async (t) => {
  const web = new FakeWeb();
  const tickets = web.tickets({ requestsPerSecond: 1 });
  for (const verdict of flood(tickets, 5)) await web.verdictOf(verdict);
  t.match(await web.verdictOf(tickets.judge(ticketOf(6), null)), { kind: 'admitted', tookMs: 1000 });
  web.answer = down;
  t.match(await web.verdictOf(tickets.judge(ticketOf(7), null)), { code: 'admission-unavailable' });
  t.ok(web.sent.length <= 10);
});

t.test('while Steam is down, tickets that are not asked about spend nothing of the budget', async (t) => {
  const web = new FakeWeb();
  web.answer = down;
  const tickets = web.tickets({ requestsPerSecond: 20, requestsPerDay: 500 });
  const verdicts: Promise<CredentialVerdict>[] = [];
  for (let second = 0; second < 60; second++) {
    verdicts.push(...flood(tickets, 20, 20 * second));
    await web.pass(1000);
  }
  await web.pass(10_000);
  const reasons = tally(await Promise.all(verdicts));
  t.ok(web.sent.length < 200, `${web.sent.length} requests for 1200 tickets`);
  // At most those that were waiting for their turn when Steam went down were granted and not sent.
  const { requestsInDay } = tickets.counts();
  t.ok(
    requestsInDay <= web.sent.length + 20,
    `${requestsInDay} of the budget for ${web.sent.length} requests`,
  );
  t.notOk('daily-budget-spent' in reasons, JSON.stringify(reasons));
});
