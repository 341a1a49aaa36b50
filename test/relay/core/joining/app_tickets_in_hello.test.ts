/** App tickets in a hello: beside which proof they are judged, and what a relay says that reads none. */

import t from 'tap';
import type { Admitted } from '../../../../relay/core/credential.js';
import { admittedOf, Bench, helloOf, refusalOf, slotOf, steamIdOf, TOKEN, tellsOf } from '../../kit.js';

const APP_TICKET = 'ab12';
const WEB_TICKET = 'cd34';

function benchOf(appTickets: 'judged' | 'nobody'): Bench {
  const bench = new Bench({}, { unproven: 'refuse', appTickets });
  bench.connect(1);
  return bench;
}

/** A relay that has given connection 1 a nonce. */
function challenged(): { bench: Bench; nonce: string } {
  const bench = benchOf('judged');
  const outputs = bench.text(1, { ...helloOf(1), token: TOKEN, appTicket: 'request' });
  const [[, message] = []] = tellsOf(outputs);
  if (message?.type !== 'challenge') throw new Error('there is no challenge');
  return { bench, nonce: message.nonce };
}

t.test('a token beside the request is not judged yet, and both are judged together', async (t) => {
  const { bench, nonce } = challenged();
  t.equal(bench.relay.counts().participants, 0);
  const appTicket = { kind: 'app-ticket', ticket: APP_TICKET, nonce } as const;
  const proof = { kind: 'token', token: TOKEN } as const;
  const credential = { kind: 'proof-and-app-ticket', proof, appTicket } as const;
  const outputs = bench.text(1, { ...helloOf(1), token: TOKEN, ticket: WEB_TICKET, appTicket: APP_TICKET });
  t.same(
    outputs,
    [{ kind: 'judge', connection: 1, credential, steamId: steamIdOf(1) }],
    'the token, not the web ticket',
  );
  t.equal(slotOf(bench.judged(1, admittedOf(1))), 0);
});

t.test('with a web ticket, and alone, an app ticket goes to the judge', async (t) => {
  const besideWeb = challenged();
  const beside = besideWeb.bench.text(1, { ...helloOf(1), ticket: WEB_TICKET, appTicket: APP_TICKET });
  t.match(beside, [
    { credential: { kind: 'proof-and-app-ticket', proof: { kind: 'web-ticket', ticket: WEB_TICKET } } },
  ]);
  const alone = challenged();
  const outputs = alone.bench.text(1, { ...helloOf(1), appTicket: APP_TICKET });
  t.match(outputs, [{ credential: { kind: 'app-ticket', ticket: APP_TICKET, nonce: alone.nonce } }]);
});

t.test('without a challenge an app ticket is refused even with a token', async (t) => {
  const outputs = benchOf('judged').text(1, { ...helloOf(1), token: TOKEN, appTicket: APP_TICKET });
  t.equal(refusalOf(outputs), 'ticket-refused');
  t.match(tellsOf(outputs)[0]?.[1], { message: /\(no-challenge\)/ });
});

t.test(
  'a relay that does not judge app tickets judges the proof sent with one, and refuses one alone',
  async (t) => {
    for (const appTicket of ['request', APP_TICKET] as const) {
      const beside = benchOf('nobody').text(1, { ...helloOf(1), token: TOKEN, appTicket });
      t.match(beside, [{ kind: 'judge', credential: { kind: 'token' } }]);
      const alone = benchOf('nobody').text(1, { ...helloOf(1), appTicket });
      t.match(tellsOf(alone)[0]?.[1], { code: 'ticket-refused', message: /\(not-judged-here\)/ });
    }
  },
);

t.test(
  'both that are good once are used up together, and what is refused names the one that it is',
  async (t) => {
    const join = (onceIds: readonly string[], bench: Bench, connection: number) => {
      if (connection > 1) bench.connect(connection);
      bench.text(connection, { ...helloOf(connection), token: TOKEN });
      const changed: Partial<Admitted> = { onceIds };
      return bench.judged(connection, admittedOf(connection, changed));
    };
    const bench = benchOf('nobody');
    t.equal(slotOf(join(['w:1', 'a:1'], bench, 1)), 0);
    for (const [connection, id] of [
      [2, 'w:1'],
      [3, 'a:1'],
    ] as const) {
      const outputs = join([id, 'x:1'], bench, connection);
      t.match(tellsOf(outputs)[0]?.[1], {
        code: 'ticket-refused',
        message: /the ticket is refused \(used\)/,
      });
    }
    t.equal(slotOf(join(['x:1'], bench, 4)), 1, 'a refused ticket is not used up');
    const { bench: another } = challenged();
    another.text(1, { ...helloOf(1), token: TOKEN, appTicket: APP_TICKET });
    const denied = { kind: 'denied', code: 'ticket-refused', reason: 'other-nonce', wanted: 'x' } as const;
    t.match(tellsOf(another.judged(1, denied))[0]?.[1], { message: /the ticket is refused \(other-nonce\)/ });
  },
);
