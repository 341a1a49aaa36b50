/**
 * Shows who is speaking: one line that is written anew on a terminal, a line a change elsewhere.
 */

import type { Participant } from '../client/session.js';

/** Where it writes, and what that is. */
export interface SpeakerLineOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export class SpeakerLine {
  readonly #output: SpeakerLineOutput;
  readonly #elapsedMs: () => number;
  readonly #speaking = new Map<string, boolean>();
  #isOpen = false;

  /** `elapsedMs` gives the time to print before each line. */
  constructor(output: SpeakerLineOutput, elapsedMs: () => number) {
    this.#output = output;
    this.#elapsedMs = elapsedMs;
  }

  /** Someone is there, speaking or not. */
  show(participant: Pick<Participant, 'name' | 'speaking'>): void {
    const name = printable(participant.name);
    const before = this.#speaking.get(name);
    this.#speaking.set(name, participant.speaking);
    if (before === participant.speaking) return;
    if (this.#output.isTTY) this.#redraw();
    else if (before !== undefined || participant.speaking) {
      this.#output.write(`${this.#time()}  ${name} ${participant.speaking ? 'speaks' : 'is silent'}\n`);
    }
  }

  /** Someone left. */
  remove(name: string): void {
    this.#speaking.delete(printable(name));
    if (this.#output.isTTY) this.#redraw();
  }

  /** Leaves the line as it is and goes to the next. */
  end(): void {
    if (this.#isOpen) this.#output.write('\n');
    this.#isOpen = false;
  }

  #redraw(): void {
    const people = [...this.#speaking].map(([name, speaking]) =>
      speaking ? `\x1b[1;32m● ${name}\x1b[0m` : `\x1b[2m○ ${name}\x1b[0m`,
    );
    this.#output.write(`\r\x1b[2K${this.#time()}  ${people.join('   ')}`);
    this.#isOpen = true;
  }

  #time(): string {
    return `${(this.#elapsedMs() / 1000).toFixed(1).padStart(6)} s`;
  }
}

/** A name without what could steer a terminal or turn the line around. */
export function printable(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}]/gu, '');
}
