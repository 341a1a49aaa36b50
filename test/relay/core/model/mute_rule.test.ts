/**
 * The mute rule, in every state that a few people can bring a relay into: a muted participant is not heard, whatever they do.
 *
 * Checked along with it in each state: subscriptions match what may be heard, clients believe the truth, no connection gets messages
 * after its close, and no banned player is in a lobby. `HOTMIC_WHOLE=1` (`make explore`) explores three people one operation deeper, and
 * two people until there are no further states.
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

// Wall time, on a busy machine.
t.setTimeout(3_600_000);

const IS_WHOLE = process.env.HOTMIC_WHOLE === '1';
/** Longer than any sequence. */
const NO_END = 100;
/** How many operations deep three people are explored. The sixth takes four minutes of a processor. */
const THREE_PEOPLE_DEPTH = IS_WHOLE ? 6 : 5;
/** How deep two people are explored whose states are many: all of them take minutes. */
const MANY_STATES_DEPTH = IS_WHOLE ? NO_END : 7;
/** The number of states to find at least, over all plans. */
const WANTED_STATES = IS_WHOLE ? 50_000 : 20_000;

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
/** Somebody who may not speak: counted and not listed where listeners have no share of the places. */
const LISTENER: Seat = {
  account: 2,
  lobby: 'den',
  rights: { ...MODERATOR, maySpeak: false, moderator: false },
};
const OTHER_ELSEWHERE: Seat = { account: 2, lobby: 'attic' };

const EVERYWHERE: readonly OperationName[] = ['muteEverywhere', 'unmuteEverywhere'];
const COME_AND_GO: readonly OperationName[] = ['join', 'leave', 'drop', 'resume', 'resumeByOld'];
const MUTED: readonly OperationName[] = ['speak', 'mute', 'unmute'];
const BANNED: readonly OperationName[] = ['ban', 'unban'];
const DEAFENED: readonly OperationName[] = ['deafen', 'undeafen'];
const RECORDED: readonly OperationName[] = ['record', 'recordNoMore'];
/** No listener is listed, and two find room. */
const ALL_UNLISTED = { listenerPlacesPercent: 0, unlistedPerLobby: 2 };
const HEARING: readonly OperationName[] = ['hearLast', 'hearOthers', 'hearEveryone'];
const WHISPERS: readonly OperationName[] = ['whisperTo', 'speakInWhisper'];
const CHANNELS: readonly OperationName[] = ['enterChannel', 'leaveChannel', 'speakToChannel'];

function plan(seats: readonly Seat[], names: readonly OperationName[], depth: number): Plan {
  return { seats, operations: operationsOf(seats, names), depth };
}

const PLANS: Readonly<Record<string, Plan>> = {
  'three people, and all that anybody can do': {
    ...plan(
      [ONE, OTHER, THIRD],
      (Object.keys(OPERATIONS) as OperationName[]).filter(
        (name) => ![...EVERYWHERE, ...HEARING, 'acknowledge'].includes(name),
      ),
      THREE_PEOPLE_DEPTH,
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
  'two people, one of them a listener who is counted and not listed': {
    ...plan([ONE, LISTENER], [...COME_AND_GO, 'speak', 'mute', 'unmute', ...RECORDED], MANY_STATES_DEPTH),
    limits: ALL_UNLISTED,
  },
  'the same, deafened, in channels and whispered to': {
    ...plan(
      [ONE, LISTENER],
      [
        ...(['join', 'leave', 'drop', 'resume'] as const),
        ...(['speak', 'whisperTo', 'whisperToNobody', 'speakInWhisper'] as const),
        ...([...DEAFENED, ...CHANNELS, ...RECORDED, 'moveIn', 'moveOut', 'kick'] as const),
      ],
      THREE_PEOPLE_DEPTH,
    ),
    limits: ALL_UNLISTED,
  },
  'two people with hearing sets': plan(
    [ONE, OTHER],
    ['join', 'drop', 'resume', ...MUTED, ...HEARING],
    MANY_STATES_DEPTH,
  ),
  'two people who fall behind and catch up': {
    ...plan(
      [ONE, OTHER],
      ['join', 'drop', 'resume', ...MUTED, ...DEAFENED, 'acknowledge'],
      MANY_STATES_DEPTH,
    ),
    acknowledges: true,
  },
  'three people who fall behind, with hearing sets, in a channel and whispering': {
    ...plan(
      [ONE, OTHER, THIRD],
      ['join', 'speak', 'mute', 'acknowledge', ...HEARING, 'enterChannel', 'speakToChannel', ...WHISPERS],
      THREE_PEOPLE_DEPTH - 1,
    ),
    acknowledges: true,
  },
  'three people with hearing sets, in a channel and whispering': plan(
    [ONE, OTHER, THIRD],
    ['join', 'drop', 'speak', 'mute', ...HEARING, 'enterChannel', 'speakToChannel', ...WHISPERS],
    THREE_PEOPLE_DEPTH,
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
  t.test(`nobody hears a muted participant: ${who}`, async (t) => {
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
