/**
 * What the options of VoiceEncoder do, written from the format and their descriptions and not from the code: PCM of any rate,
 * frames a packet, the end of a talkspurt by itself, bitrate and complexity.
 */

import t, { type Test } from 'tap';
import { opusFrames, type Packet, readPacket } from '../../voice/packet.js';
import { MAX_PACKET_BYTES } from '../../voice/units.js';
import { VoiceEncoder, type VoiceEncoderOptions } from '../../wasm/compress.js';
import { VoiceDecoder } from '../../wasm/decompress.js';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes } from '../../wasm/module.js';
import { joined } from '../kit/decoders.js';
import { packetOfOps, RATE_24K } from '../kit/raw_packet.js';
import { compareSpeech, pcmOfWav } from '../kit/speech.js';
import { tonePcm } from '../kit/tone.js';

loadCodec();

const STEAM_ID = 0x0110000100000001n;
const FRAME = 480;
const ADA = pcmOfWav('examples/speech/ada.wav');
/** Two seconds of speech without a pause worth the name. */
const SPEECH = pcmOfWav('examples/speech/ben.wav').subarray(24_000, 72_000);
const SILENCE_S = new Int16Array(24_000);
const PCM_RATES = [8000, 11_025, 12_345, 16_000, 22_050, 24_000, 32_000, 44_100, 47_999, 48_000] as const;
const CLOSING_SILENCE = packetOfOps(`${RATE_24K}00ee02`);
const MARKER_ALONE = packetOfOps(`${RATE_24K}060200ffff`);

t.test('PCM of any rate is heard with its frequency and its level', async (t) => {
  for (const sampleRateHz of PCM_RATES) {
    const heard = toneOf(
      hear(record(t, tonePcm(2, 1000, sampleRateHz), { sampleRateHz })).subarray(6000, 42_000),
    );
    t.ok(Math.abs(heard.hz - 1000) < 0.2, `${sampleRateHz} Hz: ${heard.hz} Hz`);
    t.ok(Math.abs(20 * Math.log10(heard.amplitude / 11_000)) < 0.6, `${sampleRateHz} Hz: ${heard.amplitude}`);
  }
});

t.test('PCM at full scale is not turned over by the resampler', async (t) => {
  for (const sampleRateHz of [11_025, 44_100, 48_000]) {
    // A square wave rings above full scale when its upper harmonics are taken out.
    const square = Int16Array.from({ length: 2 * sampleRateHz }, (_, at) =>
      Math.floor((at * 400) / sampleRateHz) % 2 === 0 ? 32_767 : -32_768,
    );
    const pcm = hear(record(t, square, { sampleRateHz, bitrate: 64_000 })).subarray(12_000, 36_000);
    const { amplitude } = toneOf(pcm, 200);
    t.ok(amplitude > 28_000, `${sampleRateHz} Hz: ${amplitude}`);
  }
});

t.test('a recording holds all its sound: the frames are as many, and the tail is heard', async (t) => {
  for (const sampleRateHz of PCM_RATES) {
    for (const samples of [1, sampleRateHz / 50, sampleRateHz, sampleRateHz + 77].map(Math.floor)) {
      const frames = framesOf(record(t, new Int16Array(samples).fill(500), { sampleRateHz })).length;
      const least = Math.ceil(samples / (sampleRateHz / 50) - 1e-9);
      // The resampler's own delay, at most 108 samples, may need another frame.
      const most = Math.ceil((samples * 24_000) / sampleRateHz / FRAME + 108 / FRAME);
      t.ok(
        frames >= least && frames <= most,
        `${samples} at ${sampleRateHz} Hz: ${frames} of ${least} to ${most}`,
      );
    }
    // The codec needs some ms to rise, so the last 40 ms are compared with those of a tone that goes on.
    const tone = tonePcm(1, 1000, sampleRateHz);
    const longer = tonePcm(1.2, 1000, sampleRateHz);
    const [cut, whole] = [tone, longer].map((pcm) => hear(record(t, pcm, { sampleRateHz })));
    const last = (pcm: Int16Array) => energy(pcm.subarray(24_000 - 2 * FRAME, 24_000 + FRAME));
    const share = last(cut!) / energy(whole!.subarray(24_000 - 2 * FRAME, 24_000));
    t.ok(share > 0.9, `${sampleRateHz} Hz: ${share.toFixed(3)} of the last 40 ms`);
  }
});

t.test('PCM at another rate may be cut anywhere, and the next recording starts afresh', async (t) => {
  for (const sampleRateHz of [8000, 11_025, 44_100, 48_000]) {
    const pcm = tonePcm(1, 700, sampleRateHz);
    const encoder = newEncoder(t, { sampleRateHz });
    const whole = record(t, pcm, { sampleRateHz });
    for (const step of [pcm.length, 1, 997]) {
      for (let at = 0; at < pcm.length; at += step) encoder.write(pcm.subarray(at, at + step));
      encoder.end();
      t.equal(hexes(readAll(encoder)), hexes(whole), `${sampleRateHz} Hz, ${step} samples at a time`);
    }
  }
});

t.test('framesPerPacket fills every packet but the last of a recording', async (t) => {
  for (const framesPerPacket of [1, 2, 3, 4, 5, 8, 50]) {
    const encoder = newEncoder(t, { framesPerPacket });
    const counts: number[] = [];
    for (let frame = 0; frame < 2 * framesPerPacket; frame += 1) {
      encoder.write(ADA.subarray(frame * FRAME, (frame + 1) * FRAME));
      counts.push(...readAll(encoder).map((packet) => framesOf([packet]).length));
      t.equal(counts.length, Math.floor((frame + 1) / framesPerPacket), 'not before it is full');
    }
    encoder.write(ADA.subarray(0, (2 * framesPerPacket + 1) * FRAME));
    encoder.end();
    const packets = readAll(encoder);
    counts.push(...packets.map((packet) => framesOf([packet]).length));
    t.strictSame(counts, [...new Array<number>(4).fill(framesPerPacket), 1, 0]);
    const groups = shape(packets[0]!).split('|');
    t.strictSame(
      groups.map((group) => group.length / 4).at(0),
      Math.min(4, framesPerPacket) / 4,
      groups.join('|'),
    );
    t.equal(shape(packets[2]!), 'FE', 'the marker closes the last');
    t.same(packets[3], CLOSING_SILENCE);
  }
});

t.test(
  'with framesPerPacket the marker is in the last packet, full or not, or alone behind it',
  async (t) => {
    const encoder = newEncoder(t, { framesPerPacket: 3 });
    encoder.write(SPEECH.subarray(0, 6 * FRAME));
    encoder.end();
    t.strictSame(readAll(encoder).map(shape), ['FFF', 'FFFE', 's750']);
    encoder.write(SPEECH.subarray(0, 3 * FRAME));
    t.strictSame(readAll(encoder).map(shape), ['FFF']);
    encoder.end();
    t.same(readAll(encoder), [MARKER_ALONE, CLOSING_SILENCE]);
  },
);

t.test('no packet passes 8192 bytes, however many frames it is to hold, and none is lost', async (t) => {
  const packets = record(t, ADA, { framesPerPacket: 50, bitrate: 64_000 });
  t.ok(packets.every((packet) => packet.length <= MAX_PACKET_BYTES));
  t.equal(framesOf(packets).length, Math.ceil(ADA.length / FRAME));
  t.ok(areInOrder(packets));
});

t.test('talkspurts end by themselves: the marker, the silence packet, and 0 again', async (t) => {
  for (const options of [{}, { sampleRateHz: 48_000 }, { framesPerPacket: 3 }]) {
    for (const endAfterSilenceMs of [200, 1000]) {
      const encoder = newEncoder(t, { endAfterSilenceMs, ...options });
      const say = (pcm: Int16Array) => {
        encoder.write('sampleRateHz' in options ? doubled(pcm) : pcm);
        return readAll(encoder);
      };
      t.equal(encoder.isRecording, true, 'until the first end');
      for (let talkspurt = 0; talkspurt < 2; talkspurt += 1) {
        const packets = say(SPEECH);
        t.equal(encoder.isRecording, true);
        packets.push(...say(SILENCE_S), ...say(SILENCE_S));
        t.equal(encoder.isRecording, false);
        t.ok(areInOrder(packets), 'from 0 on');
        const silentMs = framesOf(packets).length * 20 - 2000;
        t.ok(
          silentMs > endAfterSilenceMs - 100 && silentMs < endAfterSilenceMs + 200,
          `${silentMs} ms of silence`,
        );
        t.match(packets.map(shape).join(), /^[^E]*E,s750$/);
        t.same(packets.at(-1), CLOSING_SILENCE);
        const comparison = compareSpeech(SPEECH, hear(packets));
        t.equal(comparison.verdict, 'same', JSON.stringify(comparison));
      }
    }
  }
});

t.test('a minute without voice makes no packet and takes no memory', async (t) => {
  const encoder = newEncoder(t, { endAfterSilenceMs: 500 });
  encoder.write(SPEECH.subarray(0, 30 * FRAME));
  encoder.write(SILENCE_S);
  t.match(readAll(encoder).map(shape).join(), /^F+.*E,s750$/);
  const before = codecLiveBytes();
  for (let second = 0; second < 60; second += 1) encoder.write(SILENCE_S);
  t.strictSame([encoder.available(), encoder.droppedFrames, encoder.isRecording], [0, 0, false]);
  t.equal(codecLiveBytes(), before);
  encoder.end();
  t.equal(encoder.available(), 0, 'the recording had ended');
});

t.test('what begins a talkspurt is not cut: a little from before it comes along', async (t) => {
  for (const pauseFrames of [50, 51, 67, 120]) {
    const encoder = newEncoder(t, { endAfterSilenceMs: 300 });
    encoder.write(SPEECH.subarray(0, 50 * FRAME));
    encoder.write(new Int16Array(pauseFrames * FRAME));
    readAll(encoder);
    t.equal(encoder.isRecording, false);
    encoder.write(SPEECH);
    encoder.end();
    const packets = readAll(encoder);
    const { verdict, lag } = compareSpeech(SPEECH, hear(packets));
    t.equal(verdict, 'same');
    t.ok(lag >= 0 && lag < 10 * FRAME, `the speech begins ${lag} samples into it`);
    t.equal(framesOf(packets)[0]!.sequence, 0);
    t.ok(framesOf(packets).length >= 100, 'every frame of it');
  }
});

t.test('a pause shorter than endAfterSilenceMs ends nothing', async (t) => {
  const encoder = newEncoder(t, { endAfterSilenceMs: 1000 });
  for (let n = 0; n < 4; n += 1) {
    encoder.write(SPEECH.subarray(0, 40 * FRAME));
    encoder.write(new Int16Array(45 * FRAME));
    t.equal(encoder.isRecording, true);
  }
  const packets = readAll(encoder);
  const frames = framesOf(packets);
  t.ok(areInOrder(packets) && frames.length === 340);
  t.ok(frames.filter(({ bytes }) => bytes === 1).length > 60, 'in it DTX frames of one byte, numbered');
});

t.test('without voice the recording goes on for all of endAfterSilenceMs', async (t) => {
  for (const endAfterSilenceMs of [200, 300, 400, 1000]) {
    const encoder = newEncoder(t, { endAfterSilenceMs });
    let ms = 0;
    for (; encoder.isRecording && ms < 12_000; ms += 20) encoder.write(new Int16Array(FRAME));
    t.ok(ms >= endAfterSilenceMs, `${ms} of ${endAfterSilenceMs} ms`);
  }
});

t.test('bits a second follow the bitrate, and a higher one is nearer to what was said', async (t) => {
  let before = Number.NEGATIVE_INFINITY;
  for (const bitrate of [6000, 12_000, 24_000, 32_000, 48_000, 64_000]) {
    const packets = record(t, ADA, { bitrate });
    const bits = framesOf(packets).reduce((sum, { bytes }) => sum + 8 * bytes, 0) / (ADA.length / 24_000);
    t.ok(bits > 0.75 * bitrate && bits < 1.15 * bitrate, `${bitrate}: ${bits.toFixed(0)}`);
    if (bitrate === 12_000 || bitrate === 48_000) continue;
    const { medianDb } = compareSpeech(ADA, hear(packets));
    t.ok(medianDb > before, `${bitrate}: ${medianDb.toFixed(1)} dB`);
    before = medianDb;
  }
});

t.test('every complexity says the same, and 9 is the default', async (t) => {
  for (const complexity of [0, 2, 5, 9, 10]) {
    const packets = record(t, SPEECH, { complexity });
    t.equal(compareSpeech(SPEECH, hear(packets)).verdict, 'same', `${complexity}`);
    if (complexity < 10) t.equal(hexes(packets) === hexes(record(t, SPEECH)), complexity === 9);
  }
});

t.test('wrong options are errors that name the option', async (t) => {
  const before = codecLiveBytes();
  for (const [name, ...values] of [
    ['sampleRateHz', 7999, 48_001, 24_000.5, Number.NaN, 0, '24000', null],
    ['framesPerPacket', 0, 51, 1.5, -1, Number.NaN, '2'],
    ['endAfterSilenceMs', 199, 10_001, Number.NaN, -400, '400'],
    ['bitrate', 5999, 64_001],
    ['complexity', -1, 11],
    ['expectedLossPercent', -1, 101],
    ['dtx', 1, 'true'],
    ['inbandFec', 0, 'true'],
    ['sampleRate', 24_000],
  ] as const) {
    for (const value of values) {
      const make = () => new VoiceEncoder(STEAM_ID, { [name]: value } as VoiceEncoderOptions);
      t.throws(make, { message: new RegExp(`\\b${name}\\b`) }, `${name}: ${value}`);
    }
  }
  t.throws(() => new VoiceEncoder(STEAM_ID, { endAfterSilenceMs: 400, dtx: false }), {
    message: /endAfterSilenceMs/,
  });
  t.equal(codecLiveBytes(), before, 'and leave nothing behind');
});

t.test('an unknown option is answered with all that there are', async (t) => {
  const wanted = {
    name: 'TypeError',
    message: /VoiceEncoder.*sampleRate".*sampleRateHz.*framesPerPacket.*endAfterSilenceMs/,
  };
  t.throws(() => new VoiceEncoder(STEAM_ID, { sampleRate: 8000 } as VoiceEncoderOptions), wanted);
});

t.test('what nobody reads is bounded, recordings that hold nothing too', async (t) => {
  const encoder = newEncoder(t, {});
  for (let n = 0; n < 5000; n += 1) encoder.end();
  t.ok(readAll(encoder).length <= 1002, 'ten seconds of them');
});

t.test('no packet holds more than the 3 s that a reader takes', async (t) => {
  for (const options of [{}, { bitrate: 6000 }]) {
    const packets = record(t, new Int16Array(9 * 24_000), options);
    t.ok(packets.every((packet) => framesOf([packet]).length <= 140));
    t.equal(hear(packets).length, 9 * 24_000 + 750);
    // The first and the third packet alone: the reader conceals before the third, within its 3 s.
    const decoder = new VoiceDecoder(24_000);
    for (const at of [0, 2]) t.equal(decoder.decompressPcm(packets[at]!).result, 0);
    decoder.free();
  }
});

function newEncoder(t: Test, options: VoiceEncoderOptions): VoiceEncoder {
  const encoder = new VoiceEncoder(STEAM_ID, options);
  t.teardown(() => encoder.free());
  return encoder;
}

/** The packets of `pcm` as one recording. */
function record(t: Test, pcm: Int16Array, options: VoiceEncoderOptions = {}): Uint8Array[] {
  const encoder = newEncoder(t, options);
  encoder.write(pcm);
  encoder.end();
  return readAll(encoder);
}

function readAll(encoder: VoiceEncoder): Uint8Array[] {
  const packets: Uint8Array[] = [];
  const target = new Uint8Array(MAX_PACKET_BYTES);
  for (let bytes = encoder.read(target); bytes > 0; bytes = encoder.read(target))
    packets.push(target.slice(0, bytes));
  return packets;
}

/** Are the frames numbered from 0 on, without a gap? */
function areInOrder(packets: readonly Uint8Array[]): boolean {
  return framesOf(packets).every(({ sequence }, at) => sequence === at);
}

function mustRead(bytes: Uint8Array): Packet {
  const packet = readPacket(bytes);
  if (packet.kind === 'malformed') throw new Error(`cannot read: ${packet.reason}, ${packet.detail}`);
  return packet;
}

function framesOf(packets: readonly Uint8Array[]) {
  return packets.flatMap((packet) => opusFrames(mustRead(packet)));
}

/** A packet's groups: F a frame, d one of DTX, E the marker; s and a count for silence. */
function shape(bytes: Uint8Array): string {
  return mustRead(bytes)
    .ops.flatMap((op) => {
      if (op.kind === 'silence') return [`s${op.samples}`];
      if (op.kind !== 'opus') return [];
      return [
        op.frames.map((frame) => (frame.kind === 'end' ? 'E' : frame.bytes === 1 ? 'd' : 'F')).join(''),
      ];
    })
    .join('|');
}

function hear(packets: readonly Uint8Array[]): Int16Array {
  const decoder = new VoiceDecoder(24_000);
  const parts = packets.map((packet) => decoder.decompressPcm(packet).pcm);
  decoder.free();
  return joined(parts);
}

function hexes(packets: readonly Uint8Array[]): string {
  return Buffer.concat(packets).toString('hex');
}

function energy(pcm: Int16Array): number {
  return pcm.reduce((sum, sample) => sum + sample ** 2, 0);
}

/** `pcm` at twice the rate, by the line between two samples. */
function doubled(pcm: Int16Array): Int16Array {
  return Int16Array.from({ length: 2 * pcm.length }, (_, at) => (pcm[at >> 1]! + pcm[(at + 1) >> 1]!) / 2);
}

/** The tone near `nearHz` in `pcm` at 24 kHz: its frequency, by the turn of its phase, and its amplitude. */
function toneOf(pcm: Int16Array, nearHz = 1000): { hz: number; amplitude: number } {
  const length = pcm.length >> 1;
  const [first, second] = [0, length].map((from) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < length; n += 1) {
      const sample = pcm[from + n]! * (1 - Math.cos((2 * Math.PI * (n + 0.5)) / length));
      re += sample * Math.cos((2 * Math.PI * nearHz * (from + n)) / 24_000);
      im -= sample * Math.sin((2 * Math.PI * nearHz * (from + n)) / 24_000);
    }
    return { phase: Math.atan2(im, re), amplitude: (2 * Math.hypot(re, im)) / length };
  });
  const turned = second!.phase - first!.phase;
  const hz = nearHz + (Math.atan2(Math.sin(turned), Math.cos(turned)) / (2 * Math.PI)) * (24_000 / length);
  return { hz, amplitude: first!.amplitude };
}
