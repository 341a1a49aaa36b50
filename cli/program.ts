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

/** In the order in which the help lists them. Each is loaded when it is needed: all of them take several times as long. */
const COMMANDS = {
  relay: async () => (await import('./relay/command.js')).relayCommand(),
  talk: async () => (await import('./talk.js')).talkCommand(),
  listen: async () => (await import('./listen.js')).listenCommand(),
  record: async () => (await import('./record.js')).recordCommand(),
  inspect: async () => (await import('./inspect.js')).inspectCommand(),
  token: async () => (await import('./token.js')).tokenCommand(),
  steam: async () => (await import('./steam.js')).steamCommand(),
  demo: async () => (await import('./demo.js')).demoCommand(),
} satisfies Record<string, () => Promise<Command>>;

const program = new Command('hotmic')
  .description('Voice chat for game lobbies in the Steam Voice format, over one WebSocket port.')
  .version(version)
  .configureHelp(HELP_LAYOUT)
  .helpOption('-h, --help', 'Print this help.')
  .showHelpAfterError(false)
  .configureOutput({ outputError: () => undefined })
  .exitOverride();

for (const name of wantedCommands(process.argv[2])) {
  const command = await COMMANDS[name]();
  program.addCommand(command.copyInheritedSettings(program));
  for (const inner of command.commands) inner.copyInheritedSettings(program);
}

program.addHelpText(
  'after',
  `
Start here:
  hotmic demo                                        all of it at once, on this machine
  hotmic relay --dev                                 a relay for this machine, on port 7800
  hotmic record ws://127.0.0.1:7800 --lobby den      record who speaks there
  hotmic talk ws://127.0.0.1:7800 --lobby den --wav hello.wav`,
);

closeGoneTerminals();
// Whoever reads our output may stop reading: `hotmic … | head`. That is no failure, nor is a terminal that went away.
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

/** The one that the command line names, or all of them, for the help and for a name that is misspelled. */
function wantedCommands(first: string | undefined): readonly (keyof typeof COMMANDS)[] {
  const names = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];
  const named = names.filter((name) => name === first);
  return named.length > 0 ? named : names;
}

function fail(thrown: unknown): void {
  if (thrown instanceof CommanderError) {
    process.exitCode = thrown.exitCode === 0 ? 0 : 2;
    if (thrown.exitCode !== 0) say(usageText(thrown), 'ERR_HOTMIC_USAGE');
    return;
  }
  const known = codeOf(thrown);
  // What has no code of ours is a fault of ours.
  const code = known?.startsWith('ERR_HOTMIC_') ? known : 'ERR_HOTMIC_INTERNAL';
  process.exitCode = code === 'ERR_HOTMIC_USAGE' ? 2 : 1;
  say(messageOf(thrown), code);
}

/** One line, and where a configuration has several faults a line more for each. The message may quote a file name or a relay. */
function say(message: string, code: string): void {
  const isList = /:\n/.test(message) && (code === 'ERR_HOTMIC_CONFIG' || code === 'ERR_HOTMIC_USAGE');
  const [first = '', ...more] = isList ? message.split('\n') : [message.replaceAll('\n', ' ')];
  const lines = more.map((line) => `  ${printable(line)}\n`);
  process.stderr.write(`hotmic: ${printable(first)} [${code}]\n${lines.join('')}`);
}

function usageText(error: CommanderError): string {
  // Without a command that is known, commander has printed the help.
  if (error.code === 'commander.help') return 'wants one of the commands above';
  return error.message.replace(/^error: /, '');
}
