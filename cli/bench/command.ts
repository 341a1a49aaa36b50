/** `hotmic bench relay`: the load that a relay carries on its machine, so that an operator can choose one. */

import { Command, InvalidArgumentError, Option } from 'commander';
import type { Progress } from '../../bench/load/generator.js';
import { purpose } from '../help_layout.js';
import { integer, label, number } from '../options.js';
import { endingText, MEMBER, untilStopped } from '../stop_signal.js';
import { StatusArea } from '../terminal/status_area.js';
import { type BenchOptions, type BenchPlan, planOf, planText } from './plan.js';
import { reportLines, reportOf } from './report.js';
import { runBench } from './run.js';

/** Without a terminal, a line of progress comes this often, in seconds. */
const LINE_EVERY_S = 10;

export function benchCommand(): Command {
  return new Command('bench')
    .description(purpose('Measure what a machine carries.', 'hotmic bench relay'))
    .summary('Measure what a relay carries.')
    .addCommand(benchRelayCommand());
}

function benchRelayCommand(): Command {
  return new Command('relay')
    .description(
      purpose(
        'Put a relay under load, and measure how long voice takes: the relay at a URL, or\none that is started here. See docs/load.md.',
        'hotmic bench relay --lobbies 100 --talkers 2',
        'hotmic bench relay wss://relay.example --token-key-file private.json',
        'hotmic bench relay --stalling 10 --loss 1 --delay 20',
      ),
    )
    .summary('Put a relay under load, and measure how long voice takes.')
    .argument('[url]', 'URL of the relay, such as wss://relay.example. (default: starts one)')
    .option('--lobbies <count>', 'Lobbies.', integer(1, 2000), 10)
    .option('--members <count>', 'People in each lobby.', integer(2, 5000), 10)
    .option('--talkers <count>', 'People in each lobby who talk all the time.', integer(1, 64), 2)
    .option('--packet <ms>', 'Sound in each packet, in steps of 20 ms.', integer(20, 240), 60)
    .option('--seconds <s>', 'How long to measure.', integer(1, 36_000), 30)
    .option('--warm-up <s>', 'How long to talk before that.', integer(0, 3600), 3)
    .option('--leaves <count>', 'Listeners per second who leave and join again.', integer(0, 1000), 0)
    .option('--stalling <percent>', 'Listeners who stop reading now and then.', number(0, 100), 0)
    .addOption(
      new Option('--stall <seconds>', 'How long they stop, and how long they read then.')
        .argParser(range)
        .default([0.1, 5], '0.1-5'),
    )
    .option('--slow <percent>', 'Listeners who read slowly.', number(0, 100), 0)
    .option('--slow-rate <bytes>', 'Bytes per second that these read.', integer(20, 1_000_000), 1000)
    .option('--delay <ms>', 'Delay of the network, one way. *', number(0, 10_000), 0)
    .option('--jitter <ms>', 'Random delay on top, up to this. *', number(0, 10_000), 0)
    .option('--loss <percent>', 'Packets that the network loses. *', number(0, 100), 0)
    .option('--cut <s>', 'Cut the network for so long, once. *', integer(0, 600), 0)
    .option('--tls', 'Start the relay with TLS.')
    .option('--no-acknowledge', 'Behave like clients without acknowledgements.')
    .option('--token-key-file <file>', 'Private key for tokens, from hotmic token new-key.')
    .option('--audience <name>', 'Audience of the tokens: the relay that they are for.', label, 'hotmic')
    .option('--guests', 'Join as guests, if the relay admits them.')
    .option('--seed <number>', 'Seed of everything that is random.', integer(0, 2 ** 31 - 1), 1)
    .option('--json', 'Print the result as one JSON object.')
    .addHelpText(
      'after',
      `
* By an emulated link between the relay that is started and the clients. Needs
  Linux, root and a C compiler.

Needs Linux and a C++17 compiler, and for TLS OpenSSL's headers and openssl.
All durations begin when a frame was due, so a late generator cannot hide a slow
relay. If this machine was the bottleneck, the result is void, and the exit code
is 1.
${endingText(MEMBER)}`,
    )
    .action((url: string | undefined, options: BenchOptions) =>
      untilStopped((stop) => benchRelay(planOf(url, options), stop), MEMBER),
    );
}

async function benchRelay(plan: BenchPlan, stop: AbortSignal): Promise<void> {
  const { json } = plan.options;
  const progress = progressView(plan);
  try {
    progress.line(planText(plan));
    const result = await runBench(plan, { onStep: progress.step, onProgress: progress.second }, stop);
    progress.end();
    const report = reportOf(result);
    console.log(json ? JSON.stringify(report) : reportLines(result).join('\n'));
    if (report.void !== null) process.exitCode = 1;
  } finally {
    progress.end();
  }
}

/** On standard error: a row that changes on a terminal, otherwise now and then a line. */
function progressView({ seconds, warmUpSeconds }: BenchPlan) {
  const area = process.stderr.isTTY && process.env.TERM !== 'dumb' ? new StatusArea(process.stderr) : null;
  const line = (text: string) => {
    if (area) area.print(text);
    else process.stderr.write(`${text}\n`);
  };
  return {
    line,
    step(text: string) {
      if (area) area.show([`${text} …`.slice(0, area.columns)]);
    },
    second(progress: Progress) {
      const text = progressText(progress, seconds + warmUpSeconds);
      if (area) area.show([text.slice(0, area.columns)]);
      else if (Math.round(progress.atMs / 1000) % LINE_EVERY_S === 0) line(text);
    },
    end() {
      area?.clear();
    },
  };
}

/** The last second. */
export function progressText(progress: Progress, allSeconds: number): string {
  const { atMs, deliveries, p50Us, p99Us, parked, closed } = progress;
  const at = `${Math.round(atMs / 1000)} of ${allSeconds} s`;
  const times = `, p50 ${(p50Us / 1000).toFixed(2)} ms, p99 ${(p99Us / 1000).toFixed(2)} ms`;
  const trouble = `${parked > 0 ? `, ${parked} parked` : ''}${closed > 0 ? `, ${closed} closed` : ''}`;
  return `${at}: ${deliveries.toLocaleString('en-US')} deliveries/s${deliveries > 0 ? times : ''}${trouble}`;
}

/** `0.1-5`, or `5`. */
function range(text: string): [number, number] {
  const [, least, most = least] = /^(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  const [from, to] = [Number(least), Number(most)];
  if (from > 0 && to >= from && to <= 3600) return [from, to];
  throw new InvalidArgumentError('Expected seconds such as 2 or 0.1-5, at most 3600.');
}
