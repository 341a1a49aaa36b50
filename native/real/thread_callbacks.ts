/**
 * The callbacks of one thread, for all the Steams that it has open. Steam gives each callback once, so one dispatch collects them,
 * and each Steam has a mailbox. A broadcast goes to every mailbox, a call result to the Steam that made the call.
 *
 * Pure but for the addon's runCallbacks. Everything that waits is bounded, and what is lost is counted.
 */

import type { SteamAddon, SteamMessage } from './addon.js';

/** Messages that one run brings at most; the rest come with the next. */
const MAX_PER_RUN = 1024;

/** Messages that may wait in a mailbox. A Steam that runs its callbacks stays below this; others lose the oldest. */
const MAX_WAITING = 2 * MAX_PER_RUN;

/** Calls without an answer, of all Steams of a thread. The answer to an older one is unclaimed. */
const MAX_CALLS = 4096;

/** The messages that one Steam has not read yet. */
export class Mailbox {
  readonly #waiting: SteamMessage[] = [];
  #lost = 0;
  #hasNewLoss = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Messages that were lost because this Steam did not run its callbacks: the oldest beyond 2048. */
  get lost(): number {
    return this.#lost;
  }

  put(message: SteamMessage): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift();
      this.#lost += 1;
      this.#hasNewLoss = true;
    }
    this.#waiting.push(message);
  }

  /** Whether messages were lost since the last call. */
  takeLoss(): boolean {
    const had = this.#hasNewLoss;
    this.#hasNewLoss = false;
    return had;
  }

  take(limit: number): SteamMessage[] {
    return this.#waiting.splice(0, limit);
  }
}

/** What one run returns. */
export interface RunMessages {
  readonly messages: readonly SteamMessage[];
  /** Older ones were lost. */
  readonly hasLoss: boolean;
}

export class ThreadCallbacks {
  readonly #addon: SteamAddon;
  readonly #mailboxes = new Set<Mailbox>();
  readonly #owners = new Map<bigint, Mailbox>();
  #getsCallbacks = true;
  #unclaimed = 0;

  constructor(addon: SteamAddon) {
    this.#addon = addon;
  }

  /** False once a run found that another thread of this process gets the callbacks. */
  get getsCallbacks(): boolean {
    return this.#getsCallbacks;
  }

  /** Results of calls that no open Steam of this thread made: another thread's, or a closed Steam's. */
  get unclaimed(): number {
    return this.#unclaimed;
  }

  attach(): Mailbox {
    const mailbox = new Mailbox();
    this.#mailboxes.add(mailbox);
    return mailbox;
  }

  /** The Steam was closed: nothing more is kept for it. */
  detach(mailbox: Mailbox): void {
    this.#mailboxes.delete(mailbox);
    for (const [call, owner] of this.#owners) if (owner === mailbox) this.#owners.delete(call);
  }

  /** Notes which Steam made this call, and returns its handle. 0n, which Steam did not accept, has no answer. */
  claim(call: bigint, mailbox: Mailbox): bigint {
    if (call === 0n) return call;
    if (this.#owners.size >= MAX_CALLS) {
      for (const oldest of this.#owners.keys()) {
        this.#owners.delete(oldest);
        break;
      }
    }
    this.#owners.set(call, mailbox);
    return call;
  }

  /** One frame of Steam, and what this mailbox has: at most 1024 messages; a loss counts as one. */
  run(mailbox: Mailbox): RunMessages {
    if (mailbox.waiting < MAX_PER_RUN) this.#dispatch();
    const hasLoss = mailbox.takeLoss();
    return { messages: mailbox.take(hasLoss ? MAX_PER_RUN - 1 : MAX_PER_RUN), hasLoss };
  }

  #dispatch(): void {
    const messages = this.#addon.runCallbacks();
    this.#getsCallbacks = messages !== null;
    for (const message of messages ?? []) {
      if (message.call === 0n) {
        for (const mailbox of this.#mailboxes) mailbox.put(message);
        continue;
      }
      const owner = this.#owners.get(message.call);
      this.#owners.delete(message.call);
      if (owner === undefined) this.#unclaimed += 1;
      else owner.put(message);
    }
  }
}

/** An addon is loaded once per thread, so this is one per thread. */
const ofAddon = new WeakMap<SteamAddon, ThreadCallbacks>();

/** The dispatch of this thread. */
export function callbacksOf(addon: SteamAddon): ThreadCallbacks {
  const known = ofAddon.get(addon);
  if (known !== undefined) return known;
  const made = new ThreadCallbacks(addon);
  ofAddon.set(addon, made);
  return made;
}
