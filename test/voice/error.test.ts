/** Error texts: there is always one, whatever was thrown. */

import t from 'tap';
import { messageOf } from '../../voice/error.js';
import { systemReason } from '../../voice/system_reason.js';

/** As Node throws where a name has several addresses and none of them answered: with a code and no message. */
function noneAnswered(...failures: readonly [code: string, address: string][]): AggregateError {
  const errors = failures.map(([code, at]) => Object.assign(new Error(`connect ${code} ${at}`), { code }));
  return Object.assign(new AggregateError(errors), { code: failures[0]![0] });
}

t.test('several addresses that all failed give one error with the reason of each', async (t) => {
  const unknown = noneAnswered(['EPIPE', '[2001:db8::1]:7800'], ['ECONNABORTED', '192.0.2.1:7800']);
  t.equal(messageOf(unknown), 'connect EPIPE [2001:db8::1]:7800; connect ECONNABORTED 192.0.2.1:7800');
});

t.test('of many addresses, the first four reasons are listed, each once', async (t) => {
  const codes = ['A', 'A', 'B', 'C', 'D', 'E'] as const;
  const many = noneAnswered(...codes.map((code) => [code, 'there'] as [string, string]));
  t.equal(messageOf(many), ['A', 'B', 'C', 'D'].map((code) => `connect ${code} there`).join('; '));
});

t.test('an error without a message is shown by its code, or by its name', async (t) => {
  t.equal(messageOf(Object.assign(new Error(''), { code: 'EPIPE' })), 'EPIPE');
  t.equal(messageOf(new RangeError('')), 'RangeError');
  t.equal(messageOf(new AggregateError([])), 'AggregateError');
  t.equal(messageOf(new AggregateError([new Error(''), 'text'])), 'Error; text');
  t.equal(messageOf('text'), 'text');
});

t.test('what a file system commonly refuses with is put in words', async (t) => {
  for (const [code, words] of [
    ['ENOENT', 'it does not exist'],
    ['EEXIST', 'it already exists'],
    ['EACCES', 'permission denied'],
  ] as const) {
    t.equal(systemReason(Object.assign(new Error('as Node says it'), { code })), `${words} (${code})`);
  }
});

t.test('a code without words keeps the message of the system', async (t) => {
  t.equal(systemReason(Object.assign(new Error('as Node says it'), { code: 'EPIPE' })), 'as Node says it');
  t.equal(systemReason(new Error('no code')), 'no code');
});
