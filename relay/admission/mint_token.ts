/**
 * The counterpart of tokens.ts: makes keys and signs tokens, for a game's backend and for `hotmic token`. The relay does
 * not use it.
 */

import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { LABEL, MAX_TOKEN_CHARS } from '../../voice/control.js';
import { readClaims, type TokenClaims } from './token_claims.js';
import {
  KEY_ID,
  readSigningKey,
  TOKEN_ALGORITHMS,
  type TokenAlgorithm,
  type TokenJwk,
} from './token_keys.js';

export type { TokenAlgorithm, TokenJwk } from './token_keys.js';

/** The content of a new token. */
export interface TokenToMint {
  /** The private JSON Web Key, with `kid` and `alg`; for HS256 the secret. */
  readonly key: unknown;
  /** 1 to 64 characters without control characters. */
  readonly lobby: string;
  /** In decimal. */
  readonly steamId: string;
  /** Default true. */
  readonly maySpeak?: boolean;
  /** Default true. */
  readonly mayListen?: boolean;
  /** Default false. */
  readonly moderator?: boolean;
  /** A priority speaker: while they speak, clients lower the others. Default false. */
  readonly priority?: boolean;
  /** At most 32, of 1 to 64 characters. Default none. */
  readonly channels?: readonly string[];
  /** The relay's audience, 1 to 64 characters. */
  readonly audience: string;
  /** In unix seconds, at most 30 days after `now`. */
  readonly expiresAt: number;
  /** In unix seconds. */
  readonly now: number;
}

/** A new key. */
export interface NewKey {
  /** For the backend alone. */
  readonly privateKey: TokenJwk;
  /** A JSON Web Key Set for the relay. For HS256 it contains the secret itself. */
  readonly keySet: { readonly keys: readonly TokenJwk[] };
}

/**
 * Makes a token, at most 4096 characters long.
 *
 * @throws HotmicError ERR_HOTMIC_ADMISSION for a key that cannot sign; RangeError for anything else that the relay would refuse.
 */
export async function mintToken(token: TokenToMint): Promise<string> {
  const { audience, expiresAt, now } = token;
  const { kid, algorithm, key } = await readSigningKey(token.key);
  const claims = {
    sub: token.steamId,
    iat: Math.floor(now),
    exp: expiresAt,
    hotmic: {
      lobby: token.lobby,
      speak: token.maySpeak ?? true,
      listen: token.mayListen ?? true,
      moderator: token.moderator ?? false,
      priority: token.priority ?? false,
      channels: [...(token.channels ?? [])],
    },
  } satisfies TokenClaims;
  const read = readClaims(claims, now);
  if (read.kind === 'wrong') throw mintError(`expected ${read.wanted}`);
  if (!(expiresAt > now)) throw mintError(`it expires at ${expiresAt}, expected later than ${now}`);
  if (!LABEL.test(audience)) throw mintError('no audience, expected 1 to 64 characters');
  const minted = await new SignJWT({ ...claims, aud: audience })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid })
    .sign(key);
  if (minted.length > MAX_TOKEN_CHARS) {
    throw mintError(`${minted.length} characters, expected at most ${MAX_TOKEN_CHARS}: use fewer channels`);
  }
  return minted;
}

/**
 * Makes a key from the system's randomness; RS256 keys have 2048 bits.
 *
 * @throws RangeError for an algorithm or a kid that no key can have.
 */
export async function newKey(algorithm: TokenAlgorithm, kid: string): Promise<NewKey> {
  if (!TOKEN_ALGORITHMS.includes(algorithm)) {
    throw new RangeError(`Cannot make a key: unknown algorithm, expected ${TOKEN_ALGORITHMS.join(', ')}`);
  }
  if (!KEY_ID.test(kid)) {
    throw new RangeError(
      'Cannot make a key: the kid is malformed, expected 1 to 128 characters without control characters',
    );
  }
  const named = { kid, alg: algorithm, use: 'sig' };
  if (algorithm === 'HS256') {
    const k = base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
    const secret: TokenJwk = { ...named, alg: algorithm, kty: 'oct', k };
    return { privateKey: secret, keySet: { keys: [secret] } };
  }
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const privateKey = { ...named, ...(await exportJWK(pair.privateKey)) } as unknown as TokenJwk;
  const publicKey = { ...named, ...(await exportJWK(pair.publicKey)) } as unknown as TokenJwk;
  return { privateKey, keySet: { keys: [publicKey] } };
}

function mintError(what: string): RangeError {
  return new RangeError(`Cannot mint a token: ${what}`);
}
