/** WAV files as bytes: every encoding that is read, every way a header lies, and the header that we write. */

import fc from 'fast-check';
import t from 'tap';
import { MAX_WAV_DATA_BYTES, readWav, readWavFormat, type Wav, wavHeader } from '../../voice/wav.js';
import { SEED } from '../kit/random.js';

interface WavParts {
  format?: number;
  bits?: number;
  channels?: number;
  rateHz?: number;
  block?: number;
  /** In place of a fmt chunk of 16 bytes. */
  fmt?: Uint8Array;
  before?: Uint8Array;
  data?: Uint8Array;
  dataSize?: number;
  riffSize?: number;
  after?: Uint8Array;
}

function le(bytes: number, ...values: number[]): Uint8Array {
  const out = Buffer.alloc(bytes * values.length);
  for (const [at, value] of values.entries()) out.writeUIntLE(value, at * bytes, bytes);
  return out;
}

function chunk(name: string, body: Uint8Array, size = body.length): Uint8Array {
  const pad = new Uint8Array(body.length & 1);
  return Buffer.concat([Buffer.from(name), le(4, size), body, pad]);
}

function fmtBody(parts: WavParts): Uint8Array {
  const { format = 1, bits = 16, channels = 1, rateHz = 24_000 } = parts;
  const block = parts.block ?? (channels * bits) >> 3;
  return Buffer.concat([le(2, format, channels), le(4, rateHz, (rateHz * block) >>> 0), le(2, block, bits)]);
}

function wavOf(parts: WavParts): Uint8Array {
  const data = parts.data ?? new Uint8Array(0);
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    parts.before ?? new Uint8Array(0),
    chunk('fmt ', parts.fmt ?? fmtBody(parts)),
    chunk('data', data, parts.dataSize),
    parts.after ?? new Uint8Array(0),
  ]);
  return Buffer.concat([Buffer.from('RIFF'), le(4, parts.riffSize ?? body.length), body]);
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function readOk(bytes: Uint8Array): Wav {
  const wav = readWav(bytes);
  if (wav.kind === 'malformed') throw new Error(`${wav.reason} at ${wav.offset}`);
  return wav;
}

function reasonOf(bytes: Uint8Array): string {
  const wav = readWav(bytes);
  return wav.kind === 'malformed' ? `${wav.reason} @${wav.offset}` : 'read';
}

t.test('all 65,536 values of mono 16 bit are bit-exact, as integers and as floats', async (t) => {
  const pcm = Int16Array.from({ length: 65_536 }, (_, at) => at - 32_768);
  const wav = readOk(wavOf({ data: bytesOf(pcm), rateHz: 48_000 }));
  t.equal(wav.sampleRateHz, 48_000);
  t.equal(wav.samples, 65_536);
  t.ok(Buffer.from(bytesOf(wav.samplesInt16())).equals(Buffer.from(bytesOf(pcm))));
  t.ok(wav.samplesFloat().every((value, at) => value === (at - 32_768) / 32_768));
});

t.test('every encoding gives the same five samples', async (t) => {
  const five = [-1, -0.5, 0, 0.25, 0.75];
  const pcm24 = Buffer.alloc(15);
  for (const [at, value] of five.entries()) pcm24.writeIntLE(value * 0x80_0000, at * 3, 3);
  const table: [name: string, parts: WavParts][] = [
    ['pcm8', { bits: 8, data: Uint8Array.from(five, (value) => value * 128 + 128) }],
    ['pcm16', { bits: 16, data: bytesOf(Int16Array.from(five, (value) => value * 0x8000)) }],
    ['pcm24', { bits: 24, data: pcm24 }],
    ['pcm32', { bits: 32, data: bytesOf(Int32Array.from(five, (value) => value * 0x8000_0000)) }],
    ['float32', { format: 3, bits: 32, data: bytesOf(Float32Array.from(five)) }],
    ['float64', { format: 3, bits: 64, data: bytesOf(Float64Array.from(five)) }],
  ];
  for (const [name, parts] of table) {
    const wav = readOk(wavOf(parts));
    t.equal(wav.encoding, name);
    t.same([...wav.samplesFloat()], five, name);
    t.same([...wav.samplesInt16()], [-32768, -16384, 0, 8192, 24576], name);
    const tail = Buffer.from('000000001000800000aa00389b71', 'hex');
    const fmt = Buffer.concat([
      fmtBody({ ...parts, format: 0xfffe }),
      le(2, 22, parts.bits ?? 16),
      le(4, 4),
      le(2, parts.format ?? 1),
      tail,
    ]);
    t.same([...readOk(wavOf({ ...parts, fmt })).samplesFloat()], five, `${name}, extensible`);
  }
});

t.test('channels are averaged, in one to eight', async (t) => {
  for (let channels = 1; channels <= 8; channels++) {
    const data = bytesOf(Int16Array.from({ length: channels * 2 }, (_, at) => (at < channels ? 800 : -800)));
    const wav = readOk(wavOf({ channels, data }));
    t.equal(wav.channels, channels);
    t.same([...wav.samplesInt16()], [800, -800], `${channels} channels`);
  }
  const loudAndQuiet = readOk(wavOf({ channels: 2, data: bytesOf(Int16Array.of(1000, 100)) }));
  t.same([...loudAndQuiet.samplesInt16()], [550]);
});

t.test('a silent channel is not averaged in, nor one 60 dB under the loudest', async (t) => {
  const stereo = (...samples: number[]) =>
    readOk(wavOf({ channels: 2, data: bytesOf(Int16Array.from(samples)) }));
  t.same([...stereo(1000, 0, -1000, 0).samplesInt16()], [1000, -1000], 'a microphone on the left');
  t.same([...stereo(0, 7, 0, 9).samplesInt16()], [7, 9], 'on the right');
  t.same([...stereo(10_000, 9, 10_000, -9).samplesInt16()], [10_000, 10_000], 'noise on the right');
  t.same([...stereo(0, 0).samplesInt16()], [0], 'silence stays silence');
  const surround = new Int16Array(12);
  surround[2] = 600;
  surround[8] = -600;
  t.same([...readOk(wavOf({ channels: 6, data: bytesOf(surround) })).samplesInt16()], [600, -600]);
});

t.test('channels of opposite phase do not cancel each other out', async (t) => {
  const wav = readOk(wavOf({ channels: 2, data: bytesOf(Int16Array.of(1000, -1000, -500, 500)) }));
  t.same([...wav.samplesInt16()], [1000, -500]);
});

t.test('one channel is heard where that is asked for', async (t) => {
  const wav = readOk(wavOf({ channels: 2, data: bytesOf(Int16Array.of(1, 2, 3, 4)) }));
  t.same([...wav.samplesInt16('left')], [1, 3]);
  t.same([...wav.samplesInt16('right')], [2, 4]);
  t.same([...wav.samplesFloat('right')], [2 / 32768, 4 / 32768]);
  const mono = readOk(wavOf({ data: bytesOf(Int16Array.of(5)) }));
  t.same([...mono.samplesInt16('left')], [5]);
  t.throws(() => mono.samplesInt16('right'), RangeError);
});

t.test('RF64 is read, by the lengths of its ds64 chunk', async (t) => {
  const data = bytesOf(Int16Array.of(1, 2, 3));
  const ds64 = chunk('ds64', Buffer.concat([le(4, 0, 0), le(4, 4, 0), le(4, 2, 0), le(4, 0)]));
  for (const magic of ['RF64', 'BW64']) {
    const bytes = Buffer.from(wavOf({ before: ds64, data, dataSize: 0xffff_ffff, riffSize: 0xffff_ffff }));
    bytes.write(magic, 0);
    t.same([...readOk(bytes).samplesInt16()], [1, 2], magic);
  }
  const long = Buffer.from(ds64);
  long.writeUInt32LE(1, 8 + 12);
  const head = Buffer.from(wavOf({ before: long, dataSize: 0xffff_ffff, riffSize: 0xffff_ffff }));
  head.write('RF64', 0);
  t.match(readWavFormat(head, 2 ** 33), { kind: 'format', samples: (2 ** 32 + 4) / 2 });
});

t.test('a block length of 0 follows from the rest, as other readers have it', async (t) => {
  const wav = readOk(wavOf({ block: 0, data: bytesOf(Int16Array.of(8, 9)) }));
  t.same([...wav.samplesInt16()], [8, 9]);
});

t.test('floats beyond one are held, and what is no number is silence', async (t) => {
  const data = bytesOf(Float32Array.of(2, -2, Number.NaN, Number.POSITIVE_INFINITY, 1));
  const wav = readOk(wavOf({ format: 3, bits: 32, data }));
  t.same([...wav.samplesFloat()], [1, -1, 0, 1, 1]);
  t.same([...wav.samplesInt16()], [32767, -32768, 0, 32767, 32767]);
});

t.test('chunks of odd length are skipped with their padding, before and after the samples', async (t) => {
  const before = Buffer.concat([chunk('LIST', Buffer.from('abc')), chunk('junk', new Uint8Array(0))]);
  const wav = readOk(
    wavOf({ before, data: bytesOf(Int16Array.of(1, 2, 3)), after: chunk('id3 ', Buffer.from('x')) }),
  );
  t.same([...wav.samplesInt16()], [1, 2, 3]);
});

t.test('a header that does not tell the length is read as far as the file goes', async (t) => {
  const data = bytesOf(Int16Array.of(5, 6, 7));
  const table: [name: string, parts: WavParts, samples: number[]][] = [
    ['both sizes 0', { data, dataSize: 0, riffSize: 0 }, [5, 6, 7]],
    ['both sizes all ones', { data, dataSize: 0xffffffff, riffSize: 0xffffffff }, [5, 6, 7]],
    ['size 0 of a writer that was killed at once', { data, dataSize: 0, riffSize: 36 }, [5, 6, 7]],
    ['cut short', { data, dataSize: 1000, riffSize: 1036 }, [5, 6, 7]],
    ['less than is there', { data, dataSize: 4, riffSize: 40 }, [5, 6]],
    ['empty, and known to be', { data: new Uint8Array(0), after: chunk('LIST', data) }, []],
  ];
  for (const [name, parts, samples] of table) {
    t.same([...readOk(wavOf(parts)).samplesInt16()], samples, name);
  }
  t.same([...readOk(wavOf({ data }).subarray(0, 49)).samplesInt16()], [5, 6], 'cut within a sample');
});

t.test('bytes at an odd offset of their buffer are read', async (t) => {
  const wav = wavOf({ data: bytesOf(Int16Array.of(-3, 4)) });
  const shifted = new Uint8Array(wav.length + 1);
  shifted.set(wav, 1);
  t.same([...readOk(shifted.subarray(1)).samplesInt16()], [-3, 4]);
});

t.test('the reason for refusing a file is in words, with the offset of the byte that shows it', async (t) => {
  const whole = wavOf({});
  const table: [name: string, bytes: Uint8Array, reason: string][] = [
    ['nothing', new Uint8Array(0), '0 bytes, expected at least 12 for a RIFF header @0'],
    [
      'an Ogg file',
      Buffer.from('OggS............'),
      'it is an Ogg file, expected a WAV; convert it first @0',
    ],
    ['an AIFF', Buffer.from('FORM....AIFFCOMM'), 'it is an AIFF file, expected a WAV; convert it first @0'],
    [
      'an AU',
      Buffer.from('.snd............'),
      'it is an AU file, whose sound is often mu-law, expected a WAV; convert it first @0',
    ],
    [
      'mu-law',
      wavOf({ format: 7, bits: 8 }),
      'format 7 (mu-law) is not PCM; convert it to 16-bit PCM first @20',
    ],
    [
      'nothing but chunks',
      wavOf({ before: Buffer.from('junk\0\0\0\0'.repeat(1001)) }),
      'more than 1000 chunks before the sound @8012',
    ],
    ['an AVI', Buffer.from('RIFF....AVI \0\0\0\0'), "not WAVE: a RIFF file of 'AVI ' @8"],
    ['nothing behind WAVE', whole.subarray(0, 12), 'no fmt chunk @12'],
    ['nothing behind fmt', whole.subarray(0, 36), 'no data chunk @12'],
    ['fmt cut short', whole.subarray(0, 25), 'fmt chunk of 5 bytes, expected at least 16 @20'],
    ['MP3', wavOf({ format: 85 }), 'format 85 (MP3) is not PCM; convert it to 16-bit PCM first @20'],
    [
      'a number nobody knows',
      wavOf({ format: 999 }),
      'format 999 (unknown) is not PCM; convert it to 16-bit PCM first @20',
    ],
    ['no channels', wavOf({ channels: 0 }), '0 channels, expected 1 to 8 @22'],
    ['nine channels', wavOf({ channels: 9 }), '9 channels, expected 1 to 8 @22'],
    ['slow', wavOf({ rateHz: 3_999 }), '3999 Hz, expected 4000 to 192000 @24'],
    ['fast', wavOf({ rateHz: 192_001 }), '192001 Hz, expected 4000 to 192000 @24'],
    ['12 bits', wavOf({ bits: 12, block: 2 }), '12 bits per sample, expected PCM of 8, 16, 24 or 32 @34'],
    ['half floats', wavOf({ format: 3 }), '16 bits per sample, expected floats of 32 or 64 @34'],
    ['24 in 32', wavOf({ bits: 24, block: 4 }), 'blocks of 4 bytes, expected 3 @32'],
    [
      'extensible, cut',
      wavOf({ fmt: fmtBody({ format: 0xfffe }) }),
      'extensible fmt chunk of 16 bytes, expected at least 40 @20',
    ],
    [
      'extensible, foreign',
      wavOf({ fmt: Buffer.concat([fmtBody({ format: 0xfffe }), new Uint8Array(24)]) }),
      'extensible subformat is not PCM @44',
    ],
  ];
  for (const [name, bytes, reason] of table) t.equal(reasonOf(bytes), reason, name);
});

t.test('nothing that a file can hold makes the reader throw', async (t) => {
  t.comment(`seed ${SEED}`);
  const read = (bytes: Uint8Array) => {
    const wav = readWav(bytes);
    if (wav.kind === 'malformed') return wav.reason.length > 0 && wav.offset >= 0;
    const floats = wav.samplesFloat();
    return (
      floats.every((value) => value >= -1 && value <= 1) &&
      wav.samplesInt16().length === floats.length &&
      floats.length === wav.samples
    );
  };
  const options = { seed: SEED, numRuns: 3000 };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read), options);
  const spoilt = fc.record({
    format: fc.constantFrom(1, 3, 0xfffe, 85),
    bits: fc.constantFrom(8, 16, 24, 32, 64),
    channels: fc.integer({ min: 0, max: 9 }),
    data: fc.uint8Array({ maxLength: 100 }),
    dataSize: fc.constantFrom(0, 7, 0x7fffffff, 0xffffffff),
    spoil: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
    cutAt: fc.nat(300),
  });
  const readSpoilt = ({
    spoil,
    cutAt,
    ...parts
  }: WavParts & { spoil: [number, number][]; cutAt: number }) => {
    const bytes = Uint8Array.from(wavOf(parts));
    for (const [at, value] of spoil) bytes[at % bytes.length] = value;
    return read(bytes.subarray(0, cutAt));
  };
  fc.assert(fc.property(spoilt, readSpoilt), options);
});

t.test('the start of a file tells its format, and the length of the file the rest', async (t) => {
  const head = wavOf({ dataSize: 1000, riffSize: 1036 });
  t.match(readWavFormat(head, 1044), { kind: 'format', dataOffset: 44, samples: 500 });
  t.match(readWavFormat(head, 244), { kind: 'format', dataOffset: 44, samples: 100 });
  t.throws(() => readWavFormat(head, 43), { name: 'RangeError' });
});

t.test('the header that is written is the header that is read', async (t) => {
  for (const rateHz of [4_000, 24_000, 48_000, 192_000]) {
    const header = wavHeader(rateHz, 8);
    t.equal(header.length, 44);
    t.same(Buffer.from(header), wavOf({ rateHz, data: new Uint8Array(8) }).subarray(0, 44));
  }
  const full = Buffer.from(wavHeader(24_000, MAX_WAV_DATA_BYTES));
  t.equal(full.readUInt32LE(40), MAX_WAV_DATA_BYTES);
  t.equal(full.readUInt32LE(4), MAX_WAV_DATA_BYTES + 36, 'and the RIFF size does not wrap');
});

t.test('a header of an impossible sound is refused', async (t) => {
  for (const rateHz of [3_999, 192_001, 24_000.5, Number.NaN]) {
    t.throws(() => wavHeader(rateHz, 0), { name: 'RangeError' }, `${rateHz} Hz`);
  }
  for (const bytes of [-2, 3, 1.5, MAX_WAV_DATA_BYTES + 2, Number.NaN]) {
    t.throws(() => wavHeader(24_000, bytes), { name: 'RangeError' }, `${bytes} bytes`);
  }
});
