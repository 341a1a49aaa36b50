/**
 * `hotmic …`: reads the command line, runs one command, turns whatever goes wrong into one line and an exit code.
 *
 * Exit codes: 0 done; 1 it failed (the line ends in a stable code); 2 the command line is wrong; 130 a second Ctrl-C.
 */

import { Command, CommanderError } from 'commander';
import { codeOf, HotmicError, messageOf } from '../voice/error.js';
import { printable } from '../voice/printable.js';
import { closeGoneTerminals, isGone } from './gone_terminal.js';
import { HELP_LAYOUT } from './help_layout.js';
import { version } from './version.js';

/** In the order in which the help lists them. Each is loaded when needed: loading all takes several times as long. */
const COMMANDS = {
  relay: async () => (await import('./relay/command.js')).relayCommand(),
  talk: async () => (await import('./talk/command.js')).talkCommand(),
  listen: async () => (await import('./listen.js')).listenCommand(),
  record: async () => (await import('./record.js')).recordCommand(),
  devices: async () => (await import('./devices.js')).devicesCommand(),
  inspect: async () => (await import('./inspect/command.js')).inspectCommand(),
  token: async () => (await import('./token.js')).tokenCommand(),
  steam: async () => (await import('./steam.js')).steamCommand(),
  demo: async () => (await import('./demo.js')).demoCommand(),
  bench: async () => (await import('./bench/command.js')).benchCommand(),
  completion: async () => (await import('./completion/command.js')).completionCommand(everything),
} satisfies Record<string, () => Promise<Command>>;

const program = new Command('hotmic')
  .description('Voice chat for game lobbies in the Steam Voice format, over one WebSocket port.')
  .version(version, '-V, --version', 'Print the version.')
  .configureHelp(HELP_LAYOUT)
  .helpCommand('help [command]', 'Print help for a command.')
  .helpOption('-h, --help', 'Print this help.')
  .showHelpAfterError(false)
  .configureOutput({ outputError: () => undefined })
  .exitOverride();

const NAMES = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];
for (const name of commandsFor(process.argv[2])) await add(name);

program.addHelpText(
  'after',
  `
Start here:
  hotmic demo                  everything at once, on this machine
  hotmic relay --dev           a relay for this machine, on port 7800
  hotmic record ws://127.0.0.1:7800 --lobby den
  hotmic talk ws://127.0.0.1:7800 --lobby den --tone 440

hotmic <command> --help describes a command.`,
);

closeGoneTerminals();
// A reader of our output may stop reading: `hotmic … | head`. That is not a failure, and neither is a closed terminal.
process.stdout.on('error', (cause) => {
  if (codeOf(cause) !== 'EPIPE' && !isGone(1))
    fail(new HotmicError('ERR_HOTMIC_FILE', `Cannot write to standard output: ${cause.message}`, { cause }));
});
process.stderr.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (thrown) {
  fail(thrown);
}

/** The one that the command line names, or all of them, for the help and for a misspelled name. */
function commandsFor(first: string | undefined): readonly (keyof typeof COMMANDS)[] {
  const named = NAMES.filter((name) => name === first);
  return named.length > 0 ? named : NAMES;
}

async function add(name: keyof typeof COMMANDS): Promise<void> {
  const command = await COMMANDS[name]();
  program.addCommand(command.copyInheritedSettings(program));
  for (const inner of command.commands) inner.copyInheritedSettings(program);
}

/** The program with the commands that the command line did not name, too. */
async function everything(): Promise<Command> {
  for (const name of NAMES) if (!program.commands.some((command) => command.name() === name)) await add(name);
  return program;
}

function fail(thrown: unknown): void {
  if (thrown instanceof CommanderError) {
    process.exitCode = thrown.exitCode === 0 ? 0 : 2;
    if (thrown.exitCode !== 0) say(usageText(thrown), 'ERR_HOTMIC_USAGE');
    return;
  }
  const known = codeOf(thrown);
  // An error without one of our codes is a bug.
  const code = known?.startsWith('ERR_HOTMIC_') ? known : 'ERR_HOTMIC_INTERNAL';
  process.exitCode = code === 'ERR_HOTMIC_USAGE' ? 2 : 1;
  say(messageOf(thrown), code);
}

/** One line, and one more for each fault if a configuration has several. The message may quote a file name or a relay. */
function say(message: string, code: string): void {
  const isList = /:\n/.test(message) && (code === 'ERR_HOTMIC_CONFIG' || code === 'ERR_HOTMIC_USAGE');
  const [first = '', ...more] = isList ? message.split('\n') : [message.replaceAll('\n', ' ')];
  const lines = more.map((line) => `  ${printable(line)}\n`);
  process.stderr.write(`hotmic: ${printable(first)} [${code}]\n${lines.join('')}`);
}

function usageText(error: CommanderError): string {
  // Without a known command, commander has printed the help.
  if (error.code === 'commander.help') return 'expected one of the commands above';
  const message = error.message.replace(/^error: /, '').replace(/\n\((Did you mean .*\?)\)$/, '. $1');
  const isUnguessed = error.code === 'commander.unknownCommand' && !message.includes('Did you mean');
  return isUnguessed ? `${message}, see hotmic --help` : message;
}
