/** Lobby life at random: whatever happens, everyone believes what is so, and hears whom they should. */

import t from 'tap';
import type { Moderation } from '../../../../relay/core/administration.js';
import type { RelayPolicy } from '../../../../relay/core/joining/hello.js';
import type { HearingUpdate } from '../../../../voice/control.js';
import { SeededRandom } from '../../../kit/random.js';
import { steamIdOf } from '../../kit.js';
import { World } from './world.js';

// By the clock, on a machine that does much else.
t.setTimeout(3_600_000);

const STEPS = 30_000;
const LOBBIES = ['den', 'attic', 'cellar'];
const CHANNELS = ['red', 'blue', 'green', 'grey'];
const ACCOUNTS = 9;

const LIMITS = {
  participantsPerLobby: 5,
  listenerPlacesPercent: 34,
  unlistedPerLobby: 3,
  participants: 12,
  guestPlacesPercent: 25,
  lobbies: 2,
  channelsPerLobby: 3,
  sanctions: 9,
  hearingPerLobby: 5,
  hearing: 8,
  hearingPerSecond: 2,
  hearingBurst: 1,
  helloWithinMs: 2000,
  resumeWithinMs: 1500,
  slotRestMs: 2000,
  // Rates have separate tests.
  controlPerSecond: 1000,
  controlBurst: 10_000,
  framesPerSecond: 10_000,
  frameBurst: 100_000,
  bytesPerSecond: 16_777_216,
  byteBurst: 67_108_864,
  soundMsPerSecond: 100_000,
  soundBurstMs: 3_600_000,
};

/** Of each of two addresses. */
const SHARES = { participants: 2, lobbies: 1 };

const POLICIES: readonly Partial<RelayPolicy>[] = [
  { unproven: 'admit', guests: 'speak' },
  { unproven: 'admit', guests: 'listen', atExpiry: 'keep' },
  { unproven: 'admit', guests: 'speak', secondJoin: 'refuse', lobbies: 'by-admin' },
];

/** What has to have come about often, whatever the policy. */
const OUTCOMES = [
  'hello done',
  'hello banned',
  'hello lobby-full',
  'hello steam-id-in-use',
  'hello guests-full',
  'hello address-full',
  'place listed',
  'place unlisted',
  'recording done',
  'resume done',
  'resume resume-refused',
  'voice forward',
  'voice muted',
  'voice not-allowed',
  'voice target-unknown',
  'voice steam-id-mismatch',
  'voice not-joined',
  'parked',
  'live',
  'channels done',
  'channels channel-not-allowed',
  'channels channels-full',
  'whisper done',
  'whisper participant-unknown',
  'hearing done',
  'hearing waits',
  'hearing not-moderator',
  'hearing hearing-full',
  'admin hear done',
  'admin hear lobby-unknown',
  'admin hear hearing-full',
  'moderate done',
  'moderate not-moderator',
  'moderate participant-unknown',
  'moderate sanctions-full',
  'admin open-lobby done',
  'admin open-lobby lobby-exists',
  'admin open-lobby relay-full',
  'admin close-lobby done',
  'admin close-lobby lobby-unknown',
  'admin moderate done',
  'close left',
  'close replaced',
  'close kicked',
  'close banned',
  'close lobby-ended',
  'close hello-late',
  'close hello-expected',
];

for (const [at, policy] of POLICIES.entries()) {
  const seed = at + 1;
  t.test(
    `beliefs, slots, mutes and hearing stay right through ${STEPS} random steps (seed ${seed})`,
    async (t) => {
      const random = new SeededRandom(seed);
      const losses = new SeededRandom(seed + 1000);
      const readers = new SeededRandom(seed + 2000);
      const below = (limit: number) => random.below(limit);
      const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
      const some = <T>(items: readonly T[], most: number): T[] => [
        ...new Set(Array.from({ length: below(most + 1) }, () => pick(items))),
      ];
      const world = new World({
        limits: LIMITS,
        policy,
        shares: SHARES,
        wire: 'read',
        acknowledges: (connection) => connection % 3 !== 0,
        loses: () => losses.below(5) === 0,
      });
      const secrets: string[] = [];

      const moderation = (): Moderation => {
        const there = [...world.model.members()];
        const steamId =
          there.length > 0 && below(4) > 0 ? pick(there).steamId : steamIdOf(1 + below(ACCOUNTS));
        const seconds = below(2) === 0 ? { seconds: 1 + below(5) } : {};
        switch (below(16)) {
          case 0:
          case 1:
            return { steamId, action: 'mute', ...seconds };
          case 2:
          case 3:
          case 4:
            return { steamId, action: 'unmute' };
          case 5:
            return { steamId, action: 'deafen', ...seconds };
          case 6:
          case 7:
            return { steamId, action: 'undeafen' };
          case 8:
            return { steamId, action: 'ban', ...seconds };
          case 9:
            return { steamId, action: 'unban' };
          case 10:
          case 11:
            return { steamId, action: 'kick' };
          case 12:
            return { steamId, action: 'prioritize' };
          case 13:
            return { steamId, action: 'unprioritize' };
          default:
            return { steamId, action: 'move', channels: some(CHANNELS, 3) };
        }
      };

      /** Of people in the lobby by slot or SteamID, of others, and of nobody. */
      const sets = (members: readonly { slot: number; steamId: string }[]): HearingUpdate[] => {
        const person = () => {
          if (members.length === 0 || below(6) === 0)
            return below(8) === 0 ? 998 : steamIdOf(1 + below(ACCOUNTS));
          const { slot, steamId } = pick(members);
          return below(2) === 0 ? slot : steamId;
        };
        return Array.from({ length: 1 + below(3) }, () => ({
          listener: person(),
          hears: below(3) === 0 ? null : Array.from({ length: below(8) }, person),
        }));
      };

      const enter = (connection: number) => {
        const proof = pick(['proven', 'proven', 'proven', 'unproven', 'unproven', 'guest', 'guest'] as const);
        world.enter(connection, 1 + below(ACCOUNTS), pick(LOBBIES), {
          proof,
          owner: below(4) === 0 ? 1 + below(ACCOUNTS) : null,
          expiresAt: below(5) === 0 ? world.bench.unixSeconds - 4 + below(8) : null,
          rights:
            proof === 'proven'
              ? {
                  maySpeak: below(3) > 0,
                  mayListen: below(6) > 0,
                  moderator: below(3) === 0,
                  priority: below(4) === 0,
                  channels: below(2) === 0 ? 'any' : ['red', 'blue'],
                }
              : undefined,
        });
      };

      /** Somebody who is in does something. */
      const act = (connection: number) => {
        const member = world.model.byConnection.get(connection)!;
        const numbers = [...member.lobby.channels.values()].map(({ number }) => number);
        const mine = [...member.channels].map((name) => member.lobby.channels.get(name)!.number);
        const dice = below(100);
        if (dice < 50) {
          const target = pick([0, 0, 255, 255, ...mine, ...mine, ...numbers, 77]);
          const end = below(6) === 0 ? 'terminator' : 'more';
          world.say(connection, target, { end, as: below(40) === 0 ? 99 : null });
        } else if (dice < 62) world.channels(connection, some(CHANNELS, 3));
        else if (dice < 72) {
          const slots = [...member.lobby.members.values()].map(({ slot }) => slot);
          world.whisper(connection, below(8) === 0 ? [999] : some(slots, 3));
        } else if (dice < 75) world.rename(connection, `name ${below(5)}`);
        else if (dice < 78) world.recording(connection, below(3) > 0);
        else if (dice < 85) world.moderate(connection, moderation());
        else if (dice < 90) world.hearing(connection, sets([...member.lobby.members.values()]));
        else if (dice < 93) world.leave(connection);
        else world.drop(connection);
      };

      const step = () => {
        const { clients, model } = world;
        const waiting = [...clients.keys()].filter((id) => !model.byConnection.has(id));
        const inside = [...model.byConnection.keys()];
        const dice = below(100);
        if (dice < 3) world.connect();
        else if (dice < 10) enter(waiting.length > 0 && below(2) === 0 ? pick(waiting) : world.connect());
        else if (dice < 16 && secrets.length > 0) {
          // Mostly one that was given lately.
          world.resume(
            world.connect(),
            secrets[Math.max(0, secrets.length - 1 - below(below(3) > 0 ? 6 : 200))]!,
          );
        } else if (dice < 17) world.say(waiting.length > 0 ? pick(waiting) : 1e6, 0);
        else if (dice < 19) {
          const lobby = below(4) === 0 ? null : pick(LOBBIES);
          world.admin({ kind: 'moderate', lobby, moderation: moderation() });
        } else if (dice < 21) {
          const lobby = pick(LOBBIES);
          world.admin({
            kind: 'hear',
            lobby,
            sets: sets([...(model.lobbies.get(lobby)?.members.values() ?? [])]),
          });
        } else if (dice < 23) {
          const capacity = 1 + below(6);
          const plan = { capacity, unlisted: below(4), channels: some(CHANNELS, 2) };
          world.admin({ kind: 'open-lobby', lobby: pick(LOBBIES), ...plan });
        } else if (dice < 24) world.admin({ kind: 'close-lobby', lobby: pick(LOBBIES) });
        else if (inside.length > 0) act(pick(inside));
      };

      /** Connections that read nothing for now. */
      const asleep = new Set<number>();
      const read = () => {
        for (const [connection, { reading }] of world.model.byConnection) {
          if (!reading) continue;
          if (readers.below(30) === 0) asleep.add(connection);
          else if (readers.below(20) === 0) asleep.delete(connection);
          if (!asleep.has(connection) && readers.below(3) === 0) world.acknowledge(connection);
        }
      };

      for (let count = 0; count < STEPS && world.faults.length === 0; count++) {
        step();
        world.check();
        for (const { belief } of world.clients.values()) {
          if (belief.resumeSecret !== null && !secrets.includes(belief.resumeSecret))
            secrets.push(belief.resumeSecret);
        }
        if (secrets.length > 400) secrets.splice(0, 200);
        read();
        world.pass(below(60) === 0 ? below(3000) : below(40));
        world.check();
      }
      t.same(world.faults, []);
      for (const outcome of OUTCOMES) {
        const count = world.reached.get(outcome) ?? 0;
        t.ok(count >= 5, `${outcome}: ${count} times`);
      }
      const found = [...world.reached].filter(([outcome]) => !OUTCOMES.includes(outcome));
      t.comment(found.map(([outcome, count]) => `${outcome}: ${count}`).join(', '));
    },
  );
}
