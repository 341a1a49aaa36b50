/**
 * Shows who is speaking: one line that is redrawn on a terminal, a line for each change elsewhere.
 *
 * Bounds: as many people as the lobby reports (1,000), and as many lines as its budget allows.
 */

import type { Lobby } from '../client/lobby/lobby.js';
import type { Participant } from '../client/session/lobby_state.js';
import type { VoiceTarget } from '../client/session/voice_target.js';
import { printable } from '../voice/printable.js';
import { LineBudget } from './line_budget.js';

/** Where it writes, and what that is. */
export interface SpeakerLineOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What is shown of a person. */
type Person = Pick<Participant, 'slot' | 'name' | 'speaking'> & Partial<Participant>;

export class SpeakerLine {
  readonly #output: SpeakerLineOutput;
  readonly #elapsedMs: () => number;
  readonly #budget: LineBudget;
  /** By slot: two may have one name. */
  readonly #people = new Map<number, Person>();
  /** The target of the newest voice of a slot. */
  readonly #targets = new Map<number, VoiceTarget>();
  #isOpen = false;
  #ticking: NodeJS.Timeout | undefined;

  /** `elapsedMs` gives the time to print before each line. */
  constructor(output: SpeakerLineOutput, elapsedMs: () => number, budget = new LineBudget(elapsedMs)) {
    this.#output = output;
    this.#elapsedMs = elapsedMs;
    this.#budget = budget;
  }

  /** For a lobby: everyone who is there, from the welcome on. */
  get events() {
    return {
      onWelcome: (lobby: Pick<Lobby, 'participants'>) => {
        for (const participant of lobby.participants) this.show(participant);
      },
      onJoined: (participant: Participant) => this.show(participant),
      onSpeaking: (participant: Participant) => this.show(participant),
      onChanged: (participant: Participant) => this.show(participant),
      onLeft: (participant: Participant) => this.remove(participant),
    };
  }

  /** Somebody's voice arrived for this target; `show` follows with the news that they speak. */
  heard({ slot }: Pick<Participant, 'slot'>, target: VoiceTarget): void {
    this.#targets.set(slot, target);
  }

  /** Someone is present, speaking or not, and so on. */
  show(participant: Person): void {
    const { slot, speaking } = participant;
    const person = { ...participant, name: printable(participant.name) };
    const before = this.#people.get(slot);
    this.#people.set(slot, person);
    if (this.#output.isTTY) {
      if (!before || markOf(before) !== markOf(person) || before.speaking !== speaking) this.#redraw();
      return;
    }
    for (const news of newsOf(person, before)) this.#write(news);
    if (before ? before.speaking !== speaking : speaking) {
      this.#write(`${person.name} ${speaking ? this.#speaks(slot) : 'is silent'}`);
    }
  }

  /** Someone left. */
  remove({ slot }: Pick<Participant, 'slot'>): void {
    const gone = this.#people.get(slot);
    this.#people.delete(slot);
    this.#targets.delete(slot);
    if (this.#output.isTTY) this.#redraw();
    else if (gone) this.#write(`${gone.name} left`);
  }

  /** Ends the line. */
  end(): void {
    clearInterval(this.#ticking);
    if (this.#isOpen) this.#output.write('\n');
    this.#isOpen = false;
  }

  /** One row of the terminal: speakers come first, and people who do not fit are counted. */
  #redraw(): void {
    this.#ticking ??= setInterval(() => this.#redraw(), 1000).unref();
    if (!this.#budget.take()) return;
    const people = [...this.#people.values()].sort((a, b) => Number(b.speaking) - Number(a.speaking));
    let columns = (this.#output.columns || 80) - this.#time().length - 8;
    let shown = 0;
    let text = this.#time();
    for (const person of people) {
      const shownName = markOf(person);
      columns -= 5 + 2 * [...shownName].length;
      if (columns < 0 && shown > 0) break;
      text += `   ${coloured(person.speaking ? '● ' : '○ ', shownName, person.speaking ? '1;32' : '2')}`;
      shown += 1;
    }
    if (shown < people.length) text += `   +${people.length - shown}`;
    if (people.length === 0) text += '   nobody else is here';
    this.#output.write(`\r\x1b[2K${text}`);
    this.#isOpen = true;
  }

  #speaks(slot: number): string {
    const target = this.#targets.get(slot) ?? 'lobby';
    if (target === 'whisper') return 'whispers';
    return target === 'lobby' ? 'speaks' : `speaks to ${printable(target.channel)}`;
  }

  #write(text: string): void {
    if (this.#budget.take()) this.#output.write(`${this.#time()}  ${text}\n`);
  }

  #time(): string {
    return `${(this.#elapsedMs() / 1000).toFixed(1).padStart(6)} s`;
  }
}

/** Coloured by an SGR code, unless NO_COLOR is set (no-color.org). */
function coloured(mark: string, name: string, code: string): string {
  return process.env.NO_COLOR ? `${mark}${name}` : `\x1b[${code}m${mark}${name}\x1b[0m`;
}

/** States of a person, in a word each. */
const MARKS = ['away', 'muted', 'deafened', 'priority'] as const;

const isRecording = ({ recordingSince }: Person) => (recordingSince ?? null) !== null;

/** The states of a person: `away`, `muted` and so on. */
export function marksOf(person: Person): readonly string[] {
  const marks: string[] = MARKS.filter((mark) => person[mark]);
  if (isRecording(person)) marks.push('recording');
  return marks;
}

/** A name, and the states of its owner: `Ada (away)`. */
function markOf(person: Person): string {
  const marks = marksOf(person);
  return marks.length === 0 ? person.name : `${person.name} (${marks.join(', ')})`;
}

/** The changes of a person, in a sentence each. */
function newsOf(person: Person, before: Person | undefined): string[] {
  if (!before) return [];
  const { name } = before;
  const news: string[] = [];
  if (name !== person.name) news.push(`${name} is now ${person.name}`);
  const tell = (mark: (typeof MARKS)[number], now: string, noLonger: string) => {
    if (Boolean(before[mark]) !== Boolean(person[mark])) {
      news.push(`${person.name} ${person[mark] ? now : noLonger}`);
    }
  };
  tell('away', 'is away', 'is back');
  tell('muted', 'is muted', 'is no longer muted');
  tell('deafened', 'is deafened', 'is no longer deafened');
  tell('priority', 'has priority', 'no longer has priority');
  if (isRecording(before) !== isRecording(person)) {
    news.push(`${person.name} ${isRecording(person) ? 'records this lobby' : 'no longer records'}`);
  }
  const channels = [before, person].map((it) => printable((it.channels ?? []).join(', ')));
  if (channels[0] !== channels[1]) news.push(`${person.name} is in ${channels[1] || 'no channel'}`);
  return news;
}
