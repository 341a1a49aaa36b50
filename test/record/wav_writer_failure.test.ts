/** The live writer when the disk is full, slow, broken or missing: what is kept, and how it is reported. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { MAX_WAV_SAMPLES, WavWriter } from '../../record/wav_writer.js';
import type { HotmicError } from '../../voice/error.js';
import { readWav } from '../../voice/wav.js';
import { gate, StandInFile, systemError } from './stand_in_file.js';

const PATH = 'stand-in.wav';

function lengthOf(bytes: Uint8Array): number {
  const wav = readWav(bytes);
  if (wav.kind === 'malformed') throw new Error(wav.reason);
  return wav.samples;
}

async function writerOver(file: StandInFile, options = {}) {
  const errors: HotmicError[] = [];
  const onError = (error: HotmicError) => errors.push(error);
  const openFile = async () => file;
  const writer = await WavWriter.create(PATH, { sampleRateHz: 24_000, openFile, onError, ...options });
  return { writer, errors };
}

t.test('a disk that fills leaves what fitted, playable, and says so for good', async (t) => {
  const file = new StandInFile();
  file.room = 44 + 2 * 700 + 1;
  const { writer, errors } = await writerOver(file);
  writer.writeAt(0, new Int16Array(480));
  await writer.flush();
  t.equal(writer.failed, null);
  writer.writeAt(480, new Int16Array(480));
  const full = {
    code: 'ERR_HOTMIC_DISK_FULL',
    message: `Cannot write recording ${PATH}: the disk is full (ENOSPC: no space left on device, write)`,
  };
  await t.rejects(writer.flush(), full);
  t.match(writer.failed, full);
  t.equal(errors.length, 1, 'onError is called once');
  t.equal(lengthOf(file.bytes), 700, 'the header counts every whole sample that fitted');
  t.equal(file.bytes.length, 44 + 2 * 700, 'and the file ends with it');
  t.equal(writer.samples, 700);
  t.equal(writer.refusedSamples, 480, 'what was waiting is counted');

  t.equal(writer.writeAt(960, new Int16Array(480)), false, 'later PCM is refused');
  t.equal(writer.refusedSamples, 960);
  await t.rejects(writer.flush(), full, 'the error stays');
  await t.rejects(writer.close(5000), full, 'to the end');
  t.equal(lengthOf(file.bytes), 700, 'and nothing is added');
  t.equal(file.closed, 1, 'but the file is closed');
});

t.test('a background write that fails is no unhandled rejection', async (t) => {
  const file = new StandInFile();
  const { writer, errors } = await writerOver(file, { batchSamples: 1 });
  file.broken = systemError('EIO', 'i/o error, write');
  writer.writeAt(0, Int16Array.of(1));
  await new Promise((resolve) => setImmediate(resolve));
  t.match(errors, [
    { code: 'ERR_HOTMIC_FILE', message: `Cannot write recording ${PATH}: EIO: i/o error, write` },
  ]);
  await t.rejects(writer.close(), { code: 'ERR_HOTMIC_FILE' });
});

t.test('a slow disk is reported, and the accepted PCM is still written', async (t) => {
  const file = new StandInFile();
  const { writer } = await writerOver(file, { maxPendingBytes: 2000, batchSamples: 400 });
  const { shut, open } = gate();
  file.gate = shut;
  t.equal(writer.writeAt(0, new Int16Array(500)), true);
  t.equal(writer.writeAt(500, new Int16Array(500)), true, '2000 bytes wait, those being written included');
  t.equal(writer.writeAt(1000, Int16Array.of(1)), false);
  t.match(writer.failed, {
    code: 'ERR_HOTMIC_DISK_BEHIND',
    message: `Cannot go on recording to ${PATH}: 2002 bytes are waiting for the disk, expected at most 2000`,
  });
  t.equal(writer.refusedSamples, 1);
  open();
  await t.rejects(writer.close(1200), { code: 'ERR_HOTMIC_DISK_BEHIND' });
  t.equal(lengthOf(file.bytes), 1200, 'padded like every other track');
});

t.test('a WAV ends at 4 GiB', async (t) => {
  const file = new StandInFile();
  const { writer } = await writerOver(file);
  writer.writeAt(0, Int16Array.of(1));
  t.equal(writer.writeAt(MAX_WAV_SAMPLES - 1, Int16Array.of(1, 2)), false);
  t.match(writer.failed, {
    code: 'ERR_HOTMIC_WAV_FULL',
    message: `expected at most ${MAX_WAV_SAMPLES} (4 GiB)`,
  });
  await t.rejects(writer.close(), { code: 'ERR_HOTMIC_WAV_FULL' });
  t.equal(lengthOf(file.bytes), 1);
});

t.test('the last sample below 4 GiB can be written', async (t) => {
  const path = join(t.testdir(), 'a.wav');
  const writer = await WavWriter.create(path, { sampleRateHz: 24_000 });
  writer.writeAt(MAX_WAV_SAMPLES - 1, Int16Array.of(7));
  try {
    await writer.close();
  } catch (thrown) {
    if (/EFBIG|ENOSPC/.test(String(thrown))) {
      t.pass('not tried', { skip: `this file system has no files of 4 GiB: ${thrown}` });
      return;
    }
    throw thrown;
  }
  const file = await open(path);
  const header = Buffer.alloc(44);
  await file.read(header, 0, 44, 0);
  await file.close();
  t.equal(header.readUInt32LE(40), 2 * MAX_WAV_SAMPLES);
  t.equal(header.readUInt32LE(4), 2 * MAX_WAV_SAMPLES + 36);
});

t.test('a file that writes nothing and reports no error does not hang the writer', async (t) => {
  const file = new StandInFile();
  const { writer } = await writerOver(file);
  file.write = async () => ({ bytesWritten: 0 });
  writer.writeAt(0, Int16Array.of(1));
  await t.rejects(writer.close(), { code: 'ERR_HOTMIC_FILE' });
});

t.test('an error in closing is reported', async (t) => {
  const file = new StandInFile();
  const { writer } = await writerOver(file);
  writer.writeAt(0, Int16Array.of(1));
  file.close = async () => {
    throw systemError('EIO', 'i/o error, close');
  };
  await t.rejects(writer.close(), { code: 'ERR_HOTMIC_FILE', message: 'EIO: i/o error, close' });
});

t.test('a disk on which not even the header fits fails at the start, and keeps no file open', async (t) => {
  const file = new StandInFile();
  file.room = 20;
  await t.rejects(writerOver(file), {
    code: 'ERR_HOTMIC_DISK_FULL',
    message: `Cannot create recording ${PATH}`,
  });
  t.equal(file.closed, 1);
});

t.test('a missing folder is named', async (t) => {
  const path = join(t.testdir(), 'missing', 'a.wav');
  const message = `Cannot create recording ${path}: it does not exist (ENOENT)`;
  await t.rejects(WavWriter.create(path, { sampleRateHz: 24_000 }), { code: 'ERR_HOTMIC_FILE', message });

  const writer = WavWriter.start(path, { sampleRateHz: 24_000 });
  t.equal(writer.writeAt(0, Int16Array.of(1)), true, 'a writer that is started learns it later');
  await t.rejects(writer.close(), { code: 'ERR_HOTMIC_FILE', message });
  t.equal(writer.samples, 0);
  t.equal(writer.refusedSamples, 1);
});

t.test('/dev/full is a full disk', async (t) => {
  const path = '/dev/full';
  const openFile = await open(path, 'r+').catch(() => null);
  if (!openFile) {
    t.pass('not tried', { skip: 'no /dev/full here' });
    return;
  }
  const created = WavWriter.create(path, { sampleRateHz: 24_000, openFile: async () => openFile });
  await t.rejects(created, { code: 'ERR_HOTMIC_DISK_FULL' });
});

t.test('a real disk that fills leaves a WAV that plays', async (t) => {
  const folder = t.testdir({ disk: {} });
  const disk = join(folder, 'disk');
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
  if (mounted.status !== 0) {
    t.pass('not tried', { skip: 'cannot mount a small disk: this needs root' });
    return;
  }
  try {
    const path = join(disk, 'a.wav');
    const writer = await WavWriter.create(path, { sampleRateHz: 24_000 });
    for (let at = 0; at < 100 && writer.failed === null; at++) {
      writer.writeAt(at * 2400, new Int16Array(2400).fill(at + 1));
      await writer.flush().catch(() => {});
    }
    await t.rejects(writer.close(), { code: 'ERR_HOTMIC_DISK_FULL' });
    const bytes = readFileSync(path);
    const wav = readWav(bytes);
    if (wav.kind === 'malformed') throw new Error(wav.reason);
    t.equal(bytes.length, 44 + 2 * wav.samples, 'the header tells the length of the file');
    t.ok(wav.samples > 30_000, `${wav.samples} samples play`);
    t.equal(wav.samples, writer.samples);
    t.ok(
      wav.samplesInt16().every((value, at) => value === Math.floor(at / 2400) + 1),
      'each as recorded',
    );
  } finally {
    spawnSync('umount', [disk]);
  }
});
