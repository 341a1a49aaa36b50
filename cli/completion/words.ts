/** What can be completed on the command line, from the definitions of the commands. */

import type { Command, Option } from 'commander';

export interface OptionWords {
  /** `--lobby` and `-l`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** `flag`: no value. `optional`: it may have one. */
  readonly value: 'flag' | 'optional' | 'required';
  /** The only values that it takes, if there are few. */
  readonly choices: readonly string[];
  /** Its value is a path. */
  readonly path: 'file' | 'folder' | null;
}

export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionWords[];
  /** Commands below it. */
  readonly commands: readonly CommandWords[];
  /** The values of its argument, if there are few. */
  readonly choices: readonly string[];
  /** Its argument is a file. */
  readonly takesFile: boolean;
}

/** Everything below `program`, in the order of the help. */
export function wordsOf(command: Command): CommandWords {
  const help = command.createHelp();
  const [argument] = command.registeredArguments;
  return {
    name: command.name(),
    summary: oneLine(command.summary() || command.description()),
    options: help.visibleOptions(command).map(optionWords),
    commands: help.visibleCommands(command).map(wordsOf),
    choices: argument?.argChoices ?? [],
    takesFile: isFile(argument?.name() ?? ''),
  };
}

function optionWords(option: Option): OptionWords {
  const { short, long, description, required, optional, argChoices = [] } = option;
  const placeholder = /[<[]([^>\]]+)/.exec(option.flags)?.[1] ?? '';
  return {
    flags: [long, short].flatMap((flag) => flag ?? []),
    description: oneLine(description),
    value: required ? 'required' : optional ? 'optional' : 'flag',
    choices: argChoices,
    path: isFile(placeholder) ? 'file' : /folder|directory/.test(placeholder) ? 'folder' : null,
  };
}

/** Whether a placeholder stands for a file. */
function isFile(placeholder: string): boolean {
  return placeholder === 'file';
}

/** The first sentence, on one line. */
function oneLine(text: string): string {
  const [first = ''] = text.split(/\n|\. /);
  return first.replace(/\.$/, '').trim();
}
