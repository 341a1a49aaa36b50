/**
 * The whole class on three Steams: embedded, our stand-in for libsteam_api, and the real libsteam_api over our stand-in for the
 * Steam client. The table in docs/user.md is made from what passed. To write it:
 * `HOTMIC_WRITE_DOCS=1 node dist/test/run.js dist/test/native/user_table.test.js`.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { CaseResult } from './suite/child.js';
import { FUNCTION_CASES } from './suite/function_cases.js';
import type { SteamUnderTest } from './suite/openers.js';
import { SIGNAL_CASES } from './suite/signal_cases.js';
import { TYPED_CASES } from './suite/typed_cases.js';

const SUBJECTS = ['embedded', 'stand-in', 'real library'] as const satisfies readonly SteamUnderTest[];
const CHILD = fileURLToPath(new URL('./suite/child.js', import.meta.url));
const PAGE = 'docs/user.md';
const TABLE =
  /(<!-- table: made by test\/native\/user_table\.test\.ts -->\n)([\s\S]*?)(<!-- end of table -->)/;

/** What held on which Steam; a Steam that cannot be had here is not in it. */
const passed = new Map<SteamUnderTest, Set<string>>();

for (const subject of SUBJECTS) {
  t.test(`every function, signal and promise holds on: ${subject}`, async (t) => {
    const child = spawnSync(process.execPath, [CHILD, subject], { encoding: 'utf8', timeout: 300_000 });
    t.equal(child.signal, null, `the process did not crash: ${child.stderr.slice(-2000)}`);
    t.equal(child.status, 0, child.stderr.slice(-2000));
    const lines = child.stdout.split('\n').filter((line) => line.startsWith('{'));
    const { skipped } = JSON.parse(lines[0] ?? '{}') as { skipped?: string };
    if (skipped !== undefined) {
      t.pass('it runs here', { skip: skipped });
      return;
    }
    const results = lines.map((line) => JSON.parse(line) as CaseResult);
    const ran = (kind: CaseResult['kind']) => results.filter((it) => it.kind === kind).map((it) => it.name);
    t.same(ran('function'), Object.keys(FUNCTION_CASES), 'each function');
    t.same(ran('signal'), Object.keys(SIGNAL_CASES), 'each signal');
    t.same(ran('typed'), Object.keys(TYPED_CASES), 'each sentence of the typed layer');
    for (const { kind, name, failure } of results) t.equal(failure, null, `${kind} ${name}`);
    passed.set(subject, new Set(results.filter(({ failure }) => failure === null).map(({ name }) => name)));
  });
}

t.test('docs/user.md has the table that the cases make', async (t) => {
  // Of a Steam that is not here, the page is taken at its word.
  const mark = (subject: SteamUnderTest, name: string) =>
    (passed.get(subject)?.has(name) ?? true) ? 'yes' : '**no**';
  const row = (cell: string, name: string) =>
    `| ${[cell, ...SUBJECTS.map((subject) => mark(subject, name))].join(' | ')} |`;
  const table = [
    `| function or signal | ${SUBJECTS.join(' | ')} |`,
    `| --- |${' --- |'.repeat(SUBJECTS.length)}`,
    ...Object.keys(FUNCTION_CASES).map((name) => row(`\`${name}()\``, name)),
    ...Object.keys(SIGNAL_CASES).map((name) => row(`\`${name}\``, name)),
    ...Object.keys(TYPED_CASES).map((name) => row(name, name)),
    '',
  ].join('\n');
  t.notMatch(table, /\*\*no\*\*/, 'every row works on all three');
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.HOTMIC_WRITE_DOCS) {
    writeFileSync(
      PAGE,
      page.replace(TABLE, (_, begin, __, end) => `${begin}${table}${end}`),
    );
  } else {
    t.equal(TABLE.exec(page)?.[2], table);
  }
});
