/**
 * The list of participants in a welcome, cut into pages by their length in bytes, so that no message is longer than
 * `MAX_RELAY_MESSAGE_BYTES`: names may take 64 or 256 bytes.
 */

import type { RelayMessageToWrite } from '../../../voice/control.js';

/** A participant as a page lists them. */
export type Listed = Extract<RelayMessageToWrite, { type: 'participants' }>['participants'][number];

/**
 * Bytes of one page. A welcome has one of them beside 127 channels with the longest names, which take 36 KB: together they are under
 * the limit of a message.
 */
export const PAGE_BYTES = 24 * 1024;

/** What anybody takes without their name and channels: slot, SteamID, speaking, and the comma after it. */
const PLAIN_BYTES = 80;
/** A flag that is set takes at most this, with its name: `"recordingSince":9007199254740991,` does. */
const FLAG_BYTES = 34;
/** A channel's number and its comma; the first ones also pay for the field. */
const CHANNEL_BYTES = 4;
const CHANNELS_BYTES = 14;

/** The pages, at least one, which may be empty. */
export function pagesOf(participants: readonly Listed[]): readonly (readonly Listed[])[] {
  const pages: Listed[][] = [];
  let page: Listed[] = [];
  let bytes = 0;
  for (const participant of participants) {
    const own = bytesAtMost(participant);
    if (bytes + own > PAGE_BYTES) {
      pages.push(page);
      page = [];
      bytes = 0;
    }
    page.push(participant);
    bytes += own;
  }
  return [...pages, page];
}

/** At least what a participant takes in a message, without writing it. */
export function bytesAtMost(participant: Listed): number {
  const { name, channels, slot: _slot, steamId: _steamId, speaking: _speaking, ...flags } = participant;
  const ofChannels = channels === undefined ? 0 : CHANNELS_BYTES + CHANNEL_BYTES * channels.length;
  return PLAIN_BYTES + textBytes(name) + ofChannels + FLAG_BYTES * Object.keys(flags).length;
}

/** The length of a label in JSON and UTF-8. */
function textBytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Two halves of a pair take four bytes together. A quotation mark and a backslash are escaped.
    if (unit < 0x80) bytes += unit === 0x22 || unit === 0x5c ? 2 : 1;
    else bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes;
}
