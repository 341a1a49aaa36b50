/**
 * The keys of tokens: a JSON Web Key Set (RFC 7517), read once when the relay starts.
 *
 * Each key is pinned to one algorithm and has a unique id. Keys that a relay should not have are refused here: weak ones, private ones, two
 * with the same id. Errors name a key by its kid and contain nothing else of it.
 */

import { base64url, type CryptoKey, importJWK } from 'jose';
import { HotmicError } from '../../voice/error.js';

/** How a token may be signed. Append only. */
export const TOKEN_ALGORITHMS = ['EdDSA', 'ES256', 'RS256', 'HS256'] as const;
/** An algorithm by which a token may be signed. */
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** Most keys in one set. */
export const MAX_KEYS = 64;

/** Ids of keys: 1 to 128 characters without control characters. */
export const KEY_ID = /^[^\p{Cc}]{1,128}$/u;

/** A JSON Web Key with the members that a token key must have. */
export interface TokenJwk {
  readonly kid: string;
  readonly alg: TokenAlgorithm;
  readonly kty: string;
  readonly [member: string]: unknown;
}

/** A key that is ready for use. */
export interface TokenKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly key: CryptoKey | Uint8Array;
}

interface Shape {
  readonly kty: string;
  readonly crv?: string;
  /** The members of the public key; for `oct`, of the secret. */
  readonly members: readonly string[];
}

const SHAPES: Readonly<Record<TokenAlgorithm, Shape>> = {
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['x'] },
  ES256: { kty: 'EC', crv: 'P-256', members: ['x', 'y'] },
  RS256: { kty: 'RSA', members: ['n', 'e'] },
  HS256: { kty: 'oct', members: ['k'] },
};

/** Members of the private half of a pair (RFC 7518, 6.2.2 and 6.3.2); `k` is a secret too. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** A key with fewer distinct bytes is a placeholder and not random. */
const MIN_DIFFERENT_BYTES = 8;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a whole set for verifying, by kid.
 *
 * @throws HotmicError ERR_HOTMIC_ADMISSION, naming the key.
 */
export async function readKeySet(set: unknown): Promise<ReadonlyMap<string, TokenKey>> {
  const keys = isObject(set) ? set.keys : undefined;
  if (!Array.isArray(keys))
    throw keyError('the set is not a JSON Web Key Set, expected an object with an array "keys"');
  if (keys.length < 1 || keys.length > MAX_KEYS)
    throw keyError(`the set has ${keys.length} keys, expected 1 to ${MAX_KEYS}`);
  const byKid = new Map<string, TokenKey>();
  for (const [index, jwk] of keys.entries()) {
    const key = await readKey(jwk, `key ${index + 1} of the set`, 'verify');
    if (byKid.has(key.kid))
      throw keyError(`key ${JSON.stringify(key.kid)} is there twice, expected each kid once`);
    byKid.set(key.kid, key);
  }
  return byKid;
}

/**
 * Reads one key for signing: the private one of a pair, or a secret.
 *
 * @throws HotmicError ERR_HOTMIC_ADMISSION, naming the key.
 */
export function readSigningKey(jwk: unknown): Promise<TokenKey> {
  return readKey(jwk, 'the key', 'sign');
}

async function readKey(jwk: unknown, position: string, use: 'verify' | 'sign'): Promise<TokenKey> {
  if (!isObject(jwk)) throw keyError(`${position} is not an object, expected a JSON Web Key`);
  const { kid, alg } = jwk;
  if (typeof kid !== 'string' || !KEY_ID.test(kid)) {
    throw keyError(`${position} has no usable kid, expected 1 to 128 characters without control characters`);
  }
  const name = `key ${JSON.stringify(kid)}`;
  const algorithm = TOKEN_ALGORITHMS.find((known) => known === alg);
  if (!algorithm) {
    const present = alg === undefined ? 'has no alg' : 'has an unsupported alg';
    throw keyError(`${name} ${present}, expected ${TOKEN_ALGORITHMS.join(', ')}`);
  }
  const shape = SHAPES[algorithm];
  if (jwk.kty !== shape.kty) throw keyError(`${name} is for ${algorithm}, expected kty "${shape.kty}"`);
  if (shape.crv && jwk.crv !== shape.crv)
    throw keyError(`${name} is for ${algorithm}, expected crv "${shape.crv}"`);
  if (jwk.use !== undefined && jwk.use !== 'sig')
    throw keyError(`${name} is not for signatures, expected use "sig"`);

  const isPair = algorithm !== 'HS256';
  if (use === 'verify' && isPair && PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) {
    throw keyError(
      `${name} is a private key, expected only the public one: with the private one, anybody can admit anyone`,
    );
  }
  if (use === 'sign' && isPair && typeof jwk.d !== 'string')
    throw keyError(`${name} is a public key, expected the private one`);
  for (const member of shape.members) {
    if (bytesOf(jwk[member]) === null)
      throw keyError(`${name} has no usable "${member}", expected base64url`);
  }
  refuseWeak(jwk, algorithm, name);
  return { kid, algorithm, key: await load(jwk, algorithm, use, name) };
}

function refuseWeak(jwk: JsonObject, algorithm: TokenAlgorithm, name: string): void {
  if (algorithm === 'HS256') {
    const secret = bytesOf(jwk.k)!;
    if (secret.length < 32) throw keyError(`${name} is weak: ${secret.length} bytes, expected at least 32`);
    if (isPlaceholder(secret))
      throw keyError(`${name} is weak: it has too few distinct bytes, expected random ones`);
  }
  // These include most points of small order, with which anyone can sign.
  if (algorithm === 'EdDSA' && isPlaceholder(bytesOf(jwk.x)!))
    throw keyError(`${name} is weak: it has too few distinct bytes, expected a generated key`);
  if (algorithm === 'RS256') {
    const bits = bitsOf(bytesOf(jwk.n)!);
    if (bits < 2048 || bits > 8192) throw keyError(`${name} has ${bits} bits, expected 2048 to 8192`);
    // With exponent 1 a message is its own signature.
    const exponent = bytesOf(jwk.e)!;
    const isOdd = (exponent.at(-1)! & 1) === 1;
    if (!isOdd || bitsOf(exponent) < 2 || bitsOf(exponent) > 32)
      throw keyError(`${name} has a weak exponent, expected 65537 (AQAB)`);
  }
}

/** Imports only the members of the key; everything else in it is ignored. */
async function load(
  jwk: JsonObject,
  algorithm: TokenAlgorithm,
  use: 'verify' | 'sign',
  name: string,
): Promise<CryptoKey | Uint8Array> {
  const { kty, crv, members } = SHAPES[algorithm];
  const parts = use === 'sign' && algorithm !== 'HS256' ? [...members, ...PRIVATE_MEMBERS] : members;
  const bare: Record<string, unknown> = crv ? { kty, crv } : { kty };
  for (const part of parts) if (Object.hasOwn(jwk, part)) bare[part] = jwk[part];
  try {
    return await importJWK(bare as { kty: string }, algorithm);
  } catch {
    // The error may quote the key.
    throw keyError(`${name} cannot be read, expected a complete key of kty "${kty}"`);
  }
}

/** Null for anything but base64url. */
function bytesOf(member: unknown): Uint8Array | null {
  if (typeof member !== 'string' || !/^[\w-]{1,4096}$/.test(member)) return null;
  try {
    return base64url.decode(member);
  } catch {
    return null;
  }
}

function isPlaceholder(bytes: Uint8Array): boolean {
  return new Set(bytes).size < MIN_DIFFERENT_BYTES;
}

/** The length of a big-endian number, without its leading zeros. */
function bitsOf(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first - 1) * 8 + (32 - Math.clz32(bytes[first]!));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keyError(what: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_ADMISSION', `Cannot use the token keys: ${what}`);
}
