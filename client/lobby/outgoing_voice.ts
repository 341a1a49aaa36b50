/**
 * Sends our voice to the relay, and holds back what was not meant for those who would hear it. The clock is passed in.
 */

import type { Milliseconds } from '../../voice/units.js';
import { writeVoiceFrame } from '../../voice/wire.js';
import type { CapturedPacket, MeantSpan } from '../capture_targets.js';
import type { SessionRequest } from '../session_io.js';
import { strictClock } from '../strict_clock.js';
import type { Transport } from '../transport/transport.js';
import { isSameTarget, type VoiceTarget } from '../voice_target.js';
import type { LobbyIo } from './io.js';
import { checkTarget, whisperRequest } from './requests.js';
import { MAX_WAIT_MS, WhisperLists } from './whisper_lists.js';

/** The most voice that may wait to be sent, in bytes: a few seconds of one speaker. */
export const MAX_BUFFERED_BYTES = 64 * 1024;

/** What outgoing voice needs from its membership. */
export interface VoiceOwner {
  /** Null while not connected. */
  transport(): Transport | null;
  /** The number of a target on the wire; null while we are not in the lobby, or not in that channel. */
  numberOf(target: VoiceTarget): number | null;
  /** Returns false when the request was not sent. */
  request(request: SessionRequest): boolean;
}

export class OutgoingVoice {
  readonly #io: LobbyIo;
  readonly #moment: () => Milliseconds;
  readonly #owner: VoiceOwner;
  readonly #whispers = new WhisperLists();
  #stopWaiting: () => void = () => undefined;
  /** What was captured before this instant is not for this lobby. */
  #enteredAt: Milliseconds = Number.POSITIVE_INFINITY;
  /** The target of the last frame that was sent. */
  #target: VoiceTarget | null = null;
  /** Whether the last whisper went to the relay's present whisper list (`known`), or to an earlier one (`new`). */
  #list: 'known' | 'new' = 'known';
  /** A whisper list that could not be sent yet, because the connection was backed up. */
  #unsentList: readonly number[] | null = null;

  constructor(io: LobbyIo, owner: VoiceOwner) {
    this.#io = io;
    this.#moment = strictClock(io.now);
    this.#owner = owner;
  }

  /** We joined, or joined again. A new place begins with an empty whisper list. */
  entered(): void {
    const now = this.#moment();
    this.#enteredAt = Math.min(this.#enteredAt, now);
    this.#whispers.begin(now);
    this.#unsentList = null;
  }

  /** We resumed our place. */
  resumed(): void {
    this.#sendList(this.#whispers.resume(this.#moment()));
  }

  /** Sends one packet. Returns the number of its target on the wire, or null when it was not sent. @throws TypeError for an invalid target. */
  publish(packet: CapturedPacket, target: VoiceTarget): number | null {
    checkTarget(target);
    const { fromAt, toAt } = packet.meant ?? this.#asOfNow();
    // A list sent while we are away would be lost, but `settle` would count it as sent.
    if (this.#isIn) this.#sendList(this.#whispers.settle(fromAt));
    // Until the relay has the new list, it would send whispers to the previous one.
    const isMeant =
      target !== 'whisper' || (this.#unsentList === null && this.#whispers.isForRelays(fromAt, toAt));
    const number = this.#owner.numberOf(target);
    const transport = this.#owner.transport();
    const isHungUp = !transport || transport.bufferedBytes > MAX_BUFFERED_BYTES;
    if (isHungUp || number === null || !isMeant || fromAt < this.#enteredAt) return null;
    const fields = { ...packet, target: number, marker: packet.marker || this.#isNew(target) };
    this.#target = target;
    if (target === 'whisper') this.#list = 'known';
    transport.send(writeVoiceFrame(fields, packet.packet));
    return number;
  }

  /** Whispers captured from now on go to these slots. Returns false while we are not in the lobby. @throws RangeError for invalid slots. */
  whisper(slots: readonly number[]): boolean {
    // Checks the slots before any of them is kept.
    whisperRequest(slots);
    if (!this.#isIn) return false;
    const list = this.#whispers.change([...slots], this.#moment());
    this.#sendList(list);
    this.#wait();
    return true;
  }

  /** Nothing more goes out. */
  end(): void {
    this.#stopWaiting();
  }

  #asOfNow(): MeantSpan {
    const now = this.#moment();
    return { fromAt: now, toAt: now };
  }

  /** Whether we are in the lobby: anyone in it may whisper. */
  get #isIn(): boolean {
    return this.#owner.numberOf('whisper') !== null;
  }

  /** Whether this frame begins a talkspurt even though the caller did not cut the one before. */
  #isNew(target: VoiceTarget): boolean {
    if (this.#target === null) return false;
    return !isSameTarget(this.#target, target) || (target === 'whisper' && this.#list === 'new');
  }

  /** Sends the oldest waiting change of the whisper list when it has waited `MAX_WAIT_MS`. While we are away, it waits for `resumed`. */
  #wait(): void {
    const oldest = this.#whispers.oldestChange;
    if (oldest === null) return;
    this.#stopWaiting();
    this.#stopWaiting = this.#io.after(Math.max(0, oldest + MAX_WAIT_MS - this.#io.now()), () => {
      if (!this.#isIn) return;
      this.#sendList(this.#whispers.settle(this.#io.now() - MAX_WAIT_MS));
      this.#wait();
    });
  }

  /** Sends the relay a new list, or the one that could not be sent before. */
  #sendList(slots: readonly number[] | null): void {
    if (slots !== null) {
      this.#unsentList = slots;
      this.#list = 'new';
    }
    if (this.#unsentList !== null && this.#owner.request(whisperRequest(this.#unsentList)))
      this.#unsentList = null;
  }
}
