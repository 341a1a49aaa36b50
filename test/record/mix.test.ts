/** The mix: a sum, held at the limits of 16 bit, of tracks of any length. */

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { exportWav } from '../../record/export_wav.js';
import { addPcm, mixTracks, saturate } from '../../record/mix.js';
import { WavWriter } from '../../record/wav_writer.js';
import { readWav, wavHeader } from '../../voice/wav.js';
import { SEED, SeededRandom } from '../kit/random.js';

function samplesOf(path: string): number[] {
  const wav = readWav(readFileSync(path));
  if (wav.kind === 'malformed') throw new Error(wav.reason);
  return [...wav.samplesInt16()];
}

/** Writes each track to its own WAV; returns the paths. */
function tracksIn(folder: string, tracks: readonly (readonly number[] | Int16Array)[]): string[] {
  return tracks.map((samples, at) => {
    const path = join(folder, `track${at}.wav`);
    writeFileSync(path, exportWav(Int16Array.from(samples), 24_000));
    return path;
  });
}

t.test('tracks are summed, and shorter ones end in silence', async (t) => {
  const folder = t.testdir();
  const output = join(folder, 'mix.wav');
  const result = await mixTracks(tracksIn(folder, [[1, 2, 3, 4], [10, -20], []]), output);
  t.same(result, { path: output, sampleRateHz: 24_000, samples: 4, clippedSamples: 0 });
  t.same(samplesOf(output), [11, -18, 3, 4]);
});

t.test('a sum beyond 16 bit is clipped and counted', async (t) => {
  const folder = t.testdir();
  const output = join(folder, 'mix.wav');
  const loud = [32767, -32768, 30000, -32768, 32767];
  const { clippedSamples } = await mixTracks(
    tracksIn(folder, [loud, [1, -1, 2767, 0, 0], [0, 0, 0, 0, -1]]),
    output,
  );
  t.same(samplesOf(output), [32767, -32768, 32767, -32768, 32766]);
  t.equal(clippedSamples, 2);
});

t.test('tracks of many blocks mix as their sum does', async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const folder = t.testdir();
  const tracks = [100_000, 32_768, 65_537, 1].map((samples) =>
    Int16Array.from({ length: samples }, () => random.below(40_000) - 20_000),
  );
  const output = join(folder, 'mix.wav');
  const { samples, clippedSamples } = await mixTracks(tracksIn(folder, tracks), output);
  t.equal(samples, 100_000);
  let clipped = 0;
  const wrong = samplesOf(output).findIndex((value, at) => {
    const sum = tracks.reduce((total, track) => total + (track[at] ?? 0), 0);
    const held = Math.max(-32768, Math.min(32767, sum));
    if (held !== sum) clipped += 1;
    return value !== held;
  });
  t.equal(wrong, -1);
  t.ok(clipped > 0);
  t.equal(clippedSamples, clipped);
});

t.test('adding and clipping agree with arithmetic', async (t) => {
  t.comment(`seed ${SEED}`);
  const pcm = fc.int16Array({ minLength: 8, maxLength: 8 });
  const holds = fc.property(fc.array(pcm, { maxLength: 12 }), (tracks) => {
    const sums = new Int32Array(8);
    for (const track of tracks)
      addPcm(sums, new Uint8Array(track.buffer, track.byteOffset, track.byteLength));
    const out = new Int16Array(8);
    const clipped = saturate(sums, out);
    const exact = Array.from({ length: 8 }, (_, at) => tracks.reduce((sum, track) => sum + track[at]!, 0));
    const held = exact.map((sum) => Math.max(-32768, Math.min(32767, sum)));
    return (
      clipped === exact.filter((sum, at) => sum !== held[at]).length &&
      out.every((value, at) => value === held[at])
    );
  });
  fc.assert(holds, { seed: SEED, numRuns: 1000 });
});

t.test('a recording whose writer was killed is mixed as far as its header tells', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'killed.wav');
  writeFileSync(
    path,
    Buffer.concat([wavHeader(24_000, 4), new Uint8Array(Int16Array.of(1, 2, 9, 9).buffer)]),
  );
  const output = join(folder, 'mix.wav');
  await mixTracks([path], output);
  t.same(samplesOf(output), [1, 2]);
});

t.test('silence in a mix takes no space on the disk', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'quiet.wav');
  const writer = await WavWriter.create(path, { sampleRateHz: 24_000 });
  writer.writeAt(600 * 24_000, Int16Array.of(1));
  await writer.close();
  const output = join(folder, 'mix.wav');
  await mixTracks([path], output);
  const of = (file: string) => statSync(file).blocks * 512;
  t.equal(statSync(output).size, statSync(path).size);
  if (of(path) > 1_000_000) t.pass('not tried', { skip: 'this file system has no holes in files' });
  else t.ok(of(output) < 200_000, `${of(output)} bytes are on the disk`);
});

t.test('the sound of a track may begin behind a header of any length', async (t) => {
  const plain = Buffer.from(exportWav(Int16Array.of(1, 2, 3), 24_000));
  const notes = Buffer.alloc(200_008);
  notes.write('LIST', 0);
  notes.writeUInt32LE(200_000, 4);
  const folder = t.testdir({
    'notes.wav': Buffer.concat([plain.subarray(0, 36), notes, plain.subarray(36)]),
  });
  const output = join(folder, 'mix.wav');
  await mixTracks([join(folder, 'notes.wav')], output);
  const mixed = readWav(readFileSync(output));
  if (mixed.kind === 'malformed') throw new Error(mixed.reason);
  t.same([...mixed.samplesInt16()], [1, 2, 3]);
});

t.test('an input that cannot be mixed is named, and no mix is left', async (t) => {
  const folder = t.testdir({
    'text.wav': 'hello, I am a text',
    'stereo.wav': Buffer.from(exportWav(new Int16Array(8), 24_000))
      .fill(2, 22, 23)
      .fill(4, 32, 33),
    'fast.wav': Buffer.from(exportWav(new Int16Array(8), 48_000)),
    'good.wav': Buffer.from(exportWav(new Int16Array(8), 24_000)),
  });
  const output = join(folder, 'mix.wav');
  const path = (name: string) => join(folder, name);
  const table: [inputs: string[], code: string, message: string][] = [
    [
      ['good.wav', 'text.wav'],
      'ERR_HOTMIC_WAV',
      `${path('text.wav')}: not RIFF: it starts with 'hell' (at byte 0)`,
    ],
    [['stereo.wav'], 'ERR_HOTMIC_WAV', `${path('stereo.wav')}: pcm16 of 2 channels, expected pcm16 of 1`],
    [
      ['good.wav', 'fast.wav'],
      'ERR_HOTMIC_SAMPLE_RATE',
      `${path('fast.wav')}: 48000 Hz, expected 24000 Hz like ${path('good.wav')}`,
    ],
    [
      ['good.wav', 'missing.wav'],
      'ERR_HOTMIC_FILE',
      `Cannot read track ${path('missing.wav')}: it does not exist (ENOENT)`,
    ],
  ];
  for (const [inputs, code, message] of table) {
    await t.rejects(mixTracks(inputs.map(path), output), { code, message }, inputs.join(' and '));
    t.notOk(existsSync(output), 'no mix is left');
  }
  await t.rejects(mixTracks([], output), { name: 'RangeError' }, 'nothing to mix');
  await t.rejects(mixTracks(new Array(257).fill(path('good.wav')), output), { name: 'RangeError' });
});

t.test('a mix never overwrites an existing file, least of all its own input', async (t) => {
  const folder = t.testdir();
  const [path] = tracksIn(folder, [[1, 2, 3]]) as [string];
  await t.rejects(mixTracks([path], path), { code: 'ERR_HOTMIC_FILE', message: 'EEXIST' });
  t.same(samplesOf(path), [1, 2, 3]);
});
