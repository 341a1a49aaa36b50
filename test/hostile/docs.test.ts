/**
 * The table of attacks in docs/security.md is that of the code. To write it:
 * `HOTMIC_WRITE_DOCS=1 node dist/test/run.js dist/test/hostile/docs.test.js`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { answerText } from './attack.js';
import { chapters } from './attacks.js';

const PAGE = 'docs/security.md';
const BLOCK = /(?<=<!-- attacks -->\n)[\s\S]*?(?=<!-- \/attacks -->)/;
/** What the goal of the project asks for. */
const WANTED = 60;

const all = chapters({ connections: 0, why: null });

function table(): string {
  const parts = all.map(({ title, attacks }) => {
    const rows = attacks.map(({ name, answers, onWs }) => {
      const other = onWs ? `; on ws: ${onWs.map(answerText).join('; ')}` : '';
      return `| ${name} | ${answers.map(answerText).join('; ')}${other} |`;
    });
    return [`**${title}**`, '', '| attack | answer |', '| --- | --- |', ...rows, ''].join('\n');
  });
  return `\n${parts.join('\n')}\n`;
}

t.test('docs/security.md lists every attack and its answer', async (t) => {
  const page = readFileSync(PAGE, 'utf8');
  if (process.env.HOTMIC_WRITE_DOCS)
    writeFileSync(
      PAGE,
      page.replace(BLOCK, () => table()),
    );
  t.equal(BLOCK.exec(readFileSync(PAGE, 'utf8'))?.[0], table());
});

t.test('each attack has a unique name, and there are enough', async (t) => {
  const names = all.flatMap(({ attacks }) => attacks.map(({ name }) => name));
  t.equal(new Set(names).size, names.length);
  t.ok(names.length >= WANTED, `${names.length} attacks`);
  t.comment(`${names.length} attacks`);
});
