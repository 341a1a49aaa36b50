/** The judge in front of all judges: each credential goes to the one who can, and whatever happens there is a verdict. */

import t from 'tap';
import { EmbeddedSteam } from '../../../native/embedded/steam.js';
import { AppTickets } from '../../../relay/admission/app_tickets.js';
import { CredentialJudge, type Judges } from '../../../relay/admission/judges.js';
import type { AppTicketClaim, Credential, CredentialVerdict, Proof } from '../../../relay/core/credential.js';
import { developmentKeys } from '../../../tickets/development.js';
import { sealAppTicket } from '../../../tickets/encrypted_app_ticket.js';
import { sealWebTicket } from '../../../tickets/web_ticket.js';
import { TICKET_IDENTITY } from '../../../voice/control.js';
import { hexOfBytes } from '../../kit/hex.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { APP, NOW, ownershipOf, PLAYER, webFields } from '../../tickets/kit.js';
import { FakeWeb, PLAYER as STEAMS_PLAYER } from './steam_web/fake_web.js';
import { claimsWith, keysAndVerifier, STEAM_ID, NOW as TOKEN_NOW, tokenUnder } from './token_kit.js';

const { keys, verifier } = await keysAndVerifier();
const random = new SeededRandom(SEED);
const APP_KEY = random.bytes(32);
const NONCE = random.bytes(16);
const nonce = hexOfBytes(NONCE);
const DEV = developmentKeys();
const OTHER = '76561197960265999';

const nobody: Judges = { tokens: null, webTickets: null, appTickets: null, development: false };
const appTickets = new AppTickets({ appId: APP, keys: [hexOfBytes(APP_KEY)] });
const trusting = new AppTickets({ appId: APP, keys: [hexOfBytes(APP_KEY)], alone: 'trust-forgeable' });

const token = (claims = claimsWith()): Proof => ({
  kind: 'token',
  token: tokenUnder(keys.EdDSA, claims),
});
const webTicket = (ticket: string): Proof => ({ kind: 'web-ticket', ticket });
const embeddedTicket = (changed = {}): Proof =>
  webTicket(hexOfBytes(sealWebTicket(webFields(changed), DEV.webTicket)));

function appTicket(key: Uint8Array, changed = {}): AppTicketClaim {
  const sealed = sealAppTicket(
    { ownership: ownershipOf(changed), userData: NONCE },
    key,
    random.bytes(16),
    random.bytes(8),
  );
  return { kind: 'app-ticket', ticket: hexOfBytes(sealed), nonce };
}

function judge(
  judges: Partial<Judges>,
  credential: Credential,
  claimed: string | null = null,
  now = NOW,
): Promise<CredentialVerdict> {
  return new CredentialJudge({ ...nobody, ...judges }).judge(credential, claimed, now);
}

t.test('a token’s grant is used unchanged: one lobby, its rights, its expiry', async (t) => {
  const hotmic = { lobby: 'den', speak: false, moderator: true, priority: true, channels: ['red'] };
  t.same(await judge({ tokens: verifier }, token(claimsWith({ hotmic })), STEAM_ID, TOKEN_NOW), {
    kind: 'admitted',
    steamId: STEAM_ID,
    lobby: 'den',
    maySpeak: false,
    mayListen: true,
    moderator: true,
    priority: true,
    channels: ['red'],
    expiresAt: TOKEN_NOW + 600,
    onceIds: [],
    ownerSteamId: null,
  });
  t.match(await judge({ tokens: verifier }, token(), null, TOKEN_NOW + 9999), {
    kind: 'denied',
    code: 'token-refused',
    reason: 'expired',
    wanted: 'one that has not expired',
  });
});

t.test('no credential admits anyone as another player than the hello says', async (t) => {
  const web = new FakeWeb();
  const cases: [
    judges: Partial<Judges>,
    credential: Credential,
    steamId: string,
    code: string,
    now: number,
  ][] = [
    [{ tokens: verifier }, token(), STEAM_ID, 'token-refused', TOKEN_NOW],
    [{ webTickets: web.tickets() }, webTicket('ab12'), STEAMS_PLAYER, 'ticket-refused', NOW],
    [{ appTickets: trusting }, appTicket(APP_KEY), String(PLAYER), 'ticket-refused', NOW],
    [{ development: true }, embeddedTicket(), String(PLAYER), 'ticket-refused', NOW],
    [{ development: true }, appTicket(DEV.encryptedAppTicket), String(PLAYER), 'ticket-refused', NOW],
  ];
  for (const [judges, credential, steamId, code, now] of cases) {
    const wrong = await judge(judges, credential, OTHER, now);
    t.match(wrong, { kind: 'denied', code, reason: 'other-steam-id' }, credential.kind);
    for (const claimed of [steamId, null]) {
      t.match(await judge(judges, credential, claimed, now), { kind: 'admitted', steamId });
    }
  }
});

t.test('a kind of credential that is not judged is refused, and the accepted kinds are named', async (t) => {
  const web = new FakeWeb();
  const all: Judges = { tokens: verifier, webTickets: web.tickets(), appTickets, development: false };
  const cases: [missing: Partial<Judges>, credential: Credential, code: string, wanted: string][] = [
    [{ tokens: null }, token(), 'token-refused', 'a web ticket'],
    [{ webTickets: null }, webTicket('ab'), 'ticket-refused', "a token of the game's backend"],
    [
      { appTickets: null },
      appTicket(APP_KEY),
      'ticket-refused',
      "a token of the game's backend, or a web ticket",
    ],
    [nobody, token(), 'token-refused', 'none'],
  ];
  for (const [missing, credential, code, wanted] of cases) {
    const verdict = await judge({ ...all, ...missing }, credential, null, TOKEN_NOW);
    t.same(verdict, { kind: 'denied', code, reason: 'not-judged-here', wanted });
  }
  t.equal(web.sent.length, 0);
});

t.test('an embedded Steam’s tickets admit only in development, once, for any app', async (t) => {
  const steam = new EmbeddedSteam({ steamId: PLAYER, appId: 12 }, { unixTime: () => NOW });
  t.teardown(() => steam.close());
  steam.getAuthTicketForWebApi(TICKET_IDENTITY);
  const [ticket = ''] = steam.runCallbacks().flatMap((event) => {
    return event.signal === 'get_ticket_for_web_api' ? [hexOfBytes(event.keys.ticket_buffer)] : [];
  });
  const first = await judge({ development: true }, webTicket(ticket), String(PLAYER));
  t.match(first, {
    kind: 'admitted',
    steamId: String(PLAYER),
    lobby: null,
    expiresAt: null,
    onceIds: [/^d:[0-9a-f]{32}$/],
    moderator: false,
  });
  t.same(await judge({ development: true }, webTicket(ticket.toUpperCase())), first, 'the same id again');
  t.match(await judge({}, webTicket(ticket)), { reason: 'not-judged-here' });
  t.match(await judge({ appTickets: trusting }, appTicket(DEV.encryptedAppTicket)), {
    reason: 'undecipherable',
  });
  const offline = await judge({ development: true }, appTicket(DEV.encryptedAppTicket, { appId: 12 }));
  t.match(offline, { kind: 'admitted', onceIds: [/^a:/] });
});

t.test('a development ticket is refused with the reason of the embedded Steam’s verifier', async (t) => {
  const forged = hexOfBytes(sealWebTicket(webFields(), random.bytes(32)));
  const cases: [reason: string, credential: Credential][] = [
    ['expired', embeddedTicket({ issuedAt: NOW - 700, expiresAt: NOW - 1 })],
    ['not-yet-valid', embeddedTicket({ issuedAt: NOW + 61 })],
    ['other-identity', embeddedTicket({ identity: 'a shop' })],
    ['forged', webTicket(forged)],
    ['not-embedded', webTicket('14'.repeat(100))],
    ['malformed', webTicket('14')],
    ['malformed', webTicket('no hexadecimal')],
  ];
  for (const [reason, credential] of cases) {
    t.match(await judge({ development: true }, credential), { code: 'ticket-refused', reason, wanted: /./ });
  }
});

t.test('with both, Steam is asked only about tickets that are not the embedded Steam’s', async (t) => {
  const web = new FakeWeb();
  const both = { development: true, webTickets: web.tickets(), appTickets };
  t.match(await judge(both, webTicket('14'.repeat(100))), { kind: 'admitted', onceIds: [/^w:/] });
  t.equal(web.sent.length, 1);
  t.match(await judge(both, embeddedTicket()), { kind: 'admitted', onceIds: [/^d:/] });
  t.match(await judge(both, embeddedTicket({ identity: 'a shop' })), { reason: 'other-identity' });
  t.equal(web.sent.length, 1);
  t.match(await judge(both, appTicket(DEV.encryptedAppTicket)), { kind: 'admitted' });
  t.match(await judge(both, appTicket(APP_KEY)), { reason: 'not-proof' });
  const trustingBoth = { ...both, appTickets: trusting };
  t.match(await judge(trustingBoth, appTicket(APP_KEY)), { kind: 'admitted' });
  t.match(await judge(trustingBoth, appTicket(random.bytes(32))), { reason: 'undecipherable' });
});

t.test('an internal failure becomes a verdict that refuses and quotes nothing', async (t) => {
  const secret = 'sesame-open';
  const fail = (): never => {
    throw new Error(`it was ${secret}`);
  };
  const judges: Judges = {
    tokens: { verify: async () => fail() },
    webTickets: { judge: fail },
    appTickets: { judge: fail, alone: 'trust-forgeable' },
    development: false,
  };
  const odd = [
    token(),
    webTicket(secret),
    appTicket(APP_KEY),
    { kind: 'password' } as unknown as Credential,
    null as unknown as Credential,
  ];
  for (const credential of odd) {
    const verdict = await judge(judges, credential);
    t.match(verdict, { kind: 'denied', code: 'admission-unavailable', reason: 'failed' });
    t.notMatch(JSON.stringify(verdict), secret);
  }
  const late = await judge({ tokens: verifier }, token(), null, Number.NaN);
  t.match(late, { code: 'admission-unavailable', reason: 'failed' }, 'an invalid time');
  const broken = { ...appTicket(APP_KEY), nonce: 'none' } as Credential;
  t.match(await judge({ appTickets: trusting }, broken), { code: 'admission-unavailable', reason: 'failed' });
});
