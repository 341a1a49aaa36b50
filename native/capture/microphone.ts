/**
 * One microphone, one reader: Steam gives each packet once, so two readers would each get only part of the voice.
 *
 * The reader is a capture, from startCapture to its end; a recording of `recordVoice`, to its last packet; or the `User` class,
 * from startVoiceRecording to stopVoiceRecording. Other readers are refused until then. After key-up the next reader may take over
 * the rest of a recording, since Steam goes on recording.
 */

import { HotmicError } from '../../voice/error.js';

/** Who reads a microphone. */
export interface MicrophoneReader {
  /** For messages, such as `a capture`. */
  readonly name: string;
  /** Key-up has come: the next reader may take over. */
  readonly isStopped: boolean;
  /** Key-up. */
  stop(): void;
  /** Another reader has taken over. */
  handOver(): void;
}

/** Steam's microphone, which one reader at a time may have. */
export class Microphone {
  #reader: MicrophoneReader | null = null;

  /** Gives the microphone to this reader. @throws As `checkFree`. */
  take(reader: MicrophoneReader, action: string): void {
    const other = this.#reader;
    if (other === reader) return;
    this.checkFree(action);
    this.#reader = reader;
    other?.handOver();
  }

  /** The reader is done. Does nothing if another reader has the microphone. */
  giveBack(reader: MicrophoneReader): void {
    if (this.#reader === reader) this.#reader = null;
  }

  /** @throws HotmicError ERR_HOTMIC_CAPTURE while a reader with its key down has it. */
  checkFree(action: string): void {
    if (this.#reader !== null && !this.#reader.isStopped) throw inUse(action, this.#reader);
  }

  /** @throws HotmicError ERR_HOTMIC_CAPTURE while another reader has it, also for the tail of a recording. */
  checkReader(reader: MicrophoneReader, action: string): void {
    if (this.#reader !== null && this.#reader !== reader) throw inUse(action, this.#reader);
  }

  /** Whether a reader other than this one has it. */
  isOfAnother(reader: MicrophoneReader): boolean {
    return this.#reader !== null && this.#reader !== reader;
  }

  /** Key-up for the current reader. */
  stop(): void {
    this.#reader?.stop();
  }
}

/** The microphone of the real Steam, shared by everything that this thread opens. */
export const REAL_MICROPHONE = new Microphone();

function inUse(action: string, { name }: MicrophoneReader): HotmicError {
  const text = `Cannot ${action}: ${name} is using the microphone; end it first`;
  return new HotmicError('ERR_HOTMIC_CAPTURE', text);
}
