/** A player who stays connected through a storm: talks, listens, and counts faults in what it hears. */

import { WebSocket } from 'ws';
import { mintToken } from '../../relay/admission/mint_token.js';
import type { TokenJwk } from '../../relay/admission/token_keys.js';
import { PacketWriter } from '../../voice/packet_writer.js';
import { sequenceAfter } from '../../voice/sequence.js';
import { personSteamId, steamIdHigh, steamIdLow } from '../../voice/steam_id.js';
import { readVoiceHeader, writeVoiceFrame } from '../../voice/wire.js';

/** Interval between two frames of one talker. */
export const TALK_EVERY_MS = 50;
export const MAX_LATE_MS = 20;
const SAMPLES_PER_MS = 24;

/** An Opus packet of one 20 ms SILK frame; the relay only reads its framing. */
const OPUS = Uint8Array.of(0x48, ...new Array<number>(60).fill(7));

/** A hello with a token for this account and lobby. */
export async function helloWith(
  key: TokenJwk,
  account: number,
  lobby: string,
): Promise<{ readonly account: number; readonly text: string }> {
  const steamId = personSteamId(account).toString();
  const now = Math.floor(Date.now() / 1000);
  const token = await mintToken({ key, lobby, steamId, audience: 'hotmic', now, expiresAt: now + 3600 });
  const hello = { type: 'hello', versions: [1], lobby, steamId, name: `player ${account}`, token };
  return { account, text: JSON.stringify(hello) };
}

export class Member {
  readonly #socket: WebSocket;
  readonly #packet: Uint8Array;
  readonly #delays: number[] = [];
  #sequence = 0;
  /** The sequence heard last, by slot. */
  readonly #last = new Map<number, number>();
  heard = 0;
  wrong = 0;
  leftOrJoined = 0;
  lastSent: number | null = null;
  lastSequence: number | null = null;

  private constructor(socket: WebSocket, account: number) {
    this.#socket = socket;
    const steamId = personSteamId(account);
    const writer = new PacketWriter();
    writer.begin(new Uint8Array(256), steamIdLow(steamId), steamIdHigh(steamId));
    writer.sampleRate(24_000);
    writer.beginFrames();
    writer.frame(0, OPUS, 0, OPUS.length);
    writer.endFrames();
    this.#packet = writer.finish().slice();
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) this.#hear(data);
      else this.#control(data.toString());
    });
  }

  static async join(url: string, { account, text }: { account: number; text: string }): Promise<Member> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const member = new Member(socket, account);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.send(text));
      socket.once('message', () => resolve());
    });
    return member;
  }

  /** Sends a frame whose timestamp is the moment of sending, in samples at 24 kHz. */
  talk(): void {
    const sequence = this.#sequence;
    const timestamp = Math.floor(performance.now() * SAMPLES_PER_MS) >>> 0;
    const header = { marker: false, terminator: false, target: 0, sequence, timestamp };
    this.#socket.send(writeVoiceFrame(header, this.#packet));
    this.lastSent = sequence;
    this.#sequence = sequenceAfter(sequence);
  }

  /** Resets `leftOrJoined`. */
  countFromNow(): void {
    this.leftOrJoined = 0;
  }

  takeDelays(): number[] {
    return this.#delays.splice(0);
  }

  close(): void {
    this.#socket.terminate();
  }

  #hear(data: Buffer): void {
    const header = readVoiceHeader(data);
    if (header.kind === 'malformed') {
      this.wrong += 1;
      return;
    }
    this.heard += 1;
    const last = this.#last.get(header.slot);
    if (last !== undefined && header.sequence !== sequenceAfter(last)) this.wrong += 1;
    this.#last.set(header.slot, header.sequence);
    this.lastSequence = header.sequence;
    this.#delays.push(performance.now() - header.timestamp / SAMPLES_PER_MS);
  }

  #control(text: string): void {
    const { type } = JSON.parse(text) as { type: string };
    if (type === 'left' || type === 'joined') this.leftOrJoined += 1;
  }
}
