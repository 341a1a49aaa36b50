/**
 * The ear of one who comes and goes in the soak: follows what the relay tells, and holds every voice frame against it. Nobody who
 * is muted may be heard, nothing by who is deafened, no channel by who is not in it, and nobody who is not there.
 */

import type { ParticipantState, RelayMessage } from '../../voice/control.js';
import { sequenceDelta } from '../../voice/sequence.js';
import { readVoiceHeader, Target } from '../../voice/wire.js';

/** What ears counted. All but the first three are 0 in a run that counts. */
export interface EarCounts {
  /** Frames of the generator's talkers: these speak to the lobby alone, so no number of theirs may lack. */
  followed: number;
  /** Frames of others who come and go, to a channel or whispered. */
  heard: number;
  /** Of both, those that came before the welcome: who resumes may hear before they are told the state. */
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

export const EAR_FAULTS = [
  'lost',
  'doubled',
  'reordered',
  'malformed',
  'ofTheMuted',
  'byTheDeafened',
  'outsideChannel',
  'ofNobody',
] as const satisfies readonly (keyof EarCounts)[];

/** Counts at 0, which several ears may share. */
export function newEarCounts(): EarCounts {
  return {
    followed: 0,
    heard: 0,
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

export class Ear {
  readonly #counts: EarCounts;
  readonly #others = new Map<number, ParticipantState>();
  /** The sequence heard last, by slot. */
  readonly #last = new Map<number, number>();
  #own: ParticipantState | null = null;

  constructor(counts: EarCounts) {
    this.#counts = counts;
  }

  /** What the relay said last of the listener; null before the welcome. */
  get own(): ParticipantState | null {
    return this.#own;
  }

  /** Another connection begins: what was missed before it is not lost. */
  begin(): void {
    this.#own = null;
    this.#others.clear();
    this.#last.clear();
  }

  told(message: RelayMessage): void {
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
    if (target === Target.lobby) counts.followed += 1;
    else counts.heard += 1;
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
    // Who was deafened missed what was said meanwhile.
    if (state.deafened !== this.#own.deafened) this.#last.clear();
    this.#own = state;
  }
}
