/** The embedded Steam as a game sees it: the class reference's functions, at the pace of an injected clock. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { EmbeddedSteam, type EmbeddedSteamOptions } from '../../../native/embedded/steam.js';
import { opusFrames, type Packet, readPacket } from '../../../voice/packet.js';
import { VoiceResult } from '../../../voice/voice_result.js';
import { codecMemoryBytes } from '../../../wasm/module.js';
import { DECOMPRESS_BUFFER_BYTES } from '../../../wasm/voice_decompressor.js';
import { frameOf, opusOp, packetOfOps, RATE_24K, sealPacket, u16Hex } from '../../kit/raw_packet.js';
import { compareSpeech, pcmOfWav } from '../../kit/speech.js';
import { wavBytes } from '../../kit/wav_bytes.js';

const OK = VoiceResult.VOICE_RESULT_OK;
const NOT_RECORDING = VoiceResult.VOICE_RESULT_NOT_RECORDING;
const NO_DATA = VoiceResult.VOICE_RESULT_NO_DATA;
const BUFFER_TOO_SMALL = VoiceResult.VOICE_RESULT_BUFFER_TOO_SMALL;
const DATA_CORRUPTED = VoiceResult.VOICE_RESULT_DATA_CORRUPTED;
const UNSUPPORTED_CODEC = VoiceResult.VOICE_RESULT_UNSUPPORTED_CODEC;

const STEAM_ID = 0x0110000100000001n;
const EMPTY = new Uint8Array(0);
const TONE = { kind: 'tone' } as const;
const CLOSING_SILENCE = packetOfOps(`${RATE_24K}00ee02`);

t.test(
  'the voice functions of the class reference are there, with their names, defaults and keys',
  async (t) => {
    const { steam } = game(t, { input: TONE });
    t.strictSame(steam.getAvailableVoice(), { result: NOT_RECORDING, buffer: 0 });
    t.strictSame(steam.getVoice(), { result: NOT_RECORDING, written: 0, buffer: EMPTY });
    t.strictSame(steam.decompressVoice(EMPTY, 24_000), {
      result: DATA_CORRUPTED,
      size: 0,
      uncompressed: EMPTY,
    });
    t.equal(steam.startVoiceRecording(), undefined);
    t.equal(steam.stopVoiceRecording(), undefined);
    t.equal(steam.getVoiceOptimalSampleRate(), 24_000);
    t.equal(steam.getSteamID(), STEAM_ID);
    t.equal(DECOMPRESS_BUFFER_BYTES, 20_480);
  },
);

t.test('before key-down it is not recording, then there is no data, then there is', async (t) => {
  const { steam, clock } = game(t, { input: TONE });
  clock.now += 500;
  t.equal(steam.getVoice().result, NOT_RECORDING, 'time alone records nothing');
  steam.startVoiceRecording();
  t.equal(steam.getVoice().result, NO_DATA);
  clock.now += 19;
  t.strictSame(steam.getAvailableVoice(), { result: NO_DATA, buffer: 0 });
  clock.now += 1;
  const available = steam.getAvailableVoice();
  t.equal(available.result, OK);
  const voice = steam.getVoice();
  t.equal(voice.result, OK);
  t.equal(voice.written, available.buffer, 'getAvailableVoice says the size');
  t.equal(voice.buffer.length, voice.written, 'and no tail is behind it');
  t.match(mustRead(voice.buffer), { steamIdLow: 1, steamIdHigh: 0x01100001 });
  t.strictSame(sequencesOf(voice.buffer), [0], 'what was before key-down is not in it');
  t.equal(steam.getVoice().result, NO_DATA);
});

t.test('key-down while it records changes nothing', async (t) => {
  const { steam, clock } = game(t, { input: TONE });
  steam.startVoiceRecording();
  clock.now += 40;
  steam.startVoiceRecording();
  t.strictSame(sequencesOf(steam.getVoice().buffer), [0, 1]);
  clock.now += 20;
  t.strictSame(sequencesOf(steam.getVoice().buffer), [2]);
});

t.test('sound comes at real-time pace, or faster or slower as the option says', async (t) => {
  for (const speed of [undefined, 1, 0.5, 3, 40]) {
    const { steam, poll } = game(t, { input: TONE, ...(speed === undefined ? {} : { speed }) });
    steam.startVoiceRecording();
    const frames = poll(1500, 17).flatMap(sequencesOf).length;
    // Whole frames of what is due at the last poll: 89 game frames of 17 ms.
    t.equal(frames, Math.floor((89 * 17 * (speed ?? 1)) / 20), `speed ${speed}`);
  }
});

t.test('a packet holds what was recorded since the last one, in groups of up to four frames', async (t) => {
  const { steam, clock } = game(t, { input: TONE });
  steam.startVoiceRecording();
  clock.now += 160;
  const packet = mustRead(steam.getVoice().buffer);
  t.strictSame(
    packet.ops.map((op) => (op.kind === 'opus' ? op.frames.length : op.kind)),
    ['rate', 4, 'rate', 4],
  );
});

t.test('a game that hangs gets what it missed, up to a second', async (t) => {
  const { steam, clock } = game(t, { input: TONE });
  steam.startVoiceRecording();
  clock.now += 900;
  t.equal(sequencesOf(steam.getVoice().buffer).length, 45);
  t.equal(steam.getVoice().result, NO_DATA);
  t.equal(steam.skippedMs, 0);
});

t.test(
  'after a machine slept for ten seconds, a second of sound comes and the rest is counted',
  async (t) => {
    for (const speed of [1, 4]) {
      const { steam, clock } = game(t, { input: TONE, speed });
      steam.startVoiceRecording();
      clock.now += 10_000;
      const sequences: number[] = [];
      for (let { buffer } = steam.getVoice(); buffer.length > 0; { buffer } = steam.getVoice())
        sequences.push(...sequencesOf(buffer));
      t.strictSame(
        sequences,
        Array.from({ length: 50 * speed }, (_, sequence) => sequence),
      );
      t.equal(steam.skippedMs, 9000 * speed);
      clock.now += 100;
      t.equal(sequencesOf(steam.getVoice().buffer).length, Math.min(50, 5 * speed), 'and then on as before');
    }
  },
);

t.test('after key-up the input is recorded for 200 ms, or as long as the option says', async (t) => {
  for (const hangoverMs of [undefined, 0, 200, 500]) {
    const { steam, poll } = game(t, {
      input: { kind: 'wav', path: steadyTone(t), loop: true },
      ...(hangoverMs === undefined ? {} : { hangoverMs }),
    });
    steam.startVoiceRecording();
    const packets = poll(1000);
    steam.stopVoiceRecording();
    packets.push(...pollToEnd(t, steam, poll));
    const heard = decompressAll(steam, packets);
    const until = 1000 + (hangoverMs ?? 200);
    // Opus lags by 6.5 ms and smears by a frame.
    t.ok(loudness(heard, until - 60, until - 20) > 1000, `${hangoverMs}: heard at ${until - 40} ms`);
    t.ok(loudness(heard, until + 60, until + 100) < 100, `${hangoverMs}: not at ${until + 80} ms`);
  }
});

t.test(
  'a recording ends with five DTX frames or more, the marker, a silence packet, and then none',
  async (t) => {
    const { steam, poll } = game(t, { input: TONE });
    steam.startVoiceRecording();
    const packets = poll(1000);
    steam.stopVoiceRecording();
    t.not(steam.getVoice().result, NOT_RECORDING, 'it goes on a little');
    packets.push(...pollToEnd(t, steam, poll));
    t.strictSame(packets.at(-1), CLOSING_SILENCE);
    const frames = packets.flatMap((packet) => opusFrames(mustRead(packet)));
    t.ok(
      frames.slice(-5).every(({ bytes }) => bytes === 1),
      'the last five are DTX',
    );
    t.strictSame(
      frames.map(({ sequence }) => sequence),
      Array.from(frames, (_, sequence) => sequence),
      'numbered like the others',
    );
    t.strictSame(
      packets.map(hasMarker),
      packets.map((_, at) => at === packets.length - 2),
      'one marker, in the last packet with frames',
    );
    t.ok(frames.length < 50 + 10 + 60, 'and it does not take much longer than a second');
    t.equal(steam.getVoice().result, NOT_RECORDING);
    t.equal(steam.getAvailableVoice().result, NOT_RECORDING);
  },
);

t.test('a recording ends even if the encoder sends no DTX', async (t) => {
  const { steam, poll } = game(t, { input: TONE, encoder: { dtx: false } });
  steam.startVoiceRecording();
  poll(100);
  steam.stopVoiceRecording();
  const packets = pollToEnd(t, steam, poll);
  t.equal(packets.flatMap(sequencesOf).length, 10 + 100, '200 ms of hangover and 2 s of silence');
  t.strictSame(packets.at(-1), CLOSING_SILENCE);
});

t.test('a key that is down for no time at all makes a recording that ends', async (t) => {
  const { steam, poll } = game(t, { input: TONE });
  steam.startVoiceRecording();
  steam.stopVoiceRecording();
  t.strictSame(pollToEnd(t, steam, poll).at(-1), CLOSING_SILENCE);
  steam.stopVoiceRecording();
  t.equal(steam.getVoice().result, NOT_RECORDING, 'key-up without key-down is nothing');
});

t.test('each recording starts at 0 and, of the same sound, is the same', async (t) => {
  const { steam, poll } = game(t, { input: { kind: 'silence' } });
  const record = () => {
    steam.startVoiceRecording();
    const packets = poll(300);
    steam.stopVoiceRecording();
    return [...packets, ...pollToEnd(t, steam, poll)];
  };
  const first = record();
  t.equal(sequencesOf(first[0]!)[0], 0);
  poll(10_000);
  t.strictSame(record(), first);
});

t.test('key-down during the hangover or the closing silence goes on in the same recording', async (t) => {
  for (const laterMs of [20, 180, 220, 260]) {
    const { steam, poll } = game(t, { input: TONE });
    steam.startVoiceRecording();
    const packets = poll(400);
    steam.stopVoiceRecording();
    packets.push(...poll(laterMs));
    steam.startVoiceRecording();
    packets.push(...poll(1000));
    t.notOk(packets.some(hasMarker), `${laterMs} ms later: no marker`);
    const sequences = packets.flatMap(sequencesOf);
    t.strictSame(
      sequences,
      Array.from({ length: Math.floor((1400 + laterMs) / 20) }, (_, sequence) => sequence),
      'no frame is missing, and no time',
    );
    t.ok(loudness(decompressAll(steam, packets), 400 + laterMs + 100, 1200) > 1000, 'and it is heard again');
    steam.stopVoiceRecording();
    t.strictSame(pollToEnd(t, steam, poll).at(-1), CLOSING_SILENCE);
  }
});

t.test('the hangover is counted from each key-up', async (t) => {
  const { steam, poll } = game(t, { input: { kind: 'wav', path: steadyTone(t), loop: true } });
  steam.startVoiceRecording();
  const packets = poll(200);
  for (let n = 0; n < 3; n += 1) {
    steam.stopVoiceRecording();
    packets.push(...poll(100));
    steam.startVoiceRecording();
    packets.push(...poll(100));
  }
  steam.stopVoiceRecording();
  packets.push(...pollToEnd(t, steam, poll));
  const heard = decompressAll(steam, packets);
  t.ok(loudness(heard, 200, 980) > 1000, '800 ms and a hangover of 200');
  t.ok(loudness(heard, 1060, 1100) < 100);
});

t.test('key-down while the end is read begins a new recording afterwards', async (t) => {
  const { steam, poll, clock } = game(t, { input: TONE });
  drain(steam, poll);
  steam.startVoiceRecording();
  clock.now += 100;
  t.strictSame(steam.getVoice().buffer, CLOSING_SILENCE, 'the old one is read to its end');
  t.equal(steam.getVoice().result, NO_DATA, 'and is never said to be over: the next one records');
  clock.now += 40;
  t.strictSame(sequencesOf(steam.getVoice().buffer), [0, 1]);
});

t.test('key-down and key-up while the end is read leave it at that', async (t) => {
  const { steam, poll } = game(t, { input: TONE });
  drain(steam, poll);
  steam.startVoiceRecording();
  steam.stopVoiceRecording();
  t.strictSame(steam.getVoice().buffer, CLOSING_SILENCE);
  t.equal(steam.getVoice().result, NOT_RECORDING);
  poll(500);
  t.equal(steam.getVoice().result, NOT_RECORDING);
});

t.test('getVoice with too little room says how much it needs and loses nothing', async (t) => {
  const tried = game(t, { input: TONE });
  const plain = game(t, { input: TONE });
  for (const { steam, clock } of [tried, plain]) {
    steam.startVoiceRecording();
    clock.now += 100;
  }
  const wanted = plain.steam.getVoice();
  for (const room of [1, 8, wanted.written - 1]) {
    t.strictSame(tried.steam.getVoice(room), {
      result: BUFFER_TOO_SMALL,
      written: wanted.written,
      buffer: EMPTY,
    });
  }
  t.strictSame(tried.steam.getVoice(wanted.written), wanted, 'the size named is enough');
  tried.clock.now += 100;
  const roomy = tried.steam.getVoice(65_536);
  t.equal(roomy.buffer.length, roomy.written, 'more room than that leaves no tail');
  t.strictSame(sequencesOf(roomy.buffer), [5, 6, 7, 8, 9]);
});

t.test('getVoiceInto writes into the caller’s memory, shared or not, or says why not', async (t) => {
  const { steam, clock } = game(t, { input: TONE });
  const shared = new Uint8Array(new SharedArrayBuffer(8192)).fill(0xee);
  t.equal(steam.getVoiceInto(shared), -NOT_RECORDING);
  steam.startVoiceRecording();
  t.equal(steam.getVoiceInto(shared), -NO_DATA);
  clock.now += 40;
  t.equal(steam.getVoiceInto(shared.subarray(0, 20)), -BUFFER_TOO_SMALL);
  t.ok(
    shared.every((byte) => byte === 0xee),
    'nothing was written',
  );
  const written = steam.getVoiceInto(shared);
  t.strictSame(sequencesOf(shared.slice(0, written)), [0, 1]);
  t.ok(shared.subarray(written).every((byte) => byte === 0xee));
});

t.test('decompressVoice gives 16-bit PCM, cut to what was written', async (t) => {
  const { steam } = game(t, { input: TONE });
  for (const rate of [12_000, 16_000, 24_000, 48_000]) {
    const voice = steam.decompressVoice(speechOf(rate, 0, 2), rate);
    const bytes = (2 * 2 * 480 * rate) / 24_000;
    t.equal(voice.result, OK);
    t.equal(voice.size, bytes, `${rate} Hz`);
    t.equal(voice.uncompressed.length, bytes);
    t.equal(voice.uncompressed.buffer.byteLength, bytes, 'memory of its own, with no tail to it');
  }
});

t.test('decompressVoice without room says how much it needs, and the second call succeeds', async (t) => {
  const { steam } = game(t, { input: TONE });
  const silenceOf = (samples: number) => packetOfOps(`00${u16Hex(samples)}`);
  t.match(
    steam.decompressVoice(silenceOf(10_240), 24_000),
    { result: OK, size: 20_480 },
    'the default has room',
  );
  t.strictSame(steam.decompressVoice(silenceOf(10_241), 24_000), {
    result: BUFFER_TOO_SMALL,
    size: 20_482,
    uncompressed: EMPTY,
  });
  t.match(steam.decompressVoice(silenceOf(10_241), 24_000, 20_482), { result: OK, size: 20_482 });
  const packet = speechOf(7, 0, 5);
  for (const room of [0, 1, 480, 4799]) {
    t.match(
      steam.decompressVoice(packet, 24_000, room),
      { result: BUFFER_TOO_SMALL, size: 4800 },
      `${room} bytes`,
    );
  }
  const wanted = steam.decompressVoice(speechOf(8, 0, 5), 24_000).uncompressed;
  t.strictSame(steam.decompressVoice(packet, 24_000, 4800).uncompressed, wanted, 'as if it were the first');
  t.match(steam.decompressVoice(speechOf(7, 7, 1), 24_000), { size: 960 * 3 }, 'and only once');
});

t.test('a buffer that is far too large is accepted', async (t) => {
  const { steam } = game(t, { input: TONE });
  for (const room of [2 ** 20, 2 ** 31, 2 ** 32, 2 ** 40]) {
    t.match(steam.decompressVoice(CLOSING_SILENCE, 48_000, room), { result: OK, size: 3000 }, `${room}`);
  }
});

t.test('broken and foreign packets have different results', async (t) => {
  const { steam } = game(t, { input: TONE });
  const broken = CLOSING_SILENCE.slice();
  broken[12]! ^= 1;
  t.strictSame(steam.decompressVoice(broken, 24_000), {
    result: DATA_CORRUPTED,
    size: 0,
    uncompressed: EMPTY,
  });
  t.equal(steam.decompressVoice(packetOfOps('040000'), 24_000).result, UNSUPPORTED_CODEC);
  for (let length = 0; length < 15; length += 1) {
    t.equal(steam.decompressVoice(new Uint8Array(length), 24_000).result, DATA_CORRUPTED);
  }
});

t.test('a packet without audio is OK with nothing in it', async (t) => {
  const { steam } = game(t, { input: TONE });
  t.strictSame(steam.decompressVoice(packetOfOps(RATE_24K), 24_000, 0), {
    result: OK,
    size: 0,
    uncompressed: EMPTY,
  });
});

t.test('any whole rate from 11025 to 48000 works, any other is misuse with a code', async (t) => {
  const { steam } = game(t, { input: TONE });
  for (const rate of [0, -24_000, 8000, 11_024, 48_001, 24_000.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => steam.decompressVoice(CLOSING_SILENCE, rate), {
      code: 'ERR_HOTMIC_SAMPLE_RATE',
      message: `${rate} Hz`,
    });
  }
  for (const rate of [11_025, 12_345, 22_050, 44_100, 48_000])
    t.equal(steam.decompressVoice(CLOSING_SILENCE, rate).size, 2 * Math.floor((750 * rate) / 24_000));
});

t.test('each speaker and rate has a decoder that is kept across calls', async (t) => {
  const { steam } = game(t, { input: TONE });
  steam.decompressVoice(speechOf(1, 0, 1), 24_000);
  steam.decompressVoice(speechOf(2, 100, 1), 24_000);
  t.equal(steam.decompressVoice(speechOf(1, 3, 1), 24_000).size, 3 * 960, 'two are concealed');
  t.equal(steam.decompressVoice(speechOf(2, 101, 1), 24_000).size, 960);
  t.equal(
    steam.decompressVoice(speechOf(1, 9, 1), 48_000).size,
    1920,
    'at a new rate the first frame is the first',
  );
  t.equal(steam.decompressVoice(speechOf(1, 4, 1), 24_000).size, 960);
  t.equal(
    steam.decompressVoice(speechOf(1 + 2 ** 32, 50, 1), 24_000).size,
    960,
    'all 64 bits tell speakers apart',
  );
});

t.test(
  'of more than 64 speakers the one silent for longest is forgotten, and memory does not grow',
  async (t) => {
    const { steam } = game(t, { input: TONE });
    for (let speaker = 1; speaker <= 64; speaker += 1) steam.decompressVoice(speechOf(speaker, 0, 1), 24_000);
    steam.decompressVoice(speechOf(1, 1, 1), 24_000);
    steam.decompressVoice(speechOf(65, 0, 1), 24_000);
    t.equal(
      steam.decompressVoice(speechOf(1, 4, 1), 24_000).size,
      3 * 960,
      'the one that spoke is still known',
    );
    t.equal(steam.decompressVoice(speechOf(2, 9, 1), 24_000).size, 960, 'the other is new');
    const before = codecMemoryBytes();
    for (let speaker = 100; speaker < 1100; speaker += 1)
      steam.decompressVoice(speechOf(speaker, 0, 1), 24_000);
    t.equal(codecMemoryBytes(), before);
  },
);

t.test('refused packets do not evict a speaker', async (t) => {
  const { steam } = game(t, { input: TONE });
  steam.decompressVoice(speechOf(1, 0, 1), 24_000);
  const before = codecMemoryBytes();
  for (let speaker = 100; speaker < 600; speaker += 1) {
    const bad = speechOf(speaker, 0, 1);
    bad[bad.length - 1]! ^= 1;
    steam.decompressVoice(bad, 24_000);
    steam.decompressVoice(speechOf(speaker, 0, 1), 24_000, 0);
  }
  t.equal(codecMemoryBytes(), before);
  t.equal(steam.decompressVoice(speechOf(1, 2, 1), 24_000).size, 2 * 960, 'the first one is still known');
});

t.test('options out of range are refused', async (t) => {
  for (const options of [
    { speed: 0 },
    { speed: 1001 },
    { speed: Number.NaN },
    { hangoverMs: -1 },
    { hangoverMs: 2001 },
  ]) {
    const [name] = Object.keys(options);
    t.throws(() => new EmbeddedSteam({ steamId: 1n, input: TONE, ...options }, () => 0), {
      name: 'RangeError',
      message: new RegExp(`${name === 'speed' ? 'speed' : 'hangoverMs'} is`),
    });
  }
});

t.test('speech from a WAV comes through getVoice and decompressVoice as it was said', async (t) => {
  const { steam, poll } = game(t, { input: { kind: 'wav', path: 'examples/speech/ada.wav' } });
  const said = pcmOfWav('examples/speech/ada.wav').subarray(0, 96_000);
  steam.startVoiceRecording();
  const packets = poll(4000, 16);
  steam.stopVoiceRecording();
  packets.push(...pollToEnd(t, steam, poll));
  const comparison = compareSpeech(said, decompressAll(steam, packets));
  t.equal(comparison.verdict, 'same', JSON.stringify(comparison));
});

t.test('a WAV that is at its end says so, and silence follows until key-up', async (t) => {
  const { steam, poll } = game(t, { input: { kind: 'wav', path: steadyTone(t, 0.5) } });
  steam.startVoiceRecording();
  const packets = poll(400);
  t.equal(steam.inputEnded, false);
  packets.push(...poll(1000));
  t.equal(steam.inputEnded, true);
  t.equal(steam.getVoice().result, NO_DATA, 'it still records');
  t.equal(packets.flatMap(sequencesOf).length, 70);
  const heard = decompressAll(steam, packets);
  t.ok(loudness(heard, 100, 480) > 1000);
  t.ok(loudness(heard, 600, 1400) < 100);
});

/** A Steam, its clock, and a game that polls it. */
function game(t: Test, options: Omit<EmbeddedSteamOptions, 'steamId'>) {
  const clock = { now: 12_345 };
  const steam = new EmbeddedSteam({ steamId: STEAM_ID, ...options }, () => clock.now);
  t.teardown(() => steam.close());
  /** Polls each game frame for `ms`; gives the packets. */
  const poll = (ms: number, frameMs = 10): Uint8Array[] => {
    const packets: Uint8Array[] = [];
    for (let passed = 0; passed < ms; passed += frameMs) {
      clock.now += frameMs;
      const { result, buffer } = steam.getVoice();
      if (result === OK) packets.push(buffer);
    }
    return packets;
  };
  return { steam, clock, poll };
}

type Poll = ReturnType<typeof game>['poll'];

/** Polls until getAvailableVoice says that the recording is over. */
function pollToEnd(t: Test, steam: EmbeddedSteam, poll: Poll): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let frame = 0; frame < 1000; frame += 1) {
    packets.push(...poll(10));
    if (steam.getAvailableVoice().result === NOT_RECORDING) return packets;
  }
  t.fail('the recording does not end');
  return packets;
}

/** Records a little and reads up to the marker, so that only the silence packet is left. */
function drain(steam: EmbeddedSteam, poll: Poll): void {
  steam.startVoiceRecording();
  poll(100);
  steam.stopVoiceRecording();
  while (!poll(10).some(hasMarker));
}

function decompressAll(steam: EmbeddedSteam, packets: readonly Uint8Array[]): Int16Array {
  const parts = packets.map((packet) => {
    const { result, uncompressed } = steam.decompressVoice(packet, 24_000, 200_000);
    if (result !== OK) throw new Error(`decompressVoice answered ${result}`);
    return new Int16Array(uncompressed.buffer);
  });
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

/** Root mean square between two instants in ms. */
function loudness(pcm: Int16Array, fromMs: number, toMs: number): number {
  const part = pcm.subarray(fromMs * 24, toMs * 24);
  return Math.sqrt(part.reduce((sum, sample) => sum + sample ** 2, 0) / part.length);
}

/** A WAV of a tone that neither swells nor fades. */
function steadyTone(t: Test, seconds = 1): string {
  const path = join(t.testdir(), 'tone.wav');
  const tone = Float64Array.from(
    { length: 24_000 * seconds },
    (_, n) => 0.3 * Math.sin((2 * Math.PI * 400 * n) / 24_000),
  );
  writeFileSync(path, wavBytes('pcm16', 24_000, [tone]));
  return path;
}

/** A packet of `speaker` with `count` DTX frames from `sequence` on. */
function speechOf(speaker: number, sequence: number, count: number): Uint8Array {
  const frames = Array.from({ length: count }, (_, n) => frameOf(sequence + n, '68')).join('');
  const packet = packetOfOps(RATE_24K + opusOp(frames));
  new DataView(packet.buffer).setBigUint64(0, BigInt(speaker), true);
  return sealPacket(packet);
}

function mustRead(bytes: Uint8Array): Packet {
  const packet = readPacket(bytes);
  if (packet.kind === 'malformed') throw new Error(`cannot read: ${packet.reason}, ${packet.detail}`);
  return packet;
}

function sequencesOf(bytes: Uint8Array): number[] {
  return opusFrames(mustRead(bytes)).map(({ sequence }) => sequence);
}

function hasMarker(bytes: Uint8Array): boolean {
  return mustRead(bytes).ops.some((op) => op.kind === 'opus' && op.frames.some(({ kind }) => kind === 'end'));
}
