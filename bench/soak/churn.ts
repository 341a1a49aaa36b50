/**
 * What goes on in the soak's lobbies beside the talking: one operation after the other, drawn by weight. A moderator of each lobby
 * acts on those who come and go, and never on the generator's players.
 */

import type { ModerateMessage } from '../../voice/control.js';
import { CHANNELS, type Company, Seat } from './seat.js';

const SEATS_PER_LOBBY = 6;
/** An away place is kept for 30 s. */
const MAX_AWAY_MS = 5000;
const TIMED_SECONDS = 10;
const MAX_DRAWS = 1000;

/** How often each is drawn. More come than go, and more is taken back than done: else the lobbies would run empty, or mute. */
const WEIGHTS = {
  join: 8,
  leave: 3,
  rename: 3,
  channels: 4,
  whisper: 3,
  'cut and resume': 6,
  'come while banned': 1,
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
  readonly moderator: Seat;
  readonly seats: readonly Seat[];
}

/** Numbers from 0 up to, not including, a limit. */
export interface Random {
  below(limit: number): number;
}

const isHere = ({ state, isDismissed }: Seat) => state === 'in' && !isDismissed;
const isMember = (seat: Seat) => isHere(seat) || seat.state === 'away' || seat.state === 'resuming';

/** Of whom an operation may be asked. */
const MAY: Readonly<Record<Operation, (seat: Seat) => boolean>> = {
  join: ({ state, isBanned }) => state === 'out' && !isBanned,
  leave: isHere,
  rename: isHere,
  channels: isHere,
  whisper: isHere,
  'cut and resume': isHere,
  'come while banned': ({ state, isBanned }) => state === 'out' && isBanned,
  mute: (seat) => isMember(seat) && !seat.isMuted,
  unmute: ({ isMuted }) => isMuted,
  deafen: (seat) => isMember(seat) && !seat.isDeafened,
  undeafen: ({ isDeafened }) => isDeafened,
  kick: isHere,
  ban: isHere,
  unban: ({ state, isBanned }) => state === 'out' && isBanned,
};

export class Churn {
  readonly #random: Random;
  readonly #lobbies: readonly ChurnLobby[];
  readonly #seats: readonly Seat[];
  readonly #done: Record<Operation, number>;
  #turn = 0;

  constructor(company: Company, lobbies: number, random: Random) {
    this.#random = random;
    this.#lobbies = Array.from({ length: lobbies }, (_, at) => ({
      moderator: new Seat(company, `lobby ${at}`, 'moderator'),
      seats: Array.from({ length: SEATS_PER_LOBBY }, () => new Seat(company, `lobby ${at}`, 'player')),
    }));
    this.#seats = this.#lobbies.flatMap(({ seats }) => seats);
    this.#done = Object.fromEntries(Object.keys(WEIGHTS).map((kind) => [kind, 0])) as Record<
      Operation,
      number
    >;
  }

  get seats(): number {
    return this.#seats.length;
  }

  /** How often each was done. */
  get done(): Readonly<Record<Operation, number>> {
    return this.#done;
  }

  /** Lets the moderators in, and who is there at the beginning. Resolves when they are. */
  async begin(): Promise<void> {
    for (const { moderator, seats } of this.#lobbies) {
      for (const seat of [moderator, ...seats.slice(0, SEATS_PER_LOBBY - 2)]) {
        await seat.join();
        while (seat.state === 'joining') await new Promise((resolve) => setTimeout(resolve, 1));
        seat.say({ type: 'channels', channels: seat === moderator ? [...CHANNELS] : this.#someChannels() });
      }
    }
  }

  /** Does one operation that is possible; none, where nothing was in so many draws: the relay may have gone. */
  step(): void {
    for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
      const operation = this.#pick(DRAWN);
      const lobby = this.#pick(this.#lobbies);
      const seats = lobby.seats.filter(MAY[operation]);
      if (seats.length === 0) continue;
      this.#do(operation, this.#pick(seats), lobby);
      this.#done[operation] += 1;
      return;
    }
  }

  /** One frame of whose turn it is, where that one is in and has somebody to talk to. */
  talk(): void {
    this.#seats[this.#turn % this.#seats.length]!.talk(this.#random.below(1 << 16));
    this.#turn += 1;
  }

  /** Whether somebody is on the way in, or back. */
  get isUnderWay(): boolean {
    return this.#seats.some(({ state }) => state === 'joining' || state === 'away' || state === 'resuming');
  }

  /** Those in it go, and are counted no more. */
  end(): void {
    for (const { moderator, seats } of this.#lobbies) for (const seat of [moderator, ...seats]) seat.end();
  }

  #do(operation: Operation, seat: Seat, { moderator, seats }: ChurnLobby): void {
    const { steamId } = seat;
    const moderate = (message: ModerateMessage) => moderator.say(message);
    const some = this.#random.below(2) === 0 ? {} : { seconds: 1 + this.#random.below(TIMED_SECONDS) };
    switch (operation) {
      case 'join':
      case 'come while banned':
        void seat.join();
        return;
      case 'leave':
        seat.leave();
        return;
      case 'rename':
        seat.say({ type: 'rename', name: `soak ${this.#random.below(1 << 20)}` });
        return;
      case 'channels':
        seat.say({ type: 'channels', channels: this.#someChannels() });
        return;
      case 'whisper': {
        const slots = seats
          .filter((other) => other !== seat && isHere(other))
          .map(({ ear }) => ear.own?.slot);
        seat.say({ type: 'whisper', slots: slots.filter((slot) => slot !== undefined) });
        seat.isWhispering = true;
        return;
      }
      case 'cut and resume':
        seat.cut(this.#random.below(MAX_AWAY_MS));
        return;
      case 'mute':
        seat.isMuted = true;
        moderate({ type: 'moderate', steamId, action: 'mute', ...some });
        return;
      case 'unmute':
        seat.isMuted = false;
        moderate({ type: 'moderate', steamId, action: 'unmute' });
        return;
      case 'deafen':
        seat.isDeafened = true;
        moderate({ type: 'moderate', steamId, action: 'deafen', ...some });
        return;
      case 'undeafen':
        seat.isDeafened = false;
        moderate({ type: 'moderate', steamId, action: 'undeafen' });
        return;
      case 'kick':
        seat.isDismissed = true;
        moderate({ type: 'moderate', steamId, action: 'kick' });
        return;
      case 'ban':
        seat.isDismissed = true;
        seat.isBanned = true;
        moderate({ type: 'moderate', steamId, action: 'ban' });
        return;
      case 'unban':
        seat.isBanned = false;
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
