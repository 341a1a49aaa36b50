/** What makes a soak void: what its churning players hear, its counts, and the relay's memory. */

import t from 'tap';
import type { Round } from '../../../bench/load/generator.js';
import { Listener, newListenerCounts } from '../../../bench/soak/listener.js';
import { newPlayerTally } from '../../../bench/soak/player.js';
import { growth, type Soaked, soakFaults, soakRows } from '../../../bench/soak/soak.js';
import type { ParticipantState } from '../../../voice/control.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { writeVoiceFrame } from '../../../voice/wire.js';
import { packetBy } from '../../relay/kit.js';

const OWN = 3;
const OTHER = 4;

function state(slot: number, more: Partial<ParticipantState> = {}): ParticipantState {
  const flags = { muted: false, deafened: false, away: false, priority: false };
  const kinds = { moderator: false, guest: false, spectator: false, unlisted: false };
  return { slot, steamId: String(slot + 1), name: `n${slot}`, channels: [], ...flags, ...kinds, ...more };
}

function welcomed() {
  const counts = newListenerCounts();
  const listener = new Listener(counts);
  listener.begin();
  listener.handle({
    type: 'welcome',
    version: 1,
    slot: OWN,
    lobby: 'den',
    relayTimeMs: 0,
    nonce: '0'.repeat(32),
    you: state(OWN, { channels: [1] }),
    participants: [{ ...state(OTHER), speaking: false }],
    channels: [{ number: 1, name: 'red' }],
  });
  return { listener, counts };
}

function frame(sequence: number, target = 0, slot = OTHER): Uint8Array {
  const fields = { marker: false, terminator: false, target, sequence, timestamp: 0 };
  const bytes = writeVoiceFrame(fields, packetBy(personSteamId(5)));
  new DataView(bytes.buffer).setUint16(8, slot, true);
  return bytes;
}

t.test('lost, doubled and reordered frames of a talker are counted', async (t) => {
  const { listener, counts } = welcomed();
  for (const sequence of [65_534, 65_535, 0, 1]) listener.hear(frame(sequence));
  t.same(counts, { ...newListenerCounts(), fromTalkers: 4 });
  listener.hear(frame(4));
  t.equal(counts.lost, 2);
  listener.hear(frame(4));
  t.equal(counts.doubled, 1);
  listener.hear(frame(3));
  t.equal(counts.reordered, 1);
});

t.test('frames missed while away or deafened, or spoken to others, are not lost', async (t) => {
  const { listener, counts } = welcomed();
  listener.hear(frame(1));
  listener.handle({ type: 'changed', participant: state(OWN, { deafened: true }) });
  listener.handle({ type: 'changed', participant: state(OWN) });
  listener.hear(frame(9));
  listener.begin();
  listener.hear(frame(20));
  t.match(counts, { fromTalkers: 3, beforeWelcome: 1, lost: 0 });
  const other = welcomed();
  for (const sequence of [1, 5]) other.listener.hear(frame(sequence, 1));
  t.match(other.counts, { fromPlayers: 2, lost: 0 });
});

t.test(
  'frames from the muted, to the deafened, to a channel we are not in, and from nobody are counted',
  async (t) => {
    const { listener, counts } = welcomed();
    listener.hear(frame(1, 1));
    listener.handle({ type: 'changed', participant: state(OTHER, { muted: true }) });
    listener.hear(frame(2, 1));
    t.equal(counts.ofTheMuted, 1);
    listener.handle({ type: 'changed', participant: state(OTHER) });
    listener.hear(frame(3, 1));
    t.equal(counts.ofTheMuted, 1);
    listener.hear(frame(4, 2));
    t.equal(counts.outsideChannel, 1);
    listener.handle({ type: 'changed', participant: state(OWN, { deafened: true }) });
    listener.hear(frame(5, 255));
    t.equal(counts.byTheDeafened, 1);
    listener.handle({ type: 'left', slot: OTHER });
    listener.hear(frame(6, 255));
    t.equal(counts.ofNobody, 1);
    listener.hear(new Uint8Array(3));
    t.equal(counts.malformed, 1);
  },
);

const ROUND: Round = {
  elapsedMs: 10_000,
  relayCpuMs: 5000,
  ownCpuMs: 5000,
  sent: 1000,
  deliveries: 9000,
  controls: 0,
  frameBytes: 400,
  paced: 1000,
  late: 0,
  lateP99Us: 100,
  lateMaxUs: 600,
  latencyP50Us: 150,
  latencyP99Us: 900,
  latencyMaxUs: 5000,
  lost: 0,
  doubled: 0,
  reordered: 0,
  foreign: 0,
  damaged: 0,
  blocked: 0,
  closed: 0,
};

const memory = (resident: number, at: number) => ({
  atMs: at * 1000,
  resident,
  proportional: resident,
  heapUsed: 1000,
  external: 0,
});

const DONE = {
  join: 9,
  leave: 9,
  rename: 9,
  channels: 9,
  whisper: 9,
  'cut and resume': 9,
  'join while banned': 9,
  mute: 9,
  unmute: 9,
  deafen: 9,
  undeafen: 9,
  kick: 9,
  ban: 9,
  unban: 9,
};

const GOOD: Soaked = {
  round: ROUND,
  report: {
    elapsedMs: 10_000,
    done: DONE,
    tally: { ...newPlayerTally(), joined: 9, resumed: 9, spoken: 90, spokenMuted: 9 },
    heard: { ...newListenerCounts(), fromTalkers: 90, fromPlayers: 90 },
    unsettled: 0,
  },
  samples: [500, 900, 1000, 1000, 1000, 1040].map(memory),
  ended: null,
};

t.test(
  'a soak is void when frames went astray, a resume failed, an operation was never tried, or memory grew',
  async (t) => {
    t.same(soakFaults(GOOD, 10), []);
    const { report } = GOOD;
    const withReport = (changed: Partial<Soaked['report']>) =>
      soakFaults({ ...GOOD, report: { ...report, ...changed } }, 10);
    t.same(soakFaults({ ...GOOD, round: { ...ROUND, lost: 1 } }, 10), ['1 lost']);
    t.match(soakFaults({ ...GOOD, round: { ...ROUND, late: 11 } }, 10), [/1\.1 % of the frames were sent/]);
    t.same(soakFaults({ ...GOOD, ended: 'its process ended' }, 10), ['its process ended']);
    t.match(withReport({ heard: { ...report.heard, ofTheMuted: 1 } }), [/1 ofTheMuted/]);
    t.match(withReport({ tally: { ...report.tally, resumesFailed: 2 } }), [/2 resumes failed/]);
    t.match(withReport({ tally: { ...report.tally, unexpected: { 'in: 1006': 3 } } }), [/in: 1006: 3 times/]);
    t.match(withReport({ tally: { ...report.tally, spokenMuted: 0 } }), [/never happened: talk while muted/]);
    t.match(withReport({ done: { ...DONE, ban: 0 } }), [/never happened: ban/]);
    t.match(withReport({ unsettled: 1 }), [/still joining/]);
    t.match(soakFaults({ ...GOOD, samples: [1, 1, 1000, 1000, 1200, 1000].map(memory) }, 10), [
      /resident grew to 1\.100/,
    ]);
    t.match(soakFaults({ ...GOOD, samples: [] }, 10), [/too few/, /too few/]);
  },
);

t.test('memory growth compares the medians of the last third and the one before', async (t) => {
  t.equal(growth([1, 1, 10, 10, 10, 99, 11, 11, 11]), 1.1);
  t.equal(growth([1, 2, 3, 4, 5]), null);
});

t.test('there are rows even without memory samples', async (t) => {
  const rows = soakRows({ ...GOOD, samples: [] });
  t.match(
    rows.find(({ metric }) => metric === 'lost at the generator'),
    { median: 0 },
  );
  t.notOk(rows.some(({ case: name }) => name === 'memory'));
});
