/**
 * `hotmic …`: reads the command line, runs one command, turns whatever goes wrong into one line and an exit code.
 *
 * Exit codes: 0 done; 1 it failed (the line ends in a stable code); 2 the command line is wrong; 130 a second Ctrl-C.
 */

import { Command, CommanderError } from 'commander';
import { codeOf, HotmicError, messageOf } from '../voice/error.js';
import { printable } from '../voice/printable.js';
import { demoCommand } from './demo.js';
import { inspectCommand } from './inspect.js';
import { listenCommand } from './listen.js';
import { recordCommand } from './record.js';
import { relayCommand } from './relay.js';
import { steamCommand } from './steam.js';
import { talkCommand } from './talk.js';
import { tokenCommand } from './token.js';
import { version } from './version.js';

const program = new Command('hotmic')
  .description('Voice chat for game lobbies in the Steam Voice format, over one WebSocket port.')
  .version(version)
  .showHelpAfterError(false)
  .configureOutput({ outputError: () => undefined })
  .exitOverride();

for (const command of [
  relayCommand(),
  talkCommand(),
  listenCommand(),
  recordCommand(),
  inspectCommand(),
  tokenCommand(),
  steamCommand(),
  demoCommand(),
]) {
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

// Whoever reads our output may stop reading: `hotmic … | head`. That is no failure.
process.stdout.on('error', (cause) => {
  if (codeOf(cause) !== 'EPIPE')
    fail(new HotmicError('ERR_HOTMIC_FILE', `Cannot write to standard output: ${cause.message}`, { cause }));
});
process.stderr.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (thrown) {
  fail(thrown);
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
