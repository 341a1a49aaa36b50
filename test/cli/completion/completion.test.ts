/** Completion, by the shells themselves. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCli } from '../../kit/cli.js';

type Shell = 'bash' | 'zsh' | 'fish';

const missing = (shell: Shell) => spawnSync(shell, ['--version']).status !== 0 && `${shell} is not here`;

/** The script of a shell, in a folder with a file and a folder to complete. */
async function scriptOf(t: Test, shell: Shell) {
  const { code, stdout, stderr } = await runCli(t, ['completion', shell]);
  t.match({ code, stderr }, { code: 0, stderr: '' });
  const folder = t.testdir({ 'said it.wav': '', script: stdout });
  mkdirSync(join(folder, 'sounds'));
  const checked = spawnSync(shell, ['-n', join(folder, 'script')], { encoding: 'utf8' });
  t.equal(checked.status, 0, checked.stderr);
  return { folder, script: join(folder, 'script') };
}

/** Completes the last of `words` with bash. */
function bashWords({ folder, script }: { folder: string; script: string }, ...words: readonly string[]) {
  const typed = ['hotmic', ...words].map((word) => `'${word}'`).join(' ');
  const ask = `source '${script}'; COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _hotmic; printf '%s\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', ask], { cwd: folder, encoding: 'utf8' });
  t.equal(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
}

t.test('bash completes commands, options, their values and files', { skip: missing('bash') }, async (t) => {
  const bash = await scriptOf(t, 'bash');
  t.strictSame(bashWords(bash, 'ta'), ['talk']);
  t.ok(bashWords(bash, '').includes('record'));
  t.strictSame(bashWords(bash, 'talk', '--so'), ['--sound-tool']);
  t.strictSame(bashWords(bash, 'talk', 'ws://127.0.0.1:7800', '--wav-channel', 'l'), ['left']);
  t.strictSame(bashWords(bash, 'talk', '--wav', 'sai'), ['said it.wav'], 'one word');
  t.strictSame(bashWords(bash, 'record', '-o', ''), ['sounds']);
  t.strictSame(bashWords(bash, 'talk', '--lobby', ''), [], 'only a person knows its name');
  t.strictSame(bashWords(bash, 'completion', ''), ['bash', 'zsh', 'fish']);
  t.ok(bashWords(bash, 'listen', '--').includes('--play'));
});

t.test('fish completes the same', { skip: missing('fish') }, async (t) => {
  const { folder, script } = await scriptOf(t, 'fish');
  const complete = (line: string) => {
    const ask = `source ${script}; complete -C '${line}'`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', ask], {
      cwd: folder,
      encoding: 'utf8',
    });
    t.equal(stderr, '');
    return stdout.split('\n').flatMap((row) => row.split('\t')[0] || []);
  };
  t.strictSame(complete('hotmic ta'), ['talk']);
  t.strictSame(complete('hotmic talk --so'), ['--sound-tool']);
  t.strictSame(complete('hotmic talk --wav-channel l'), ['left']);
  t.match(complete('hotmic talk --wav sai'), [/^said/]);
  t.strictSame(complete('hotmic completion z'), ['zsh']);
});

t.test('zsh completes the same', { skip: missing('zsh') }, async (t) => {
  const { folder, script } = await scriptOf(t, 'zsh');
  // A terminal in zsh in a terminal in zsh: completion needs one.
  const ask = `
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PS1='>' ; autoload -U compinit; compinit -u -d ${folder}/dump; source ${script}; unsetopt zle_bracketed_paste; echo re''ady"
zpty -r shell all '*ready*'
for line in "hotmic ta" "hotmic talk --sound-t" "hotmic talk --wav-channel l" "hotmic completion z"; do
  zpty -w -n shell "$line"$'\\t'"; echo do''ne"$'\\n'
  zpty -r shell all '*done*'
  print -r -- "$all"
done
`;
  writeFileSync(join(folder, 'ask'), ask);
  const { stdout } = spawnSync('zsh', ['-f', join(folder, 'ask')], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, HOME: folder, TERM: 'dumb' },
  });
  for (const whole of ['hotmic talk', '--sound-tool', '--wav-channel left', 'completion zsh'])
    t.match(stdout, whole);
});
