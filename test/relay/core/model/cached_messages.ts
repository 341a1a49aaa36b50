/** Frames and messages as bytes, made once: the explorations send most of them again and again. */

import { writeU32 } from '../../../../voice/bytes.js';
import { type ClientMessage, writeMessage } from '../../../../voice/control.js';
import { samplesOfMs } from '../../../../voice/units.js';
import { writeVoiceFrame } from '../../../../voice/wire.js';
import { bytesOf, fields, packetBy } from '../../kit.js';

const frames = new Map<string, Uint8Array>();

/** @param now Its timestamp. The bytes are valid until the next call. */
export function cachedFrame(
  steamId: string,
  target: number,
  end: 'terminator' | 'more',
  now: number,
): Uint8Array {
  const key = `${steamId} ${target} ${end}`;
  let frame = frames.get(key);
  if (!frame) {
    frame = writeVoiceFrame(fields({ target, terminator: end === 'terminator' }), packetBy(BigInt(steamId)));
    frames.set(key, frame);
  }
  // The CRC is of the packet alone.
  writeU32(frame, 4, samplesOfMs(now) >>> 0);
  return frame;
}

const texts = new Map<string, Uint8Array>();

export function cachedBytes(message: ClientMessage): Uint8Array {
  const text = writeMessage(message);
  let bytes = texts.get(text);
  if (!bytes) {
    bytes = bytesOf(text);
    texts.set(text, bytes);
  }
  return bytes;
}
