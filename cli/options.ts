/**
 * Options that several commands share, parsed once at the gate.
 */

import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { normalHost } from '../client/lobby/redirects.js';
import { LABEL, MAX_CHANNELS_ENTERED } from '../voice/control.js';
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
  /** Left out: a guest, or whose the token says. */
  readonly steamId?: bigint;
  readonly token?: string;
  /** To be entered, in the order in which they were given. */
  readonly channel: readonly string[];
  readonly reconnect: 'auto' | 'never';
  /** Hosts that a relay which drains may send us to, beside its own. */
  readonly redirectHosts: readonly string[];
}

/** How many channels a command is in. */
export type ChannelOption = 'one' | 'several';

/**
 * Adds the relay's URL, `--lobby`, `--name`, `--channel`, `--steam-id`, `--guest`, `--token-file`, `--redirect-host` and
 * `--no-reconnect`.
 */
export function withMemberOptions(command: Command, defaultName: string, channels: ChannelOption): Command {
  const channelText = {
    one: 'speak to this channel; made when it is not there',
    several: 'enter this channel, too; may be given again',
  };
  return command
    .argument('<url>', 'the relay, such as ws://127.0.0.1:7800')
    .option('-l, --lobby <name>', 'lobby to join, required; made when it is not there', label)
    .option('-n, --name <name>', 'what the others see', label, defaultName)
    .addOption(
      new Option('-c, --channel <name>', channelText[channels])
        .argParser((text: string, before: readonly string[]) => channelsOf(text, before, channels))
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--steam-id <id>',
        "SteamID64 in decimal (default: the token's, else one made up for this run)",
      )
        .argParser(steamId)
        .conflicts('guest'),
    )
    .option('--guest', 'come without a SteamID, where the relay lets guests in')
    .option(
      '--token-file <file>',
      'token for a relay that wants one; - is standard input (default: HOTMIC_TOKEN)',
    )
    .addOption(
      new Option(
        '--redirect-host <host>',
        'host of another relay that this one may send us to before it stops; repeatable',
      )
        .argParser(redirectHost)
        .default([], 'none but its own'),
    )
    .option('--no-reconnect', 'end when the connection breaks (default: come back by itself)')
    .hook('preAction', wantLobby)
    .hook('preAction', takeToken)
    .hook('preAction', takeMember);
}

function channelsOf(text: string, before: readonly string[], channels: ChannelOption): readonly string[] {
  if (channels === 'one') return [label(text)];
  if (before.includes(text)) throw new InvalidArgumentError('Wants each channel once.');
  if (before.length >= MAX_CHANNELS_ENTERED) {
    throw new InvalidArgumentError(`Wants at most ${MAX_CHANNELS_ENTERED} channels.`);
  }
  return [...before, label(text)];
}

function redirectHost(text: string, before: readonly string[]): readonly string[] {
  try {
    return [...before, normalHost(text)];
  } catch {
    throw new InvalidArgumentError('Expected a host such as relay.example or relay.example:7800.');
  }
}

/** Who nobody says we are gets a SteamID made up, but for guests; how it reconnects becomes the lobby's word for it. */
function takeMember(command: Command): void {
  const options = command.opts<{
    steamId?: bigint;
    token?: string;
    guest?: true;
    reconnect: boolean;
    redirectHost: readonly string[];
  }>();
  if (options.steamId === undefined && options.token === undefined && !options.guest) {
    command.setOptionValue('steamId', madeUpSteamId());
  }
  command.setOptionValue('redirectHosts', options.redirectHost);
  command.setOptionValue('reconnect', options.reconnect ? 'auto' : 'never');
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
