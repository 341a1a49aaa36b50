/** When a round of the relay benchmark is valid, that its committed figures follow from its rounds, and that its packets are valid. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { KEPT, PAGE, relayTables, withRelayFigures } from '../../../bench/relay/figures.js';
import type { Round } from '../../../bench/relay/load.js';
import type { MemoryRun } from '../../../bench/relay/memory.js';
import { packetBy } from '../../../bench/relay/players.js';
import { type Pair, relayRows, roundFault } from '../../../bench/relay/relay.js';
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

t.test('the ratio is computed per pair, relative to the bare relay', async (t) => {
  const pair = (ours: number, bare: number): Pair => ({
    case: 'plain',
    hotmic: { ...GOOD, relayCpuMs: ours },
    'bare uWebSockets': { ...GOOD, relayCpuMs: bare },
  });
  const rows = relayRows([pair(2, 1), pair(3, 3), pair(8, 2)], []);
  t.match(
    rows.find(({ unit }) => unit === '×'),
    { subject: 'hotmic', case: 'plain', median: 2, min: 1, max: 4, runs: 3 },
  );
});

t.test('a packet rewritten for another SteamID is still valid', async (t) => {
  const packet = readPacket(packetBy(personSteamId(77), packetOf(personSteamId(5))));
  if (packet.kind === 'malformed') throw new Error(packet.detail);
  t.equal(steamIdOf(packet), personSteamId(77));
});

t.test('the committed figures are those of the committed rounds, and the rounds are valid', async (t) => {
  const kept = JSON.parse(readFileSync(KEPT, 'utf8')) as Result;
  const { pairs, memory } = kept.raw as { pairs: Pair[]; memory: MemoryRun[] };
  t.equal(kept.void, null);
  for (const pair of pairs) {
    t.equal(roundFault(pair.hotmic, 10), null);
    t.equal(roundFault(pair['bare uWebSockets'], 10), null);
  }
  t.same(relayRows(pairs, memory), kept.rows);
  const page = readFileSync(PAGE, 'utf8');
  t.equal(withRelayFigures(page, relayTables(kept)), page);
  t.throws(() => withRelayFigures('no marks', ''), /has no marks for them/);
});
