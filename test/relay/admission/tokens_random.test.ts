/** Tokens changed and made up at random: none is granted that was not signed as it stands, and none is answered with an error. */

import fc from 'fast-check';
import t from 'tap';
import type { TokenAlgorithm } from '../../../relay/admission/mint_token.js';
import type { TokenRefusal } from '../../../relay/admission/tokens.js';
import { SEED } from '../../kit/random.js';
import { base64url, claimsWith, type Json, keysAndVerifier, NOW, tokenUnder } from './token_kit.js';

const { keys, verifier } = await keysAndVerifier();
const ALGORITHMS = Object.keys(keys) as TokenAlgorithm[];
const key = keys.EdDSA;
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

t.comment(`seed ${SEED}`);

async function reasonOf(token: string, now = NOW): Promise<TokenRefusal | 'granted'> {
  const verdict = await verifier.verify(token, now);
  return verdict.kind === 'granted' ? 'granted' : verdict.reason;
}

t.test('every changed character is refused', async (t) => {
  const tokens = ALGORITHMS.map((algorithm) => tokenUnder(keys[algorithm]));
  for (const token of tokens) {
    // The last character of a signature has spare bits, where a change is easily overlooked.
    for (const character of BASE64URL) {
      if (character === token.at(-1)) continue;
      const reason = await reasonOf(token.slice(0, -1) + character);
      if (reason === 'granted') t.fail(`${token.slice(0, 20)}… ends in ${character}`);
    }
  }
  const arbitraryChange = fc.record({
    token: fc.constantFrom(...tokens),
    at: fc.nat(4095),
    to: fc.oneof(
      fc.constantFrom(...BASE64URL, '.', '=', '+', '/', '\0', ' ', '語'),
      fc.string({ maxLength: 3 }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(arbitraryChange, async ({ token, at, to }) => {
      const place = at % token.length;
      const changed = token.slice(0, place) + to + token.slice(place + 1);
      return changed === token || (await reasonOf(changed)) !== 'granted';
    }),
    { seed: SEED, numRuns: 3000 },
  );
  t.pass();
});

t.test('random tokens are refused, and never throw', async (t) => {
  const part = fc.oneof(
    fc.string(),
    fc.json().map(base64url),
    fc.constantFrom(...ALGORITHMS).map((name) => base64url({ alg: name, kid: name })),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  );
  const token = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
    fc
      .tuple(fc.constant(base64url({ alg: 'ES256', kid: 'ES256' })), part, part)
      .map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(token, async (text) => (await reasonOf(text)) !== 'granted'),
    { seed: SEED, numRuns: 3000 },
  );
  t.pass();
});

t.test('random claims with a valid signature are judged, and never throw', async (t) => {
  const hotmic = fc.record(
    {
      lobby: fc.oneof(fc.constant('den'), fc.string(), fc.jsonValue()),
      speak: fc.oneof(fc.boolean(), fc.jsonValue()),
      channels: fc.oneof(fc.array(fc.string()), fc.jsonValue()),
      speek: fc.constant(false),
    },
    { requiredKeys: ['lobby'] },
  );
  const payload = fc.oneof(
    fc.jsonValue(),
    fc.oneof(hotmic, fc.jsonValue()).map((value) => claimsWith({ hotmic: value })),
    fc.record({ exp: fc.jsonValue(), aud: fc.jsonValue(), sub: fc.jsonValue() }).map(claimsWith),
  );
  let granted = 0;
  await fc.assert(
    fc.asyncProperty(payload, async (claims) => {
      const token = tokenUnder(key, claims);
      const verdict = await verifier.verify(token, NOW);
      if (verdict.kind === 'refused') return true;
      granted += 1;
      const { hotmic } = claims as { hotmic: Json };
      return !('speek' in hotmic) && verdict.grant.maySpeak === (hotmic.speak ?? true);
    }),
    { seed: SEED, numRuns: 2000 },
  );
  t.ok(granted > 0, `${granted} were granted`);
});
