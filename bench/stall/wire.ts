/** The voice frames of the benchmark: each says when it was sent, in the timestamp of its header, so that any relay can carry them. */

import { readU32 } from '../../voice/bytes.js';
import { PacketWriter } from '../../voice/packet_writer.js';
import { personSteamId, steamIdHigh, steamIdLow } from '../../voice/steam_id.js';
import { MAX_PACKET_BYTES, type Milliseconds, msOfSamples, samplesOfMs } from '../../voice/units.js';
import { writeVoiceFrame } from '../../voice/wire.js';

/** A frame of speech at the default bit rate. */
const OPUS_BYTES = 80;
const TIMESTAMP_AT = 4;

/** Talkers have the accounts from here on. */
export const FIRST_TALKER = 1;
export const LISTENER = 900;

/** One client's connection to a relay. */
export interface Line {
  send(frame: Uint8Array): void;
  close(): void;
}

/** A frame of this talker that is sent now. */
export function frameBy(account: number, sequence: number, now: Milliseconds): Uint8Array {
  const steamId = personSteamId(account);
  const opus = new Uint8Array(OPUS_BYTES).fill(sequence & 0xff);
  // SILK, 16 kHz, 20 ms, mono, one frame.
  opus[0] = 0x48;
  const writer = new PacketWriter();
  writer.begin(new Uint8Array(MAX_PACKET_BYTES), steamIdLow(steamId), steamIdHigh(steamId));
  writer.sampleRate(24_000);
  writer.beginFrames();
  writer.frame(sequence & 0xffff, opus, 0, opus.length);
  writer.endFrames();
  const fields = { marker: sequence === 0, terminator: false, target: 0, sequence: sequence & 0xffff };
  return writeVoiceFrame({ ...fields, timestamp: samplesOfMs(now) >>> 0 }, writer.finish());
}

/** How long ago a frame was sent, in ms. */
export function ageOf(frame: Uint8Array, now: Milliseconds): Milliseconds {
  return ageOfTimestamp(readU32(frame, TIMESTAMP_AT), now);
}

export function ageOfTimestamp(timestamp: number, now: Milliseconds): Milliseconds {
  return msOfSamples((samplesOfMs(now) - timestamp) >>> 0);
}
