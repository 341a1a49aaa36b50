/** `hotmic token`: mints a token for a relay, and makes the key that it is signed with. */

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { mintToken, newKey, type TokenAlgorithm } from '../relay/admission/mint_token.js';
import { MAX_TOKEN_CHANNELS, MAX_TOKEN_LIFE_S } from '../relay/admission/token_claims.js';
import { KEY_ID, TOKEN_ALGORITHMS } from '../relay/admission/token_keys.js';
import { readUpTo } from '../relay/system/bounded_file.js';
import { codeOf, HotmicError, messageOf, systemReason } from '../voice/error.js';
import { label, steamId } from './options.js';

interface TokenCommandOptions {
  readonly key?: string;
  readonly lobby?: string;
  readonly steamId?: bigint;
  readonly speak: boolean;
  readonly listen: boolean;
  readonly moderator?: true;
  readonly priority?: true;
  readonly channel: readonly string[];
  /** In seconds. */
  readonly expires: number;
  readonly audience: string;
}

interface NewKeyOptions {
  readonly algorithm: TokenAlgorithm;
  readonly kid?: string;
}

/** The largest key file that is read: an RSA key of 8192 bits takes 7 kB. */
const MAX_KEY_FILE_BYTES = 64 * 1024;

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export function tokenCommand(): Command {
  return new Command('token')
    .description('Print a token that lets one player into one lobby, signed with a key of yours.')
    .option('-k, --key <file>', 'the private key, required; see: hotmic token new-key')
    .option('-l, --lobby <name>', 'the lobby, required', label)
    .option('--steam-id <id>', 'the player, required: SteamID64 in decimal', steamId)
    .option('--no-speak', 'listen only')
    .option('--no-listen', 'speak only')
    .option('--moderator', 'may mute, deafen, move, kick and ban, and give priority')
    .option('--priority', 'others are to lower the rest when they speak')
    .addOption(
      new Option('--channel <name>', 'channel that it opens; give it again for another')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--expires <duration>', 'how long it is good, such as 90s, 15m, 12h, 30d')
        .argParser(duration)
        .default(3600, '1h'),
    )
    .option('--audience <name>', 'the relay that it is for', label, 'hotmic')
    .action(printToken)
    .addCommand(newKeyCommand())
    .addHelpText('after', '\nWho has the token has what it grants: it is a secret until it expires.');
}

function newKeyCommand(): Command {
  return new Command('new-key')
    .description('Make a key: the private one goes into the file, the set for the relay to standard output.')
    .argument('<file>', 'where the private key goes; must not be there yet')
    .addOption(
      new Option('--algorithm <name>', 'how tokens are signed').choices(TOKEN_ALGORITHMS).default('EdDSA'),
    )
    .option('--kid <id>', 'its id, unlike that of any other key of yours (default: a random one)', keyId)
    .action(makeKey);
}

async function printToken(options: TokenCommandOptions, command: Command): Promise<void> {
  // Not by requiredOption: see wantLobby in options.ts.
  const { key, lobby, steamId } = options;
  if (key === undefined) return missing(command, '-k, --key <file>');
  if (lobby === undefined) return missing(command, '-l, --lobby <name>');
  if (steamId === undefined) return missing(command, '--steam-id <id>');
  const now = Math.floor(Date.now() / 1000);
  const token = {
    key: readKeyFile(key),
    lobby,
    steamId: String(steamId),
    maySpeak: options.speak,
    mayListen: options.listen,
    moderator: options.moderator ?? false,
    priority: options.priority ?? false,
    channels: options.channel,
    audience: options.audience,
    expiresAt: now + options.expires,
    now,
  };
  let minted: string;
  try {
    minted = await mintToken(token);
  } catch (thrown) {
    if (thrown instanceof RangeError)
      throw new HotmicError('ERR_HOTMIC_USAGE', messageOf(thrown), { cause: thrown });
    throw thrown;
  }
  console.log(minted);
}

async function makeKey(file: string, options: NewKeyOptions): Promise<void> {
  const kid = options.kid ?? randomBytes(8).toString('hex');
  const { privateKey, keySet } = await newKey(options.algorithm, kid);
  try {
    writeFileSync(file, `${JSON.stringify(privateKey, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const code = codeOf(cause) === 'ENOSPC' ? 'ERR_HOTMIC_DISK_FULL' : 'ERR_HOTMIC_FILE';
    throw new HotmicError(code, `Cannot write ${file}: ${systemReason(cause)}`, { cause });
  }
  console.log(JSON.stringify(keySet, null, 2));
  if (options.algorithm === 'HS256')
    console.error('With HS256 the set above is the secret itself: who reads it can let anyone in.');
}

/** Never says what is in the file, not even what is wrong in its JSON. */
function readKeyFile(path: string): unknown {
  let bytes: Buffer | null;
  try {
    bytes = readUpTo(path, MAX_KEY_FILE_BYTES);
  } catch (cause) {
    throw new HotmicError('ERR_HOTMIC_INPUT', `Cannot read ${path}: ${systemReason(cause)}`, { cause });
  }
  if (!bytes) throw noKey(path, `wants at most ${MAX_KEY_FILE_BYTES} bytes`);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw noKey(path, 'no JSON there, wants a JSON Web Key as of: hotmic token new-key');
  }
}

function noKey(path: string, why: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_INPUT', `Cannot read a key from ${path}: ${why}`);
}

function missing(command: Command, option: string): void {
  command.error(`error: required option '${option}' not specified`);
}

function collect(text: string, before: readonly string[]): readonly string[] {
  if (before.length >= MAX_TOKEN_CHANNELS)
    throw new InvalidArgumentError(`Wants at most ${MAX_TOKEN_CHANNELS} channels.`);
  return [...before, label(text)];
}

function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,8})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (seconds >= 1 && seconds <= MAX_TOKEN_LIFE_S) return seconds;
  throw new InvalidArgumentError('Wants a duration such as 90s, 15m, 12h or 30d, and no longer than 30d.');
}

function keyId(text: string): string {
  if (KEY_ID.test(text)) return text;
  throw new InvalidArgumentError('Wants 1 to 128 characters, none of them a control character.');
}
