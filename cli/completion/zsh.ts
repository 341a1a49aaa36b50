/** The completion of zsh, by its own _arguments. */

import type { CommandWords, OptionWords } from './words.js';

export function zshScript(program: CommandWords): string {
  const { name, commands } = program;
  const list = commands.map((command) => `    ${quoted(`${command.name}:${escaped(command.summary)}`)}`);
  return `#compdef ${name}
# zsh completion for ${name}: ${name} completion zsh
_${name}() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands
  commands=(
${list.join('\n')}
  )
  _arguments -C \\
${program.options.map((option) => `    ${optionSpec(option)} \\\n`).join('')}    '1: :->command' '*:: :->rest'
  case $state in
  command) _describe command commands ;;
  rest)
    case $words[1] in
${commands.map(commandCase).join('')}    esac
    ;;
  esac
}
if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

function commandCase(command: CommandWords): string {
  const words = [...command.commands.map(({ name }) => name), ...command.choices];
  const argument =
    words.length > 0 ? `'1:value:(${words.join(' ')})'` : command.takesFile ? `'*:file:_files'` : `'*: :'`;
  const options = command.options.map((option) => `        ${optionSpec(option)} \\\n`).join('');
  return `    ${command.name})\n      _arguments \\\n${options}        ${argument}\n      ;;\n`;
}

function optionSpec({ flags, description, value, choices, path }: OptionWords): string {
  const action =
    choices.length > 0
      ? `(${choices.join(' ')})`
      : path === 'file'
        ? '_files'
        : path === 'folder'
          ? '_files -/'
          : ' ';
  const argument = value === 'flag' ? '' : `${value === 'optional' ? '::' : ':'}value:${action}`;
  const text = `[${escaped(description)}]${argument}`;
  if (flags.length === 1) return quoted(`${flags[0]}${text}`);
  return `'(${flags.join(' ')})'{${flags.join(',')}}${quoted(text)}`;
}

/** For _arguments and _describe. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replace(/[:[\]]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
