/** What `hotmic inspect` prints about one packet, as text and as JSON; bounded, however many ops a packet has. */

import { hex, writeU32 } from '../../voice/bytes.js';
import { crc32 } from '../../voice/crc32.js';
import {
  type MalformedPacket,
  type Packet,
  type PacketOp,
  packetSamples,
  readPacket,
  relayFault,
  steamIdOf,
} from '../../voice/packet.js';
import { printable } from '../../voice/printable.js';
import { MAX_PACKET_BYTES, msOfSamples } from '../../voice/units.js';
import { counted } from '../greeting.js';
import { type Found, MAX_INSPECTED_BYTES } from './input.js';
import { type Lookalike, lookalike } from './lookalike.js';

/** The most ops and frames that are listed of one packet; the others are counted. */
export const MAX_LISTED_ITEMS = 1000;

/** The names of the ops that are skipped. */
const FOREIGN_OPS: Readonly<Record<number, string>> = {
  1: 'Miles, or another old codec',
  2: 'Speex, or another old codec',
  3: 'raw PCM',
  4: 'SILK, as Steam sent before 2017',
  5: 'Opus without sequence numbers',
  10: 'unknown',
};

/** A packet and its verdict. */
export type Verdict =
  | { readonly kind: 'whole'; readonly file: string; readonly bytes: Uint8Array; readonly packet: Packet }
  | {
      readonly kind: 'malformed';
      readonly file: string;
      /** Its length, or null if unknown. */
      readonly bytes: number | null;
      readonly reason: MalformedPacket['reason'] | 'too-long' | 'not-hexadecimal';
      readonly offset: number;
      readonly detail: string;
      readonly ops: readonly PacketOp[];
      readonly looksLike: Lookalike | null;
    };

export function judge(found: Found): Verdict {
  const { file } = found;
  const refused = { kind: 'malformed', file, ops: [], looksLike: null } as const;
  switch (found.kind) {
    case 'too-long': {
      const { bytes } = found;
      const detail = `${bytes ?? 'more'} bytes, expected at most ${MAX_INSPECTED_BYTES}; not read`;
      return { ...refused, bytes, reason: 'too-long', offset: MAX_INSPECTED_BYTES, detail };
    }
    case 'not-hexadecimal': {
      const detail = 'this line is not hexadecimal, or has half a byte';
      return { ...refused, bytes: null, reason: 'not-hexadecimal', offset: 0, detail };
    }
    case 'packet': {
      const { bytes } = found;
      const packet = inspectPacket(bytes);
      if (packet.kind === 'packet') return { kind: 'whole', file, bytes, packet };
      return { ...packet, file, bytes: bytes.length, looksLike: lookalike(bytes) };
    }
  }
}

/** A wrong CRC is the fault, but the content is still of interest. */
function inspectPacket(bytes: Uint8Array): Packet | MalformedPacket {
  const packet = readPacket(bytes);
  if (packet.kind !== 'malformed' || packet.reason !== 'bad-crc') return packet;
  // Not slice(), which does not copy a Buffer.
  const mended = new Uint8Array(bytes);
  writeU32(mended, packet.offset, crc32(mended, 0, packet.offset));
  return { ...packet, ops: readPacket(mended).ops };
}

/** Why a relay would drop a whole packet, by the name of its counter, or null. */
function relayDrops(packet: Packet, bytes: Uint8Array): string | null {
  const fault = relayFault(packet, bytes.length, MAX_PACKET_BYTES);
  return fault === null ? null : `packet-${fault}`;
}

/** One line of JSON. */
export function toJson(verdict: Verdict): string {
  const { file } = verdict;
  if (verdict.kind === 'malformed') {
    const { reason, offset, detail, bytes, looksLike } = verdict;
    const { ops, leftOut } = listed(verdict.ops);
    return JSON.stringify({
      file,
      verdict: 'malformed',
      reason,
      offset,
      detail,
      bytes,
      looksLike: looksLike?.kind ?? null,
      ops,
      itemsLeftOut: leftOut,
    });
  }
  const { packet, bytes } = verdict;
  const { ops, leftOut } = listed(packet.ops);
  return JSON.stringify({
    file,
    verdict: 'whole',
    reason: null,
    offset: null,
    bytes: bytes.length,
    steamId: String(steamIdOf(packet)),
    crc: hex(packet.crc, 8),
    durationMs: msOfSamples(packetSamples(packet)),
    relayDrops: relayDrops(packet, bytes),
    ops,
    itemsLeftOut: leftOut,
  });
}

/** Lines for a person. */
export function toText(verdict: Verdict): string {
  const file = printable(verdict.file);
  if (verdict.kind === 'malformed') {
    const { reason, offset, detail, bytes, looksLike } = verdict;
    const length = bytes === null || reason === 'too-long' ? '' : `; ${counted(bytes, 'byte')}`;
    return [
      `${file}: MALFORMED (${reason}) at offset ${offset}: ${detail}${length}`,
      ...describeOps(verdict.ops),
      line(offset, '!', detail),
      ...(looksLike ? [`          It is ${looksLike.text}.`] : []),
    ].join('\n');
  }
  const { packet, bytes } = verdict;
  const ms = msOfSamples(packetSamples(packet));
  const head = `${file}: whole, ${bytes.length} bytes, ${ms} ms, SteamID ${steamIdOf(packet)}, CRC ${hex(packet.crc, 8)} right`;
  const fault = relayDrops(packet, bytes);
  const drop = fault === null ? [] : [`          A relay drops it: ${fault}.`];
  return [head, ...describeOps(packet.ops), ...drop].join('\n');
}

/** The first `MAX_LISTED_ITEMS` of the ops and their frames, and how many more there are. */
function listed(all: readonly PacketOp[]): { readonly ops: readonly PacketOp[]; readonly leftOut: number } {
  const ops: PacketOp[] = [];
  let left = MAX_LISTED_ITEMS;
  let leftOut = 0;
  for (const op of all) {
    const frames = op.kind === 'opus' ? op.frames.length : 0;
    const taken = Math.max(0, Math.min(frames, left - 1));
    leftOut += left === 0 ? 1 + frames : frames - taken;
    if (left === 0) continue;
    left -= 1 + taken;
    ops.push(op.kind === 'opus' && taken < frames ? { ...op, frames: op.frames.slice(0, taken) } : op);
  }
  return { ops, leftOut };
}

function describeOps(all: readonly PacketOp[]): string[] {
  const { ops, leftOut } = listed(all);
  const lines = ops.flatMap(describeOp);
  if (leftOut > 0) lines.push(`          and ${leftOut} more, not listed`);
  return lines;
}

function describeOp(op: PacketOp): string[] {
  switch (op.kind) {
    case 'rate':
      return [line(op.offset, 'rate', `${op.sampleRateHz} Hz`)];
    case 'silence': {
      const ms = (op.samples * 1000) / op.sampleRateHz;
      return [line(op.offset, 'silence', `${op.samples} samples, ${ms} ms`)];
    }
    case 'foreign': {
      const what = `${FOREIGN_OPS[op.op] ?? 'unknown'}: ${counted(op.bytes, 'byte')}, not decoded`;
      return [line(op.offset, `0x${hex(op.op, 2)}`, what)];
    }
    case 'opus': {
      const frames = op.frames.map((item) => {
        if (item.kind === 'end') return line(item.offset, '  end', 'end of recording');
        const dtx = item.bytes === 1 ? ', DTX' : '';
        const what = `sequence ${item.sequence}, ${counted(item.bytes, 'byte')}, ${msOfSamples(item.samples)} ms${dtx}`;
        return line(item.offset, '  frame', what);
      });
      return [line(op.offset, 'opus', counted(op.frames.length, 'item')), ...frames];
    }
  }
}

function line(offset: number, kind: string, what: string): string {
  return `${String(offset).padStart(8)}  ${kind.padEnd(8)} ${what}`;
}
