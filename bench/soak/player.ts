/**
 * A churning player in the soak: joins with a token, talks to channels and whispers (never to the lobby), breaks the connection and
 * resumes, and counts deviations from the protocol.
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
import { Listener, type ListenerCounts } from './listener.js';

export const CHANNELS = ['red', 'blue', 'green'] as const;
const GIVE_UP_MS: Milliseconds = 20_000;
const TOKEN_SECONDS = 6 * 3600;

/** An Opus packet of one 20 ms SILK frame; the relay only reads its framing. */
const OPUS = Uint8Array.of(0x48, ...new Array<number>(60).fill(7));

/** What all players of a soak share. */
export interface Soak {
  readonly url: string;
  readonly key: TokenJwk;
  readonly tally: PlayerTally;
  readonly heard: ListenerCounts;
  /** An unused account number for a SteamID. */
  readonly newAccount: () => number;
}

export interface PlayerTally {
  joined: number;
  resumed: number;
  /** Refused, cut, not in time, or resumed in another slot. */
  resumesFailed: number;
  /** Refused because they are banned, as they should be. */
  bansEnforced: number;
  spoken: number;
  /** Of those, frames that a player sent while it knew that it was muted. */
  spokenMuted: number;
  /** `failed` messages by request and code. Some are expected, because operations of different players may conflict. */
  readonly failed: Record<string, number>;
  /** Connections closed or refused for no expected reason. Empty in a valid run. */
  readonly unexpected: Record<string, number>;
}

export type PlayerState = 'out' | 'joining' | 'in' | 'leaving' | 'away' | 'resuming';

export class Player {
  readonly #soak: Soak;
  readonly #lobby: string;
  readonly #isModerator: boolean;
  readonly listener: Listener;
  state: PlayerState = 'out';
  /** A moderator kicked or banned them, and they have not been notified yet. */
  isDismissed = false;
  /** The latest requests to the moderator. A mute may have expired. */
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

  constructor(soak: Soak, lobby: string, role: 'player' | 'moderator') {
    this.#soak = soak;
    this.#lobby = lobby;
    this.#isModerator = role === 'moderator';
    this.listener = new Listener(soak.heard);
    this.#account = soak.newAccount();
    this.#packet = packetOf(this.#account);
  }

  get steamId(): string {
    return personSteamId(this.#account).toString();
  }

  async join(): Promise<void> {
    this.state = 'joining';
    const now = Math.floor(Date.now() / 1000);
    const token = await mintToken({
      key: this.#soak.key,
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

  /** Breaks the connection without a message, and resumes after this time. */
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

  /** Sends a frame to one of the player's channels or as a whisper, muted or not. `pick` chooses the target. */
  talk(pick: number): void {
    const { own } = this.listener;
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
    this.#soak.tally.spoken += 1;
    if (own.muted) this.#soak.tally.spokenMuted += 1;
  }

  /** Disconnects for good without a message. */
  end(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.terminate();
  }

  #connect(first: ClientMessage): void {
    this.listener.begin();
    this.#refusal = null;
    const socket = new WebSocket(this.#soak.url, { perMessageDeflate: false });
    this.#socket = socket;
    const late = setTimeout(() => socket.terminate(), GIVE_UP_MS);
    // An error is followed by `close`.
    socket.on('error', () => undefined);
    socket.once('open', () => socket.send(writeMessage(first)));
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      // Ignore what a connection that we cut still delivers.
      if (socket !== this.#socket) return;
      if (isBinary) this.listener.hear(data);
      else this.#control(data.toString(), () => clearTimeout(late));
    });
    socket.once('close', (code: number) => {
      clearTimeout(late);
      if (socket === this.#socket) this.#closed(code);
    });
  }

  #control(text: string, onWelcome: () => void): void {
    const { tally } = this.#soak;
    const message = readRelayMessage(text);
    if ('kind' in message) {
      count(tally.unexpected, `malformed: ${message.detail}`);
      return;
    }
    this.listener.handle(message);
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
    const { tally } = this.#soak;
    const why = this.#refusal ?? String(code);
    const asked =
      (this.state === 'leaving' && code === 1000) ||
      (this.isDismissed && (why === 'kicked' || why === 'banned')) ||
      (this.state === 'joining' && this.isBanned && why === 'banned');
    if (asked && this.state === 'joining') tally.bansEnforced += 1;
    if (this.state === 'resuming') tally.resumesFailed += 1;
    if (!asked) count(tally.unexpected, `${this.state}: ${why}`);
    this.state = 'out';
    this.isDismissed = false;
    this.#socket = null;
    // If the relay has no sanction to remember, it should keep nothing about this player: continue as another one.
    if (this.isMuted || this.isDeafened || this.isBanned || this.#isModerator) return;
    this.#account = this.#soak.newAccount();
    this.#packet = packetOf(this.#account);
  }
}

export function newPlayerTally(): PlayerTally {
  return {
    joined: 0,
    resumed: 0,
    resumesFailed: 0,
    bansEnforced: 0,
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
