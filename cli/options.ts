/**
 * Options that several commands share, parsed once at the gate.
 */

import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LABEL } from '../voice/control.js';
import { HotmicError, systemReason } from '../voice/error.js';
import { parseSteamId, personSteamId } from '../voice/steam_id.js';

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Wants a whole number from ${min} to ${max}.`);
  };
}

/** A number from `min` to `max`. */
export function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Wants a number from ${min} to ${max}.`);
  };
}

/** The name of a lobby or a person. */
export function label(text: string): string {
  if (LABEL.test(text)) return text;
  throw new InvalidArgumentError('Wants 1 to 64 characters, none of them a control character.');
}

/** A SteamID64 in decimal. */
export function steamId(text: string): bigint {
  const parsed = parseSteamId(text);
  if (parsed === null)
    throw new InvalidArgumentError('Wants a SteamID64 in decimal, such as 76561197960265729.');
  return parsed;
}

/** Who we are in which lobby. */
export interface MemberOptions {
  readonly lobby: string;
  readonly name: string;
  readonly steamId: bigint;
  readonly token?: string;
}

/** Adds the relay's URL, `--lobby`, `--name`, `--steam-id` and `--token-file`. */
export function withMemberOptions(command: Command, defaultName: string): Command {
  return command
    .argument('<url>', 'the relay, such as ws://127.0.0.1:7800')
    .option('-l, --lobby <name>', 'lobby to join, required; made when it is not there', label)
    .option('-n, --name <name>', 'what the others see', label, defaultName)
    .addOption(
      new Option('--steam-id <id>', 'SteamID64 in decimal')
        .argParser(steamId)
        .default(madeUpSteamId(), 'one made up for this run'),
    )
    .option(
      '--token-file <file>',
      'token for a relay that wants one; - is standard input (default: HOTMIC_TOKEN)',
    )
    .hook('preAction', wantLobby)
    .hook('preAction', takeToken);
}

/** A token is no argument: others on this machine see those. */
function takeToken(command: Command): void {
  const { tokenFile } = command.opts<{ tokenFile?: string }>();
  const text = tokenFile === undefined ? process.env.HOTMIC_TOKEN : readText(tokenFile);
  if (text !== undefined && text.trim() !== '') command.setOptionValue('token', text.trim());
}

/** @throws HotmicError ERR_HOTMIC_FILE for a file that cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    throw new HotmicError('ERR_HOTMIC_FILE', `Cannot read ${path}: ${systemReason(cause)}`, { cause });
  }
}

/** In place of requiredOption, which would hide that the option is there and misspelled. */
function wantLobby(command: Command): void {
  if (command.opts<Partial<MemberOptions>>().lobby === undefined)
    command.error("error: required option '-l, --lobby <name>' not specified");
}

/** A person's id that nobody is likely to have in the same lobby. */
function madeUpSteamId(): bigint {
  return personSteamId(randomInt(1, 2 ** 32));
}
