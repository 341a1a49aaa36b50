/**
 * The path of a join: from a hello or a resume to the welcome.
 *
 * The welcome and its pages tell the whole state, and only changes follow them. All come from one call: nobody can join or leave
 * between the list and the first change.
 */

import { RELAY_CAPABILITIES, type RelayMessageToWrite } from '../../../voice/control.js';
import type { Milliseconds } from '../../../voice/units.js';
import type { ClientOpening } from '../client_text.js';
import type { Connection } from '../connection.js';
import type { Connections } from '../connections.js';
import type { CredentialVerdict } from '../credential.js';
import type { Departures } from '../departures.js';
import type { Drain } from '../drain.js';
import type { RelayLimits } from '../limits.js';
import type { Lobbies } from '../lobby/lobbies.js';
import type { Participant } from '../lobby/lobby.js';
import { stateOf } from '../lobby/member_info.js';
import { participantEvent } from '../lobby/participant_event.js';
import type { Places } from '../lobby/places.js';
import { relayTimeMs } from '../relay_time.js';
import type { Turn } from '../turn.js';
import { type Entrant, guestEntrant, provenEntrant, unprovenEntrant } from './entrants.js';
import {
  claimOf,
  guestSteamId,
  type Hello,
  type RelayPolicy,
  versionDetail,
  versionOf,
  whyDenied,
  withoutSecrets,
} from './hello.js';
import { OnceIds } from './once_ids.js';
import { pagesOf } from './pages.js';

/** What joining needs of the relay around it. */
export interface JoiningParts {
  readonly limits: RelayLimits;
  readonly policy: RelayPolicy;
  readonly connections: Connections;
  readonly lobbies: Lobbies;
  readonly places: Places;
  readonly departures: Departures;
  readonly drain: Drain;
  /** Where the relay time on the wire is 0. */
  readonly startedAt: Milliseconds;
  /** This many random bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array;
  /** 16 of them, in hexadecimal. */
  readonly random16: () => string;
}

/** Clients whose connection seems dead may try new ones so often, all of them together, per ms. */
const RACES_PER_MS = 4;
/** What a client takes when the welcome says nothing, in ms. */
const LEAST_RACE_MS = 250;

export class Joining {
  readonly #parts: JoiningParts;
  readonly #onceIds = new OnceIds();
  #resumes = 0;

  constructor(parts: JoiningParts) {
    this.#parts = parts;
  }

  get resumes(): number {
    return this.#resumes;
  }

  /** The first message of a connection. */
  open(connection: Connection, message: ClientOpening, turn: Turn): void {
    const { departures } = this.#parts;
    if (connection.judged || connection.participant) {
      const state = connection.participant
        ? `this connection is in lobby ${connection.participant.lobby.name}`
        : 'the credential of the last hello is being judged';
      departures.refuse(connection, 'already-joined', `${state}, expected one hello`, turn);
      return;
    }
    const { capabilities = [] } = message;
    connection.acknowledges = capabilities.includes('stale');
    connection.takesHeartbeats = capabilities.includes('heartbeat');
    const version = versionOf(message.versions);
    if (version === null) {
      departures.refuse(connection, 'version-unsupported', versionDetail(message.versions), turn);
    } else if (message.type === 'resume') {
      this.#resume(connection, message.secret, version, turn);
    } else {
      this.#hello(connection, message, version, turn);
    }
  }

  #hello(connection: Connection, hello: Hello, version: number, turn: Turn): void {
    const { policy, departures, random, random16 } = this.#parts;
    const claim = claimOf(hello, connection.nonce, policy);
    switch (claim.kind) {
      case 'refused':
        departures.refuse(connection, claim.code, claim.detail, turn);
        return;
      case 'challenge':
        connection.nonce = random16();
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
        const steamId = guestSteamId(random(4));
        this.#join(connection, guestEntrant(connection, hello, steamId, policy), version, turn);
      }
    }
  }

  /** The verdict on a credential: its bearer joins when it is good and agrees with the hello. */
  judged(connection: Connection, hello: Hello, verdict: CredentialVerdict, turn: Turn): void {
    connection.judged = null;
    const once =
      verdict.kind === 'denied' ? 'new' : this.#onceIds.judge(verdict.onceIds, verdict.steamId, turn.now);
    const denied = whyDenied(hello, verdict, once);
    if (denied || verdict.kind === 'denied') {
      if (denied) this.#parts.departures.refuse(connection, denied.code, denied.detail, turn);
      return;
    }
    const { steamId, onceIds } = verdict;
    const entrant = provenEntrant(connection, hello, verdict, this.#parts.policy, turn);
    const joined = this.#join(connection, entrant, versionOf(hello.versions) ?? 0, turn);
    if (joined) this.#onceIds.use(onceIds, steamId, turn.now);
  }

  /** Whether they have joined; otherwise they are refused. */
  #join(connection: Connection, entrant: Entrant, version: number, turn: Turn): boolean {
    const { lobbies, departures } = this.#parts;
    const place = lobbies.placeFor(entrant, turn.steadySeconds);
    if (typeof place !== 'string') {
      departures.refuse(connection, place.code, place.detail, turn);
      return false;
    }
    const before = lobbies.get(entrant.lobby)?.withSteamId(entrant.steamId);
    if (before) departures.dismiss(before, 'replaced', 'the same SteamID has joined again', turn);
    const participant = lobbies.join(entrant, place, turn);
    this.#admit(connection, participant, version, turn);
    participant.lobby.tellOthersOfJoining(participant, turn);
    turn.push(participantEvent('joined', participant));
    return true;
  }

  /** Gives the participant with this resume secret their place back. Their old connection may not have been seen to break yet. */
  #resume(connection: Connection, secret: string, version: number, turn: Turn): void {
    const { connections, places, departures } = this.#parts;
    const participant = places.under(secret);
    if (!participant) {
      const detail = 'no place is kept under this resume secret: it is unknown, already used, or expired';
      departures.refuse(connection, 'resume-refused', detail, turn);
      return;
    }
    const { lobby } = participant;
    const old = connections.of(participant);
    if (old) {
      old.participant = null;
      lobby.detach(participant, turn);
      departures.refuse(old, 'replaced', 'this place was resumed by another connection', turn);
    }
    this.#resumes += 1;
    this.#admit(connection, participant, version, turn);
    if (!old) lobby.tellOthersOfChange(participant, turn);
    turn.push(participantEvent('resumed', participant));
  }

  /** The connection is the participant's from here on, and receives the whole state. */
  #admit(connection: Connection, participant: Participant, version: number, turn: Turn): void {
    const { limits, connections, places, drain, startedAt, random16 } = this.#parts;
    const { lobby, slot, rights } = participant;
    const others = lobby.infoFor(participant);
    const [first = [], ...further] = pagesOf(others);
    const raceMs = Math.ceil(connections.size / RACES_PER_MS);
    let left = others.length;
    const moreAfter = ({ length }: readonly unknown[]) => {
      left -= length;
      return left > 0 ? { more: left } : {};
    };
    connections.admit(connection, participant);
    const resumeSecret = places.arrive(participant);
    lobby.arrive(participant, connection, turn);
    const welcome: RelayMessageToWrite = {
      type: 'welcome',
      version,
      capabilities: [...RELAY_CAPABILITIES],
      slot,
      lobby: lobby.name,
      ...(rights.maySpeak ? {} : { speak: false as const }),
      ...(rights.mayListen ? {} : { listen: false as const }),
      relayTimeMs: relayTimeMs(startedAt, turn.now),
      staleAfterMs: limits.staleAfterMs,
      ...(raceMs > LEAST_RACE_MS && { raceMs }),
      nonce: random16(),
      ...(resumeSecret !== null && { resume: { secret: resumeSecret, withinMs: limits.resumeWithinMs } }),
      you: stateOf(participant),
      participants: [...first],
      ...moreAfter(first),
      ...(lobby.unlisted > 0 && { unlisted: lobby.unlisted }),
      channels: [...lobby.channels].map(({ number, name }) => ({ number, name })),
    };
    turn.tell([connection.id], welcome);
    for (const page of further) {
      turn.tell([connection.id], { type: 'participants', participants: [...page], ...moreAfter(page) });
    }
    lobby.tellWelcomed(participant, turn);
    drain.tell([connection.id], turn);
  }
}
