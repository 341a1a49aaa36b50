/**
 * Hearing sets: two lobbies of 500, everyone a listener, and the same speech three times in turn: without sets, with sets that stay, and
 * with the set of each of the 1,000 listeners replaced ten times per second. The generator reads every message about sets, and checks each
 * frame at each listener: whether it is whole, in order and from somebody in the set, and that none is missing.
 */

import { randomBytes } from 'node:crypto';
import { isRealTime } from '../load/core.js';
import { type Round, type Timing, talk } from '../load/generator.js';
import { type Crowd, type Players, preparePlayers } from '../load/players.js';
import { type Row, row, type Trial } from '../result.js';
import { Backend, lobbyOnMap, type UpdateCounts, type Walk } from './hearing_updates.js';
import { startProcess } from './process.js';
import {
  GENERATOR_CORE,
  measureTurn,
  named,
  packetsOf,
  prepareMachine,
  RELAY_CORE,
  Rounds,
  scheduling,
} from './rounds.js';
import { busy, busyFault, type Fault, MISTAKES, wrongFault } from './validity.js';

const TURNS = 5;
const UPDATES_PER_SECOND = 10;
const TIMING: Timing = { warmUpMs: 3000, measureMs: 10_000, talkspurtPackets: 40, seed: 9 };
const CROWD: Crowd = { lobbies: 2, lobbySize: 500, talkers: 8, opusFrames: 12 };
const WALK: Walk = { talkers: 2, others: 30, roundsPerTalker: 5 };
const LISTENERS = CROWD.lobbies * CROWD.lobbySize;
const SET = WALK.talkers + WALK.others;
/** The share of updates that the backend must have got through. */
const MIN_UPDATED_SHARE = 0.95;
const MAX_REPEATED = 10;

export const HEARING_SUBJECTS = ['without sets', 'sets that stay', 'sets that change'] as const;
type Subject = (typeof HEARING_SUBJECTS)[number];

/** A round, and what the backend did in all of it. */
type HearingRound = Round & UpdateCounts & { readonly updatedMs: number };
export type HearingTurn = Readonly<Record<Subject, HearingRound>>;

export const hearing: Trial = {
  name: 'hearing',
  about:
    `${LISTENERS} listeners in lobbies of ${CROWD.lobbySize} with ${CROWD.talkers} talkers, without sets, with sets of ${SET}, and with sets that ` +
    `change ${UPDATES_PER_SECOND} times per second; ${TIMING.measureMs / 1000} s per round, ${TURNS} turns in fresh processes; about ten minutes`,
  async run() {
    const built = prepareMachine();
    if (built.kind === 'missing') return { rows: [], void: built.reason };
    const players = await preparePlayers('hearing', CROWD);
    const turns = new Rounds<HearingTurn>(MAX_REPEATED);
    for (let at = 0; at < TURNS; at++) {
      await turns.measure(
        () => measureTurn(at, HEARING_SUBJECTS, (subject) => measureRound(subject, players, at)),
        (turn) =>
          HEARING_SUBJECTS.flatMap((subject) =>
            named(`${subject}, turn ${at + 1}`, faultOf(subject, turn[subject])),
          ),
      );
    }
    return {
      rows: hearingRows(turns.done),
      void: turns.void,
      raw: { turns: turns.done, repeated: turns.repeated, realTime: isRealTime() },
      versions: {
        packets: packetsOf(CROWD),
        sets: `${WALK.talkers} of ${CROWD.talkers} talkers and ${WALK.others} others, of whom one changes with each update`,
        scheduling: scheduling(),
      },
    };
  },
};

async function measureRound(subject: Subject, players: Players, turn: number): Promise<HearingRound> {
  const token = randomBytes(32).toString('hex');
  const order = { subject: 'hotmic', keys: players.keys, tls: null, adminTokens: token } as const;
  const relay = await startProcess({ ...order, participantsPerLobby: CROWD.lobbySize }, RELAY_CORE);
  let backend: Backend | null = null;
  let startedAt = performance.now();
  const begin = async () => {
    const { adminUrl } = relay;
    if (adminUrl === null || subject === 'without sets') return;
    const names = Array.from({ length: CROWD.lobbies }, (_, at) => `lobby ${at}`);
    const maps = await Promise.all(names.map((name) => lobbyOnMap(adminUrl, token, name, CROWD.talkers)));
    backend = new Backend(adminUrl, token, maps, WALK);
    backend.sendAll();
    startedAt = performance.now();
    if (subject === 'sets that change') backend.start();
  };
  try {
    const against = { relay, players, crowd: CROWD, isTls: false, core: GENERATOR_CORE };
    let begun: Promise<void> = Promise.resolve();
    const round = await talk(against, { ...TIMING, seed: TIMING.seed + turn }, () => {
      begun = begin();
    });
    await begun;
    const { updates, failed } = (backend as Backend | null)?.counts ?? { updates: 0, failed: 0 };
    return { ...round, updates, failed, updatedMs: performance.now() - startedAt };
  } finally {
    (backend as Backend | null)?.end();
    await relay.close();
  }
}

/** Why a round is void: the machine was too busy to measure, or the relay made a mistake. Null if it is valid. */
function faultOf(subject: Subject, round: HearingRound): Fault | null {
  const fault = wrongFault(round, [...MISTAKES, 'outside', 'failed']) ?? busyFault(round);
  if (fault) return fault;
  const rate = (1000 * round.updates) / round.updatedMs / LISTENERS;
  if (subject === 'sets that change' && rate < MIN_UPDATED_SHARE * UPDATES_PER_SECOND) {
    return busy(`${rate.toFixed(1)} updates per listener and second`);
  }
  return null;
}

/** The rows of one metric are adjacent, so that the subjects can be compared. */
export function hearingRows(turns: readonly HearingTurn[]): Row[] {
  const rows: Row[] = [];
  const metric = (what: string, unit: string, figureOf: (round: HearingRound) => number) => {
    for (const subject of HEARING_SUBJECTS) {
      rows.push(
        row(
          subject,
          'hearing',
          what,
          unit,
          turns.map((turn) => figureOf(turn[subject])),
        ),
      );
    }
  };
  metric('frames sent', '/s', ({ sent, elapsedMs }) => (1000 * sent) / elapsedMs);
  metric('deliveries', '/s', ({ deliveries, elapsedMs }) => (1000 * deliveries) / elapsedMs);
  metric('listener-updates', '/s', ({ updates, updatedMs }) => (1000 * updates) / updatedMs);
  metric('messages about sets', '/s', ({ hears = 0, elapsedMs }) => (1000 * hears) / elapsedMs);
  metric('frames from outside a set', '', ({ outside = 0 }) => outside);
  metric('lost, doubled, reordered, foreign or damaged', '', (round) => {
    const { lost, doubled, reordered, foreign, damaged } = round;
    return lost + doubled + reordered + foreign + damaged;
  });
  metric('core utilization', '%', ({ relayCpuMs, elapsedMs }) => (100 * relayCpuMs) / elapsedMs);
  metric('CPU per delivery', 'µs', ({ relayCpuMs, deliveries }) => (1000 * relayCpuMs) / deliveries);
  rows.push(
    row(
      'sets that change',
      'hearing',
      'CPU per listener-update, beyond sets that stay',
      'µs',
      turns.map((turn) => {
        const [still, moving] = [turn['sets that stay'], turn['sets that change']];
        const share = moving.relayCpuMs / moving.elapsedMs - still.relayCpuMs / still.elapsedMs;
        return (1000 * share) / (moving.updates / moving.updatedMs);
      }),
    ),
  );
  metric('due to delivered, p50', 'ms', ({ latencyP50Us }) => latencyP50Us / 1000);
  metric('due to delivered, p99', 'ms', ({ latencyP99Us }) => latencyP99Us / 1000);
  metric('sent more than 5 ms late', '%', ({ late, paced }) => (100 * late) / paced);
  return rows;
}
