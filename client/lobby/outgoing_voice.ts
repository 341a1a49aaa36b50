/**
 * Our voice on its way out of a lobby: to whom it goes there, what is sent, and what is not, for it was not meant for those who would
 * hear it. No clock of its own.
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

/** Voice that waits to be sent at most: some seconds of one speaker's. */
export const MAX_BUFFERED_BYTES = 64 * 1024;

/** What voice needs of the membership that it goes out of. */
export interface WayOut {
  /** Null while there is no connection. */
  transport(): Transport | null;
  /** The number of a target on the wire; null while we are not in the lobby, or not in that channel. */
  numberOf(target: VoiceTarget): number | null;
  /** False when the relay was not asked. */
  request(request: SessionRequest): boolean;
}

export class OutgoingVoice {
  readonly #io: LobbyIo;
  readonly #moment: () => Milliseconds;
  readonly #wayOut: WayOut;
  readonly #whispers = new WhisperLists();
  #stopWaiting: () => void = () => undefined;
  /** What was captured before is not for this lobby. */
  #enteredAt: Milliseconds = Number.POSITIVE_INFINITY;
  /** Of the last frame that was sent. */
  #target: VoiceTarget | null = null;
  /** Whether the relay's whisper list is the one that the last whisper went to. */
  #list: 'known' | 'new' = 'known';
  /** A whisper list that the relay could not be told yet: the connection took nothing. */
  #untold: readonly number[] | null = null;

  constructor(io: LobbyIo, wayOut: WayOut) {
    this.#io = io;
    this.#moment = strictClock(io.now);
    this.#wayOut = wayOut;
  }

  /** We joined. In a place other than the one before, nobody is there to whisper to. */
  entered(): void {
    const now = this.#moment();
    this.#enteredAt = Math.min(this.#enteredAt, now);
    this.#whispers.begin(now);
    this.#untold = null;
  }

  /** We are back in our place. */
  resumed(): void {
    this.#tellList(this.#whispers.resume(this.#moment()));
  }

  /** Sends one packet; returns the number of its target on the wire, null when it was not sent. @throws TypeError for a target that is none. */
  publish(packet: CapturedPacket, target: VoiceTarget): number | null {
    checkTarget(target);
    const { fromAt, toAt } = packet.meant ?? this.#asOfNow();
    // What is told while the relay does not listen would be taken for done.
    if (this.#isIn) this.#tellList(this.#whispers.settle(fromAt));
    // Until the relay has the list, whispers would go to the one before.
    const isMeant =
      target !== 'whisper' || (this.#untold === null && this.#whispers.isForRelays(fromAt, toAt));
    const number = this.#wayOut.numberOf(target);
    const transport = this.#wayOut.transport();
    const isHungUp = !transport || transport.bufferedBytes > MAX_BUFFERED_BYTES;
    if (isHungUp || number === null || !isMeant || fromAt < this.#enteredAt) return null;
    const fields = { ...packet, target: number, marker: packet.marker || this.#isNew(target) };
    this.#target = target;
    if (target === 'whisper') this.#list = 'known';
    transport.send(writeVoiceFrame(fields, packet.packet));
    return number;
  }

  /** Whispers captured from now on are for these. False while we are not in the lobby. @throws RangeError for what are no slots. */
  whisper(slots: readonly number[]): boolean {
    // Checked before anything of it is remembered.
    whisperRequest(slots);
    if (!this.#isIn) return false;
    const list = this.#whispers.change([...slots], this.#moment());
    this.#tellList(list);
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

  /** Whether the relay would hear us now. Anybody who is in may whisper. */
  get #isIn(): boolean {
    return this.#wayOut.numberOf('whisper') !== null;
  }

  /** Callers that do not cut a talkspurt leave its end to the hangover; but that this is another one has to be seen. */
  #isNew(target: VoiceTarget): boolean {
    if (this.#target === null) return false;
    return !isSameTarget(this.#target, target) || (target === 'whisper' && this.#list === 'new');
  }

  /** Until the change of the whisper list that waits longest has waited long enough. Away, it waits for `resumed`. */
  #wait(): void {
    const oldest = this.#whispers.oldestChange;
    if (oldest === null) return;
    this.#stopWaiting();
    this.#stopWaiting = this.#io.after(Math.max(0, oldest + MAX_WAIT_MS - this.#io.now()), () => {
      if (!this.#isIn) return;
      this.#tellList(this.#whispers.settle(this.#io.now() - MAX_WAIT_MS));
      this.#wait();
    });
  }

  /** Tells the relay a new list, or the one that it could not be told before. */
  #tellList(slots: readonly number[] | null): void {
    if (slots !== null) {
      this.#untold = slots;
      this.#list = 'new';
    }
    if (this.#untold !== null && this.#wayOut.request(whisperRequest(this.#untold))) this.#untold = null;
  }
}
