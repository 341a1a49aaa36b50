/**
 * Hostile voice frames and control messages into the relay's core, among people who join, leave, moderate and resume: valid ones, as
 * clients send them, and mutations of those.
 *
 * Checked: nothing throws. Every forwarded frame is from a participant who is not muted, under their own SteamID and slot. Clients can
 * read every message. The counts of connections and participants stay right.
 */

import type { Admitted } from '../../relay/core/credential.js';
import type { RelayOutput } from '../../relay/core/io.js';
import { Relay } from '../../relay/core/relay.js';
import { readRelayMessage, writeMessage } from '../../voice/control.js';
import { personSteamId } from '../../voice/steam_id.js';
import { MAX_VOICE_FRAME_BYTES, WIRE_HEADER_BYTES } from '../../voice/wire.js';
import type { SeededRandom } from '../kit/random.js';
import { PacketMutator } from './packet_mutator.js';
import { seal } from './packet_parts.js';

export interface RelayTally {
  inputs: number;
  frames: number;
  forwarded: number;
  texts: number;
  /** Texts that were not refused. */
  taken: number;
  refused: number;
  failed: number;
}

export function newRelayTally(): RelayTally {
  return { inputs: 0, frames: 0, forwarded: 0, texts: 0, taken: 0, refused: 0, failed: 0 };
}

interface Seat {
  id: number;
  account: number;
  /** As its messages say; null before the welcome. */
  slot: number | null;
  muted: boolean;
}

const SEATS = 24;
const ACCOUNTS = 16;
const LOBBIES = ['den', 'attic', 'cellar'];
const CHANNELS = ['red', 'blue', 'green', ' ', '\u{1F600}', '__proto__'];
const ODD_VALUES: readonly unknown[] = [
  ...[null, true, 0, -1, 1, 2 ** 53, 1e308, 0.5, '', 'x'.repeat(65), '\u0000', '\ud800', [], {}, [[]]],
  ...['18446744073709551616', '0', '01', '-1', { length: 1e9 }, Array(17).fill('red'), Array(100).fill(0)],
];
/** Every 16th message is read as a client reads it. */
const READ_EVERY = 16;

/** One relay and the people around it, driven one input at a time. */
export class RelayFuzzer {
  readonly #random: SeededRandom;
  readonly #mutator: PacketMutator;
  readonly #tally: RelayTally;
  readonly #relay: Relay;
  readonly #seats: Seat[] = [];
  readonly #bySeat = new Map<number, Seat>();
  readonly #resumeSecrets: string[] = [];
  readonly #encoder = new TextEncoder();
  #nextId = 0;
  #now = 1000;
  #unixSeconds = 2_000_000_000;
  #told = 0;

  constructor(random: SeededRandom, streams: readonly (readonly Uint8Array[])[], tally: RelayTally) {
    this.#random = random;
    this.#mutator = new PacketMutator(random, streams);
    this.#tally = tally;
    this.#relay = new Relay({
      limits: { participantsPerLobby: 8, connections: SEATS + 2, channelsPerLobby: 4, sanctions: 12 },
      policy: { unproven: 'admit', guests: 'speak' },
      startedAt: this.#now,
      random: (bytes) => this.#random.bytes(bytes),
    });
    for (let n = 0; n < SEATS; n += 1) this.#seats.push(this.#sit());
  }

  /** Feeds one input. Throws an Error with what was wrong. */
  step(): void {
    const random = this.#random;
    this.#tally.inputs += 1;
    this.#now += random.below(4) === 0 ? random.below(60) : 0;
    const seat = this.#seats[random.below(SEATS)]!;
    const dice = random.below(100);
    if (dice < 66) this.#frame(seat);
    else if (dice < 97) this.#text(seat);
    else this.#life(seat);
  }

  #frame(seat: Seat): void {
    const random = this.#random;
    this.#tally.frames += 1;
    const packet = this.#mutator.next(random.below(65_536));
    // Mostly under their own SteamID, or hardly one would get through.
    if (random.below(8) > 0 && packet.length >= 12) {
      const id = new DataView(packet.buffer, packet.byteOffset);
      id.setBigUint64(0, personSteamId(seat.account), true);
      seal(packet);
    }
    const frame = new Uint8Array(WIRE_HEADER_BYTES + packet.length);
    frame.set(packet, WIRE_HEADER_BYTES);
    frame[0] = 0x10 | random.below(16);
    frame[1] = random.below(3) === 0 ? random.next() : [0, 0, 1, 2, 255][random.below(5)]!;
    for (let at = 2; at < WIRE_HEADER_BYTES; at += 1) frame[at] = random.next();
    const isBent = random.below(12) === 0;
    if (isBent) frame[random.below(frame.length)] = random.next();
    const sent = random.below(40) === 0 ? frame.subarray(0, random.below(frame.length + 1)) : frame;
    if (seat.slot === null && random.below(20) > 0) return;

    const verdict = this.#relay.handleVoice(seat.id, sent, this.#now);
    if (verdict.kind === 'forward') {
      this.#tally.forwarded += 1;
      if (seat.slot === null) throw new Error('a frame of somebody who is not in went out');
      if (seat.muted) throw new Error('a frame of somebody who is muted went out');
      if (verdict.slot !== seat.slot) throw new Error(`slot ${verdict.slot} for ${seat.slot}`);
      if (sent.length > MAX_VOICE_FRAME_BYTES) throw new Error(`${sent.length} bytes went out`);
      const id = new DataView(sent.buffer, sent.byteOffset).getBigUint64(WIRE_HEADER_BYTES, true);
      if (id !== personSteamId(seat.account)) throw new Error(`a frame as ${id} went out`);
    }
    this.#carryOut(verdict.outputs);
  }

  #text(seat: Seat): void {
    const random = this.#random;
    this.#tally.texts += 1;
    const text = JSON.stringify(
      random.below(16) === 0 ? this.#bend(this.#message(seat)) : this.#message(seat),
    );
    let bytes: Uint8Array = this.#encoder.encode(text);
    if (random.below(24) === 0) bytes = this.#bendBytes(bytes);
    const { refused } = this.#tally;
    this.#carryOut(
      this.#relay.handle(
        { kind: 'text', connection: seat.id, bytes, unixSeconds: this.#unixSeconds },
        this.#now,
      ),
    );
    if (this.#tally.refused === refused) this.#tally.taken += 1;
  }

  /** A valid message, that fits where they are more often than not. */
  #message(seat: Seat): Record<string, unknown> {
    const random = this.#random;
    const pick = <T>(from: readonly T[]): T => from[random.below(from.length)]!;
    const steamId = String(personSteamId(1 + random.below(ACCOUNTS)));
    if (seat.slot === null ? random.below(30) > 0 : random.below(300) === 0) {
      if (random.below(4) === 0 && this.#resumeSecrets.length > 0) {
        return { type: 'resume', versions: [1], secret: pick(this.#resumeSecrets) };
      }
      const claim = pick([
        {},
        {},
        { token: 'a.b.c' },
        { ticket: 'abcd' },
        { appTicket: pick(['request', 'ff']) },
      ]);
      const name = `player ${seat.account}`;
      const own = String(personSteamId(seat.account));
      return {
        type: 'hello',
        versions: pick([[1], [1], [2, 1], [1], [1], [0]]),
        lobby: pick(LOBBIES),
        name,
        steamId: own,
        ...claim,
      };
    }
    const channels = CHANNELS.filter(() => random.below(4) === 0);
    const seconds = random.below(2) === 0 ? {} : { seconds: 1 + random.below(100) };
    switch (random.below(12)) {
      case 0:
        return random.below(30) === 0 ? { type: 'leave' } : { type: 'rename', name: pick(CHANNELS) };
      case 1:
        return { type: 'rename', name: `player ${random.below(9)}` };
      case 2:
      case 3:
        return { type: 'channels', channels };
      case 4:
        return { type: 'whisper', slots: [random.below(10), random.below(10)] };
      case 5:
        return { type: 'moderate', steamId, action: 'move', channels };
      case 6:
        return { type: 'moderate', steamId, action: pick(['mute', 'deafen']), ...seconds };
      case 7:
        return { type: 'moderate', steamId, action: pick(['unmute', 'undeafen']) };
      case 8:
        return {
          type: 'moderate',
          steamId,
          action: pick(['prioritize', 'unprioritize', 'prioritize', 'unprioritize', 'kick']),
        };
      case 9:
        return random.below(8) === 0
          ? { type: 'moderate', steamId, action: 'ban', seconds: 1 + random.below(3) }
          : { type: 'moderate', steamId, action: 'unban' };
      default:
        return { type: 'whisper', slots: [] };
    }
  }

  #bend(message: Record<string, unknown>): unknown {
    const random = this.#random;
    const keys = Object.keys(message);
    const key = keys[random.below(keys.length)]!;
    switch (random.below(6)) {
      case 0:
        delete message[key];
        return message;
      case 1:
        return { ...message, [`x${random.below(9)}`]: ODD_VALUES[random.below(ODD_VALUES.length)] };
      case 2:
        return ODD_VALUES[random.below(ODD_VALUES.length)];
      case 3:
        return [message];
      default:
        message[key] = ODD_VALUES[random.below(ODD_VALUES.length)];
        return message;
    }
  }

  #bendBytes(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    const bent = random.below(4) === 0 ? bytes.slice(0, random.below(bytes.length + 1)) : bytes.slice();
    if (bent.length > 0) bent[random.below(bent.length)] = random.next();
    return random.below(200) === 0 ? random.bytes(random.below(9000)) : bent;
  }

  #life(seat: Seat): void {
    const random = this.#random;
    switch (random.below(4)) {
      case 0:
        this.#bySeat.delete(seat.id);
        this.#carryOut(this.#relay.handle({ kind: 'closed', connection: seat.id }, this.#now));
        this.#resit(seat);
        return;
      case 1:
        this.#now += random.below(random.below(20) === 0 ? 60_000 : 500);
        this.#unixSeconds += random.below(3);
        this.#carryOut(this.#relay.handle({ kind: 'tick', unixSeconds: this.#unixSeconds }, this.#now));
        return;
      case 2: {
        const steamId = String(personSteamId(1 + random.below(ACCOUNTS)));
        const action = (['mute', 'unmute', 'unban', 'undeafen'] as const)[random.below(4)]!;
        const lobby = random.below(2) === 0 ? null : LOBBIES[random.below(3)]!;
        const command = { kind: 'moderate', lobby, moderation: { steamId, action } } as const;
        const { outputs } = this.#relay.administer(command, this.#now, this.#unixSeconds);
        this.#carryOut(outputs);
        return;
      }
      default: {
        const counts = this.#relay.counts();
        if (counts.connections !== SEATS) throw new Error(`${counts.connections} connections, made ${SEATS}`);
        const inside = this.#seats.filter(({ slot }) => slot !== null).length;
        if (counts.participants - counts.away !== inside) {
          throw new Error(`${counts.participants} participants, ${counts.away} away, but ${inside} are in`);
        }
      }
    }
  }

  #carryOut(outputs: readonly RelayOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'tell':
          this.#hear(output);
          break;
        case 'judge':
          this.#carryOut(
            this.#relay.handle(
              {
                kind: 'judged',
                connection: output.connection,
                verdict: this.#verdict(output.connection),
                unixSeconds: this.#unixSeconds,
              },
              this.#now,
            ),
          );
          break;
        case 'close': {
          const seat = this.#bySeat.get(output.connection);
          if (seat) this.#resit(seat);
          break;
        }
        default:
      }
    }
  }

  #hear({ connections, message }: Extract<RelayOutput, { kind: 'tell' }>): void {
    this.#told += 1;
    if (this.#told % READ_EVERY === 0) {
      const read = readRelayMessage(writeMessage(message));
      if ('kind' in read) throw new Error(`a client cannot read ${JSON.stringify(message)}: ${read.detail}`);
    }
    for (const connection of connections) {
      const seat = this.#bySeat.get(connection);
      if (!seat) throw new Error(`${message.type} goes to ${connection}, which is gone`);
      switch (message.type) {
        case 'welcome':
          seat.slot = message.slot;
          seat.muted = message.you.muted ?? false;
          seat.account = Number(BigInt(message.you.steamId) & 0xffff_ffffn);
          if (message.resume) this.#resumeSecrets[this.#random.below(64)] = message.resume.secret;
          break;
        case 'changed':
          if (message.participant.slot === seat.slot) seat.muted = message.participant.muted ?? false;
          break;
        case 'refused':
          this.#tally.refused += 1;
          break;
        case 'failed':
          this.#tally.failed += 1;
          break;
        default:
      }
    }
  }

  #verdict(connection: number): Admitted {
    const random = this.#random;
    const seat = this.#bySeat.get(connection)!;
    return {
      kind: 'admitted',
      steamId: String(personSteamId(seat.account)),
      lobby: null,
      maySpeak: random.below(8) > 0,
      mayListen: random.below(8) > 0,
      moderator: random.below(2) > 0,
      priority: random.below(8) === 0,
      channels: random.below(2) > 0 ? 'any' : ['red'],
      expiresAt: random.below(4) === 0 ? this.#unixSeconds + random.below(100) : null,
      onceIds: random.below(4) === 0 ? [`t${random.below(1000)}`] : [],
      ownerSteamId: null,
    };
  }

  #sit(): Seat {
    const seat = { id: this.#nextId, account: 1 + this.#random.below(ACCOUNTS), slot: null, muted: false };
    this.#resit(seat);
    return seat;
  }

  /** On another connection. */
  #resit(seat: Seat): void {
    this.#bySeat.delete(seat.id);
    seat.id = this.#nextId++;
    seat.account = 1 + this.#random.below(ACCOUNTS);
    seat.slot = null;
    seat.muted = false;
    this.#bySeat.set(seat.id, seat);
    this.#carryOut(this.#relay.handle({ kind: 'connected', connection: seat.id }, this.#now));
  }
}
