/** What a terminal can show: colours, and characters beyond ASCII. */

import type { Decibels } from '../../voice/mixing/decibels.js';
import { printable } from '../../voice/printable.js';

/** SGR codes. */
export type Colour = 'green' | 'yellow' | 'red' | 'dim' | 'bold';

const CODES: Readonly<Record<Colour, string>> = { green: '32', yellow: '33', red: '31', dim: '2', bold: '1' };

export interface Marks {
  readonly speaking: string;
  readonly silent: string;
  readonly muted: string;
  readonly ellipsis: string;
  /** Eighths of a column, from none to all. */
  readonly bar: readonly string[];
  readonly dot: string;
  readonly none: string;
}

const UNICODE: Marks = {
  speaking: '●',
  silent: '○',
  muted: '×',
  ellipsis: '…',
  bar: [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
  dot: '·',
  none: '–',
};

const ASCII: Marks = {
  speaking: '*',
  silent: 'o',
  muted: 'x',
  ellipsis: '~',
  bar: [' ', '#'],
  dot: '-',
  none: '-',
};

export class Look {
  readonly marks: Marks;
  readonly #isColoured: boolean;
  readonly #isUnicode: boolean;

  constructor({ colours, characters }: { colours: 'yes' | 'no'; characters: 'unicode' | 'ascii' }) {
    this.#isColoured = colours === 'yes';
    this.#isUnicode = characters === 'unicode';
    this.marks = this.#isUnicode ? UNICODE : ASCII;
  }

  /** Coloured, unless NO_COLOR is set. */
  colour(text: string, colour: Colour): string {
    return this.#isColoured ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
  }

  /** A text from outside, as this terminal can show it: no control characters, and with ASCII alone a `?` for each other character. */
  outside(text: string): string {
    const safe = printable(text);
    return this.#isUnicode ? safe : safe.replace(/[^\x20-\x7e]/gu, '?');
  }

  /** A level bar of exactly `columns` columns: -60 dB is empty, 0 dB is full. */
  bar(rmsDb: Decibels, columns: number): string {
    const { bar } = this.marks;
    const steps = bar.length - 1;
    const filled = Math.round(Math.max(0, Math.min(1, (rmsDb + 60) / 60)) * columns * steps);
    const whole = Math.floor(filled / steps);
    const text = bar.at(-1)!.repeat(whole) + (whole < columns ? bar[filled % steps]! : '');
    const colour = rmsDb > -3 ? 'red' : rmsDb > -12 ? 'yellow' : 'green';
    return this.colour(text, colour) + ' '.repeat(columns - Math.min(columns, whole + 1));
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it finds the codes that Look wrote.
const COLOURS = /\x1b\[[\d;]*m/g;

/** A row without its colours, to be measured or cut. */
export function withoutColours(row: string): string {
  return row.replace(COLOURS, '');
}

/** From the environment: NO_COLOR (no-color.org), TERM, and the locale. */
export function lookOf(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): Look {
  const { NO_COLOR, TERM, LC_ALL, LC_CTYPE, LANG } = environment;
  const locale = LC_ALL || LC_CTYPE || LANG || '';
  const isUtf8 = /utf-?8/i.test(locale) || platform === 'win32' || (platform === 'darwin' && locale === '');
  return new Look({
    colours: NO_COLOR || TERM === 'dumb' ? 'no' : 'yes',
    characters: isUtf8 ? 'unicode' : 'ascii',
  });
}
