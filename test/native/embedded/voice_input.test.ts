/** What the embedded Steam hears from: WAV files of all kinds, pipes, tones; always mono at 24 kHz and never waiting. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { EmbeddedSteam } from '../../../native/embedded/steam.js';
import {
  openVoiceInput,
  readClip,
  type VoiceInput,
  type VoiceInputOptions,
} from '../../../native/embedded/voice_input.js';
import { opusFrames, readPacket } from '../../../voice/packet.js';
import { VoiceResult } from '../../../voice/voice_result.js';
import { loadCodec } from '../../../wasm/load.js';
import { SEED, SeededRandom } from '../../kit/random.js';
import { pcmOfWav } from '../../kit/speech.js';
import { loudSeconds, tonePcm } from '../../kit/tone.js';
import { int16Of, likeness, sweep, wavBytes } from '../../kit/wav_bytes.js';

loadCodec();

const SECONDS = 2.5;
const SAID = int16Of(sweep(24_000, SECONDS));
/** A frame of 20 ms. */
const FRAME = 480;

t.test('a mono 16-bit WAV of 24 kHz is recorded sample for sample', async (t) => {
  const ada = pcmOfWav('examples/speech/ada.wav');
  const input = open(t, { kind: 'wav', path: 'examples/speech/ada.wav' });
  t.strictSame(readSome(input, ada.length), ada);
});

t.test('the right channel of a stereo WAV can be selected; for a mono one that is refused', async (t) => {
  const [left, right] = [sweep(24_000, 1), sweep(24_000, 1, 0.25)];
  const folder = t.testdir({
    'two.wav': Buffer.from(wavBytes('pcm16', 24_000, [left, right])),
    'one.wav': Buffer.from(wavBytes('pcm16', 24_000, [left])),
  });
  const input = open(t, { kind: 'wav', path: join(folder, 'two.wav'), channel: 'right' });
  t.strictSame(readSome(input, right.length), int16Of(right));
  t.throws(() => readClip(join(folder, 'one.wav'), 'right'), {
    code: 'ERR_HOTMIC_WAV',
    message: /Cannot read the right channel of .*one\.wav: it is mono, expected 2 channels or more/,
  });
});

t.test('a WAV can come through a pipe of unknown length', pipes(), async (t) => {
  const folder = t.testdir();
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const sound = int16Of(sweep(24_000, 3));
  const wav = Buffer.from(wavBytes('pcm16', 24_000, [sweep(24_000, 3)])).fill(0xff, 40, 44);
  const file = join(folder, 'sound.wav');
  writeFileSync(file, wav);
  const writer = spawn('cp', [file, pipe]);
  t.strictSame(readClip(pipe), sound);
  await once(writer, 'close');
});

t.test('a WAV of any rate, width and channels comes out at 24 kHz, in step with the original', async (t) => {
  // The delay that the resampler is freed of is a whole number of samples: up to half a sample is left.
  const alike = 0.985;
  for (const rate of [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]) {
    for (const kind of ['pcm8', 'pcm16', 'pcm24', 'float32'] as const) {
      for (const channels of [1, 2]) {
        const sound = sweep(rate, SECONDS);
        const path = fileOf(t, wavBytes(kind, rate, new Array(channels).fill(sound)));
        const clip = readClip(path);
        const name = `${rate} Hz, ${kind}, ${channels} channels`;
        t.ok(Math.abs(clip.length - SAID.length) <= FRAME, `${name}: ${clip.length} samples`);
        const inStep = likeness(SAID, clip);
        t.ok(inStep > alike, `${name}: likeness ${inStep}`);
        t.ok(
          inStep > likeness(SAID, clip, 1) && inStep > likeness(SAID, clip, -1),
          `${name}: not a sample off`,
        );
      }
    }
  }
});

t.test('the last samples of a resampled WAV are there', async (t) => {
  for (const rate of [8000, 44_100, 48_000]) {
    const clip = readClip(fileOf(t, wavBytes('pcm16', rate, [sweep(rate, SECONDS)])));
    const last = clip.subarray(SAID.length - FRAME, SAID.length);
    t.ok(likeness(SAID.subarray(SAID.length - FRAME), last) > 0.99, `${rate} Hz`);
  }
});

t.test('the two channels of a stereo WAV are averaged', async (t) => {
  const left = sweep(24_000, 1);
  const path = fileOf(t, wavBytes('pcm16', 24_000, [left, left.map((value) => -value / 2)]));
  t.ok(readClip(path).every((sample, at) => Math.abs(sample - (left[at]! * 32_767) / 4) <= 1));
});

t.test('a resampled WAV at full level saturates and does not wrap around', async (t) => {
  const square = Float64Array.from({ length: 48_000 }, (_, n) => (n % 480 < 240 ? 1 : -1));
  const clip = readClip(fileOf(t, wavBytes('float32', 48_000, [square])));
  // Ringing at the edges goes over full level; a sample that wrapped would jump by twice of it.
  for (let n = 30; n < 24_000 - 30; n += 1) {
    const half = n % 240;
    if (half > 40 && half < 80 && clip[n]! < 20_000) t.fail(`sample ${n} is ${clip[n]}`);
    if (half > 160 && half < 200 && clip[n]! > -20_000) t.fail(`sample ${n} is ${clip[n]}`);
  }
});

t.test('after its end a WAV is like a silent microphone', async (t) => {
  const path = fileOf(t, wavBytes('pcm16', 24_000, [sweep(24_000, 0.1)]));
  const input = open(t, { kind: 'wav', path });
  t.equal(input.ended, false);
  const heard = readSome(input, 3000);
  t.strictSame(heard.subarray(0, 2400), SAID.subarray(0, 2400));
  t.ok(heard.subarray(2400).every((sample) => sample === 0));
  t.equal(input.ended, true);
  t.equal(input.read(new Int16Array(480).fill(9)), 480);
});

t.test('with loop a WAV starts again at its end', async (t) => {
  const path = fileOf(t, wavBytes('pcm16', 24_000, [sweep(24_000, 0.1)]));
  const input = open(t, { kind: 'wav', path, loop: true });
  const heard = readSome(input, 10_000, 479);
  t.ok(heard.every((sample, n) => sample === SAID[n % 2400]));
  t.equal(input.ended, false);
});

t.test('a WAV without a sample is silence, looped or not', async (t) => {
  const path = fileOf(t, wavBytes('pcm16', 24_000, [new Float64Array(0)]));
  for (const loop of [false, true]) {
    const input = open(t, { kind: 'wav', path, loop });
    t.equal(input.ended, true);
    t.strictSame(readSome(input, 100), new Int16Array(100));
  }
});

t.test('a file that is not a WAV is refused with its path and the reason', async (t) => {
  const table: [name: string, bytes: Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['text', Buffer.from('this is not a WAV, and has no samples')],
    ['a WAV cut short in its header', wavBytes('pcm16', 24_000, [sweep(24_000, 0.1)]).subarray(0, 30)],
    ['a rate of 1000', wavBytes('pcm16', 1000, [sweep(24_000, 0.1)])],
  ];
  for (const [name, bytes] of table) {
    const path = fileOf(t, bytes);
    const wanted = { code: 'ERR_HOTMIC_WAV', message: path };
    t.throws(() => openVoiceInput({ kind: 'wav', path }), wanted, name);
    t.throws(() => steamOf({ kind: 'wav', path }), wanted, name);
  }
});

t.test('a file that does not exist or cannot be read is refused with its path', async (t) => {
  const missing = join(t.testdir(), 'missing');
  for (const kind of ['wav', 'pcm'] as const) {
    for (const path of [missing, t.testdirName]) {
      t.throws(
        () => openVoiceInput({ kind, path }),
        { code: 'ERR_HOTMIC_INPUT', message: path },
        `${kind} ${path}`,
      );
    }
  }
});

t.test('a tone is loud four times a second, at its level, and never ends', async (t) => {
  const input = open(t, { kind: 'tone', level: 0.5 });
  const heard = readSome(input, 24_000);
  const peak = (from: number, to: number) =>
    heard.subarray(from, to).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  for (let quarter = 0; quarter < 4; quarter += 1) {
    const at = quarter * 6000;
    t.ok(peak(at + 2500, at + 3500) > 15_000 && peak(at + 2500, at + 3500) <= 16_384, 'swells');
    t.ok(peak(at, at + 100) < 500, 'fades');
  }
  t.equal(input.ended, false);
  for (const options of [{ frequencyHz: 0 }, { frequencyHz: 12_000 }, { level: -0.1 }, { level: 1.1 }]) {
    t.throws(() => openVoiceInput({ kind: 'tone', ...options }), RangeError);
  }
});

t.test('silence is zeros and never ends', async (t) => {
  const input = open(t, { kind: 'silence' });
  t.strictSame(readSome(input, 1000), new Int16Array(1000));
  t.equal(input.ended, false);
});

t.test('a plain file of PCM is read like a pipe', async (t) => {
  const path = fileOf(t, bytesOf(SAID));
  const input = open(t, { kind: 'pcm', path });
  t.strictSame(await readUntilEnd(input), SAID);
});

t.test('a pipe that nobody has opened for writing yet is waited for', pipes(), async (t) => {
  const { path } = pipe(t);
  const input = open(t, { kind: 'pcm', path });
  for (let n = 0; n < 50; n += 1) {
    await turn();
    t.equal(input.read(new Int16Array(480)), 0);
  }
  t.equal(input.ended, false);
  const writer = openWriter(t, path);
  writer.write(bytesOf(SAID.subarray(0, 480)));
  t.strictSame(await readExactly(input, 480), SAID.subarray(0, 480));
});

t.test('PCM from a pipe arrives complete, whatever pieces it is written in', pipes(), async (t) => {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const { path } = pipe(t);
  const input = open(t, { kind: 'pcm', path });
  const writer = openWriter(t, path);
  const bytes = bytesOf(SAID);
  const parts: Int16Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    // Odd lengths too, and single bytes: a sample may come in two pieces.
    const length = random.below(3) === 0 ? 1 : 1 + random.below(3000);
    const piece = bytes.subarray(at, at + length);
    at += piece.length;
    writer.write(piece);
    await turn();
    parts.push(readSome(input, 5000));
  }
  writer.close();
  parts.push(await readUntilEnd(input));
  t.strictSame(Int16Array.from(parts.flatMap((part) => [...part])), SAID);
  t.equal(input.ended, true);
  t.equal(input.read(new Int16Array(480).fill(9)), 480, 'and then it is a silent microphone');
});

t.test('PCM of another rate is resampled to 24 kHz', pipes(), async (t) => {
  for (const sampleRateHz of [16_000, 44_100, 48_000]) {
    const { path } = pipe(t);
    const input = open(t, { kind: 'pcm', path, sampleRateHz });
    const writer = openWriter(t, path);
    const parts: Int16Array[] = [];
    const bytes = bytesOf(int16Of(sweep(sampleRateHz, SECONDS)));
    for (let at = 0; at < bytes.length; at += 4001) {
      writer.write(bytes.subarray(at, at + 4001));
      await turn();
      parts.push(readSome(input, 5000));
    }
    writer.close();
    parts.push(await readUntilEnd(input));
    const heard = Int16Array.from(parts.flatMap((part) => [...part]));
    t.ok(Math.abs(heard.length - SAID.length) <= FRAME, `${sampleRateHz} Hz: ${heard.length} samples`);
    // A stream cannot look ahead: it lags by the resampler's delay, less than 3 ms and no whole number of samples.
    const best = Math.max(...Array.from({ length: 72 }, (_, lag) => likeness(SAID, heard, lag)));
    t.ok(best > 0.98, `${sampleRateHz} Hz: likeness ${best}`);
  }
});

t.test('a pipe faster than real time is read a little ahead and then has to wait', pipes(), async (t) => {
  const { path } = pipe(t);
  const input = open(t, { kind: 'pcm', path });
  const writer = openWriter(t, path);
  const chunk = new Uint8Array(4096);
  const push = async () => {
    let accepted = 0;
    // 200 turns of the event loop without a byte taken: whoever reads has stopped.
    for (let idle = 0; idle < 200 && accepted < 20e6; idle += 1) {
      for (let took = writer.write(chunk); took > 0; took = writer.write(chunk)) {
        accepted += took;
        idle = 0;
      }
      await turn();
    }
    return accepted;
  };
  const ahead = await push();
  t.ok(ahead >= 48_000, `${ahead} bytes: a second is there`);
  t.ok(ahead < 512 * 1024, `${ahead} bytes: the pipe’s own memory, and a bounded amount besides`);
  for (let second = 0; second < 20; second += 1) {
    t.equal(readSome(input, 24_000).length, 24_000);
    const more = await push();
    t.ok(more < 512 * 1024, `second ${second}: ${more} more bytes`);
  }
  t.equal(input.ended, false);
});

t.test('a pipe that is not live keeps what was said before key-down', pipes(), async (t) => {
  const { path } = pipe(t);
  const input = open(t, { kind: 'pcm', path });
  const writer = openWriter(t, path);
  writer.write(bytesOf(SAID.subarray(0, 1000)));
  t.strictSame(await readExactly(input, 1), SAID.subarray(0, 1));
  input.begin();
  t.strictSame(await readExactly(input, 999), SAID.subarray(1, 1000));
});

t.test('a live pipe drops what came before key-down', pipes(), async (t) => {
  const { path } = pipe(t);
  const input = open(t, { kind: 'pcm', path, live: true });
  const writer = openWriter(t, path);
  for (let press = 0; press < 3; press += 1) {
    // Up to 4096 bytes go into a pipe in one piece: when the first sample is there, all are.
    writer.write(bytesOf(SAID.subarray(0, 2000)));
    t.strictSame(await readExactly(input, 1), SAID.subarray(0, 1));
    input.begin();
    t.equal(input.read(new Int16Array(480)), 0);
    writer.write(bytesOf(SAID.subarray(5000, 5100)));
    t.strictSame(await readExactly(input, 100), SAID.subarray(5000, 5100));
  }
});

t.test('a live pipe is never made to wait, and keeps the newest second', pipes(), async (t) => {
  const { path } = pipe(t);
  const input = open(t, { kind: 'pcm', path, live: true });
  const writer = openWriter(t, path);
  const loud = bytesOf(SAID.subarray(0, 2048));
  let accepted = 0;
  while (accepted < 1e6) {
    accepted += writer.write(loud);
    await turn();
  }
  writer.close();
  for (let n = 0; n < 100; n += 1) await turn();
  const left = await readUntilEnd(input);
  t.ok(left.length >= 20_000 && left.length <= 24_000, `${left.length} samples`);
});

t.test('a pipe that stalls while a recording runs delays it', pipes(), async (t) => {
  const { path } = pipe(t);
  const { steam, clock } = steamOf({ kind: 'pcm', path });
  t.teardown(() => steam.close());
  const writer = openWriter(t, path);
  steam.startVoiceRecording();
  clock.now += 1000;
  t.equal(steam.getVoice().result, VoiceResult.VOICE_RESULT_NO_DATA);
  writer.write(bytesOf(SAID.subarray(0, 2000)));
  t.equal((await framesUntil(steam, 4)).length, 4, 'what has come is recorded');
  t.equal(steam.getVoice().result, VoiceResult.VOICE_RESULT_NO_DATA, 'and no silence is put between');
});

t.test('a pipe that stalls in the hangover does not keep the recording from its end', pipes(), async (t) => {
  for (const stalled of ['silent', 'gone'] as const) {
    const { path } = pipe(t);
    const { steam, clock } = steamOf({ kind: 'pcm', path });
    t.teardown(() => steam.close());
    const writer = openWriter(t, path);
    writer.write(bytesOf(SAID.subarray(0, 2000)));
    steam.startVoiceRecording();
    clock.now += 200;
    await framesUntil(steam, 4);
    steam.stopVoiceRecording();
    if (stalled === 'gone') writer.close();
    let frames = 0;
    let polls = 0;
    for (; steam.getAvailableVoice().result !== VoiceResult.VOICE_RESULT_NOT_RECORDING; polls += 1) {
      if (polls > 500) throw new Error('the recording does not end');
      clock.now += 10;
      frames += framesOf(steam.getVoice().buffer).length;
      await turn();
    }
    t.ok(frames >= 10 + 5, `${stalled}: ${frames} frames of hangover and silence`);
  }
});

t.test('a pipe whose writer is gone has ended when everything was read', pipes(), async (t) => {
  const { path } = pipe(t);
  const { steam, clock } = steamOf({ kind: 'pcm', path });
  t.teardown(() => steam.close());
  const writer = openWriter(t, path);
  writer.write(bytesOf(SAID.subarray(0, 1920)));
  writer.close();
  steam.startVoiceRecording();
  clock.now += 80;
  t.equal((await framesUntil(steam, 4)).length, 4);
  while (!steam.inputEnded) await turn();
  clock.now += 100;
  t.equal(framesOf(steam.getVoice().buffer).length, 5, 'the speaker has fallen silent');
});

t.test('after a long silence a pipe is not caught up on', pipes(), async (t) => {
  for (const live of [false, true]) {
    const { path } = pipe(t);
    const { steam, clock } = steamOf({ kind: 'pcm', path, live });
    t.teardown(() => steam.close());
    const writer = openWriter(t, path);
    steam.startVoiceRecording();
    for (let passed = 0; passed < 10_000; passed += 10) {
      clock.now += 10;
      t.equal(steam.getVoice().result, VoiceResult.VOICE_RESULT_NO_DATA);
    }
    t.equal(writer.write(bytesOf(tonePcm(0.9))), 43_200, 'goes into the pipe in one piece');
    // The clock stands still: this is all that is made up for.
    const burst = (await framesUntil(steam, 10)).length;
    for (let n = 0; n < 50; n += 1) await turn();
    t.equal(burst + framesOf(steam.getVoice().buffer).length, 10, `live ${live}: 200 ms at once`);
    const later: number[] = [];
    for (let passed = 0; passed < 600; passed += 20) {
      clock.now += 20;
      later.push(framesOf(steam.getVoice().buffer).length);
    }
    t.ok(
      later.every((frames) => frames === 1),
      `live ${live}: then 20 ms in 20 ms, and not ${later}`,
    );
  }
});

t.test('a pipe that comes in bursts of up to 200 ms keeps to the clock', pipes(), async (t) => {
  const { path } = pipe(t);
  const { steam, clock } = steamOf({ kind: 'pcm', path });
  t.teardown(() => steam.close());
  const writer = openWriter(t, path);
  steam.startVoiceRecording();
  let frames = 0;
  for (let burst = 1; burst <= 20; burst += 1) {
    for (let passed = 0; passed < 200; passed += 10) {
      clock.now += 10;
      frames += framesOf(steam.getVoice().buffer).length;
    }
    writer.write(bytesOf(tonePcm(0.2)));
    frames += (await framesUntil(steam, 10 * burst - frames)).length;
    t.equal(frames, 10 * burst, `${200 * burst} ms`);
  }
});

t.test('what a live pipe said while its reader was stopped is dropped', pipes(), async (t) => {
  const { path } = pipe(t);
  const sampleRateHz = 96_000;
  const { steam, clock } = steamOf({ kind: 'pcm', path, live: true, sampleRateHz });
  t.teardown(() => steam.close());
  const writer = openWriter(t, path);
  steam.startVoiceRecording();
  steam.getVoice();
  const said = bytesOf(tonePcm(0.2, 440, sampleRateHz));
  t.equal(writer.write(said), said.length);
  // As below: when these have gone in behind it, what was said has been read.
  let filler = new Uint8Array(64 * 1024);
  for (; filler.length > 0; await turn()) filler = filler.subarray(writer.write(filler));
  clock.now += 10_000;
  t.equal(steam.getVoice().result, VoiceResult.VOICE_RESULT_NO_DATA);
  t.equal(steam.skippedMs, 9000);
});

t.test('key-down in the closing silence drops what a live pipe has said since key-up', pipes(), async (t) => {
  const { path } = pipe(t);
  const sampleRateHz = 96_000;
  const { steam, clock } = steamOf({ kind: 'pcm', path, live: true, sampleRateHz });
  t.teardown(() => steam.close());
  const writer = openWriter(t, path);
  const packets: Uint8Array[] = [];
  const poll = (ms: number) => {
    clock.now += ms;
    const { result, buffer } = steam.getVoice();
    if (result === VoiceResult.VOICE_RESULT_OK) packets.push(buffer);
  };
  const loudOf = (some: readonly Uint8Array[]) =>
    some.reduce((sum, packet) => {
      const { uncompressed } = steam.decompressVoice(packet, 24_000, 200_000);
      return sum + loudSeconds(new Int16Array(uncompressed.buffer));
    }, 0);
  steam.startVoiceRecording();
  // Sound to the end of the hangover, so that the encoder takes its time to fall silent.
  writer.write(bytesOf(tonePcm(0.3, 440, sampleRateHz)));
  clock.now += 100;
  for (; packets.flatMap(framesOf).length < 5; await turn()) poll(0);
  steam.stopVoiceRecording();
  poll(240);
  t.equal(packets.flatMap(framesOf).length, 17, 'the hangover is over, the closing silence has begun');

  const meanwhile = bytesOf(tonePcm(0.2, 440, sampleRateHz));
  t.equal(writer.write(meanwhile), meanwhile.length);
  // A pipe holds 64 KiB at most: when these have gone in behind it, what was said has been read.
  let filler = new Uint8Array(64 * 1024);
  for (; filler.length > 0; await turn()) filler = filler.subarray(writer.write(filler));
  steam.startVoiceRecording();
  const from = packets.length;
  for (let n = 0; n < 30; n += 1) {
    await turn();
    poll(20);
  }
  t.ok(loudOf(packets.slice(0, from)) > 0.2);
  t.ok(loudOf(packets.slice(from)) <= 0.02, 'nothing of it is heard');

  writer.write(bytesOf(tonePcm(0.1, 440, sampleRateHz)));
  const said = packets.length;
  // The resampler keeps the last of the five frames back.
  for (; packets.slice(said).flatMap(framesOf).length < 4; await turn()) poll(20);
  t.ok(loudOf(packets.slice(said)) > 0.05, 'what is said now is');
  t.strictSame(
    packets.flatMap(framesOf).map(({ sequence }) => sequence),
    Array.from({ length: packets.flatMap(framesOf).length }, (_, sequence) => sequence),
    'in the same recording',
  );
});

/** Skips, loudly, where there are no named pipes. */
function pipes(): { skip: string | false } {
  try {
    execFileSync('mkfifo', ['--help'], { stdio: 'ignore' });
    return { skip: false };
  } catch (thrown) {
    const isMissing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    return { skip: isMissing ? 'there is no mkfifo on this machine' : false };
  }
}

let fileCount = 0;

function fileOf(t: Test, bytes: Uint8Array): string {
  fileCount += 1;
  const path = join(t.testdir(), `${fileCount}`);
  writeFileSync(path, bytes);
  return path;
}

function pipe(t: Test): { path: string } {
  fileCount += 1;
  const path = join(t.testdir(), `pipe-${fileCount}`);
  execFileSync('mkfifo', [path]);
  return { path };
}

/** The writing end of a pipe that somebody reads: writes what fits, at once, and says how much that was. */
function openWriter(t: Test, path: string) {
  let fd: number | null = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const close = () => {
    if (fd !== null) closeSync(fd);
    fd = null;
  };
  t.teardown(close);
  return {
    close,
    write(bytes: Uint8Array): number {
      if (fd === null) throw new Error('closed');
      try {
        return writeSync(fd, bytes);
      } catch (thrown) {
        if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EAGAIN') return 0;
        throw thrown;
      }
    },
  };
}

function open(t: Test, options: VoiceInputOptions): VoiceInput {
  const input = openVoiceInput(options);
  t.teardown(() => input.close());
  return input;
}

function steamOf(input: VoiceInputOptions) {
  const clock = { now: 0 };
  return { clock, steam: new EmbeddedSteam({ steamId: 1n, input }, () => clock.now) };
}

/** One turn of the event loop, in which pipes are read. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Reads what is there, up to `most`, in pieces of a frame. */
function readSome(input: VoiceInput, most: number, piece = FRAME): Int16Array {
  const out = new Int16Array(most);
  let filled = 0;
  while (filled < most) {
    const samples = input.read(out.subarray(filled, Math.min(most, filled + piece)));
    if (samples === 0) break;
    filled += samples;
  }
  return out.subarray(0, filled);
}

/** Reads until exactly `samples` have come. */
async function readExactly(input: VoiceInput, samples: number): Promise<Int16Array> {
  const out = new Int16Array(samples);
  for (let filled = 0; filled < samples; await turn()) filled += input.read(out.subarray(filled));
  return out;
}

/** Reads until the input has no more to give. */
async function readUntilEnd(input: VoiceInput): Promise<Int16Array> {
  const parts: number[] = [];
  const one = new Int16Array(1);
  while (!input.ended) {
    while (!input.ended && input.read(one) === 1) parts.push(one[0]!);
    await turn();
  }
  return Int16Array.from(parts);
}

function framesOf(bytes: Uint8Array) {
  const packet = readPacket(bytes);
  return packet.kind === 'packet' ? opusFrames(packet) : [];
}

/** Polls, in turns of the event loop, until `count` frames have come. */
async function framesUntil(steam: EmbeddedSteam, count: number) {
  const frames: ReturnType<typeof framesOf> = [];
  for (; frames.length < count; await turn()) frames.push(...framesOf(steam.getVoice().buffer));
  return frames;
}

function bytesOf(pcm: Int16Array): Uint8Array {
  const bytes = Buffer.alloc(pcm.length * 2);
  for (const [n, sample] of pcm.entries()) bytes.writeInt16LE(sample, 2 * n);
  return bytes;
}
