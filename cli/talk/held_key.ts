/**
 * Whether a key is held, from what a terminal reports: a character when it goes down, repeats of it while it stays down, and nothing
 * when it comes up. Pure.
 *
 * Keyboards wait 250 to 660 ms before the first repeat, and then repeat every 25 to 100 ms.
 */

import type { Milliseconds } from '../../voice/units.js';

/** Without a first repeat within this time, the key was only tapped. */
export const FIRST_REPEAT_MS: Milliseconds = 700;

/** Without a further repeat within this time, the key came up. */
export const REPEAT_MS: Milliseconds = 150;

/** `hold`: down as long as it repeats. `toggle`: each character switches. */
export type KeyMode = 'hold' | 'toggle';

/** How the key changed; null: not at all. */
export type KeyChange = 'down' | 'up' | null;

export class HeldKey {
  readonly #mode: KeyMode;
  #isDown = false;
  #upAt: Milliseconds | null = null;

  constructor(mode: KeyMode) {
    this.#mode = mode;
  }

  /** When the key counts as up unless its character arrives before; null if the key is up or toggles. */
  get upAt(): Milliseconds | null {
    return this.#upAt;
  }

  /** Its character arrived. */
  character(now: Milliseconds): KeyChange {
    if (this.#mode === 'toggle') {
      this.#isDown = !this.#isDown;
      return this.#isDown ? 'down' : 'up';
    }
    this.#upAt = now + (this.#isDown ? REPEAT_MS : FIRST_REPEAT_MS);
    if (this.#isDown) return null;
    this.#isDown = true;
    return 'down';
  }

  /** It is `now`, and every earlier character was passed to `character`. */
  time(now: Milliseconds): KeyChange {
    return this.#upAt !== null && now >= this.#upAt ? this.letGo() : null;
  }

  /** The key counts as up, whatever the keyboard does: for a terminal that is gone. */
  letGo(): KeyChange {
    this.#upAt = null;
    if (!this.#isDown) return null;
    this.#isDown = false;
    return 'up';
  }
}
