/** `hotmic completion bash|zsh|fish`: prints a script that completes commands, options, their values and files. */

import { Argument, Command } from 'commander';
import { purpose } from '../help_layout.js';
import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { wordsOf } from './words.js';
import { zshScript } from './zsh.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

type Shell = keyof typeof SCRIPTS;

/** @param everything The program with all of its commands, which are loaded for it. */
export function completionCommand(everything: () => Promise<Command>): Command {
  return new Command('completion')
    .description(
      purpose(
        'Print a script with which the shell completes commands, options and their values.',
        'source <(hotmic completion bash)                in ~/.bashrc',
        'source <(hotmic completion zsh)                 in ~/.zshrc, after compinit',
        'hotmic completion fish > ~/.config/fish/completions/hotmic.fish',
      ),
    )
    .summary('Print a completion script for a shell.')
    .addArgument(new Argument('<shell>', 'Which shell.').choices(Object.keys(SCRIPTS)))
    .action(async (shell: Shell) => {
      process.stdout.write(SCRIPTS[shell](wordsOf(await everything())));
    });
}
