/** When a round of the relay benchmark is valid, that its committed figures follow from its rounds, and that its packets are valid. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Round } from '../../../bench/load/generator.js';
import { packetBy } from '../../../bench/load/players.js';
import { COST, KEPT, PAGE, relayTables, withCost, withRelayFigures } from '../../../bench/relay/figures.js';
import type { MemoryRun } from '../../../bench/relay/memory.js';
import { relayRows, roundFault, subjectsOf, type Turn } from '../../../bench/relay/relay.js';
import type { Result } from '../../../bench/result.js';
import { readPacket, steamIdOf } from '../../../voice/packet.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { packetBy as packetOf } from '../../relay/kit.js';

/** 1,000 frames to nine listeners each, without faults. */
const GOOD: Round = {
  elapsedMs: 10_000,
  relayCpuMs: 5000,
  ownCpuMs: 5000,
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
  doubled: 0,
  reordered: 0,
  foreign: 0,
  damaged: 0,
  blocked: 0,
  closed: 0,
};

t.test('a round is void when the generator, the relay or the machine was saturated', async (t) => {
  const faultOf = (changed: Partial<Round>) => roundFault({ ...GOOD, ...changed }, 10);
  t.equal(faultOf({}), null);
  t.match(faultOf({ late: 11 }), {
    kind: 'busy',
    detail: '1.1 % of the frames were sent more than 5 ms late',
  });
  t.match(faultOf({ ownCpuMs: 9001 }), { kind: 'busy', detail: /the generator used 90\.0 %/ });
  t.match(faultOf({ relayCpuMs: 9501 }), { kind: 'busy', detail: /the relay used 95\.0 %/ });
  t.match(faultOf({ deliveries: 8909 }), { kind: 'busy', detail: '99.0 % was delivered in time' });
});

t.test('a round in which a frame went astray is wrong, however busy the machine was', async (t) => {
  for (const what of ['lost', 'doubled', 'reordered', 'foreign', 'damaged', 'closed'] as const) {
    t.same(roundFault({ ...GOOD, late: 1000, [what]: 2 }, 10), { kind: 'wrong', detail: `2 ${what}` });
  }
});

t.test(
  'the ratios are computed per turn: to the bare relay, to the limit in C, and between the libraries',
  async (t) => {
    const turn = (ours: number, onWs: number, bare: number): Turn => ({
      case: 'plain',
      hotmic: { ...GOOD, relayCpuMs: ours },
      'hotmic on the addon': { ...GOOD, relayCpuMs: 2 * ours },
      'hotmic on ws': { ...GOOD, relayCpuMs: onWs },
      'bare uWebSockets': { ...GOOD, relayCpuMs: bare },
      'C, one send per delivery': { ...GOOD, relayCpuMs: bare / 2 },
    });
    const rows = relayRows([turn(2, 6, 1), turn(3, 6, 3), turn(8, 8, 2)], []);
    t.match(
      rows.filter(({ unit }) => unit === '×'),
      [
        { subject: 'hotmic', case: 'plain', median: 2, min: 1, max: 4, runs: 3 },
        { subject: 'hotmic', case: 'plain', median: 4, min: 2, max: 8, runs: 3 },
        { subject: 'bare uWebSockets', case: 'plain', median: 2, min: 2, max: 2, runs: 3 },
        { subject: 'hotmic on the addon', case: 'plain', median: 2, min: 2, max: 2, runs: 3 },
        { subject: 'hotmic on ws', case: 'plain', median: 2, min: 1, max: 3, runs: 3 },
      ],
    );
  },
);

t.test('a packet rewritten for another SteamID is still valid', async (t) => {
  const packet = readPacket(packetBy(personSteamId(77), packetOf(personSteamId(5))));
  if (packet.kind === 'malformed') throw new Error(packet.detail);
  t.equal(steamIdOf(packet), personSteamId(77));
});

t.test('the committed figures are those of the committed rounds, and the rounds are valid', async (t) => {
  const kept = JSON.parse(readFileSync(KEPT, 'utf8')) as Result;
  const { turns, memory } = kept.raw as { turns: Turn[]; memory: MemoryRun[] };
  t.equal(kept.void, null);
  for (const turn of turns)
    for (const subject of subjectsOf(turns)) t.equal(roundFault(turn[subject], 10), null);
  t.same(relayRows(turns, memory), kept.rows);
  const page = readFileSync(PAGE, 'utf8');
  t.equal(withRelayFigures(page, relayTables(kept)), page);
  const cost = readFileSync(COST, 'utf8');
  t.equal(withCost(cost, kept), cost, 'what the relay says of ws');
  t.throws(() => withRelayFigures('no marks', ''), /has no marks for them/);
});
