/** Text that is not a message, and invalid hellos: JSON of all kinds, versions, wrong order. */

import { type Answer, type Attack, ended, NO_EFFECT, refused, times } from './attack.js';
import { PARTICIPANTS_PER_LOBBY } from './field.js';

const HELLO = { type: 'hello', versions: [1], lobby: 'arena', name: 'x', steamId: '76561197960265729' };
const LONGEST = 8192;

/** Each text alone, as the first. */
function texts(name: string, answer: Answer, all: readonly (string | object)[]): Attack {
  return {
    name,
    answers: [answer],
    run: async (field) => {
      const got: Answer[] = [];
      for (const text of all) {
        const wire = await field.socket();
        wire.send(text);
        got.push(await ended(wire));
      }
      return got;
    },
  };
}

const malformed = (name: string, ...all: readonly (string | object)[]) =>
  texts(name, refused('message-malformed'), all);

export const HELLO_ATTACKS: readonly Attack[] = [
  malformed(
    'text that is not JSON',
    '',
    '{',
    'hello',
    '\u0000',
    '{"type":"hello",}',
    "{'type':'hello'}",
    'NaN',
    '{"a":1}{"b":2}',
  ),
  malformed('JSON that is not an object', 'null', 'true', '1', '""', '[]', '[{"type":"leave"}]'),
  malformed(
    'a JSON bomb: 8 KiB of brackets',
    '['.repeat(LONGEST),
    `${'['.repeat(4000)}${']'.repeat(4000)}`,
    '{"a":'.repeat(1600),
  ),
  malformed('deep nesting in a field', {
    ...HELLO,
    lobby: JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`),
  }),
  malformed(
    'numbers beyond all bounds',
    `{"type":"hello","versions":[1e999],"lobby":"a","name":"x"}`,
    `{"type":"hello","versions":[${'9'.repeat(8000)}],"lobby":"a","name":"x"}`,
    { ...HELLO, versions: [1.5] },
  ),
  malformed('more than 8192 bytes', `${JSON.stringify(HELLO)}${' '.repeat(LONGEST)}`.slice(0, LONGEST + 8)),
  malformed(
    'unknown types',
    {},
    { type: 'admin' },
    { type: 'welcome' },
    { type: 'refused' },
    { type: '__proto__' },
    { type: 'constructor' },
    { type: ['hello'] },
  ),
  {
    name: '__proto__, constructor and duplicate keys',
    answers: [refused('credential-expected')],
    run: async (field) => {
      const got: Answer[] = [];
      const tricks = [
        '"__proto__":{"token":"a.b.c","moderator":true}',
        '"constructor":{"prototype":{"admin":true}}',
        '"type":"leave","type":"hello"',
        '"rights":{"moderator":true},"moderator":true,"maySpeak":true,"slot":0',
      ];
      for (const trick of tricks) {
        const wire = await field.socket();
        wire.send(`{${trick},${JSON.stringify(HELLO).slice(1)}`);
        got.push(await ended(wire));
      }
      return got;
    },
  },
  malformed(
    'names and lobbies with control characters or escapes, empty or too long',
    ...['', '\n', 'a\u001b[2J', 'a\u0000', 'x'.repeat(65), '\u009b1m'].flatMap((label) => [
      { ...HELLO, name: label },
      { ...HELLO, lobby: label },
    ]),
    { ...HELLO, name: 1 },
    { ...HELLO, lobby: null },
  ),
  malformed(
    'malformed SteamIDs',
    ...['0', '-1', '01', '1e3', '0x10', '18446744073709551616', ' 1', '1.0', '9'.repeat(4000)].map(
      (steamId) => ({ ...HELLO, steamId }),
    ),
    { ...HELLO, steamId: 7656119796 },
  ),
  malformed(
    'lists that are too long, or empty',
    { ...HELLO, versions: [] },
    { ...HELLO, versions: times(17, 1) },
    { ...HELLO, versions: {} },
  ),
  texts('unsupported versions', refused('version-unsupported'), [
    { ...HELLO, versions: [0] },
    { ...HELLO, versions: [2, 3, -1, Number.MAX_SAFE_INTEGER] },
  ]),
  texts('commands before the hello', refused('hello-expected'), [
    { type: 'leave' },
    { type: 'rename', name: 'x' },
    { type: 'channels', channels: ['a'] },
    { type: 'whisper', slots: [0] },
    { type: 'moderate', steamId: HELLO.steamId, action: 'ban' },
  ]),
  texts('a hello without a credential, with just a SteamID', refused('credential-expected'), [HELLO]),
  {
    name: 'a second hello, by the same or as somebody else',
    answers: [refused('already-joined')],
    run: async (field) => {
      const got: Answer[] = [];
      for (const steamId of [undefined, '76561197960265730']) {
        const { wire, lobby } = await field.join();
        wire.send({ ...HELLO, lobby, steamId, token: await field.token({ lobby }) });
        got.push(await ended(wire));
      }
      const { wire, resumeSecret } = await field.join();
      wire.send({ type: 'resume', versions: [1], secret: resumeSecret });
      got.push(await ended(wire));
      return got;
    },
  },
  {
    name: 'another hello while the first is being judged',
    answers: [refused('already-joined')],
    run: async (field) => {
      const { wire, lobby } = await field.judging();
      wire.send({ ...HELLO, lobby, token: await field.token({ lobby }) });
      return [await ended(wire)];
    },
  },
  {
    name: 'a thousand hellos in one piece',
    answers: [refused('already-joined')],
    run: async (field) => {
      const wire = await field.socket();
      const token = await field.token();
      wire.socket.cork();
      for (let sent = 0; sent < 1000; sent += 1) wire.send({ ...HELLO, token });
      wire.socket.uncork();
      return [await ended(wire)];
    },
  },
  {
    name: 'one challenge after the other',
    answers: [refused('rate-exceeded')],
    run: async (field) => {
      const wire = await field.socket();
      for (let sent = 0; sent < 200; sent += 1) wire.send({ ...HELLO, appTicket: 'request' });
      return [await ended(wire)];
    },
  },
  {
    name: 'leaving while being judged, before the verdict',
    answers: [NO_EFFECT],
    run: async (field) => {
      const { wire, ticket, steamId } = await field.judging();
      field.api.admit(ticket, { steamId });
      wire.reset();
      await wire.ended();
      return [NO_EFFECT];
    },
  },
  {
    name: 'a flood of messages',
    answers: [refused('rate-exceeded')],
    run: async (field) => {
      const { wire } = await field.join();
      for (let sent = 0; sent < 500; sent += 1) wire.send({ type: 'rename', name: `x${sent}` });
      return [await ended(wire)];
    },
  },
  {
    name: 'one participant more than the lobby admits',
    answers: [refused('lobby-full')],
    run: async (field) => {
      const lobby = field.lobby();
      for (let joined = 0; joined < PARTICIPANTS_PER_LOBBY; joined += 1) await field.join({ lobby });
      const wire = await field.socket();
      wire.send({ ...HELLO, lobby, steamId: undefined, token: await field.token({ lobby }) });
      return [await ended(wire)];
    },
  },
];
