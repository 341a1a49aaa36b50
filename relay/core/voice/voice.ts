/** The path of a voice frame, from its connection to a verdict, and the counts of both. */

import { readAcknowledgement } from '../../../voice/acknowledgement.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { Connections } from '../connections.js';
import type { Departures } from '../departures.js';
import type { ConnectionId, RelayOutput } from '../io.js';
import type { Speakers } from '../lobby/speakers.js';
import { noteHeard, noteTalkspurt } from '../lobby/speaking.js';
import { relayTimeMs } from '../relay_time.js';
import type { Staleness } from '../staleness/staleness.js';
import { Turn } from '../turn.js';
import { type DropReason, noDrops } from './drop_reason.js';
import { type ForwardVerdict, judgeFrame, newFrameReader, type Verdict } from './verdict.js';

/** What voice needs of the relay around it. */
export interface VoiceParts {
  readonly connections: Connections;
  readonly departures: Departures;
  readonly speakers: Speakers;
  readonly staleness: Staleness;
  /** Where the relay time on the wire is 0. */
  readonly startedAt: Milliseconds;
}

const NONE: readonly RelayOutput[] = [];
const ACKNOWLEDGED: Verdict = { kind: 'acknowledged', outputs: NONE };

export class Voice {
  readonly #connections: Connections;
  readonly #departures: Departures;
  readonly #speakers: Speakers;
  readonly #staleness: Staleness;
  readonly #startedAt: Milliseconds;
  readonly #reader = newFrameReader();
  readonly #forward: { -readonly [Field in keyof ForwardVerdict]: ForwardVerdict[Field] } = {
    kind: 'forward',
    topic: null,
    ownTopic: null,
    lobby: NONE,
    talkers: 'one',
    slot: 0,
    sequence: 0,
    relaySequence: 0,
    relayTimeMs: 0,
    acknowledge: false,
    outputs: NONE,
  };
  readonly #drops = noDrops();
  #publishedFrames = 0;
  #publishedBytes = 0;

  constructor({ connections, departures, speakers, staleness, startedAt }: VoiceParts) {
    this.#connections = connections;
    this.#departures = departures;
    this.#speakers = speakers;
    this.#staleness = staleness;
    this.#startedAt = startedAt;
  }

  /** A copy. */
  get drops(): Readonly<Record<DropReason, number>> {
    return { ...this.#drops };
  }

  get publishedFrames(): number {
    return this.#publishedFrames;
  }

  get publishedBytes(): number {
    return this.#publishedBytes;
  }

  /** What becomes of one frame. The verdict is valid until the next call. Real-time: allocates nothing for a frame that goes out within a talkspurt. */
  handle(id: ConnectionId, frame: Uint8Array, now: Milliseconds): Verdict {
    const connection = this.#connections.get(id);
    if (!connection) return this.#drop('not-joined');
    const acknowledged = readAcknowledgement(frame);
    const charged = connection.meter.charge(frame.length, now);
    if (charged !== 'within') {
      const turn = new Turn(now, 0, 0);
      this.#departures.refuseFlood(connection, turn);
      return this.#drop(charged, turn.outputs);
    }
    const speaker = connection.participant;
    if (!speaker) {
      const turn = new Turn(now, 0, 0);
      this.#departures.refuse(connection, 'hello-expected', 'voice came before the hello', turn);
      return this.#drop('not-joined', turn.outputs);
    }

    if (acknowledged !== null) {
      if (this.#staleness.acknowledge(speaker, acknowledged, now) === 'as-before') return ACKNOWLEDGED;
      const turn = new Turn(now, 0, 0);
      speaker.lobby.unpark(speaker, turn);
      return { kind: 'acknowledged', outputs: turn.outputs };
    }
    const dropped = judgeFrame(this.#reader, frame, speaker, now);
    if (dropped !== null) return this.#drop(dropped);
    const { header } = this.#reader;
    const destination = speaker.lobby.destination(speaker, header.target);
    if (!destination) return this.#drop('target-unknown');
    this.#publishedFrames += 1;
    this.#publishedBytes += frame.length;
    noteHeard(speaker, now);
    let outputs = NONE;
    if (speaker.speech.target !== header.target || header.terminator) {
      const turn = new Turn(now, 0, 0);
      if (speaker.speech.target !== header.target) {
        const isTold = noteTalkspurt(speaker, now) === 'to-tell';
        this.#speakers.set(speaker, isTold ? header.target : null, turn);
      }
      if (header.terminator) this.#speakers.set(speaker, null, turn);
      outputs = turn.outputs;
    }
    const { topic, ownTopic, relaySequence } = destination;
    const verdict = this.#forward;
    verdict.topic = topic?.name ?? null;
    verdict.ownTopic = ownTopic?.name ?? null;
    verdict.lobby = speaker.lobby;
    verdict.talkers = speaker.lobby.noteTalker(speaker, now);
    verdict.slot = speaker.slot;
    verdict.sequence = header.sequence;
    verdict.relaySequence = relaySequence;
    verdict.relayTimeMs = relayTimeMs(this.#startedAt, now);
    verdict.acknowledge = this.#staleness.flag(speaker, topic, ownTopic, now);
    verdict.outputs = outputs;
    return verdict;
  }

  #drop(reason: DropReason, outputs: readonly RelayOutput[] = NONE): Verdict {
    this.#drops[reason] += 1;
    return { kind: 'drop', reason, outputs };
  }
}
