/** Texts of errors: there is always one, whatever was thrown. */

import t from 'tap';
import { connectError } from '../../client/transport/upgrade_refusal.js';
import { messageOf, systemReason } from '../../voice/error.js';

/** As Node throws where a name has several addresses and none of them answered: with a code and no message. */
function noneAnswered(...failures: readonly [code: string, address: string][]): AggregateError {
  const errors = failures.map(([code, at]) => Object.assign(new Error(`connect ${code} ${at}`), { code }));
  return Object.assign(new AggregateError(errors), { code: failures[0]![0] });
}

t.test('several addresses that all failed are one error with the reasons of each', async (t) => {
  const unknown = noneAnswered(['EPIPE', '[2001:db8::1]:7800'], ['ECONNABORTED', '192.0.2.1:7800']);
  t.equal(messageOf(unknown), 'connect EPIPE [2001:db8::1]:7800; connect ECONNABORTED 192.0.2.1:7800');
  const { message } = connectError(new URL('ws://relay.example:7800'), unknown);
  t.equal(message, `Cannot connect to ws://relay.example:7800/: ${messageOf(unknown)}`);
});

t.test('of many addresses, the first four reasons are told, each once', async (t) => {
  const codes = ['A', 'A', 'B', 'C', 'D', 'E'] as const;
  const many = noneAnswered(...codes.map((code) => [code, 'there'] as [string, string]));
  t.equal(messageOf(many), ['A', 'B', 'C', 'D'].map((code) => `connect ${code} there`).join('; '));
});

t.test('an error without a message is told by its code, or by its name', async (t) => {
  t.equal(messageOf(Object.assign(new Error(''), { code: 'EPIPE' })), 'EPIPE');
  t.equal(messageOf(new RangeError('')), 'RangeError');
  t.equal(messageOf(new AggregateError([])), 'AggregateError');
  t.equal(messageOf(new AggregateError([new Error(''), 'text'])), 'Error; text');
  t.equal(messageOf('text'), 'text');
});

t.test('what a network commonly refuses with is told in words', async (t) => {
  for (const [code, words] of [
    ['ETIMEDOUT', 'there is no answer'],
    ['EHOSTUNREACH', 'there is no route to it'],
    ['ENETUNREACH', 'there is no route to it'],
    ['EMFILE', 'this process has too many files open'],
  ] as const) {
    t.equal(systemReason(noneAnswered([code, 'there'])), `${words} (${code})`);
  }
});
