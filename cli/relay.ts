/** `hotmic relay`: runs a relay until it is stopped. */

import { Command } from 'commander';
import { startRelay } from '../relay/index.js';
import { HotmicError } from '../voice/error.js';
import { integer, readText } from './options.js';
import { printable } from './speaker_line.js';
import { stopped, untilStopped } from './stop_signal.js';

interface RelayCommandOptions {
  readonly dev?: true;
  readonly host: string;
  readonly port: number;
  readonly tokenKeys?: string;
  readonly audience: string;
  readonly origin: readonly string[];
}

export function relayCommand(): Command {
  return new Command('relay')
    .description(
      'Run a relay: for who has a token that your backend signed, or with --dev for this machine alone.',
    )
    .option('--dev', 'admit anyone who connects from this machine')
    .option('--token-keys <file>', 'JSON Web Key Set to judge tokens by; `hotmic token new-key` makes one')
    .option('--audience <name>', 'what a token has to name as its audience', 'hotmic')
    .option(
      '--origin <url>',
      'web page that may connect, such as https://game.example; may be given again',
      collect,
      [],
    )
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('-p, --port <port>', 'port to listen at; 0 takes a free one', integer(0, 65_535), 7800)
    .action((options: RelayCommandOptions) => untilStopped((stop) => runRelay(options, stop)));
}

async function runRelay(options: RelayCommandOptions, stop: AbortSignal): Promise<void> {
  const { tokenKeys, audience } = options;
  const relay = await startRelay({
    dev: options.dev ?? false,
    ...(tokenKeys === undefined ? {} : { tokens: { keys: readKeys(tokenKeys), audience } }),
    origins: options.origin,
    host: options.host,
    port: options.port,
    onEvent: (event) => console.error(describe(event)),
  });
  const whom = options.dev ? 'development: admits anyone on this machine' : 'admits who has a token';
  console.log(`Relay listens at ${relay.url} (${whom}). Ctrl-C ends it.`);
  await stopped(stop);
  const { publishedFrames, drops } = relay.counts();
  await relay.close();
  const reasons = Object.entries(drops).filter(([, count]) => count > 0);
  const dropped = reasons.map(([reason, count]) => `${count} dropped (${reason})`).join(', ') || '0 dropped';
  console.log(`Relay ended: ${publishedFrames} voice frames published, ${dropped}.`);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function readKeys(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HotmicError('ERR_HOTMIC_FILE', `Cannot read ${path}: it is no JSON, wants a JSON Web Key Set`, {
      cause,
    });
  }
}

type RelayLogEvent = Parameters<NonNullable<Parameters<typeof startRelay>[0]['onEvent']>>[0];

function describe(event: RelayLogEvent): string {
  switch (event.kind) {
    case 'joined':
    case 'left':
      return `${event.kind} ${printable(event.lobby)}: ${printable(event.name)} (${event.steamId}), slot ${event.slot}`;
    case 'refused':
      return `refused (${event.code}): ${printable(event.detail)}`;
    case 'not-admitted':
      return `not admitted (${event.reason}): ${printable(event.detail)}`;
  }
}
