/** What keeps the tree readable: no file that has outgrown its concept, no folder that nobody can take in at a glance. */

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { projectFiles } from './kit/project_files.js';

const MAX_LINES = 400;
const MAX_FILES = 25;
/** Generated, or libopus' own, or uWebSockets' own. */
const NOT_OURS = /^(wasm\/(pkg|c|sysinclude)|relay\/port\/sockets\/addon\/library)\//;
const SOURCE = /\.(ts|cpp|hpp|c|h|rs|sh)$/;
const TEST = /^test\//;

const sources = projectFiles().filter((name) => SOURCE.test(name) && !NOT_OURS.test(name));
const linesOf = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n').length;

t.test(`no source file has more than ${MAX_LINES} lines`, async (t) => {
  const own = sources.filter((file) => !TEST.test(file));
  t.ok(own.length > 250, `${own.length} files`);
  for (const file of own) {
    const lines = linesOf(file);
    if (lines > MAX_LINES) t.fail(`${file} has ${lines} lines: look for its second concept`);
  }
});

t.test(`no folder has more than ${MAX_FILES} source files of its own`, async (t) => {
  const counts = new Map<string, number>();
  for (const file of sources) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  t.ok(counts.size > 20, `${counts.size} folders`);
  for (const [folder, count] of counts) {
    if (count > MAX_FILES) t.fail(`${folder} has ${count} source files: its prefixes are folders`);
  }
});
