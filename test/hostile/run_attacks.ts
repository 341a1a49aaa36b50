/**
 * Runs attacks of the table against a relay, while two lobbies of honest people talk, and holds what has to be so after each: it got its
 * answer, the answer is counted and nothing else is, the relay is up, the honest lost, doubled and reordered nothing. At the end
 * nothing is left, and no secret was ever said.
 *
 * HOTMIC_HOSTILE=full runs the loads at full size; HOTMIC_ONLY=text runs the attacks whose name has it.
 */

import type { Test } from 'tap';
import { type Answer, type Attack, answerText, type Chapter, samplesOf } from './attack.js';
import { chapters } from './attacks.js';
import { connectionsOf, floodSize } from './attacks_floods.js';
import { Field, type Samples } from './field.js';

const ONLY = process.env.HOTMIC_ONLY ?? '';
/** The longest that an honest frame may take. A busy machine delays frames for seconds; only a relay that has stalled for good takes this long. */
const WORST_MS = 60_000;
/** What may stay of the loads in the relay's memory, in bytes. */
const GROWTH_BYTES = 160 * 1024 * 1024;
const SEVERAL: readonly Answer['kind'][] = ['passed-over'];
const PASSED_OVER = 'hotmic_backpressure_drops_total';

const size = floodSize();

/** All that counts an attack. */
const isCounted = (sample: string) =>
  /^hotmic_(refusals|voice_frames_dropped|failures|address_refusals|not_admitted|listeners_cut)_total/.test(
    sample,
  );

function tally(answers: readonly Answer[], counts = new Map<string, number>()): Map<string, number> {
  for (const answer of answers) {
    for (const sample of samplesOf(answer)) counts.set(sample, (counts.get(sample) ?? 0) + 1);
  }
  return counts;
}

/** What went up between two scrapes. */
function risen(before: Samples, after: Samples): Map<string, number> {
  const all = [...after]
    .filter(([name]) => isCounted(name))
    .map(([name, value]) => [name, value - (before.get(name) ?? 0)] as const);
  return new Map(all.filter(([, value]) => value !== 0));
}

/** Those of the metrics that the relay has, without those that others count beside us. */
function expected(answers: readonly Answer[], apart: ReadonlySet<string>): Map<string, number> {
  return new Map([...tally(answers)].filter(([name]) => !apart.has(name)));
}

const sorted = (map: ReadonlyMap<string, number>) =>
  Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));

function holdAnswers(t: Test, field: Field, attack: Attack, got: readonly Answer[]): void {
  const { answers, onWs = answers } = attack;
  t.same(
    [...new Set(got.map(answerText))].sort(),
    (field.layer === 'ws' ? onWs : answers).map(answerText).sort(),
    'answers as documented',
  );
}

/** That the relay is up, and nobody honest noticed. */
async function holdHonest(t: Test, field: Field): Promise<void> {
  t.ok(field.isRunning, 'the relay runs');
  t.equal((await field.get(field.operationsPort, '/readyz')).status, 200, 'readyz');
  const { heard, worstMs, faults } = await field.honest();
  t.same(faults, [], 'the honest lost, doubled and reordered nothing');
  t.ok(heard > 0, `${heard} honest frames heard`);
  t.ok(worstMs < WORST_MS, `the slowest honest frame took ${worstMs.toFixed(1)} ms`);
}

async function runInTurn(t: Test, whole: Field, attack: Attack, apart: ReadonlySet<string>): Promise<void> {
  const field = whole.attack();
  // Also when it fails: the next one is to find the field as this one did.
  t.teardown(() => field.leave());
  const before = (await field.scrape()).samples;
  const got = await attack.run(field);
  holdAnswers(t, field, attack, got);
  const wanted = expected(got, apart);
  // A close frame is read before it is counted, now and then.
  let after = before;
  const counted = () => new Map([...risen(before, after)].filter(([name]) => !apart.has(name)));
  const isDone = () => [...wanted].every(([name, value]) => (counted().get(name) ?? 0) >= value);
  after = await field.until(
    (samples) => {
      after = samples;
      return isDone();
    },
    `${JSON.stringify(sorted(wanted))} is counted`,
  );
  t.same(sorted(counted()), sorted(wanted), 'counted as documented, and nothing else');
  const passedOver = after.get(PASSED_OVER)! - before.get(PASSED_OVER)!;
  t.equal(
    passedOver > 0,
    attack.answers.some(({ kind }) => SEVERAL.includes(kind)),
    `${passedOver} passed over`,
  );
  await holdHonest(t, field);
  t.same(field.leaks(field.told()), [], 'no secret in what was answered');
  await field.leave();
}

/** All attacks on one port, each a sentence of the test's. */
export async function runAttacks(t: Test, port: Chapter['port']): Promise<void> {
  const why = size.why === null ? '' : `, and not of 10000: ${size.why}`;
  const all = chapters(size).filter((chapter) => chapter.port === port);
  const field = await Field.open(t, { port, connections: connectionsOf(size) });
  // Where it is seen whatever becomes of the test's own output.
  console.error(
    `Attacks on the ${port} port on ${field.layer} with loads of ${size.connections} connections${why}`,
  );
  const start = (await field.scrape()).samples;
  // So that it does not end while it waits for those who take their time.
  const names = all.flatMap(({ attacks }) => attacks.filter(({ name }) => name.includes(ONLY)));
  t.plan(names.length + 2);
  const chosen = (when: Chapter['when']) =>
    all
      .filter((chapter) => chapter.when === when)
      .flatMap(({ attacks }) => attacks.filter(({ name }) => name.includes(ONLY)));
  const beside = chosen('beside');
  const apart = new Set(tally(beside.flatMap(({ answers }) => answers)).keys());
  const running = beside.map(async (attack) => {
    const own = field.attack();
    try {
      const got = await attack.run(own);
      return { got, leaks: own.leaks(own.told()) };
    } catch (thrown) {
      return thrown as Error;
    } finally {
      await own.leave();
    }
  });
  const inTurn = async (attacks: readonly Attack[], counted: ReadonlySet<string>) => {
    for (const attack of attacks) await t.test(attack.name, (t) => runInTurn(t, field, attack, counted));
  };
  await inTurn(chosen('in-turn'), apart);
  const got = await Promise.all(running);
  for (const [index, attack] of beside.entries()) {
    await t.test(attack.name, async (t) => {
      const result = got[index]!;
      if (result instanceof Error) throw result;
      holdAnswers(t, field, attack, result.got);
      t.same(result.leaks, [], 'no secret in what was answered');
    });
  }
  await t.test('slow clients are counted as documented', async (t) => {
    const after = (await field.scrape()).samples;
    const wanted = tally(got.flatMap((result) => (result instanceof Error ? [] : result.got)));
    const counted = new Map([...risen(start, after)].filter(([name]) => apart.has(name)));
    t.same(sorted(counted), sorted(wanted));
    await holdHonest(t, field);
  });
  await inTurn(chosen('last'), new Set());

  await t.test('nothing is left at the end', async (t) => {
    await holdHonest(t, field);
    const after = await field.until(
      (samples) =>
        samples.get('hotmic_connections') === start.get('hotmic_connections') &&
        samples.get('hotmic_lobbies') === start.get('hotmic_lobbies'),
      'connections and lobbies are those of the honest',
    );
    t.equal(after.get('hotmic_participants'), start.get('hotmic_participants'));
    const resident = 'process_resident_memory_bytes';
    const grown = after.get(resident)! - start.get(resident)!;
    t.comment(
      `resident memory: ${mb(start.get(resident)!)} at the beginning, ${mb(after.get(resident)!)} at the end`,
    );
    t.ok(grown < GROWTH_BYTES, `grew by ${mb(grown)}, expected less than ${mb(GROWTH_BYTES)}`);
    const { text } = await field.scrape();
    t.same(field.leaks([text]), [], 'no secret in the metrics');
    t.equal(await field.end(), 0, 'it ends as it should');
    t.equal(
      field.leaks([`a log with ${field.adminToken} in it`]).length,
      1,
      'secrets are seen where they are',
    );
    t.same(field.leaks(field.log), [], 'no secret in the log');
    for (const line of field.log) JSON.parse(line);
    t.match(JSON.parse(field.log.at(-1)!), { event: 'ended' });
  });
}

function mb(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
