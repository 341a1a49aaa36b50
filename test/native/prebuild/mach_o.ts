/** What a 64-bit macOS library says of itself, as far as the loader asks, with its signature. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface MachO {
  readonly machine: 'x64' | 'arm64' | number;
  readonly fileType: 'dylib' | 'bundle' | number;
  /** Oldest macOS, such as 11.0. */
  readonly oldestSystem: string | null;
  readonly libraries: readonly string[];
  readonly exports: readonly string[];
  /** Names, and where each is looked for: a library by its name, or in every one that is loaded. */
  readonly imports: ReadonlyMap<string, string>;
  readonly signature: MachOSignature | null;
}

export interface MachOSignature {
  readonly isAdHoc: boolean;
  /** Pages with a recorded hash, and those that do not match theirs. */
  readonly pages: number;
  readonly wrongPages: number;
  /** Bytes of the file that the signature covers. */
  readonly covered: number;
}

const MAGIC_64 = 0xfeedfacf;
const COMMAND = {
  symbols: 0x2,
  library: 0xc,
  signature: 0x1d,
  minimum: 0x24,
  buildVersion: 0x32,
  bindings: 0x80000022,
} as const;
const MACHINES: Readonly<Record<number, 'x64' | 'arm64'>> = { 16777223: 'x64', 16777228: 'arm64' };
const TYPES: Readonly<Record<number, 'dylib' | 'bundle'>> = { 6: 'dylib', 8: 'bundle' };
const EXTERNAL = 0x01;
const PRIVATE = 0x10;
const KIND = 0x0e;
const SUPERBLOB = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const AD_HOC = 0x2;

/** @throws Error when it is not such a file. */
export function readMachO(path: string): MachO {
  const file = readFileSync(path);
  if (file.readUInt32LE(0) !== MAGIC_64) throw new Error(`${path} is not a 64-bit Mach-O file`);
  const libraries: string[] = [];
  const exports: string[] = [];
  const ordinals = new Map<string, number | 'anywhere'>();
  let oldestSystem: string | null = null;
  let signature: MachOSignature | null = null;
  let symbols: number | null = null;
  const string = (at: number) => file.toString('latin1', at, file.indexOf(0, at));
  for (let at = 32, left = file.readUInt32LE(16); left > 0; left--) {
    const command = file.readUInt32LE(at);
    if (command === COMMAND.library) libraries.push(string(at + file.readUInt32LE(at + 8)));
    if (command === COMMAND.symbols) symbols = at;
    if (command === COMMAND.buildVersion) oldestSystem = version(file.readUInt32LE(at + 12));
    if (command === COMMAND.minimum) oldestSystem = version(file.readUInt32LE(at + 8));
    // Those at once, and those at the first call.
    if (command === COMMAND.bindings) {
      for (const field of [16, 32]) {
        const start = file.readUInt32LE(at + field);
        for (const [name, ordinal] of readBindings(file, start, file.readUInt32LE(at + field + 4)))
          ordinals.set(name, ordinal);
      }
    }
    if (command === COMMAND.signature) signature = readSignature(file, file.readUInt32LE(at + 8));
    at += file.readUInt32LE(at + 4);
  }
  if (symbols !== null) {
    const [first, count, strings] = [8, 12, 16].map((offset) => file.readUInt32LE(symbols! + offset)) as [
      number,
      number,
      number,
    ];
    for (let n = 0; n < count; n++) {
      const at = first + n * 16;
      const type = file.readUInt8(at + 4);
      if ((type & EXTERNAL) === 0 || (type & PRIVATE) !== 0) continue;
      if ((type & KIND) !== 0) exports.push(string(strings + file.readUInt32LE(at)));
    }
  }
  const imports = new Map(
    [...ordinals].map(([name, from]) => [
      name,
      from === 'anywhere' ? from : (libraries[from - 1] ?? `library ${from}`),
    ]),
  );
  const [machine, fileType] = [file.readUInt32LE(4), file.readUInt32LE(12)];
  return {
    machine: MACHINES[machine] ?? machine,
    fileType: TYPES[fileType] ?? fileType,
    oldestSystem,
    libraries,
    exports,
    imports,
    signature,
  };
}

/** Names that the loader binds, by the program for it in the file, and the number of the library that each is looked for in. */
function readBindings(file: Buffer, start: number, bytes: number): Map<string, number | 'anywhere'> {
  const found = new Map<string, number | 'anywhere'>();
  let [at, name] = [start, ''];
  let from: number | 'anywhere' = 0;
  const uleb = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = file.readUInt8(at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < start + bytes) {
    const byte = file.readUInt8(at++);
    const immediate = byte & 0x0f;
    switch (byte & 0xf0) {
      case 0x10:
        from = immediate;
        break;
      case 0x20:
        from = uleb();
        break;
      case 0x30:
        // -2 in four bits: looked up in every library. 0 is the library itself, -1 the program.
        from = immediate === 0xe ? 'anywhere' : -immediate;
        break;
      case 0x40:
        name = file.toString('latin1', at, file.indexOf(0, at));
        at += name.length + 1;
        break;
      case 0x60:
      case 0x70:
      case 0x80:
        uleb();
        break;
      case 0xc0:
        uleb();
        uleb();
        found.set(name, from);
        break;
      case 0xa0:
        uleb();
        found.set(name, from);
        break;
      case 0x90:
      case 0xb0:
        found.set(name, from);
        break;
    }
  }
  return found;
}

function version(packed: number): string {
  return `${packed >> 16}.${(packed >> 8) & 0xff}`;
}

/** The signature's numbers are big-endian. Every page's hash is computed again. */
function readSignature(file: Buffer, start: number): MachOSignature | null {
  if (file.readUInt32BE(start) !== SUPERBLOB) return null;
  for (let n = 0; n < file.readUInt32BE(start + 8); n++) {
    const at = start + file.readUInt32BE(start + 12 + n * 8 + 4);
    if (file.readUInt32BE(at) !== CODE_DIRECTORY) continue;
    const hashes = at + file.readUInt32BE(at + 16);
    const pages = file.readUInt32BE(at + 28);
    const covered = file.readUInt32BE(at + 32);
    const hashBytes = file.readUInt8(at + 36);
    const pageBytes = 1 << file.readUInt8(at + 39);
    let wrongPages = 0;
    for (let page = 0; page < pages; page++) {
      const end = Math.min((page + 1) * pageBytes, covered);
      const hash = createHash('sha256')
        .update(file.subarray(page * pageBytes, end))
        .digest();
      const recorded = file.subarray(hashes + page * hashBytes, hashes + (page + 1) * hashBytes);
      if (!hash.subarray(0, hashBytes).equals(recorded)) wrongPages += 1;
    }
    return { isAdHoc: (file.readUInt32BE(at + 12) & AD_HOC) !== 0, pages, wrongPages, covered };
  }
  return null;
}
