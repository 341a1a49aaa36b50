/** Encrypted app tickets, forged with nothing but an attacker's own genuine one or not: by themselves they admit nobody. */

import t from 'tap';
import { type AppTicketOptions, AppTickets } from '../../../relay/admission/app_tickets.js';
import { CredentialJudge, type Judges } from '../../../relay/admission/judges.js';
import type { AppTicketClaim, Credential, CredentialVerdict } from '../../../relay/core/credential.js';
import { sealAppTicket } from '../../../tickets/encrypted_app_ticket.js';
import { hexOfBytes } from '../../kit/hex.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { FORGERIES, INVENTED_INSIDE, type Steam } from '../../tickets/forgeries.js';
import { APP, ownershipOf } from '../../tickets/kit.js';
import { FakeWeb, PLAYER as STEAMS_PLAYER } from './steam_web/fake_web.js';
import { claimsWith, keysAndVerifier, NOW, STEAM_ID, tokenUnder } from './token_kit.js';

const { keys, verifier } = await keysAndVerifier();
const random = new SeededRandom(SEED);
const KEY = random.bytes(32);
const VICTIM = '76561197960265999';
const ROUNDS = 40;

const about = (steamId: string) =>
  ownershipOf({ steamId: BigInt(steamId), generatedAt: NOW - 1, expiresAt: NOW + 3600 });
const sealed = (steamId: string, userData: Uint8Array) =>
  sealAppTicket({ ownership: about(steamId), userData }, KEY, random.bytes(16), random.bytes(8));
const steam: Steam = (userData) => sealed(STEAM_ID, userData);
const token = { kind: 'token', token: tokenUnder(keys.EdDSA, claimsWith()) } as const;

function claimOf(make: (nonce: Uint8Array) => Uint8Array): AppTicketClaim {
  const nonce = random.bytes(16);
  return { kind: 'app-ticket', ticket: hexOfBytes(make(nonce)), nonce: hexOfBytes(nonce) };
}

const beside = (
  appTicket: AppTicketClaim,
  proof: Extract<Credential, { kind: 'token' | 'web-ticket' }> = token,
) => ({ kind: 'proof-and-app-ticket', proof, appTicket }) as const;

function judge(
  credential: Credential,
  options: Partial<AppTicketOptions> = {},
  judges: Partial<Judges> = {},
): Promise<CredentialVerdict> {
  const appTickets = new AppTickets({ appId: APP, keys: [hexOfBytes(KEY)], ...options });
  const moderators = new Set([VICTIM]);
  const judge = new CredentialJudge({
    ...{ tokens: verifier, webTickets: null, appTickets, development: false, moderators },
    ...judges,
  });
  return judge.judge(credential, null, NOW);
}

t.comment(`seed ${SEED}`);

for (const { name, forge } of FORGERIES) {
  t.test(`nobody is admitted as somebody else by ${name}`, async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const forged = claimOf((nonce) => forge(steam, nonce, about(VICTIM)));
      t.match(await judge(forged), { kind: 'denied', code: 'ticket-refused', reason: 'not-proof' });
      t.match(
        await judge(beside(forged)),
        { kind: 'denied', code: 'ticket-refused' },
        'nor beside one’s own token',
      );
    }
  });
}

t.test('alone, a genuine app ticket admits nobody either', async (t) => {
  const genuine = claimOf((nonce) => sealed(VICTIM, nonce));
  t.match(await judge(genuine), {
    kind: 'denied',
    code: 'ticket-refused',
    reason: 'not-proof',
    wanted: /web ticket/,
  });
});

t.test(
  'where forgeable tickets are trusted a forged one admits, as the setting says, and never as a moderator',
  async (t) => {
    const forged = claimOf((nonce) => INVENTED_INSIDE.forge(steam, nonce, about(VICTIM)));
    t.match(await judge(forged, { alone: 'trust-forgeable' }), {
      kind: 'admitted',
      steamId: VICTIM,
      moderator: false,
    });
  },
);

t.test(
  'beside a token the app ticket has to name the token’s player, and adds nothing but its id',
  async (t) => {
    const genuine = claimOf((nonce) => sealed(STEAM_ID, nonce));
    const alone = await judge(token);
    if (alone.kind !== 'admitted') throw new Error('the token is no good');
    t.match(await judge(beside(genuine)), { ...alone, onceIds: [/^a:/] });
    const others = claimOf((nonce) => sealed(VICTIM, nonce));
    t.match(await judge(beside(others)), { code: 'ticket-refused', reason: 'other-steam-id' });
    const expired = { kind: 'token', token: tokenUnder(keys.EdDSA, claimsWith({ exp: NOW - 60 })) } as const;
    t.match(await judge(beside(genuine, expired)), { code: 'token-refused', reason: 'expired' });
  },
);

t.test(
  'beside a web ticket both are spent, and Steam is not asked when the app ticket is invalid',
  async (t) => {
    const web = new FakeWeb();
    const judges = { tokens: null, webTickets: web.tickets() };
    const webTicket = { kind: 'web-ticket', ticket: 'ab12' } as const;
    const stale = claimOf(() => sealed(STEAMS_PLAYER, random.bytes(16)));
    t.match(await judge(beside(stale, webTicket), {}, judges), { reason: 'other-nonce' });
    t.equal(web.sent.length, 0);
    const genuine = claimOf((nonce) => sealed(STEAMS_PLAYER, nonce));
    t.match(await judge(beside(genuine, webTicket), {}, judges), {
      kind: 'admitted',
      steamId: STEAMS_PLAYER,
      onceIds: [/^w:/, /^a:/],
    });
    t.match(await judge(beside(genuine), {}, judges), { code: 'token-refused', reason: 'not-judged-here' });
  },
);
