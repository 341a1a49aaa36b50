/** The administrators' stream of updates: a client with a token that lost its mind costs the relay no more than its bounds. */

import net from 'node:net';
import { type Answer, type Attack, NO_EFFECT, times } from './attack.js';
import type { Field } from './field.js';

const problem = (status: number, code: string): Answer => ({ kind: 'http', status, problem: code });
const ended = (why: string): Answer => problem(200, why);

/** Longest wait for an answer, in ms. */
const DEADLINE_MS = 100_000;

/** A stream, by its bytes. */
class Stream {
  readonly socket: net.Socket;
  heard = '';

  constructor({ adminPort, adminToken }: Field) {
    this.socket = net.connect(adminPort, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.on('data', (bytes) => {
      this.heard += bytes.toString();
    });
    this.socket.write(
      [
        'POST /v1/updates HTTP/1.1',
        'Host: relay.test',
        `Authorization: Bearer ${adminToken}`,
        'Content-Type: application/x-ndjson',
        'Transfer-Encoding: chunked',
        '\r\n',
      ].join('\r\n'),
    );
  }

  /** Sends text as one chunk of the body. */
  send(text: string): void {
    this.socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  }

  /** Waits for text among what came back. @throws when the connection ends without it. */
  async hears(pattern: RegExp): Promise<RegExpExecArray> {
    const late = Date.now() + DEADLINE_MS;
    for (;;) {
      const found = pattern.exec(this.heard);
      if (found) return found;
      if (this.socket.destroyed || Date.now() > late)
        throw new Error(`no ${pattern} in ${this.heard.slice(-300)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function streams(
  name: string,
  answers: readonly Answer[],
  run: (open: () => Promise<Stream>, field: Field) => Promise<readonly Answer[]>,
): Attack {
  return {
    name: `admin: ${name}`,
    answers,
    run: async (field) => {
      const victim = await field.join();
      const opened: Stream[] = [];
      /** Waits for a free place: streams of other attacks may still be closing. */
      const open = async () => {
        for (;;) {
          const stream = new Stream(field);
          opened.push(stream);
          const [, status] = await stream.hears(/^HTTP\/1\.1 (\d+) /);
          if (status === '200') return stream;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      };
      try {
        const got = await run(open, field);
        if (!(await victim.wire.fence())) throw new Error('somebody was disconnected');
        return got;
      } finally {
        for (const { socket } of opened) socket.destroy();
      }
    },
  };
}

const KICK = `${JSON.stringify({ operation: 'kick', lobby: 'north', steamId: '76561197960999999' })}\n`;

export const UPDATE_ATTACKS: readonly Attack[] = [
  streams('an update line without end', [ended('line-too-long')], async (open) => {
    const stream = await open();
    for (const piece of times(20, 'x'.repeat(10_000))) stream.send(piece);
    await stream.hears(/"end":"line-too-long"/);
    return [ended('line-too-long')];
  }),
  streams(
    'update lines with huge nesting, of another type, for unknown operations, with forged names',
    [problem(400, 'body-malformed'), problem(422, 'request-invalid')],
    async (open) => {
      const stream = await open();
      const lines = [
        '['.repeat(65_000),
        `${'['.repeat(32_000)}${']'.repeat(32_000)}`,
        `{"operation":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
        'null',
        '"kick"',
        '{"operation":"__proto__"}',
        '{"operation":"drain","body":{"withinMs":0}}',
        '{"operation":"kick","lobby":{"toString":1},"steamId":["76561197960265729"]}',
        '{"__proto__":{"operation":"kick"},"lobby":"north","steamId":"76561197960265729"}',
        '\u0000\u0001',
      ];
      for (const line of lines) stream.send(`${line}\n`);
      await stream.hears(new RegExp(`"number":${lines.length},`));
      return [...stream.heard.matchAll(/"status":(\d+),"code":"([\w-]+)"/g)].map(([, status, code]) =>
        problem(Number(status), code!),
      );
    },
  ),
  streams('more update streams than there may be', [problem(429, 'streams-full')], async (open, field) => {
    const first = await open();
    // One more than there may be, whoever else has a stream.
    const beyond = times(8, field).map((each) => new Stream(each));
    try {
      await Promise.any(beyond.map((stream) => stream.hears(/"code":"streams-full"/)));
    } finally {
      for (const { socket } of beyond) socket.destroy();
    }
    first.send(KICK);
    await first.hears(/"number":1,/);
    return [problem(429, 'streams-full')];
  }),
  streams('an update stream that never reads its answers', [NO_EFFECT], async (open) => {
    const stream = await open();
    stream.socket.pause();
    for (const batch of times(100, KICK.repeat(1000))) stream.send(batch);
    // What the relay and the kernel do not take stays here.
    let before = -1;
    for (let still = 0; still < 40; still = stream.socket.writableLength === before ? still + 1 : 0) {
      before = stream.socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (before === 0) throw new Error('the relay reads a stream that does not read its answers');
    return [NO_EFFECT];
  }),
];

export const SLOW_UPDATE_ATTACKS: readonly Attack[] = [
  streams('an update line of one byte per second', [ended('idle')], async (open) => {
    const stream = await open();
    const drip = setInterval(() => stream.send('x'), 1000);
    try {
      await stream.hears(/"end":"idle"/);
    } finally {
      clearInterval(drip);
    }
    return [ended('idle')];
  }),
];
