/** How one Steam uses the microphone: the voice functions of its `User`, and its recordings. */

import type { Milliseconds } from '../../voice/units.js';
import type { SteamUser } from '../steam_user.js';
import { type RecordVoiceOptions, VoiceRecorder } from '../voice_recorder.js';
import type { CapturedVoice } from '../voice_source.js';
import { Microphone, type MicrophoneReader } from './microphone.js';

type VoiceFunctions = Pick<SteamUser, 'startVoiceRecording' | 'stopVoiceRecording' | 'getVoice'>;

/** The microphone of an open Steam, shared by its readers. */
export class SteamMicrophone {
  readonly #steam: VoiceFunctions;
  readonly #microphone: Microphone;
  readonly #user: MicrophoneReader;
  #recorder: VoiceRecorder | null = null;
  #isClosed = false;

  constructor(steam: VoiceFunctions, microphone = new Microphone()) {
    this.#steam = steam;
    this.#microphone = microphone;
    this.#user = {
      name: 'startVoiceRecording of the User class',
      isStopped: false,
      stop: () => this.stop(),
      handOver: () => undefined,
    };
  }

  /** startVoiceRecording; a closed Steam ignores it. @throws HotmicError ERR_HOTMIC_CAPTURE. */
  start(): void {
    if (!this.#isClosed) this.#microphone.take(this.#user, 'start recording');
    this.#steam.startVoiceRecording();
  }

  /** stopVoiceRecording: key-up for any reader. The next reader gets the tail. */
  stop(): void {
    if (!this.#isClosed && this.#microphone.isOfAnother(this.#user)) {
      this.#microphone.stop();
      return;
    }
    this.#microphone.giveBack(this.#user);
    this.#steam.stopVoiceRecording();
  }

  /** @throws HotmicError ERR_HOTMIC_CAPTURE. */
  getVoice(bufferSize: number): CapturedVoice {
    if (!this.#isClosed) this.#microphone.checkReader(this.#user, 'get voice');
    return this.#steam.getVoice(bufferSize);
  }

  /** Key-down. A recording that drains ends, and the rest of it comes here. @throws HotmicError ERR_HOTMIC_CAPTURE. */
  record(clock: () => Milliseconds, options: RecordVoiceOptions): VoiceRecorder {
    this.#microphone.checkFree('record');
    const recorder = new VoiceRecorder(this.#steam, clock, options, () =>
      this.#microphone.giveBack(recorder),
    );
    this.#microphone.take(recorder, 'record');
    this.#recorder = recorder;
    return recorder;
  }

  /** The recording ends without its tail. A second call does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#microphone.giveBack(this.#user);
    try {
      this.#recorder?.stop();
    } finally {
      this.#recorder?.handOver();
    }
  }
}
