/** The completion of fish. */

import type { CommandWords, OptionWords } from './words.js';

export function fishScript(program: CommandWords): string {
  const { name } = program;
  const lines = [
    `# fish completion for ${name}: ${name} completion fish`,
    `complete -c ${name} -f`,
    ...program.options.map((option) => optionLine(name, '__fish_use_subcommand', option)),
    ...program.commands.map(
      (command) =>
        `complete -c ${name} -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
    ),
  ];
  for (const command of program.commands) {
    const seen = `'__fish_seen_subcommand_from ${command.name}'`;
    const words = [...command.commands.map((inner) => inner.name), ...command.choices];
    if (words.length > 0) lines.push(`complete -c ${name} -n ${seen} -a ${quoted(words.join(' '))}`);
    if (command.takesFile) lines.push(`complete -c ${name} -n ${seen} -F`);
    for (const option of command.options) lines.push(optionLine(name, seen, option));
  }
  return `${lines.join('\n')}\n`;
}

function optionLine(program: string, condition: string, option: OptionWords): string {
  const names = option.flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const value =
    option.value === 'flag' ? '' : option.path ? ' -r -F' : option.value === 'required' ? ' -x' : '';
  const choices = option.choices.length > 0 ? ` -a ${quoted(option.choices.join(' '))}` : '';
  return `complete -c ${program} -n ${condition} ${names.join(' ')}${value}${choices} -d ${quoted(option.description)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
