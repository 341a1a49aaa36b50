/** WebSocket frames that no library writes, RFC 6455 broken in each of its parts. Each is tried by somebody who is in a lobby. */

import { type Answer, type Attack, CUT, dropped, ended, NO_EFFECT, refused } from './attack.js';
import type { Member } from './field.js';
import { type FrameToSend, frameBytes, Opcode } from './wire.js';

function cuts(name: string, ...variants: readonly (readonly FrameToSend[])[]): Attack {
  return {
    name,
    answers: [CUT],
    run: async (field) => {
      const got: Answer[] = [];
      for (const frames of variants) {
        const { wire } = await field.join();
        for (const frame of frames) wire.frame(frame);
        got.push(await ended(wire));
      }
      return got;
    },
  };
}

/** It is answered as any client is, and stays. */
function stays(name: string, send: (member: Member) => void): Attack {
  return {
    name,
    answers: [NO_EFFECT],
    run: async (field) => {
      const member = await field.join();
      send(member);
      if (!(await member.wire.fence())) throw new Error('the connection ended');
      return [NO_EFFECT];
    },
  };
}

const LEAVE = JSON.stringify({ type: 'leave' });
const { continuation, text, binary, close, ping, pong } = Opcode;

export const WEBSOCKET_ATTACKS: readonly Attack[] = [
  {
    name: 'frames that are not masked',
    answers: [CUT],
    run: async (field) => {
      const { wire } = await field.join();
      wire.frame({ masked: 'unmasked', payload: LEAVE });
      wire.frame({ masked: 'unmasked', payload: LEAVE });
      return [await ended(wire)];
    },
  },
  cuts('reserved bits', ...[1, 2, 3, 4, 7].map((reserved) => [{ reserved, payload: LEAVE }])),
  cuts(
    'undefined opcodes',
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [{ opcode, payload: 'x' }]),
  ),
  cuts(
    'control frames in fragments',
    [{ opcode: ping, fin: 0, payload: 'x' }],
    [{ opcode: close, fin: 0, payload: 'x' }],
  ),
  cuts(
    'control frames of more than 125 bytes',
    [{ opcode: ping, payload: 'x'.repeat(126) }],
    [{ opcode: close, payload: 'x'.repeat(200) }],
  ),
  cuts(
    'a continuation frame without a message',
    [{ opcode: continuation, payload: 'x' }],
    [{ opcode: continuation, fin: 0, payload: 'x' }],
  ),
  cuts('a text within another', [
    { opcode: text, fin: 0, payload: '{' },
    { opcode: text, payload: '{' },
  ]),
  {
    name: 'a voice frame within a text',
    answers: [dropped('frame-too-short')],
    onWs: [CUT],
    run: async (field) => {
      const { wire } = await field.join();
      wire.frame({ opcode: text, fin: 0, payload: '{' });
      wire.frame({ opcode: binary, payload: 'x' });
      return [(await wire.fence()) ? dropped('frame-too-short') : await ended(wire)];
    },
  },
  cuts(
    'huge announced lengths',
    [{ length: { value: 0xffffn, form: 16 } }],
    [{ length: { value: 0x7fff_ffff_ffff_ffffn, form: 64 } }],
    [{ length: { value: 0xffff_ffff_ffff_ffffn, form: 64 } }],
    [{ opcode: binary, length: { value: 8209, form: 16 } }],
  ),
  cuts(
    'a message of more than 8208 bytes',
    [{ opcode: binary, payload: new Uint8Array(8209) }],
    [{ payload: 'x'.repeat(100_000) }],
  ),
  cuts('fragments without end', [
    { opcode: binary, fin: 0, payload: new Uint8Array(4096) },
    { opcode: continuation, fin: 0, payload: new Uint8Array(4096) },
    { opcode: continuation, fin: 0, payload: new Uint8Array(4096) },
  ]),
  cuts(
    'text that is not UTF-8',
    [{ payload: Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d) }],
    [{ payload: Uint8Array.of(0xed, 0xa0, 0x80) }],
    [{ payload: Uint8Array.of(0xc0, 0xaf) }],
  ),
  {
    name: 'close frames with forbidden codes',
    answers: [CUT],
    run: async (field) => {
      const got: Answer[] = [];
      for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 65_535]) {
        const { wire } = await field.join();
        wire.frame({ opcode: close, payload: Uint8Array.of(code >> 8, code & 0xff) });
        const { refused: told } = await wire.ended();
        if (told) throw new Error(`${code}: refused ${told.code}`);
        got.push(CUT);
      }
      return got;
    },
  },
  {
    name: 'a close frame of one byte, and a thousand close frames',
    answers: [CUT],
    run: async (field) => {
      const one = await field.join();
      one.wire.frame({ opcode: close, payload: Uint8Array.of(3) });
      await one.wire.ended();
      const many = await field.join();
      for (let sent = 0; sent < 1000; sent += 1)
        many.wire.frame({ opcode: close, payload: Uint8Array.of(3, 232) });
      await many.wire.ended();
      return [CUT, CUT];
    },
  },
  {
    name: 'a connection that only one side closes, before and after the hello',
    answers: [CUT],
    run: async (field) => {
      const before = await field.socket();
      const after = await field.join();
      const got: Answer[] = [];
      for (const wire of [before, after.wire]) {
        wire.socket.end();
        got.push(await ended(wire));
      }
      return got;
    },
  },
  ...(
    [
      ['a flood of 20,000 pings', ping],
      ['a flood of 20,000 pongs', pong],
    ] as const
  ).map(
    ([name, opcode]): Attack => ({
      name,
      answers: [refused('rate-exceeded')],
      run: async (field) => {
        const { wire } = await field.join();
        const flood = frameBytes({ opcode, payload: 'x'.repeat(8) });
        for (let sent = 0; sent < 20_000; sent += 1) wire.write(flood);
        return [await ended(wire)];
      },
    }),
  ),
  stays('pongs that nobody asked for', ({ wire }) => {
    for (let sent = 0; sent < 1000; sent += 1) wire.frame({ opcode: pong, payload: 'x' });
  }),
  stays('a message in a hundred fragments, with pings between, some of no bytes', ({ wire }) => {
    const message = JSON.stringify({ type: 'rename', name: 'x'.repeat(50) });
    wire.frame({ fin: 0, payload: message.slice(0, 1) });
    for (let at = 1; at < message.length - 1; at += 1) {
      wire.frame({ opcode: continuation, fin: 0, payload: message.slice(at, at + 1) });
      wire.frame({ opcode: ping, payload: 'x' });
      wire.frame({ opcode: continuation, fin: 0 });
    }
    wire.frame({ opcode: continuation, payload: message.slice(-1) });
  }),
  stays('a length in a longer form than necessary', ({ wire }) => {
    const payload = JSON.stringify({ type: 'rename', name: 'somebody' });
    wire.frame({ payload, length: { value: payload.length, form: 64 } });
    wire.frame({ payload, length: { value: payload.length, form: 16 } });
  }),
];
