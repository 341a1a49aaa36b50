/**
 * The churn in the soak's lobbies: one operation after another, drawn at random by weight. Each lobby has a moderator who acts on the
 * churning players, and never on the generator's.
 */

import type { ModerateMessage } from '../../voice/control.js';
import { CHANNELS, Player, type Soak } from './player.js';

const PLAYERS_PER_LOBBY = 6;
/** The relay keeps an away place for 30 s. */
const MAX_AWAY_MS = 5000;
const TIMED_SECONDS = 10;
const MAX_DRAWS = 1000;

/** How often each is drawn. Joins outweigh leaves and lifted sanctions outweigh new ones, or the lobbies would end up empty or mute. */
const WEIGHTS = {
  join: 8,
  leave: 3,
  rename: 3,
  channels: 4,
  whisper: 3,
  'cut and resume': 6,
  'join while banned': 1,
  mute: 3,
  unmute: 4,
  deafen: 2,
  undeafen: 3,
  kick: 1,
  ban: 2,
  unban: 3,
} as const;

export type Operation = keyof typeof WEIGHTS;

const DRAWN = (Object.keys(WEIGHTS) as Operation[]).flatMap((operation) =>
  new Array<Operation>(WEIGHTS[operation]).fill(operation),
);

interface ChurnLobby {
  readonly moderator: Player;
  readonly players: readonly Player[];
}

/** Numbers from 0 up to, not including, a limit. */
export interface Random {
  below(limit: number): number;
}

const isHere = ({ state, isDismissed }: Player) => state === 'in' && !isDismissed;
const isMember = (player: Player) => isHere(player) || player.state === 'away' || player.state === 'resuming';

/** The players to whom an operation may apply. */
const MAY: Readonly<Record<Operation, (player: Player) => boolean>> = {
  join: ({ state, isBanned }) => state === 'out' && !isBanned,
  leave: isHere,
  rename: isHere,
  channels: isHere,
  whisper: isHere,
  'cut and resume': isHere,
  'join while banned': ({ state, isBanned }) => state === 'out' && isBanned,
  mute: (player) => isMember(player) && !player.isMuted,
  unmute: ({ isMuted }) => isMuted,
  deafen: (player) => isMember(player) && !player.isDeafened,
  undeafen: ({ isDeafened }) => isDeafened,
  kick: isHere,
  ban: isHere,
  unban: ({ state, isBanned }) => state === 'out' && isBanned,
};

export class Churn {
  readonly #random: Random;
  readonly #lobbies: readonly ChurnLobby[];
  readonly #players: readonly Player[];
  readonly #done: Record<Operation, number>;
  #turn = 0;

  constructor(soak: Soak, lobbies: number, random: Random) {
    this.#random = random;
    this.#lobbies = Array.from({ length: lobbies }, (_, at) => ({
      moderator: new Player(soak, `lobby ${at}`, 'moderator'),
      players: Array.from({ length: PLAYERS_PER_LOBBY }, () => new Player(soak, `lobby ${at}`, 'player')),
    }));
    this.#players = this.#lobbies.flatMap(({ players }) => players);
    this.#done = Object.fromEntries(Object.keys(WEIGHTS).map((kind) => [kind, 0])) as Record<
      Operation,
      number
    >;
  }

  get playerCount(): number {
    return this.#players.length;
  }

  /** How often each operation was performed. */
  get done(): Readonly<Record<Operation, number>> {
    return this.#done;
  }

  /** The moderators and the first players join. Resolves when they are in. */
  async begin(): Promise<void> {
    for (const { moderator, players } of this.#lobbies) {
      for (const player of [moderator, ...players.slice(0, PLAYERS_PER_LOBBY - 2)]) {
        await player.join();
        while (player.state === 'joining') await new Promise((resolve) => setTimeout(resolve, 1));
        player.say({
          type: 'channels',
          channels: player === moderator ? [...CHANNELS] : this.#someChannels(),
        });
      }
    }
  }

  /** Performs one possible operation, or none if MAX_DRAWS draws found none: the relay may have ended. */
  step(): void {
    for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
      const operation = this.#pick(DRAWN);
      const lobby = this.#pick(this.#lobbies);
      const players = lobby.players.filter(MAY[operation]);
      if (players.length === 0) continue;
      this.#do(operation, this.#pick(players), lobby);
      this.#done[operation] += 1;
      return;
    }
  }

  /** The next player in turn sends one frame, if they are in a lobby and have a target. */
  talk(): void {
    this.#players[this.#turn % this.#players.length]!.talk(this.#random.below(1 << 16));
    this.#turn += 1;
  }

  /** Whether a player is joining or resuming. */
  get isUnsettled(): boolean {
    return this.#players.some(({ state }) => state === 'joining' || state === 'away' || state === 'resuming');
  }

  /** Disconnects all players without counting it. */
  end(): void {
    for (const { moderator, players } of this.#lobbies)
      for (const player of [moderator, ...players]) player.end();
  }

  #do(operation: Operation, player: Player, { moderator, players }: ChurnLobby): void {
    const { steamId } = player;
    const moderate = (message: ModerateMessage) => moderator.say(message);
    const some = this.#random.below(2) === 0 ? {} : { seconds: 1 + this.#random.below(TIMED_SECONDS) };
    switch (operation) {
      case 'join':
      case 'join while banned':
        void player.join();
        return;
      case 'leave':
        player.leave();
        return;
      case 'rename':
        player.say({ type: 'rename', name: `soak ${this.#random.below(1 << 20)}` });
        return;
      case 'channels':
        player.say({ type: 'channels', channels: this.#someChannels() });
        return;
      case 'whisper': {
        const slots = players
          .filter((other) => other !== player && isHere(other))
          .map(({ listener }) => listener.own?.slot);
        player.say({ type: 'whisper', slots: slots.filter((slot) => slot !== undefined) });
        player.isWhispering = true;
        return;
      }
      case 'cut and resume':
        player.cut(this.#random.below(MAX_AWAY_MS));
        return;
      case 'mute':
        player.isMuted = true;
        moderate({ type: 'moderate', steamId, action: 'mute', ...some });
        return;
      case 'unmute':
        player.isMuted = false;
        moderate({ type: 'moderate', steamId, action: 'unmute' });
        return;
      case 'deafen':
        player.isDeafened = true;
        moderate({ type: 'moderate', steamId, action: 'deafen', ...some });
        return;
      case 'undeafen':
        player.isDeafened = false;
        moderate({ type: 'moderate', steamId, action: 'undeafen' });
        return;
      case 'kick':
        player.isDismissed = true;
        moderate({ type: 'moderate', steamId, action: 'kick' });
        return;
      case 'ban':
        player.isDismissed = true;
        player.isBanned = true;
        moderate({ type: 'moderate', steamId, action: 'ban' });
        return;
      case 'unban':
        player.isBanned = false;
        moderate({ type: 'moderate', steamId, action: 'unban' });
        return;
    }
  }

  #someChannels(): string[] {
    return CHANNELS.filter(() => this.#random.below(3) > 0);
  }

  #pick<T>(of: readonly T[]): T {
    return of[this.#random.below(of.length)]!;
  }
}
