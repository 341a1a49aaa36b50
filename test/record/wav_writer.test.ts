/** The live writer: what it writes where, in how many writes, and what the header says at each moment. */

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { MAX_WAV_SAMPLES, WavWriter } from '../../record/wav_writer.js';
import { readWav } from '../../voice/wav.js';
import { SEED } from '../kit/random.js';
import { gate, StandInFile } from './stand_in_file.js';

function samplesOf(bytes: Uint8Array): number[] {
  const wav = readWav(bytes);
  if (wav.kind === 'malformed') throw new Error(wav.reason);
  return [...wav.samplesInt16()];
}

async function writerOver(file: StandInFile, options = {}): Promise<WavWriter> {
  return WavWriter.create('stand-in.wav', { sampleRateHz: 24_000, openFile: async () => file, ...options });
}

t.test('a new recording is an empty WAV', async (t) => {
  const path = join(t.testdir(), 'a.wav');
  const writer = await WavWriter.create(path, { sampleRateHz: 48_000 });
  const wav = readWav(readFileSync(path));
  t.match(wav, { kind: 'wav', samples: 0, sampleRateHz: 48_000 });
  await writer.close();
  t.equal(statSync(path).size, 44);
});

t.test('PCM goes where it belongs, and a gap is silence', async (t) => {
  const path = join(t.testdir(), 'a.wav');
  const writer = await WavWriter.create(path, { sampleRateHz: 24_000 });
  t.equal(writer.writeAt(5, Int16Array.of(-1, 2)), true);
  t.equal(writer.writeAt(2, Int16Array.of(7)), true);
  t.equal(writer.writeAt(9, new Int16Array(0)), true);
  t.equal(writer.samples, 7);
  await writer.close();
  t.same(samplesOf(readFileSync(path)), [0, 0, 7, 0, 0, -1, 2]);
});

t.test('PCM is copied when it is accepted', async (t) => {
  const file = new StandInFile();
  const writer = await writerOver(file);
  const pcm = Int16Array.of(1, 2, 3);
  writer.writeAt(0, pcm);
  writer.writeAt(3, pcm.subarray(1, 2));
  pcm.fill(99);
  await writer.flush();
  t.same(samplesOf(file.bytes), [1, 2, 3, 2]);
});

t.test('the final length is reached by silence, on every track alike', async (t) => {
  const folder = t.testdir();
  for (const [name, samples] of [
    ['short', 3],
    ['empty', 0],
    ['whole', 10],
  ] as const) {
    const path = join(folder, `${name}.wav`);
    const writer = await WavWriter.create(path, { sampleRateHz: 24_000 });
    writer.writeAt(0, new Int16Array(samples).fill(4));
    await writer.close(10);
    t.equal(writer.samples, 10, name);
    t.equal(statSync(path).size, 64, name);
    t.same(
      samplesOf(readFileSync(path)),
      Array.from({ length: 10 }, (_, at) => (at < samples ? 4 : 0)),
      name,
    );
  }
});

t.test('hours of silence take no space on the disk', async (t) => {
  const path = join(t.testdir(), 'a.wav');
  const writer = await WavWriter.create(path, { sampleRateHz: 24_000 });
  const tenHours = 10 * 3600 * 24_000;
  writer.writeAt(tenHours, Int16Array.of(1));
  await writer.close(2 * tenHours);
  const { size, blocks } = statSync(path);
  t.equal(size, 44 + 4 * tenHours);
  if (blocks * 512 > size / 2) {
    t.pass('not tried', { skip: 'this file system has no holes in files' });
    return;
  }
  t.ok(blocks * 512 < 100_000, `${blocks * 512} bytes of ${size} are on the disk`);
});

t.test('frames are gathered to one write of a quarter of a second, and its header', async (t) => {
  const file = new StandInFile();
  const writer = await writerOver(file);
  t.equal(file.writes.length, 1, 'the empty header');
  for (let at = 0; at < 12; at++) writer.writeAt(at * 480, new Int16Array(480).fill(at));
  t.equal(file.writes.length, 1, '240 ms wait');
  writer.writeAt(12 * 480, new Int16Array(480));
  await writer.flush();
  t.same(file.writes.slice(1), [
    { position: 44, length: 13 * 960 },
    { position: 0, length: 44 },
  ]);
});

t.test('the header never claims more than the file has, and after a flush no less', async (t) => {
  t.comment(`seed ${SEED}`);
  const step = fc.record({ gap: fc.nat(3000), samples: fc.nat(1500), flush: fc.boolean() });
  const holds = fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(700), async (steps, mostBytes) => {
    const file = new StandInFile();
    file.mostBytes = mostBytes + 1;
    const write = file.write.bind(file);
    let honest = true;
    file.write = async (...args) => {
      const written = await write(...args);
      if (file.bytes.length >= 44 && file.bytes.readUInt32LE(40) + 44 > file.bytes.length) honest = false;
      return written;
    };
    const writer = await writerOver(file, { batchSamples: 1000 });
    const expected: number[] = [];
    for (const { gap, samples, flush } of steps) {
      const position = expected.length + (samples > 0 ? gap : 0);
      while (expected.length < position) expected.push(0);
      const pcm = Int16Array.from({ length: samples }, (_, at) => position + at);
      for (const value of pcm) expected.push(value);
      writer.writeAt(position, pcm);
      if (flush) {
        await writer.flush();
        if (file.bytes.length !== 44 + 2 * expected.length) return false;
      }
    }
    await writer.close();
    const same = samplesOf(file.bytes).every((value, at) => value === (expected[at]! << 16) >> 16);
    return honest && same && file.bytes.length === 44 + 2 * expected.length && file.closed === 1;
  });
  await fc.assert(holds, { seed: SEED, numRuns: 100 });
});

t.test('PCM that comes while a write is under way is in the next one', async (t) => {
  const file = new StandInFile();
  const writer = await writerOver(file);
  const { shut, open } = gate();
  file.gate = shut;
  writer.writeAt(0, Int16Array.of(1));
  const first = writer.flush();
  writer.writeAt(1, Int16Array.of(2));
  const second = writer.flush();
  open();
  await Promise.all([first, second]);
  t.same(samplesOf(file.bytes), [1, 2]);
});

t.test(
  'a flush writes everything accepted before it, at whatever moment of another flush it comes',
  async (t) => {
    for (let turns = 0; turns < 30; turns++) {
      const file = new StandInFile();
      const writer = await writerOver(file);
      writer.writeAt(0, Int16Array.of(1));
      const first = writer.flush();
      for (let turn = 0; turn < turns; turn++) await null;
      writer.writeAt(1, Int16Array.of(2));
      await writer.flush();
      t.same(samplesOf(file.bytes), [1, 2], `${turns} turns later`);
      await first;
    }
  },
);

t.test('a started writer accepts PCM before its file is open', async (t) => {
  const file = new StandInFile();
  const { shut, open } = gate();
  const writer = WavWriter.start('stand-in.wav', {
    sampleRateHz: 24_000,
    openFile: () => shut.then(() => file),
  });
  t.equal(writer.writeAt(0, Int16Array.of(1, 2)), true);
  open();
  await writer.close();
  t.same(samplesOf(file.bytes), [1, 2]);
});

t.test('an existing file is refused, or replaced if requested', async (t) => {
  const path = join(t.testdir({ 'a.wav': 'precious' }), 'a.wav');
  const refused = WavWriter.create(path, { sampleRateHz: 24_000 });
  await t.rejects(refused, {
    code: 'ERR_HOTMIC_FILE',
    message: `Cannot create recording ${path}: it already exists (EEXIST)`,
  });
  t.equal(readFileSync(path, 'utf8'), 'precious');
  const writer = await WavWriter.create(path, { sampleRateHz: 24_000, existing: 'replace' });
  await writer.close();
  t.equal(statSync(path).size, 44);
});

t.test('misuse throws at once', async (t) => {
  const path = join(t.testdir(), 'a.wav');
  for (const options of [
    { sampleRateHz: 1 },
    { sampleRateHz: 24_000, maxPendingBytes: 0 },
    { sampleRateHz: 24_000, batchSamples: 0.5 },
  ]) {
    await t.rejects(WavWriter.create(path, options), { name: 'RangeError' });
  }
  const writer = await WavWriter.create(path, { sampleRateHz: 24_000 });
  for (const position of [-1, 0.5, Number.NaN, 2 ** 60]) {
    t.throws(
      () => writer.writeAt(position, Int16Array.of(1)),
      { name: 'RangeError' },
      `position ${position}`,
    );
  }
  writer.writeAt(0, Int16Array.of(1, 2));
  for (const samples of [1, 2.5, MAX_WAV_SAMPLES + 1]) {
    await t.rejects(writer.close(samples), { name: 'RangeError' }, `closing at ${samples}`);
  }
  t.equal(writer.writeAt(2, Int16Array.of(3)), true, 'a close that was refused closes nothing');
  const closing = writer.close();
  t.equal(writer.close(), closing, 'a second close is the first');
  await closing;
  t.throws(() => writer.writeAt(3, Int16Array.of(1)), { code: 'ERR_HOTMIC_CLOSED' });
  t.equal(samplesOf(readFileSync(path)).length, 3);
  writeFileSync(path, '');
});
