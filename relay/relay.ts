/**
 * The relay without its socket: who is let in, into which lobby, who may speak, who is told what. Inputs and instants go in,
 * plain outputs come out; no clock, timer or socket, and randomness is an argument. server.ts carries the outputs out, in their
 * order.
 *
 * A joiner learns the whole state with its welcome and only changes after it. Both come from one call: nobody
 * can join or leave between the list and the first change.
 */

import type { RelayMessageToWrite } from '../voice/control.js';
import {
  CloseCode,
  FAILURE_CODES,
  type FailureCode,
  LEAVE_CLOSE_CODE,
  type RefusalCode,
} from '../voice/control_codes.js';
import type { Milliseconds } from '../voice/units.js';
import {
  type AdminCommand,
  type AdminResult,
  type LobbyState,
  type LobbySummary,
  lobbyState,
  type Moderation,
  planOf,
  summaryOf,
} from './administration.js';
import { type ClientCommand, type ClientOpening, readClientBytes } from './client_text.js';
import { FULL_RIGHTS, type Rights } from './credential.js';
import {
  claimOf,
  guestSteamId,
  type Hello,
  mismatch,
  type RelayPolicy,
  refusalOf,
  STRICT_POLICY,
  versionDetail,
  versionOf,
  withoutSecrets,
} from './hello.js';
import type { ConnectionId, Departure, RelayInput, RelayOutput, RelayStateCounts } from './io.js';
import { type RelayLimits, relayLimits } from './limits.js';
import { type Failure, Lobby, type LobbyPlan, tell } from './lobby.js';
import { OnceIds } from './once_ids.js';
import { type Participant, stateOf } from './participant.js';
import { type Sanction, type SanctionKind, Sanctions, type Until } from './sanctions.js';
import { TokenBucket } from './token_bucket.js';
import { TOKEN_CLOCK_TOLERANCE_S } from './token_claims.js';
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
  /** What was kept of earlier `keep`s. */
  readonly sanctions?: Iterable<Sanction>;
}

interface Connection {
  readonly id: ConnectionId;
  readonly connectedAt: Milliseconds;
  readonly control: TokenBucket;
  /** The nonce of its challenge; null without one. */
  nonce: string | null;
  /** The hello whose credential is being judged. */
  judged: Hello | null;
  /** Null before the welcome. */
  participant: Participant | null;
}

/** Who is about to join. */
interface Entrant {
  readonly steamId: string;
  readonly kind: Participant['kind'];
  readonly name: string;
  readonly lobby: string;
  readonly rights: Rights;
  readonly expiresAt: Milliseconds;
  /** Whether the SteamID is shown to be theirs. */
  readonly proof: 'proven' | 'unproven';
  readonly ownerSteamId: string | null;
}

const NONE: readonly RelayOutput[] = [];

/** For how long a mute or a deafening holds when nothing else is said: 30 days. Lobbies come and go, and nobody takes them back. */
const DEFAULT_SANCTION_S = 30 * 86_400;

export class Relay {
  readonly limits: RelayLimits;
  readonly #policy: RelayPolicy;
  readonly #startedAt: Milliseconds;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #connections = new Map<ConnectionId, Connection>();
  /** Connections before their welcome, the oldest first. */
  readonly #waiting = new Set<Connection>();
  readonly #lobbies = new Map<string, Lobby>();
  readonly #speaking = new Set<Participant>();
  /** The longest away first. */
  readonly #away = new Set<Participant>();
  readonly #byResumeToken = new Map<string, Participant>();
  /** Participants whose credential will end. */
  readonly #expiring = new Set<Participant>();
  readonly #sanctions: Sanctions;
  readonly #onceIds = new OnceIds();
  readonly #drops = noDrops();
  readonly #refusals = zeroOf<RefusalCode>(Object.keys(CloseCode) as RefusalCode[]);
  readonly #failures = zeroOf<FailureCode>(FAILURE_CODES);
  #lobbiesMade = 0;
  #participants = 0;
  #resumes = 0;
  #publishedFrames = 0;
  #publishedBytes = 0;

  /** Throws what `relayLimits` throws. */
  constructor({ limits = {}, policy = {}, startedAt, random, sanctions = [] }: RelaySettings) {
    this.limits = relayLimits(limits);
    this.#policy = { ...STRICT_POLICY, ...policy };
    this.#startedAt = startedAt;
    this.#random = random;
    this.#sanctions = new Sanctions(this.limits.sanctions, sanctions);
  }

  /** Takes everything but voice. `now` never goes back. */
  handle(input: RelayInput, now: Milliseconds): readonly RelayOutput[] {
    const out: RelayOutput[] = [];
    switch (input.kind) {
      case 'connected':
        this.#connected(input.connection, now, out);
        break;
      case 'text': {
        const connection = this.#connections.get(input.connection);
        if (connection) this.#text(connection, input.bytes, now, input.unixSeconds, out);
        break;
      }
      case 'judged': {
        const connection = this.#connections.get(input.connection);
        if (connection?.judged) this.#judged(connection, connection.judged, input, now, out);
        break;
      }
      case 'closed': {
        const connection = this.#connections.get(input.connection);
        if (connection) this.#closed(connection, now, out);
        break;
      }
      case 'drain':
        this.#drain(input, out);
        break;
      case 'tick':
        this.#tick(now, input.unixSeconds, out);
        break;
    }
    return out;
  }

  /**
   * Judges one voice frame. It is read, not changed and not kept. Of the checks the first that fails decides:
   * header, packet, SteamID, leave to speak, mute, target, rate. Real-time: no lock; allocates the verdict and what `readPacket`
   * does.
   */
  handleVoice(id: ConnectionId, frame: Uint8Array, now: Milliseconds): Verdict {
    const connection = this.#connections.get(id);
    if (!connection) return this.#drop('not-joined');
    const speaker = connection.participant;
    if (!speaker) {
      const out: RelayOutput[] = [];
      this.#refuse(connection, 'hello-expected', 'voice came before the hello', now, out);
      return this.#drop('not-joined', out);
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
      const out: RelayOutput[] = [];
      this.#setSpeaking(speaker, header.target, out);
      if (header.terminator) this.#setSpeaking(speaker, null, out);
      outputs = out;
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

  /** Does what an administrator asks. @throws RangeError for a capacity or channels that are none. */
  administer(
    command: AdminCommand,
    now: Milliseconds,
    unixSeconds: number,
  ): { readonly result: AdminResult; readonly outputs: readonly RelayOutput[] } {
    const out: RelayOutput[] = [];
    return { result: this.#administer(command, now, unixSeconds, out), outputs: out };
  }

  /** All lobbies. */
  lobbies(): readonly LobbySummary[] {
    return [...this.#lobbies.values()].map(summaryOf);
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
      participants: this.#participants,
      away: this.#away.size,
      lobbies: this.#lobbies.size,
      sanctions: this.#sanctions.size,
      resumes: this.#resumes,
      publishedFrames: this.#publishedFrames,
      publishedBytes: this.#publishedBytes,
      drops: { ...this.#drops },
      refusals: { ...this.#refusals },
      failures: { ...this.#failures },
    };
  }

  #connected(id: ConnectionId, now: Milliseconds, out: RelayOutput[]): void {
    if (this.#connections.has(id)) {
      throw new RangeError(`Cannot connect: connection ${id} is there already, wants a new number`);
    }
    const control = new TokenBucket(this.limits.controlPerSecond, this.limits.controlBurst, now);
    const connection = { id, connectedAt: now, control, nonce: null, judged: null, participant: null };
    if (this.#connections.size >= this.limits.connections) {
      const detail = `${this.#connections.size} connections, wants at most ${this.limits.connections}`;
      this.#refuse(connection, 'relay-full', detail, now, out);
      return;
    }
    this.#connections.set(id, connection);
    this.#waiting.add(connection);
  }

  #text(
    connection: Connection,
    bytes: Uint8Array,
    now: Milliseconds,
    unixSeconds: number,
    out: RelayOutput[],
  ): void {
    const { controlPerSecond, controlBurst } = this.limits;
    if (!connection.control.has(1, now)) {
      const detail = `too many control messages, wants at most ${controlPerSecond} a second, ${controlBurst} at once`;
      this.#refuse(connection, 'rate-exceeded', detail, now, out);
      return;
    }
    connection.control.take(1);
    const read = readClientBytes(bytes);
    switch (read.kind) {
      case 'malformed':
        this.#refuse(connection, 'message-malformed', read.detail, now, out);
        return;
      case 'opening':
        this.#open(connection, read.message, now, unixSeconds, out);
        return;
      case 'command':
        if (!connection.participant) {
          const detail = `${read.message.type} came before the hello`;
          this.#refuse(connection, 'hello-expected', detail, now, out);
          return;
        }
        this.#command(connection, connection.participant, read.message, now, unixSeconds, out);
    }
  }

  #open(
    connection: Connection,
    message: ClientOpening,
    now: Milliseconds,
    unixSeconds: number,
    out: RelayOutput[],
  ): void {
    if (connection.judged || connection.participant) {
      const state = connection.participant
        ? `this connection is in lobby ${connection.participant.lobby.name}`
        : 'the credential of the last hello is being judged';
      this.#refuse(connection, 'already-joined', `${state}, wants one hello`, now, out);
      return;
    }
    const version = versionOf(message.versions);
    if (version === null) {
      this.#refuse(connection, 'version-unsupported', versionDetail(message.versions), now, out);
    } else if (message.type === 'resume') {
      this.#resume(connection, message.token, version, now, out);
    } else {
      this.#hello(connection, message, version, now, unixSeconds, out);
    }
  }

  #hello(
    connection: Connection,
    hello: Hello,
    version: number,
    now: Milliseconds,
    unixSeconds: number,
    out: RelayOutput[],
  ): void {
    const claim = claimOf(hello, connection.nonce, this.#policy);
    const entrant = {
      name: hello.name,
      lobby: hello.lobby,
      expiresAt: Number.POSITIVE_INFINITY,
      proof: 'unproven',
      ownerSteamId: null,
    } as const;
    switch (claim.kind) {
      case 'refused':
        this.#refuse(connection, claim.code, claim.detail, now, out);
        return;
      case 'challenge':
        connection.nonce = this.#random16();
        tell([connection.id], { type: 'challenge', nonce: connection.nonce }, out);
        return;
      case 'credential':
        connection.judged = withoutSecrets(hello);
        out.push({
          kind: 'judge',
          connection: connection.id,
          credential: claim.credential,
          steamId: hello.steamId ?? null,
        });
        return;
      case 'unproven': {
        const { steamId } = claim;
        this.#join(
          connection,
          { ...entrant, kind: 'player', steamId, rights: FULL_RIGHTS },
          version,
          now,
          unixSeconds,
          out,
        );
        return;
      }
      case 'guest': {
        const steamId = guestSteamId(this.#random(4));
        const rights = { ...FULL_RIGHTS, maySpeak: this.#policy.guests === 'speak', channels: [] };
        this.#join(
          connection,
          { ...entrant, kind: 'guest', steamId, rights },
          version,
          now,
          unixSeconds,
          out,
        );
      }
    }
  }

  /** A credential that is good and says what the hello says lets its bearer in. */
  #judged(
    connection: Connection,
    hello: Hello,
    { verdict, unixSeconds }: Extract<RelayInput, { kind: 'judged' }>,
    now: Milliseconds,
    out: RelayOutput[],
  ): void {
    connection.judged = null;
    const what = hello.token === undefined ? 'ticket' : 'token';
    const refuse = (code: RefusalCode, reason: string, wanted: string) =>
      this.#refuse(connection, code, `the ${what} is refused (${reason}), wants ${wanted}`, now, out);
    if (verdict.kind === 'denied') return refuse(verdict.code, verdict.reason, verdict.wanted);
    const wrong = mismatch(hello, verdict);
    if (wrong) return refuse(refusalOf(hello), wrong.reason, wrong.wanted);
    const { onceId, expiresAt, steamId, ownerSteamId } = verdict;
    const once = onceId === null ? 'new' : this.#onceIds.judge(onceId, now);
    if (once === 'used') return refuse(refusalOf(hello), 'used', 'one that nobody has joined with');
    if (once === 'full') {
      return refuse('admission-unavailable', 'relay-full', 'fewer that were used within a day');
    }
    const ends = expiresAt !== null && this.#policy.atExpiry === 'close';
    const entrant: Entrant = {
      steamId,
      kind: 'player',
      name: hello.name,
      lobby: hello.lobby,
      rights: verdict,
      // As long as a verdict takes it for good.
      expiresAt: ends
        ? now + 1000 * (expiresAt + TOKEN_CLOCK_TOLERANCE_S - unixSeconds)
        : Number.POSITIVE_INFINITY,
      proof: 'proven',
      ownerSteamId,
    };
    const version = versionOf(hello.versions) ?? 0;
    const joined = this.#join(connection, entrant, version, now, unixSeconds, out);
    if (joined && onceId !== null) this.#onceIds.use(onceId, now);
  }

  /** Whether they are in; otherwise they are refused. */
  #join(
    connection: Connection,
    entrant: Entrant,
    version: number,
    now: Milliseconds,
    unixSeconds: number,
    out: RelayOutput[],
  ): boolean {
    const refused = this.#whyNot(entrant, unixSeconds);
    if (refused) {
      this.#refuse(connection, refused.code, refused.detail, now, out);
      return false;
    }
    const { steamId, kind, name, rights, expiresAt } = entrant;
    const before = this.#lobbies.get(entrant.lobby)?.withSteamId(steamId);
    if (before) this.#leave(before, 'replaced', 'the same SteamID has joined again', now, out);
    const lobby = this.#lobbies.get(entrant.lobby) ?? this.#openLobby(entrant.lobby, null, out);
    const sanctioned = this.#sanctions.of(lobby.name, steamId, unixSeconds);
    const joiner = { connection: connection.id, steamId, kind, name, rights: rightsOf(rights), expiresAt };
    const participant = lobby.join(joiner, sanctioned, now);
    this.#participants += 1;
    if (expiresAt < Number.POSITIVE_INFINITY) this.#expiring.add(participant);
    this.#admit(connection, participant, version, now, out);
    lobby.tellOthers(participant, { type: 'joined', participant: stateOf(participant) }, out);
    out.push(participantEvent('joined', participant));
    return true;
  }

  /** Why somebody may not join; null when they may. */
  #whyNot(
    { steamId, lobby: name, proof, ownerSteamId }: Entrant,
    unixSeconds: number,
  ): { code: RefusalCode; detail: string } | null {
    for (const id of ownerSteamId === null ? [steamId] : [steamId, ownerSteamId]) {
      if (this.#sanctions.of(name, id, unixSeconds).banned) {
        return { code: 'banned', detail: 'you are banned from this lobby' };
      }
    }
    const lobby = this.#lobbies.get(name);
    const before = lobby?.withSteamId(steamId);
    const mayReplace = this.#policy.secondJoin === 'replace' && proof === 'proven';
    if (before && before.connection !== null && !mayReplace) {
      return {
        code: 'steam-id-in-use',
        detail: `SteamID ${steamId} is in the lobby already, wants each once`,
      };
    }
    if (!lobby && this.#policy.lobbies === 'by-admin') {
      return { code: 'lobby-unknown', detail: 'there is no such lobby, wants one that the operator made' };
    }
    if (!lobby && this.#lobbies.size >= this.limits.lobbies) {
      const detail = `${this.#lobbies.size} lobbies, wants at most ${this.limits.lobbies}`;
      return { code: 'relay-full', detail };
    }
    if (before) return null;
    if (lobby && lobby.size >= lobby.capacity) {
      return { code: 'lobby-full', detail: `${lobby.size} participants, wants at most ${lobby.capacity}` };
    }
    if (this.#participants >= this.limits.participants) {
      const detail = `${this.#participants} participants, wants at most ${this.limits.participants}`;
      return { code: 'relay-full', detail };
    }
    return null;
  }

  /** Gets a participant their place back, whom the token names. Their old connection may not have been seen to break yet. */
  #resume(
    connection: Connection,
    token: string,
    version: number,
    now: Milliseconds,
    out: RelayOutput[],
  ): void {
    const participant = this.#byResumeToken.get(token);
    if (!participant) {
      const detail = 'nobody waits under this token, wants that of the last welcome, in time';
      this.#refuse(connection, 'resume-refused', detail, now, out);
      return;
    }
    const { lobby } = participant;
    const old = participant.connection === null ? undefined : this.#connections.get(participant.connection);
    if (old) {
      old.participant = null;
      lobby.detach(participant, out);
      this.#refuse(old, 'replaced', 'this place was resumed by another connection', now, out);
    }
    this.#away.delete(participant);
    this.#resumes += 1;
    this.#admit(connection, participant, version, now, out);
    if (!old) lobby.tellOthers(participant, { type: 'changed', participant: stateOf(participant) }, out);
    out.push(participantEvent('resumed', participant));
  }

  /** The connection is the participant's from here on, and is told everything. */
  #admit(
    connection: Connection,
    participant: Participant,
    version: number,
    now: Milliseconds,
    out: RelayOutput[],
  ): void {
    const { lobby, slot, rights } = participant;
    connection.participant = participant;
    connection.nonce = null;
    this.#waiting.delete(connection);
    if (participant.resumeToken !== null) this.#byResumeToken.delete(participant.resumeToken);
    const withinMs = this.limits.resumeWithinMs;
    participant.resumeToken = withinMs > 0 ? this.#random16() : null;
    if (participant.resumeToken !== null) this.#byResumeToken.set(participant.resumeToken, participant);
    lobby.arrive(participant, connection.id, out);
    const welcome: RelayMessageToWrite = {
      type: 'welcome',
      version,
      slot,
      lobby: lobby.name,
      ...(rights.maySpeak ? {} : { speak: false as const }),
      ...(rights.mayListen ? {} : { listen: false as const }),
      relayTimeMs: this.#relayTimeMs(now),
      nonce: this.#random16(),
      ...(participant.resumeToken !== null && { resume: { token: participant.resumeToken, withinMs } }),
      you: stateOf(participant),
      participants: lobby.infoFor(participant),
      channels: [...lobby.channels].map(({ number, name }) => ({ number, name })),
    };
    tell([connection.id], welcome, out);
  }

  #command(
    connection: Connection,
    participant: Participant,
    message: ClientCommand,
    now: Milliseconds,
    unixSeconds: number,
    out: RelayOutput[],
  ): void {
    const { lobby, rights } = participant;
    let failure: Failure | null = null;
    switch (message.type) {
      case 'leave':
        this.#end(connection, LEAVE_CLOSE_CODE, 'left', now, out);
        return;
      case 'rename':
        lobby.rename(participant, message.name, out);
        return;
      case 'channels': {
        const closed = message.channels.find(
          (name) =>
            rights.channels !== 'any' &&
            !rights.channels.includes(name) &&
            !participant.channels.some((channel) => channel.name === name),
        );
        failure =
          closed === undefined
            ? lobby.enterChannels(participant, message.channels, now, out)
            : { code: 'channel-not-allowed', detail: `channel ${closed} is not open to you` };
        break;
      }
      case 'whisper':
        failure = lobby.whisper(participant, message.slots, out);
        break;
      case 'moderate':
        failure = rights.moderator
          ? this.#moderate(lobby.name, message, participant.steamId, now, unixSeconds, out)
          : { code: 'not-moderator', detail: 'your credential does not make you a moderator' };
        break;
    }
    // Whoever moderates themselves may be gone.
    if (failure && participant.connection !== null) {
      this.#failures[failure.code] += 1;
      tell([participant.connection], { type: 'failed', code: failure.code, message: failure.detail }, out);
    }
  }

  #administer(
    command: AdminCommand,
    now: Milliseconds,
    unixSeconds: number,
    out: RelayOutput[],
  ): AdminResult {
    const failed = (
      failure: Failure | { code: 'lobby-unknown' | 'lobby-exists' | 'relay-full'; detail: string },
    ) => ({ kind: 'failed', ...failure }) as const;
    switch (command.kind) {
      case 'open-lobby': {
        const plan = planOf(command, this.limits);
        if (this.#lobbies.has(command.lobby)) {
          return failed({ code: 'lobby-exists', detail: 'a lobby of this name is there already' });
        }
        if (this.#lobbies.size >= this.limits.lobbies) {
          const detail = `${this.#lobbies.size} lobbies, wants at most ${this.limits.lobbies}`;
          return failed({ code: 'relay-full', detail });
        }
        this.#openLobby(command.lobby, plan, out);
        return { kind: 'done' };
      }
      case 'close-lobby': {
        const lobby = this.#lobbies.get(command.lobby);
        if (!lobby) return failed({ code: 'lobby-unknown', detail: 'no lobby of this name is there' });
        for (const participant of [...lobby.participants]) {
          this.#leave(participant, 'lobby-ended', 'the operator closed the lobby', now, out);
        }
        this.#closeLobby(lobby, out);
        return { kind: 'done' };
      }
      case 'moderate': {
        const failure = this.#moderate(command.lobby, command.moderation, 'admin', now, unixSeconds, out);
        if (!failure) return { kind: 'done' };
        return failed(failure);
      }
    }
  }

  /** Does one thing to one person in one lobby, or in all of them. */
  #moderate(
    lobbyName: string | null,
    moderation: Moderation,
    by: string,
    now: Milliseconds,
    unixSeconds: number,
    out: RelayOutput[],
  ): Failure | null {
    const { steamId, action } = moderation;
    const there = this.#everywhere(lobbyName, steamId);
    const failure = this.#moderateWho(lobbyName, moderation, there, now, unixSeconds, out);
    if (!failure)
      out.push({ kind: 'event', event: { kind: 'moderated', lobby: lobbyName, steamId, action, by } });
    return failure;
  }

  #moderateWho(
    lobbyName: string | null,
    moderation: Moderation,
    there: readonly Participant[],
    now: Milliseconds,
    unixSeconds: number,
    out: RelayOutput[],
  ): Failure | null {
    const { steamId } = moderation;
    const set = (kind: SanctionKind, until: Until): Failure | null => {
      const sanction = this.#sanctions.set(lobbyName, steamId, kind, until);
      if (sanction === 'full') {
        return { code: 'sanctions-full', detail: `${this.#sanctions.size} people, wants no more` };
      }
      out.push({ kind: 'keep', sanction });
      for (const participant of there) this.#applySanctions(participant, now, unixSeconds, out);
      return null;
    };
    switch (moderation.action) {
      case 'mute':
        return set('muted', unixSeconds + (moderation.seconds ?? DEFAULT_SANCTION_S));
      case 'deafen':
        return set('deafened', unixSeconds + (moderation.seconds ?? DEFAULT_SANCTION_S));
      case 'ban':
        return set('banned', moderation.seconds === undefined ? 'always' : unixSeconds + moderation.seconds);
      case 'unmute':
        return set('muted', 'not');
      case 'undeafen':
        return set('deafened', 'not');
      case 'unban':
        return set('banned', 'not');
      default:
    }
    if (there.length === 0) {
      return {
        code: 'participant-unknown',
        detail: `nobody has SteamID ${steamId}, wants somebody who is there`,
      };
    }
    for (const participant of there) {
      const { lobby } = participant;
      switch (moderation.action) {
        case 'kick':
          this.#leave(participant, 'kicked', 'a moderator closed you out', now, out);
          break;
        case 'prioritize':
          lobby.setPriority(participant, 'priority', out);
          break;
        case 'unprioritize':
          lobby.setPriority(participant, 'none', out);
          break;
        case 'move': {
          const failure = lobby.enterChannels(participant, moderation.channels, now, out);
          if (failure) return failure;
          break;
        }
      }
    }
    return null;
  }

  /** The participants of this SteamID, in one lobby or in all. */
  #everywhere(lobbyName: string | null, steamId: string): readonly Participant[] {
    const lobbies = lobbyName === null ? this.#lobbies.values() : [this.#lobbies.get(lobbyName)];
    const found: Participant[] = [];
    for (const lobby of lobbies) {
      const participant = lobby?.withSteamId(steamId);
      if (participant) found.push(participant);
    }
    return found;
  }

  #applySanctions(
    participant: Participant,
    now: Milliseconds,
    unixSeconds: number,
    out: RelayOutput[],
  ): void {
    const { lobby, steamId } = participant;
    const sanctioned = this.#sanctions.of(lobby.name, steamId, unixSeconds);
    if (sanctioned.banned) this.#leave(participant, 'banned', 'a moderator banned you', now, out);
    else lobby.sanction(participant, sanctioned, out);
  }

  #drain({ withinMs, goTo }: Extract<RelayInput, { kind: 'drain' }>, out: RelayOutput[]): void {
    const connections: ConnectionId[] = [];
    for (const { id, participant } of this.#connections.values()) if (participant) connections.push(id);
    tell(connections, { type: 'draining', withinMs, ...(goTo !== null && { goTo }) }, out);
  }

  #tick(now: Milliseconds, unixSeconds: number, out: RelayOutput[]): void {
    for (const connection of this.#waiting) {
      if (now - connection.connectedAt < this.limits.helloWithinMs) break;
      const what = connection.judged ? 'the credential was not judged' : 'no hello came';
      const detail = `${what} in time, wants a hello within ${this.limits.helloWithinMs} ms`;
      this.#refuse(connection, 'hello-late', detail, now, out);
    }
    for (const participant of this.#expiring) {
      if (now < participant.expiresAt) continue;
      this.#leave(participant, 'token-expired', 'the token has expired, wants a new one', now, out);
    }
    for (const participant of this.#away) {
      if (now - participant.awaySince < this.limits.resumeWithinMs) break;
      this.#leave(participant, 'gone', '', now, out);
    }
    for (const participant of this.#speaking) {
      if (now - participant.heardAt < this.limits.speakingHangoverMs) continue;
      this.#setSpeaking(participant, null, out);
    }
    for (const sanction of this.#sanctions.expire(unixSeconds)) {
      out.push({ kind: 'keep', sanction });
      for (const participant of this.#everywhere(sanction.lobby, sanction.steamId)) {
        this.#applySanctions(participant, now, unixSeconds, out);
      }
    }
  }

  #setSpeaking(participant: Participant, target: number | null, out: RelayOutput[]): void {
    participant.lobby.setSpeaking(participant, target, out);
    if (target !== null) this.#speaking.add(participant);
    else this.#speaking.delete(participant);
  }

  /** Tells a connection why it is not wanted, and closes it. Its participant, if it has one, is gone for good. */
  #refuse(
    connection: Connection,
    code: RefusalCode,
    detail: string,
    now: Milliseconds,
    out: RelayOutput[],
  ): void {
    this.#refusals[code] += 1;
    tell([connection.id], { type: 'refused', code, message: detail }, out);
    this.#end(connection, CloseCode[code], code, now, out);
    out.push({ kind: 'event', event: { kind: 'refused', code, detail } });
  }

  /** Closes a connection; its participant is gone for good. */
  #end(
    connection: Connection,
    code: number,
    reason: RefusalCode | 'left',
    now: Milliseconds,
    out: RelayOutput[],
  ): void {
    const { id, participant } = connection;
    this.#forget(connection);
    if (participant) this.#remove(participant, reason, now, out);
    out.push({ kind: 'close', connection: id, code, reason });
  }

  /** Somebody goes for good; their connection, if they have one, is closed and told why. */
  #leave(
    participant: Participant,
    why: RefusalCode | 'gone',
    detail: string,
    now: Milliseconds,
    out: RelayOutput[],
  ): void {
    const connection =
      participant.connection === null ? undefined : this.#connections.get(participant.connection);
    if (connection && why !== 'gone') this.#refuse(connection, why, detail, now, out);
    else this.#remove(participant, why, now, out);
  }

  /** The connection is gone. Its participant may be back. */
  #closed(connection: Connection, now: Milliseconds, out: RelayOutput[]): void {
    const { participant } = connection;
    this.#forget(connection);
    if (!participant) return;
    if (participant.resumeToken === null) {
      participant.lobby.lose(participant);
      this.#remove(participant, 'gone', now, out);
      return;
    }
    participant.lobby.goAway(participant, now, out);
    this.#speaking.delete(participant);
    this.#away.add(participant);
    out.push(participantEvent('away', participant));
  }

  #remove(participant: Participant, why: Departure, now: Milliseconds, out: RelayOutput[]): void {
    const { lobby } = participant;
    this.#participants -= 1;
    this.#speaking.delete(participant);
    this.#away.delete(participant);
    this.#expiring.delete(participant);
    if (participant.resumeToken !== null) this.#byResumeToken.delete(participant.resumeToken);
    lobby.leave(participant, now, out);
    out.push(leftEvent(participant, why));
    if (lobby.size === 0 && !lobby.plan) this.#closeLobby(lobby, out);
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.#waiting.delete(connection);
    connection.judged = null;
    connection.participant = null;
  }

  #openLobby(name: string, plan: LobbyPlan | null, out: RelayOutput[]): Lobby {
    const lobby = new Lobby(name, `lobby/${this.#lobbiesMade}`, this.limits, plan);
    this.#lobbies.set(name, lobby);
    this.#lobbiesMade += 1;
    out.push({ kind: 'event', event: { kind: 'lobby-opened', lobby: name } });
    return lobby;
  }

  #closeLobby(lobby: Lobby, out: RelayOutput[]): void {
    if (this.#lobbies.get(lobby.name) !== lobby) return;
    this.#lobbies.delete(lobby.name);
    out.push({ kind: 'event', event: { kind: 'lobby-closed', lobby: lobby.name } });
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

/** One object for all who are not restricted. */
function rightsOf({ maySpeak, mayListen, moderator, priority, channels }: Rights): Rights {
  const isFull = maySpeak && mayListen && !moderator && !priority && channels === 'any';
  return isFull ? FULL_RIGHTS : { maySpeak, mayListen, moderator, priority, channels };
}

function participantEvent(
  kind: 'joined' | 'away' | 'resumed',
  { lobby, slot, steamId, name }: Participant,
): RelayOutput {
  return { kind: 'event', event: { kind, lobby: lobby.name, slot, steamId, name } };
}

function leftEvent({ lobby, slot, steamId, name }: Participant, why: Departure): RelayOutput {
  return { kind: 'event', event: { kind: 'left', lobby: lobby.name, slot, steamId, name, why } };
}

function zeroOf<Word extends string>(words: readonly Word[]): Record<Word, number> {
  return Object.fromEntries(words.map((word) => [word, 0])) as Record<Word, number>;
}
