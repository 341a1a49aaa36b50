/** `hotmic relay`: runs a relay until it is stopped. */

import { Command } from 'commander';
import { startRelay } from '../relay/index.js';
import { integer } from './options.js';
import { printable } from './speaker_line.js';
import { stopped, untilStopped } from './stop_signal.js';

interface RelayCommandOptions {
  readonly dev?: true;
  readonly host: string;
  readonly port: number;
}

export function relayCommand(): Command {
  return new Command('relay')
    .description('Run a relay. For now it only runs with --dev: it admits anyone, from this machine alone.')
    .option('--dev', 'admit anyone who connects from this machine')
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('-p, --port <port>', 'port to listen at; 0 takes a free one', integer(0, 65_535), 7800)
    .action((options: RelayCommandOptions) => untilStopped((stop) => runRelay(options, stop)));
}

async function runRelay(options: RelayCommandOptions, stop: AbortSignal): Promise<void> {
  const relay = await startRelay({
    dev: options.dev ?? false,
    host: options.host,
    port: options.port,
    onEvent: (event) => console.error(describe(event)),
  });
  console.log(`Relay listens at ${relay.url} (development: admits anyone on this machine). Ctrl-C ends it.`);
  await stopped(stop);
  const { publishedFrames, drops } = relay.counts();
  await relay.close();
  const reasons = Object.entries(drops).filter(([, count]) => count > 0);
  const dropped = reasons.map(([reason, count]) => `${count} dropped (${reason})`).join(', ') || '0 dropped';
  console.log(`Relay ended: ${publishedFrames} voice frames published, ${dropped}.`);
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
