/** Who takes their time: they are waited for as long as the documents say, beside everybody else. */

import { tokenUnder } from '../relay/admission/token_kit.js';
import {
  type Answer,
  type Attack,
  CUT,
  ended,
  http,
  httpOf,
  MALFORMED_REQUEST,
  malformedRequest,
  refused,
  times,
} from './attack.js';
import { type FrameToSend, frameBytes, Opcode, upgradeRequest, type Wire } from './wire.js';

/** Sends a byte at a time until the connection ends. */
async function drip(wire: Wire, bytes: Uint8Array | string, everyMs: number): Promise<void> {
  for (const byte of Buffer.from(bytes)) {
    if (wire.isGone) return;
    wire.write(Uint8Array.of(byte));
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** A hello is due in time, whatever comes instead of it. */
function instead(name: string, send: (wire: Wire) => void): Attack {
  return {
    name,
    answers: [refused('hello-late')],
    run: async (field) => {
      const wire = await field.socket();
      send(wire);
      return [await ended(wire)];
    },
  };
}

export const SLOW_ATTACKS: readonly Attack[] = [
  instead('a silent WebSocket', () => undefined),
  instead('a WebSocket that only pings', (wire) => {
    const timer = setInterval(() => wire.frame({ opcode: Opcode.ping }), 500);
    void wire.ended().finally(() => clearInterval(timer));
  }),
  instead('half a frame, and never the rest', (wire) =>
    wire.write(frameBytes({ payload: 'x'.repeat(100) }).subarray(0, 50)),
  ),
  instead(
    'a hello at one byte per second',
    // Longer than the relay waits, whatever its limit: the frame must not end first.
    (wire) => void drip(wire, frameBytes({ payload: `{"type":"hello"${' '.repeat(100)}` }), 1000),
  ),
  instead('a hello in fragments that never end', (wire) => {
    const open: FrameToSend = { fin: 0, payload: '{' };
    wire.frame(open);
    const timer = setInterval(() => wire.frame({ opcode: Opcode.continuation, fin: 0, payload: ' ' }), 200);
    void wire.ended().finally(() => clearInterval(timer));
  }),
  instead('a challenge, and never the ticket', (wire) =>
    wire.send({ type: 'hello', versions: [1], lobby: 'arena', name: 'x', appTicket: 'request' }),
  ),
  {
    name: 'a token that expires while its player is in the lobby',
    answers: [refused('token-expired')],
    run: async (field) => {
      const lobby = field.lobby();
      // Clocks may differ by 5 s: it is taken, and not for long.
      const expiresAt = Math.floor(Date.now() / 1000) - 2;
      const token = tokenUnder(field.keys.ed, {
        sub: '76561197960265729',
        aud: 'hotmic',
        exp: expiresAt,
        hotmic: { lobby },
      });
      const wire = await field.socket();
      wire.send({ type: 'hello', versions: [1], lobby, name: 'x', token: field.secret(token) });
      field.secret((await wire.message('welcome')).resume.secret);
      return [await ended(wire)];
    },
  },
  {
    name: 'a silent TCP connection',
    answers: [CUT],
    run: async (field) => [httpOf(await (await field.dial()).answer())],
  },
  {
    name: 'a slow handshake: one byte per 3 s (slow loris)',
    answers: [CUT],
    run: async (field) => {
      const from = field.address();
      const got = await Promise.all(
        times(20, null).map(async () => {
          const wire = await field.dial(from);
          const [line = '', ...rest] = upgradeRequest('/').split(/(?<=\r\n)/);
          wire.write(line);
          void drip(wire, rest.join(''), 3000);
          return httpOf(await wire.answer());
        }),
      );
      return got;
    },
  },
  ...(
    [
      ['a request without headers', 'GET / HTTP/1.1\r\n\r\n'],
      ['NULs in a header, and in its name', 'GET / HTTP/1.1\r\nHost: a\r\nX\0: a\0b\r\n\r\n'],
      [
        'folded headers, and headers without a colon',
        'GET / HTTP/1.1\r\nHost: a\r\n folded: a\r\nno colon\r\n\r\n',
      ],
      ['a space before the colon', 'GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n'],
      ['two hundred headers', `GET / HTTP/1.1\r\nHost: a\r\n${'X: a\r\n'.repeat(200)}\r\n`],
    ] as const
  ).map(
    ([name, bytes]): Attack => ({
      name,
      answers: [MALFORMED_REQUEST],
      run: async (field) => {
        const wire = await field.dial();
        wire.write(bytes);
        return [malformedRequest(httpOf(await wire.answer()))];
      },
    }),
  ),
  {
    name: 'half an upgrade, and never the rest',
    answers: [CUT],
    run: async (field) => {
      const wire = await field.dial();
      wire.write(upgradeRequest('/').slice(0, 60));
      return [httpOf(await wire.answer())];
    },
  },
  {
    name: 'a body that is announced and never comes, on the voice port',
    answers: [http(404)],
    run: async (field) => {
      const wire = await field.dial();
      wire.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
      const got: Answer = httpOf(await wire.answer());
      await wire.ended();
      return [got];
    },
  },
  {
    name: 'a keep-alive without a use: an answered request, then silence',
    answers: [http(404)],
    run: async (field) => {
      const wire = await field.dial();
      wire.write('GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n');
      const got = httpOf(await wire.answer());
      await wire.ended();
      return [got];
    },
  },
];
