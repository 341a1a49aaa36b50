/**
 * One microphone, one reader: Steam gives each packet once, so two readers would each get a part of the voice.
 *
 * The reader is a capture, from startCapture to its end; a recording of `recordVoice`, to its last packet; or the `User` class,
 * from startVoiceRecording to stopVoiceRecording. Anyone else is refused meanwhile. After key-up the next reader may take over
 * what is left of a recording, since Steam goes on recording.
 */

import { HotmicError } from '../../voice/error.js';

export interface MicrophoneReader {
  /** For messages, such as `a capture`. */
  readonly name: string;
  /** Key-up has come: whoever presses next takes over. */
  readonly isStopped: boolean;
  /** Key-up. */
  stop(): void;
  /** Another reader has taken over. */
  handOver(): void;
}

export class Microphone {
  #reader: MicrophoneReader | null = null;

  /** The microphone is now this reader's. @throws as `checkFree`. */
  take(reader: MicrophoneReader, action: string): void {
    const other = this.#reader;
    if (other === reader) return;
    this.checkFree(action);
    this.#reader = reader;
    other?.handOver();
  }

  /** Nobody reads it any more; nothing where another reader has it. */
  giveBack(reader: MicrophoneReader): void {
    if (this.#reader === reader) this.#reader = null;
  }

  /** @throws HotmicError ERR_HOTMIC_CAPTURE while somebody reads it whose key is down. */
  checkFree(action: string): void {
    if (this.#reader !== null && !this.#reader.isStopped) throw inUse(action, this.#reader);
  }

  /** @throws HotmicError ERR_HOTMIC_CAPTURE while it is another's, the tail of a recording included. */
  checkReader(reader: MicrophoneReader, action: string): void {
    if (this.#reader !== null && this.#reader !== reader) throw inUse(action, this.#reader);
  }

  /** Whether another than this one reads it. */
  isOfAnother(reader: MicrophoneReader): boolean {
    return this.#reader !== null && this.#reader !== reader;
  }

  /** Key-up for whoever reads it. */
  stop(): void {
    this.#reader?.stop();
  }
}

/** The microphone of the real Steam, for all that this thread opens. */
export const REAL_MICROPHONE = new Microphone();

function inUse(action: string, { name }: MicrophoneReader): HotmicError {
  const text = `Cannot ${action}: ${name} is using the microphone, expected it to be over first`;
  return new HotmicError('ERR_HOTMIC_CAPTURE', text);
}
