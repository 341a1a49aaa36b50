/** Steam's tickets that are forged, used up, or meant for something else; and a Steam that is down or hostile itself. */

import { personSteamId } from '../../voice/steam_id.js';
import { bytesOfHex, hexOfBytes } from '../kit/hex.js';
import type { FakeTicket, FakeTrouble } from '../relay/admission/steam_web/fake_web_api.js';
import { FORGERIES, type Forgery } from '../tickets/forgeries.js';
import { type Answer, type Attack, ended, refused, times } from './attack.js';
import { tryHello, VICTIM } from './attacks_tokens.js';
import type { Field } from './field.js';
import type { Wire } from './wire.js';

function webTicket(
  name: string,
  reason: string,
  about: (field: Field) => FakeTicket | null,
  hello: object = { steamId: VICTIM },
): Attack {
  return {
    name,
    answers: [refused('ticket-refused', reason)],
    run: async (field) => {
      const ticket = field.hex(64);
      const known = about(field);
      if (known) field.api.admit(ticket, known);
      return [await tryHello(field, { ...hello, ticket })];
    },
  };
}

interface Challenged {
  readonly wire: Wire;
  readonly nonce: Buffer;
  /** Whom the token beside the app ticket names. */
  readonly steamId: string;
  /** Says hello with the token and this app ticket. */
  readonly say: (appTicket: string) => void;
}

/** Asks for a challenge, with a good token of the attacker's own; gives its connection and nonce. */
async function challenged(field: Field): Promise<Challenged> {
  const wire = await field.socket();
  const lobby = field.lobby();
  const steamId = String(personSteamId(field.account()));
  const token = await field.token({ lobby, steamId });
  const hello = { type: 'hello', versions: [1], lobby, name: 'x', token };
  wire.send({ ...hello, appTicket: 'request' });
  const { nonce } = await wire.message('challenge');
  const say = (appTicket: string) => wire.send({ ...hello, appTicket });
  return { wire, nonce: Buffer.from(nonce, 'hex'), steamId, say };
}

function appTicket(
  name: string,
  reason: string,
  make: (field: Field, nonce: Buffer, steamId: bigint) => string,
): Attack {
  return {
    name,
    answers: [refused('ticket-refused', reason)],
    run: async (field) => {
      const { wire, nonce, steamId, say } = await challenged(field);
      say(make(field, nonce, BigInt(steamId)));
      return [await ended(wire)];
    },
  };
}

/** Shown without a token or a web ticket. */
async function aloneAnswer(field: Field, make: (nonce: Buffer) => string): Promise<Answer> {
  const wire = await field.socket();
  const hello = { type: 'hello', versions: [1], lobby: 'arena', name: 'x' };
  wire.send({ ...hello, appTicket: 'request' });
  const { nonce } = await wire.message('challenge');
  wire.send({ ...hello, appTicket: make(Buffer.from(nonce, 'hex')) });
  return await ended(wire);
}

function steamTrouble(name: string, reason: string, trouble: FakeTrouble): Attack {
  return {
    name,
    answers: [refused('admission-unavailable', reason)],
    run: async (field) => {
      field.api.trouble = trouble;
      try {
        return [await tryHello(field, { steamId: VICTIM, ticket: field.hex(64) })];
      } finally {
        field.api.trouble = null;
      }
    },
  };
}

/** Forged with nothing but the attacker's own genuine ticket: it names the victim, and holds this connection's nonce. */
function forgedAppTicket({ name, forge }: Forgery): Attack {
  return {
    name: `an app ticket forged from one’s own: ${name}`,
    answers: [refused('ticket-refused', 'not-proof')],
    run: async (field) => {
      const steam = (userData: Uint8Array) => bytesOfHex(field.appTicket(userData));
      const victim = field.ownership({ steamId: BigInt(VICTIM) });
      const answers = times(40, null).map(() =>
        aloneAnswer(field, (nonce) => field.secret(hexOfBytes(forge(steam, nonce, victim)))),
      );
      return await Promise.all(answers);
    },
  };
}

const seconds = () => Math.floor(Date.now() / 1000);

export const TICKET_ATTACKS: readonly Attack[] = [
  webTicket('a web ticket that Steam does not know', 'invalid-ticket', () => null),
  webTicket('a web ticket for another identity', 'invalid-ticket', () => ({
    steamId: VICTIM,
    identity: 'a shop',
  })),
  webTicket('a web ticket for another app', 'other-app', () => ({ steamId: VICTIM, appId: 730 })),
  webTicket('a web ticket of somebody else', 'other-steam-id', () => ({ steamId: '76561197960265730' })),
  webTicket('a web ticket of a player whom VAC banned', 'vac-banned', () => ({
    steamId: VICTIM,
    vacBanned: true,
  })),
  webTicket('a web ticket of a player whom the publisher banned', 'publisher-banned', () => ({
    steamId: VICTIM,
    publisherBanned: true,
  })),
  webTicket('a web ticket of a game server', 'no-person', () => ({ steamId: '90071992547409920' }), {}),
  {
    name: 'a web ticket a second time: in other case, for another lobby, from two connections at once',
    answers: [refused('ticket-refused', 'used')],
    run: async (field) => {
      const steamId = String(personSteamId(field.account()));
      const ticket = field.hex(64);
      field.api.admit(ticket, { steamId });
      const first = await field.socket();
      first.send({ type: 'hello', versions: [1], lobby: field.lobby(), name: 'x', steamId, ticket });
      field.secret((await first.message('welcome')).resume.secret);
      return [
        await tryHello(field, { steamId, ticket }),
        await tryHello(field, { ticket: ticket.toUpperCase() }),
        ...(await Promise.all(times(2, null).map(() => tryHello(field, { lobby: field.lobby(), ticket })))),
      ];
    },
  },
  {
    name: 'tickets that are not hexadecimal, odd, empty, or too long',
    answers: [refused('message-malformed')],
    run: async (field) => {
      const got: Answer[] = [];
      for (const ticket of ['', '1', 'zz', '0x1400', '14 00', '14'.repeat(2561), 'request', 1400]) {
        got.push(await tryHello(field, { ticket }));
      }
      return got;
    },
  },
  {
    name: 'an app ticket without a challenge',
    answers: [refused('ticket-refused', 'no-challenge')],
    run: async (field) => [await tryHello(field, { appTicket: field.appTicket(Buffer.alloc(16)) })],
  },
  appTicket(
    'an app ticket with the nonce of another connection, or without one',
    'other-nonce',
    (field, _, steamId) => field.appTicket(Buffer.alloc(16, 7), { steamId }),
  ),
  appTicket('an app ticket under another key', 'undecipherable', (field, nonce) =>
    field.appTicket(nonce, {}, Buffer.alloc(32, 9)),
  ),
  appTicket('an app ticket for another app', 'other-app', (field, nonce) =>
    field.appTicket(nonce, { appId: 730 }),
  ),
  appTicket('an old app ticket', 'expired', (field, nonce) =>
    field.appTicket(nonce, { generatedAt: seconds() - 301 }),
  ),
  appTicket('an app ticket from the future', 'not-yet-valid', (field, nonce) =>
    field.appTicket(nonce, { generatedAt: seconds() + 120 }),
  ),
  appTicket('random bytes as an app ticket', 'malformed', (field) => field.hex(16).repeat(8)),
  appTicket('an app ticket with one bit changed', 'undecipherable', (field, nonce) => {
    const bytes = Buffer.from(field.appTicket(nonce), 'hex');
    bytes[bytes.length - 30]! ^= 1;
    return field.secret(bytes.toString('hex'));
  }),
  appTicket('an app ticket of somebody else, beside one’s own token', 'other-steam-id', (field, nonce) =>
    field.appTicket(nonce, { steamId: BigInt(VICTIM) }),
  ),
  {
    name: 'a genuine app ticket, with nothing beside it',
    answers: [refused('ticket-refused', 'not-proof')],
    run: async (field) => [await aloneAnswer(field, (nonce) => field.appTicket(nonce))],
  },
  ...FORGERIES.map(forgedAppTicket),
  {
    name: 'an app ticket a second time',
    answers: [refused('ticket-refused', 'other-nonce')],
    run: async (field) => {
      const first = await challenged(field);
      const ticket = field.appTicket(first.nonce, { steamId: BigInt(first.steamId) });
      first.say(ticket);
      field.secret((await first.wire.message('welcome')).resume.secret);
      const second = await challenged(field);
      second.say(ticket);
      return [await ended(second.wire)];
    },
  },
  steamTrouble('a web ticket while Steam’s web API is down', 'steam-down', { status: 503 }),
  steamTrouble('an answer of Steam’s that unpacks to 64 MB', 'answer-strange', 'bomb'),
  steamTrouble('an answer of Steam’s that never ends', 'answer-strange', 'endless'),
  steamTrouble(
    'an answer of Steam’s that sends the relay, and the publisher key, elsewhere',
    'answer-strange',
    'redirect',
  ),
];
