/** What a 64-bit little-endian ELF library says of itself, as far as a loader asks. */

import { readFileSync } from 'node:fs';

export interface Elf {
  readonly machine: 'x64' | 'arm64' | number;
  /** Libraries that it needs (DT_NEEDED). */
  readonly needed: readonly string[];
  /** Symbol versions that it asks of them, such as GLIBC_2.17. */
  readonly versions: readonly string[];
  readonly exports: readonly string[];
  readonly imports: readonly string[];
  readonly sections: readonly string[];
}

const SHT_STRTAB = 3;
const SHT_DYNAMIC = 6;
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const DT_NEEDED = 1;
const MACHINES: Readonly<Record<number, 'x64' | 'arm64'>> = { 62: 'x64', 183: 'arm64' };

interface Section {
  readonly name: number;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** @throws Error when it is not such a file. */
export function readElf(path: string): Elf {
  const file = readFileSync(path);
  if (file.toString('latin1', 0, 6) !== '\x7fELF\x02\x01')
    throw new Error(`${path} is not a 64-bit ELF file`);
  const long = (at: number) => Number(file.readBigUInt64LE(at));
  const headers = long(40);
  const sections: Section[] = Array.from({ length: file.readUInt16LE(60) }, (_, n) => {
    const at = headers + n * file.readUInt16LE(58);
    return {
      name: file.readUInt32LE(at),
      type: file.readUInt32LE(at + 4),
      offset: long(at + 24),
      size: long(at + 32),
      link: file.readUInt32LE(at + 40),
    };
  });
  const text = (strings: number, at: number) => {
    const start = sections[strings]!.offset + at;
    return file.toString('latin1', start, file.indexOf(0, start));
  };
  const ofType = (type: number) => sections.filter((section) => section.type === type);

  const needed: string[] = [];
  for (const { offset, size, link } of ofType(SHT_DYNAMIC)) {
    for (let at = offset; at < offset + size; at += 16) {
      if (long(at) === DT_NEEDED) needed.push(text(link, long(at + 8)));
    }
  }
  const exports: string[] = [];
  const imports: string[] = [];
  for (const { offset, size, link } of ofType(SHT_DYNSYM)) {
    // The first symbol is empty.
    for (let at = offset + 24; at < offset + size; at += 24) {
      (file.readUInt16LE(at + 6) === 0 ? imports : exports).push(text(link, file.readUInt32LE(at)));
    }
  }
  const versions: string[] = [];
  for (const { offset, size, link } of ofType(SHT_GNU_VERNEED)) {
    for (let need = offset, next = 1; next !== 0 && need < offset + size; need += next) {
      next = file.readUInt32LE(need + 12);
      let at = need + file.readUInt32LE(need + 8);
      for (let left = file.readUInt16LE(need + 2); left > 0; left--) {
        versions.push(text(link, file.readUInt32LE(at + 8)));
        at += file.readUInt32LE(at + 12);
      }
    }
  }
  const names = file.readUInt16LE(62);
  if (sections[names]?.type !== SHT_STRTAB) throw new Error(`${path} has no section names`);
  return {
    machine: MACHINES[file.readUInt16LE(18)] ?? file.readUInt16LE(18),
    needed,
    versions,
    exports,
    imports,
    sections: sections.map(({ name }) => text(names, name)),
  };
}
