/** What `hotmic bench relay` is asked for, and what it says of the result, without running it. */

import t from 'tap';
import type { Details, Joined, TroubledRound } from '../../../bench/load/generator.js';
import { type BenchOptions, planOf } from '../../../cli/bench/plan.js';
import { reportLines, reportOf } from '../../../cli/bench/report.js';
import { joinReason } from '../../../cli/bench/run.js';

const OPTIONS: BenchOptions = {
  lobbies: 10,
  members: 10,
  talkers: 2,
  packet: 60,
  seconds: 10,
  warmUp: 3,
  leaves: 0,
  stalling: 0,
  slow: 0,
  stall: [0.1, 5],
  slowRate: 1000,
  delay: 0,
  jitter: 0,
  loss: 0,
  cut: 0,
  acknowledge: true,
  audience: 'hotmic',
  seed: 1,
};

const JOINED: Joined = {
  joined: 100,
  joinMs: 300,
  joinP50Us: 1000,
  joinP99Us: 2000,
  joinMaxUs: 2000,
  joinMessages: 100,
  welcomeBytes: 900,
};

const ROUND: TroubledRound = {
  elapsedMs: 10_000,
  relayCpuMs: 300,
  ownCpuMs: 2000,
  sent: 1000,
  deliveries: 9000,
  controls: 0,
  frameBytes: 400,
  paced: 1000,
  late: 10,
  lateP99Us: 100,
  lateMaxUs: 6000,
  latencyP50Us: 150,
  latencyP99Us: 900,
  latencyMaxUs: 5000,
  lost: 0,
  withheld: 0,
  doubled: 0,
  reordered: 0,
  foreign: 0,
  damaged: 0,
  blocked: 0,
  closed: 0,
  acknowledgements: 2000,
  parks: 0,
  heartbeats: 0,
  stalls: 0,
  leaves: 0,
  rejoins: 0,
  skipped: 0,
  missed: 0,
  staleFrames: 0,
  mostStaleFrames: 0,
};

const DETAILS: Details = {
  histograms: {
    lateness: [[100, 1000]],
    latency: [
      [200, 8900],
      [1500, 99],
      [250_000, 1],
    ],
    age: [],
    joining: [[2000, 100]],
    rejoining: [],
    liveAfter: [],
    parked: [],
  },
  reasons: [],
};

const resultOf = (round: Partial<TroubledRound> = {}, url?: string) => ({
  plan: planOf(url, OPTIONS),
  joined: JOINED,
  details: DETAILS,
  round: { ...ROUND, ...round },
  link: null,
});

t.test('percentiles are of all deliveries, in ms', async (t) => {
  const { dueToDelivered, parked } = reportOf(resultOf()).percentilesMs;
  t.match(dueToDelivered, { count: 9000, p50: 0.2, p90: 0.2, max: 250 });
  t.ok(dueToDelivered.p999 >= 1.5 && dueToDelivered.p999 < 1.51, 'three digits');
  t.equal(parked.count, 0);
});

t.test('a result is void when this machine was the bottleneck, and says so', async (t) => {
  t.equal(reportOf(resultOf()).void, null);
  t.match(reportOf(resultOf({ late: 11 })).void, /1\.1 % .* late: this machine was the bottleneck/);
  t.match(reportOf(resultOf({ ownCpuMs: 9001 })).void, /90\.0 % of its core/);
  t.match(reportLines(resultOf({ late: 11 })).at(-1), /^VOID: /);
  t.notMatch(reportLines(resultOf()).join('\n'), /VOID/);
});

t.test('a saturated relay is a result, and only the processor of an own relay is measured', async (t) => {
  const own = reportOf(resultOf({ relayCpuMs: 9600 }));
  t.equal(own.void, null);
  t.equal(own.relayCpu?.share, 0.96);
  t.match(reportLines(resultOf({ relayCpuMs: 9600 })).join('\n'), /96\.0 % of a core: saturated/);
  const elsewhere = resultOf({}, 'wss://relay.example/voice');
  t.match(reportOf(elsewhere), { relayCpu: null, relay: 'wss://relay.example/voice', tls: true });
  t.match(reportLines(elsewhere).join('\n'), /elsewhere: only what the clock of this machine can tell/);
});

t.test('the lines fit a terminal, and name what happened', async (t) => {
  const closed = { ...resultOf({ closed: 3, parks: 2, skipped: 40, withheld: 9, leaves: 5, rejoins: 4 }) };
  const lines = reportLines({ ...closed, details: { ...DETAILS, reasons: [['cut', 3]] } });
  for (const line of lines) t.ok(line.length <= 100, line);
  const text = lines.join('\n');
  for (const said of [/3 × cut/, /2 times, 40 frames skipped/, /withheld +9/, /left +5, joined again 4/])
    t.match(text, said);
});

t.test('parts that do not go together are refused', async (t) => {
  const cases: [url: string | undefined, options: Partial<BenchOptions>, text: RegExp][] = [
    [undefined, { talkers: 11 }, /--talkers is 11/],
    [undefined, { lobbies: 2000, members: 11 }, /22000 people/],
    [undefined, { packet: 50 }, /multiple of 20/],
    [undefined, { stalling: 60, slow: 41 }, /100 %/],
    [undefined, { guests: true }, /own relay/],
    [undefined, { cut: 5, seconds: 14 }, /--seconds of at least 15/],
    ['ws://relay.example', { loss: 1 }, /leave out the URL/],
    ['ws://relay.example', { tls: true }, /wss:/],
    ['ws://relay.example', { guests: true, tokenKeyFile: 'a' }, /exclude/],
    ['http://relay.example', {}, /expected a URL/],
    ['den', {}, /expected a URL/],
  ];
  for (const [url, options, message] of cases)
    t.throws(() => planOf(url, { ...OPTIONS, ...options }), { message }, String(message));
});

t.test('shares become whole listeners, and a large lobby has members who may only listen', async (t) => {
  const plan = planOf(undefined, { ...OPTIONS, lobbies: 2, members: 502, stalling: 10, slow: 1 });
  t.match(plan, { stallingListeners: 100, slowListeners: 10, crowd: { others: 'listen' } });
});

t.test("the generator's reason is for people, with what they can do", async (t) => {
  const full =
    'the generator ended with 1: load: not all joined: connection 64: not upgraded: HTTP/1.1 429 Too Many';
  t.match(joinReason(full), /^not upgraded: HTTP\/1\.1 429 Too Many\. .*limits per address/);
  const refused =
    'load: not all joined: connection 0: {"type":"refused","code":"credential-expected","message":"no token"}';
  t.match(joinReason(refused), /^no token \(credential-expected\)\. .*--token-key-file/);
  t.equal(joinReason('load: not all joined: connection 3: the connection broke'), 'the connection broke');
});
