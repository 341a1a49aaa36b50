/** `hotmic token`: makes a token for a relay, and the key that signs it. */

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { mintToken, newKey, type TokenAlgorithm } from '../relay/admission/mint_token.js';
import { MAX_TOKEN_CHANNELS, MAX_TOKEN_LIFE_S } from '../relay/admission/token_claims.js';
import { KEY_ID, TOKEN_ALGORITHMS } from '../relay/admission/token_keys.js';
import { readUpTo } from '../relay/system/bounded_file.js';
import { codeOf, HotmicError, messageOf } from '../voice/error.js';
import { systemReason } from '../voice/system_reason.js';
import { purpose } from './help_layout.js';
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
    .description(
      purpose(
        'Print a token that admits one player to one lobby, signed with your key.',
        'hotmic token new-key private.json > relay-keys.json',
        'hotmic token --key private.json --lobby den --steam-id 76561197960265729',
      ),
    )
    .summary('Print a token for a player, or make a key that signs them.')
    .option('-k, --key <file>', 'File with the private key, from hotmic token new-key. (required)')
    .option('-l, --lobby <name>', 'Lobby that the player may join. (required)', label)
    .option('--steam-id <id>', "The player's SteamID64, in decimal. (required)", steamId)
    .option('--no-speak', 'The player may only listen.')
    .option('--no-listen', 'The player may only speak.')
    .option('--moderator', 'The player may mute, deafen, move, kick, ban, and give priority.')
    .option('--priority', 'Listeners lower other voices while this player speaks.')
    .addOption(
      new Option('--channel <name>', 'Channel that the player may enter; repeatable.')
        .argParser(collect)
        .default([]),
    )
    .addOption(
      new Option('--expires <duration>', 'How long the token is valid, such as 90s, 15m, 12h or 30d.')
        .argParser(duration)
        .default(3600, '1h'),
    )
    .option('--audience <name>', 'Audience: the relay that the token is for.', label, 'hotmic')
    .action(printToken)
    .addCommand(newKeyCommand())
    .addHelpText('after', '\nAnyone holding this token can use it. Treat it as a secret until it expires.');
}

function newKeyCommand(): Command {
  return new Command('new-key')
    .description(
      purpose(
        'Make a key pair. The private key is written to the file, and the key set for the\nrelay to standard output.',
        'hotmic token new-key private.json > relay-keys.json',
      ),
    )
    .summary('Make a key that signs tokens.')
    .argument('<file>', 'File for the private key; must not exist yet.')
    .addOption(
      new Option('--algorithm <name>', 'How tokens are signed.').choices(TOKEN_ALGORITHMS).default('EdDSA'),
    )
    .option('--kid <id>', 'Id of the key, unique among your keys. (default: random)', keyId)
    .action(makeKey);
}

async function printToken(options: TokenCommandOptions, command: Command): Promise<void> {
  // Not by requiredOption: see requireLobby in options.ts.
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
    console.error('With HS256 the key set above is the secret itself: anyone who reads it can sign tokens.');
}

/** Errors never quote the file, not even a fault in its JSON. */
export function readKeyFile(path: string): unknown {
  let bytes: Buffer | null;
  try {
    bytes = readUpTo(path, MAX_KEY_FILE_BYTES);
  } catch (cause) {
    throw new HotmicError('ERR_HOTMIC_INPUT', `Cannot read ${path}: ${systemReason(cause)}`, { cause });
  }
  if (!bytes) throw keyError(path, `it is too long, expected at most ${MAX_KEY_FILE_BYTES} bytes`);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw keyError(path, 'it is not JSON, expected a JSON Web Key from hotmic token new-key');
  }
}

function keyError(path: string, why: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_INPUT', `Cannot read a key from ${path}: ${why}`);
}

function missing(command: Command, option: string): void {
  command.error(`error: required option '${option}' not specified`);
}

function collect(text: string, before: readonly string[]): readonly string[] {
  if (before.length >= MAX_TOKEN_CHANNELS)
    throw new InvalidArgumentError(`Expected at most ${MAX_TOKEN_CHANNELS} channels.`);
  return [...before, label(text)];
}

function duration(text: string): number {
  const [, count, unit = ''] = /^(\d{1,8})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (seconds >= 1 && seconds <= MAX_TOKEN_LIFE_S) return seconds;
  throw new InvalidArgumentError('Expected a duration such as 90s, 15m, 12h or 30d, at most 30d.');
}

function keyId(text: string): string {
  if (KEY_ID.test(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 128 characters, none of them a control character.');
}
