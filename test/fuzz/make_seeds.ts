/**
 * Writes first inputs for the native fuzz targets: valid packets in every mode that the golden vectors hold, real packets'
 * DTX frames, and each op of the formats. Run from the repository's root: `node dist/test/fuzz/make_seeds.js FOLDER` writes
 * FOLDER/decode, FOLDER/encode and FOLDER/module.
 *
 * What is committed in test/fuzz/corpus/ grew out of them by fuzzing and was minimised: see CONTRIBUTING.md.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Golden } from '../../wasm/golden.js';

/** Special lengths of a run of steps (native/decode.c). */
const SPECIAL: Readonly<Record<string, number>> = { conceal: 0xfffe, reset: 0xffff };

const folder = process.argv[2] ?? 'out/fuzz/seeds';
const golden = JSON.parse(readFileSync('test/wasm/golden/golden.json', 'utf8')) as Golden;

for (const [n, stream] of golden.streams.entries()) {
  for (let rate = 0; rate < 5; rate += 1) {
    // A few packets from different places of the stream, so that an input stays short.
    for (const start of [0, Math.floor(stream.steps.length / 2)]) {
      const steps = stream.steps.slice(start, start + 6).map(step);
      seed('decode', `stream_${n}_${rate}_${start}`, [rate], ...steps);
      seed('decode', `stream_${n}_${rate}_${start}_fec`, [0x80 | rate], u16(0xfffd), ...steps);
    }
  }
}
for (let toc = 0; toc < 256; toc += 1) {
  seed('decode', `toc_${toc}`, [toc % 5], packet([toc]), packet([toc, 0x42, 0x17, 0x99, 0x24]), u16(0xfffe));
}

const frames: Readonly<Record<string, readonly number[]>> = {
  silence: [1 | (7 << 3)],
  square: [2 | (3 << 3), 0xff, 0x7f, 60],
  noise: [3 | (3 << 3), 0x00, 0x40, 7],
  impulse: [5, 100, 0, 0xff, 0x7f, 1 | (3 << 3)],
  triangle: [6 | (3 << 3), 0x00, 0x30, 109],
  constant: [7, 0xff, 0x7f, 4 | (7 << 3)],
  speech: [
    6 | (1 << 3),
    0x00,
    0x30,
    109,
    3,
    0,
    2,
    1,
    6 | (1 << 3),
    0x00,
    0x20,
    80,
    1 | (7 << 3),
    6,
    0,
    0x30,
    90,
  ],
};
for (const [name, ops] of Object.entries(frames)) {
  for (const kilobits of [6, 12, 16, 24, 32, 64]) {
    for (const complexity of [0, 5, 10]) {
      const bitrate = Math.min(58_000, kilobits * 1000 - 6000);
      const flags = [0x01, 0x23, 0x4f][complexity / 5]!;
      seed(
        'encode',
        `${name}_${kilobits}_${complexity}`,
        [...u16(bitrate), complexity, flags, complexity * 5],
        ops,
      );
    }
  }
}

// Numbers as native/module.c reads them: a kind below 100 and one byte, below 200 and two.
const number = (value: number) => (value < 256 ? [0, value] : [150, ...u16(value)]);
const ROOM = [5 + 200 - (200 % 16) + 16]; // An edge: 144,000.
for (const [n, stream] of golden.streams.entries()) {
  const steps = stream.steps.slice(0, 5).flatMap((text) => [...step(text)]);
  for (let rate = 0; rate < 3; rate += 1) {
    const decoder = [0, [5, 8, 2][rate]!];
    const area = [4, ...u16(steps.length), ...steps];
    seed('module', `run_${n}_${rate}`, decoder, area, [11, 0, ...number(steps.length), ...ROOM], [3, 0, 0]);
    const first = step(stream.steps[0]!);
    const packetArea = [4, ...u16(first.length - 2), ...first.slice(2)];
    const length = number(first.length - 2);
    seed('module', `call_${n}_${rate}`, decoder, packetArea, [8, 0, ...length, ...ROOM], [10, 0, ...length]);
  }
}
for (let rate = 0; rate < 14; rate += 1) {
  const resampler = [2, 5, rate];
  seed('module', `stretch_${rate}`, resampler, [6, 0, 0, 0, 9], [18, rate, 0, ...number(480), 0], [19, 0]);
  seed(
    'module',
    `stream_${rate}`,
    resampler,
    [6, 1, 0xff, 0x7f, 9],
    [17, 0, ...number(960), 17, 0, ...number(7)],
  );
  seed(
    'module',
    `floats_${rate}`,
    [2, rate, 5],
    [7, rate % 3, 9],
    [16, 0, ...number(480), 16, 0, ...number(60)],
  );
}
for (const complexity of [0, 5, 10]) {
  const encoder = [1, 0, 0, 0, 0x40, 0, complexity, 1, 20, 1];
  seed(
    'module',
    `encode_${complexity}`,
    encoder,
    [6, complexity % 3, 0, 0x40, 9],
    [14, 0],
    [15, 0, 0, 3],
    [13, 0, 1],
  );
}

function step(text: string): readonly number[] {
  const special = SPECIAL[text];
  return special === undefined ? packet([...Buffer.from(text, 'base64')]) : u16(special);
}

function packet(bytes: readonly number[]): readonly number[] {
  return [...u16(bytes.length), ...bytes];
}

function u16(value: number): number[] {
  return [value & 255, value >> 8];
}

function seed(target: string, name: string, ...parts: readonly (readonly number[])[]): void {
  mkdirSync(join(folder, target), { recursive: true });
  writeFileSync(join(folder, target, name), Uint8Array.from(parts.flat()));
}
