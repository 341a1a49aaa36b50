/**
 * The relay without its socket: who is in which lobby, who may speak, who is told what. Inputs and instants
 * go in, plain outputs come out; no clock, timer, randomness or socket. server.ts carries the outputs out, in
 * their order.
 *
 * A joiner learns the whole state with its welcome and only changes after it. Both come from one call: nobody
 * can join or leave between the list and the first change.
 */

import {
  type ClientMessage,
  CloseCode,
  LEAVE_CLOSE_CODE,
  MAX_CONTROL_BYTES,
  PROTOCOL_VERSION,
  type RefusalCode,
  type RelayMessage,
  readClientMessage,
} from '../voice/control.js';
import type { Milliseconds } from '../voice/units.js';
import type { DevelopmentTickets, TicketVerdict } from './development_tickets.js';
import type { ConnectionId, RelayInput, RelayOutput, RelayStateCounts } from './io.js';
import { type RelayLimits, relayLimits } from './limits.js';
import { Lobby, type Participant, participantInfo } from './lobby.js';
import { TokenBucket } from './token_bucket.js';
import { TOKEN_CLOCK_TOLERANCE_S } from './token_claims.js';
import type { TokenVerdict } from './tokens.js';
import { type DropReason, judgeFrame, noDrops, type Verdict } from './verdict.js';

/** The protocol versions that this relay speaks. */
const VERSIONS: readonly number[] = [PROTOCOL_VERSION];

type Hello = Extract<ClientMessage, { type: 'hello' }>;

/** Who the relay lets in. */
export interface RelayAdmission {
  /** Judges the tickets of hellos, in development alone, where a hello needs none; null refuses them all. */
  readonly tickets: DevelopmentTickets | null;
  /** Whether somebody carries out `judge-token`. */
  readonly tokens: 'judged' | 'refused';
  /** What becomes of a participant whose token expires: they are closed out, or stay until they leave. */
  readonly atTokenExpiry: 'close' | 'keep';
}

/** Lets nobody in. */
const NO_ADMISSION: RelayAdmission = { tickets: null, tokens: 'refused', atTokenExpiry: 'close' };

/** What a hello without a token is granted. */
const ALL = { maySpeak: true, mayListen: true } as const;

interface Connection {
  readonly id: ConnectionId;
  readonly connectedAt: Milliseconds;
  readonly control: TokenBucket;
  /** The hello whose token is being judged. */
  judged: Hello | null;
  /** When its token expires; never without one. */
  expiresAt: Milliseconds;
  /** Null before the hello. */
  participant: Participant | null;
}

const NONE: readonly RelayOutput[] = [];
const decoder = new TextDecoder('utf-8', { fatal: true });

export class Relay {
  readonly limits: RelayLimits;
  readonly #startedAt: Milliseconds;
  readonly #connections = new Map<ConnectionId, Connection>();
  /** Connections before their hello, the oldest first. */
  readonly #waiting = new Set<Connection>();
  readonly #lobbies = new Map<string, Lobby>();
  readonly #speaking = new Set<Participant>();
  readonly #drops = noDrops();
  readonly #refusals = noRefusals();
  readonly #admission: RelayAdmission;
  /** Connections whose token will expire. */
  readonly #expiring = new Set<Connection>();
  #lobbiesMade = 0;
  #participants = 0;
  #publishedFrames = 0;
  #publishedBytes = 0;

  /**
   * `startedAt` is where the relay time on the wire is 0. Throws what `relayLimits` throws.
   *
   * @param admission Default nobody.
   */
  constructor(
    limits: Partial<RelayLimits>,
    startedAt: Milliseconds,
    admission: RelayAdmission = NO_ADMISSION,
  ) {
    this.limits = relayLimits(limits);
    this.#startedAt = startedAt;
    this.#admission = admission;
  }

  /** Takes everything but voice. `now` never goes back. */
  handle(input: RelayInput, now: Milliseconds): readonly RelayOutput[] {
    switch (input.kind) {
      case 'connected':
        return this.#connected(input.connection, now);
      case 'text': {
        const connection = this.#connections.get(input.connection);
        return connection ? this.#text(connection, input, now) : NONE;
      }
      case 'token-judged': {
        const connection = this.#connections.get(input.connection);
        return connection?.judged ? this.#tokenJudged(connection, connection.judged, input, now) : NONE;
      }
      case 'closed': {
        const connection = this.#connections.get(input.connection);
        return connection ? this.#forget(connection, now) : NONE;
      }
      case 'tick':
        return this.#tick(now);
    }
  }

  /**
   * Judges one voice frame. It is read, not changed and not kept. Of the checks the first that fails decides:
   * header, packet, SteamID, target, rate. Real-time: no lock; allocates the verdict and what `readPacket`
   * does.
   */
  handleVoice(id: ConnectionId, frame: Uint8Array, now: Milliseconds): Verdict {
    const connection = this.#connections.get(id);
    if (!connection) return this.#drop('not-joined');
    const speaker = connection.participant;
    if (!speaker) {
      return this.#drop(
        'not-joined',
        this.#refuse(connection, 'hello-expected', 'voice came before the hello', now),
      );
    }

    const header = judgeFrame(frame, speaker, now);
    if (typeof header === 'string') return this.#drop(header);
    this.#publishedFrames += 1;
    this.#publishedBytes += frame.length;
    speaker.heardAt = now;
    let outputs = NONE;
    if (!speaker.speaking) outputs = this.#setSpeaking(speaker, 'speaking');
    if (header.terminator) outputs = [...outputs, ...this.#setSpeaking(speaker, 'silent')];
    return {
      kind: 'forward',
      topic: speaker.lobby.topic,
      slot: speaker.slot,
      sequence: header.sequence,
      relaySequence: speaker.lobby.nextRelaySequence(),
      relayTimeMs: this.#relayTimeMs(now),
      acknowledge: false,
      outputs,
    };
  }

  /** A copy of all counts. */
  counts(): RelayStateCounts {
    return {
      connections: this.#connections.size,
      participants: this.#participants,
      lobbies: this.#lobbies.size,
      publishedFrames: this.#publishedFrames,
      publishedBytes: this.#publishedBytes,
      drops: { ...this.#drops },
      refusals: { ...this.#refusals },
    };
  }

  #connected(id: ConnectionId, now: Milliseconds): readonly RelayOutput[] {
    if (this.#connections.has(id)) {
      throw new RangeError(`Cannot connect: connection ${id} is there already, wants a new number`);
    }
    const control = new TokenBucket(this.limits.controlPerSecond, this.limits.controlBurst, now);
    const connection: Connection = {
      id,
      connectedAt: now,
      control,
      judged: null,
      expiresAt: Number.POSITIVE_INFINITY,
      participant: null,
    };
    if (this.#connections.size >= this.limits.connections) {
      const detail = `${this.#connections.size} connections, wants at most ${this.limits.connections}`;
      return this.#refuse(connection, 'relay-full', detail, now);
    }
    this.#connections.set(id, connection);
    this.#waiting.add(connection);
    return NONE;
  }

  #text(
    connection: Connection,
    { bytes, unixSeconds }: Extract<RelayInput, { kind: 'text' }>,
    now: Milliseconds,
  ): readonly RelayOutput[] {
    const { controlPerSecond, controlBurst } = this.limits;
    if (!connection.control.has(1, now)) {
      const bound = `${controlPerSecond} a second, ${controlBurst} at once`;
      return this.#refuse(
        connection,
        'rate-exceeded',
        `too many control messages, wants at most ${bound}`,
        now,
      );
    }
    connection.control.take(1);
    const message = readClientBytes(bytes);
    switch (message.kind) {
      case 'malformed':
        return this.#refuse(connection, 'message-malformed', message.detail, now);
      case 'message':
        switch (message.message.type) {
          case 'hello':
            return this.#hello(connection, message.message, unixSeconds, now);
          case 'leave': {
            if (!connection.participant) {
              return this.#refuse(connection, 'hello-expected', 'leave came before the hello', now);
            }
            return this.#close(connection, LEAVE_CLOSE_CODE, 'left', now);
          }
        }
    }
  }

  #hello(
    connection: Connection,
    hello: Hello,
    unixSeconds: number,
    now: Milliseconds,
  ): readonly RelayOutput[] {
    if (connection.judged) {
      const detail = 'the token of the last hello is being judged, wants one hello';
      return this.#refuse(connection, 'already-joined', detail, now);
    }
    if (connection.participant) {
      const detail = `this connection is in lobby ${connection.participant.lobby.name}, wants one hello`;
      return this.#refuse(connection, 'already-joined', detail, now);
    }
    const version = hello.versions.find((offered) => VERSIONS.includes(offered));
    if (version === undefined) {
      const detail = `client speaks ${hello.versions.join(', ')}, wants ${VERSIONS.join(' or ')}`;
      return this.#refuse(connection, 'version-unsupported', detail, now);
    }
    if (hello.token !== undefined) {
      if (this.#admission.tokens === 'refused') {
        const detail = 'this relay has no keys to judge a token by, wants a hello without one';
        return this.#refuse(connection, 'token-refused', detail, now);
      }
      connection.judged = { ...hello, token: '' };
      return [{ kind: 'judge-token', connection: connection.id, token: hello.token }];
    }
    const ticket = this.#judgeTicket(hello, unixSeconds);
    if (ticket?.kind === 'refused') {
      const detail = `the ticket is refused (${ticket.reason}), wants ${ticket.wanted}`;
      return this.#refuse(connection, 'ticket-refused', detail, now);
    }
    if (!ticket && !this.#admission.tickets) {
      const detail = 'the hello shows not who it is from, wants a token';
      return this.#refuse(connection, 'credential-expected', detail, now);
    }
    const outputs = this.#join(connection, hello, version, ALL, now);
    if (ticket && connection.participant) this.#admission.tickets?.use(ticket);
    return outputs;
  }

  /** A token that is good and says what the hello says lets its bearer in. */
  #tokenJudged(
    connection: Connection,
    hello: Hello,
    { verdict, unixSeconds }: { readonly verdict: TokenVerdict; readonly unixSeconds: number },
    now: Milliseconds,
  ): readonly RelayOutput[] {
    connection.judged = null;
    const refuse = (reason: string, wanted: string) =>
      this.#refuse(connection, 'token-refused', `the token is refused (${reason}), wants ${wanted}`, now);
    if (verdict.kind === 'refused') return refuse(verdict.reason, verdict.wanted);
    const { grant } = verdict;
    if (grant.lobby !== hello.lobby) return refuse('other-lobby', 'one for the lobby in the hello');
    if (grant.steamId !== hello.steamId) return refuse('other-steam-id', 'one of the SteamID in the hello');
    if (this.#admission.atTokenExpiry === 'close') {
      // As long as a verdict takes it for good.
      connection.expiresAt = now + 1000 * (grant.expiresAt + TOKEN_CLOCK_TOLERANCE_S - unixSeconds);
    }
    const outputs = this.#join(connection, hello, PROTOCOL_VERSION, grant, now);
    if (connection.participant && connection.expiresAt < Number.POSITIVE_INFINITY) {
      this.#expiring.add(connection);
    }
    return outputs;
  }

  #join(
    connection: Connection,
    hello: Hello,
    version: number,
    { maySpeak, mayListen }: { readonly maySpeak: boolean; readonly mayListen: boolean },
    now: Milliseconds,
  ): readonly RelayOutput[] {
    let lobby = this.#lobbies.get(hello.lobby);
    if (!lobby) {
      if (this.#lobbies.size >= this.limits.lobbies) {
        const detail = `${this.#lobbies.size} lobbies, wants at most ${this.limits.lobbies}`;
        return this.#refuse(connection, 'relay-full', detail, now);
      }
      // A new lobby has room, so it is never left empty below.
      lobby = new Lobby(hello.lobby, `lobby/${this.#lobbiesMade}`, this.limits);
      this.#lobbies.set(lobby.name, lobby);
      this.#lobbiesMade += 1;
    }
    const { steamId, name } = hello;
    const joiner = { connection: connection.id, steamId, name, maySpeak, mayListen };
    const participant = lobby.join(joiner, now);
    if (participant === 'steam-id-in-use') {
      const detail = `SteamID ${hello.steamId} is in the lobby already, wants each once`;
      return this.#refuse(connection, participant, detail, now);
    }
    if (participant === 'lobby-full') {
      const detail = `${lobby.size} participants, wants at most ${this.limits.participantsPerLobby}`;
      return this.#refuse(connection, participant, detail, now);
    }
    connection.participant = participant;
    this.#waiting.delete(connection);
    this.#participants += 1;
    const welcome: RelayMessage = {
      type: 'welcome',
      version,
      slot: participant.slot,
      lobby: lobby.name,
      ...(maySpeak ? {} : { speak: false as const }),
      ...(mayListen ? {} : { listen: false as const }),
      relayTimeMs: this.#relayTimeMs(now),
      participants: lobby.infoBut(participant),
    };
    const subscribe = { kind: 'subscribe', connection: connection.id, topic: lobby.topic } as const;
    return [
      ...(mayListen ? [subscribe] : []),
      { kind: 'tell', connections: [connection.id], message: welcome },
      ...tellOthers(participant, { type: 'joined', participant: participantInfo(participant) }),
      participantEvent('joined', participant),
    ];
  }

  /** Null without a ticket: in development it is not needed. */
  #judgeTicket({ ticket, steamId }: Hello, unixSeconds: number): TicketVerdict | null {
    if (ticket === undefined) return null;
    const { tickets } = this.#admission;
    if (tickets) return tickets.judge(ticket, steamId, unixSeconds);
    return { kind: 'refused', reason: 'not-dev', wanted: 'none: this relay cannot judge tickets' };
  }

  #tick(now: Milliseconds): readonly RelayOutput[] {
    const outputs: RelayOutput[] = [];
    for (const connection of this.#waiting) {
      if (now - connection.connectedAt < this.limits.helloWithinMs) break;
      const what = connection.judged ? 'the token was not judged' : 'no hello came';
      const detail = `${what} in time, wants a hello within ${this.limits.helloWithinMs} ms`;
      outputs.push(...this.#refuse(connection, 'hello-late', detail, now));
    }
    for (const connection of this.#expiring) {
      if (now < connection.expiresAt) continue;
      outputs.push(
        ...this.#refuse(connection, 'token-expired', 'the token has expired, wants a new one', now),
      );
    }
    for (const participant of this.#speaking) {
      if (now - participant.heardAt < this.limits.speakingHangoverMs) continue;
      outputs.push(...this.#setSpeaking(participant, 'silent'));
    }
    return outputs;
  }

  #setSpeaking(participant: Participant, to: 'speaking' | 'silent'): readonly RelayOutput[] {
    participant.speaking = to === 'speaking';
    if (participant.speaking) this.#speaking.add(participant);
    else this.#speaking.delete(participant);
    return tellOthers(participant, {
      type: 'speaking',
      slot: participant.slot,
      speaking: participant.speaking,
    });
  }

  #refuse(connection: Connection, code: RefusalCode, detail: string, now: Milliseconds): RelayOutput[] {
    this.#refusals[code] += 1;
    return [
      {
        kind: 'tell',
        connections: [connection.id],
        message: { type: 'refused', code, message: detail },
      },
      ...this.#close(connection, CloseCode[code], code, now),
      { kind: 'event', event: { kind: 'refused', code, detail } },
    ];
  }

  #close(
    connection: Connection,
    code: number,
    reason: RefusalCode | 'left',
    now: Milliseconds,
  ): RelayOutput[] {
    const { id, participant } = connection;
    const outputs: RelayOutput[] = [];
    if (participant?.mayListen)
      outputs.push({ kind: 'unsubscribe', connection: id, topic: participant.lobby.topic });
    outputs.push({ kind: 'close', connection: id, code, reason });
    outputs.push(...this.#forget(connection, now));
    return outputs;
  }

  #forget(connection: Connection, now: Milliseconds): readonly RelayOutput[] {
    this.#connections.delete(connection.id);
    this.#waiting.delete(connection);
    this.#expiring.delete(connection);
    connection.judged = null;
    const participant = connection.participant;
    if (!participant) return NONE;
    connection.participant = null;
    this.#participants -= 1;
    this.#speaking.delete(participant);
    participant.lobby.leave(participant, now);
    if (participant.lobby.size === 0) this.#lobbies.delete(participant.lobby.name);
    return [
      ...tellOthers(participant, { type: 'left', slot: participant.slot }),
      participantEvent('left', participant),
    ];
  }

  #drop(reason: DropReason, outputs: readonly RelayOutput[] = NONE): Verdict {
    this.#drops[reason] += 1;
    return { kind: 'drop', reason, outputs };
  }

  #relayTimeMs(now: Milliseconds): number {
    return Math.floor(now - this.#startedAt) % 2 ** 32;
  }
}

function readClientBytes(
  bytes: Uint8Array,
): { kind: 'message'; message: ClientMessage } | { kind: 'malformed'; detail: string } {
  if (bytes.length > MAX_CONTROL_BYTES) {
    return { kind: 'malformed', detail: `${bytes.length} bytes, wants at most ${MAX_CONTROL_BYTES}` };
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { kind: 'malformed', detail: 'not UTF-8' };
  }
  const message = readClientMessage(text);
  return 'type' in message ? { kind: 'message', message } : message;
}

function tellOthers(participant: Participant, message: RelayMessage): readonly RelayOutput[] {
  const connections = participant.lobby.connectionsBut(participant);
  return connections.length > 0 ? [{ kind: 'tell', connections, message }] : NONE;
}

function participantEvent(kind: 'joined' | 'left', { lobby, slot, steamId, name }: Participant): RelayOutput {
  return { kind: 'event', event: { kind, lobby: lobby.name, slot, steamId, name } };
}

function noRefusals(): Record<RefusalCode, number> {
  const codes = Object.keys(CloseCode) as RefusalCode[];
  return Object.fromEntries(codes.map((code) => [code, 0])) as Record<RefusalCode, number>;
}
