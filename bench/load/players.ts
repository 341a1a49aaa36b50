/**
 * The players of the load generator: a hello with its own token for each connection and, for each talker, voice frames of real speech as
 * a Steam client records it, with the talker's SteamID.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenJwk } from '../../relay/admission/token_keys.js';
import { mintToken, newKey } from '../../relay/index.js';
import { writeU32 } from '../../voice/bytes.js';
import { writeMessage } from '../../voice/control.js';
import { crc32 } from '../../voice/crc32.js';
import { personSteamId, steamIdLow } from '../../voice/steam_id.js';
import {
  FRAME_MS,
  FRAME_SAMPLES,
  MAX_PACKET_BYTES,
  type Milliseconds,
  samplesOfMs,
} from '../../voice/units.js';
import { readWav } from '../../voice/wav.js';
import { writeVoiceFrame } from '../../voice/wire.js';
import { VoiceEncoder } from '../../wasm/compress.js';
import { loadCodec } from '../../wasm/load.js';
import { Resampler } from '../../wasm/resampler.js';

/** Lobbies of the same size, and the talkers in them. */
export interface Crowd {
  readonly lobbies: number;
  readonly lobbySize: number;
  /** Talkers per lobby. They talk all the time. */
  readonly talkers: number;
  /** Opus frames of 20 ms per packet, which also sets the interval between packets. */
  readonly opusFrames: number;
  /** What those who do not talk may do. Default `speak`. */
  readonly others?: 'speak' | 'listen';
  /** Of every client. Default: none. With `stale` the generator's listeners answer, see docs/protocol.md, "Staleness". */
  readonly capabilities?: readonly string[];
  /** What the names of lobbies begin with, before a number. Default `lobby`. */
  readonly lobbyName?: string;
}

/** How the players show who they are. */
export type Credential =
  /** With tokens signed by this key, a JSON Web Key. */
  | { readonly kind: 'token'; readonly key: unknown; readonly audience: string }
  /** Not at all: as guests, who have the SteamID that the relay makes up, or by a SteamID that a relay for development believes. */
  | { readonly kind: 'guest' }
  | { readonly kind: 'steam-id' };

/** Files for the generator. */
export interface PlayerFiles {
  readonly connections: number;
  readonly hellos: string;
  readonly frames: string;
}

/** The same, and the key that signed the tokens. */
export interface Players extends PlayerFiles {
  readonly keys: unknown;
  /** Its private half, to sign tokens for further players. */
  readonly key: TokenJwk;
}

const FOLDER = 'out/bench/relay';
const AUDIENCE = 'hotmic';
/** Frames per talker, repeated. A power of two. */
const FRAMES_PER_TALKER = 32;
const FIRST_ACCOUNT = 1_000_000;
/** Where the speech begins in the clip. */
const SPEECH_FROM_MS: Milliseconds = 200;
const TOKEN_SECONDS = 6 * 3600;
const HELLOS_AT_ONCE = 100;

/** The interval between packets. */
export function intervalMs({ opusFrames }: Crowd): Milliseconds {
  return opusFrames * FRAME_MS;
}

/** Writes the files for a crowd under `name`, with tokens by a new key. */
export async function preparePlayers(name: string, crowd: Crowd): Promise<Players> {
  const { privateKey, keySet } = await newKey('EdDSA', 'bench');
  const credential = { kind: 'token', key: privateKey, audience: AUDIENCE } as const;
  return { ...(await writePlayers(FOLDER, name, crowd, credential)), keys: keySet, key: privateKey };
}

/** Writes the files for a crowd into `folder`. @throws RangeError if a token cannot be made with the key. */
export async function writePlayers(
  folder: string,
  name: string,
  crowd: Crowd,
  credential: Credential,
): Promise<PlayerFiles> {
  mkdirSync(folder, { recursive: true });
  const connections = crowd.lobbies * crowd.lobbySize;
  const now = Math.floor(Date.now() / 1000);
  const helloOf = async (index: number) => {
    const lobby = `${crowd.lobbyName ?? 'lobby'} ${Math.floor(index / crowd.lobbySize)}`;
    const steamId = personSteamId(FIRST_ACCOUNT + index).toString();
    const token =
      credential.kind === 'token' &&
      (await mintToken({
        key: credential.key,
        lobby,
        steamId,
        audience: credential.audience,
        expiresAt: now + TOKEN_SECONDS,
        now,
        maySpeak: crowd.others !== 'listen' || index % crowd.lobbySize < crowd.talkers,
      }));
    return writeMessage({
      type: 'hello',
      versions: [1],
      ...(crowd.capabilities && { capabilities: [...crowd.capabilities] }),
      lobby,
      ...(credential.kind !== 'guest' && { steamId }),
      name: `player ${index}`,
      ...(token !== false && { token }),
    });
  };
  const hellos: string[] = [];
  while (hellos.length < connections) {
    const some = Math.min(HELLOS_AT_ONCE, connections - hellos.length);
    hellos.push(...(await Promise.all(Array.from({ length: some }, (_, at) => helloOf(hellos.length + at)))));
  }
  const files = { hellos: join(folder, `${name}.hellos`), frames: join(folder, `${name}.frames`) };
  writeFileSync(files.hellos, `${hellos.join('\n')}\n`, { mode: 0o600 });
  writeFileSync(files.frames, crowd.talkers > 0 ? talkersFile(crowd) : new Uint8Array(0));
  return { connections, ...files };
}

/** As bench/load/main.cpp reads it: u32 talkers, u32 frames of each, then u32 bytes and the bytes of each. */
function talkersFile({ lobbies, lobbySize, talkers, opusFrames }: Crowd): Uint8Array {
  const packets = speechPackets(opusFrames);
  const bytes = packets.reduce((sum, packet) => sum + 4 + 16 + packet.length, 0);
  const file = new Uint8Array(8 + lobbies * talkers * bytes);
  writeU32(file, 0, lobbies * talkers);
  writeU32(file, 4, packets.length);
  let at = 8;
  for (let lobby = 0; lobby < lobbies; lobby++) {
    for (let talker = 0; talker < talkers; talker++) {
      const account = FIRST_ACCOUNT + lobby * lobbySize + talker;
      for (const packet of packets) {
        // The generator numbers the frames: it only changes bytes before the packet and its CRC.
        const fields = { marker: false, terminator: false, target: 0, sequence: 0, timestamp: 0 };
        const frame = writeVoiceFrame(fields, packetBy(personSteamId(account), packet));
        writeU32(file, at, frame.length);
        file.set(frame, at + 4);
        at += 4 + frame.length;
      }
    }
  }
  return file;
}

/** The same packet from another person. */
export function packetBy(steamId: bigint, packet: Uint8Array): Uint8Array {
  const changed = packet.slice();
  writeU32(changed, 0, steamIdLow(steamId));
  writeU32(changed, changed.length - 4, crc32(changed, 0, changed.length - 4));
  return changed;
}

/** Packets of real speech, without DTX, by the person with account 1. */
function speechPackets(opusFrames: number): Uint8Array[] {
  loadCodec();
  const wav = readWav(readFileSync(new URL('../../../examples/speech/ada.wav', import.meta.url)));
  if (wav.kind === 'malformed') throw new Error(`Cannot read the speech: ${wav.reason}`);
  const resampler = new Resampler(wav.sampleRateHz, 24_000);
  const pcm = Int16Array.from(resampler.process(wav.samplesFloat()), (sample) =>
    Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))),
  );
  resampler.free();
  const encoder = new VoiceEncoder(personSteamId(1), { dtx: false, framesPerPacket: opusFrames });
  const from = samplesOfMs(SPEECH_FROM_MS);
  const wanted = FRAMES_PER_TALKER * opusFrames * FRAME_SAMPLES;
  const packet = new Uint8Array(MAX_PACKET_BYTES);
  const packets: Uint8Array[] = [];
  for (let at = 0; at < wanted; at += FRAME_SAMPLES) {
    const start = (from + at) % (pcm.length - FRAME_SAMPLES);
    encoder.write(pcm.subarray(start, start + FRAME_SAMPLES));
    const bytes = encoder.read(packet);
    if (bytes > 0) packets.push(packet.slice(0, bytes));
  }
  encoder.free();
  if (packets.length !== FRAMES_PER_TALKER)
    throw new Error(`Cannot encode the speech: ${packets.length} packets, expected ${FRAMES_PER_TALKER}`);
  return packets;
}
