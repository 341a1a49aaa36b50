/**
 * The packets that `hotmic inspect` reads from arguments, files, folders and standard input, in order.
 *
 * Input may come from anywhere, so it is read in chunks and never kept whole: memory is bounded by one packet and one line, whatever
 * the file's length. Longer packets and lines are reported, and the rest of them is skipped.
 */

import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, HotmicError } from '../../voice/error.js';
import { systemReason } from '../../voice/system_reason.js';
import { hexDigits } from './hex_text.js';

/** The longest packet that is read, in bytes: eight times what a relay passes. */
export const MAX_INSPECTED_BYTES = 65_536;

/** The most that is read of one file of hexadecimal lines, or of a pipe with them, in bytes. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The longest line: the longest packet as `0x01, 0x02`, and some space. */
const MAX_LINE_CHARS = 6 * MAX_INSPECTED_BYTES + 1024;

/** UTF-8's, read as Latin-1. */
const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;

const HASH = 0x23;

const CHUNK_BYTES = 64 * 1024;

/** An input to judge, and its place: a file, and the line if the file has several. */
export type Found =
  | { readonly kind: 'packet'; readonly file: string; readonly bytes: Uint8Array }
  /** More than `MAX_INSPECTED_BYTES`. `bytes` is its length, if known. */
  | { readonly kind: 'too-long'; readonly file: string; readonly bytes: number | null }
  /** A line that is not hexadecimal, among lines that are. */
  | { readonly kind: 'not-hexadecimal'; readonly file: string };

/** The packets that the arguments name. @throws HotmicError ERR_HOTMIC_INPUT for input that cannot be read, or is endless. */
export function* packetsIn(names: readonly string[]): Generator<Found> {
  const bytes = bytesOfArguments(names);
  if (bytes !== null) {
    yield { kind: 'packet', file: 'arguments', bytes };
    return;
  }
  for (const name of names) {
    if (name === '-') {
      yield* packetsOf('standard input', 0);
      continue;
    }
    const kind = kindAt(name);
    const digits = kind === null ? hexDigits(name) : null;
    if (digits !== null) yield ofDigits('argument', digits);
    else if (kind === 'folder') {
      for (const file of listFolder(name)) {
        const path = join(name, file);
        const inner = kindAt(path);
        // Reading a pipe or a device in a folder might never end.
        if (inner === 'file' || inner === null) yield* packetsAt(path);
      }
    } else yield* packetsAt(name);
  }
}

/** `hotmic inspect 01 00 00 …`: a packet whose bytes are separate arguments, or null. */
function bytesOfArguments(names: readonly string[]): Uint8Array | null {
  if (names.length < 2) return null;
  const digits = names.map(hexDigits);
  if (!digits.every((byte) => byte !== null && byte.length === 2)) return null;
  return names.some((name) => kindAt(name) !== null) ? null : Buffer.from(digits.join(''), 'hex');
}

function* packetsAt(path: string): Generator<Found> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw inputError(path, cause);
  }
  try {
    yield* packetsOf(path, fd);
  } finally {
    closeSync(fd);
  }
}

/** The packets of one file: hexadecimal lines if its first line is one, otherwise a single packet of raw bytes. */
function* packetsOf(file: string, fd: number): Generator<Found> {
  const head: Buffer[] = [];
  let headBytes = 0;
  const lines = new Lines();
  /** The first packet waits for a second one: only then is its line numbered. */
  let first: { readonly line: Line; readonly digits: string | null } | null = null;
  let mode: 'undecided' | 'bytes' | 'hexadecimal' = 'undecided';
  let isNumbered = false;

  for (const chunk of chunksOf(file, fd)) {
    if (mode === 'undecided' && headBytes <= MAX_INSPECTED_BYTES) {
      if (hasControls(chunk)) mode = 'bytes';
      head.push(chunk);
      headBytes += chunk.length;
    }
    for (const line of mode === 'bytes' ? [] : lines.take(chunk)) {
      const digits = line.isCut ? null : hexDigits(line.text);
      if (mode === 'undecided') {
        if (digits === null && !startsAsHex(line)) {
          mode = 'bytes';
          break;
        }
        mode = 'hexadecimal';
        first = { line, digits };
        continue;
      }
      if (first !== null) yield ofLine(`${file}:${first.line.number}`, first.line, first.digits);
      first = null;
      isNumbered = true;
      yield ofLine(`${file}:${line.number}`, line, digits);
    }
    if (mode === 'bytes') {
      yield ofBytes(file, fd, head, headBytes);
      return;
    }
  }
  const last = lines.end();
  const digits = last === null || last.isCut ? null : hexDigits(last.text);
  if (mode === 'undecided') {
    if (last !== null && (digits !== null || startsAsHex(last))) yield ofLine(file, last, digits);
    else if (last !== null || headBytes === 0) yield ofBytes(file, fd, head, headBytes);
    return;
  }
  if (first !== null) {
    const name = last === null && !isNumbered ? file : `${file}:${first.line.number}`;
    yield ofLine(name, first.line, first.digits);
  }
  if (last !== null) yield ofLine(`${file}:${last.number}`, last, digits);
}

/** The file as one packet. Reads no further than the longest packet. */
function ofBytes(file: string, fd: number, head: Buffer[], headBytes: number): Found {
  let length = headBytes;
  while (length <= MAX_INSPECTED_BYTES) {
    const chunk = readChunk(file, fd);
    if (chunk === null) break;
    head.push(chunk);
    length += chunk.length;
  }
  if (length <= MAX_INSPECTED_BYTES) return { kind: 'packet', file, bytes: Buffer.concat(head) };
  const stat = fstatSync(fd);
  return { kind: 'too-long', file, bytes: stat.isFile() ? stat.size : null };
}

function ofLine(file: string, line: Line, digits: string | null): Found {
  if (line.isCut) return { kind: 'too-long', file, bytes: null };
  return digits === null ? { kind: 'not-hexadecimal', file } : ofDigits(file, digits);
}

function ofDigits(file: string, digits: string): Found {
  const bytes = digits.length / 2;
  if (bytes > MAX_INSPECTED_BYTES) return { kind: 'too-long', file, bytes };
  return { kind: 'packet', file, bytes: Buffer.from(digits, 'hex') };
}

/** A line with more than a comment. */
interface Line {
  readonly number: number;
  readonly text: string;
  /** It goes on beyond the longest line. */
  readonly isCut: boolean;
}

/** Whether the beginning of a cut line is hexadecimal. */
function startsAsHex({ isCut, text }: Line): boolean {
  return isCut && /^[\s{["'0-9a-f,:x\\]*$/i.test(text);
}

/** Cuts chunks into lines, without comments; keeps no more than one line, up to `MAX_LINE_CHARS`. */
class Lines {
  #number = 1;
  #text = '';
  #isComment = false;
  #isCut = false;

  *take(chunk: Buffer): Generator<Line> {
    for (let at = 0; at < chunk.length; ) {
      const newline = chunk.indexOf(0x0a, at);
      const end = newline === -1 ? chunk.length : newline;
      if (this.#text === '' && chunk[at] === HASH) this.#isComment = true;
      if (!this.#isComment && end > at) this.#add(chunk.toString('latin1', at, end));
      if (newline !== -1) {
        const line = this.end();
        if (line !== null) yield line;
        this.#number += 1;
      }
      at = end + 1;
    }
  }

  /** Ends the line; null if it is empty. */
  end(): Line | null {
    this.#isComment = false;
    if (this.#text === '') return null;
    const line = { number: this.#number, text: this.#text, isCut: this.#isCut };
    this.#text = '';
    this.#isCut = false;
    return line;
  }

  #add(part: string): void {
    const comment = part.indexOf('#');
    this.#isComment = comment !== -1;
    const text = comment === -1 ? part : part.slice(0, comment);
    // Leading white space and a byte-order mark are ignored; later white space may be between two bytes.
    const isStart = this.#text === '';
    const more = isStart ? text.replace(BYTE_ORDER_MARK, '').trimStart() : text;
    if (more === '') return;
    const room = MAX_LINE_CHARS - this.#text.length;
    if (more.length > room) this.#isCut = true;
    this.#text += more.slice(0, room);
  }
}

/** Control characters that no text has: the input is raw bytes. */
function hasControls(chunk: Buffer): boolean {
  return chunk.some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20));
}

/** The input in chunks, each the reader's own, up to `MAX_FILE_BYTES`. */
function* chunksOf(name: string, fd: number): Generator<Buffer> {
  for (let bytes = 0; ; ) {
    const chunk = readChunk(name, fd);
    if (chunk === null) return;
    bytes += chunk.length;
    if (bytes > MAX_FILE_BYTES) {
      throw new HotmicError(
        'ERR_HOTMIC_INPUT',
        `Cannot read ${name}: more than ${MAX_FILE_BYTES} bytes, expected at most that; split the file`,
      );
    }
    yield chunk;
  }
}

/** The next bytes, or null at the end. */
function readChunk(name: string, fd: number): Buffer | null {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  try {
    const got = readSync(fd, chunk);
    return got === 0 ? null : chunk.subarray(0, got);
  } catch (cause) {
    // What Windows reports at the end of a pipe.
    if (codeOf(cause) === 'EOF') return null;
    throw inputError(name, cause);
  }
}

/** What is at `path`; null if nothing is, or nothing can be. */
function kindAt(path: string): 'folder' | 'file' | 'other' | null {
  try {
    const stat = statSync(path);
    return stat.isDirectory() ? 'folder' : stat.isFile() ? 'file' : 'other';
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

function inputError(name: string, cause: unknown): HotmicError {
  return new HotmicError('ERR_HOTMIC_INPUT', `Cannot read ${name}: ${systemReason(cause)}`, { cause });
}
