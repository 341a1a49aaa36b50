/**
 * What one churning player of the soak hears: follows the relay's messages and checks every voice frame against them. A muted player must
 * not be heard, a deafened one must hear nothing, and no frame may come from another channel or an unknown slot.
 */

import type { ParticipantState, RelayMessage } from '../../voice/control.js';
import { sequenceDelta } from '../../voice/sequence.js';
import { readVoiceHeader, Target } from '../../voice/wire.js';

/** The counts of listeners. All but the first three are 0 in a valid run. */
export interface ListenerCounts {
  /** Frames of the generator's talkers. They only speak to the lobby, so none of their sequence numbers may be missing. */
  fromTalkers: number;
  /** Frames of other churning players, to a channel or whispered. */
  fromPlayers: number;
  /** Of both, frames that arrived before the welcome: after a resume, voice may come before the state. */
  beforeWelcome: number;
  lost: number;
  doubled: number;
  reordered: number;
  malformed: number;
  ofTheMuted: number;
  byTheDeafened: number;
  outsideChannel: number;
  ofNobody: number;
}

export const LISTENER_FAULTS = [
  'lost',
  'doubled',
  'reordered',
  'malformed',
  'ofTheMuted',
  'byTheDeafened',
  'outsideChannel',
  'ofNobody',
] as const satisfies readonly (keyof ListenerCounts)[];

/** New counts, which several listeners may share. */
export function newListenerCounts(): ListenerCounts {
  return {
    fromTalkers: 0,
    fromPlayers: 0,
    beforeWelcome: 0,
    lost: 0,
    doubled: 0,
    reordered: 0,
    malformed: 0,
    ofTheMuted: 0,
    byTheDeafened: 0,
    outsideChannel: 0,
    ofNobody: 0,
  };
}

export class Listener {
  readonly #counts: ListenerCounts;
  readonly #others = new Map<number, ParticipantState>();
  /** The sequence heard last, by slot. */
  readonly #last = new Map<number, number>();
  #own: ParticipantState | null = null;

  constructor(counts: ListenerCounts) {
    this.#counts = counts;
  }

  /** The listener's own state, from the relay's latest message; null before the welcome. */
  get own(): ParticipantState | null {
    return this.#own;
  }

  /** A new connection begins: what was missed before it does not count as lost. */
  begin(): void {
    this.#own = null;
    this.#others.clear();
    this.#last.clear();
  }

  handle(message: RelayMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#own = message.you;
        for (const other of message.participants) this.#others.set(other.slot, other);
        return;
      case 'joined':
        this.#others.set(message.participant.slot, message.participant);
        this.#last.delete(message.participant.slot);
        return;
      case 'left':
        this.#others.delete(message.slot);
        this.#last.delete(message.slot);
        return;
      case 'changed':
        this.#change(message.participant);
        return;
      default:
        return;
    }
  }

  hear(frame: Uint8Array): void {
    const counts = this.#counts;
    const header = readVoiceHeader(frame);
    if (header.kind === 'malformed') {
      counts.malformed += 1;
      return;
    }
    const { slot, sequence, target } = header;
    const own = this.#own;
    if (own === null) counts.beforeWelcome += 1;
    else {
      const speaker = this.#others.get(slot);
      if (speaker === undefined) counts.ofNobody += 1;
      else if (speaker.muted) counts.ofTheMuted += 1;
      if (own.deafened) counts.byTheDeafened += 1;
      const isChannel = target !== Target.lobby && target !== Target.whisper;
      if (isChannel && !own.channels.includes(target)) counts.outsideChannel += 1;
    }
    if (target === Target.lobby) counts.fromTalkers += 1;
    else counts.fromPlayers += 1;
    const last = this.#last.get(slot);
    const step = last === undefined ? 1 : sequenceDelta(last, sequence);
    if (step === 0) counts.doubled += 1;
    else if (step < 0) counts.reordered += 1;
    else {
      if (target === Target.lobby) counts.lost += step - 1;
      this.#last.set(slot, sequence);
    }
  }

  #change(state: ParticipantState): void {
    if (state.slot !== this.#own?.slot) {
      this.#others.set(state.slot, state);
      return;
    }
    // A deafened listener missed frames that do not count as lost.
    if (state.deafened !== this.#own.deafened) this.#last.clear();
    this.#own = state;
  }
}
