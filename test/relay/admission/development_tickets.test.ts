/** Tickets in the hello: a relay in development judges the embedded Steam's, each good once, and tells nobody what it held. */

import t from 'tap';
import { EmbeddedSteam } from '../../../native/embedded/steam.js';
import { judgeDevelopmentTicket } from '../../../relay/admission/development_tickets.js';
import type { RelayOutput } from '../../../relay/core/io.js';
import { DEVELOPMENT_SECRET, developmentKeys } from '../../../tickets/development.js';
import { MAX_TICKET_BYTES as LONGEST_SESSION_TICKET } from '../../../tickets/session_ticket.js';
import { sealWebTicket, type WebTicketFields } from '../../../tickets/web_ticket.js';
import {
  type ClientMessage,
  MAX_CONTROL_BYTES,
  MAX_TICKET_BYTES,
  TICKET_IDENTITY,
} from '../../../voice/control.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { hexOfBytes } from '../../kit/hex.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { Bench, bytesOf, deeds, helloOf, refusalOf, slotOf, tellsOf } from '../kit.js';

const random = new SeededRandom(SEED);
const NOW = 2_000_000_000;
const KEYS = developmentKeys();

/** A web ticket of the person with this account, as text. */
function ticketOf(account: number, changed: Partial<WebTicketFields> = {}, key = KEYS.webTicket): string {
  const fields = {
    steamId: personSteamId(account),
    appId: 480,
    identity: 'hotmic',
    issuedAt: NOW,
    expiresAt: NOW + 600,
    nonce: random.bytes(16),
    ...changed,
  };
  return hexOfBytes(sealWebTicket(fields, key));
}

/** A relay in development: what a hello brings is judged at once. */
class TicketBench extends Bench {
  override text(connection: number, message: ClientMessage | string | Uint8Array): readonly RelayOutput[] {
    const outputs = super.text(connection, message);
    const [judge] = outputs;
    if (judge?.kind !== 'judge') return outputs;
    if (judge.credential.kind !== 'web-ticket') throw new Error('it is no web ticket');
    const { ticket } = judge.credential;
    return this.judged(connection, judgeDevelopmentTicket(ticket, judge.steamId, this.unixSeconds));
  }
}

t.comment(`seed ${SEED}`);

t.test('a valid ticket admits its player', async (t) => {
  const bench = new TicketBench();
  bench.connect(1);
  t.equal(slotOf(bench.text(1, { ...helloOf(1), ticket: ticketOf(1) })), 0);
  bench.connect(2);
  t.equal(slotOf(bench.text(2, { ...helloOf(2), ticket: ticketOf(2).toUpperCase() })), 1, 'in capitals too');
});

t.test('each bad ticket is refused with its reason, and closes with 4009', async (t) => {
  const steam = new EmbeddedSteam({ steamId: personSteamId(9) });
  t.teardown(() => steam.close());
  const cases: [reason: string, ticket: string][] = [
    ['malformed', ticketOf(9).slice(0, -2)],
    ['malformed', hexOfBytes(random.bytes(15))],
    ['not-embedded', hexOfBytes(random.bytes(300))],
    ['not-embedded', hexOfBytes(steam.getAuthSessionTicket(0n).buffer)],
    ['forged', ticketOf(9, {}, developmentKeys(random.bytes(16)).webTicket)],
    ['forged', ticketOf(9, {}, KEYS.gameConnection)],
    ['not-yet-valid', ticketOf(9, { issuedAt: NOW + 61, expiresAt: NOW + 600 })],
    ['expired', ticketOf(9, { issuedAt: NOW - 600, expiresAt: NOW })],
    ['other-identity', ticketOf(9, { identity: 'another service' })],
    ['other-steam-id', ticketOf(8)],
  ];
  for (const [reason, ticket] of cases) {
    const bench = new TicketBench();
    bench.connect(9);
    const outputs = bench.text(9, { ...helloOf(9), ticket });
    t.equal(refusalOf(outputs), 'ticket-refused', reason);
    const [, message] = tellsOf(outputs)[0] ?? [];
    t.match(message, { message: new RegExp(`the ticket is refused \\(${reason}\\), expected `) });
    t.match(deeds(outputs), [
      { kind: 'tell' },
      { kind: 'close', connection: 9, code: 4009, reason: 'ticket-refused' },
    ]);
    t.equal(bench.relay.counts().refusals['ticket-refused'], 1);
    t.equal(bench.relay.counts().lobbies, 0, 'no lobby was made for it');
    t.notOk(JSON.stringify(outputs).includes(ticket.slice(0, 16)), 'none of it is sent or logged');
  }
});

t.test('a ticket for any app is accepted', async (t) => {
  const bench = new TicketBench();
  bench.connect(1);
  t.equal(refusalOf(bench.text(1, { ...helloOf(1), ticket: ticketOf(1, { appId: 12 }) })), null);
});

t.test('a ticket joins once, in any lobby, even after its player left', async (t) => {
  const bench = new TicketBench();
  const ticket = ticketOf(1);
  bench.connect(1);
  t.equal(refusalOf(bench.text(1, { ...helloOf(1), ticket })), null);
  bench.text(1, { type: 'leave' });
  for (const lobby of ['den', 'attic']) {
    const connection = lobby.length;
    bench.connect(connection);
    const outputs = bench.text(connection, { ...helloOf(1, lobby), ticket });
    t.match(tellsOf(outputs)[0]?.[1], { code: 'ticket-refused', message: /\(used\)/ });
  }
  bench.connect(7);
  t.equal(refusalOf(bench.text(7, { ...helloOf(1), ticket: ticketOf(1) })), null, 'a new one joins');
});

t.test('a ticket is not used up by a hello that fails for another reason', async (t) => {
  const bench = new TicketBench({ participantsPerLobby: 1 });
  const ticket = ticketOf(1);
  bench.join(2);
  bench.connect(1);
  t.equal(refusalOf(bench.text(1, { ...helloOf(1), ticket })), 'lobby-full');
  bench.connect(3);
  t.equal(refusalOf(bench.text(3, { ...helloOf(1, 'attic'), ticket })), null);
});

t.test(
  'a hello with the longest ticket is accepted; a longer or non-hexadecimal one is malformed',
  async (t) => {
    const longest = 'ab'.repeat(MAX_TICKET_BYTES);
    const wide = {
      ...helloOf(9),
      lobby: '語'.repeat(64),
      name: '語'.repeat(64),
      versions: new Array(16).fill(1),
    };
    t.ok(bytesOf({ ...wide, ticket: longest }).length <= MAX_CONTROL_BYTES, 'there is room for it');
    t.equal(MAX_TICKET_BYTES, LONGEST_SESSION_TICKET, 'it is as long as Steam’s may be');
    const cases: [code: string, ticket: unknown][] = [
      ['ticket-refused', longest],
      ['message-malformed', `${longest}ab`],
      ['message-malformed', ''],
      ['message-malformed', 'abc'],
      ['message-malformed', 'secret'],
      ['message-malformed', 5],
      ['message-malformed', null],
    ];
    for (const [code, ticket] of cases) {
      const bench = new TicketBench();
      bench.connect(9);
      const outputs = bench.text(9, JSON.stringify({ ...wide, ticket }));
      t.equal(refusalOf(outputs), code, String(ticket).slice(0, 20));
      t.notMatch(JSON.stringify(outputs), /secret|abab/, 'what it held is not told');
    }
  },
);

t.test('the well-known secret is the default one of embedded Steam and relay', async (t) => {
  t.same(developmentKeys(DEVELOPMENT_SECRET), KEYS);
  const steam = new EmbeddedSteam({ steamId: personSteamId(3) }, { unixTime: () => NOW });
  t.teardown(() => steam.close());
  steam.getAuthTicketForWebApi(TICKET_IDENTITY);
  const tickets = steam.runCallbacks().flatMap((event) => {
    return event.signal === 'get_ticket_for_web_api' ? [hexOfBytes(event.keys.ticket_buffer)] : [];
  });
  const bench = new TicketBench();
  bench.connect(3);
  t.equal(tickets.length, 1);
  t.equal(refusalOf(bench.text(3, { ...helloOf(3), ticket: tickets[0] })), null);
});
