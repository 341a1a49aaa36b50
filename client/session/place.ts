/**
 * Our place in a lobby, over all connections: what the relay told us about it, the offer to resume it, and the counters. Pure.
 */

import type { RELAY_CAPABILITIES, RelayMessage } from '../../voice/control.js';
import type { Milliseconds } from '../../voice/units.js';
import { packetOf, readVoiceHeader } from '../../voice/wire.js';
import { LobbyCounter } from './counter.js';
import type { Entrant } from './entrance.js';
import { type LobbyChange, LobbyState, type Member, type Participant } from './lobby_state.js';
import type { StreamMark } from './missed_frames.js';
import { RelayClock } from './relay_clock.js';
import type { SessionDrop, SessionOptions, SessionOutput } from './session_io.js';
import type { VoiceTarget } from './voice_target.js';

/** How long to try to join again if the welcome did not offer to resume. */
const REJOIN_WITHIN_MS: Milliseconds = 30_000;

/** The longest time to keep reconnecting, whatever the relay's welcome says: an hour. */
const MAX_RETURN_MS: Milliseconds = 3_600_000;

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
  readonly #clock = new RelayClock();
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
      this.#clock.begin(message.relayTimeMs, now);
      return { kind: 'first' };
    }
    const { channels, recordingSince } = lobby.you;
    const changes = lobby.replace(message);
    this.counter.resumed();
    if (kind === 'resumed') return { kind, changes, channels: [], recording: false };
    this.#clock.rejoin(message.relayTimeMs, now);
    // A new place is in no channel. A guest cannot enter channels: a moderator had moved them there.
    const toEnter = message.you.guest ? [] : channels;
    return { kind, changes, channels: toEnter, recording: recordingSince !== null && this.can('recording') };
  }

  /** Whether the relay says that it can do this. */
  can(capability: (typeof RELAY_CAPABILITIES)[number]): boolean {
    return this.#capabilities.includes(capability);
  }

  apply(message: Parameters<LobbyState['apply']>[0]): LobbyChange[] {
    const lobby = this.#known();
    if (message.type === 'left') this.counter.left(message.slot);
    if (message.type === 'hears') {
      const { next = [], until = [] } = message;
      // The frames of people whom we do not know are dropped as well.
      const isKnown = ([slot]: StreamMark) => lobby.participant(slot) !== undefined;
      this.counter.hears({ next: next.filter(isKnown), until: until.filter(isKnown) });
    }
    return lobby.apply(message);
  }

  /** Nobody is heard while we are away. */
  silenceAll(): LobbyChange[] {
    return this.#known().silenceAll();
  }

  numberOf(target: VoiceTarget): number | null {
    return this.#known().numberOf(target);
  }

  /** Reads a frame of somebody else; null if it was dropped, which is counted. */
  voice(frame: Uint8Array): SessionOutput | null {
    const header = readVoiceHeader(frame);
    if (header.kind === 'malformed') return this.#drop('malformed');
    const lobby = this.#known();
    const participant = lobby.participant(header.slot);
    if (!participant) return this.#drop('slot-unknown');
    this.counter.arrived(header);
    const target = lobby.targetOf(header.target);
    if (!target) return this.#drop('target-unknown');
    if (header.opaque) return this.#drop('opaque');
    this.counter.received();
    return {
      kind: 'voice',
      participant,
      header: this.#clock.header(header),
      target,
      packet: packetOf(frame),
    };
  }

  #drop(reason: Exclude<SessionDrop, 'not-joined'>): null {
    this.counter.dropped(reason);
    return null;
  }

  #known(): LobbyState {
    if (!this.#lobby) throw new RangeError('Cannot read the lobby: the relay has not sent a welcome yet');
    return this.#lobby;
  }
}
