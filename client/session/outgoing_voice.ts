/**
 * Our voice on its way to the relay: holds back what was not meant for those who would hear it. Pure: instants are arguments.
 */

import type { Milliseconds } from '../../voice/units.js';
import { writeVoiceFrame } from '../../voice/wire.js';
import type { CapturedPacket } from './captured_packet.js';
import { isSameTarget, type VoiceTarget } from './voice_target.js';
import { WhisperLists } from './whisper_lists.js';

/** What outgoing voice needs from its session. */
export interface VoiceOutlet {
  /** The number of a target on the wire; null while we are not in the lobby, or not in that channel. */
  numberOf(target: VoiceTarget): number | null;
  /** Whether little enough is waiting in the transport. */
  hasRoom(): boolean;
  sendFrame(frame: Uint8Array): void;
  /** Only while `hasRoom`. */
  sendWhisperList(slots: readonly number[]): void;
}

export class OutgoingVoice {
  readonly #outlet: VoiceOutlet;
  readonly #whispers = new WhisperLists();
  /** What was captured before this instant is not for this lobby. */
  #enteredAt: Milliseconds = Number.POSITIVE_INFINITY;
  /** The target of the last frame that was sent. */
  #target: VoiceTarget | null = null;
  /** Whether the last whisper went to the relay's present whisper list (`known`), or to an earlier one (`new`). */
  #list: 'known' | 'new' = 'known';
  /** A whisper list that could not be sent yet, because the connection was backed up. */
  #unsentList: readonly number[] | null = null;

  constructor(outlet: VoiceOutlet) {
    this.#outlet = outlet;
  }

  /** We joined, or joined again. A new place begins with an empty whisper list. */
  entered(now: Milliseconds): void {
    this.#enteredAt = Math.min(this.#enteredAt, now);
    this.#whispers.begin(now);
    this.#unsentList = null;
  }

  /** We resumed our place. */
  resumed(now: Milliseconds): void {
    this.#sendList(this.#whispers.resume(now));
  }

  /** Sends one packet, if it can be sent. */
  publish(packet: CapturedPacket, target: VoiceTarget, now: Milliseconds): 'sent' | 'not-sent' {
    const { fromAt, toAt } = packet.meant ?? { fromAt: now, toAt: now };
    // A list sent while we are away would be lost, but `settle` would count it as sent.
    if (this.#isIn) this.#sendList(this.#whispers.settle(fromAt));
    // Until the relay has the new list, it would send whispers to the previous one.
    const isMeant =
      target !== 'whisper' || (this.#unsentList === null && this.#whispers.isForRelays(fromAt, toAt));
    const number = this.#outlet.numberOf(target);
    if (number === null || !this.#outlet.hasRoom() || !isMeant || fromAt < this.#enteredAt) return 'not-sent';
    const fields = { ...packet, target: number, marker: packet.marker || this.#isNew(target) };
    this.#target = target;
    if (target === 'whisper') this.#list = 'known';
    this.#outlet.sendFrame(writeVoiceFrame(fields, packet.packet));
    return 'sent';
  }

  /** Whispers captured from now on go to these slots. Returns false while we are not in the lobby. */
  whisper(slots: readonly number[], now: Milliseconds): boolean {
    if (!this.#isIn) return false;
    this.#sendList(this.#whispers.change([...slots], now));
    return true;
  }

  /** When `time` is due; null while no change of the whisper list waits. While we are away, a change waits for `resumed`. */
  get deadline(): Milliseconds | null {
    return this.#isIn ? this.#whispers.dueAt : null;
  }

  /** Sends the changes of the whisper list that have waited long enough. */
  time(now: Milliseconds): void {
    if (this.#isIn) this.#sendList(this.#whispers.settleOverdue(now));
  }

  /** Whether we are in the lobby: anyone in it may whisper. */
  get #isIn(): boolean {
    return this.#outlet.numberOf('whisper') !== null;
  }

  /** Whether this frame begins a talkspurt even though the caller did not cut the one before. */
  #isNew(target: VoiceTarget): boolean {
    if (this.#target === null) return false;
    return !isSameTarget(this.#target, target) || (target === 'whisper' && this.#list === 'new');
  }

  /** Sends the relay a new list, or the one that could not be sent before. */
  #sendList(slots: readonly number[] | null): void {
    if (slots !== null) {
      this.#unsentList = slots;
      this.#list = 'new';
    }
    if (this.#unsentList === null || !this.#outlet.hasRoom()) return;
    this.#outlet.sendWhisperList(this.#unsentList);
    this.#unsentList = null;
  }
}
