/**
 * The mute rule, in every state that a few people can bring a relay into: whoever is muted is not heard, whatever they do.
 *
 * And with it in each of these states: who is subscribed to what is who may hear it, everybody believes what is so, nobody is told
 * anything behind their close, and nobody is in who is banned. `HOTMIC_WHOLE=1` goes on until there is no other state, where that
 * is a matter of minutes.
 */

import t from 'tap';
import {
  explore,
  OPERATIONS,
  type OperationName,
  operationsOf,
  type Plan,
  type Seat,
} from './exploration.js';
import type { ModelRights } from './model_state.js';

// By the clock, on a machine that does much else.
t.setTimeout(3_600_000);

const IS_WHOLE = process.env.HOTMIC_WHOLE === '1';
/** Longer than any sequence. */
const NO_END = 100;
/** So many states all of them have to have found. */
const WANTED_STATES = 50_000;

const MODERATOR: ModelRights = {
  maySpeak: true,
  mayListen: true,
  moderator: true,
  priority: false,
  channels: 'any',
};
const ONE: Seat = { account: 1, lobby: 'den', rights: MODERATOR };
const OTHER: Seat = { account: 2, lobby: 'den' };
const THIRD: Seat = { account: 3, lobby: 'den' };
const OTHER_ELSEWHERE: Seat = { account: 2, lobby: 'attic' };

const EVERYWHERE: readonly OperationName[] = ['muteEverywhere', 'unmuteEverywhere'];
const COME_AND_GO: readonly OperationName[] = ['join', 'leave', 'drop', 'resume', 'resumeByOld'];
const MUTED: readonly OperationName[] = ['speak', 'mute', 'unmute'];
const BANNED: readonly OperationName[] = ['ban', 'unban'];
const DEAFENED: readonly OperationName[] = ['deafen', 'undeafen'];
const CHANNELS: readonly OperationName[] = ['enterChannel', 'leaveChannel', 'speakToChannel'];

function plan(seats: readonly Seat[], names: readonly OperationName[], depth: number): Plan {
  return { seats, operations: operationsOf(seats, names), depth };
}

const PLANS: Readonly<Record<string, Plan>> = {
  'three people, and all that anybody can do': {
    ...plan(
      [ONE, OTHER, THIRD],
      (Object.keys(OPERATIONS) as OperationName[]).filter((name) => !EVERYWHERE.includes(name)),
      6,
    ),
    alike: [1, 2],
  },
  'two people, one of them in two lobbies, and mutes in one or in all': plan(
    [ONE, OTHER, OTHER_ELSEWHERE],
    ['join', 'leave', 'drop', 'resume', ...MUTED, ...EVERYWHERE],
    6,
  ),
  'two people who come and go and are muted, in every state that there is': plan(
    [ONE, OTHER],
    [...COME_AND_GO, ...MUTED, 'rename'],
    NO_END,
  ),
  ...(IS_WHOLE && {
    'two people who are muted, deafened and banned, in every state that there is': plan(
      [ONE, OTHER],
      [...COME_AND_GO, ...MUTED, ...DEAFENED, ...BANNED, 'rename', 'kick'],
      NO_END,
    ),
    'two people in a channel and out of it, in every state that there is': plan(
      [ONE, OTHER],
      [...COME_AND_GO, ...MUTED, ...DEAFENED, ...CHANNELS],
      NO_END,
    ),
  }),
};

let states = 0;

for (const [who, explored] of Object.entries(PLANS)) {
  t.test(`nobody who is muted is heard: ${who}`, async (t) => {
    const result = explore(explored);
    states += result.states;
    const reach = result.isWhole
      ? `all that there are, the last after ${result.depth} operations`
      : `all within ${explored.depth} operations`;
    t.comment(`${result.states} states, ${result.transitions} transitions: ${reach}`);
    t.equal(result.violation, null);
    if (explored.depth === NO_END) t.ok(result.isWhole, 'there is no other state');
  });
}

t.test(`it was tried in more than ${WANTED_STATES} states`, async (t) => {
  t.ok(states > WANTED_STATES, `${states} states`);
});
