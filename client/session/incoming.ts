/** Reads what the relay sends, checks that it comes in order, and puts a welcome together with its pages. Pure. */

import { PROTOCOL_VERSION, type RelayMessage, readRelayMessage } from '../../voice/control.js';
import { WelcomePages } from './welcome_pages.js';

/** What the relay may send now. */
export interface Stage {
  /** The number of the connection's attempt: with another one, pages of an earlier welcome are forgotten. */
  readonly attempt: number;
  /** Our hello or resume is not answered yet. */
  readonly isEntering: boolean;
  readonly expectsChallenge: boolean;
}

/** A message, a welcome with everybody in it; or, as `none`, a page before the last, a pong, or what we cannot do, as in "Cannot …". */
export type Incoming =
  | Exclude<RelayMessage, { type: 'participants' | 'pong' }>
  | { readonly type: 'none'; readonly cannot: string | null };

export class IncomingMessages {
  readonly #pages = new WelcomePages();
  #attempt = 0;

  read(text: string, stage: Stage): Incoming {
    if (stage.attempt !== this.#attempt) this.#pages.reset();
    this.#attempt = stage.attempt;
    const message = readRelayMessage(text);
    if ('kind' in message) return cannot(`read the relay's message: ${message.detail}`);
    const { type } = message;
    if (!this.#isInOrder(type, stage))
      return cannot(`follow the relay: its message "${type}" is out of order`);
    if (type === 'welcome' && message.version !== PROTOCOL_VERSION) {
      return cannot(`follow the relay: it speaks version ${message.version}, expected ${PROTOCOL_VERSION}`);
    }
    if (type === 'welcome') return this.#pages.begin(message) ?? cannot(null);
    if (type === 'participants') return this.#pages.add(message) ?? cannot(null);
    // A sign of life, and nothing else.
    if (message.type === 'pong') return cannot(null);
    return message;
  }

  /** A challenge answers its request; then the welcome comes, once, with nothing between its pages. A refusal may come at any time. */
  #isInOrder(type: RelayMessage['type'], { isEntering, expectsChallenge }: Stage): boolean {
    if (type === 'refused') return true;
    const isPage = type === 'participants';
    if (this.#pages.isOpen || isPage) return this.#pages.isOpen && isPage;
    if (type === 'challenge') return isEntering && expectsChallenge;
    return (type === 'welcome') === isEntering;
  }
}

function cannot(what: string | null): { readonly type: 'none'; readonly cannot: string | null } {
  return { type: 'none', cannot: what };
}
