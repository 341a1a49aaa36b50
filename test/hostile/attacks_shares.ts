/** What is meant to take from others what is theirs: places, lobbies, and sanctions. Others find room, and moderators their way. */

import { type Answer, type Attack, ended, failed, NO_EFFECT, refused, times } from './attack.js';
import {
  type Field,
  LOBBIES_PER_ADDRESS,
  PARTICIPANTS_PER_ADDRESS,
  PARTICIPANTS_PER_LOBBY,
  SANCTIONS_OF_ONE,
  UNLISTED_PER_LOBBY,
} from './field.js';
import type { Wire } from './wire.js';

/** Guests here may only listen: half of the places are theirs, and three quarters of the further ones. */
const LISTED_GUESTS = Math.floor(PARTICIPANTS_PER_LOBBY * 0.5);
const GUESTS_PER_LOBBY = LISTED_GUESTS + Math.floor(UNLISTED_PER_LOBBY * 0.75);

/** Says hello as a guest. */
async function guest(field: Field, lobby: string): Promise<Wire> {
  const wire = await field.socket();
  wire.send({ type: 'hello', versions: [1], lobby, name: 'guest' });
  return wire;
}

/** Says hello with a token, and is refused. */
async function refusedFrom(field: Field, from: string | undefined, lobby: string): Promise<Answer> {
  const wire = await field.socket(from);
  wire.send({ type: 'hello', versions: [1], lobby, name: 'x', token: await field.token({ lobby }) });
  return ended(wire);
}

async function breakAway(wire: Wire): Promise<void> {
  wire.reset();
  await wire.ended();
}

export const SHARES_ATTACKS: readonly Attack[] = [
  {
    name: 'four addresses that make lobby after lobby, to occupy them all',
    answers: [refused('address-full')],
    run: async (field) => {
      const got: Answer[] = [];
      for (const from of times(4, null).map(() => field.address())) {
        for (let made = 0; made < LOBBIES_PER_ADDRESS; made += 1) {
          await field.join({ from });
        }
        got.push(await refusedFrom(field, from, field.lobby()));
      }
      await field.join();
      return got;
    },
  },
  {
    name: 'one address with more players than it may have',
    answers: [refused('address-full')],
    run: async (field) => {
      const from = field.address();
      const [one, other] = [field.lobby(), field.lobby()];
      for (let joined = 0; joined < PARTICIPANTS_PER_ADDRESS; joined += 1) {
        await field.join({ from, lobby: joined % 2 ? one : other });
      }
      const answer = await refusedFrom(field, from, one);
      await field.join({ lobby: one });
      return [answer];
    },
  },
  {
    name: 'guests who fill a lobby against its players and its moderator',
    answers: [refused('guests-full')],
    run: async (field) => {
      const lobby = field.lobby();
      for (let joined = 0; joined < GUESTS_PER_LOBBY; joined += 1) {
        await (await guest(field, lobby)).message('welcome');
      }
      const answer = await ended(await guest(field, lobby));
      for (let joined = LISTED_GUESTS; joined < PARTICIPANTS_PER_LOBBY; joined += 1) {
        await field.join({ lobby });
      }
      await field.join({ lobby, grant: { moderator: true } });
      return [answer];
    },
  },
  {
    name: 'guests who join and disconnect, to occupy a place each',
    answers: [NO_EFFECT],
    run: async (field) => {
      const lobby = field.lobby();
      const witness = await field.join({ lobby });
      for (let round = 0; round < 2 * PARTICIPANTS_PER_LOBBY; round += 1) {
        const wire = await guest(field, lobby);
        const { resume } = await wire.message('welcome');
        if (resume) throw new Error('a guest was given a resume secret');
        await breakAway(wire);
        await witness.wire.message('left');
      }
      return [NO_EFFECT];
    },
  },
  {
    name: 'one moderator who bans without end, in one lobby after another',
    answers: [failed('sanctions-full')],
    run: async (field) => {
      const account = field.account();
      const grant = { moderator: true };
      const ban = (n: number) => ({
        type: 'moderate',
        steamId: String(76561199000000000n + BigInt(n)),
        action: 'ban',
      });
      const got: Answer[] = [];
      const lobbies = times(SANCTIONS_OF_ONE + 2, null).map(() => field.lobby());
      const moderators: Wire[] = [];
      for (const [n, lobby] of lobbies.entries()) {
        const { wire } = await field.join({ lobby, account, grant });
        moderators.push(wire);
        wire.send(ban(n));
        if (n >= SANCTIONS_OF_ONE) got.push(failed((await wire.message('failed')).code));
        else await wire.fence();
      }
      const other = await field.join({ grant });
      other.wire.send(ban(99));
      other.wire.send({ ...ban(99), action: 'unban' });
      if (!(await other.wire.fence())) throw new Error('another moderator is gone');
      for (const [n, wire] of moderators.entries()) {
        wire.send({ ...ban(n), action: 'unban' });
        await wire.fence();
      }
      return got;
    },
  },
  {
    name: 'staying or resuming with a borrowed game when its owner is banned',
    answers: [refused('banned'), refused('resume-refused')],
    run: async (field) => {
      const lobby = field.lobby();
      const owner = await field.join({ lobby });
      const moderator = await field.join({ lobby, grant: { moderator: true } });
      const borrow = async () => {
        const ticket = field.hex(64);
        const steamId = String(76561197960265728n + BigInt(field.account()));
        field.api.admit(ticket, { steamId, ownerSteamId: owner.steamId });
        const wire = await field.socket();
        wire.send({ type: 'hello', versions: [1], lobby, name: 'x', steamId, ticket });
        const secret = field.secret(String((await wire.message('welcome')).resume?.secret));
        return { wire, secret };
      };
      const present = await borrow();
      const away = await borrow();
      await breakAway(away.wire);
      // The relay may see the end later than what somebody else sends.
      while (!(await moderator.wire.message('changed')).participant.away);
      moderator.wire.send({ type: 'moderate', steamId: owner.steamId, action: 'ban' });
      const got = [await ended(owner.wire), await ended(present.wire)];
      const back = await field.socket();
      back.send({ type: 'resume', versions: [1], secret: away.secret });
      got.push(await ended(back));
      moderator.wire.send({ type: 'moderate', steamId: owner.steamId, action: 'unban' });
      await moderator.wire.fence();
      return got;
    },
  },
];
