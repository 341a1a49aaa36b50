/** What the application sends: voice, whisper lists and requests. Pure: instants are arguments. */

import type { Milliseconds } from '../../voice/units.js';
import type { Outbox } from './outbox.js';
import { OutgoingVoice } from './outgoing_voice.js';
import type { Place, Welcomed } from './place.js';
import type { SessionInput, SessionRequest } from './session_io.js';

/** What the application asks for. */
type Asked = Extract<SessionInput, { kind: 'publish' | 'whisper' | 'request' }>;

export class Outgoing {
  readonly #place: Place;
  readonly #out: Outbox;
  readonly #isJoined: () => boolean;
  readonly #voice: OutgoingVoice;

  constructor(place: Place, out: Outbox, isJoined: () => boolean) {
    this.#place = place;
    this.#out = out;
    this.#isJoined = isJoined;
    this.#voice = new OutgoingVoice({
      numberOf: (target) => (isJoined() ? place.numberOf(target) : null),
      hasRoom: () => out.hasRoom,
      sendFrame: (frame) => out.put({ kind: 'send', data: frame }),
      sendWhisperList: (slots) => out.send({ type: 'whisper', slots: [...slots] }),
    });
  }

  /** When `time` is due; null if only something else can happen. */
  get deadline(): Milliseconds | null {
    return this.#voice.deadline;
  }

  time(now: Milliseconds): void {
    this.#voice.time(now);
  }

  /** Sends what the application asks for, or says that it is not sent. */
  take(asked: Asked, now: Milliseconds): void {
    if (!this.#isTaken(asked, now)) this.#out.put({ kind: 'not-sent' });
  }

  /** We are in the lobby: sends what a place has to be told again. */
  welcomed(welcomed: Welcomed, now: Milliseconds): void {
    if (welcomed.kind === 'resumed') this.#voice.resumed(now);
    else this.#voice.entered(now);
    if (welcomed.kind === 'first') return;
    const { channels, recording } = welcomed;
    if (channels.length > 0) this.#out.send({ type: 'channels', channels: [...channels] });
    if (recording) this.#out.send({ type: 'recording', recording });
  }

  #isTaken(asked: Asked, now: Milliseconds): boolean {
    if (asked.kind === 'whisper') return this.#voice.whisper(asked.slots, now);
    if (asked.kind === 'request') return this.#isSent(asked.request);
    const isSent = this.#voice.publish(asked.packet, asked.target, now) === 'sent';
    if (isSent) this.#place.counter.sent();
    else this.#place.counter.refused();
    return isSent;
  }

  /** Requests must not pile up in memory when the relay does not read. */
  #isSent(request: SessionRequest): boolean {
    const isKnown = request.type !== 'recording' || this.#place.can('recording');
    if (!this.#isJoined() || !this.#out.hasRoom || !isKnown) return false;
    this.#out.send(request);
    return true;
  }
}
