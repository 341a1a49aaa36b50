/** What a client knows from its messages alone. Every contradiction between messages is a fault. */

import type { RelayMessageToWrite } from '../../../../voice/control.js';

type State = Extract<RelayMessageToWrite, { type: 'joined' }>['participant'];
type Page = Pick<Extract<RelayMessageToWrite, { type: 'welcome' }>, 'participants' | 'more'>;

/** A participant's state, without speaking, in one line that is quick to compare. */
export function stateKey(state: State): string {
  const { slot, steamId, name, channels = [] } = state;
  const flags = [
    ...FLAGS.filter((flag) => state[flag] === true),
    ...(state.recordingSince === undefined ? [] : ['recording']),
  ].join('+');
  return `${slot} ${steamId} "${name}" [${[...channels].sort((a, b) => a - b).join()}] ${flags}`;
}

const FLAGS = [
  'muted',
  'deafened',
  'away',
  'priority',
  'moderator',
  'guest',
  'spectator',
  'unlisted',
] as const satisfies readonly (keyof State)[];

export class Belief {
  readonly faults: string[] = [];
  /** Null before the welcome. */
  slot: number | null = null;
  isParked = false;
  steamId: string | null = null;
  lobby: string | null = null;
  you = '';
  /** How many listeners are in no list. */
  unlisted = 0;
  /** How many people of the welcome are still to come in pages. */
  more = 0;
  resumeSecret: string | null = null;
  readonly others = new Map<number, { state: string; speaking: boolean }>();
  readonly channels = new Map<number, string>();
  /** The slots of those whom they hear by a set; null for everyone. */
  heard: Set<number> | null = null;
  refused: string | null = null;
  failed: string | null = null;
  challenge: string | null = null;

  hear(message: RelayMessageToWrite): void {
    if (this.refused !== null) this.faults.push(`${message.type} after the refusal`);
    if (this.slot === null && !BEFORE_WELCOME.has(message.type))
      this.faults.push(`${message.type} too early`);
    if (this.more > 0 && message.type !== 'participants') this.faults.push(`${message.type} between pages`);
    switch (message.type) {
      case 'welcome':
        this.#welcome(message);
        return;
      case 'participants':
        this.#page(message);
        return;
      case 'unlisted':
        this.unlisted = message.count;
        return;
      case 'pong':
        return;
      case 'joined': {
        const { slot } = message.participant;
        if (this.others.has(slot) || slot === this.slot)
          this.faults.push(`joined slot ${slot}, which is in use`);
        this.others.set(slot, { state: stateKey(message.participant), speaking: false });
        return;
      }
      case 'left':
        if (!this.others.delete(message.slot))
          this.faults.push(`slot ${message.slot} left, which nobody has`);
        this.heard?.delete(message.slot);
        return;
      case 'changed':
        this.#changed(message.participant);
        return;
      case 'speaking': {
        const other = this.others.get(message.slot);
        if (!other) this.faults.push(`slot ${message.slot} speaks, which nobody has`);
        else if (other.speaking === message.speaking) this.faults.push(`speaking of ${message.slot} twice`);
        else other.speaking = message.speaking;
        return;
      }
      case 'channel': {
        const { number, name } = message.channel;
        if (this.channels.has(number)) this.faults.push(`channel ${number} exists already`);
        this.channels.set(number, name);
        return;
      }
      case 'channel-ended':
        if (!this.channels.delete(message.number))
          this.faults.push(`channel ${message.number} ended, which does not exist`);
        return;
      case 'failed':
        this.failed = message.code;
        return;
      case 'refused':
        this.refused = message.code;
        return;
      case 'challenge':
        this.challenge = message.nonce;
        return;
      case 'hears':
        this.#hears(message);
        return;
      case 'parked':
        if (this.isParked) this.faults.push('parked twice');
        this.isParked = true;
        return;
      case 'live':
        if (!this.isParked) this.faults.push('live without being parked');
        this.isParked = false;
        return;
      case 'heartbeat':
        this.faults.push('a heartbeat that nobody asked for');
        return;
      case 'draining':
        return;
    }
  }

  #welcome(message: Extract<RelayMessageToWrite, { type: 'welcome' }>): void {
    if (this.slot !== null) this.faults.push('welcomed twice');
    if (message.you.slot !== message.slot) this.faults.push('two slots in one welcome');
    this.slot = message.slot;
    this.steamId = message.you.steamId;
    this.lobby = message.lobby;
    this.you = stateKey(message.you);
    this.resumeSecret = message.resume?.secret ?? null;
    this.unlisted = message.unlisted ?? 0;
    this.more = message.participants.length + (message.more ?? 0);
    this.#page(message);
    for (const { number, name } of message.channels) {
      if (this.channels.has(number)) this.faults.push(`channel ${number} is listed twice`);
      this.channels.set(number, name);
    }
  }

  #page({ participants, more = 0 }: Page): void {
    if (participants.length + more !== this.more) this.faults.push(`${this.more} were to come`);
    this.more = more;
    for (const participant of participants) {
      if (this.others.has(participant.slot) || participant.slot === this.slot) {
        this.faults.push(`slot ${participant.slot} is listed twice`);
      }
      this.others.set(participant.slot, { state: stateKey(participant), speaking: participant.speaking });
    }
  }

  #hears({
    only,
    more = [],
    fewer = [],
    speaking = [],
  }: Extract<RelayMessageToWrite, { type: 'hears' }>): void {
    for (const slot of [...more, ...fewer, ...speaking]) {
      if (!this.others.has(slot)) this.faults.push(`hears of slot ${slot}, which nobody has`);
    }
    if (only === false) {
      if (!this.heard) this.faults.push('hears everyone already');
      this.heard = null;
    } else if (only === true) {
      if (this.heard) this.faults.push('has a set already');
      this.heard = new Set(more);
      for (const [slot, other] of this.others) if (!this.heard.has(slot)) other.speaking = false;
    } else if (more.length + fewer.length > 0) {
      if (!this.heard) this.faults.push('has no set');
      for (const slot of fewer) {
        if (!this.heard?.delete(slot)) this.faults.push(`does not hear slot ${slot}`);
        this.others.get(slot)!.speaking = false;
      }
      for (const slot of more) {
        if (this.heard?.has(slot)) this.faults.push(`hears slot ${slot} already`);
        this.heard?.add(slot);
      }
    }
    for (const slot of speaking) {
      const other = this.others.get(slot);
      if (other?.speaking) this.faults.push(`hears again that slot ${slot} speaks`);
      if (other) other.speaking = true;
    }
  }

  #changed(state: State): void {
    const { slot } = state;
    const key = stateKey(state);
    for (const number of state.channels ?? []) {
      if (!this.channels.has(number))
        this.faults.push(`slot ${slot} is in channel ${number}, which does not exist`);
    }
    if (slot === this.slot) {
      if (this.you === key) this.faults.push('a change of itself that changes nothing');
      this.you = key;
      return;
    }
    const other = this.others.get(slot);
    if (!other) this.faults.push(`slot ${slot} changed, which nobody has`);
    else if (other.state === key) this.faults.push(`a change of slot ${slot} that changes nothing`);
    else other.state = key;
  }
}

const BEFORE_WELCOME: ReadonlySet<string> = new Set(['welcome', 'refused', 'challenge', 'draining']);
