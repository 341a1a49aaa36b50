/**
 * Shows who is speaking: one line that is written anew on a terminal, a line a change elsewhere.
 */

import type { Lobby } from '../client/lobby.js';
import type { Participant } from '../client/lobby_state.js';

/** Where it writes, and what that is. */
export interface SpeakerLineOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export class SpeakerLine {
  readonly #output: SpeakerLineOutput;
  readonly #elapsedMs: () => number;
  /** By slot: two may have one name. */
  readonly #people = new Map<number, Pick<Participant, 'name' | 'speaking'>>();
  #isOpen = false;
  #ticking: NodeJS.Timeout | undefined;

  /** `elapsedMs` gives the time to print before each line. */
  constructor(output: SpeakerLineOutput, elapsedMs: () => number) {
    this.#output = output;
    this.#elapsedMs = elapsedMs;
  }

  /** For a lobby: everyone who is there, from the welcome on. */
  get events() {
    return {
      onWelcome: (lobby: Pick<Lobby, 'participants'>) => {
        for (const participant of lobby.participants) this.show(participant);
      },
      onJoined: (participant: Participant) => this.show(participant),
      onSpeaking: (participant: Participant) => this.show(participant),
      onLeft: (participant: Participant) => this.remove(participant),
    };
  }

  /** Someone is there, speaking or not. */
  show({ slot, name: rawName, speaking }: Pick<Participant, 'slot' | 'name' | 'speaking'>): void {
    const name = printable(rawName);
    const before = this.#people.get(slot);
    this.#people.set(slot, { name, speaking });
    if (before?.speaking === speaking) return;
    if (this.#output.isTTY) this.#redraw();
    else if (before || speaking) {
      this.#output.write(`${this.#time()}  ${name} ${speaking ? 'speaks' : 'is silent'}\n`);
    }
  }

  /** Someone left. */
  remove({ slot }: Pick<Participant, 'slot'>): void {
    const gone = this.#people.get(slot);
    this.#people.delete(slot);
    if (this.#output.isTTY) this.#redraw();
    else if (gone) this.#output.write(`${this.#time()}  ${gone.name} left\n`);
  }

  /** Leaves the line as it is and goes to the next. */
  end(): void {
    clearInterval(this.#ticking);
    if (this.#isOpen) this.#output.write('\n');
    this.#isOpen = false;
  }

  /** One row of the terminal: who speaks comes first, and who does not fit is counted. */
  #redraw(): void {
    this.#ticking ??= setInterval(() => this.#redraw(), 1000).unref();
    const people = [...this.#people.values()].sort((a, b) => Number(b.speaking) - Number(a.speaking));
    let room = (this.#output.columns ?? 80) - this.#time().length - 8;
    let shown = 0;
    let text = this.#time();
    for (const { name, speaking } of people) {
      room -= 5 + 2 * [...name].length;
      if (room < 0 && shown > 0) break;
      text += speaking ? `   \x1b[1;32m● ${name}\x1b[0m` : `   \x1b[2m○ ${name}\x1b[0m`;
      shown += 1;
    }
    if (shown < people.length) text += `   +${people.length - shown}`;
    if (people.length === 0) text += '   nobody else is here';
    this.#output.write(`\r\x1b[2K${text}`);
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
