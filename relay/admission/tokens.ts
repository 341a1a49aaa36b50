/**
 * Signed tokens: a game's backend says who may come into which lobby, and the relay holds the token to it.
 *
 * A JWT in compact form (RFC 7519), verified by jose. The header chooses one of our keys by `kid` and nothing else: the
 * algorithm is the key's, and keys or addresses that a token brings along (`jwk`, `jku`, `x5u`, `x5c`) are never looked at.
 * Neither tokens nor keys are in any verdict.
 */

import { base64url, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { LABEL, MAX_TOKEN_CHARS } from '../../voice/control.js';
import { TOKEN_CLOCK_TOLERANCE_S } from '../core/credential.js';
import { type Grant, readClaims } from './token_claims.js';
import { readKeySet, type TokenKey } from './token_keys.js';

export type { Grant } from './token_claims.js';

/** Why a token is refused. Append only. */
export type TokenRefusal =
  | 'malformed'
  | 'key-unknown'
  | 'algorithm'
  | 'forged'
  | 'expired'
  | 'not-yet-valid'
  | 'audience'
  | 'claims';

export type TokenVerdict =
  | { readonly kind: 'granted'; readonly grant: Grant }
  | {
      readonly kind: 'refused';
      readonly reason: TokenRefusal;
      /** What would have been taken. */
      readonly wanted: string;
    };

export interface TokenOptions {
  /** A JSON Web Key Set of 1 to 64 keys, each with `kid` and `alg`: EdDSA, ES256, RS256 or HS256. */
  readonly keys: unknown;
  /** What `aud` of a token must be or hold, 1 to 64 characters. */
  readonly audience: string;
  /** How far the clocks may differ, in seconds, 0 to 300. Default 5. */
  readonly clockToleranceS?: number;
}

/** What a Date can hold, in seconds. */
const MAX_UNIX_SECONDS = 8_640_000_000_000;

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

export class TokenVerifier {
  readonly #keys: ReadonlyMap<string, TokenKey>;
  readonly #audience: string;
  readonly #clockToleranceS: number;

  private constructor(keys: ReadonlyMap<string, TokenKey>, audience: string, clockToleranceS: number) {
    this.#keys = keys;
    this.#audience = audience;
    this.#clockToleranceS = clockToleranceS;
  }

  /**
   * Reads the keys once. Later changes of `options` do nothing.
   *
   * @throws HotmicError ERR_HOTMIC_ADMISSION for keys that are not to be taken; RangeError for an audience or a tolerance out
   *   of range.
   */
  static async create(options: TokenOptions): Promise<TokenVerifier> {
    const { keys, audience, clockToleranceS = TOKEN_CLOCK_TOLERANCE_S } = options;
    if (typeof audience !== 'string' || !LABEL.test(audience)) {
      throw new RangeError('Cannot verify tokens: no audience, wants 1 to 64 characters');
    }
    if (!(clockToleranceS >= 0 && clockToleranceS <= 300)) {
      throw new RangeError(`Cannot verify tokens: clockToleranceS is ${clockToleranceS}, wants 0 to 300`);
    }
    return new TokenVerifier(await readKeySet(keys), audience, clockToleranceS);
  }

  /**
   * Judges a token; of the checks the first that fails decides: form, key, algorithm, signature, `aud`, times, claims. Takes
   * at most one signature check. Never throws on a token.
   *
   * @throws RangeError when `unixSeconds` is no time.
   */
  async verify(token: string, unixSeconds: number): Promise<TokenVerdict> {
    // With NaN every comparison would be false, and nothing would ever expire.
    if (!(Math.abs(unixSeconds) <= MAX_UNIX_SECONDS)) {
      throw new RangeError(`Cannot verify a token: the time is ${unixSeconds}, wants unix seconds`);
    }
    const header = readHeader(token);
    if (typeof header === 'string') return refused('malformed', header);
    const key = typeof header.kid === 'string' ? this.#keys.get(header.kid) : undefined;
    if (!key) return refused('key-unknown', 'a kid of a key that the relay has');
    if (header.alg !== key.algorithm) return refused('algorithm', 'the one algorithm of its key');
    try {
      const { payload } = await jwtVerify(token, key.key, {
        algorithms: [key.algorithm],
        audience: this.#audience,
        clockTolerance: this.#clockToleranceS,
        currentDate: new Date(unixSeconds * 1000),
      });
      const read = readClaims(payload, unixSeconds);
      return read.kind === 'grant' ? { kind: 'granted', grant: read.grant } : refused('claims', read.wanted);
    } catch (thrown) {
      return refusalOf(thrown);
    }
  }
}

/** What a header says, not yet proven; or what the token should have been. */
function readHeader(token: unknown): Readonly<Record<string, unknown>> | string {
  if (typeof token !== 'string') return 'text';
  if (token.length > MAX_TOKEN_CHARS) return `at most ${MAX_TOKEN_CHARS} characters`;
  if (!COMPACT.test(token)) return 'three parts of base64url, with a dot between';
  try {
    // The last character of a part has spare bits: without this a signature could be written in several ways.
    for (const part of token.split('.')) {
      if (base64url.encode(base64url.decode(part)) !== part) return 'base64url in its one right form';
    }
    const header: Readonly<Record<string, unknown>> = { ...decodeProtectedHeader(token) };
    if (Object.hasOwn(header, 'crit')) return 'a header without crit';
    return header;
  } catch {
    return 'a header of JSON';
  }
}

/** By what jose threw. Its message is not passed on. */
function refusalOf(thrown: unknown): TokenVerdict {
  if (thrown instanceof errors.JWSSignatureVerificationFailed)
    return refused('forged', 'a signature by the key that its kid names');
  if (thrown instanceof errors.JWTExpired) return refused('expired', 'one that has not expired');
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    if (thrown.claim === 'aud') return refused('audience', "one for this relay's audience");
    if (thrown.claim === 'nbf' && thrown.reason === 'check_failed')
      return refused('not-yet-valid', 'one that is valid already; do the clocks agree?');
    return refused('claims', `${thrown.claim}: one of the right type`);
  }
  if (thrown instanceof errors.JWTInvalid)
    return refused('claims', 'an object of claims, with times in seconds');
  // Whatever else it is, it lets nobody in.
  return refused('malformed', 'a signed JSON Web Token');
}

function refused(reason: TokenRefusal, wanted: string): TokenVerdict {
  return { kind: 'refused', reason, wanted };
}
