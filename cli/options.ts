/**
 * Options that several commands share.
 */

import { randomInt } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { checkToken, TOKEN_EXPECTED } from '../client/lobby/credentials.js';
import { normalHost } from '../client/session/connecting/redirects.js';
import { LABEL, MAX_CHANNELS_ENTERED } from '../voice/control.js';
import { HotmicError } from '../voice/error.js';
import { parseSteamId, personSteamId } from '../voice/steam_id.js';
import { readBounded } from './read_bounded.js';

/** Longer than any token, with the white space around it. */
const MAX_TOKEN_FILE_BYTES = 8192;

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** A number from `min` to `max`. */
export function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
  };
}

/** The name of a lobby or a person. */
export function label(text: string): string {
  if (LABEL.test(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 64 characters, none of them a control character.');
}

/** A SteamID64 in decimal. */
export function steamId(text: string): bigint {
  const parsed = parseSteamId(text);
  if (parsed === null)
    throw new InvalidArgumentError('Expected a SteamID64 in decimal, such as 76561197960265729.');
  return parsed;
}

/** Who we are in which lobby. */
export interface MemberOptions {
  readonly lobby: string;
  readonly name: string;
  /** Left out for guests, and if the token names it. */
  readonly steamId?: bigint;
  readonly token?: string;
  /** To enter, in the order in which they were given. */
  readonly channel: readonly string[];
  readonly reconnect: 'auto' | 'never';
  /** Hosts that a draining relay may redirect to, besides its own. */
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
    one: 'Channel to speak to; created if missing.',
    several: 'Channel to enter; repeatable.',
  };
  return command
    .argument('<url>', 'URL of the relay, such as ws://127.0.0.1:7800.')
    .option('-l, --lobby <name>', 'Lobby to join; created if missing. (required)', label)
    .option('-n, --name <name>', 'Name that the others see.', label, defaultName)
    .addOption(
      new Option('-c, --channel <name>', channelText[channels])
        .argParser((text: string, before: readonly string[]) => channelsOf(text, before, channels))
        .default([]),
    )
    .addOption(
      new Option(
        '--steam-id <id>',
        'SteamID64 in decimal. (default: from the token, or else made up for this run)',
      )
        .argParser(steamId)
        .conflicts('guest'),
    )
    .option('--guest', 'Join without a SteamID, if the relay admits guests.')
    .option(
      '--token-file <file>',
      'File with the token that the relay requires; - is standard input. (env: HOTMIC_TOKEN, the token itself)',
    )
    .addOption(
      new Option(
        '--redirect-host <host>',
        'Another host that the relay may redirect to before it stops; repeatable.',
      )
        .argParser(redirectHost)
        .default([], "only the relay's own host"),
    )
    .option('--no-reconnect', 'Exit when the connection breaks, instead of reconnecting.')
    .hook('preAction', requireLobby)
    .hook('preAction', takeToken)
    .hook('preAction', takeMember);
}

function channelsOf(text: string, before: readonly string[], channels: ChannelOption): readonly string[] {
  if (channels === 'one') return [label(text)];
  if (before.includes(text)) throw new InvalidArgumentError('Expected each channel once.');
  if (before.length >= MAX_CHANNELS_ENTERED) {
    throw new InvalidArgumentError(`Expected at most ${MAX_CHANNELS_ENTERED} channels.`);
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

/** Without a SteamID, a token or --guest, a SteamID is made up. */
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

/** A token is not an argument: other users of this machine can see those. */
function takeToken(command: Command): void {
  const { tokenFile } = command.opts<{ tokenFile?: string }>();
  const text =
    tokenFile === undefined ? process.env.HOTMIC_TOKEN : readBounded(tokenFile, MAX_TOKEN_FILE_BYTES);
  const token = text?.trim() ?? '';
  if (token === '') return;
  try {
    checkToken(token);
  } catch (cause) {
    const where = tokenFile ?? 'HOTMIC_TOKEN';
    throw new HotmicError(
      'ERR_HOTMIC_INPUT',
      `Cannot use ${where}: it is not a signed token, ${TOKEN_EXPECTED}`,
      { cause },
    );
  }
  command.setOptionValue('token', token);
}

/** Instead of requiredOption, which would hide that the option was misspelled. */
function requireLobby(command: Command): void {
  if (command.opts<Partial<MemberOptions>>().lobby === undefined)
    command.error("error: required option '-l, --lobby <name>' not specified");
}

/** A person's id that is unlikely to be in the same lobby. */
function madeUpSteamId(): bigint {
  return personSteamId(randomInt(1, 2 ** 32));
}
