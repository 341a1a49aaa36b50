/** `hotmic inspect`: says what is inside Steam Voice packets, or what is wrong with them and where. */

import { closeSync, openSync, readdirSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { exportWav } from '../record/export_wav.js';
import { hex, writeU32 } from '../voice/bytes.js';
import { crc32 } from '../voice/crc32.js';
import { codeOf, HotmicError, systemReason } from '../voice/error.js';
import {
  type MalformedPacket,
  type Packet,
  type PacketOp,
  packetSamples,
  readPacket,
  relayFault,
  steamIdOf,
} from '../voice/packet.js';
import { printable } from '../voice/printable.js';
import { MAX_PACKET_BYTES, msOfSamples, VOICE_RATE_HZ } from '../voice/units.js';
import { VoiceResult } from '../voice/voice_result.js';
import { MAX_DECODED_SAMPLES, VoiceDecoder } from '../wasm/decompress.js';
import { loadCodec } from '../wasm/load.js';
import { counted } from './greeting.js';

interface InspectOptions {
  readonly json?: true;
  readonly wav?: string;
}

/** The largest file that is read. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The longest sound that --wav decodes: an hour. */
const MAX_WAV_SAMPLES = 3600 * VOICE_RATE_HZ;

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Say what is inside Steam Voice packets, or what is wrong with them and where.')
    .argument('<packet...>', 'file or folder of packets, - for standard input, or one packet in hexadecimal')
    .option('--json', 'print a line of JSON for each packet: file, verdict, reason, offset, ops')
    .option('--wav <file>', 'decode them in this order, as one speaker, to a WAV')
    .addHelpText(
      'after',
      `
A file holds one packet as it is, or packets in hexadecimal, one a line; # starts a comment.
Exit code 1 when a packet is damaged.`,
    )
    .action(inspect);
}

interface NamedPacket {
  /** File, and its line where it has several. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

function inspect(names: string[], options: InspectOptions): void {
  let packets = 0;
  let damaged = 0;
  const sound = options.wav === undefined ? null : new Sound();
  for (const { file, bytes } of packetsIn(names)) {
    const packet = inspectPacket(bytes);
    packets += 1;
    if (packet.kind === 'malformed') damaged += 1;
    if (options.json) console.log(JSON.stringify(toJson(file, bytes, packet)));
    else console.log(describe(printable(file), bytes, packet));
    sound?.take(file, bytes);
  }
  if (packets === 0)
    throw new HotmicError('ERR_HOTMIC_INPUT', `Cannot inspect ${names.join(' ')}: no packet there`);
  if (options.wav !== undefined && sound) saveWav(options.wav, sound.pcm());
  if (damaged > 0) process.exitCode = 1;
}

/** A wrong CRC is the fault, and yet one wants to see what is inside. */
function inspectPacket(bytes: Uint8Array): Packet | MalformedPacket {
  const packet = readPacket(bytes);
  if (packet.kind !== 'malformed' || packet.reason !== 'bad-crc') return packet;
  // Not slice(), which for a Buffer is no copy.
  const mended = new Uint8Array(bytes);
  writeU32(mended, packet.offset, crc32(mended, 0, packet.offset));
  return { ...packet, ops: readPacket(mended).ops };
}

/** Why a relay would not pass a whole packet, or null. */
function relayVerdict(packet: Packet, bytes: Uint8Array): string | null {
  return relayFault(packet, bytes.length, MAX_PACKET_BYTES);
}

function toJson(file: string, bytes: Uint8Array, packet: Packet | MalformedPacket): unknown {
  if (packet.kind === 'malformed') {
    const { reason, offset, detail, ops } = packet;
    return { file, verdict: 'malformed', reason, offset, detail, bytes: bytes.length, ops };
  }
  return {
    file,
    verdict: 'whole',
    reason: null,
    offset: null,
    bytes: bytes.length,
    steamId: String(steamIdOf(packet)),
    crc: hex(packet.crc, 8),
    durationMs: msOfSamples(packetSamples(packet)),
    relayDrops: relayVerdict(packet, bytes),
    ops: packet.ops,
  };
}

function describe(file: string, bytes: Uint8Array, packet: Packet | MalformedPacket): string {
  const lines = packet.ops.flatMap((op) => describeOp(op));
  if (packet.kind === 'malformed') {
    const head = `${file}: MALFORMED (${packet.reason}) at offset ${packet.offset}: ${packet.detail}; ${bytes.length} bytes`;
    return [head, ...lines, line(packet.offset, '!', packet.detail)].join('\n');
  }
  const ms = msOfSamples(packetSamples(packet));
  const head = `${file}: whole, ${bytes.length} bytes, ${ms} ms, SteamID ${steamIdOf(packet)}, CRC ${hex(packet.crc, 8)} right`;
  const fault = relayVerdict(packet, bytes);
  return [head, ...lines, ...(fault ? [`          A relay drops it: packet-${fault}.`] : [])].join('\n');
}

function describeOp(op: PacketOp): string[] {
  switch (op.kind) {
    case 'rate':
      return [line(op.offset, 'rate', `${op.sampleRateHz} Hz`)];
    case 'silence': {
      const ms = (op.samples * 1000) / op.sampleRateHz;
      return [line(op.offset, 'silence', `${op.samples} samples, ${ms} ms`)];
    }
    case 'foreign':
      return [line(op.offset, `0x${hex(op.op, 2)}`, `${op.bytes} bytes, not decoded`)];
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

/** The packets that the arguments name, one after the other. */
function* packetsIn(names: readonly string[]): Generator<NamedPacket> {
  for (const name of names) {
    if (name === '-') yield* packetsOf('standard input', readAll(name, 0));
    else if (isHex(name) && kindAt(name) === null)
      yield { file: 'argument', bytes: Buffer.from(name, 'hex') };
    else if (kindAt(name) === 'folder') {
      for (const file of listFolder(name)) {
        const path = join(name, file);
        if (kindAt(path) !== 'folder') yield* packetsOf(path, readFileAt(path));
      }
    } else yield* packetsOf(name, readFileAt(name));
  }
}

/** The packets of one file: hexadecimal lines, or the one packet that it is. */
function* packetsOf(file: string, bytes: Buffer): Generator<NamedPacket> {
  const lines = hexLines(bytes);
  if (lines === null) {
    yield { file, bytes };
    return;
  }
  for (const { number, text } of lines) {
    yield { file: lines.length > 1 ? `${file}:${number}` : file, bytes: Buffer.from(text, 'hex') };
  }
}

/** The lines with a packet in them, or null when the file is not such a text. */
function hexLines(bytes: Buffer): { number: number; text: string }[] | null {
  const lines: { number: number; text: string }[] = [];
  for (const [index, raw] of bytes.toString('latin1').split('\n').entries()) {
    const text = raw.replace(/#.*/, '').replace(/\s+/g, '');
    if (text === '') continue;
    if (!isHex(text)) return null;
    lines.push({ number: index + 1, text });
  }
  return lines.length > 0 ? lines : null;
}

function isHex(text: string): boolean {
  return text.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(text);
}

/** What is at `path`; null when nothing is there, or nothing can be. */
function kindAt(path: string): 'folder' | 'file' | null {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch {
    return null;
  }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (cause) {
    throw inputError(path, cause);
  }
}

function readFileAt(path: string): Buffer {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw inputError(path, cause);
  }
  try {
    return readAll(path, fd);
  } finally {
    closeSync(fd);
  }
}

/** Reads to the end, but no further than is reasonable: a pipe or a device may have none. */
function readAll(name: string, fd: number): Buffer {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const part = Buffer.alloc(64 * 1024);
      const got = readSync(fd, part);
      if (got === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, got));
      bytes += got;
      if (bytes > MAX_FILE_BYTES) {
        throw new HotmicError(
          'ERR_HOTMIC_INPUT',
          `Cannot read ${name}: wants at most ${MAX_FILE_BYTES} bytes`,
        );
      }
    }
  } catch (cause) {
    throw cause instanceof HotmicError ? cause : inputError(name, cause);
  }
}

function inputError(name: string, cause: unknown): HotmicError {
  return new HotmicError('ERR_HOTMIC_INPUT', `Cannot read ${name}: ${systemReason(cause)}`, {
    cause,
  });
}

/** Decodes packets one after the other, as one speaker's. */
class Sound {
  readonly #decoder: VoiceDecoder;
  readonly #scratch = new Int16Array(MAX_DECODED_SAMPLES);
  readonly #parts: Int16Array[] = [];
  #samples = 0;

  constructor() {
    loadCodec();
    this.#decoder = new VoiceDecoder(VOICE_RATE_HZ);
  }

  take(file: string, packet: Uint8Array): void {
    const { result, samples } = this.#decoder.decompress(packet, this.#scratch);
    if (result !== VoiceResult.VOICE_RESULT_OK)
      console.error(`${printable(file)}: not decoded, VoiceResult ${result}`);
    if (this.#samples + samples > MAX_WAV_SAMPLES) {
      throw new HotmicError('ERR_HOTMIC_WAV_FULL', `Cannot decode ${file}: the WAV has an hour already`);
    }
    this.#parts.push(this.#scratch.slice(0, samples));
    this.#samples += samples;
  }

  pcm(): Int16Array {
    const pcm = new Int16Array(this.#samples);
    let at = 0;
    for (const part of this.#parts) {
      pcm.set(part, at);
      at += part.length;
    }
    return pcm;
  }
}

function saveWav(path: string, pcm: Int16Array): void {
  try {
    writeFileSync(path, exportWav(pcm, VOICE_RATE_HZ), { flag: 'wx' });
  } catch (cause) {
    const code = codeOf(cause) === 'ENOSPC' ? 'ERR_HOTMIC_DISK_FULL' : 'ERR_HOTMIC_FILE';
    throw new HotmicError(code, `Cannot write ${path}: ${systemReason(cause)}`, { cause });
  }
  console.error(`${path}: ${(msOfSamples(pcm.length) / 1000).toFixed(2)} s`);
}
