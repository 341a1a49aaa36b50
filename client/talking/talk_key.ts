/**
 * When the microphone records: the key, the mode and the local mute, as a pure state machine. It says what the capture has to do, and
 * whether the microphone is live. Mute beats everything.
 */

/**
 * `push-to-talk`: while the key is down. `toggle`: from one press to the next. `voice-activation`: always; `VoiceGate` decides what is
 * sent.
 */
export type TalkMode = 'push-to-talk' | 'toggle' | 'voice-activation';

export const TALK_MODES: readonly TalkMode[] = ['push-to-talk', 'toggle', 'voice-activation'];

/** @throws RangeError for another word. */
export function checkMode(mode: TalkMode): void {
  if (TALK_MODES.includes(mode)) return;
  throw new RangeError(
    `Cannot publish: mode is ${JSON.stringify(mode)}, expected one of ${TALK_MODES.join(', ')}`,
  );
}

/** What the capture has to do now; null: nothing. */
export type CaptureCommand = 'start' | 'stop' | null;

export class TalkKey {
  #mode: TalkMode;
  #key: 'up' | 'down' = 'up';
  /** In the mode `toggle`. */
  #toggle: 'off' | 'on' = 'off';
  #mute: 'muted' | 'not-muted' = 'not-muted';
  /** `tail`: told to stop, and what was recorded until then, and Steam's tail, still comes. */
  #recording: 'off' | 'on' | 'tail' = 'off';

  constructor(mode: TalkMode) {
    this.#mode = mode;
  }

  get mode(): TalkMode {
    return this.#mode;
  }

  get isMuted(): boolean {
    return this.#mute === 'muted';
  }

  /** Whether the microphone records for us, tail included. */
  get isRecording(): boolean {
    return this.#recording !== 'off';
  }

  /** Whether what is said now is recorded to be sent: from the key-down until the tail is over, and never while muted. */
  get isLive(): boolean {
    return this.isRecording && !this.isMuted;
  }

  press(): CaptureCommand {
    // A keyboard repeats a key that is held down.
    if (this.#key === 'down') return null;
    this.#key = 'down';
    if (this.#mode === 'toggle') this.#toggle = this.#toggle === 'on' ? 'off' : 'on';
    return this.#settle();
  }

  release(): CaptureCommand {
    this.#key = 'up';
    return this.#settle();
  }

  /** Changes the mode. A toggle begins switched off. */
  setMode(mode: TalkMode): CaptureCommand {
    if (mode !== this.#mode) this.#toggle = 'off';
    this.#mode = mode;
    return this.#settle();
  }

  setMute(mute: 'muted' | 'not-muted'): CaptureCommand {
    this.#mute = mute;
    return this.#settle();
  }

  /** The recording that was told to stop is over. */
  ended(): void {
    if (this.#recording === 'tail') this.#recording = 'off';
  }

  /** There is no microphone any more. */
  lost(): void {
    this.#recording = 'off';
  }

  #settle(): CaptureCommand {
    const isWanted = this.#isWanted();
    if (isWanted === (this.#recording === 'on')) return null;
    this.#recording = isWanted ? 'on' : 'tail';
    return isWanted ? 'start' : 'stop';
  }

  #isWanted(): boolean {
    if (this.isMuted) return false;
    switch (this.#mode) {
      case 'push-to-talk':
        return this.#key === 'down';
      case 'toggle':
        return this.#toggle === 'on';
      case 'voice-activation':
        return true;
    }
  }
}
