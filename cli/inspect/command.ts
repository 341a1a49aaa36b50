/** `hotmic inspect`: shows what is inside Steam Voice packets, or what is wrong with them and where. */

import { once } from 'node:events';
import { Command } from 'commander';
import { HotmicError } from '../../voice/error.js';
import { purpose } from '../help_layout.js';
import { packetsIn } from './input.js';
import { InspectedSound } from './sound.js';
import { judge, toJson, toText } from './text.js';

interface InspectOptions {
  readonly json?: true;
  readonly wav?: string;
}

/** The most packets of one run: hours of speech. */
const MAX_PACKETS = 1_000_000;

/** Characters of output that are written at once. */
const BATCH_CHARS = 64 * 1024;

export function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      purpose(
        'Show what is inside Steam Voice packets, or what is wrong with them and where.',
        'hotmic inspect packets.txt',
        'hotmic inspect --wav speech.wav capture/',
      ),
    )
    .summary('Show what is inside Steam Voice packets.')
    .argument('<packet...>', 'File or folder of packets, - for standard input, or one packet in hexadecimal.')
    .option('--json', 'Print one line of JSON per packet: file, verdict, reason, offset, ops.')
    .option('--wav <file>', 'Decode the packets in this order, as one speaker, to a new WAV.')
    .addHelpText(
      'after',
      `
A file contains one packet as raw bytes, or packets in hexadecimal, one per
line; # starts a comment. Hexadecimal may have spaces, or be written as in C:
0x01, 0x02 or \\x01\\x02. The exit code is 1 if a packet is damaged.`,
    )
    .action(inspect);
}

async function inspect(names: string[], options: InspectOptions): Promise<void> {
  const output = new Output();
  const sound = options.wav === undefined ? null : new InspectedSound(options.wav);
  let packets = 0;
  try {
    for (const found of packetsIn(names)) {
      if (packets === MAX_PACKETS) {
        const what = `more than ${MAX_PACKETS} packets, expected at most that; split the input`;
        throw new HotmicError('ERR_HOTMIC_INPUT', `Cannot inspect all of ${names.join(' ')}: ${what}`);
      }
      packets += 1;
      const verdict = judge(found);
      if (verdict.kind === 'malformed') process.exitCode = 1;
      await output.line(options.json ? toJson(verdict) : toText(verdict));
      if (output.isClosed) return;
      if (found.kind === 'packet') await sound?.take(found.file, found.bytes);
    }
  } finally {
    await output.flush();
    await sound?.close();
  }
  if (packets === 0)
    throw new HotmicError('ERR_HOTMIC_INPUT', `Cannot inspect ${names.join(' ')}: no packets found`);
  sound?.report();
}

/** Standard output in large writes, no faster than its reader takes them. */
class Output {
  readonly #stream = process.stdout;
  #waiting = '';

  /** Nothing reads it any more. */
  get isClosed(): boolean {
    return this.#stream.destroyed;
  }

  async line(text: string): Promise<void> {
    this.#waiting += `${text}\n`;
    if (this.#waiting.length >= BATCH_CHARS) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#waiting;
    this.#waiting = '';
    if (text === '' || this.isClosed || this.#stream.write(text) || this.isClosed) return;
    const done = new AbortController();
    try {
      await Promise.race(['drain', 'close'].map((name) => once(this.#stream, name, { signal: done.signal })));
    } catch {
      // program.ts reports an error of the stream, which is closed then.
    } finally {
      done.abort();
    }
  }
}
