/** The emulated link delays, loses, queues and cuts as it was told: by counts, order and earliest instants, never by speed. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { buildLink, type Link, withLink } from '../../../bench/link/link.js';

const CHILD = fileURLToPath(new URL('./datagrams.js', import.meta.url));
/** An IPv4 and a UDP header. */
const HEADER_BYTES = 28;
const MS = 1_000_000n;

const built = buildLink();
const skip = built.kind === 'missing' ? built.reason : false;

type Instants = Map<number, bigint>;

function note(instants: Instants, line: string): void {
  const [number, at] = line.split(' ');
  instants.set(Number(number), BigInt(at!));
}

/** The far side's datagrams, in the order in which they came. */
async function receiver(link: Link) {
  const [command, ...before] = link.inside('far');
  const child = spawn(command!, [...before, process.execPath, CHILD, 'receive'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const instants: Instants = new Map();
  return {
    port,
    instants,
    /** Waits until `count` have come in all. */
    async until(count: number) {
      while (instants.size < count) note(instants, (await lines.next()).value as string);
    },
    async close() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

/** Sends datagrams from the near side, and returns when. */
async function send(link: Link, port: number, from: number, count: number, bytes = 100): Promise<Instants> {
  const [command, ...before] = link.inside('near');
  const args = [...before, process.execPath, CHILD, 'send', from, count, bytes, link.addresses.far, port];
  const child = spawn(command!, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  const instants: Instants = new Map();
  for await (const line of createInterface({ input: child.stdout })) note(instants, line);
  return instants;
}

/** The counts once nothing is under way. */
async function settled(link: Link) {
  for (;;) {
    const { up, down } = await link.counts();
    if (up.underWay === 0 && down.underWay === 0) return { up, down };
  }
}

t.test('every datagram arrives in order, and none before its delay', { skip }, async (t) => {
  await withLink({ seed: 1, up: { delayMs: 40, jitterMs: 30 } }, async (link) => {
    const far = await receiver(link);
    const sent = await send(link, far.port, 0, 200);
    await far.until(200);
    t.same([...far.instants.keys()], [...sent.keys()], 'in the order in which they were sent');
    const waits = [...far.instants].map(([number, at]) => at - sent.get(number)!);
    t.ok(
      waits.every((wait) => wait >= 40n * MS),
      'none came before 40 ms',
    );
    const { up, down } = await settled(link);
    t.match(up, { arrived: 200, delivered: 200, lost: 0, full: 0, cut: 0 });
    t.equal(down.arrived, 0);
    await far.close();
  });
});

t.test('the seed decides which are lost, and the others arrive', { skip }, async (t) => {
  const lostWith = (seed: number) =>
    withLink({ seed, lossPercent: 20 }, async (link) => {
      const far = await receiver(link);
      await send(link, far.port, 0, 500);
      const { up } = await settled(link);
      t.equal(up.delivered + up.lost, 500);
      await far.until(up.delivered);
      await far.close();
      return Array.from({ length: 500 }, (_, number) => number).filter((number) => !far.instants.has(number));
    });
  const lost = await lostWith(7);
  t.ok(lost.length > 50 && lost.length < 150, `${lost.length} of 500 at 20 %`);
  t.same(await lostWith(7), lost, 'the same seed loses the same ones');
  t.not((await lostWith(8)).join(), lost.join(), 'another seed loses others');
});

t.test('a rate delays, and a full queue drops the rest', { skip }, async (t) => {
  const settings = { rateKbit: 1000, queueBytes: 20_000 };
  await withLink({ seed: 1, up: settings }, async (link) => {
    const far = await receiver(link);
    const sent = await send(link, far.port, 0, 100, 1000);
    const { up } = await settled(link);
    t.equal(up.arrived, 100);
    t.equal(up.delivered + up.full, 100);
    t.ok(up.full > 0, 'the burst is longer than the queue');
    await far.until(up.delivered);
    // The link sends 1 bit per µs. The first one began to be sent after it was given to the kernel.
    const leastNs = BigInt(up.delivered * (1000 + HEADER_BYTES) * 8 * 1000);
    t.ok(up.delivered >= 19, `${up.delivered} fitted into the queue`);
    t.ok(
      [...far.instants.values()].at(-1)! - sent.get(0)! >= leastNs,
      'the last one came when all were sent',
    );
    await far.close();
  });
});

t.test('nothing passes a cut link, in the direction that is cut, until it is healed', { skip }, async (t) => {
  await withLink({ seed: 1 }, async (link) => {
    const far = await receiver(link);
    await link.cut('up');
    await send(link, far.port, 0, 30);
    t.match((await settled(link)).up, { arrived: 30, delivered: 0, cut: 30 });
    await link.heal();
    await send(link, far.port, 100, 30);
    await far.until(30);
    t.equal(Math.min(...far.instants.keys()), 100, 'what was sent during the cut is lost');
    await link.cut('down');
    await send(link, far.port, 200, 1);
    await far.until(31);
    t.match((await settled(link)).up, { delivered: 31, cut: 30 });
    await link.heal('down');
    await far.close();
  });
});

t.test('a delay can be changed while the link is open', { skip }, async (t) => {
  await withLink({ seed: 1 }, async (link) => {
    const far = await receiver(link);
    await link.change('up', { delayMs: 25 });
    const sent = await send(link, far.port, 0, 5);
    await far.until(5);
    for (const [number, at] of far.instants) t.ok(at - sent.get(number)! >= 25n * MS);
    await far.close();
  });
});

t.test('the namespaces end with the link, also when its user throws', { skip }, async (t) => {
  let file = '';
  const failed = withLink({ seed: 1 }, async (link) => {
    file = link.inside('far').at(-1)!.replace('--net=', '');
    t.ok(existsSync(file));
    throw new Error('on purpose');
  });
  await t.rejects(failed, { message: 'on purpose' });
  t.notOk(existsSync(file));
});

t.test('a setting out of its range is refused', async (t) => {
  await t.rejects(
    withLink({ seed: 1, lossPercent: 101 }, async () => undefined),
    {
      message: 'Cannot set the link: lossPercent is 101, expected 0 to 100',
    },
  );
});
