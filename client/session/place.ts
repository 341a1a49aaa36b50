/**
 * Our place in a lobby, over all connections: what the relay told us about it, the offer to resume it, and the counters. Pure.
 */

import { writeAcknowledgement } from '../../voice/acknowledgement.js';
import type { CLIENT_CAPABILITIES, RELAY_CAPABILITIES, RelayMessage } from '../../voice/control.js';
import type { Milliseconds } from '../../voice/units.js';
import { packetOf, readVoiceHeader, type VoiceHeader } from '../../voice/wire.js';
import { LobbyCounter } from './counter.js';
import type { Entrant } from './entrance.js';
import { type LobbyChange, LobbyState, type Member, type Participant } from './lobby_state.js';
import type { StreamMark } from './missed_frames.js';
import { RelayClock } from './relay_clock.js';
import type { SessionDrop, SessionOptions, SessionOutput } from './session_io.js';
import { Staleness } from './staleness.js';
import type { VoiceTarget } from './voice_target.js';

/** How long to try to join again if the welcome did not offer to resume. */
const REJOIN_WITHIN_MS: Milliseconds = 30_000;

/** The longest time to keep reconnecting, whatever the relay's welcome says: an hour. */
const MAX_RETURN_MS: Milliseconds = 3_600_000;

/** What a relay may say that it can do. */
type Capability = (typeof RELAY_CAPABILITIES)[number] | (typeof CLIENT_CAPABILITIES)[number];

export type Welcome = Extract<RelayMessage, { type: 'welcome' }>;

/** What a welcome meant. `channels`: those that we were in before, and have to enter again. */
export type Welcomed =
  | { readonly kind: 'first' }
  | {
      readonly kind: 'resumed' | 'joined-anew';
      readonly changes: readonly LobbyChange[];
      readonly channels: readonly string[];
      /** Whether the others have to hear again that we record. */
      readonly recording: boolean;
    };

/** A lobby as far as the relay told us about it. */
export interface LobbyView {
  /** Ourselves. @throws RangeError before the first welcome. */
  readonly you: Member;
  /** Everyone else. */
  readonly participants: readonly Participant[];
  /** Listeners who are counted and not listed, ourselves included if we are one of them. */
  readonly unlisted: number;
  /** The people whom the game lets us hear, by a hearing set; null without one, when we hear everyone. */
  readonly heard: readonly Participant[] | null;
  /** Names of all channels. */
  readonly channels: readonly string[];
  /** What our credential grants: whether the relay passes our voice on, and whether it sends us that of others. */
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  /** The first relay's clock when we joined, in ms, 32 bit, as in voice frames. */
  readonly joinedRelayTimeMs: number;
}

export class Place implements LobbyView {
  readonly counter = new LobbyCounter();
  readonly #options: SessionOptions;
  readonly #rejoin: 'may' | 'never';
  readonly #clock: RelayClock;
  readonly #staleness = new Staleness();
  /** Null until the first welcome. */
  #lobby: LobbyState | null = null;
  /** Secret. Null if there is no place to resume. */
  #resume: { readonly secret: string; readonly withinMs: Milliseconds } | null = null;
  #maySpeak = true;
  #capabilities: readonly string[] = [];
  #mayListen = true;

  /** @param rejoin Whether there is a credential for another hello. */
  constructor(options: SessionOptions, rejoin: 'may' | 'never') {
    this.#options = options;
    this.#clock = new RelayClock(options.staleVoice);
    this.#rejoin = rejoin;
  }

  get you(): Member {
    return this.#known().you;
  }

  get participants(): readonly Participant[] {
    return this.#lobby?.participants ?? [];
  }

  get unlisted(): number {
    return this.#lobby?.unlisted ?? 0;
  }

  get heard(): readonly Participant[] | null {
    return this.#lobby?.heard ?? null;
  }

  get channels(): readonly string[] {
    return this.#lobby?.channels ?? [];
  }

  get maySpeak(): boolean {
    return this.#maySpeak;
  }

  get mayListen(): boolean {
    return this.#mayListen;
  }

  get joinedRelayTimeMs(): number {
    return this.#clock.originMs;
  }

  /** People announced by the relay beyond the limit of a lobby. */
  get refusedParticipants(): number {
    return this.#lobby?.refusedParticipants ?? 0;
  }

  /** How often the relay parked us. */
  get parks(): number {
    return this.#staleness.parks;
  }

  /** Null: the next message is a hello. */
  get resumeSecret(): string | null {
    return this.#resume?.secret ?? null;
  }

  /** When we join again, we keep our SteamID and our latest name. */
  get entrant(): Entrant {
    const { lobby, steamId, name } = this.#options;
    return { lobby, steamId: this.#lobby?.you.steamId ?? steamId, name: this.#lobby?.you.name ?? name };
  }

  /** A guest gets another SteamID after joining again, and their packets carry the old one. So only a guest who may not speak rejoins. */
  get mayRejoin(): boolean {
    const isSpeakingGuest = this.#lobby?.you.guest !== false && this.#maySpeak;
    return this.#rejoin === 'may' && this.#lobby !== null && !isSpeakingGuest;
  }

  /** Whether another relay may get our credential. */
  get mayMove(): boolean {
    return this.#rejoin === 'may' && !this.you.guest;
  }

  /** How long a lost connection may be replaced; 0: not at all. */
  get returnWithinMs(): Milliseconds {
    const offeredMs = this.#resume?.withinMs ?? (this.mayRejoin ? REJOIN_WITHIN_MS : 0);
    return Math.min(offeredMs, MAX_RETURN_MS);
  }

  /** The relay no longer has our place, or we go to another relay. */
  giveUp(): void {
    this.#resume = null;
  }

  welcome(message: Welcome, now: Milliseconds): Welcomed {
    const kind = this.#resume ? 'resumed' : 'joined-anew';
    this.#resume = message.resume ?? null;
    this.#capabilities = message.capabilities ?? [];
    this.#maySpeak = message.speak ?? true;
    this.#mayListen = message.listen ?? true;
    const lobby = this.#lobby;
    if (!lobby) {
      this.#lobby = new LobbyState(message);
      this.#clock.begin(message, now);
      return { kind: 'first' };
    }
    const { channels, recordingSince } = lobby.you;
    const changes = lobby.replace(message);
    this.counter.resumed();
    this.#staleness.restart(lobby.participants.map(({ slot }) => slot));
    if (kind === 'resumed') {
      this.#clock.resume(message, now);
      return { kind, changes, channels: [], recording: false };
    }
    this.#clock.rejoin(message, now);
    // A new place is in no channel. A guest cannot enter channels: a moderator had moved them there.
    const toEnter = message.you.guest ? [] : channels;
    return { kind, changes, channels: toEnter, recording: recordingSince !== null && this.can('recording') };
  }

  /** Whether the relay says that it can do this. */
  can(capability: Capability): boolean {
    return this.#capabilities.includes(capability);
  }

  apply(message: Parameters<LobbyState['apply']>[0]): LobbyChange[] {
    const lobby = this.#known();
    if (message.type === 'left') {
      this.counter.left(message.slot);
      this.#staleness.left(message.slot);
    }
    if (message.type === 'hears') this.#hears(message.next ?? [], message.until ?? []);
    return lobby.apply(message);
  }

  /** The relay's time came by itself. */
  heartbeat(relayTimeMs: number, now: Milliseconds): void {
    this.#clock.heard(relayTimeMs, now);
  }

  /** The relay sends us no voice until it has our acknowledgement, the first of these outputs. */
  parked(relayTimeMs: number, now: Milliseconds): SessionOutput[] {
    this.#clock.heard(relayTimeMs, now);
    const answer = { kind: 'send', data: writeAcknowledgement(relayTimeMs) } as const;
    return this.#staleness.park(relayTimeMs) ? [answer, { kind: 'parked' }] : [answer];
  }

  /** The relay sends us voice again. */
  live(): SessionOutput[] {
    const skippedFrames = this.#staleness.unpark();
    return skippedFrames === null ? [] : [{ kind: 'caught-up', skippedFrames }];
  }

  /** Nobody is heard while we are away. */
  silenceAll(): LobbyChange[] {
    return this.#known().silenceAll();
  }

  numberOf(target: VoiceTarget): number | null {
    return this.#known().numberOf(target);
  }

  /** Reads a frame of somebody else. What is dropped is counted. @param put Takes the outputs: an acknowledgement before the voice. */
  voice(frame: Uint8Array, now: Milliseconds, put: (output: SessionOutput) => void): void {
    const header = readVoiceHeader(frame);
    if (header.kind === 'malformed') {
      this.counter.dropped('malformed');
      return;
    }
    const { relayTimeMs, acknowledge } = header;
    if (acknowledge && this.can('stale') && this.#staleness.asked(relayTimeMs)) {
      put({ kind: 'send', data: writeAcknowledgement(relayTimeMs) });
    }
    const heard = this.#heard(header, packetOf(frame), this.#clock.judge(relayTimeMs, now));
    if (typeof heard === 'string') this.counter.dropped(heard);
    else put(heard);
  }

  #heard(
    header: VoiceHeader,
    packet: Uint8Array,
    age: 'in-time' | 'stale',
  ): Extract<SessionOutput, { kind: 'voice' }> | SessionDrop {
    const { slot } = header;
    const lobby = this.#known();
    const participant = lobby.participant(slot);
    if (!participant) return 'slot-unknown';
    this.counter.arrived(header);
    if (age === 'stale') {
      this.#staleness.dropped(slot);
      return age;
    }
    const target = lobby.targetOf(header.target);
    if (!target) return 'target-unknown';
    if (header.opaque) return 'opaque';
    this.counter.received();
    const read = this.#clock.header(header);
    const shown = this.#staleness.resumes(slot) ? { ...read, marker: true } : read;
    return { kind: 'voice', participant, header: shown, target, packet };
  }

  #hears(next: readonly StreamMark[], until: readonly StreamMark[]): void {
    const lobby = this.#known();
    // The frames of people whom we do not know are dropped as well.
    const isKnown = ([slot]: StreamMark) => lobby.participant(slot) !== undefined;
    const { isParked } = this.#staleness;
    for (const mark of until.filter(isKnown)) {
      const frames = this.counter.until(mark, isParked ? 'skipped' : 'missed');
      if (isParked) this.#staleness.skipped(mark[0], frames);
    }
    for (const mark of next.filter(isKnown)) this.counter.next(mark);
  }

  #known(): LobbyState {
    if (!this.#lobby) throw new RangeError('Cannot read the lobby: the relay has not sent a welcome yet');
    return this.#lobby;
  }
}
