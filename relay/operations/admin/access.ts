/** Who may use the admin API: non-browser clients with one of its tokens. Guesses are limited, and never slow down an administrator. */

import type http from 'node:http';
import { TokenBucket } from '../../../voice/token_bucket.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { SecretText } from '../../admission/secret_text.js';
import type { Problem } from './problem.js';
import { AdminTokens } from './tokens.js';

export interface GuessLimits {
  /** Requests without a token that are answered with 401, per second and in one burst; the others with 429. */
  readonly guessesPerSecond: number;
  readonly guessBurst: number;
}

/** The token of a request that goes on for long. */
export interface HeldToken {
  /** Whether it is still one of the relay's. */
  isGood(): boolean;
}

export class AdminAccess {
  readonly #secret: SecretText;
  readonly #guesses: TokenBucket;
  #tokens: AdminTokens;

  /** @throws HotmicError ERR_HOTMIC_FILE without proper tokens. */
  constructor(secret: SecretText, { guessesPerSecond, guessBurst }: GuessLimits, now: Milliseconds) {
    this.#secret = secret;
    this.#guesses = new TokenBucket(guessesPerSecond, guessBurst, now);
    this.#tokens = AdminTokens.read(secret);
  }

  /** Null for an administrator's request. */
  refusalOf({ origin, authorization }: http.IncomingHttpHeaders, now: Milliseconds): Problem | null {
    if (origin !== undefined) {
      return {
        code: 'browser-refused',
        detail: 'the request has an Origin header: browsers are not admitted',
      };
    }
    if (this.#tokens.admits(authorization)) return null;
    if (this.#guesses.has(1, now)) {
      this.#guesses.take(1);
      return {
        code: 'token-refused',
        detail: 'expected Authorization: Bearer with an admin token of this relay',
      };
    }
    return { code: 'guesses-limited', detail: 'too many requests without a token of this relay' };
  }

  /** The token of a request that `refusalOf` did not refuse. Only its hash is kept. */
  hold({ authorization }: http.IncomingHttpHeaders): HeldToken {
    const hash = this.#tokens.hashIn(authorization);
    return { isGood: () => hash !== null && this.#tokens.has(hash) };
  }

  /** Reads the tokens again. @throws HotmicError ERR_HOTMIC_FILE; the previous tokens stay valid. */
  reload(): void {
    this.#tokens = AdminTokens.read(this.#secret);
  }
}
