/** The counters of a membership: frames sent, refused, received and missed, and reconnections. */

import type { VoiceHeader } from '../../voice/wire.js';
import type { RedirectCounts } from './connecting/redirects.js';
import { MissedFrames, type StreamMark } from './missed_frames.js';
import type { SessionDrop } from './session_io.js';

/** Counters of a lobby. */
export interface LobbyCounts {
  readonly framesSent: number;
  /**
   * Not sent, because the connection was backed up, lost or closed, because we are not in that channel, or because the voice was meant
   * for others: for an earlier whisper list, or captured before we joined.
   */
  readonly framesRefused: number;
  readonly framesReceived: number;
  /**
   * Frames that the relay published to us while we were connected and that never arrived, without those behind the last one that did:
   * nobody has told us of them yet.
   */
  readonly framesMissed: number;
  /** Frames that the relay did not send us because we were behind: see `LobbyEvents.onParked`. They are not missed. */
  readonly framesSkipped: number;
  /** How often that began. */
  readonly parks: number;
  /** How often we reconnected. */
  readonly resumes: number;
  /** Voice frames from the relay that were dropped, by reason. */
  readonly dropped: Readonly<Record<SessionDrop, number>>;
  /** People announced by the relay beyond the limit of 1000 per lobby. They are not in `participants`. */
  readonly participantsRefused: number;
  /** How many redirects were followed, and how many were refused, by reason. */
  readonly redirects: RedirectCounts;
}

export class LobbyCounter {
  readonly #missed = new MissedFrames();
  readonly #dropped: Record<SessionDrop, number> = {
    'not-joined': 0,
    malformed: 0,
    'slot-unknown': 0,
    'target-unknown': 0,
    opaque: 0,
    stale: 0,
  };
  #framesSent = 0;
  #framesRefused = 0;
  #framesReceived = 0;
  #resumes = 0;

  /** A frame was not sent. */
  refused(): void {
    this.#framesRefused += 1;
  }

  sent(): void {
    this.#framesSent += 1;
  }

  /** A frame arrived, whether we can do anything with it or not. */
  arrived({ slot, target, relaySequence }: VoiceHeader): void {
    this.#missed.received(slot, target, relaySequence);
  }

  received(): void {
    this.#framesReceived += 1;
  }

  /** We hear this stream from now on. */
  next(mark: StreamMark): void {
    this.#missed.next(mark);
  }

  /** We no longer hear this stream. Returns how many of its frames did not come: they are `missed`, or the relay `skipped` them. */
  until(mark: StreamMark, as: 'missed' | 'skipped'): number {
    return this.#missed.until(mark, as);
  }

  left(slot: number): void {
    this.#missed.left(slot);
  }

  dropped(reason: SessionDrop): void {
    this.#dropped[reason] += 1;
  }

  /** We reconnected. */
  resumed(): void {
    this.#resumes += 1;
    this.#missed.restart();
  }

  counts(): Omit<LobbyCounts, 'parks' | 'participantsRefused' | 'redirects'> {
    return {
      framesSent: this.#framesSent,
      framesRefused: this.#framesRefused,
      framesReceived: this.#framesReceived,
      framesMissed: this.#missed.count,
      framesSkipped: this.#missed.skipped,
      resumes: this.#resumes,
      dropped: { ...this.#dropped },
    };
  }
}
