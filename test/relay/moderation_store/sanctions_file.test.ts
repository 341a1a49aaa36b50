/** The file of mutes and bans: real files, a crash at every byte, a killed process, and disks that fail. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { BY_ADMIN, type Sanction, Sanctions } from '../../../relay/core/sanctions.js';
import type { SanctionsDisk } from '../../../relay/moderation_store/sanctions_disk.js';
import {
  openSanctionsFile,
  SanctionsFile,
  type SanctionsFileEvent,
  type SanctionsFileOptions,
} from '../../../relay/moderation_store/sanctions_file.js';
import { HEADER, sanctionLine } from '../../../relay/moderation_store/sanctions_text.js';

const NOW = 1_800_000_000;
const CHILD = resolve('dist/test/relay/moderation_store/sanctions_child.js');

function sanction(account: number, change: Partial<Sanction> = {}): Sanction {
  return {
    lobby: 'den',
    steamId: String(76_561_197_960_265_728n + BigInt(account)),
    muted: 'always',
    deafened: 'not',
    banned: 'not',
    by: BY_ADMIN,
    ...change,
  };
}

function forgotten(account: number): Sanction {
  return sanction(account, { muted: 'not' });
}

async function opened(t: Test, path: string, options: Partial<SanctionsFileOptions> = {}) {
  const events: SanctionsFileEvent[] = [];
  const file = await openSanctionsFile(path, {
    unixSeconds: NOW,
    onEvent: (event) => events.push(event),
    ...options,
  });
  t.teardown(() => file.close());
  return { file, events };
}

/** What a relay that starts with this file has. */
async function readBack(path: string, unixSeconds = NOW): Promise<readonly Sanction[]> {
  const file = await openSanctionsFile(path, { unixSeconds });
  await file.close();
  return file.sanctions;
}

t.test('the last record of each person survives a restart, in a file of mode 0600', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const { file } = await opened(t, path);
  t.same(file.sanctions, []);
  const strange = sanction(3, { lobby: 'a "b"\u2028 ☃', banned: NOW + 10 });
  file.keep(sanction(1));
  file.keep(sanction(2));
  file.keep(strange);
  file.keep(sanction(1, { deafened: 'always' }));
  file.keep(forgotten(2));
  file.keep(sanction(4, { lobby: null }));
  await file.close();
  t.same(await readBack(path), [strange, sanction(1, { deafened: 'always' }), sanction(4, { lobby: null })]);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.match(file.counts(), { kept: 6, waiting: 0, failures: 0 });
});

t.test('records that have ended stay in the file at a start, because the clock may be wrong', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const records = [sanction(1, { muted: NOW + 10, banned: NOW + 20 }), sanction(2, { muted: NOW + 10 })];
  const { file } = await opened(t, path);
  for (const record of records) file.keep(record);
  await file.close();
  for (const years of [100, 0, 100, 100, 0]) t.same(await readBack(path, NOW + years * 31_557_600), records);
});

t.test('ended records make room in the file, the oldest first', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const records = [1, 2, 3, 4].map((account) =>
    sanction(account, { muted: account < 4 ? NOW - 1 : NOW + 1 }),
  );
  writeFileSync(path, `${HEADER}\n${records.map(sanctionLine).join('')}`);
  const { file } = await opened(t, path, { most: 2 });
  t.same(file.sanctions, records.slice(2));
});

t.test('a file of the first version is read, and written in the second', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const { by: _, ...old } = sanction(1);
  writeFileSync(path, `{"file":"hotmic-sanctions","version":1}\n${JSON.stringify(old)}\n`);
  t.same(await readBack(path), [sanction(1, { by: null })]);
  t.equal(readFileSync(path, 'utf8'), `${HEADER}\n${JSON.stringify({ ...old, by: null })}\n`);
  writeFileSync(path, `{"file":"hotmic-sanctions","version":1}\n${sanctionLine(sanction(1))}`);
  await t.rejects(readBack(path), { message: /line 2: it is not a record/ }, 'each in its own form');
});

t.test('a file cut at any byte gives every record before the cut, and reports what was torn', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const records = [
    sanction(1),
    sanction(2, { lobby: 'höhle', banned: NOW + 5 }),
    sanction(3, { lobby: null }),
  ];
  const whole = Buffer.from(`${HEADER}\n${records.map(sanctionLine).join('')}`);
  let torn = 0;
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    const events: SanctionsFileEvent[] = [];
    const file = await openSanctionsFile(path, { unixSeconds: NOW, onEvent: (event) => events.push(event) });
    await file.close();
    const lines = whole.subarray(0, length).toString('latin1').split('\n');
    const cut = lines.pop() ?? '';
    // A line without its line end is complete.
    const isWhole = cut === HEADER || cut.endsWith('}');
    const expected = records.slice(0, Math.max(0, lines.length - 1 + (isWhole && lines.length > 0 ? 1 : 0)));
    t.same(file.sanctions, expected, `cut at ${length}`);
    const expectedEvents = cut === '' || isWhole ? [] : [{ kind: 'sanctions-torn', bytes: cut.length }];
    t.same(events, expectedEvents, `cut at ${length}`);
    torn += events.length;
    t.same(await readBack(path), expected, 'and it is mended');
  }
  t.ok(torn > 200, `${torn} torn lines`);
});

t.test('a tail of zeros, as a power failure leaves it, counts as torn', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  writeFileSync(path, `${HEADER}\n${sanctionLine(sanction(1))}{"lob\0\0\0\0\0`);
  const { file, events } = await opened(t, path);
  t.same(file.sanctions, [sanction(1)]);
  t.same(events, [{ kind: 'sanctions-torn', bytes: 10 }]);
});

t.test('a broken line elsewhere is an error that names it, and nothing is written', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const line = sanctionLine(sanction(1));
  const cases: readonly (readonly [text: string, line: number])[] = [
    [`${HEADER}\n${line}oops\n${line}`, 3],
    [`${HEADER}\n${line}\n`, 3],
    [`${HEADER}\n${line.replace('76561197960265729', '0765')}`, 2],
    [`${HEADER}\n${line.replace('always', 'often')}`, 2],
    [`${HEADER}\n${line.replace('"always"', '-1')}`, 2],
    [`${HEADER}\n${line.replace('"den"', `"${'x'.repeat(65)}"`)}`, 2],
    [`${HEADER}\n${line.replace('{', '{"newer":1,')}`, 2],
    [`${HEADER}\n[]\n`, 2],
    [`${HEADER.replace('2', '3')}\n${line}`, 1],
    [`${HEADER}\n${line.replace(',"by":"admin"', '')}`, 2],
    [`${HEADER}\n${line.replace('"admin"', '"somebody"')}`, 2],
    ['{"relay":{"port":7800}}\n', 1],
    ['a password of somebody', 1],
    ['\n', 1],
  ];
  for (const [text, wrong] of cases) {
    writeFileSync(path, text);
    await t.rejects(openSanctionsFile(path, { unixSeconds: NOW }), {
      code: 'ERR_HOTMIC_FILE',
      message: new RegExp(`^Cannot keep mutes and bans in .*sanctions: line ${wrong}: it is not a `),
    });
    t.equal(readFileSync(path, 'utf8'), text);
    t.notOk(existsSync(`${path}.new`));
  }
});

t.test('a file that cannot be opened is an error with the reason', async (t) => {
  const folder = t.testdir({ sub: {}, plain: '' });
  const errorOf = (path: string) => openSanctionsFile(path, { unixSeconds: NOW });
  await t.rejects(errorOf(join(folder, 'sub')), { code: 'ERR_HOTMIC_FILE', message: /not a regular file/ });
  await t.rejects(errorOf(join(folder, 'none', 'file')), { code: 'ERR_HOTMIC_FILE', message: /its folder/ });
  await t.rejects(errorOf(join(folder, 'plain', 'file')), { code: 'ERR_HOTMIC_FILE' });
  spawnSync('mkfifo', [join(folder, 'pipe')]);
  await t.rejects(errorOf(join(folder, 'pipe')), { code: 'ERR_HOTMIC_FILE', message: /not a regular file/ });
  await t.rejects(errorOf('/proc/hotmic-sanctions'), { code: 'ERR_HOTMIC_FILE' });
});

t.test('more people than the relay may remember are an error and not forgotten', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const text = `${HEADER}\n${[1, 2, 3].map((account) => sanctionLine(sanction(account))).join('')}`;
  writeFileSync(path, text);
  await t.rejects(openSanctionsFile(path, { unixSeconds: NOW, most: 2 }), {
    code: 'ERR_HOTMIC_FILE',
    message: /3 records in force, expected at most 2, the value of limits\.sanctions/,
  });
  t.equal(readFileSync(path, 'utf8'), text);
});

t.test('a link stays a link', async (t) => {
  const folder = t.testdir({ real: '' });
  const link = join(folder, 'link');
  symlinkSync(join(folder, 'real'), link);
  const { file } = await opened(t, link);
  file.keep(sanction(1));
  await file.close();
  t.match(readFileSync(join(folder, 'real'), 'utf8'), sanctionLine(sanction(1)));
});

t.test(
  'a file that cannot grow is reported as an event, and its content stays readable',
  {
    skip: process.platform === 'win32' && 'this system has no ulimit',
  },
  async (t) => {
    const path = join(t.testdir(), 'sanctions');
    // 8 blocks of 512 or 1024 bytes, by the shell. What tap has each process write would be too long as well.
    const run = spawnSync(
      'sh',
      ['-c', `ulimit -f 8; unset NODE_OPTIONS; exec "${process.execPath}" "${CHILD}" "${path}" 300`],
      {
        encoding: 'utf8',
      },
    );
    t.equal(run.status, 0, run.stderr);
    t.match(run.stdout, /sanctions-not-kept/);
    t.notOk(existsSync(`${path}.new`), 'and nothing is left beside it');
    const acknowledged = [...run.stdout.matchAll(/^(\d+)$/gm)].length;
    t.ok(acknowledged > 5 && acknowledged < 300, `${acknowledged} kept`);
    t.ok((await readBack(path)).length >= acknowledged);
  },
);

const hasLock = ['linux', 'win32'].includes(process.platform);
t.test(
  'a second relay on the same file is refused until the first has closed it',
  {
    skip: !hasLock && 'this system has no such lock',
  },
  async (t) => {
    const folder = t.testdir({ real: '' });
    const path = join(folder, 'real');
    symlinkSync(path, join(folder, 'link'));
    const { file } = await opened(t, path);
    for (const name of [path, join(folder, 'link'), join(folder, '.', 'real')]) {
      await t.rejects(openSanctionsFile(name, { unixSeconds: NOW }), {
        code: 'ERR_HOTMIC_FILE',
        message: /another relay uses it/,
      });
    }
    await file.close();
    t.same(await readBack(path), []);
  },
);

t.test('after a process is killed its records are on the disk, and its lock is released', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const child = spawn(process.execPath, [CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged >= 50) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const steamIds = new Set((await readBack(path)).map(({ steamId }) => steamId));
  for (let account = 1; account <= acknowledged; account++) {
    t.ok(steamIds.has(sanction(account).steamId), `person ${account} of ${acknowledged}`);
  }
});

t.test('a file with too many outdated lines is rewritten, and stops growing', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const { file } = await opened(t, path);
  for (let round = 0; round < 60; round++) {
    for (let account = 1; account <= 50; account++) {
      file.keep(round % 2 === 0 ? sanction(account) : forgotten(account));
    }
    await file.flush();
  }
  file.keep(sanction(7));
  await file.flush();
  t.ok(file.counts().rewrites >= 3, `${file.counts().rewrites} times`);
  const lines = readFileSync(path, 'utf8').split('\n').length;
  t.ok(lines < 1200, `${lines} lines`);
  await file.close();
  t.same(await readBack(path), [sanction(7)]);
});

/** A disk in memory whose next calls fail, or wait. */
class TestDisk implements SanctionsDisk {
  text = '';
  readonly calls: string[] = [];
  failing: Error | null = null;
  gate: Promise<void> | null = null;

  async append(text: string): Promise<void> {
    this.calls.push('append');
    await this.gate;
    if (this.failing) {
      // As a full disk does: a part of it is there.
      this.text += text.slice(0, text.length / 2);
      throw this.failing;
    }
    this.text += text;
  }

  async rewrite(pieces: Iterable<string>): Promise<void> {
    this.calls.push('rewrite');
    await this.gate;
    if (this.failing) throw this.failing;
    this.text = [...pieces].join('');
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }
}

/** A file over such a disk, with its pauses in the test's hands. */
async function over(disk: TestDisk) {
  const events: SanctionsFileEvent[] = [];
  const pauses: { ms: number; end: () => void }[] = [];
  const file = await SanctionsFile.over(
    'sanctions',
    { disk, bytes: new Uint8Array(0) },
    {
      unixSeconds: NOW,
      onEvent: (event) => events.push(event),
      after: (ms, end) => {
        pauses.push({ ms, end });
        return () => undefined;
      },
    },
  );
  return { file, events, pauses };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const FULL = new Error('ENOSPC: no space left on device, write');

t.test(
  'keep returns before anything is written, and the changes during a write are written together',
  async (t) => {
    const disk = new TestDisk();
    const { file } = await over(disk);
    let open = (): void => undefined;
    disk.gate = new Promise((resolve) => {
      open = resolve;
    });
    file.keep(sanction(1));
    t.same(disk.calls, ['rewrite'], 'nothing was asked of the disk yet');
    await settle();
    for (let account = 2; account < 500; account++) file.keep(sanction(account));
    file.keep(forgotten(2));
    t.equal(file.counts().waiting, 500);
    open();
    await file.flush();
    t.same(disk.calls, ['rewrite', 'append', 'append']);
    t.equal(file.counts().waiting, 0);
    t.same(
      disk.text.split('\n').at(-2),
      sanctionLine(forgotten(2)).trimEnd(),
      'in the order of the last changes',
    );
  },
);

t.test('a full disk is an event, blocks nothing, and writing is retried with growing pauses', async (t) => {
  const disk = new TestDisk();
  const { file, events, pauses } = await over(disk);
  disk.failing = FULL;
  file.keep(sanction(1));
  await settle();
  t.same(events, [{ kind: 'sanctions-not-kept', waiting: 1, detail: FULL.message }]);
  file.keep(sanction(2));
  for (let n = 0; n < 9; n++) {
    pauses.at(-1)?.end();
    await settle();
  }
  t.same(
    pauses.map(({ ms }) => ms),
    [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000],
  );
  t.match(file.counts(), { waiting: 2, failures: 10 });
  disk.failing = null;
  pauses.at(-1)?.end();
  await settle();
  t.same(events.at(-1), { kind: 'sanctions-kept-again' });
  t.equal(
    disk.text,
    `${HEADER}\n${sanctionLine(sanction(1))}${sanctionLine(sanction(2))}`,
    'nothing half is left',
  );
  t.equal(disk.calls.at(-1), 'rewrite');
  t.equal(file.counts().waiting, 0);
});

t.test('closing with a full disk retries once, and ends', async (t) => {
  const disk = new TestDisk();
  const { file, events } = await over(disk);
  disk.failing = FULL;
  file.keep(sanction(1));
  await settle();
  await file.close();
  t.match(events, [{ waiting: 1 }, { kind: 'sanctions-not-kept', waiting: 1 }]);
  t.equal(disk.calls.at(-1), 'close');
  file.keep(sanction(2));
  await file.close();
  t.equal(disk.calls.filter((call) => call === 'close').length, 1);

  const better = new TestDisk();
  const other = await over(better);
  better.failing = FULL;
  other.file.keep(sanction(1));
  await settle();
  better.failing = null;
  await other.file.close();
  t.equal(better.text, `${HEADER}\n${sanctionLine(sanction(1))}`);
});

t.test('a disk that does not respond does not keep the process from ending', async (t) => {
  const disk = new TestDisk();
  const { file, pauses } = await over(disk);
  disk.gate = new Promise(() => undefined);
  file.keep(sanction(1));
  const closed = file.close();
  await settle();
  t.equal(pauses.at(-1)?.ms, 5000);
  pauses.at(-1)?.end();
  await closed;
});

t.test('the changes that wait for a slow write are bounded', async (t) => {
  const disk = new TestDisk();
  const { file } = await over(disk);
  let open = (): void => undefined;
  disk.gate = new Promise((resolve) => {
    open = resolve;
  });
  file.keep(sanction(1));
  await settle();
  for (let account = 2; account <= 30_000; account++)
    file.keep(account < 29_990 ? forgotten(account) : sanction(account));
  open();
  await file.flush();
  t.same(disk.calls, ['rewrite', 'append', 'rewrite'], 'the whole file instead of so many lines');
  t.equal(disk.text.split('\n').length, 2 + 12);
});

t.test('the records that the core stores restore the same state', async (t) => {
  const path = join(t.testdir(), 'sanctions');
  const core = new Sanctions(100);
  const by = (n: number) => (n % 3 === 0 ? BY_ADMIN : sanction(n % 5).steamId);
  const { file } = await opened(t, path);
  for (let n = 0; n < 200; n++) {
    const kind = (['muted', 'deafened', 'banned'] as const)[n % 3]!;
    const until = n % 7 === 0 ? 'not' : n % 5 === 0 ? NOW + n : 'always';
    const set = core.set(
      n % 4 === 0 ? null : `den ${n % 6}`,
      sanction((n * 13) % 17).steamId,
      kind,
      until,
      by(n),
    );
    if (set.kind === 'set') for (const record of set.keep) file.keep(record);
    if (n === 100) for (const record of core.expire(NOW + 50, 0).keep) file.keep(record);
    if (n === 150) for (const record of core.expire(NOW + 50, 86_400_000).keep) file.keep(record);
  }
  await file.close();
  const again = new Sanctions(100, await readBack(path));
  again.expire(NOW + 50, 0);
  const sorted = (list: readonly Sanction[]) => list.map((record) => JSON.stringify(record)).sort();
  t.ok(core.size > 10);
  t.same(sorted(again.list()), sorted(core.list()));
});
