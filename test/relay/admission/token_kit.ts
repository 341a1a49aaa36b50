/** Tokens made without jose, by node:crypto, so that the tests can also write what jose would not. */

import { createHmac, createPrivateKey, type JsonWebKey, sign } from 'node:crypto';
import { type NewKey, newKey, type TokenAlgorithm } from '../../../relay/admission/mint_token.js';
import { TokenVerifier } from '../../../relay/admission/tokens.js';

export const NOW = 2_000_000_000;
export const STEAM_ID = '76561197960265729';

export type Json = Readonly<Record<string, unknown>>;

/** A payload that is granted, with what is `changed`; undefined takes a claim away. */
export function claimsWith(changed: Json = {}): Json {
  return { sub: STEAM_ID, aud: 'hotmic', exp: NOW + 600, hotmic: { lobby: 'den' }, ...changed };
}

export function base64url(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Buffer.from(text).toString('base64url');
}

/** A key of each algorithm under a kid of the same name, and a verifier that has them all. */
export async function keysAndVerifier(): Promise<{
  readonly keys: Readonly<Record<TokenAlgorithm, NewKey>>;
  readonly verifier: TokenVerifier;
}> {
  const keys = {
    EdDSA: await newKey('EdDSA', 'EdDSA'),
    ES256: await newKey('ES256', 'ES256'),
    RS256: await newKey('RS256', 'RS256'),
    HS256: await newKey('HS256', 'HS256'),
  };
  const set = { keys: Object.values(keys).flatMap(({ keySet }) => keySet.keys) };
  return { keys, verifier: await TokenVerifier.create({ keys: set, audience: 'hotmic' }) };
}

/** Signs any header and payload, as JSON or as text, with a private key of ours. */
export function signed(header: Json | string, payload: unknown, { privateKey }: NewKey): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  return `${input}.${signatureOf(input, privateKey).toString('base64url')}`;
}

/** A token under `key` with its own header. */
export function tokenUnder(key: NewKey, payload: unknown = claimsWith(), header: Json = {}): string {
  const { alg, kid } = key.privateKey;
  return signed({ alg, kid, ...header }, payload, key);
}

export function hmac(input: string, secret: string | Uint8Array): string {
  return createHmac('sha256', secret).update(input).digest('base64url');
}

function signatureOf(input: string, jwk: NewKey['privateKey']): Buffer {
  const data = Buffer.from(input);
  if (jwk.alg === 'HS256') {
    const secret = Buffer.from(String(jwk.k), 'base64url');
    return createHmac('sha256', secret).update(data).digest();
  }
  const key = createPrivateKey({ key: jwk as unknown as JsonWebKey, format: 'jwk' });
  return sign(jwk.alg === 'EdDSA' ? null : 'sha256', data, { key, dsaEncoding: 'ieee-p1363' });
}
