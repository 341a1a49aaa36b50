/**
 * The relay without its socket: who is let in, into which lobby, who may speak, who is told what. Inputs and instants go in,
 * plain outputs come out; no clock, timer or socket, and randomness is an argument. server.ts carries the outputs out, in their
 * order.
 *
 * A joiner learns the whole state with its welcome and only changes after it. Both come from one call: nobody
 * can join or leave between the list and the first change.
 */

import type { RelayMessageToWrite } from '../../voice/control.js';
import {
  CloseCode,
  FAILURE_CODES,
  type FailureCode,
  LEAVE_CLOSE_CODE,
  type RefusalCode,
} from '../../voice/control_codes.js';
import type { Milliseconds } from '../../voice/units.js';
import type { AddressKey } from './address_key.js';
import {
  type AdminCommand,
  type AdminResult,
  type LobbyState,
  type LobbySummary,
  lobbyState,
  summaryOf,
} from './administration.js';
import { type ClientCommand, type ClientOpening, readClientBytes } from './client_text.js';
import { administer, obey } from './commands.js';
import { type Connection, newConnection } from './connection.js';
import type { CredentialVerdict } from './credential.js';
import { type Entrant, guestEntrant, provenEntrant, unprovenEntrant } from './entrants.js';
import {
  claimOf,
  guestSteamId,
  type Hello,
  type RelayPolicy,
  STRICT_POLICY,
  versionDetail,
  versionOf,
  whyDenied,
  withoutSecrets,
} from './hello.js';
import type { ConnectionId, Departure, RelayInput, RelayOutput, RelayStateCounts } from './io.js';
import { limitsWithin, type RelayLimits, relayLimits } from './limits.js';
import { Lobbies } from './lobbies.js';
import { endSanctions, type House } from './moderation.js';
import { OnceIds } from './once_ids.js';
import { type Participant, stateOf } from './participant.js';
import { leftEvent, participantEvent } from './participant_event.js';
import { Places } from './places.js';
import { type Sanction, Sanctions } from './sanctions.js';
import { ADDRESS_SHARE_RANGES, type AddressShares } from './shares.js';
import { SteadyClock } from './steady_clock.js';
import { Turn } from './turn.js';
import { type DropReason, judgeFrame, noDrops, type Verdict } from './verdict.js';

/** What a relay's core is made of. */
export interface RelaySettings {
  /** What differs from the defaults that `RelayLimits` names. */
  readonly limits?: Partial<RelayLimits>;
  /** What differs from `STRICT_POLICY`. */
  readonly policy?: Partial<RelayPolicy>;
  /** Where the relay time on the wire is 0. */
  readonly startedAt: Milliseconds;
  /** So many random bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array;
  /** What differs from the defaults that `AddressShares` names. */
  readonly addressShares?: Partial<AddressShares>;
  /** What was kept of earlier `keep`s. */
  readonly sanctions?: Iterable<Sanction>;
}

const NONE: readonly RelayOutput[] = [];

export class Relay {
  readonly limits: RelayLimits;
  readonly #policy: RelayPolicy;
  readonly #startedAt: Milliseconds;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #connections = new Map<ConnectionId, Connection>();
  /** Connections before their welcome, the oldest first. */
  readonly #waiting = new Set<Connection>();
  readonly #lobbies: Lobbies;
  readonly #places: Places;
  readonly #speaking = new Set<Participant>();
  readonly #sanctions: Sanctions;
  readonly #clock = new SteadyClock();
  readonly #onceIds = new OnceIds();
  readonly #drops = noDrops();
  readonly #refusals = zeroOf<RefusalCode>(Object.keys(CloseCode) as RefusalCode[]);
  readonly #failures = zeroOf<FailureCode>(FAILURE_CODES);
  readonly #house: House;
  #draining: { readonly endsAt: Milliseconds; readonly goTo: string | null } | null = null;
  #resumes = 0;
  #publishedFrames = 0;
  #publishedBytes = 0;

  /** Throws what `relayLimits` throws. */
  constructor(settings: RelaySettings) {
    const { limits = {}, policy = {}, addressShares = {}, startedAt, random, sanctions = [] } = settings;
    this.limits = relayLimits(limits);
    const perAddress = limitsWithin(ADDRESS_SHARE_RANGES, addressShares, "an address's");
    this.#policy = { ...STRICT_POLICY, ...policy };
    this.#startedAt = startedAt;
    this.#random = random;
    this.#sanctions = new Sanctions(this.limits.sanctions, sanctions);
    this.#lobbies = new Lobbies(this.limits, this.#policy, this.#sanctions, perAddress);
    this.#places = new Places(this.limits.resumeWithinMs, () => this.#random16());
    this.#house = {
      sanctions: this.#sanctions,
      found: (lobby, steamId) => this.#lobbies.found(lobby, steamId),
      everyone: (lobby) => this.#lobbies.everyone(lobby),
      dismiss: (participant, code, detail, turn) => this.#dismiss(participant, code, detail, turn),
    };
  }

  /** Takes everything but voice. `now` never goes back. */
  handle(input: RelayInput, now: Milliseconds): readonly RelayOutput[] {
    const turn = 'unixSeconds' in input ? this.#turn(now, input.unixSeconds) : new Turn(now, 0, 0);
    switch (input.kind) {
      case 'connected':
        this.#connected(input.connection, input.address ?? null, turn);
        break;
      case 'text': {
        const connection = this.#connections.get(input.connection);
        if (connection) this.#text(connection, input.bytes, turn);
        break;
      }
      case 'judged': {
        const connection = this.#connections.get(input.connection);
        if (connection?.judged) this.#judged(connection, connection.judged, input.verdict, turn);
        break;
      }
      case 'closed': {
        const connection = this.#connections.get(input.connection);
        if (connection) this.#closed(connection, turn);
        break;
      }
      case 'drain':
        this.#drain(input, turn);
        break;
      case 'tick':
        this.#tick(turn);
        break;
    }
    return turn.outputs;
  }

  /**
   * Judges one voice frame. It is read, not changed and not kept. It is charged before it is read; then the first check that fails decides:
   * rate, header, packet, SteamID, leave to speak, mute, target, sound. Real-time: no lock; allocates the verdict and what `readPacket`
   * does.
   */
  handleVoice(id: ConnectionId, frame: Uint8Array, now: Milliseconds): Verdict {
    const connection = this.#connections.get(id);
    if (!connection) return this.#drop('not-joined');
    const charged = connection.meter.charge(frame.length, now);
    if (charged !== 'within') return this.#drop(charged, this.#flooded(connection, new Turn(now, 0, 0)));
    const speaker = connection.participant;
    if (!speaker) {
      const turn = new Turn(now, 0, 0);
      this.#refuse(connection, 'hello-expected', 'voice came before the hello', turn);
      return this.#drop('not-joined', turn.outputs);
    }

    const header = judgeFrame(frame, speaker, now);
    if (typeof header === 'string') return this.#drop(header);
    const destination = speaker.lobby.destination(speaker, header.target);
    if (!destination) return this.#drop('target-unknown');
    this.#publishedFrames += 1;
    this.#publishedBytes += frame.length;
    speaker.heardAt = now;
    let outputs = NONE;
    if (speaker.speakingTo !== header.target || header.terminator) {
      const turn = new Turn(now, 0, 0);
      if (speaker.speakingTo !== header.target) {
        const isTold = speaker.lobby.noteTalkspurt(speaker, now) === 'to-tell';
        this.#setSpeaking(speaker, isTold ? header.target : null, turn);
      }
      if (header.terminator) this.#setSpeaking(speaker, null, turn);
      outputs = turn.outputs;
    }
    return {
      kind: 'forward',
      topic: destination.topic,
      slot: speaker.slot,
      sequence: header.sequence,
      relaySequence: destination.relaySequence,
      relayTimeMs: this.#relayTimeMs(now),
      acknowledge: false,
      outputs,
    };
  }

  /**
   * Charges a ping or a pong, which the WebSocket layer answers by itself, and which says nothing. Real-time: allocates only when the
   * connection is to be closed.
   */
  handleHeartbeat(id: ConnectionId, now: Milliseconds): readonly RelayOutput[] {
    const connection = this.#connections.get(id);
    if (!connection || connection.meter.charge(0, now) === 'within') return NONE;
    return this.#flooded(connection, new Turn(now, 0, 0));
  }

  /** Does what an administrator asks. @throws RangeError for a capacity or channels that are none. */
  administer(
    command: AdminCommand,
    now: Milliseconds,
    unixSeconds: number,
  ): { readonly result: AdminResult; readonly outputs: readonly RelayOutput[] } {
    const turn = this.#turn(now, unixSeconds);
    const result = administer(this.#house, this.#lobbies, this.limits, command, turn);
    return { result, outputs: turn.outputs };
  }

  /** All lobbies. */
  lobbies(): readonly LobbySummary[] {
    return [...this.#lobbies.all].map(summaryOf);
  }

  /** One lobby, whole; null when it is not there. */
  lobby(name: string): LobbyState | null {
    const lobby = this.#lobbies.get(name);
    return lobby ? lobbyState(lobby) : null;
  }

  /** All that is to be kept. */
  sanctions(): readonly Sanction[] {
    return this.#sanctions.list();
  }

  /** A copy of all counts. */
  counts(): RelayStateCounts {
    return {
      connections: this.#connections.size,
      participants: this.#lobbies.participants,
      away: this.#places.away,
      lobbies: this.#lobbies.size,
      ...this.#sanctions.counts(),
      resumes: this.#resumes,
      publishedFrames: this.#publishedFrames,
      publishedBytes: this.#publishedBytes,
      drops: { ...this.#drops },
      refusals: { ...this.#refusals },
      failures: { ...this.#failures },
    };
  }

  #turn(now: Milliseconds, unixSeconds: number): Turn {
    return new Turn(now, unixSeconds, this.#clock.read(now, unixSeconds));
  }

  #connected(id: ConnectionId, address: AddressKey | null, turn: Turn): void {
    if (this.#connections.has(id)) {
      throw new RangeError(`Cannot connect: connection ${id} is there already, wants a new number`);
    }
    const connection = newConnection(id, address, this.limits, turn.now);
    if (this.#connections.size >= this.limits.connections) {
      const detail = `${this.#connections.size} connections, wants at most ${this.limits.connections}`;
      this.#refuse(connection, 'relay-full', detail, turn);
      return;
    }
    this.#connections.set(id, connection);
    this.#waiting.add(connection);
  }

  #text(connection: Connection, bytes: Uint8Array, turn: Turn): void {
    const { controlPerSecond, controlBurst } = this.limits;
    if (connection.meter.charge(0, turn.now) !== 'within') {
      this.#flooded(connection, turn);
      return;
    }
    if (!connection.control.has(1, turn.now)) {
      const detail = `too many control messages, expected at most ${controlPerSecond} a second, ${controlBurst} at once`;
      this.#refuse(connection, 'rate-exceeded', detail, turn);
      return;
    }
    connection.control.take(1);
    const read = readClientBytes(bytes);
    switch (read.kind) {
      case 'malformed':
        this.#refuse(connection, 'message-malformed', read.detail, turn);
        return;
      case 'foreign':
        if (versionOf(read.versions) !== null || connection.judged || connection.participant) {
          this.#refuse(connection, 'message-malformed', read.detail, turn);
        } else {
          this.#refuse(connection, 'version-unsupported', versionDetail(read.versions), turn);
        }
        return;
      case 'opening':
        this.#open(connection, read.message, turn);
        return;
      case 'command':
        if (!connection.participant) {
          const detail = `${read.message.type} came before the hello`;
          this.#refuse(connection, 'hello-expected', detail, turn);
          return;
        }
        this.#command(connection, connection.participant, read.message, turn);
    }
  }

  #open(connection: Connection, message: ClientOpening, turn: Turn): void {
    if (connection.judged || connection.participant) {
      const state = connection.participant
        ? `this connection is in lobby ${connection.participant.lobby.name}`
        : 'the credential of the last hello is being judged';
      this.#refuse(connection, 'already-joined', `${state}, wants one hello`, turn);
      return;
    }
    const version = versionOf(message.versions);
    if (version === null) {
      this.#refuse(connection, 'version-unsupported', versionDetail(message.versions), turn);
    } else if (message.type === 'resume') {
      this.#resume(connection, message.secret, version, turn);
    } else {
      this.#hello(connection, message, version, turn);
    }
  }

  #hello(connection: Connection, hello: Hello, version: number, turn: Turn): void {
    const claim = claimOf(hello, connection.nonce, this.#policy);
    switch (claim.kind) {
      case 'refused':
        this.#refuse(connection, claim.code, claim.detail, turn);
        return;
      case 'challenge':
        connection.nonce = this.#random16();
        turn.tell([connection.id], { type: 'challenge', nonce: connection.nonce });
        return;
      case 'credential':
        connection.judged = withoutSecrets(hello);
        turn.push({
          kind: 'judge',
          connection: connection.id,
          credential: claim.credential,
          steamId: hello.steamId ?? null,
        });
        return;
      case 'unproven':
        this.#join(connection, unprovenEntrant(connection, hello, claim.steamId), version, turn);
        return;
      case 'guest': {
        const steamId = guestSteamId(this.#random(4));
        this.#join(connection, guestEntrant(connection, hello, steamId, this.#policy), version, turn);
      }
    }
  }

  /** A credential that is good and says what the hello says lets its bearer in. */
  #judged(connection: Connection, hello: Hello, verdict: CredentialVerdict, turn: Turn): void {
    connection.judged = null;
    const once =
      verdict.kind === 'denied' ? 'new' : this.#onceIds.judge(verdict.onceIds, verdict.steamId, turn.now);
    const denied = whyDenied(hello, verdict, once);
    if (denied || verdict.kind === 'denied') {
      if (denied) this.#refuse(connection, denied.code, denied.detail, turn);
      return;
    }
    const { steamId, onceIds } = verdict;
    const entrant = provenEntrant(connection, hello, verdict, this.#policy, turn);
    const version = versionOf(hello.versions) ?? 0;
    const joined = this.#join(connection, entrant, version, turn);
    if (joined) this.#onceIds.use(onceIds, steamId, turn.now);
  }

  /** Whether they are in; otherwise they are refused. */
  #join(connection: Connection, entrant: Entrant, version: number, turn: Turn): boolean {
    const refusal = this.#lobbies.whyNot(entrant, turn.steadySeconds);
    if (refusal) {
      this.#refuse(connection, refusal.code, refusal.detail, turn);
      return false;
    }
    const before = this.#lobbies.get(entrant.lobby)?.withSteamId(entrant.steamId);
    if (before) this.#dismiss(before, 'replaced', 'the same SteamID has joined again', turn);
    const participant = this.#lobbies.join(entrant, turn);
    this.#admit(connection, participant, version, turn);
    participant.lobby.tellOthers(participant, { type: 'joined', participant: stateOf(participant) }, turn);
    turn.push(participantEvent('joined', participant));
    return true;
  }

  /** Gets a participant their place back, whom the resume secret names. Their old connection may not have been seen to break yet. */
  #resume(connection: Connection, secret: string, version: number, turn: Turn): void {
    const participant = this.#places.under(secret);
    if (!participant) {
      const detail = 'no place is kept under this resume secret: it is unknown, already used, or expired';
      this.#refuse(connection, 'resume-refused', detail, turn);
      return;
    }
    const { lobby } = participant;
    const old = participant.connection === null ? undefined : this.#connections.get(participant.connection);
    if (old) {
      old.participant = null;
      lobby.detach(participant, turn);
      this.#refuse(old, 'replaced', 'this place was resumed by another connection', turn);
    }
    this.#resumes += 1;
    this.#admit(connection, participant, version, turn);
    if (!old) lobby.tellOthers(participant, { type: 'changed', participant: stateOf(participant) }, turn);
    turn.push(participantEvent('resumed', participant));
  }

  /** The connection is the participant's from here on, and is told everything. */
  #admit(connection: Connection, participant: Participant, version: number, turn: Turn): void {
    const { lobby, slot, rights } = participant;
    connection.participant = participant;
    connection.nonce = null;
    this.#waiting.delete(connection);
    const resumeSecret = this.#places.arrive(participant);
    lobby.arrive(participant, connection.id, turn);
    const welcome: RelayMessageToWrite = {
      type: 'welcome',
      version,
      slot,
      lobby: lobby.name,
      ...(rights.maySpeak ? {} : { speak: false as const }),
      ...(rights.mayListen ? {} : { listen: false as const }),
      relayTimeMs: this.#relayTimeMs(turn.now),
      nonce: this.#random16(),
      ...(resumeSecret !== null && {
        resume: { secret: resumeSecret, withinMs: this.limits.resumeWithinMs },
      }),
      you: stateOf(participant),
      participants: lobby.infoFor(participant),
      channels: [...lobby.channels].map(({ number, name }) => ({ number, name })),
    };
    turn.tell([connection.id], welcome);
    this.#tellDraining([connection.id], turn);
  }

  #command(connection: Connection, participant: Participant, message: ClientCommand, turn: Turn): void {
    if (message.type === 'leave') {
      this.#end(connection, LEAVE_CLOSE_CODE, 'left', turn);
      return;
    }
    const failure = obey(this.#house, participant, message, turn);
    // Whoever moderates themselves may be gone.
    if (!failure || participant.connection === null) return;
    const { code, detail } = failure;
    this.#failures[code] += 1;
    turn.tell([participant.connection], { type: 'failed', request: message.type, code, message: detail });
  }

  #drain({ withinMs, goTo }: Extract<RelayInput, { kind: 'drain' }>, turn: Turn): void {
    this.#draining = { endsAt: turn.now + withinMs, goTo };
    const connections: ConnectionId[] = [];
    for (const { id, participant } of this.#connections.values()) if (participant) connections.push(id);
    this.#tellDraining(connections, turn);
  }

  #tellDraining(connections: readonly ConnectionId[], turn: Turn): void {
    if (!this.#draining) return;
    const { endsAt, goTo } = this.#draining;
    const withinMs = Math.max(0, Math.ceil(endsAt - turn.now));
    turn.tell(connections, { type: 'draining', withinMs, ...(goTo !== null && { goTo }) });
  }

  #tick(turn: Turn): void {
    for (const connection of this.#waiting) {
      if (turn.now - connection.connectedAt < this.limits.helloWithinMs) break;
      const what = connection.judged ? 'the credential was not judged' : 'no hello came';
      const detail = `${what} in time, wants a hello within ${this.limits.helloWithinMs} ms`;
      this.#refuse(connection, 'hello-late', detail, turn);
    }
    for (const participant of this.#places.endedBy(turn.now)) {
      this.#dismiss(participant, 'token-expired', 'the token has expired, wants a new one', turn);
    }
    for (const participant of this.#places.goneBy(turn.now)) this.#remove(participant, 'gone', turn);
    for (const participant of this.#speaking) {
      if (turn.now - participant.heardAt < this.limits.speakingHangoverMs) continue;
      this.#setSpeaking(participant, null, turn);
    }
    endSanctions(this.#house, turn);
  }

  #setSpeaking(participant: Participant, target: number | null, turn: Turn): void {
    participant.lobby.setSpeaking(participant, target, turn);
    if (target !== null) this.#speaking.add(participant);
    else this.#speaking.delete(participant);
  }

  /** Tells a connection why it is not wanted, and closes it. Its participant, if it has one, is gone for good. */
  #refuse(connection: Connection, code: RefusalCode, detail: string, turn: Turn): void {
    this.#refusals[code] += 1;
    turn.tell([connection.id], { type: 'refused', code, message: detail });
    this.#end(connection, CloseCode[code], code, turn);
    const { address } = connection;
    turn.push({
      kind: 'event',
      event: { kind: 'refused', code, detail },
      ...(address !== null && { address }),
    });
  }

  /** Refuses a connection that sends several times what it may: dropping what it sends would cost more than sending it. */
  #flooded(connection: Connection, turn: Turn): readonly RelayOutput[] {
    const { framesPerSecond, bytesPerSecond } = this.limits;
    const detail = `too many messages, expected at most ${framesPerSecond} voice frames and ${bytesPerSecond} bytes a second`;
    this.#refuse(connection, 'rate-exceeded', detail, turn);
    return turn.outputs;
  }

  /** Closes a connection; its participant is gone for good. */
  #end(connection: Connection, code: number, reason: RefusalCode | 'left', turn: Turn): void {
    const { id, participant } = connection;
    this.#forget(connection);
    if (participant) this.#remove(participant, reason, turn);
    turn.push({ kind: 'close', connection: id, code, reason });
  }

  /** Somebody goes for good; their connection, if they have one, is closed and told why. */
  #dismiss(participant: Participant, why: RefusalCode, detail: string, turn: Turn): void {
    const connection =
      participant.connection === null ? undefined : this.#connections.get(participant.connection);
    if (connection) this.#refuse(connection, why, detail, turn);
    else this.#remove(participant, why, turn);
  }

  /** The connection is gone. Its participant may be back. */
  #closed(connection: Connection, turn: Turn): void {
    const { participant } = connection;
    this.#forget(connection);
    if (!participant) return;
    if (participant.resumeSecret === null) {
      participant.lobby.lose(participant);
      this.#remove(participant, 'gone', turn);
      return;
    }
    participant.lobby.goAway(participant, turn);
    this.#speaking.delete(participant);
    this.#places.goAway(participant);
    turn.push(participantEvent('away', participant));
  }

  #remove(participant: Participant, why: Departure, turn: Turn): void {
    const { lobby } = participant;
    this.#speaking.delete(participant);
    this.#places.leave(participant);
    this.#lobbies.leave(participant, turn);
    turn.push(leftEvent(participant, why));
    this.#lobbies.endEmpty(lobby, 'by-itself', turn);
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.#waiting.delete(connection);
    connection.judged = null;
    connection.participant = null;
  }

  #drop(reason: DropReason, outputs: readonly RelayOutput[] = NONE): Verdict {
    this.#drops[reason] += 1;
    return { kind: 'drop', reason, outputs };
  }

  #relayTimeMs(now: Milliseconds): number {
    return Math.floor(now - this.#startedAt) % 2 ** 32;
  }

  #random16(): string {
    return Array.from(this.#random(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

function zeroOf<Word extends string>(words: readonly Word[]): Record<Word, number> {
  return Object.fromEntries(words.map((word) => [word, 0])) as Record<Word, number>;
}
