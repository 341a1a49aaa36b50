/** The completion of bash, which needs nothing but bash 3.2. */

import type { CommandWords, OptionWords } from './words.js';

export function bashScript(program: CommandWords): string {
  const names = program.commands.map(({ name }) => name).join(' ');
  return `# bash completion for ${program.name}: ${program.name} completion bash
_${program.name}() {
  local cur prev command word at
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  command=
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case $word in
    -*) ;;
    *)
      command="$command $word"
      break
      ;;
    esac
  done
  COMPREPLY=()
  case "$command $prev" in
${program.commands.map((command) => valueCases(command)).join('')}  esac
  case "$command" in
${program.commands.map((command) => wordCase(command, cases(command))).join('')}  '')
    COMPREPLY=($(compgen -W "${names} ${flags(program)}" -- "$cur"))
    return
    ;;
  esac
}
complete -F _${program.name} ${program.name}
`;
}

/** Values of options: after an option that takes one. Options with the same values share a case. */
function valueCases({ name, options }: CommandWords): string {
  const byReply = new Map<string, string[]>();
  for (const option of options) {
    if (
      option.value === 'flag' ||
      (option.value === 'optional' && !option.path && option.choices.length === 0)
    )
      continue;
    const patterns = byReply.get(reply(option)) ?? [];
    byReply.set(reply(option), [...patterns, ...option.flags.map((flag) => `" ${name} ${flag}"`)]);
  }
  return [...byReply]
    .map(([action, patterns]) => `  ${patterns.join(' | ')})\n    ${action}\n    return\n    ;;\n`)
    .join('');
}

function reply({ choices, path }: Pick<OptionWords, 'choices' | 'path'>): string {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$cur"))`;
  if (path === null) return ':';
  // Names with spaces are one word each, and readline quotes them.
  return `compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -${path === 'folder' ? 'd' : 'f'} -- "$cur")`;
}

function wordCase({ name }: CommandWords, body: string): string {
  return `  ' ${name}')\n${body}    ;;\n`;
}

function cases(command: CommandWords): string {
  const words = [...command.commands.map(({ name }) => name), ...command.choices].join(' ');
  const options = `    if [[ $cur == -* ]]; then\n      COMPREPLY=($(compgen -W "${flags(command)}" -- "$cur"))\n      return\n    fi\n`;
  if (words !== '') return `${options}    COMPREPLY=($(compgen -W "${words}" -- "$cur"))\n`;
  if (!command.takesFile) return options;
  return `${options}    ${reply({ choices: [], path: 'file' })}\n`;
}

function flags({ options }: CommandWords): string {
  return options.flatMap((option) => option.flags).join(' ');
}
