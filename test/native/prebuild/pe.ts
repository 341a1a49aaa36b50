/** What a 64-bit Windows library says of itself, as far as the loader asks. */

import { readFileSync } from 'node:fs';

export interface Pe {
  readonly machine: 'x64' | 'arm64' | number;
  readonly isLibrary: boolean;
  /** Features that the linker turned on (DllCharacteristics). */
  readonly characteristics: number;
  /** The name that the file has for itself. */
  readonly name: string;
  readonly exports: readonly string[];
  /** Functions by library, in lower case: those bound when the file is loaded, and those bound at their first call. */
  readonly imports: ReadonlyMap<string, readonly string[]>;
  readonly delayed: ReadonlyMap<string, readonly string[]>;
  /** Time stamps: of the file, of its exports, and of each entry of its debug directory. */
  readonly timestamps: readonly number[];
  /** Types of the entries in the debug directory. */
  readonly debug: readonly number[];
  /** COFF symbols, which a stripped file does not have. */
  readonly symbols: number;
  readonly sections: readonly string[];
}

const MACHINES: Readonly<Record<number, 'x64' | 'arm64'>> = { 34404: 'x64', 43620: 'arm64' };
const PE32_PLUS = 0x20b;
const DLL = 0x2000;
const DIRECTORY = { exports: 0, imports: 1, debug: 6, delayed: 13 } as const;
/** High bit of an import: by number instead of name. */
const BY_ORDINAL = 1n << 63n;

/** @throws Error when it is not such a file. */
export function readPe(path: string): Pe {
  const file = readFileSync(path);
  const header = file.toString('latin1', 0, 2) === 'MZ' ? file.readUInt32LE(0x3c) : 0;
  if (file.toString('latin1', header, header + 4) !== 'PE\0\0') throw new Error(`${path} is not a PE file`);
  const optional = header + 24;
  if (file.readUInt16LE(optional) !== PE32_PLUS) throw new Error(`${path} is not a 64-bit PE file`);

  const firstSection = optional + file.readUInt16LE(header + 20);
  const sections = Array.from({ length: file.readUInt16LE(header + 6) }, (_, n) => {
    const at = firstSection + n * 40;
    return {
      name: file.toString('latin1', at, at + 8).replace(/\0+$/, ''),
      address: file.readUInt32LE(at + 12),
      bytes: file.readUInt32LE(at + 16),
      offset: file.readUInt32LE(at + 20),
    };
  });
  /** Offset in the file of an address relative to the image. */
  const offsetOf = (address: number): number => {
    const section = sections.find((it) => address >= it.address && address < it.address + it.bytes);
    if (section === undefined) throw new Error(`${path}: no section has the address ${address}`);
    return address - section.address + section.offset;
  };
  const text = (address: number): string => {
    const start = offsetOf(address);
    return file.toString('latin1', start, file.indexOf(0, start));
  };
  /** Offset and size of a directory; null when the file has none. */
  const directory = (number: number): { at: number; bytes: number } | null => {
    if (number >= file.readUInt32LE(optional + 108)) return null;
    const entry = optional + 112 + number * 8;
    const address = file.readUInt32LE(entry);
    return address === 0 ? null : { at: offsetOf(address), bytes: file.readUInt32LE(entry + 4) };
  };
  /** Names in a table of imports. */
  const namesAt = (address: number): string[] => {
    const names: string[] = [];
    for (let at = offsetOf(address); ; at += 8) {
      const value = file.readBigUInt64LE(at);
      if (value === 0n) return names;
      names.push(value & BY_ORDINAL ? `#${value & 0xffffn}` : text(Number(value) + 2));
    }
  };
  /** By library, from a table of descriptors that ends with one without a name. */
  const importsOf = (table: number, size: number, nameAt: number, namesField: number) => {
    const found = new Map<string, readonly string[]>();
    const start = directory(table)?.at;
    if (start === undefined) return found;
    for (let at = start; file.readUInt32LE(at + nameAt) !== 0; at += size) {
      const library = text(file.readUInt32LE(at + nameAt)).toLowerCase();
      const names = namesAt(file.readUInt32LE(at + namesField));
      found.set(library, [...(found.get(library) ?? []), ...names]);
    }
    return found;
  };

  const timestamps = [file.readUInt32LE(header + 8)];
  const exported = directory(DIRECTORY.exports);
  const exports: string[] = [];
  let name = '';
  if (exported !== null) {
    timestamps.push(file.readUInt32LE(exported.at + 4));
    name = text(file.readUInt32LE(exported.at + 12));
    const names = offsetOf(file.readUInt32LE(exported.at + 32));
    for (let n = 0; n < file.readUInt32LE(exported.at + 24); n++)
      exports.push(text(file.readUInt32LE(names + n * 4)));
  }
  const debug: number[] = [];
  const debugged = directory(DIRECTORY.debug);
  if (debugged !== null) {
    for (let at = debugged.at; at < debugged.at + debugged.bytes; at += 28) {
      timestamps.push(file.readUInt32LE(at + 4));
      debug.push(file.readUInt32LE(at + 12));
    }
  }
  const machine = file.readUInt16LE(header + 4);
  return {
    machine: MACHINES[machine] ?? machine,
    isLibrary: (file.readUInt16LE(header + 22) & DLL) !== 0,
    characteristics: file.readUInt16LE(optional + 70),
    name,
    exports,
    imports: importsOf(DIRECTORY.imports, 20, 12, 0),
    delayed: importsOf(DIRECTORY.delayed, 32, 4, 16),
    timestamps,
    debug,
    symbols: file.readUInt32LE(header + 12),
    sections: sections.map((section) => section.name),
  };
}
