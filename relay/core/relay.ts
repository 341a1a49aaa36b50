/**
 * The relay without its socket: who joins which lobby, who may speak, which messages go to whom. Inputs and instants go in, plain
 * outputs come out, without any clock, timer or socket; randomness is an argument. port/switchboard.ts carries out the outputs in order.
 */

import type { Milliseconds } from '../../voice/units.js';
import type { AddressKey } from './address_key.js';
import {
  type AdminCommand,
  type AdminResult,
  type LobbyState,
  type LobbySummary,
  lobbyState,
  type MemberState,
  summaryOf,
  unlistedOf,
} from './administration.js';
import { administer } from './commands.js';
import { newConnection } from './connection.js';
import { Connections } from './connections.js';
import { Control } from './control.js';
import { Departures } from './departures.js';
import { Drain } from './drain.js';
import type { ConnectionId, RelayInput, RelayOutput, RelayStateCounts } from './io.js';
import { type RelayPolicy, STRICT_POLICY } from './joining/hello.js';
import { Joining } from './joining/joining.js';
import { limitsWithin, type RelayLimits, relayLimits } from './limits.js';
import { Lobbies } from './lobby/lobbies.js';
import { Places } from './lobby/places.js';
import { ADDRESS_SHARES, type AddressShares } from './lobby/shares.js';
import { Speakers } from './lobby/speakers.js';
import { endSanctions, type ModerationContext } from './moderation.js';
import { type Sanction, Sanctions } from './sanctions.js';
import { Heartbeats } from './staleness/heartbeats.js';
import { Staleness } from './staleness/staleness.js';
import { SteadyClock } from './steady_clock.js';
import { Turn } from './turn.js';
import type { Verdict } from './voice/verdict.js';
import { Voice } from './voice/voice.js';

/** Everything a relay's core needs. */
export interface RelaySettings {
  /** Overrides of the defaults in `RelayLimits`. */
  readonly limits?: Partial<RelayLimits>;
  /** Overrides of `STRICT_POLICY`. */
  readonly policy?: Partial<RelayPolicy>;
  /** Where the relay time on the wire is 0. */
  readonly startedAt: Milliseconds;
  /** This many random bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array;
  /** Overrides of the defaults in `AddressShares`. */
  readonly addressShares?: Partial<AddressShares>;
  /** The records of earlier `keep` outputs. */
  readonly sanctions?: Iterable<Sanction>;
}

const NONE: readonly RelayOutput[] = [];

/** A whole relay without sockets: inputs and instants go in, outputs come out. */
export class Relay {
  readonly limits: RelayLimits;
  readonly #connections = new Connections();
  readonly #sanctions: Sanctions;
  readonly #lobbies: Lobbies;
  readonly #places: Places;
  readonly #speakers: Speakers;
  readonly #departures: Departures;
  readonly #moderation: ModerationContext;
  readonly #joining: Joining;
  readonly #control: Control;
  readonly #staleness: Staleness;
  readonly #heartbeats: Heartbeats;
  readonly #voice: Voice;
  readonly #drain = new Drain();
  readonly #clock = new SteadyClock();

  /** Throws what `relayLimits` throws. */
  constructor(settings: RelaySettings) {
    const { addressShares = {}, startedAt, random } = settings;
    const limits = relayLimits(settings.limits);
    const policy = { ...STRICT_POLICY, ...settings.policy };
    const perAddress = limitsWithin(ADDRESS_SHARES, addressShares, "an address's");
    const random16 = () => Array.from(random(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const sanctions = new Sanctions(limits.sanctions, settings.sanctions);
    const connections = this.#connections;
    const drain = this.#drain;
    const lobbies = new Lobbies(limits, policy, sanctions, perAddress);
    const places = new Places(limits.resumeWithinMs, random16);
    const speakers = new Speakers(limits.speakingHangoverMs);
    const staleness = new Staleness(startedAt, limits.staleAfterMs);
    const departures = new Departures({ limits, connections, lobbies, places, speakers });
    const moderation = { sanctions, lobbies, departures };
    const joining = new Joining({
      ...{ limits, policy, connections, lobbies, places, departures, drain },
      ...{ startedAt, random, random16 },
    });
    this.limits = limits;
    this.#sanctions = sanctions;
    this.#lobbies = lobbies;
    this.#places = places;
    this.#speakers = speakers;
    this.#departures = departures;
    this.#moderation = moderation;
    this.#joining = joining;
    this.#staleness = staleness;
    this.#heartbeats = new Heartbeats(connections, startedAt);
    this.#control = new Control({ limits, departures, joining, moderation });
    this.#voice = new Voice({ connections, departures, speakers, staleness, startedAt });
  }

  /** Takes every input but voice and heartbeats. `now` never goes back. */
  handle(input: RelayInput, now: Milliseconds): readonly RelayOutput[] {
    const turn = 'unixSeconds' in input ? this.#turn(now, input.unixSeconds) : new Turn(now, 0, 0);
    switch (input.kind) {
      case 'connected':
        this.#connected(input.connection, input.address ?? null, turn);
        break;
      case 'text': {
        const connection = this.#connections.get(input.connection);
        if (connection) this.#control.text(connection, input.bytes, turn);
        break;
      }
      case 'judged': {
        const connection = this.#connections.get(input.connection);
        if (connection?.judged) this.#joining.judged(connection, connection.judged, input.verdict, turn);
        break;
      }
      case 'closed': {
        const connection = this.#connections.get(input.connection);
        if (connection) this.#departures.closed(connection, turn);
        break;
      }
      case 'drain':
        this.#drain.begin(input.withinMs, input.goTo, this.#connections.joined(), turn);
        break;
      case 'tick':
        if (input.load !== undefined) this.#staleness.setLoad(input.load);
        this.#tick(turn);
        break;
    }
    return turn.outputs;
  }

  /**
   * Before this instant a tick has no outputs and changes nothing, unless another input comes or the machine's clock is set; infinite when
   * there is nothing to wait for. Mutes and bans end by unix time, in whole seconds: one may end in the last 100 ms before. Real-time.
   */
  deadline(): Milliseconds {
    return Math.min(
      this.#connections.lateAt(this.limits.helloWithinMs),
      this.#places.deadline,
      this.#speakers.deadline,
      this.#lobbies.deadline,
      this.#sanctions.deadline,
      this.#staleness.deadline,
      this.#heartbeats.deadline,
    );
  }

  /**
   * Judges one voice frame. It is read, not changed and not kept. It is charged before it is read; then the first check that fails
   * decides: rate, header, packet, SteamID, permission to speak, mute, target, age, sound. The verdict is valid until the next
   * call. Real-time: no lock; allocates nothing for a frame that goes out within a talkspurt.
   */
  handleVoice(id: ConnectionId, frame: Uint8Array, now: Milliseconds): Verdict {
    return this.#voice.handle(id, frame, now);
  }

  /**
   * Charges a ping or a pong, which the WebSocket layer answers and which carries no message. Real-time: allocates only when the
   * connection is to be closed.
   */
  handleHeartbeat(id: ConnectionId, now: Milliseconds): readonly RelayOutput[] {
    const connection = this.#connections.get(id);
    if (!connection || connection.meter.charge(0, now) === 'within') return NONE;
    const turn = new Turn(now, 0, 0);
    this.#departures.refuseFlood(connection, turn);
    return turn.outputs;
  }

  /** Does what an administrator asks. @throws RangeError for an invalid capacity or too many channels. */
  administer(
    command: AdminCommand,
    now: Milliseconds,
    unixSeconds: number,
  ): { readonly result: AdminResult; readonly outputs: readonly RelayOutput[] } {
    const turn = this.#turn(now, unixSeconds);
    const result = administer(this.#moderation, this.limits, command, turn);
    return { result, outputs: turn.outputs };
  }

  /** All lobbies. */
  lobbies(): readonly LobbySummary[] {
    return [...this.#lobbies.all].map(summaryOf);
  }

  /** One lobby with its channels and listed members; null when there is no such lobby. */
  lobby(name: string): LobbyState | null {
    const lobby = this.#lobbies.get(name);
    return lobby ? lobbyState(lobby) : null;
  }

  /** The listeners of a lobby who are counted and not listed; null when there is no such lobby. */
  unlisted(name: string): readonly MemberState[] | null {
    const lobby = this.#lobbies.get(name);
    return lobby ? unlistedOf(lobby) : null;
  }

  /** All sanctions that are to be kept. */
  sanctions(): readonly Sanction[] {
    return this.#sanctions.list();
  }

  /** A copy of all counts. */
  counts(): RelayStateCounts {
    return {
      connections: this.#connections.size,
      participants: this.#lobbies.participants,
      unlisted: this.#lobbies.unlisted,
      away: this.#places.away,
      lobbies: this.#lobbies.size,
      hearingSets: this.#lobbies.hearing.sets,
      hearingEntries: this.#lobbies.hearing.entries,
      ...this.#sanctions.counts(),
      resumes: this.#joining.resumes,
      ...this.#staleness.counts(),
      publishedFrames: this.#voice.publishedFrames,
      publishedBytes: this.#voice.publishedBytes,
      drops: this.#voice.drops,
      refusals: this.#departures.refusals,
      failures: this.#control.failures,
    };
  }

  #turn(now: Milliseconds, unixSeconds: number): Turn {
    return new Turn(now, unixSeconds, this.#clock.read(now, unixSeconds));
  }

  #connected(id: ConnectionId, address: AddressKey | null, turn: Turn): void {
    if (this.#connections.get(id)) {
      throw new RangeError(`Cannot connect: connection ${id} exists already, expected a new number`);
    }
    const connection = newConnection(id, address, this.limits, turn.now);
    if (this.#connections.size >= this.limits.connections) {
      const detail = `${this.#connections.size} connections, expected at most ${this.limits.connections}`;
      this.#departures.refuse(connection, 'relay-full', detail, turn);
      return;
    }
    this.#connections.add(connection);
  }

  #tick(turn: Turn): void {
    const { helloWithinMs } = this.limits;
    for (const connection of this.#connections.lateBy(turn.now, helloWithinMs)) {
      const what = connection.judged ? 'the credential was not judged' : 'no hello came';
      const detail = `${what} in time, expected a hello within ${helloWithinMs} ms`;
      this.#departures.refuse(connection, 'hello-late', detail, turn);
    }
    for (const participant of this.#places.endedBy(turn.now)) {
      this.#departures.dismiss(
        participant,
        'token-expired',
        'the token has expired, expected a new one',
        turn,
      );
    }
    for (const participant of this.#places.goneBy(turn.now)) {
      this.#departures.remove(participant, 'gone', turn);
    }
    this.#speakers.tick(turn);
    this.#lobbies.tick(turn);
    this.#staleness.tick(turn);
    this.#heartbeats.tick(turn);
    endSanctions(this.#moderation, turn);
  }
}
