/** `hotmic relay`: runs a relay until it is stopped. */

import { Command, Option } from 'commander';
import { type RunningRelay, startRelay } from '../../relay/index.js';
import { codeOf, messageOf } from '../../voice/error.js';
import { purpose } from '../help_layout.js';
import { handOverStop, onHangUp } from '../start_signals.js';
import { stopped, untilStopped } from '../stop_signal.js';
import { type ConfigOutcome, configError, type Flags, NAMED_FLAGS, readRelayConfig } from './config.js';
import { printedConfig } from './config_text.js';
import { type RelayLog, relayLog } from './log.js';
import { relayOptionsOf } from './options_of.js';
import {
  CONFIG_VARIABLE,
  defaultOf,
  NAMED_SETTINGS,
  type NamedSetting,
  type RelaySettings,
  typeOf,
} from './settings.js';

/** What the help lists a flag that takes name=value under. */
const LIMIT_HEADINGS: Readonly<Record<string, string>> = {
  '--limit': 'Limits of the relay',
  '--address-limit': 'Limits of one address, which is an IPv4 address or an IPv6 /64',
};

type ReadConfig = Extract<ConfigOutcome, { kind: 'read' }>;

export function relayCommand(): Command {
  const command = new Command('relay')
    .description(
      purpose(
        'Run a relay. Players need a token signed by your backend; --dev admits anyone\non this machine instead.',
        'hotmic relay --dev',
        'hotmic relay --token-keys keys.json --tls-cert fullchain.pem --tls-key key.pem',
        'hotmic relay --config relay.yaml',
      ),
    )
    .summary('Run a relay.')
    .option(
      '-c, --config <file>',
      `YAML file with settings; flags and environment variables override it. (env: ${CONFIG_VARIABLE})`,
    )
    .option('--print-config', 'Print the settings and where each comes from, then exit.')
    .helpOption('-h, --help', 'Print this help.')
    .addHelpText(
      'after',
      '\nCtrl-C or SIGTERM stops the relay, after the drain if there is one. SIGHUP reads\nthe certificate, the admin tokens and the webhook secrets again; token keys and\nticket keys need a restart. docs/operating.md describes each setting.',
    );
  // Parsed by readRelayConfig, which reports all faults at once.
  const flagOf = new Map<string, string>([['config', '--config']]);
  for (const named of NAMED_SETTINGS) {
    if (named.flag.endsWith('=')) continue;
    const option = optionOf(named);
    command.addOption(option);
    flagOf.set(option.attributeName(), named.flag);
  }
  for (const flag of NAMED_FLAGS) {
    const names = NAMED_SETTINGS.filter((known) => known.flag.startsWith(`${flag} `)).map(
      ({ path }) => path.split('.')[1],
    );
    const option = new Option(`${flag} <name=value>`, `One of ${names.join(', ')}. (repeatable)`)
      .argParser(collect)
      .helpGroup(`${LIMIT_HEADINGS[flag] ?? 'Limits'}:`);
    command.addOption(option);
    flagOf.set(option.attributeName(), flag);
  }
  return command.action((options: Readonly<Record<string, string | readonly string[] | true>>) => {
    const flags = new Map<string, readonly string[]>();
    for (const [attribute, value] of Object.entries(options)) {
      const flag = flagOf.get(attribute);
      if (flag !== undefined) flags.set(flag, typeof value === 'object' ? value : [String(value)]);
    }
    return run(flags, options.printConfig === true ? 'print' : 'run');
  });
}

async function run(flags: Flags, what: 'print' | 'run'): Promise<void> {
  const outcome = readRelayConfig({ flags, env: process.env, folder: process.cwd() });
  if (what === 'run') {
    const { log } = outcome.kind === 'read' ? outcome.settings : outcome;
    return untilStopped((stop) => {
      handOverStop();
      return withLog(log, (written) => runRelay(usable(outcome), written, stop));
    });
  }
  process.stdout.write(printedConfig(usable(outcome)));
}

function usable(outcome: ConfigOutcome): ReadConfig {
  if (outcome.kind === 'faulty') throw configError(outcome.problems);
  return outcome;
}

function optionOf({ flag, setting, variable, heading }: NamedSetting): Option {
  const { description } = setting;
  const type = typeOf(setting);
  const isList = type.shape === 'list';
  const { form, placeholder, choices } = isList ? type.item : type;
  const fallback = isList ? null : (defaultOf(setting) ?? null);
  const details = [
    ...(choices ? [`choices: ${choices.join(', ')}`] : []),
    ...(fallback === null || form === 'boolean' ? [] : [`default: ${fallback}`]),
    ...(isList ? ['repeatable'] : []),
    `env: ${variable}`,
  ];
  const flags = `${flag === '--port' ? '-p, ' : ''}${flag}${form === 'boolean' ? '' : ` <${placeholder}>`}`;
  const option = new Option(flags, `${description} (${details.join('; ')})`).helpGroup(`${heading}:`);
  return isList ? option.argParser(collect) : option;
}

/** In JSON a failure is a line of the log and is not also printed as text. */
async function withLog(
  { form, level }: RelaySettings['log'],
  run: (log: RelayLog) => Promise<void>,
): Promise<void> {
  const log = await relayLog(form, level);
  try {
    await run(log);
  } catch (thrown) {
    if (form === 'text') throw thrown;
    const known = codeOf(thrown);
    const code = known?.startsWith('ERR_HOTMIC_') ? known : 'ERR_HOTMIC_INTERNAL';
    log.write({
      kind: 'failed',
      code,
      detail: messageOf(thrown).replace(':\n', ': ').replaceAll('\n', '; '),
    });
    process.exitCode = code === 'ERR_HOTMIC_USAGE' ? 2 : 1;
  }
}

async function runRelay(config: ReadConfig, log: RelayLog, stop: AbortSignal): Promise<void> {
  const { drain } = config.settings;
  const relay = await startRelay({ ...relayOptionsOf(config), onEvent: (event) => log.write(event) });
  const { url, operationsUrl, adminUrl, sockets } = relay;
  log.write({ kind: 'listening', url, operationsUrl, adminUrl, admits: admittedBy(config.settings) });
  if (sockets.why !== null) log.write({ kind: 'sockets', layer: sockets.layer, detail: sockets.why });
  onHangUp(() => reload(relay, log, config.settings));
  await Promise.race([stopped(stop), relay.ended]);
  const { connections } = relay.counts();
  if (drain.seconds > 0 && connections > 0)
    log.write({ kind: 'draining', connections, withinSeconds: drain.seconds });
  // An administrator may have begun a longer drain; stopping the process still takes no longer than it is configured to.
  const late = setTimeout(() => void relay.close(), drain.seconds * 1000);
  await relay.drain(drain.seconds * 1000, drain.goTo);
  clearTimeout(late);
  const { publishedFrames, drops: allDrops } = relay.counts();
  const drops = Object.fromEntries(Object.entries(allDrops).filter(([, count]) => count > 0));
  // After the waiting lines, or it might be one of those that are given up.
  await log.settled();
  log.write({ kind: 'ended', publishedFrames, drops, lostLines: log.lostLines() });
}

/** Reads the certificate, admin tokens and webhook secrets again. After a failure, which is logged, those in use stay in use. */
function reload(relay: RunningRelay, log: RelayLog, { tls }: RelaySettings): void {
  if (tls) void relay.reloadCertificate().catch(() => undefined);
  try {
    relay.reloadSecrets();
  } catch (thrown) {
    log.write({ kind: 'failed', code: codeOf(thrown) ?? 'ERR_HOTMIC_INTERNAL', detail: messageOf(thrown) });
  }
}

/** Who is admitted, in words. */
function admittedBy({ dev, tokens, tickets, guests }: RelaySettings): string {
  if (dev) return 'anyone on this machine';
  const proofs = [
    ...(tokens.keysFile ? ['a token'] : []),
    ...(tickets.web ? ['a web ticket'] : []),
    ...(tickets.app?.alone === 'trust-forgeable' ? ['an app ticket, which any player can forge'] : []),
  ];
  const proven = proofs.length > 0 ? [`players with ${proofs.join(' or ')}`] : [];
  return [...proven, ...(guests === 'refuse' ? [] : ['guests'])].join(', and ');
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
