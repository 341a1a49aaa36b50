/**
 * One who comes and goes in the soak: joins by token, talks to channels and whispers, never to the lobby, breaks its connection
 * and resumes, and counts what did not go as the protocol says.
 */

import { WebSocket } from 'ws';
import { mintToken } from '../../relay/admission/mint_token.js';
import type { TokenJwk } from '../../relay/admission/token_keys.js';
import { type ClientMessage, readRelayMessage, writeMessage } from '../../voice/control.js';
import { PacketWriter } from '../../voice/packet_writer.js';
import { sequenceAfter } from '../../voice/sequence.js';
import { personSteamId, steamIdHigh, steamIdLow } from '../../voice/steam_id.js';
import type { Milliseconds } from '../../voice/units.js';
import { Target, writeVoiceFrame } from '../../voice/wire.js';
import { Ear, type EarCounts } from './ear.js';

export const CHANNELS = ['red', 'blue', 'green'] as const;
const GIVE_UP_MS: Milliseconds = 20_000;
const TOKEN_SECONDS = 6 * 3600;

/** An Opus packet of one 20 ms SILK frame; the relay reads its framing alone. */
const OPUS = Uint8Array.of(0x48, ...new Array<number>(60).fill(7));

/** What all of one soak have in common. */
export interface Company {
  readonly url: string;
  readonly key: TokenJwk;
  readonly tally: SeatTally;
  readonly ears: EarCounts;
  /** A SteamID's account that nobody had. */
  readonly newAccount: () => number;
}

export interface SeatTally {
  joined: number;
  resumed: number;
  /** Not resumed: refused, cut, not in time, or under another slot than before. */
  resumesFailed: number;
  /** Refused because they are banned, as they should be. */
  bansHeld: number;
  spoken: number;
  /** Of those, the frames that one sent knowing to be muted. */
  spokenMuted: number;
  /** What `failed` said, by request and code: what another did first makes some so. */
  readonly failed: Record<string, number>;
  /** Closed or refused where nothing asked for it. All empty in a run that counts. */
  readonly unexpected: Record<string, number>;
}

export type SeatState = 'out' | 'joining' | 'in' | 'leaving' | 'away' | 'resuming';

export class Seat {
  readonly #company: Company;
  readonly #lobby: string;
  readonly #isModerator: boolean;
  readonly ear: Ear;
  state: SeatState = 'out';
  /** A moderator sent them out, and they have not heard of it yet. */
  isDismissed = false;
  /** What was asked of a moderator last. A mute may have ended by itself. */
  isMuted = false;
  isDeafened = false;
  isBanned = false;
  isWhispering = false;
  #account: number;
  #packet: Uint8Array;
  #socket: WebSocket | null = null;
  #refusal: string | null = null;
  #resumeSecret = '';
  #slot = -1;
  #sequence = 0;
  #target: number = Target.whisper;

  constructor(company: Company, lobby: string, role: 'player' | 'moderator') {
    this.#company = company;
    this.#lobby = lobby;
    this.#isModerator = role === 'moderator';
    this.ear = new Ear(company.ears);
    this.#account = company.newAccount();
    this.#packet = packetOf(this.#account);
  }

  get steamId(): string {
    return personSteamId(this.#account).toString();
  }

  async join(): Promise<void> {
    this.state = 'joining';
    const now = Math.floor(Date.now() / 1000);
    const token = await mintToken({
      key: this.#company.key,
      lobby: this.#lobby,
      steamId: this.steamId,
      moderator: this.#isModerator,
      channels: CHANNELS,
      audience: 'hotmic',
      now,
      expiresAt: now + TOKEN_SECONDS,
    });
    const { steamId } = this;
    const name = `soak ${this.#account}`;
    this.#connect({ type: 'hello', versions: [1], lobby: this.#lobby, steamId, name, token });
  }

  leave(): void {
    this.state = 'leaving';
    this.say({ type: 'leave' });
  }

  /** Breaks the connection without a word, and resumes in so long. */
  cut(backInMs: Milliseconds): void {
    this.state = 'away';
    const socket = this.#socket;
    this.#socket = null;
    socket?.terminate();
    setTimeout(() => {
      this.state = 'resuming';
      this.#connect({ type: 'resume', versions: [1], secret: this.#resumeSecret });
    }, backInMs);
  }

  say(message: ClientMessage): void {
    this.#socket?.send(writeMessage(message));
  }

  /** Sends a frame to one of the channels that one is in or to those whispered to, muted or not. `pick` says which, from 0. */
  talk(pick: number): void {
    const { own } = this.ear;
    if (this.state !== 'in' || own === null) return;
    const targets = this.isWhispering ? [...own.channels, Target.whisper] : own.channels;
    if (targets.length === 0) return;
    const target = targets[pick % targets.length]!;
    const marker = target !== this.#target;
    this.#target = target;
    const fields = {
      marker,
      terminator: false,
      target,
      sequence: this.#sequence,
      timestamp: this.#sequence * 480,
    };
    this.#sequence = sequenceAfter(this.#sequence);
    this.#socket?.send(writeVoiceFrame(fields, this.#packet));
    this.#company.tally.spoken += 1;
    if (own.muted) this.#company.tally.spokenMuted += 1;
  }

  /** Goes without a word, for good. */
  end(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.terminate();
  }

  #connect(first: ClientMessage): void {
    this.ear.begin();
    this.#refusal = null;
    const socket = new WebSocket(this.#company.url, { perMessageDeflate: false });
    this.#socket = socket;
    const late = setTimeout(() => socket.terminate(), GIVE_UP_MS);
    // What it says comes again as `close`.
    socket.on('error', () => undefined);
    socket.once('open', () => socket.send(writeMessage(first)));
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      // What was under way when we cut it ourselves is the connection's before.
      if (socket !== this.#socket) return;
      if (isBinary) this.ear.hear(data);
      else this.#told(data.toString(), () => clearTimeout(late));
    });
    socket.once('close', (code: number) => {
      clearTimeout(late);
      if (socket === this.#socket) this.#closed(code);
    });
  }

  #told(text: string, onWelcome: () => void): void {
    const { tally } = this.#company;
    const message = readRelayMessage(text);
    if ('kind' in message) {
      count(tally.unexpected, `malformed: ${message.detail}`);
      return;
    }
    this.ear.told(message);
    if (message.type === 'refused') this.#refusal = message.code;
    if (message.type === 'failed') count(tally.failed, `${message.request}: ${message.code}`);
    if (message.type !== 'welcome') return;
    onWelcome();
    if (this.state === 'joining') {
      tally.joined += 1;
      this.isWhispering = false;
    } else if (message.slot === this.#slot) tally.resumed += 1;
    else tally.resumesFailed += 1;
    this.state = 'in';
    this.#slot = message.slot;
    this.#resumeSecret = message.resume?.secret ?? '';
  }

  #closed(code: number): void {
    const { tally } = this.#company;
    const why = this.#refusal ?? String(code);
    const asked =
      (this.state === 'leaving' && code === 1000) ||
      (this.isDismissed && (why === 'kicked' || why === 'banned')) ||
      (this.state === 'joining' && this.isBanned && why === 'banned');
    if (asked && this.state === 'joining') tally.bansHeld += 1;
    if (this.state === 'resuming') tally.resumesFailed += 1;
    if (!asked) count(tally.unexpected, `${this.state}: ${why}`);
    this.state = 'out';
    this.isDismissed = false;
    this.#socket = null;
    // Of whom the relay has nothing to remember, it should hold nothing: another comes in their place.
    if (this.isMuted || this.isDeafened || this.isBanned || this.#isModerator) return;
    this.#account = this.#company.newAccount();
    this.#packet = packetOf(this.#account);
  }
}

export function newSeatTally(): SeatTally {
  return {
    joined: 0,
    resumed: 0,
    resumesFailed: 0,
    bansHeld: 0,
    spoken: 0,
    spokenMuted: 0,
    failed: {},
    unexpected: {},
  };
}

export function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}

function packetOf(account: number): Uint8Array {
  const steamId = personSteamId(account);
  const writer = new PacketWriter();
  writer.begin(new Uint8Array(256), steamIdLow(steamId), steamIdHigh(steamId));
  writer.sampleRate(24_000);
  writer.beginFrames();
  writer.frame(0, OPUS, 0, OPUS.length);
  writer.endFrames();
  return writer.finish().slice();
}
