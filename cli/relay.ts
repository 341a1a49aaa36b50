/** `hotmic relay`: runs a relay until it is stopped. */

import { Command, Option } from 'commander';
import { type RelayTls, startRelay } from '../relay/index.js';
import { codeOf, HotmicError, messageOf } from '../voice/error.js';
import { integer, number, readText } from './options.js';
import { LOG_FORMS, LOG_LEVELS, type LogForm, type LogLevel, type RelayLog, relayLog } from './relay_log.js';
import { stopped, untilStopped } from './stop_signal.js';

interface RelayCommandOptions {
  readonly dev?: true;
  readonly host: string;
  readonly port: number;
  readonly tokenKeys?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsPassphraseFile?: string;
  readonly audience: string;
  readonly origin: readonly string[];
  readonly operationsHost?: string;
  readonly operationsPort?: number;
  readonly drain: number;
  readonly log: LogForm;
  readonly logLevel: LogLevel;
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
    .option(
      '--tls-cert <file>',
      'certificate and its issuers in PEM: the port is wss://; read again when it changes',
    )
    .option('--tls-key <file>', 'its private key in PEM')
    .option('--tls-passphrase-file <file>', 'passphrase of that key')
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
      if ((options.tlsCert === undefined) !== (options.tlsKey === undefined)) {
        throw new HotmicError('ERR_HOTMIC_USAGE', 'options --tls-cert and --tls-key want each other');
      }
      if (options.tlsPassphraseFile !== undefined && options.tlsKey === undefined) {
        throw new HotmicError('ERR_HOTMIC_USAGE', 'option --tls-passphrase-file wants --tls-key as well');
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
  const { operationsHost: host, operationsPort, drain, tokenKeys, audience } = options;
  const relay = await startRelay({
    dev: options.dev ?? false,
    ...(tokenKeys === undefined ? {} : { tokens: { keys: readKeys(tokenKeys), audience } }),
    origins: options.origin,
    ...tlsOf(options),
    host: options.host,
    port: options.port,
    ...(operationsPort !== undefined && {
      operations: { port: operationsPort, ...(host !== undefined && { host }) },
    }),
    onEvent: (event) => log.write(event),
  });
  const admits = options.dev ? 'anyone on this machine' : 'who has a token';
  log.write({ kind: 'listening', url: relay.url, operationsUrl: relay.operationsUrl, admits });
  // Whatever comes of it is an event, and in the log.
  const onHangUp = () => void relay.reloadCertificate().catch(() => undefined);
  if (options.tlsCert !== undefined) process.on('SIGHUP', onHangUp);
  await stopped(stop);
  const { connections } = relay.counts();
  if (drain > 0 && connections > 0) log.write({ kind: 'draining', connections, withinSeconds: drain });
  await relay.drain(drain * 1000);
  process.off('SIGHUP', onHangUp);
  const { publishedFrames, drops: allDrops } = relay.counts();
  const drops = Object.fromEntries(Object.entries(allDrops).filter(([, count]) => count > 0));
  // Behind what waits, or it might be one of the lines that are given up.
  await log.settled();
  log.write({ kind: 'ended', publishedFrames, drops, lostLines: log.lostLines() });
}

function tlsOf({ tlsCert, tlsKey, tlsPassphraseFile }: RelayCommandOptions): { readonly tls?: RelayTls } {
  if (tlsCert === undefined || tlsKey === undefined) return {};
  const passphrase = tlsPassphraseFile === undefined ? {} : { passphraseFile: tlsPassphraseFile };
  return { tls: { certFile: tlsCert, keyFile: tlsKey, ...passphrase } };
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function readKeys(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: its message quotes the file, in which there may be a secret.
    throw new HotmicError('ERR_HOTMIC_FILE', `Cannot read ${path}: it is no JSON, wants a JSON Web Key Set`);
  }
}
