/**
 * The last rows of a terminal, which are drawn again and again, while lines scroll above them. Rows are as wide as the caller made them,
 * and never wrap: the caller keeps them below `columns`.
 */

import { withoutColours } from './look.js';
import { textWidth } from './text_width.js';

export interface TerminalOutput {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
}

export class StatusArea {
  readonly #output: TerminalOutput;
  /** As they are on the screen. */
  #shown: readonly string[] = [];

  constructor(output: TerminalOutput) {
    this.#output = output;
  }

  /** Columns that a row may have. One is left free: some terminals wrap when the last is written. */
  get columns(): number {
    return (this.#output.columns || 80) - 1;
  }

  /** Rows that it may have; one is left for the lines above. */
  get rows(): number {
    return Math.max(1, (this.#output.rows || 24) - 1);
  }

  show(rows: readonly string[]): void {
    const kept = rows.slice(0, this.rows);
    if (kept.length === this.#shown.length && kept.every((row, at) => row === this.#shown[at])) return;
    this.#output.write(`${this.#erased()}${kept.join('\n')}`);
    this.#shown = kept;
  }

  /** Writes a line above the rows. */
  print(line: string): void {
    this.#output.write(`${this.#erased()}${line}\n${this.#shown.join('\n')}`);
  }

  /** The terminal no longer shows what was drawn: the process was stopped, and the shell wrote something. */
  forget(): void {
    this.#shown = [];
  }

  /** Removes the rows. */
  clear(): void {
    this.#output.write(this.#erased());
    this.#shown = [];
  }

  /** Goes to the first row and erases from there. A narrower terminal has wrapped rows since they were drawn. */
  #erased(): string {
    if (this.#shown.length === 0) return '';
    const columns = this.columns + 1;
    let rows = 0;
    for (const row of this.#shown) rows += Math.max(1, Math.ceil(textWidth(withoutColours(row)) / columns));
    const up = Math.min(rows - 1, this.rows);
    return `\r${up > 0 ? `\x1b[${up}A` : ''}\x1b[J`;
  }
}
