/**
 * One lobby with 5,000 listeners and 8 talkers on one relay: all join, and every frame is checked at everyone who may hear it. What a join
 * and a welcome cost is measured along with it.
 *
 * The talkers take turns, so that one of them speaks at any time: two at once would be more than one core delivers.
 */

import { isRealTime } from '../load/core.js';
import { type Joined, type Round, type Timing, talk } from '../load/generator.js';
import { type Crowd, intervalMs, preparePlayers } from '../load/players.js';
import { type Row, row, type Trial } from '../result.js';
import { startProcess } from './process.js';
import {
  GENERATOR_CORE,
  named,
  packetsOf,
  prepareMachine,
  RELAY_CORE,
  Rounds,
  scheduling,
} from './rounds.js';
import { roundFault } from './validity.js';

const ROUNDS = 5;
const LISTENERS = 5000;
const TALKERS = 8;
/** Packets of 160 ms: one talker's frames to 5,007 people then need less than one core. */
const OPUS_FRAMES = 8;
/** A turn of 1.28 s for each. */
const TIMING: Timing = {
  warmUpMs: 2000,
  measureMs: 20_480,
  talkspurtPackets: 8,
  seed: 5,
  turns: 'in-turn',
};
const CROWD: Crowd = {
  lobbies: 1,
  lobbySize: LISTENERS + TALKERS,
  talkers: TALKERS,
  opusFrames: OPUS_FRAMES,
  others: 'listen',
};
/** Rounds in which the machine was too busy are measured again, at most this many in all. */
const MAX_REPEATED = 5;

type AudienceRound = Round & Joined;

export const audience: Trial = {
  name: 'audience',
  about:
    `one lobby of ${LISTENERS} listeners and ${TALKERS} talkers who take turns, a packet every ${intervalMs(CROWD)} ms, ` +
    `${TIMING.measureMs / 1000} s per round, ${ROUNDS} rounds in fresh processes`,
  async run() {
    const built = prepareMachine();
    if (built.kind === 'missing') return { rows: [], void: built.reason };
    const players = await preparePlayers('audience', CROWD);
    const rounds = new Rounds<AudienceRound>(MAX_REPEATED);
    for (let at = 1; at <= ROUNDS; at++) {
      await rounds.measure(
        async () => {
          const relay = await startProcess({ subject: 'hotmic', keys: players.keys, tls: null }, RELAY_CORE);
          const against = { relay, players, crowd: CROWD, isTls: false, core: GENERATOR_CORE };
          return talk(against, TIMING).finally(() => relay.close());
        },
        (round) => named(`round ${at}`, roundFault(round, CROWD.lobbySize)),
      );
    }
    return {
      rows: audienceRows(rounds.done),
      void: rounds.void,
      raw: { rounds: rounds.done, repeated: rounds.repeated, realTime: isRealTime() },
      versions: { packets: packetsOf(CROWD), scheduling: scheduling() },
    };
  },
};

export function audienceRows(rounds: readonly AudienceRound[]): Row[] {
  const rows: Row[] = [];
  const metric = (what: string, unit: string, figureOf: (round: AudienceRound) => number) => {
    rows.push(row('hotmic', 'audience', what, unit, rounds.map(figureOf)));
  };
  metric('joined', '', ({ joined }) => joined);
  metric('all joined after', 's', ({ joinMs }) => joinMs / 1000);
  metric('connect to whole welcome, 64 at a time, p50', 'ms', ({ joinP50Us }) => joinP50Us / 1000);
  metric('connect to whole welcome, 64 at a time, p99', 'ms', ({ joinP99Us }) => joinP99Us / 1000);
  metric('longest welcome', 'bytes', ({ welcomeBytes }) => welcomeBytes);
  metric(
    'control messages until all joined',
    'per person',
    ({ joinMessages, joined }) => joinMessages / joined,
  );
  metric('frames sent', '', ({ sent }) => sent);
  metric('deliveries', '', ({ deliveries }) => deliveries);
  metric('lost, doubled, reordered, foreign or damaged', '', (round) => {
    const { lost, doubled, reordered, foreign, damaged } = round;
    return lost + doubled + reordered + foreign + damaged;
  });
  metric('deliveries per second', '/s', ({ deliveries, elapsedMs }) => (1000 * deliveries) / elapsedMs);
  metric('CPU per delivery', 'µs', ({ relayCpuMs, deliveries }) => (1000 * relayCpuMs) / deliveries);
  metric('core utilization', '%', ({ relayCpuMs, elapsedMs }) => (100 * relayCpuMs) / elapsedMs);
  metric('due to delivered, p50', 'ms', ({ latencyP50Us }) => latencyP50Us / 1000);
  metric('due to delivered, p99', 'ms', ({ latencyP99Us }) => latencyP99Us / 1000);
  metric('sent more than 5 ms late', '%', ({ late, paced }) => (100 * late) / paced);
  return rows;
}
