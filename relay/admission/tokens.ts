/**
 * Signed tokens: the game's backend grants who may join which lobby, and the relay verifies that.
 *
 * A JWT in compact form (RFC 7519), verified by jose. The header chooses one of our keys by `kid` and nothing else: the
 * algorithm is the key's, and keys or addresses in a token (`jwk`, `jku`, `x5u`, `x5c`) are ignored.
 * No verdict contains a token or a key.
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

/** What a token grants, or why it was refused. */
export type TokenVerdict =
  | { readonly kind: 'granted'; readonly grant: Grant }
  | {
      readonly kind: 'refused';
      readonly reason: TokenRefusal;
      /** What would have been accepted. */
      readonly wanted: string;
    };

/** Which tokens are accepted. */
export interface TokenOptions {
  /** A JSON Web Key Set of 1 to 64 keys, each with `kid` and `alg`: EdDSA, ES256, RS256 or HS256. */
  readonly keys: unknown;
  /** The value that a token's `aud` must be or contain, 1 to 64 characters. */
  readonly audience: string;
  /** How far the clocks may differ, in seconds, 0 to 300. Default 5. */
  readonly clockToleranceS?: number;
}

/** The largest time of a Date, in seconds. */
const MAX_UNIX_SECONDS = 8_640_000_000_000;

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Judges tokens by the keys of the game's backend. */
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
   * @throws HotmicError ERR_HOTMIC_ADMISSION for unusable keys; RangeError for an audience or a tolerance out
   *   of range.
   */
  static async create(options: TokenOptions): Promise<TokenVerifier> {
    const { keys, audience, clockToleranceS = TOKEN_CLOCK_TOLERANCE_S } = options;
    if (typeof audience !== 'string' || !LABEL.test(audience)) {
      throw new RangeError('Cannot verify tokens: no audience, expected 1 to 64 characters');
    }
    if (!(clockToleranceS >= 0 && clockToleranceS <= 300)) {
      throw new RangeError(`Cannot verify tokens: clockToleranceS is ${clockToleranceS}, expected 0 to 300`);
    }
    return new TokenVerifier(await readKeySet(keys), audience, clockToleranceS);
  }

  /**
   * Judges a token. The first failing check decides: form, key, algorithm, signature, `aud`, times, claims. Does
   * at most one signature check. Never throws for a token's content.
   *
   * @throws RangeError when `unixSeconds` is not a time.
   */
  async verify(token: string, unixSeconds: number): Promise<TokenVerdict> {
    // With NaN every comparison would be false, and nothing would ever expire.
    if (!(Math.abs(unixSeconds) <= MAX_UNIX_SECONDS)) {
      throw new RangeError(`Cannot verify a token: the time is ${unixSeconds}, expected unix seconds`);
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

/** The header, not yet verified; or what the token should have been. */
function readHeader(token: unknown): Readonly<Record<string, unknown>> | string {
  if (typeof token !== 'string') return 'text';
  if (token.length > MAX_TOKEN_CHARS) return `at most ${MAX_TOKEN_CHARS} characters`;
  if (!COMPACT.test(token)) return 'three parts of base64url, with a dot between';
  try {
    // The last character of a part has unused bits: without this check a signature could be written in several ways.
    for (const part of token.split('.')) {
      if (base64url.encode(base64url.decode(part)) !== part) return 'base64url in its canonical form';
    }
    const header: Readonly<Record<string, unknown>> = { ...decodeProtectedHeader(token) };
    if (Object.hasOwn(header, 'crit')) return 'a header without crit';
    return header;
  } catch {
    return 'a header of JSON';
  }
}

/** The refusal for an error of jose. Its message is not passed on. */
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
  // Any other error also refuses the token.
  return refused('malformed', 'a signed JSON Web Token');
}

function refused(reason: TokenRefusal, wanted: string): TokenVerdict {
  return { kind: 'refused', reason, wanted };
}
