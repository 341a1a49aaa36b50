/** What happens in a lobby's voice, and the ways to hear of it: callbacks by kind, and an async iterator. */

import type { HotmicError } from '../../voice/error.js';
import type { Milliseconds } from '../../voice/units.js';
import type { RedirectRefusal } from '../session/connecting/redirects.js';
import type { Member } from '../session/lobby_state.js';
import type { Person } from './people.js';

/** Something that happened. The state (`participants`, `you` and so on) has changed already. */
export type VoiceEvent =
  | { readonly kind: 'joined'; readonly participant: Person }
  | { readonly kind: 'left'; readonly participant: Person }
  /** Someone began or stopped speaking to us: `participant.speaking`. */
  | { readonly kind: 'speaking'; readonly participant: Person }
  /** Anything else about someone: name, channels, muted, away, recordingSince, blocked and so on. */
  | { readonly kind: 'changed'; readonly participant: Person; readonly before: Person }
  /** The same about ourselves. */
  | { readonly kind: 'you-changed'; readonly you: Member; readonly before: Member }
  /** `unlisted` is this now: at most about once per second. */
  | { readonly kind: 'unlisted'; readonly unlisted: number }
  /** A channel was created or ended; all that exist now. */
  | { readonly kind: 'channels'; readonly channels: readonly string[] }
  /** The microphone became live, or no longer is: what is said now is sent, or not. */
  | { readonly kind: 'live'; readonly isLive: boolean }
  /** The microphone ended by itself, for example because it was unplugged. `setMicrophone` takes another one. */
  | { readonly kind: 'microphone-lost' }
  /** All whom we block now: keep them, and pass them as `blocked` the next time. */
  | { readonly kind: 'blocked'; readonly steamIds: readonly bigint[] }
  /** We are behind: the relay sends us no voice, which would be old, until `caught-up` or `resumed`. */
  | { readonly kind: 'parked' }
  /** We get voice again. So many frames were skipped: see `LobbyEvents.onCaughtUp`. */
  | { readonly kind: 'caught-up'; readonly skippedFrames: number }
  /**
   * The relay did not carry out a request of the type `request`. `code` is one of `FAILURE_CODES`, or another one from a newer relay. We
   * stay in the lobby.
   */
  | { readonly kind: 'failed'; readonly request: string; readonly code: string; readonly message: string }
  /** The relay will stop within this time. `goTo` is the URL of the relay that we then connect to, as this one wrote it, or null. */
  | { readonly kind: 'draining'; readonly withinMs: Milliseconds; readonly goTo: string | null }
  /** We do not follow the relay's redirect, and will try to reconnect to this relay. `goTo` is unchecked text. */
  | { readonly kind: 'redirect-refused'; readonly goTo: string; readonly why: RedirectRefusal }
  /** The connection was lost and we are trying to reconnect. Until then nothing is sent or heard. */
  | { readonly kind: 'reconnecting'; readonly error: HotmicError }
  /** We reconnected, in our old place or in a new one. Events for what changed meanwhile follow. */
  | { readonly kind: 'resumed'; readonly how: 'resumed' | 'joined-anew' }
  /** The last event: it is over. `error` is null when we left. */
  | { readonly kind: 'ended'; readonly error: HotmicError | null };

/** The event of a kind. */
export type VoiceEventOf<Kind extends VoiceEvent['kind']> = Extract<VoiceEvent, { readonly kind: Kind }>;

/** What the iterator gives in place of events that its reader was too slow for: read the whole state again. */
export interface MissedEvents {
  readonly kind: 'missed';
  readonly events: number;
}

/** The most events that wait for one iterator. */
const MAX_WAITING = 1000;

type Listener = (event: VoiceEvent) => void;

/** Passes events on. A listener that throws does not keep the others from hearing: its error becomes an uncaught one. */
export class VoiceEvents {
  readonly #listeners = new Set<Listener>();
  #state: 'open' | 'ended' = 'open';

  emit(event: VoiceEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (thrown) {
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
    if (event.kind !== 'ended') return;
    this.#state = 'ended';
    this.#listeners.clear();
  }

  on<Kind extends VoiceEvent['kind']>(kind: Kind, listener: (event: VoiceEventOf<Kind>) => void): () => void {
    return this.onAny((event) => {
      if (event.kind === kind) listener(event as VoiceEventOf<Kind>);
    });
  }

  /** From now on. */
  iterate(): AsyncIterableIterator<VoiceEvent | MissedEvents> {
    return new VoiceEventIterator((listener) => this.onAny(listener), this.#state);
  }

  onAny(listener: Listener): () => void {
    if (this.#state === 'open') this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

type Item = VoiceEvent | MissedEvents;

class VoiceEventIterator implements AsyncIterableIterator<Item> {
  readonly #waiting: VoiceEvent[] = [];
  /** Readers who wait, when no event does. */
  readonly #readers: ((result: IteratorResult<Item>) => void)[] = [];
  readonly #remove: () => void;
  #missed = 0;
  #state: 'open' | 'over';

  constructor(add: (listener: Listener) => () => void, state: 'open' | 'ended') {
    this.#state = state === 'open' ? 'open' : 'over';
    this.#remove = add((event) => this.#take(event));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item>> {
    if (this.#missed > 0) {
      const value = { kind: 'missed', events: this.#missed } as const;
      this.#missed = 0;
      return Promise.resolve({ done: false, value });
    }
    const value = this.#waiting.shift();
    if (value) return Promise.resolve({ done: false, value });
    if (this.#state === 'over') return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  /** Ends it: nobody waits any more. */
  return(): Promise<IteratorResult<Item>> {
    this.#waiting.length = 0;
    this.#missed = 0;
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #take(event: VoiceEvent): void {
    const reader = this.#readers.shift();
    if (reader) reader({ done: false, value: event });
    else this.#waiting.push(event);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#missed += 1;
    }
    if (event.kind === 'ended') this.#end();
  }

  #end(): void {
    this.#state = 'over';
    this.#remove();
    for (const reader of this.#readers.splice(0)) reader({ done: true, value: undefined });
  }
}
