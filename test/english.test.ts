/**
 * The worst habits of this project's English, refused wherever a person reads: documents, help texts, errors, comments, test names.
 * A short list, each with what to write instead. It cannot tell good English from bad; a reader has to.
 */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { projectFiles } from './kit/project_files.js';

interface Habit {
  readonly words: RegExp;
  /** What to write instead, and why where that is not plain. */
  readonly instead: string;
}

const HABITS: readonly Habit[] = [
  // `Wants=` is a directive of systemd.
  { words: /\bwants\b(?!=)/gi, instead: 'expected 1 to 64; requires; needs. A program has no wishes' },
  { words: /\b(is|are|was) none\b/gi, instead: 'there is no X; is not a Y' },
  {
    words:
      /(?<!\bthere )\b(?:is|are) no (?!longer|more|less|different|other|need|reason|way|one\b)[a-z]+s?\b(?=[.,;:)]|$)/gi,
    instead: 'unknown X; not a X',
  },
  { words: /\blacks\b/gi, instead: 'X is missing; X does not have Y' },
  { words: /(?<!joined-)\b(anew|thereby|likewise)\b/gi, instead: 'again; so; also' },
  {
    words: /\b(closed out|turned away|let in|be rid of|is rid of)\b/gi,
    instead: 'disconnected, refused, admitted, remove',
  },
  { words: /\bgoes before\b/gi, instead: 'overrides; comes first' },
  {
    words: /\bfor who(ever)? (has|have|is|are|wants?|comes?|does|cannot|can)\b/gi,
    instead: 'name them: players with a token',
  },
  {
    words: /\b(doorstep|rim)\b/gi,
    instead: 'admission, I/O: a metaphor that nobody else uses has to be learned',
  },
  { words: /\b(is|are) told (?!apart|by the)[a-z]/gi, instead: 'say who tells whom' },
  { words: /\bit is said\b/gi, instead: 'say who says it' },
  { words: /\bgive it again for another\b/gi, instead: 'repeatable' },
];

/** Nobody wrote these by hand, or their wording is not ours. */
const NOT_OURS =
  /^(bench\/results|relay\/port\/sockets\/addon\/library\/(src|uSockets)|wasm\/pkg|wasm\/sysinclude|test\/fuzz\/(corpus|crashes)\/)|golden|package-lock\.json|THIRD_PARTY|LICENSE/;
/** wasm/pkg/manifest.json has the hashes of these files, comments included: rewording one requires a rebuild of the module. */
const BUILDS_THE_MODULE = /^wasm\/(c\/|src\/|build\.rs|build\.sh|toolchain\.sh|manifest\.mjs|Cargo\.toml)/;
const READ = /\.(md|ts|cpp|hpp|cc|c|h|sh|json|ya?ml|service|gyp|rs|toml)$|(^|\/)(Makefile|Dockerfile)$/;
const ITSELF = 'test/english.test.ts';

/** An address is a name and not English, and so is what stands between code marks; in a program those enclose texts, with code in them. */
const NAMES_IN_TEXT = /`[^`]*`|https?:\S+/g;
const NAMES_IN_CODE = /\$\{[^}]*\}|https?:\S+/g;

/** Whether a line is code, as far as its own look says: a statement, and no comment or document. */
function isCode(line: string): boolean {
  return /[;,({[:=?]\s*$|\$\{/.test(line) && !/^\s*(\/?\*|\/\/|#|[-|])/.test(line);
}

/** Line by line: where each habit is. A link's address and an identifier in code marks are names, not English. */
function findHabits(text: string, { words }: Habit): { readonly line: number; readonly found: string }[] {
  return text.split('\n').flatMap((line, at) => {
    const prose = line.replace(isCode(line) ? NAMES_IN_CODE : NAMES_IN_TEXT, '');
    return [...prose.matchAll(words)].map(([found]) => ({ line: at + 1, found }));
  });
}

const files = projectFiles().filter(
  (name) => READ.test(name) && ![NOT_OURS, BUILDS_THE_MODULE].some((it) => it.test(name)) && name !== ITSELF,
);

t.test('the texts are looked at, and a habit in one is found', async (t) => {
  t.ok(files.length > 300, `${files.length} files`);
  const [wants] = HABITS;
  t.strictSame(findHabits('port is 70000,\nwants 0 to 65535', wants!), [{ line: 2, found: 'wants' }]);
  t.strictSame(findHabits('the field `wants`', wants!), []);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line of a program.
  t.strictSame(findHabits('  fail(`${name} wants more`);', wants!), [{ line: 1, found: 'wants' }]);
  t.strictSame(findHabits('Wants=network-online.target', wants!), []);
  const isNo = HABITS.find(({ instead }) => instead.startsWith('unknown'));
  t.strictSame(findHabits('foo is no setting.', isNo!), [{ line: 1, found: 'is no setting' }]);
  t.strictSame(findHabits('null if there is no setting.', isNo!), []);
});

for (const habit of HABITS) {
  t.test(`nobody reads ${habit.words.source}`, async (t) => {
    for (const file of files) {
      for (const { line, found } of findHabits(readFileSync(file, 'utf8'), habit))
        t.fail(`${file}:${line} says "${found}"; instead: ${habit.instead}`);
    }
  });
}
