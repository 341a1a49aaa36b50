/**
 * A player's microphone in a lobby: the key, the mode and the mute stay while the device behind it changes, is unplugged, or is not there
 * yet. The voice goes on with the same numbers, so listeners notice only a pause.
 */

import { TalkspurtNumberer } from '../../voice/talkspurt.js';
import type { VoiceTarget } from '../session/voice_target.js';
import { type CaptureHandle, Publisher, type PublisherCounts, type PublisherOptions } from './publisher.js';
import { checkMode, type TalkMode } from './talk_key.js';

export interface MicrophoneOptions extends Omit<PublisherOptions, 'capture' | 'numberer' | 'clock'> {
  readonly clock: NonNullable<PublisherOptions['clock']>;
  /** The capture ended by itself, for example because the device was unplugged. Must not throw. */
  readonly onLost?: () => void;
}

const NOTHING: PublisherCounts = {
  ...{ talkspurts: 0, packets: 0, unsent: 0, withheld: 0, muted: 0, quiet: 0 },
  ...{ malformed: 0, refused: 0, discarded: 0 },
};

export class Microphone {
  readonly #options: MicrophoneOptions;
  readonly #numberer: TalkspurtNumberer;
  #mode: TalkMode;
  #mute: 'muted' | 'not-muted';
  #target: VoiceTarget;
  #key: 'up' | 'down' = 'up';
  #publisher: Publisher | null = null;
  #toldLive = false;
  /** Of captures that were used before and may be used again. */
  readonly #earlier = new Map<CaptureHandle, Publisher>();
  /** Of captures that have ended. */
  #ended = NOTHING;

  /** @throws RangeError for an unknown mode. */
  constructor(options: MicrophoneOptions) {
    checkMode(options.mode ?? 'push-to-talk');
    this.#options = options;
    this.#numberer = new TalkspurtNumberer(options.clock());
    this.#mode = options.mode ?? 'push-to-talk';
    this.#mute = options.muted ? 'muted' : 'not-muted';
    this.#target = options.target ?? 'lobby';
  }

  /** Whether what is said now is sent. */
  get isLive(): boolean {
    return this.#publisher?.isLive ?? false;
  }

  get isMuted(): boolean {
    return this.#mute === 'muted';
  }

  get mode(): TalkMode {
    return this.#mode;
  }

  /**
   * Takes another capture, or none. What the one before has captured and not sent is not sent any more. A key that is down stays down; a
   * toggle begins switched off.
   *
   * @throws RangeError when the capture has a publisher of its own.
   */
  use(capture: CaptureHandle | null): void {
    const before = this.#publisher;
    const next = capture && (this.#earlier.get(capture) ?? this.#open(capture));
    if (before === next) return;
    this.#publisher = next;
    if (before) {
      before.mute();
      void before.release();
    }
    this.#tellLive();
    if (!next) return;
    next.speakTo(this.#target);
    next.setMode(this.#mode);
    if (this.#key === 'down') next.press();
    if (this.#mute === 'not-muted') next.unmute();
  }

  /** See `Publisher.press`. */
  press(): void {
    this.#key = 'down';
    this.#publisher?.press();
  }

  /** See `Publisher.release`. */
  async release(): Promise<void> {
    this.#key = 'up';
    await this.#publisher?.release();
  }

  /** See `Publisher.mute`. It stays when the capture changes. */
  mute(): void {
    this.#mute = 'muted';
    this.#publisher?.mute();
  }

  /** See `Publisher.unmute`. */
  unmute(): void {
    this.#mute = 'not-muted';
    this.#publisher?.unmute();
  }

  /** See `Publisher.setMode`. @throws RangeError for another word. */
  setMode(mode: TalkMode): void {
    checkMode(mode);
    this.#publisher?.setMode(mode);
    this.#mode = mode;
  }

  /** See `Publisher.speakTo`. */
  speakTo(target: VoiceTarget): void {
    this.#target = target;
    this.#publisher?.speakTo(target);
  }

  /** Of all captures together. */
  counts(): PublisherCounts {
    let counts = this.#ended;
    for (const publisher of this.#earlier.values()) counts = sum(counts, publisher.counts());
    return { ...counts, malformed: this.#numberer.malformed };
  }

  #open(capture: CaptureHandle): Publisher {
    const publisher = new Publisher({
      ...this.#options,
      capture,
      mode: this.#mode,
      target: this.#target,
      muted: true,
      numberer: this.#numberer,
      onLive: () => this.#tellLive(),
    });
    this.#earlier.set(capture, publisher);
    void publisher.finished().then(() => {
      this.#ended = sum(this.#ended, publisher.counts());
      this.#earlier.delete(capture);
      if (publisher !== this.#publisher) return;
      this.#publisher = null;
      this.#options.onLost?.();
    });
    return publisher;
  }

  #tellLive(): void {
    const { isLive } = this;
    if (isLive === this.#toldLive) return;
    this.#toldLive = isLive;
    this.#options.onLive?.(isLive);
  }
}

function sum(one: PublisherCounts, other: PublisherCounts): PublisherCounts {
  return {
    talkspurts: one.talkspurts + other.talkspurts,
    packets: one.packets + other.packets,
    unsent: one.unsent + other.unsent,
    withheld: one.withheld + other.withheld,
    muted: one.muted + other.muted,
    quiet: one.quiet + other.quiet,
    malformed: one.malformed + other.malformed,
    refused: one.refused + other.refused,
    discarded: one.discarded + other.discarded,
  };
}
