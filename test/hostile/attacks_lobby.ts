/** What somebody who is in a lobby may not do: moderate, enter, name, and ask without end. They stay, and nothing comes of it. */

import { type Answer, type Attack, ended, failed, NO_EFFECT, refused, times } from './attack.js';
import { CHANNELS_PER_LOBBY, type Joining, MOST_LOBBIES, SANCTIONS_OF_ONE } from './field.js';
import type { Wire } from './wire.js';

/** Each message alone; each fails, and the connection stays. */
function fails(
  name: string,
  answer: Answer,
  joining: Joining,
  messages: (own: { steamId: string; other: string }) => readonly object[],
): Attack {
  return {
    name,
    answers: [answer],
    run: async (field) => {
      const { attacker, witness } = await field.pair(joining);
      const got: Answer[] = [];
      for (const message of messages({ steamId: attacker.steamId, other: witness.steamId })) {
        attacker.wire.send(message);
        got.push(failed((await attacker.wire.message('failed')).code));
      }
      if (!(await witness.wire.fence())) throw new Error('the witness was disconnected');
      return got;
    },
  };
}

function malformed(name: string, messages: readonly object[]): Attack {
  return {
    name,
    answers: [refused('message-malformed')],
    run: async (field) => {
      const got: Answer[] = [];
      for (const message of messages) {
        const { wire } = await field.join({ grant: { moderator: true } });
        wire.send(message);
        got.push(await ended(wire));
      }
      return got;
    },
  };
}

const moderate = (steamId: string, action: string, more: object = {}) => ({
  type: 'moderate',
  steamId,
  action,
  ...more,
});

export const LOBBY_ATTACKS: readonly Attack[] = [
  fails('moderating without being a moderator', failed('not-moderator'), {}, ({ steamId, other }) => [
    ...['mute', 'deafen', 'ban', 'kick', 'prioritize'].map((action) => moderate(other, action)),
    moderate(other, 'move', { channels: ['red'] }),
    moderate(steamId, 'unmute'),
    moderate(steamId, 'prioritize'),
  ]),
  fails(
    'moderating people of another lobby, or nobody at all',
    failed('participant-unknown'),
    { grant: { moderator: true } },
    () => [
      moderate('76561197960265729', 'kick'),
      moderate('76561197960265729', 'move', { channels: ['red'] }),
      moderate('1', 'prioritize'),
    ],
  ),
  {
    name: 'banning somebody from a lobby other than one’s own',
    answers: [NO_EFFECT],
    run: async (field) => {
      const victim = await field.join();
      const attacker = await field.join({ grant: { moderator: true } });
      attacker.wire.send(moderate(victim.steamId, 'ban'));
      await attacker.wire.fence();
      if (!(await victim.wire.fence())) throw new Error('banned from another lobby');
      attacker.wire.send(moderate(victim.steamId, 'unban'));
      await attacker.wire.fence();
      return [NO_EFFECT];
    },
  },
  {
    name: 'filling the relay with bans of absent people',
    answers: [failed('sanctions-full')],
    run: async (field) => {
      const { wire } = await field.join({ grant: { moderator: true } });
      const names = times(SANCTIONS_OF_ONE + 1, 0).map((_, index) =>
        String(76561199000000000n + BigInt(index)),
      );
      for (const name of names) wire.send(moderate(name, 'ban'));
      const { code } = await wire.message('failed');
      for (const name of names) wire.send(moderate(name, 'unban'));
      await wire.fence();
      return [failed(code)];
    },
  },
  malformed('malformed moderation: unknown actions, endless times, no person', [
    moderate('76561197960265729', 'erase'),
    moderate('76561197960265729', '__proto__'),
    moderate('everyone', 'ban'),
    moderate('76561197960265729', 'ban', { seconds: 0 }),
    moderate('76561197960265729', 'ban', { seconds: 1e12 }),
    moderate('76561197960265729', 'mute', { seconds: -1 }),
    moderate('76561197960265729', 'move', {
      channels: times(17, 'a').map((name, index) => `${name}${index}`),
    }),
  ]),
  fails(
    'channels that the token does not allow',
    failed('channel-not-allowed'),
    { grant: { channels: ['red'] } },
    () => [
      { type: 'channels', channels: ['blue'] },
      { type: 'channels', channels: ['red', 'Red'] },
      { type: 'channels', channels: ['__proto__'] },
    ],
  ),
  fails(
    'more channels than a lobby may have',
    failed('channels-full'),
    { grant: { channels: times(CHANNELS_PER_LOBBY + 1, 0).map((_, index) => `c${index}`) } },
    () => [{ type: 'channels', channels: times(CHANNELS_PER_LOBBY + 1, 0).map((_, index) => `c${index}`) }],
  ),
  malformed('malformed channels and whispers', [
    { type: 'channels', channels: ['a', 'a'] },
    { type: 'channels', channels: times(17, 0).map((_, index) => `c${index}`) },
    { type: 'channels', channels: ['\u0007'] },
    { type: 'whisper', slots: times(17, 0).map((_, index) => index) },
    { type: 'whisper', slots: [65_536] },
    { type: 'whisper', slots: [-1] },
    { type: 'whisper', slots: ['0'] },
  ]),
  fails('whispering to unused slots', failed('participant-unknown'), {}, () => [
    { type: 'whisper', slots: [65_535] },
    { type: 'whisper', slots: [0, 4000] },
  ]),
  {
    name: 'making more lobbies than the relay may have',
    answers: [refused('relay-full')],
    run: async (field) => {
      const inside: Wire[] = [];
      try {
        // A lobby of an earlier attack may end in the middle of this, and leave its place to one more.
        while (inside.length < 2 * MOST_LOBBIES) {
          const wire = await field.socket();
          const lobby = field.lobby();
          wire.send({ type: 'hello', versions: [1], lobby, name: 'x', token: await field.token({ lobby }) });
          const isWelcome = await wire.message('welcome').then(
            () => true,
            () => false,
          );
          if (!isWelcome) return [await ended(wire)];
          inside.push(wire);
        }
        return [];
      } finally {
        for (const wire of inside) wire.send({ type: 'leave' });
        await Promise.all(inside.map((wire) => wire.ended()));
      }
    },
  },
  {
    name: 'renaming oneself without end',
    answers: [refused('rate-exceeded')],
    run: async (field) => {
      const { attacker, witness } = await field.pair();
      for (let sent = 0; sent < 200; sent += 1) attacker.wire.send({ type: 'rename', name: `${sent}` });
      const answer = await ended(attacker.wire);
      if (!(await witness.wire.fence())) throw new Error('the witness was disconnected');
      return [answer];
    },
  },
  {
    name: 'entering and leaving channels without end',
    answers: [refused('rate-exceeded')],
    run: async (field) => {
      const { attacker, witness } = await field.pair({ grant: { channels: ['red'] } });
      for (let sent = 0; sent < 200; sent += 1)
        attacker.wire.send({ type: 'channels', channels: sent % 2 ? [] : ['red'] });
      const answer = await ended(attacker.wire);
      if (!(await witness.wire.fence())) throw new Error('the witness was disconnected');
      return [answer];
    },
  },
  {
    name: 'whispering to all, to nobody, and to all again, without end',
    answers: [refused('rate-exceeded')],
    run: async (field) => {
      const { attacker, witness } = await field.pair();
      for (let sent = 0; sent < 200; sent += 1)
        attacker.wire.send({ type: 'whisper', slots: sent % 2 ? [] : [0, 1] });
      const answer = await ended(attacker.wire);
      if (!(await witness.wire.fence())) throw new Error('the witness was disconnected');
      return [answer];
    },
  },
];
