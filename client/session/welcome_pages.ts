/**
 * Collects a welcome whose list of participants continues in further messages. Pure.
 *
 * Bounded by `MAX_PARTICIPANTS`: the welcome says how many follow, and each page has to agree.
 */

import { MAX_PARTICIPANTS, type RelayMessage } from '../../voice/control.js';

type Welcome = Extract<RelayMessage, { type: 'welcome' }>;
type Page = Pick<Welcome, 'participants' | 'more'>;

/** What is wrong with a page, as in "Cannot …". */
export interface WrongPage {
  readonly type: 'none';
  readonly cannot: string;
}

export class WelcomePages {
  #welcome: Welcome | null = null;
  #participants: Welcome['participants'] = [];
  #more = 0;

  /** Whether pages of a welcome are still to come. */
  get isOpen(): boolean {
    return this.#welcome !== null;
  }

  /** Forgets what came: its connection is gone. */
  reset(): void {
    this.#welcome = null;
    this.#participants = [];
    this.#more = 0;
  }

  /** The welcome, if nothing follows; null if pages are still to come. */
  begin(welcome: Welcome): Welcome | WrongPage | null {
    const people = welcome.participants.length + (welcome.more ?? 0);
    if (people > MAX_PARTICIPANTS) {
      const detail = `${people} participants, expected at most ${MAX_PARTICIPANTS}`;
      return { type: 'none', cannot: `read the relay's message: ${detail}` };
    }
    this.#welcome = welcome;
    this.#participants = [];
    this.#more = people;
    return this.add(welcome);
  }

  /** The next page of the welcome that is open: with the last one, the welcome with everybody in it. */
  add({ participants, more = 0 }: Page): Welcome | WrongPage | null {
    const welcome = this.#welcome;
    if (!welcome || participants.length + more !== this.#more) {
      const detail = `${participants.length} participants and ${more} more, expected ${this.#more} together`;
      return { type: 'none', cannot: `follow the relay: its page has ${detail}` };
    }
    this.#participants = [...this.#participants, ...participants];
    this.#more = more;
    if (more > 0) return null;
    const whole = { ...welcome, participants: this.#participants };
    this.reset();
    return whole;
  }
}
