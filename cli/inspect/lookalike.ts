/** Names data that somebody mistook for a Steam Voice packet, such as another layer of the stream. */

import { opusPacketSamples48k } from '../../voice/opus_framing.js';
import { readPacket } from '../../voice/packet.js';
import { WIRE_HEADER_BYTES } from '../../voice/wire.js';

/** What it looks like: a stable word, and a text. */
export interface Lookalike {
  readonly kind: 'voice-frame' | 'silk-file' | 'ogg-file' | 'riff-file' | 'opus-packet';
  readonly text: string;
}

/** Files by what they begin with. SILK's is Skype's own form, and with a byte before it Tencent's. */
const MAGIC: readonly (readonly [magic: string, Lookalike])[] = [
  ['#!SILK', { kind: 'silk-file', text: 'a SILK file, not a Steam Voice packet' }],
  ['\u0002#!SILK', { kind: 'silk-file', text: 'a SILK file (Tencent), not a Steam Voice packet' }],
  ['OggS', { kind: 'ogg-file', text: 'an Ogg file, not a Steam Voice packet' }],
  ['RIFF', { kind: 'riff-file', text: 'a RIFF file such as a WAV, not a Steam Voice packet' }],
];

/** The longest Opus packet that a speech encoder makes: six frames of the longest. */
const MAX_OPUS_BYTES = 6 * 1275;

/** A guess from the first bytes, or null when they look like nothing known, or like a Steam Voice packet that was damaged. */
export function lookalike(bytes: Uint8Array): Lookalike | null {
  const head = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  for (const [magic, found] of MAGIC) if (head.startsWith(magic)) return found;
  if (readPacket(bytes.subarray(WIRE_HEADER_BYTES)).kind === 'packet') {
    const text = `a Hotmic voice frame: ${WIRE_HEADER_BYTES} bytes of header, then a whole Steam Voice packet`;
    return { kind: 'voice-frame', text };
  }
  if (startsWithPerson(bytes) || bytes.length > MAX_OPUS_BYTES) return null;
  const samples48k = opusPacketSamples48k(bytes, 0, bytes.length);
  return samples48k === 0 ? null : { kind: 'opus-packet', text: opusText(bytes[0]!, samples48k / 48) };
}

/** Bytes 4 to 7 of a Steam Voice packet are the upper half of a person's SteamID. */
function startsWithPerson(bytes: Uint8Array): boolean {
  return bytes[4] === 0x01 && bytes[5] === 0x00 && bytes[6] === 0x10 && bytes[7] === 0x01;
}

/** What an Opus packet's first byte says (RFC 6716 table 2). */
function opusText(toc: number, ms: number): string {
  const config = toc >> 3;
  const mode = config < 12 ? 'SILK' : config < 16 ? 'hybrid' : 'CELT';
  const channels = (toc & 4) === 0 ? 'mono' : 'stereo';
  return `possibly a raw Opus packet (${mode}, ${channels}, ${ms} ms) without the Steam Voice packet around it`;
}
