/**
 * Shows whether the microphone is live, for exactly as long as it is: a row with a level bar on a terminal, a line for each change
 * elsewhere.
 */

import type { Decibels } from '../../voice/mixing/decibels.js';
import { LineBudget } from '../line_budget.js';
import { type Look, lookOf } from '../terminal/look.js';
import { StatusArea, type TerminalOutput } from '../terminal/status_area.js';
import { cut, textWidth } from '../terminal/text_width.js';

export interface TalkStatusOptions {
  readonly output: TerminalOutput & { readonly isTTY?: boolean };
  readonly now: () => number;
  /** What the keys do: `space talks, m mutes, q quits`. Empty without keys. */
  readonly keys: string;
  /** How loud the microphone is now; null where that is not known. */
  readonly level: (() => Decibels) | null;
  readonly look?: Look;
}

/** What the microphone does. */
export type MicrophoneState = 'live' | 'off' | 'muted' | 'lost';

const WORDS: Readonly<Record<MicrophoneState, string>> = {
  live: 'LIVE',
  off: 'off',
  muted: 'muted',
  lost: 'no microphone',
};

const SENTENCES: Readonly<Record<MicrophoneState, string>> = {
  live: 'The microphone is live',
  off: 'The microphone is off',
  muted: 'The microphone is muted',
  lost: 'There is no microphone',
};

const REDRAW_MS = 100;
const BAR_COLUMNS = 16;
/** Without a terminal, a talker with voice activation must not fill a log. */
const STATE_COLUMNS = 'no microphone'.length + 2;

export class TalkStatus {
  readonly #options: TalkStatusOptions;
  readonly #look: Look;
  readonly #area: StatusArea | null;
  readonly #lines: LineBudget;
  #state: MicrophoneState | null = null;
  #drawing: NodeJS.Timeout | undefined;

  constructor(options: TalkStatusOptions) {
    this.#options = options;
    this.#look = options.look ?? lookOf(process.env, process.platform);
    this.#area = options.output.isTTY ? new StatusArea(options.output) : null;
    this.#lines = new LineBudget(options.now);
    if (this.#area) this.#drawing = setInterval(() => this.#draw(), REDRAW_MS).unref();
  }

  set(state: MicrophoneState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (this.#area) this.#draw();
    else if (this.#lines.take()) this.#options.output.write(`${SENTENCES[state]}\n`);
  }

  /** A line of its own. */
  readonly print = (line: string): void => {
    if (this.#area) this.#area.print(line);
    else this.#options.output.write(`${line}\n`);
  };

  /** The terminal is left to the shell: the row goes, or comes back. */
  pause(): void {
    this.#area?.clear();
    clearInterval(this.#drawing);
  }

  resume(): void {
    this.#area?.forget();
    if (!this.#area) return;
    clearInterval(this.#drawing);
    this.#drawing = setInterval(() => this.#draw(), REDRAW_MS).unref();
    this.#draw();
  }

  end(): void {
    this.pause();
    this.#state = null;
  }

  #draw(): void {
    const state = this.#state;
    if (!this.#area || !state) return;
    const { marks } = this.#look;
    const mark = { live: marks.speaking, off: marks.silent, muted: marks.muted, lost: marks.muted }[state];
    const { level, keys } = this.#options;
    const word = `${mark} ${WORDS[state]}`.padEnd(STATE_COLUMNS);
    const colour = state === 'live' ? 'green' : state === 'off' ? 'dim' : 'red';
    let row = this.#look.colour(cut(word, this.#area.columns, marks.ellipsis), colour);
    let left = this.#area.columns - textWidth(word);
    if (level && left >= BAR_COLUMNS + 9) {
      const db = level();
      const figure = db > -90 ? `${db.toFixed(0).padStart(4)} dB` : '       ';
      row += ` ${this.#look.bar(state === 'lost' ? -90 : db, BAR_COLUMNS)} ${figure}`;
      left -= BAR_COLUMNS + 9;
    }
    if (keys !== '' && left >= textWidth(keys) + 3) row += this.#look.colour(`   ${keys}`, 'dim');
    this.#area.show([row]);
  }
}
