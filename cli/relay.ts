/** `hotmic relay`: runs a relay until it is stopped. */

import { Command, Option } from 'commander';
import { startRelay } from '../relay/index.js';
import { codeOf, HotmicError, messageOf } from '../voice/error.js';
import { integer, number } from './options.js';
import { LOG_FORMS, LOG_LEVELS, type LogForm, type LogLevel, type RelayLog, relayLog } from './relay_log.js';
import { stopped, untilStopped } from './stop_signal.js';

interface RelayCommandOptions {
  readonly dev?: true;
  readonly host: string;
  readonly port: number;
  readonly operationsHost?: string;
  readonly operationsPort?: number;
  readonly drain: number;
  readonly log: LogForm;
  readonly logLevel: LogLevel;
}

export function relayCommand(): Command {
  return new Command('relay')
    .description('Run a relay. For now it only runs with --dev: it admits anyone, from this machine alone.')
    .option('--dev', 'admit anyone who connects from this machine')
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('-p, --port <port>', 'port to listen at; 0 takes a free one', integer(0, 65_535), 7800)
    .option(
      '--operations-port <port>',
      'port of /metrics, /healthz, /readyz; off without',
      integer(0, 65_535),
    )
    .option(
      '--operations-host <address>',
      'address of that port, 127.0.0.1 without; it asks nobody who they are',
    )
    .option('--drain <seconds>', 'when stopped, wait this long for people to leave', number(0, 86_400), 0)
    .addOption(new Option('--log <form>', 'how to log').choices(LOG_FORMS).default('text'))
    .addOption(new Option('--log-level <level>', 'what to log at least').choices(LOG_LEVELS).default('info'))
    .action((options: RelayCommandOptions) => {
      if (options.operationsHost !== undefined && options.operationsPort === undefined) {
        throw new HotmicError('ERR_HOTMIC_USAGE', 'option --operations-host wants --operations-port as well');
      }
      return untilStopped((stop) => withLog(options, (log) => runRelay(options, log, stop)));
    });
}

/** In JSON a failure is a line of the log, too, and not the command line's own. */
async function withLog(
  { log: form, logLevel }: RelayCommandOptions,
  run: (log: RelayLog) => Promise<void>,
): Promise<void> {
  const log = await relayLog(form, logLevel);
  try {
    await run(log);
  } catch (thrown) {
    if (form === 'text') throw thrown;
    const known = codeOf(thrown);
    const code = known?.startsWith('ERR_HOTMIC_') ? known : 'ERR_HOTMIC_INTERNAL';
    log.write({ kind: 'failed', code, detail: messageOf(thrown) });
    process.exitCode = 1;
  }
}

async function runRelay(options: RelayCommandOptions, log: RelayLog, stop: AbortSignal): Promise<void> {
  const { operationsHost: host, operationsPort, drain } = options;
  const relay = await startRelay({
    dev: options.dev ?? false,
    host: options.host,
    port: options.port,
    ...(operationsPort !== undefined && {
      operations: { port: operationsPort, ...(host !== undefined && { host }) },
    }),
    onEvent: (event) => log.write(event),
  });
  log.write({ kind: 'listening', url: relay.url, operationsUrl: relay.operationsUrl });
  await stopped(stop);
  const { connections } = relay.counts();
  if (drain > 0 && connections > 0) log.write({ kind: 'draining', connections, withinSeconds: drain });
  await relay.drain(drain * 1000);
  const { publishedFrames, drops: allDrops } = relay.counts();
  const drops = Object.fromEntries(Object.entries(allDrops).filter(([, count]) => count > 0));
  // Behind what waits, or it might be one of the lines that are given up.
  await log.settled();
  log.write({ kind: 'ended', publishedFrames, drops, lostLines: log.lostLines() });
}
