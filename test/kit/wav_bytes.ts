/** WAV files of any encoding, put together without the writer under test, and a sound that is known at any rate. */

/** How the samples are stored. */
export type WavKind = 'pcm8' | 'pcm16' | 'pcm24' | 'float32';

const BYTES: Readonly<Record<WavKind, number>> = { pcm8: 1, pcm16: 2, pcm24: 3, float32: 4 };

/** A WAV file. `channels` are of one length, their samples −1 to 1. */
export function wavBytes(kind: WavKind, sampleRateHz: number, channels: readonly Float64Array[]): Uint8Array {
  const block = BYTES[kind] * channels.length;
  const samples = channels[0]!.length;
  const bytes = Buffer.alloc(44 + samples * block);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(kind === 'float32' ? 3 : 1, 20);
  bytes.writeUInt16LE(channels.length, 22);
  bytes.writeUInt32LE(sampleRateHz, 24);
  bytes.writeUInt32LE(sampleRateHz * block, 28);
  bytes.writeUInt16LE(block, 32);
  bytes.writeUInt16LE(8 * BYTES[kind], 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples * block, 40);
  let at = 44;
  for (let n = 0; n < samples; n += 1) {
    for (const channel of channels) {
      writeSample(bytes, at, kind, channel[n]!);
      at += BYTES[kind];
    }
  }
  return bytes;
}

function writeSample(bytes: Buffer, at: number, kind: WavKind, value: number): void {
  switch (kind) {
    case 'pcm8':
      bytes.writeUInt8(Math.round(value * 127) + 128, at);
      break;
    case 'pcm16':
      bytes.writeInt16LE(Math.round(value * 32_767), at);
      break;
    case 'pcm24':
      bytes.writeIntLE(Math.round(value * 8_388_607), at, 3);
      break;
    case 'float32':
      bytes.writeFloatLE(value, at);
  }
}

/**
 * A sound that never repeats itself, so that a shift shows: a sweep from 200 to 2500 Hz in each second, louder and softer.
 * Far enough below half of every rate in use to be the same sound at all of them.
 */
export function sweep(sampleRateHz: number, seconds: number, level = 0.5): Float64Array {
  return Float64Array.from({ length: Math.round(sampleRateHz * seconds) }, (_, n) => {
    const time = n / sampleRateHz;
    const within = time % 1;
    const phase = 2 * Math.PI * (200 * within + 1150 * within ** 2);
    return level * (0.6 + 0.4 * Math.sin(2 * Math.PI * 1.7 * time)) * Math.sin(phase);
  });
}

/** `sound` as 16 bit. */
export function int16Of(sound: Float64Array): Int16Array {
  return Int16Array.from(sound, (value) => Math.round(value * 32_767));
}

/** How alike two sounds are at this shift of the second: 1 is the same, up to the level. */
export function likeness(a: ArrayLike<number>, b: ArrayLike<number>, shift = 0): number {
  let [cross, energyA, energyB] = [0, 0, 0];
  for (let n = 0; n < a.length; n += 1) {
    const other = b[n + shift] ?? 0;
    cross += a[n]! * other;
    energyA += a[n]! ** 2;
    energyB += other ** 2;
  }
  return cross / Math.sqrt(energyA * energyB + 1);
}
