/** Why a connection failed, as the error of the lobby says it. */

import t from 'tap';
import { connectError } from '../../client/transport/upgrade_refusal.js';

const URL_OF_RELAY = new URL('ws://relay.example:7800');

/** As Node throws where a name has several addresses and none of them answered: with a code and no message. */
function noneAnswered(...failures: readonly [code: string, address: string][]): AggregateError {
  const errors = failures.map(([code, at]) => Object.assign(new Error(`connect ${code} ${at}`), { code }));
  return Object.assign(new AggregateError(errors), { code: failures[0]![0] });
}

t.test('what a network commonly refuses with is put in words', async (t) => {
  for (const [code, words] of [
    ['ETIMEDOUT', 'there is no answer'],
    ['EHOSTUNREACH', 'there is no route to the host'],
    ['ENETUNREACH', 'there is no route to the network'],
    ['EMFILE', 'this process has too many files open'],
  ] as const) {
    const { message } = connectError(URL_OF_RELAY, noneAnswered([code, 'there']));
    t.equal(message, `Cannot connect to ws://relay.example:7800/: ${words} (${code})`);
  }
});

t.test('a failure of several addresses without words for it lists the reason of each', async (t) => {
  const unknown = noneAnswered(['EPIPE', '[2001:db8::1]:7800'], ['ECONNABORTED', '192.0.2.1:7800']);
  const { message } = connectError(URL_OF_RELAY, unknown);
  const reasons = 'connect EPIPE [2001:db8::1]:7800; connect ECONNABORTED 192.0.2.1:7800';
  t.equal(message, `Cannot connect to ws://relay.example:7800/: ${reasons}`);
});
